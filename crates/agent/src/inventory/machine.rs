//! Which machine this is, as digests: what the firmware and the kernel say does not leave it in the clear.

use aws_lc_rs::digest::{Context, SHA256};
use guardhouse_contract::link::MachineIdentity;

use super::Files;

/// Precedes what is hashed, so that a digest is of use for nothing else.
const DOMAIN: &str = "guardhouse machine identity 1";

/// What firmware says where its maker has said nothing: in lower case, without white space around.
const PLACEHOLDERS: [&str; 22] = [
    "to be filled by o.e.m.",
    "to be filled by oem",
    "default string",
    "system serial number",
    "system product name",
    "chassis serial number",
    "serial number",
    "not specified",
    "not applicable",
    "not available",
    "not settable",
    "no asset information",
    "unknown",
    "invalid",
    "none",
    "null",
    "n/a",
    "oem",
    "o.e.m.",
    "empty",
    "sernum",
    "xxxxxxxxxxxx",
];

/// Uuids that boards of several makers share.
const SHARED_UUIDS: [&str; 3] = [
    "03000200-0400-0500-0006-000700080009",
    "12345678-1234-5678-90ab-cddeefaabbcc",
    "03020100-0504-0706-0809-0a0b0c0d0e0f",
];

/// Which machine this is. `host_name`, when the administrator gave the agent a name of its own, is part of it: several
/// agents on one machine are several devices.
pub(super) fn identity(files: &Files, host_name: Option<&str>) -> MachineIdentity {
    // The serial number and the uuid are for root only.
    let dmi = |name: &str| files.text(format!("sys/class/dmi/id/{name}"));
    let hashed = |what: &str, values: &[&str]| digest(what, host_name, values);
    // Makers count from one again: a serial number says something with its maker and model only.
    let (maker, model) = (dmi("sys_vendor").unwrap_or_default(), dmi("product_name").unwrap_or_default());
    let uuid = dmi("product_uuid").filter(|uuid| is_usable_uuid(uuid));
    let serial_number = dmi("product_serial").filter(|serial| is_usable(serial));
    let boot = files.text("proc/sys/kernel/random/boot_id");
    MachineIdentity {
        uuid_digest: uuid.map(|uuid| hashed("uuid", &[&uuid.to_ascii_lowercase()])).unwrap_or_default(),
        serial_number_digest: serial_number
            .map(|serial| hashed("serial number", &[&maker, &model, &serial]))
            .unwrap_or_default(),
        boot_digest: boot.map(|boot| hashed("boot", &[&boot])).unwrap_or_default(),
    }
}

/// Whether a value of the firmware says something of this one machine.
pub(super) fn is_usable(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let mut letters = value.bytes().filter(u8::is_ascii_alphanumeric);
    let Some(first) = letters.next() else { return false };
    // All zeros, all ones, all of anything.
    let is_one_letter = letters.all(|letter| letter == first);
    !is_one_letter && !is_count(&value) && !PLACEHOLDERS.contains(&value.as_str())
}

/// The same for a uuid.
pub(super) fn is_usable_uuid(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    is_usable(&value) && !SHARED_UUIDS.contains(&value.as_str())
}

/// Whether a value is the beginning of the digits in their order: `0123456789`, `123456`.
fn is_count(value: &str) -> bool {
    let digits = "01234567890123456789";
    value.len() >= 4 && (digits.starts_with(value) || digits[1..].starts_with(value))
}

/// A digest over a kind of value and its parts. Lengths come first, so that no two read the same.
fn digest(what: &str, host_name: Option<&str>, values: &[&str]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let parts = [DOMAIN, what, host_name.unwrap_or_default()];
    for part in parts.iter().chain(values) {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_many_machines_share_says_nothing() {
        let serial_numbers = [
            ("VMware-56 4d 1c 3e 8a", true),
            ("PF2ABCDE", true),
            ("1234567891", true),
            ("0000123", true),
            ("123", true),
            ("", false),
            ("  ", false),
            ("-", false),
            ("0", false),
            ("00000000", false),
            ("ffffffff", false),
            ("FFFF-FFFF", false),
            ("XXXXXXXXXXXX", false),
            ("To be filled by O.E.M.", false),
            ("TO BE FILLED BY O.E.M. ", false),
            ("Default string", false),
            ("System Serial Number", false),
            ("Not Specified", false),
            ("None", false),
            ("N/A", false),
            ("0123456789", false),
            ("123456789", false),
            ("1234567890", false),
        ];
        for (value, expected) in serial_numbers {
            assert_eq!(is_usable(value), expected, "{value:?}");
        }
        let uuids = [
            ("4c4c4544-0037-4d10-8051-b7c04f4a3732", true),
            ("00000000-0000-0000-0000-000000000000", false),
            ("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", false),
            ("03000200-0400-0500-0006-000700080009", false),
            ("Not Settable", false),
        ];
        for (value, expected) in uuids {
            assert_eq!(is_usable_uuid(value), expected, "{value:?}");
        }
    }

    /// A machine whose firmware and kernel say this.
    fn machine(values: &[(&str, &str)], host_name: Option<&str>) -> MachineIdentity {
        let root = tempfile::tempdir().expect("a folder");
        for (path, value) in values {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, format!("{value}\n")).expect("written");
        }
        identity(&Files::new(root.path()), host_name)
    }

    const UUID: (&str, &str) = ("sys/class/dmi/id/product_uuid", "4c4c4544-0037-4d10-8051-b7c04f4a3732");
    const SERIAL: (&str, &str) = ("sys/class/dmi/id/product_serial", "7J2P1F3");
    const MAKER: (&str, &str) = ("sys/class/dmi/id/sys_vendor", "Maker Inc.");
    const BOOT: (&str, &str) = ("proc/sys/kernel/random/boot_id", "4f3b1f0e-8c5a-4a39-9d3c-0e5b54c0a111");

    #[test]
    fn digests_say_which_machine_it_is_and_nothing_else() {
        let first = machine(&[UUID, SERIAL, MAKER, BOOT], None);
        for digest in [&first.uuid_digest, &first.serial_number_digest, &first.boot_digest] {
            assert_eq!(digest.len(), 32);
        }
        let upper = (UUID.0, "4C4C4544-0037-4D10-8051-B7C04F4A3732");
        assert_eq!(machine(&[upper, SERIAL, MAKER, BOOT], None), first, "kernels write uuids in either case");

        let other = machine(&[UUID, SERIAL, (MAKER.0, "Other Ltd."), (BOOT.0, "another")], None);
        assert_eq!(other.uuid_digest, first.uuid_digest);
        assert_ne!(other.serial_number_digest, first.serial_number_digest, "of another maker");
        assert_ne!(other.boot_digest, first.boot_digest);

        let named = machine(&[UUID, SERIAL, MAKER, BOOT], Some("image-7"));
        assert_ne!(named.uuid_digest, first.uuid_digest);
        assert_ne!(named.serial_number_digest, first.serial_number_digest);
        assert_eq!(machine(&[UUID, SERIAL, MAKER, BOOT], Some("image-7")), named);
    }

    #[test]
    fn what_is_not_known_is_empty() {
        assert_eq!(machine(&[], None), MachineIdentity::default());
        let shared = machine(&[(UUID.0, SHARED_UUIDS[0]), (SERIAL.0, "Default string"), BOOT], None);
        assert!(shared.uuid_digest.is_empty() && shared.serial_number_digest.is_empty());
        assert_eq!(shared.boot_digest.len(), 32);
    }
}

//! The operating system and the kind of machine.

use std::collections::HashMap;

use guardhouse_contract::devices::{DeviceType, OperatingSystem};

use super::{Files, version};

/// Family and edition as the contract numbers them.
const LINUX: u32 = 2;
const SERVER: u32 = 1;
const CLIENT: u32 = 2;

/// The operating system by its `os-release` file, the kernel and the name of the machine architecture.
pub(super) fn operating_system(files: &Files, kernel: &str, machine: &str) -> OperatingSystem {
    let text = files.text("etc/os-release").or_else(|| files.text("usr/lib/os-release")).unwrap_or_default();
    let release = os_release(&text);
    let value = |key| release.get(key).filter(|value| !value.is_empty());
    let display_name = value("PRETTY_NAME").or_else(|| value("NAME")).map_or("Linux", String::as_str);
    // Rolling distributions have no version: the kernel's says at least how old the system is.
    let version_name = value("VERSION_ID").map_or(kernel, String::as_str);
    OperatingSystem {
        bitness: if machine.contains("64") || machine == "s390x" { 64 } else { 32 },
        display_name: display_name.to_owned(),
        edition_id: if has_desktop(files) { CLIENT } else { SERVER },
        family_id: LINUX,
        version: Some(version::version(version_name)),
    }
}

/// Whether a graphical log-in is what the machine starts into.
fn has_desktop(files: &Files) -> bool {
    files.exists("etc/systemd/system/display-manager.service")
}

/// The assignments of an `os-release` file.
pub(crate) fn os_release(text: &str) -> HashMap<&str, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key, unquote(value))).collect()
}

/// The value of a shell assignment: without quotes, with the backslashes of double quotes resolved.
fn unquote(value: &str) -> String {
    if let Some(literal) = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')) {
        return literal.to_owned();
    }
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let mut letters = value.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain
}

/// The kind of machine by its firmware.
pub(super) fn device_type(files: &Files) -> DeviceType {
    let text = |name: &str| files.text(format!("sys/class/dmi/id/{name}")).unwrap_or_default();
    let chassis = text("chassis_type").parse().unwrap_or(0);
    kind(&text("sys_vendor"), &text("product_name"), chassis)
}

/// The kind of machine by vendor, product and chassis (SMBIOS 3.7, section 7.4.1).
fn kind(vendor: &str, product: &str, chassis: u8) -> DeviceType {
    const HYPERVISORS: [&str; 10] = [
        "QEMU",
        "KVM",
        "VMware",
        "innotek",
        "VirtualBox",
        "Xen",
        "Bochs",
        "Parallels",
        "Amazon EC2",
        "Google Compute",
    ];
    let text = format!("{vendor} {product}");
    let is_virtual = HYPERVISORS.iter().any(|name| text.contains(name)) || product == "Virtual Machine";
    match chassis {
        _ if is_virtual => DeviceType::VirtualMachine,
        3..=7 | 13 | 15 | 16 | 24 | 35 => DeviceType::Desktop,
        8..=10 | 14 | 31 | 32 => DeviceType::Notebook,
        11 | 30 => DeviceType::Tablet,
        17 | 23 | 25 | 28 | 29 => DeviceType::Server,
        33 | 34 | 36 => DeviceType::Iot,
        _ => DeviceType::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_files() {
        let debian =
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n# a comment\nID=debian\n";
        let odd = "NAME='Foo'\\''s'\nPRETTY_NAME=\"A \\\"quoted\\\" \\$name\"\nVERSION_ID=\n\nnonsense";
        let table = [
            (debian, "PRETTY_NAME", Some("Debian GNU/Linux 12 (bookworm)")),
            (debian, "VERSION_ID", Some("12")),
            (debian, "ID", Some("debian")),
            (debian, "# a comment", None),
            (odd, "PRETTY_NAME", Some("A \"quoted\" $name")),
            (odd, "VERSION_ID", Some("")),
            (odd, "nonsense", None),
        ];
        for (text, key, expected) in table {
            assert_eq!(os_release(text).get(key).map(String::as_str), expected, "{key}");
        }
    }

    #[test]
    fn a_system() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("etc")).expect("made");
        let release = "PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nVERSION_ID=\"24.04\"\n";
        std::fs::write(root.path().join("etc/os-release"), release).expect("written");
        let system = operating_system(&Files::new(root.path()), "6.8.0", "armv7l");
        assert_eq!(system.display_name, "Ubuntu 24.04.1 LTS");
        assert_eq!(system.version.expect("a version").name, "24.04");
        assert_eq!((system.bitness, system.family_id, system.edition_id), (32, 2, 1));
    }

    #[test]
    fn kinds_of_machines() {
        let table = [
            ("Dell Inc.", "PowerEdge R640", 23, DeviceType::Server),
            ("LENOVO", "20XW", 10, DeviceType::Notebook),
            ("Dell Inc.", "OptiPlex 7050", 3, DeviceType::Desktop),
            ("QEMU", "Standard PC (Q35 + ICH9, 2009)", 1, DeviceType::VirtualMachine),
            ("Microsoft Corporation", "Virtual Machine", 3, DeviceType::VirtualMachine),
            ("Microsoft Corporation", "Surface Pro 7", 9, DeviceType::Notebook),
            ("Amazon EC2", "m5.large", 1, DeviceType::VirtualMachine),
            ("", "", 0, DeviceType::Unspecified),
        ];
        for (vendor, product, chassis, expected) in table {
            assert_eq!(kind(vendor, product, chassis), expected, "{vendor} {product}");
        }
    }
}

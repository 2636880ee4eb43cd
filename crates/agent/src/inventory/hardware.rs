//! The hardware profile.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::digest::{SHA256, digest};
use guardhouse_contract::devices::{
    Bios, CpuArchitecture, DriveType, HardDrive, Hardware, NetworkAdapter, Processor,
};
use prost_types::FieldMask;

use super::{Files, machine};

/// Sizes in `/sys/block` count sectors of this many bytes, whatever the disk's own sectors are.
const SECTOR: u64 = 512;

/// Block devices that are not hardware.
const NO_DISKS: [&str; 6] = ["loop", "ram", "zram", "dm-", "md", "nbd"];

/// The hardware of the host.
pub(super) fn profile(files: &Files, machine: &str) -> Hardware {
    let mut missing = Missing::default();
    let dmi = |name: &str| files.text(format!("sys/class/dmi/id/{name}"));
    // Serial number and uuid are for root only. They are shown as they are, for those who look for the machine.
    let (serial_number, uuid) = (dmi("product_serial"), dmi("product_uuid"));
    missing.note_unless("bios.serial_number", serial_number.as_deref().is_none_or(machine::is_usable));
    missing.note_unless("bios.uuid", uuid.as_deref().is_none_or(machine::is_usable_uuid));
    let bios = Bios {
        manufacturer: missing.or_empty("bios.manufacturer", dmi("bios_vendor")),
        serial_number: missing.or_empty("bios.serial_number", serial_number),
        uuid: missing.or_empty("bios.uuid", uuid),
    };
    Hardware {
        bios: Some(bios),
        manufacturer: missing.or_empty("manufacturer", dmi("sys_vendor")),
        model: missing.or_empty("model", dmi("product_name")),
        resettable_identifier: missing
            .or_empty("resettable_identifier", files.text("etc/machine-id").map(|id| hashed(&id))),
        hard_drives: disks(files),
        network_adapters: adapters(files),
        processors: processors(&files.text("proc/cpuinfo").unwrap_or_default(), machine),
        salt: Vec::new(),
        malformed_data: missing.mask(),
    }
}

/// The machine id is not to leave the machine (machine-id(5)); a hash of it tells machines apart as well.
fn hashed(machine_id: &str) -> String {
    let hash = digest(&SHA256, format!("guardhouse resettable identifier {machine_id}").as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One entry per processor package.
fn processors(cpuinfo: &str, machine: &str) -> Vec<Processor> {
    let architecture = match machine {
        "x86_64" => CpuArchitecture::X64,
        "i386" | "i486" | "i586" | "i686" => CpuArchitecture::X86,
        "aarch64" => CpuArchitecture::Arm64,
        arm if arm.starts_with("arm") => CpuArchitecture::Arm32,
        _ => CpuArchitecture::Unspecified,
    };
    let mut packages = BTreeMap::new();
    for block in cpuinfo.split("\n\n") {
        let fields: HashMap<&str, &str> = block
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key.trim(), value.trim()))
            .collect();
        if fields.contains_key("processor") {
            packages.entry(fields.get("physical id").copied().unwrap_or("0")).or_insert(fields);
        }
    }
    let processor = |fields: HashMap<&str, &str>| {
        let mut missing = Missing::default();
        let first =
            |keys: &[&str]| keys.iter().find_map(|key| fields.get(key)).map(|value| (*value).to_owned());
        let parts = ["cpu family", "model", "stepping"].map(|key| fields.get(key).copied());
        let id = match parts {
            [Some(family), Some(model), Some(stepping)] => Some(format!("{family}-{model}-{stepping}")),
            _ => first(&["CPU part"]),
        };
        Processor {
            architecture: architecture.into(),
            caption: missing.or_empty("caption", first(&["model name", "Processor", "cpu"])),
            id: missing.or_empty("id", id),
            manufacturer: missing.or_empty("manufacturer", first(&["vendor_id", "CPU implementer"])),
            malformed_data: missing.mask(),
        }
    };
    packages.into_values().map(processor).collect()
}

/// The disks of the machine.
fn disks(files: &Files) -> Vec<HardDrive> {
    let names = files.names("sys/block").into_iter();
    names
        .filter(|name| !NO_DISKS.iter().any(|prefix| name.starts_with(prefix)))
        .map(|name| disk(files, &name))
        .collect()
}

fn disk(files: &Files, name: &str) -> HardDrive {
    let text = |file: &str| files.text(format!("sys/block/{name}/{file}"));
    let mut missing = Missing::default();
    let capacity = text("size").and_then(|sectors| sectors.parse::<u64>().ok());
    let kind = match (name.starts_with("sr"), text("queue/rotational").as_deref()) {
        (true, _) => DriveType::Optical,
        (false, Some("0")) => DriveType::Ssd,
        (false, Some("1")) => DriveType::Hdd,
        (false, _) => DriveType::Unspecified,
    };
    let serial = text("device/serial")
        .or_else(|| text("serial"))
        .or_else(|| text("device/vpd_pg80").and_then(page_80));
    HardDrive {
        capacity_bytes: missing
            .or_empty("capacity_bytes", capacity.map(|sectors| sectors.saturating_mul(SECTOR))),
        display_name: text("device/model").unwrap_or_else(|| name.to_owned()),
        drive_type: kind.into(),
        hardware_encryption_supported: false,
        manufacturer_name: missing.or_empty("manufacturer_name", text("device/vendor")),
        serial_number: missing.or_empty("serial_number", serial),
        malformed_data: missing.mask(),
    }
}

/// The serial number of SCSI's page 0x80: it follows four bytes, two of which are zero and trimmed here.
fn page_80(page: String) -> Option<String> {
    let printable =
        page.trim_start_matches(|letter: char| letter.is_control() || letter == '\u{fffd}').trim();
    (!printable.is_empty()).then(|| printable.to_owned())
}

/// The network adapters, without the loopback.
fn adapters(files: &Files) -> Vec<NetworkAdapter> {
    let names = files.names("sys/class/net").into_iter().filter(|name| name != "lo");
    let adapter = |name: String| {
        let mut missing = Missing::default();
        let mac = files.text(format!("sys/class/net/{name}/address"));
        NetworkAdapter {
            mac_address: missing.or_empty("mac_address", mac),
            caption: name,
            malformed_data: missing.mask(),
        }
    };
    names.map(adapter).collect()
}

/// The attributes that could not be read, or whose value looks wrong.
#[derive(Debug, Default)]
struct Missing(Vec<String>);

impl Missing {
    /// The value, or an empty one whose attribute is noted.
    fn or_empty<T: Default>(&mut self, attribute: &str, value: Option<T>) -> T {
        value.unwrap_or_else(|| {
            self.0.push(attribute.to_owned());
            T::default()
        })
    }

    /// Notes an attribute whose value does not look right.
    fn note_unless(&mut self, attribute: &str, looks_right: bool) {
        if !looks_right {
            self.0.push(attribute.to_owned());
        }
    }

    fn mask(self) -> Option<FieldMask> {
        (!self.0.is_empty()).then_some(FieldMask { paths: self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_counted_by_package() {
        let core = |package: u8| {
            format!(
                "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Xeon\n\
                 stepping\t: 7\nphysical id\t: {package}\n"
            )
        };
        let cpuinfo = [core(0), core(0), core(1), core(1)].join("\n");
        let found = processors(&cpuinfo, "x86_64");
        assert_eq!(found.len(), 2);
        let expected = Processor {
            architecture: CpuArchitecture::X64.into(),
            caption: "Xeon".to_owned(),
            id: "6-85-7".to_owned(),
            manufacturer: "GenuineIntel".to_owned(),
            malformed_data: None,
        };
        assert_eq!(found[1], expected);
    }

    #[test]
    fn an_arm_board_names_less() {
        let cpuinfo = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\nHardware\t: BCM2835\n";
        let found = processors(cpuinfo, "aarch64");
        let malformed = found[0].malformed_data.clone().expect("paths").paths;
        assert_eq!((found.len(), found[0].id.as_str(), malformed), (1, "0xd08", vec!["caption".to_owned()]));
        assert!(processors("", "x86_64").is_empty());
    }

    #[test]
    fn disks_and_adapters() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, content: &[u8]| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, content).expect("written");
        };
        write("sys/class/dmi/id/product_serial", b"Default string\n");
        write("sys/block/loop0/size", b"8\n");
        write("sys/block/sda/size", b"1953525168\n");
        write("sys/block/sda/queue/rotational", b"1\n");
        write("sys/block/sda/device/vendor", b"ATA     \n");
        write("sys/block/sda/device/model", b"WDC WD10EZEX-08W\n");
        write("sys/block/sda/device/vpd_pg80", b"\0\x80\0\x0cWD-12345678 ");
        write("sys/block/sr0/size", b"x\n");
        write("sys/class/net/lo/address", b"00:00:00:00:00:00\n");
        write("sys/class/net/eth0/address", b"52:54:00:12:34:56\n");

        let hardware = profile(&Files::new(root.path()), "x86_64");
        let [optical, disk] = [&hardware.hard_drives[1], &hardware.hard_drives[0]];
        assert_eq!(hardware.hard_drives.len(), 2);
        let expected = HardDrive {
            capacity_bytes: 1_000_204_886_016,
            display_name: "WDC WD10EZEX-08W".to_owned(),
            drive_type: DriveType::Hdd.into(),
            hardware_encryption_supported: false,
            malformed_data: None,
            manufacturer_name: "ATA".to_owned(),
            serial_number: "WD-12345678".to_owned(),
        };
        assert_eq!(disk, &expected);
        assert_eq!(optical.drive_type(), DriveType::Optical);
        let malformed = &optical.malformed_data.as_ref().expect("paths").paths;
        assert_eq!(malformed, &["capacity_bytes", "manufacturer_name", "serial_number"]);

        let bios = hardware.bios.as_ref().expect("is there");
        assert_eq!(bios.serial_number, "Default string");
        let malformed = &hardware.malformed_data.as_ref().expect("paths").paths;
        assert!(malformed.contains(&"bios.serial_number".to_owned()), "no serial number: {malformed:?}");

        assert_eq!(hardware.network_adapters.len(), 1);
        assert_eq!(hardware.network_adapters[0].mac_address, "52:54:00:12:34:56");
    }
}

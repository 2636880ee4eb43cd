//! What a host says of itself.
//!
//! Everything is read from files of the kernel and of the distribution. A file that is missing or unreadable
//! leaves its field empty, named in `malformed_data` where the contract has one; it never fails the agent.

mod address;
mod hardware;
mod machine;
pub(crate) mod system;
mod version;

use std::{
    fs,
    path::{Path, PathBuf},
};

use guardhouse_contract::{
    devices::PlatformComponent,
    link::{Inventory, MachineIdentity},
};

/// Name of the agent among the components of a device.
const COMPONENT: &str = "guardhouse-agent";

/// Reads the inventory of this host; `host_name` is reported instead of the real one.
#[must_use]
pub fn read(host_name: Option<&str>) -> Inventory {
    let files = Files::new("/");
    let system = rustix::system::uname();
    let real_name = system.nodename().to_string_lossy().into_owned();
    let machine = system.machine().to_string_lossy().into_owned();
    let kernel = system.release().to_string_lossy().into_owned();
    Inventory {
        host_name: host_name.map_or(real_name, str::to_owned),
        agent_version: crate::version::version().to_owned(),
        operating_system: Some(system::operating_system(&files, &kernel, &machine)),
        hardware_profiles: vec![hardware::profile(&files, &machine)],
        deployed_components: vec![PlatformComponent {
            id: 0,
            name: COMPONENT.to_owned(),
            display_name: "Guardhouse Agent".to_owned(),
            version: Some(version::version(crate::version::version())),
        }],
        primary_local_ip_address: address::primary(&files).to_string(),
        device_type: system::device_type(&files).into(),
    }
}

/// Tells which machine this is, as digests; `host_name` is the name that an administrator gave the agent of it. Read anew
/// for each connection: a copy of a machine that was not shut down goes on elsewhere in the same process.
#[must_use]
pub fn machine(host_name: Option<&str>) -> MachineIdentity {
    machine::identity(&Files::new("/"), host_name)
}

/// Files below a root: `/` in life, another folder in tests.
#[derive(Debug)]
struct Files(PathBuf);

impl Files {
    fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// The text of a file without surrounding white space; `None` when there is none.
    fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        // Serial numbers come from firmware: no guarantee that they are UTF-8, or free of NUL.
        let bytes = fs::read(self.0.join(path)).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The names in a folder, sorted.
    fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.0.join(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.0.join(path).exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_has_an_inventory() {
        let inventory = read(None);
        assert!(!inventory.host_name.is_empty());
        assert_eq!(inventory.agent_version, crate::version::version());
        let system = inventory.operating_system.as_ref().expect("a system");
        assert_eq!(system.family_id, 2);
        assert!(!system.display_name.is_empty());
        assert!(!inventory.hardware_profiles[0].processors.is_empty());
        assert!(inventory.primary_local_ip_address.parse::<std::net::IpAddr>().is_ok());
        assert_eq!(read(None), inventory, "nothing in it changes by itself");
        assert_eq!(read(Some("image-7")).host_name, "image-7");
    }

    #[test]
    fn a_host_that_hides_everything_has_one_too() {
        let empty = tempfile::tempdir().expect("a folder");
        let files = Files::new(empty.path());
        let system = system::operating_system(&files, "6.1.0", "x86_64");
        assert_eq!((system.display_name.as_str(), system.bitness), ("Linux", 64));
        let hardware = hardware::profile(&files, "x86_64");
        let malformed = hardware.malformed_data.expect("paths").paths;
        assert!(malformed.contains(&"manufacturer".to_owned()), "{malformed:?}");
    }
}

//! What the attributes of a device say that the rules of dynamic groups can look at.

use guardhouse_contract::devices::{Device, PlatformComponent, Version};
use guardhouse_model::dynamic_groups::{Address, AttributeFacts, Component, Folded, VersionKey};
use guardhouse_store::DerivedFacts;
use prost::Message as _;
use tracing::warn;

/// Name of the agent among the components of a device.
const AGENT: &str = "guardhouse-agent";

/// Most characters of a text that count. A device is not trusted.
const LONGEST: usize = 1_024;

/// Most components of a device that count.
const MOST_COMPONENTS: usize = 1_000;

/// What attributes say.
#[must_use]
pub fn of(attributes: &Device) -> AttributeFacts {
    let none = Default::default();
    let system = attributes.operating_system.as_ref().unwrap_or(&none);
    let installed =
        &attributes.deployed_components[..attributes.deployed_components.len().min(MOST_COMPONENTS)];
    let agent = installed.iter().find(|component| component.name == AGENT);
    AttributeFacts {
        operating_system: text(&system.display_name),
        operating_system_family: system.family_id,
        operating_system_edition: system.edition_id,
        operating_system_version: version(system.version.as_ref()),
        agent_version: agent.map(|agent| version(agent.version.as_ref())).unwrap_or_default(),
        primary_address: Address::new(&attributes.primary_local_ip_address),
        device_type: attributes.device_type,
        is_mobile: attributes.is_mobile,
        is_master: attributes.is_master,
        components: installed.iter().flat_map(components).collect(),
    }
}

/// What the attributes say that the store keeps of a device.
#[must_use]
pub fn derive(device: guardhouse_store::Device) -> DerivedFacts {
    let facts = match Device::decode(device.attributes.as_slice()) {
        Ok(attributes) => of(&attributes),
        Err(error) => {
            warn!(device = %device.id, %error, "the kept attributes cannot be read");
            AttributeFacts::default()
        }
    };
    DerivedFacts { device: device.id, attributes: device.attributes, facts }
}

/// A component goes by two names: one for programs, one for people.
fn components(component: &PlatformComponent) -> impl Iterator<Item = Component> {
    let version = version(component.version.as_ref());
    let (name, display_name) = (text(&component.name), text(&component.display_name));
    let other = (display_name != name).then_some(display_name);
    let names = [Some(name), other].into_iter().flatten().filter(|name| !name.is_empty());
    names.map(move |name| Component { name, version: version.clone() })
}

fn text(text: &str) -> Folded {
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
    Folded::new(&text[..end])
}

/// The version as it is written; of one that has only a number, the four parts of that.
fn version(version: Option<&Version>) -> VersionKey {
    match version {
        Some(Version { name, .. }) if !name.is_empty() => VersionKey::new(name),
        Some(Version { id, .. }) if *id != 0 => {
            let part = |shift: u32| (id >> shift) & 0xffff;
            VersionKey::new(&format!("{}.{}.{}.{}", part(48), part(32), part(16), part(0)))
        }
        _ => VersionKey::default(),
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::devices::OperatingSystem;

    use super::*;

    fn named(name: &str) -> Option<Version> {
        Some(Version { name: name.to_owned(), ..Default::default() })
    }

    #[test]
    fn attributes_become_facts() {
        let installed = |name: &str, display_name: &str, version| PlatformComponent {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            version,
            ..Default::default()
        };
        let by_number = Some(Version { id: 10 << 48 | 2 << 32 | 7, ..Default::default() });
        let device = Device {
            operating_system: Some(OperatingSystem {
                display_name: "Debian GNU/Linux 12".to_owned(),
                family_id: 2,
                edition_id: 1,
                version: named("12.5"),
                ..Default::default()
            }),
            deployed_components: vec![
                installed("guardhouse-agent", "Guardhouse Agent", named("1.2.0")),
                installed("Scanner", "scanner", by_number),
                installed("", "", None),
            ],
            primary_local_ip_address: "192.0.2.7".to_owned(),
            device_type: 13,
            is_mobile: true,
            ..Default::default()
        };
        let facts = of(&device);
        assert_eq!(facts.operating_system, Folded::new("debian gnu/linux 12"));
        assert_eq!((facts.operating_system_family, facts.operating_system_edition), (2, 1));
        assert_eq!(facts.operating_system_version, VersionKey::new("12.5"));
        assert_eq!(facts.agent_version, VersionKey::new("1.2"));
        assert_eq!(facts.primary_address, Address::new("192.0.2.7"));
        assert_eq!((facts.device_type, facts.is_mobile, facts.is_master), (13, true, false));
        let components: Vec<_> =
            facts.components.iter().map(|one| (one.name.as_str(), one.version.clone())).collect();
        let agent = VersionKey::new("1.2");
        assert_eq!(
            components,
            [
                ("guardhouse-agent", agent.clone()),
                ("guardhouse agent", agent),
                ("scanner", VersionKey::new("10.2.0.7"))
            ]
        );
        assert_eq!(of(&Device::default()), AttributeFacts::default());
    }

    #[test]
    fn what_a_device_says_is_bounded() {
        let component = PlatformComponent { name: "a".repeat(5_000), ..Default::default() };
        let facts = of(&Device { deployed_components: vec![component; 3_000], ..Default::default() });
        assert_eq!(facts.components.len(), 1_000);
        assert_eq!(facts.components[0].name.as_str().len(), LONGEST);
    }
}

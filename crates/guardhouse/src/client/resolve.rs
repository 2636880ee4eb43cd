//! Devices, groups and policies by uuid or by display name.

use anyhow::bail;
use guardhouse_contract::devices::{DeviceGroup, ListDevicesRequest};
use uuid::Uuid;

use crate::client::Client;

/// How many names are looked up at once. All of them stand in one URL, and servers limit its length.
const BATCH: usize = 20;

impl Client {
    /// The uuids of devices, in this order. Where a text is no uuid it is a display name; one device, and one
    /// only, must have it.
    ///
    /// # Errors
    /// A name that no device has, or more than one.
    pub async fn resolve_devices(&self, texts: &[String]) -> anyhow::Result<Vec<String>> {
        let names: Vec<_> = texts.iter().filter(|text| as_uuid(text).is_none()).cloned().collect();
        let mut known = Vec::new();
        for batch in names.chunks(BATCH) {
            let filter = ListDevicesRequest { display_names: batch.to_vec(), ..Default::default() };
            let found = self.list_devices(filter).await?.devices;
            known.extend(found.into_iter().map(|device| (device.display_name, device.uuid)));
        }
        texts.iter().map(|text| pick(("device", "devices"), text, &known)).collect()
    }

    /// The uuid of one device, as [`Client::resolve_devices`].
    ///
    /// # Errors
    /// As there.
    pub async fn resolve_device(&self, text: &str) -> anyhow::Result<String> {
        Ok(self.resolve_devices(&[text.to_owned()]).await?.remove(0))
    }

    /// The uuids of groups, in this order, by the same rule.
    ///
    /// # Errors
    /// A name that no group has, or more than one.
    pub async fn resolve_groups(&self, texts: &[String]) -> anyhow::Result<Vec<String>> {
        if texts.iter().all(|text| as_uuid(text).is_some()) {
            return pick_groups(texts, &[]);
        }
        pick_groups(texts, &self.list_groups().await?.device_groups)
    }

    /// The uuid of one group, as [`Client::resolve_groups`].
    ///
    /// # Errors
    /// As there.
    pub async fn resolve_group(&self, text: &str) -> anyhow::Result<String> {
        Ok(self.resolve_groups(&[text.to_owned()]).await?.remove(0))
    }
}

/// The uuids of groups among those that are known already.
///
/// # Errors
/// As [`Client::resolve_groups`].
pub fn pick_groups(texts: &[String], groups: &[DeviceGroup]) -> anyhow::Result<Vec<String>> {
    let known: Vec<_> = groups.iter().map(|group| (group.display_name.clone(), group.uuid.clone())).collect();
    texts.iter().map(|text| pick(("group", "groups"), text, &known)).collect()
}

/// The text as a uuid in its usual form, if it is one.
pub fn as_uuid(text: &str) -> Option<String> {
    Uuid::parse_str(text).ok().map(|uuid| uuid.to_string())
}

/// The uuid that a text stands for among `known`, names with their uuids. `kinds` says what is looked for: one of them,
/// and several.
///
/// # Errors
/// A name that none of them has, or more than one.
pub fn pick((kind, kinds): (&str, &str), text: &str, known: &[(String, String)]) -> anyhow::Result<String> {
    if let Some(uuid) = as_uuid(text) {
        return Ok(uuid);
    }
    let mut uuids: Vec<_> = known.iter().filter(|(name, _)| name == text).map(|(_, uuid)| uuid).collect();
    uuids.sort();
    // A name that is asked for twice is found twice.
    uuids.dedup();
    match uuids[..] {
        [uuid] => Ok(uuid.clone()),
        [] => bail!("there is no {kind} with the name {text:?}, and it is no uuid"),
        _ => {
            const SHOWN: usize = 5;
            let shown = uuids.iter().take(SHOWN).map(|uuid| uuid.as_str()).collect::<Vec<_>>().join(", ");
            let more = if uuids.len() > SHOWN { ", …" } else { "" };
            bail!("{} {kinds} have the name {text:?}; say which one by its uuid: {shown}{more}", uuids.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0193a1b2-0000-7000-8000-00000000000a";
    const B: &str = "0193a1b2-0000-7000-8000-00000000000b";

    #[test]
    fn a_name_must_be_unique() {
        let known = [("web", A), ("db", B), ("twin", A), ("twin", B), ("web", A)];
        let known = known.map(|(name, uuid)| (name.to_owned(), uuid.to_owned()));
        let pick = |text: &str| pick(("device", "devices"), text, &known).map_err(|error| error.to_string());
        assert_eq!(pick("web"), Ok(A.to_owned()));
        assert_eq!(pick(&B.to_uppercase()), Ok(B.to_owned()), "a uuid needs no look-up");
        let unknown = r#"there is no device with the name "Web", and it is no uuid"#;
        assert_eq!(pick("Web"), Err(unknown.to_owned()));
        let ambiguous = format!(r#"2 devices have the name "twin"; say which one by its uuid: {A}, {B}"#);
        assert_eq!(pick("twin"), Err(ambiguous));
    }
}

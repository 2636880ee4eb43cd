//! Locations of scans without an agent, and what lies there, as tables.

use guardhouse_contract::scans::{
    Address, AgentlessAsset, AgentlessLocation, LookAtAgentlessLocationResponse, TargetType, address::Place,
};

use crate::output::{constant, printable, sheet, table, time};

/// One line per location.
pub fn locations(locations: &[AgentlessLocation]) -> String {
    let row = |location: &AgentlessLocation| {
        [
            location.display_name.clone(),
            location.uuid.clone(),
            address(location.address.as_ref()),
            target_type(location.target_type()),
            time(location.look_time.as_ref()),
            location.trouble.clone(),
        ]
    };
    table(["NAME", "UUID", "ADDRESS", "TYPE", "LOOKED AT", "TROUBLE"], locations.iter().map(row))
}

/// A location in full.
pub fn location(location: Option<&AgentlessLocation>) -> String {
    let Some(location) = location else { return String::new() };
    let store = match location.address.as_ref().and_then(|address| address.place.as_ref()) {
        Some(Place::ObjectStore(store)) => store.clone(),
        _ => Default::default(),
    };
    sheet([
        ("name", location.display_name.clone()),
        ("uuid", location.uuid.clone()),
        ("address", address(location.address.as_ref())),
        ("endpoint", store.endpoint),
        ("region", store.region),
        ("credentials", if location.has_credentials { "kept" } else { "" }.to_owned()),
        ("type", target_type(location.target_type())),
        ("created", time(location.create_time.as_ref())),
        ("looked at", time(location.look_time.as_ref())),
        ("trouble", location.trouble.clone()),
    ])
}

/// What a look came to: the location, and what was left out, a line each.
pub fn look(answer: &LookAtAgentlessLocationResponse) -> String {
    let mut text = location(answer.location.as_ref());
    text.push_str(&format!("assets       {}\n", answer.asset_count));
    for sentence in &answer.left_out {
        text.push_str(&format!("left out     {}\n", printable(sentence).replace('\n', " ")));
    }
    text
}

/// One line per asset.
pub fn assets(assets: &[AgentlessAsset]) -> String {
    let row = |asset: &AgentlessAsset| {
        [
            asset.instance_id.clone(),
            if asset.device_name.is_empty() { &asset.name } else { &asset.device_name }.clone(),
            target_type(asset.target_type()),
            size(asset.size_bytes),
            asset.platform.clone(),
            time(asset.seen_time.as_ref()),
            if asset.is_gone { "gone" } else { "" }.to_owned(),
        ]
    };
    table(["INSTANCE ID", "NAME", "TYPE", "MIB", "PLATFORM", "LAST SEEN", "STATE"], assets.iter().map(row))
}

fn address(address: Option<&Address>) -> String {
    match address.and_then(|address| address.place.as_ref()) {
        Some(Place::Folder(folder)) => folder.path.clone(),
        Some(Place::OciLayout(layout)) => layout.path.clone(),
        Some(Place::ObjectStore(store)) => store.url.clone(),
        Some(Place::DeviceSnapshots(folder)) => folder.path.clone(),
        None => String::new(),
    }
}

fn target_type(target_type: TargetType) -> String {
    constant(target_type.as_str_name(), "TARGET_TYPE_")
}

/// In MiB, rounded up: an asset is never of no size.
fn size(bytes: i64) -> String {
    u64::try_from(bytes).unwrap_or(0).div_ceil(1 << 20).to_string()
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::scans::ObjectStore;

    use super::*;

    #[test]
    fn a_location_is_shown_without_what_opens_it() {
        let place = Place::ObjectStore(ObjectStore { url: "s3://images/a".to_owned(), ..Default::default() });
        let store = AgentlessLocation {
            uuid: "1".to_owned(),
            display_name: "store".to_owned(),
            address: Some(Address { place: Some(place) }),
            target_type: TargetType::Snapshot.into(),
            has_credentials: true,
            ..Default::default()
        };
        let expected = "\
            NAME   UUID  ADDRESS        TYPE      LOOKED AT  TROUBLE\n\
            store  1     s3://images/a  SNAPSHOT  -          -";
        assert_eq!(locations(std::slice::from_ref(&store)), expected);
        assert!(location(Some(&store)).contains("credentials  kept\n"));
        let left_out = vec!["a link\n\u{1b}[2J".to_owned()];
        let answer = LookAtAgentlessLocationResponse { location: Some(store), asset_count: 3, left_out };
        assert!(
            look(&answer).ends_with("assets       3\nleft out     a link \\u{1b}[2J\n"),
            "{}",
            look(&answer)
        );
    }

    #[test]
    fn assets_are_shown_by_what_they_are_called() {
        let asset = AgentlessAsset {
            instance_id: "m-1".to_owned(),
            name: "a/b.img".to_owned(),
            target_type: TargetType::Image.into(),
            size_bytes: 1,
            is_gone: true,
            ..Default::default()
        };
        let device = AgentlessAsset {
            instance_id: "0193-a".to_owned(),
            name: "0193-a".to_owned(),
            target_type: TargetType::DeviceSnapshot.into(),
            size_bytes: 1 << 30,
            device_name: "web-1".to_owned(),
            ..Default::default()
        };
        let expected = "\
            INSTANCE ID  NAME     TYPE             MIB   PLATFORM  LAST SEEN  STATE\n\
            m-1          a/b.img  IMAGE            1     -         -          gone\n\
            0193-a       web-1    DEVICE_SNAPSHOT  1024  -         -          -";
        assert_eq!(assets(&[asset, device]), expected);
    }
}

use guardhouse_model::agentless::snapshots::DEVICES;
use guardhouse_store::{AgentlessAsset, AgentlessAssetScope, AgentlessLocation, FoundAsset, LocationLook};
use uuid::Uuid;

use crate::{
    agentless_support::found as scanned,
    support::{Fixture, at},
};

fn location(id: Uuid, name: &str) -> AgentlessLocation {
    AgentlessLocation {
        id,
        name: name.to_owned(),
        address: vec![1, 2],
        sealed_credentials: Some(vec![3]),
        target_type: 4,
        create_time: at(1),
        look_time: None,
        trouble: String::new(),
    }
}

fn found(assets: &[(&str, u64, &str)]) -> Result<Vec<FoundAsset>, String> {
    let found = assets.iter().map(|(name, size_bytes, version)| FoundAsset {
        instance_id: format!("m-{name}"),
        name: (*name).to_owned(),
        size_bytes: *size_bytes,
        version: (*version).to_owned(),
    });
    Ok(found.collect())
}

impl Fixture {
    async fn add_location(&self, name: &str) -> Uuid {
        let id = self.id();
        assert!(self.store.agentless_location_add(location(id, name)).await.expect("writes"));
        id
    }

    async fn looked(&self, location: Uuid, second: i64, found: Result<Vec<FoundAsset>, String>) -> bool {
        let look = LocationLook { time: at(second), found, forget: at(second - 100) };
        self.store.agentless_assets_looked(location, look).await.expect("writes")
    }

    async fn assets(&self, scope: AgentlessAssetScope) -> Vec<AgentlessAsset> {
        self.store.agentless_assets_list(scope, String::new(), 100).await.expect("reads")
    }

    /// Name, version, when it was last there, and whether it is gone, of all assets.
    async fn brief(&self) -> Vec<(String, String, i64, bool)> {
        let assets = self.assets(AgentlessAssetScope::default()).await;
        let brief = |asset: AgentlessAsset| {
            (asset.name, asset.version, asset.seen_time.as_second() - at(0).as_second(), asset.is_gone)
        };
        assets.into_iter().map(brief).collect()
    }
}

pub async fn a_location_has_a_name_of_its_own(f: &Fixture) {
    let first = f.add_location("images").await;
    assert!(!f.store.agentless_location_add(location(f.id(), "images")).await.expect("reads"));
    let second = f.add_location("Images").await;
    let get = async |id| f.store.agentless_location_get(id).await.expect("reads");
    assert_eq!(get(first).await, Some(location(first, "images")));
    assert_eq!(get(f.id()).await, None);

    let ids = async |after, limit| {
        let listed = f.store.agentless_locations_list(after, limit).await.expect("reads");
        // That of the devices is always there.
        let listed = listed.into_iter().map(|location| location.id).filter(|id| *id != DEVICES);
        listed.collect::<Vec<_>>()
    };
    assert_eq!(ids(None, 10).await, [first, second]);
    assert_eq!(ids(None, 1).await, [first]);
    assert_eq!(ids(Some(first), 10).await, [second]);

    assert!(f.looked(first, 5, found(&[("a", 1, "1")])).await);
    assert!(f.store.agentless_location_delete(first).await.expect("writes"));
    assert!(!f.store.agentless_location_delete(first).await.expect("reads"));
    assert_eq!(
        (ids(None, 10).await, f.brief().await),
        (vec![second], vec![]),
        "what lies there goes with it"
    );
    assert!(!f.looked(first, 6, found(&[("a", 1, "1")])).await, "somebody still looked");
    assert_eq!(f.brief().await, []);
    assert!(f.store.agentless_location_add(location(first, "images")).await.expect("writes"));
}

pub async fn a_look_tells_what_came_and_what_went(f: &Fixture) {
    let place = f.add_location("images").await;
    let is =
        |name: &str, version: &str, second, is_gone| (name.to_owned(), version.to_owned(), second, is_gone);
    assert!(f.looked(place, 5, found(&[("b", 2, "1"), ("a", 1, "1")])).await);
    assert_eq!(f.brief().await, [is("a", "1", 5, false), is("b", "1", 5, false)]);
    assert!(f.looked(place, 6, found(&[("a", 1, "2"), ("c", 3, "1")])).await);
    assert_eq!(f.brief().await, [is("a", "2", 6, false), is("b", "1", 5, true), is("c", "1", 6, false)]);
    assert!(f.looked(place, 7, found(&[("b", 2, "1")])).await, "it came back");
    assert_eq!(f.brief().await, [is("a", "2", 6, true), is("b", "1", 7, false), is("c", "1", 6, true)]);

    let location = async || f.store.agentless_location_get(place).await.expect("reads").expect("is there");
    assert_eq!((location().await.look_time, location().await.trouble), (Some(at(7)), String::new()));
    assert!(f.looked(place, 8, Err("nobody answers".to_owned())).await);
    assert_eq!(
        (location().await.look_time, location().await.trouble),
        (Some(at(8)), "nobody answers".to_owned())
    );
    let before = [is("a", "2", 6, true), is("b", "1", 7, false), is("c", "1", 6, true)];
    assert_eq!(f.brief().await, before, "a look that failed says nothing of what is there");

    assert!(!f.looked(place, 7, found(&[])).await, "it began before another one that is over");
    assert_eq!(f.brief().await, before);
    assert!(f.looked(place, 9, found(&[])).await);
    assert_eq!(location().await.trouble, "");
    assert!(f.brief().await.iter().all(|(_, _, _, is_gone)| *is_gone));
}

pub async fn assets_are_listed_by_what_they_are(f: &Fixture) {
    let (first, second) = (f.add_location("first").await, f.add_location("second").await);
    f.looked(first, 5, found(&[("a", 1, "1"), ("b", 1, "1")])).await;
    f.looked(first, 6, found(&[("b", 7, "1")])).await;
    f.looked(second, 5, found(&[("c", 1 << 40, "1")])).await;
    let any = AgentlessAssetScope::default;
    let table = [
        (any(), "a b c"),
        (AgentlessAssetScope { location: Some(first), ..any() }, "a b"),
        (AgentlessAssetScope { location: Some(f.id()), ..any() }, ""),
        (AgentlessAssetScope { target_type: Some(4), ..any() }, "a b c"),
        (AgentlessAssetScope { target_type: Some(3), ..any() }, ""),
        (AgentlessAssetScope { is_gone: Some(true), ..any() }, "a"),
        (AgentlessAssetScope { is_gone: Some(false), ..any() }, "b c"),
        (AgentlessAssetScope { location: Some(first), target_type: Some(4), is_gone: Some(false) }, "b"),
    ];
    for (scope, expected) in table {
        let names: Vec<String> = f.assets(scope).await.into_iter().map(|asset| asset.name).collect();
        assert_eq!(names.join(" "), expected, "{scope:?}");
    }
    let page = f.store.agentless_assets_list(any(), "m-a".to_owned(), 1).await.expect("reads");
    let asset = AgentlessAsset {
        instance_id: "m-b".to_owned(),
        location: first,
        name: "b".to_owned(),
        target_type: 4,
        size_bytes: 7,
        version: "1".to_owned(),
        platform: String::new(),
        seen_time: at(6),
        is_gone: false,
    };
    assert_eq!(page, [asset]);
}

pub async fn locations_are_looked_at_in_turn(f: &Fixture) {
    let ids = [f.add_location("a").await, f.add_location("b").await, f.add_location("c").await];
    let due = async |second, limit| {
        let due = f.store.agentless_locations_due(at(second), limit).await.expect("reads");
        due.into_iter().map(|location| location.id).collect::<Vec<_>>()
    };
    assert_eq!(due(5, 10).await, ids, "none was ever looked at");
    f.looked(ids[0], 20, found(&[])).await;
    f.looked(ids[1], 10, Err("away".to_owned())).await;
    assert_eq!(due(5, 10).await, [ids[2]]);
    assert_eq!(due(15, 10).await, [ids[2], ids[1]]);
    assert_eq!(due(25, 10).await, [ids[2], ids[1], ids[0]]);
    assert_eq!(due(25, 2).await, [ids[2], ids[1]]);
}

pub async fn what_is_gone_for_long_is_forgotten_without_a_result(f: &Fixture) {
    let place = f.add_location("images").await;
    f.looked(place, 5, found(&[("a", 1, "1"), ("b", 1, "1"), ("c", 1, "1")])).await;
    f.looked(place, 6, found(&[("c", 1, "1")])).await;
    f.scan(&["m-a"], 7).await;
    let lease = f.take_one(7).await.lease;
    assert!(f.end(lease, scanned(), 8).await);
    let names = async || f.brief().await.into_iter().map(|(name, ..)| name).collect::<Vec<_>>().join(" ");
    f.looked(place, 105, found(&[("c", 1, "1")])).await;
    assert_eq!(names().await, "a b c");
    f.looked(place, 106, Err("nobody answers".to_owned())).await;
    assert_eq!(names().await, "a b c");
    f.looked(place, 107, found(&[("c", 1, "1")])).await;
    assert_eq!(names().await, "a c", "there is a result of the first");
}

use guardhouse_store::{AgentlessLocation, FoundAsset, LocationLook};
use uuid::Uuid;

use crate::{
    agentless_support::{failed, found},
    support::{Fixture, at},
};

/// A location with these assets, each with the version of its content.
async fn location(f: &Fixture, name: &str, assets: &[(&str, &str)]) -> Uuid {
    let id = f.id();
    let location = AgentlessLocation {
        id,
        name: name.to_owned(),
        address: vec![1],
        sealed_credentials: None,
        target_type: 3,
        create_time: at(0),
        look_time: None,
        trouble: String::new(),
    };
    assert!(f.store.agentless_location_add(location).await.expect("writes"));
    look(f, id, 1, assets).await;
    id
}

async fn look(f: &Fixture, location: Uuid, second: i64, assets: &[(&str, &str)]) {
    let asset = |(id, version): &(&str, &str)| FoundAsset {
        instance_id: (*id).to_owned(),
        name: format!("{id}.raw"),
        size_bytes: 1,
        version: (*version).to_owned(),
    };
    let found = Ok(assets.iter().map(asset).collect());
    let look = LocationLook { time: at(second), found, forget: at(0) };
    assert!(f.store.agentless_assets_looked(location, look).await.expect("writes"));
}

/// The assets that are there, each with whether there is news of it.
async fn changed(f: &Fixture) -> Vec<(String, bool)> {
    let assets = f.store.agentless_assets_select(None, String::new(), 100).await.expect("reads");
    assets.into_iter().map(|found| (found.asset.instance_id, found.is_changed)).collect()
}

pub async fn what_is_there_can_be_picked(f: &Fixture) {
    let first = location(f, "a", &[("s-1", "1"), ("s-2", "1")]).await;
    let second = location(f, "b", &[("s-3", "1")]).await;
    look(f, first, 2, &[("s-2", "1")]).await;
    let select = async |location, after: &str, limit| {
        let found = f.store.agentless_assets_select(location, after.to_owned(), limit).await.expect("reads");
        found.into_iter().map(|found| found.asset.instance_id).collect::<Vec<_>>()
    };
    assert_eq!(select(None, "", 9).await, ["s-2", "s-3"], "what is gone is not there");
    assert_eq!(select(None, "s-2", 9).await, ["s-3"]);
    assert_eq!(select(None, "", 1).await, ["s-2"]);
    assert_eq!(select(Some(second), "", 9).await, ["s-3"]);
    let named = ["s-3", "s-1", "s-3", "s-\0", "s-2"].map(str::to_owned).to_vec();
    let named = f.store.agentless_assets_named(named).await.expect("reads");
    let named: Vec<String> = named.into_iter().map(|found| found.asset.instance_id).collect();
    assert_eq!(named, ["s-2", "s-3"]);
}

pub async fn what_has_a_result_of_its_content_has_not_changed(f: &Fixture) {
    let place = location(f, "a", &[("s-1", "1"), ("s-2", "1")]).await;
    let expect = |first: bool, second: bool| vec![("s-1".to_owned(), first), ("s-2".to_owned(), second)];
    assert_eq!(changed(f).await, expect(true, true), "nothing was scanned");
    f.scan(&["s-1", "s-2"], 2).await;
    let mut taken = f.take(2, 3).await;
    taken.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    assert!(f.end(taken[0].lease, found(), 4).await);
    assert!(f.end(taken[1].lease, failed(), 4).await);
    assert_eq!(changed(f).await, expect(false, true), "what failed has no result");
    look(f, place, 5, &[("s-1", "2"), ("s-2", "1")]).await;
    assert_eq!(changed(f).await, expect(true, true));

    // What changes while it is scanned is scanned again.
    f.scan(&["s-1"], 6).await;
    look(f, place, 7, &[("s-1", "3"), ("s-2", "1")]).await;
    let taken = f.take_one(8).await;
    assert!(f.end(taken.lease, found(), 9).await);
    assert_eq!(changed(f).await, expect(true, true));
}

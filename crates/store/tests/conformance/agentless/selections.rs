use std::collections::BTreeSet;

use guardhouse_store::{
    AgentlessAsset, AgentlessAssetFilter, AgentlessLocation, AgentlessSelection, FoundAsset, Lease,
    LocationLook, NewAgentlessSelection, PageNumber, SelectionAdded, SelectionChanged, StoreError,
};
use uuid::Uuid;

use super::agentless_support::found_until;
use crate::support::{Fixture, at};

const ALL: PageNumber = PageNumber { skip: 0, size: 100 };
const ONCE: &str = "AGENTLESS_SCAN_ONCE_TASK";

impl Fixture {
    /// A location with assets, each a GiB; answers it.
    async fn shelf(&self, target_type: i32, assets: &[&str]) -> Uuid {
        let id = self.id();
        let location = AgentlessLocation {
            id,
            name: id.to_string(),
            address: vec![],
            sealed_credentials: None,
            target_type,
            create_time: at(0),
            look_time: None,
            trouble: String::new(),
        };
        assert!(self.store.agentless_location_add(location).await.expect("writes"));
        self.look(id, assets, 1).await;
        id
    }

    /// What lies in a location at `second`.
    async fn look(&self, location: Uuid, assets: &[&str], second: i64) {
        let found = assets.iter().map(|asset| FoundAsset {
            instance_id: (*asset).to_owned(),
            name: format!("Disk_{asset}"),
            size_bytes: 1 << 30,
            version: "v1".to_owned(),
        });
        let look = LocationLook { time: at(second), found: Ok(found.collect()), forget: at(0) };
        assert!(self.store.agentless_assets_looked(location, look).await.expect("writes"));
    }

    /// A scan finds Debian on an asset.
    async fn find_debian(&self, asset: &str) {
        self.scan(&[asset], 2).await;
        let lease = self.take_one(2).await.lease;
        assert!(self.end(lease, found_until(at(9_999)), 3).await);
    }

    async fn page(&self, filter: AgentlessAssetFilter, page: PageNumber) -> (Vec<String>, u64) {
        let found = self.store.agentless_assets_page(filter, page).await.expect("reads");
        (ids(found.rows), found.total)
    }

    async fn select(&self, key: i64, business_type: &str, has_all: bool, platform: &str) -> SelectionAdded {
        let new =
            NewAgentlessSelection { has_all, platform: platform.to_owned(), ..selection(key, business_type) };
        self.store.agentless_selection_add(new).await.expect("writes")
    }

    async fn change(&self, key: i64, add: &[&str], remove: &[&str]) -> SelectionChanged {
        let set = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<BTreeSet<_>>();
        self.store.agentless_selection_change(key, set(add), set(remove), at(80)).await.expect("works")
    }

    async fn selected(&self, key: i64, target_type: Option<i32>) -> Option<(Vec<String>, u64)> {
        let found = self.store.agentless_selection_assets(key, target_type, ALL).await.expect("reads");
        found.map(|found| (ids(found.rows), found.total))
    }

    async fn find(&self, business_type: &str) -> Option<i64> {
        let found = self.store.agentless_selection_find(business_type.to_owned()).await.expect("reads");
        found.map(|found| found.key)
    }
}

fn ids(assets: Vec<AgentlessAsset>) -> Vec<String> {
    assets.into_iter().map(|asset| asset.instance_id).collect()
}

fn names(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

fn selection(key: i64, business_type: &str) -> NewAgentlessSelection {
    NewAgentlessSelection {
        key,
        business_type: business_type.to_owned(),
        has_all: false,
        platform: "all".to_owned(),
        account: Uuid::from_u128(1),
        client_token: String::new(),
        create_time: at(key),
    }
}

pub async fn assets_are_found_by_their_ids_and_in_pages(f: &Fixture) {
    let location = f.shelf(4, &["m-a", "m-b", "m-c"]).await;
    f.shelf(3, &["s-a"]).await;
    f.find_debian("m-b").await;
    f.look(location, &["m-a", "m-b"], 5).await;

    let asked = names(&["s-a", "m-c", "m-x", "m-c", "m\0"]);
    let found = f.store.agentless_assets_find(asked).await.expect("reads");
    assert_eq!(found.iter().map(|asset| asset.is_gone).collect::<Vec<_>>(), [true, false]);
    assert_eq!(ids(found), ["m-c", "s-a"]);

    let any = AgentlessAssetFilter::default;
    let three = |page| (names(page), 3);
    assert_eq!(f.page(any(), ALL).await, three(&["m-a", "m-b", "s-a"]));
    assert_eq!(f.page(any(), PageNumber { skip: 1, size: 1 }).await, three(&["m-b"]));
    assert_eq!(f.page(any(), PageNumber { skip: 9, size: 1 }).await, three(&[]));
    for (filter, expected) in [
        (AgentlessAssetFilter { target_type: Some(3), ..any() }, vec!["s-a"]),
        (AgentlessAssetFilter { without_devices: true, ids: Some(names(&["s-a"])), ..any() }, vec!["s-a"]),
        (AgentlessAssetFilter { name: "dISK_M-".to_owned(), ..any() }, vec!["m-a", "m-b"]),
        (AgentlessAssetFilter { name: "Disk%".to_owned(), ..any() }, vec![]),
        (AgentlessAssetFilter { platform: "debian".to_owned(), ..any() }, vec!["m-b"]),
        (AgentlessAssetFilter { ids: Some(names(&["s-a", "m-c", "m-a"])), ..any() }, vec!["m-a", "s-a"]),
        (AgentlessAssetFilter { ids: Some(vec![]), ..any() }, vec![]),
        (AgentlessAssetFilter { ids: Some(names(&["s-a"])), target_type: Some(4), ..any() }, vec![]),
    ] {
        let total = expected.len() as u64;
        assert_eq!(f.page(filter.clone(), ALL).await, (names(&expected), total), "{filter:?}");
    }
}

pub async fn a_selection_is_that_of_its_business_type(f: &Fixture) {
    assert_eq!(f.find("A").await, None);
    assert_eq!(f.select(1, "A", false, "all").await, SelectionAdded::Added);
    assert_eq!(f.find("A").await, Some(1));
    assert_eq!(f.find("a").await, None, "upper and lower case are told apart");
    assert_eq!(f.select(1, "B", false, "all").await, SelectionAdded::KeyTaken);
    assert_eq!(f.find("B").await, None, "nothing was changed");
    assert_eq!(f.select(2, "A", true, "linux").await, SelectionAdded::Added);
    let kept = AgentlessSelection { key: 2, has_all: true, platform: "linux".to_owned() };
    assert_eq!(f.store.agentless_selection_find("A".to_owned()).await.expect("reads"), Some(kept.clone()));
    assert_eq!(f.store.agentless_selection_get(2).await.expect("reads"), Some(kept));
    assert_eq!(f.store.agentless_selection_get(3).await.expect("reads"), None);

    let use_for = |business_type: &str, key| f.store.agentless_selection_use(business_type.to_owned(), key);
    assert!(use_for("A", 1).await.expect("writes"));
    assert!(use_for("B", 1).await.expect("writes"));
    assert!(!use_for("A", 9).await.expect("works"), "there is no such selection");
    assert_eq!((f.find("A").await, f.find("B").await), (Some(1), Some(1)));

    let with_token = |key, account| NewAgentlessSelection {
        client_token: "token".to_owned(),
        account: Uuid::from_u128(account),
        ..selection(key, "C")
    };
    let add = async |new| f.store.agentless_selection_add(new).await.expect("writes");
    assert_eq!(add(with_token(5, 1)).await, SelectionAdded::Added);
    assert_eq!(add(with_token(6, 1)).await, SelectionAdded::Repeated(5));
    assert_eq!(add(with_token(7, 2)).await, SelectionAdded::Added, "of another account");
    assert_eq!(f.find("C").await, Some(7));
}

pub async fn a_selection_has_what_was_taken_into_it(f: &Fixture) {
    let location = f.shelf(4, &["m-a", "m-b", "m-c"]).await;
    f.shelf(3, &["s-a"]).await;
    assert_eq!(f.change(1, &["m-a"], &[]).await, SelectionChanged::NotFound);
    assert_eq!(f.selected(1, None).await, None);
    f.select(1, "A", false, "all").await;
    f.select(2, "B", false, "all").await;
    assert_eq!(f.selected(1, None).await, Some((vec![], 0)));

    let unknown = SelectionChanged::Unknown(names(&["m-x", "m-y"]));
    assert_eq!(f.change(1, &["m-y", "m-a", "m-x"], &[]).await, unknown);
    assert_eq!(f.selected(1, None).await, Some((vec![], 0)), "nothing was changed");
    for _ in 0..2 {
        assert_eq!(f.change(1, &["s-a", "m-a", "m-b"], &["m-c", "m-x"]).await, SelectionChanged::Changed);
        assert_eq!(f.selected(1, None).await, Some((names(&["m-a", "m-b", "s-a"]), 3)));
    }
    assert_eq!(f.selected(1, Some(4)).await, Some((names(&["m-a", "m-b"]), 2)));
    assert_eq!(f.selected(2, None).await, Some((vec![], 0)), "another selection");
    assert_eq!(f.store.agentless_selection_size(1).await.expect("reads"), Some(3 << 30));
    assert_eq!(f.store.agentless_selection_size(9).await.expect("reads"), None);
    let contains = async |asked: &[&str]| {
        let found = f.store.agentless_selection_contains(1, names(asked)).await.expect("reads");
        found.map(ids)
    };
    assert_eq!(contains(&["m-c", "m-b", "m-a", "m-b", "m-x"]).await, Some(names(&["m-a", "m-b"])));

    f.look(location, &["m-a", "m-c"], 5).await;
    assert_eq!(f.selected(1, None).await, Some((names(&["m-a", "s-a"]), 2)), "m-b is gone");
    assert_eq!(f.change(1, &[], &["m-a"]).await, SelectionChanged::Changed);
    f.look(location, &["m-a", "m-b", "m-c"], 6).await;
    assert_eq!(f.selected(1, None).await, Some((names(&["m-b", "s-a"]), 2)), "it is back");
}

pub async fn a_selection_of_all_has_what_is_there(f: &Fixture) {
    let location = f.shelf(4, &["m-a", "m-b"]).await;
    f.find_debian("m-b").await;
    f.select(1, "A", true, "all").await;
    f.select(2, "B", true, "debian").await;
    f.select(3, "C", true, "linux").await;
    f.select(4, "D", true, "windows").await;
    assert_eq!(f.change(1, &["m-a"], &[]).await, SelectionChanged::HasAll);
    for (key, expected) in [(1, vec!["m-a", "m-b"]), (2, vec!["m-b"]), (3, vec!["m-b"]), (4, vec![])] {
        let total = expected.len() as u64;
        assert_eq!(f.selected(key, None).await, Some((names(&expected), total)), "{key}");
        let size = f.store.agentless_selection_size(key).await.expect("reads");
        assert_eq!(size, Some(total << 30));
    }
    f.look(location, &["m-b", "m-c"], 5).await;
    assert_eq!(f.selected(1, None).await, Some((names(&["m-b", "m-c"]), 2)));
    let contains = f.store.agentless_selection_contains(1, names(&["m-a", "m-c"])).await.expect("reads");
    assert_eq!(contains.map(ids), Some(names(&["m-c"])));
}

pub async fn old_selections_go_in_steps(f: &Fixture) {
    for key in 1..=5 {
        f.select(key, &format!("{ONCE}_{key}"), false, "all").await;
    }
    f.select(6, "AGENTLESS_VUL_WHITE_LIST_1", false, "all").await;
    assert!(
        f.store.agentless_selection_use("AGENTLESS_VUL_WHITE_LIST_2".to_owned(), 1).await.expect("writes")
    );
    let lease = f.lease().await;
    let expire = |lease, second| f.store.agentless_selections_expire(lease, ONCE, at(second), 2);
    for went in [2, 1, 0] {
        assert_eq!(expire(lease, 5).await.expect("works"), went);
    }
    for (business_type, key) in [
        (format!("{ONCE}_1"), Some(1)),
        (format!("{ONCE}_2"), None),
        (format!("{ONCE}_4"), None),
        (format!("{ONCE}_5"), Some(5)),
        ("AGENTLESS_VUL_WHITE_LIST_1".to_owned(), Some(6)),
    ] {
        assert_eq!(f.find(&business_type).await, key, "{business_type}");
    }
    let lost = Lease { fence: lease.fence + 1, ..lease };
    let refused = expire(lost, 99).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost(_))), "{refused:?}");
    assert!(f.find(&format!("{ONCE}_5")).await.is_some(), "nothing was done");
}

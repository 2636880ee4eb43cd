//! The verbs of selections of assets.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    Plans,
    support::{Fixture, at},
};
use crate::{AgentlessAssetFilter, NewAgentlessSelection, PageNumber};

/// Carries all of them out.
pub async fn all(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let page = PageNumber { skip: 0, size: 10 };
    let ids = || vec!["s-1".to_owned(), "s-2".to_owned()];
    let any = AgentlessAssetFilter::default;
    plans.of("agentless_assets_find", store.agentless_assets_find(ids())).await;
    for (what, filter) in [
        ("agentless_assets_page", any()),
        ("agentless_assets_page, by type", AgentlessAssetFilter { target_type: Some(3), ..any() }),
        ("agentless_assets_page, by ids", AgentlessAssetFilter { ids: Some(ids()), ..any() }),
    ] {
        plans.of(what, store.agentless_assets_page(filter, page)).await;
    }
    for (key, has_all) in [(1, false), (2, true)] {
        let new = NewAgentlessSelection {
            key,
            business_type: "type".to_owned(),
            has_all,
            platform: "all".to_owned(),
            account: Uuid::nil(),
            client_token: String::new(),
            create_time: at(0),
        };
        plans.of("agentless_selection_add", store.agentless_selection_add(new)).await;
    }
    let none = || BTreeSet::from(["s-none".to_owned()]);
    let change = store.agentless_selection_change(1, BTreeSet::new(), none(), at(1));
    plans.of("agentless_selection_change", change).await;
    let change = store.agentless_selection_change(1010, BTreeSet::new(), none(), at(1));
    plans.of("agentless_selection_change, that whitelists are about", change).await;
    plans.of("agentless_selection_find", store.agentless_selection_find("type".to_owned())).await;
    plans.of("agentless_selection_get", store.agentless_selection_get(1)).await;
    plans.of("agentless_selection_use", store.agentless_selection_use("type".to_owned(), 1)).await;
    for (key, what) in [(1, "of some"), (2, "of all")] {
        let assets = store.agentless_selection_assets(key, Some(3), page);
        plans.of(&format!("agentless_selection_assets, {what}"), assets).await;
        let contains = store.agentless_selection_contains(key, ids());
        plans.of(&format!("agentless_selection_contains, {what}"), contains).await;
        plans.of(&format!("agentless_selection_size, {what}"), store.agentless_selection_size(key)).await;
    }
    let lease = f.lease().await;
    plans.forget();
    let expire = store.agentless_selections_expire(lease, "type", at(9), 10);
    plans.of("agentless_selections_expire", expire).await;
}

use guardhouse_store::{AgentlessAssetScope, AgentlessLocation, FoundAsset, LocationLook};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

/// How many look at a location at once.
const LOOKS: usize = 6;

fn found(name: String) -> FoundAsset {
    FoundAsset { instance_id: format!("m-{name}"), name, size_bytes: 1, version: "1".to_owned() }
}

pub async fn the_look_that_began_last_counts(a: &Arena) {
    for round in 0..ROUNDS {
        let id = a.id();
        let location = AgentlessLocation {
            id,
            name: format!("images {round}"),
            address: Vec::new(),
            sealed_credentials: None,
            target_type: 4,
            create_time: at(0),
            look_time: None,
            trouble: String::new(),
        };
        assert!(a.store.agentless_location_add(location).await.expect("writes"));
        // Each finds something that all find, and something that it finds alone.
        let looks = (0..LOOKS).map(|n| {
            let store = a.replica(n);
            let names = [format!("{round}-shared"), format!("{round}-{n}")];
            let second = i64::try_from((n + round) % LOOKS).expect("small");
            let look = LocationLook { time: at(second), found: Ok(names.map(found).into()), forget: at(-1) };
            async move { (second, n, store.agentless_assets_looked(id, look).await.expect("writes")) }
        });
        let answers = at_once(looks).await;
        let last = answers.iter().max().expect("there are some");
        assert!(last.2, "nobody began later: {answers:?}");

        let scope = AgentlessAssetScope { location: Some(id), is_gone: Some(false), ..Default::default() };
        let there = a.store.agentless_assets_list(scope, String::new(), 10).await.expect("reads");
        let mut names: Vec<String> = there.into_iter().map(|asset| asset.name).collect();
        names.sort();
        assert_eq!(names, [format!("{round}-{}", last.1), format!("{round}-shared")]);
    }
}

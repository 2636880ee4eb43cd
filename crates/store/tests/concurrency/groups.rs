use std::collections::BTreeSet;

use guardhouse_model::groups::ALL;
use guardhouse_store::{Device, GroupMove};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

pub async fn imports_beside_a_deletion_are_gone_or_refused(a: &Arena) {
    for _ in 0..ROUNDS {
        let group = a.group(ALL).await;
        let imports = (0..6).map(|n| {
            let (store, device) = (a.replica(n), Device { group, ..a.device("imported") });
            async move { store.devices_import(group, vec![device]).await.expect("writes") }
        });
        let deleting = a.replica(1);
        let (imported, gone) = tokio::join!(at_once(imports), deleting.group_delete(group, at(9)));
        let imported: BTreeSet<_> =
            imported.into_iter().flatten().flatten().map(|device| device.id).collect();
        let gone: BTreeSet<_> = gone.expect("writes").expect("is there").into_iter().collect();
        assert_eq!(imported, gone, "what was taken in went with the group");
        assert_eq!(a.store.group_get(group).await.expect("reads"), None);
    }
    assert_eq!(a.store.devices_list(Default::default(), None, 10).await.expect("reads"), []);
}

pub async fn connections_beside_a_deletion_leave_nothing_behind(a: &Arena) {
    for _ in 0..ROUNDS {
        let group = a.group(ALL).await;
        let device = a.member(group).await;
        let connections = (0..6).map(|n| {
            let store = a.replica(n);
            async move { store.device_connected(device, String::new(), at(0)).await.expect("writes") }
        });
        let deleting = a.replica(1);
        let (_, gone) = tokio::join!(at_once(connections), deleting.group_delete(group, at(9)));
        assert_eq!(gone.expect("writes"), Some(vec![device]));
        assert_eq!(a.store.device_get(device).await.expect("reads"), None);
        // Were an epoch left behind, the same device imported again would begin with it.
        let again = Device { id: device, ..a.device("again") };
        a.store.devices_import(ALL, vec![again]).await.expect("writes").expect("is there");
        let epoch = a.store.device_connected(device, String::new(), at(1)).await.expect("writes");
        assert_eq!(epoch, Some(1));
    }
}

pub async fn opposite_moves_form_no_cycle(a: &Arena) {
    for _ in 0..ROUNDS {
        let (one, other) = (a.group(ALL).await, a.group(ALL).await);
        let moves = [(one, other), (other, one)].into_iter().enumerate().map(|(n, (group, parent))| {
            let store = a.replica(n);
            async move { store.group_move(group, parent, at(0)).await.expect("works") }
        });
        let outcomes = at_once(moves).await;
        assert_eq!(
            outcomes.iter().filter(|outcome| **outcome == GroupMove::Cycle).count(),
            1,
            "{outcomes:?}"
        );
    }
}

use guardhouse_model::{DeviceId, GroupId, groups::ALL};
use guardhouse_store::{Claim, Device, DevicePolicy};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

fn policy(generation: usize) -> DevicePolicy {
    DevicePolicy { generation: [generation as u8; 32], report_time: at(1), unapplied: Vec::new() }
}

async fn connect(a: &Arena, device: DeviceId) -> Claim {
    let epoch = a.store.device_connected(device, String::new(), at(0)).await.expect("writes");
    Claim { device, epoch: epoch.expect("is managed") }
}

/// Connected devices of a group.
async fn many(a: &Arena, group: GroupId) -> Vec<Claim> {
    // Enough to take a moment.
    let devices: Vec<_> = (0..60).map(|_| Device { group, ..a.device("busy") }).collect();
    let ids: Vec<_> = devices.iter().map(|device| device.id).collect();
    a.store.devices_import(group, devices).await.expect("writes").expect("is there");
    let mut claims = Vec::new();
    for id in ids {
        claims.push(connect(a, id).await);
    }
    claims
}

pub async fn batches_in_opposite_orders_do_not_wait_for_each_other(a: &Arena) {
    let claims = many(a, a.group(ALL).await).await;
    for round in 0..ROUNDS {
        at_once((0..6).map(|n| {
            let (store, mut claims) = (a.replica(n), claims.clone());
            claims.rotate_left(7 * n);
            if n % 2 == 0 {
                claims.reverse();
            }
            let reports = claims.into_iter().map(|by| (by, policy(6 * round + n))).collect();
            async move { store.device_policies_report(reports).await.expect("writes") }
        }))
        .await;
    }
}

pub async fn reports_beside_a_deletion_leave_nothing_behind(a: &Arena) {
    let stays = connect(a, a.member(ALL).await).await;
    for round in 0..ROUNDS {
        let group = a.group(ALL).await;
        let mut claims = many(a, group).await;
        claims.insert(round * 4, stays);
        let reports = (0..4).map(|n| {
            let store = a.replica(n);
            let reports = claims.iter().map(|&by| (by, policy(4 * round + n))).collect();
            async move { store.device_policies_report(reports).await.expect("writes") }
        });
        let deleting = a.replica(round);
        let (_, gone) = tokio::join!(at_once(reports), deleting.group_delete(group, at(9)));
        assert!(gone.expect("writes").is_some());
        for by in claims {
            let kept = a.store.device_policy_get(by.device).await.expect("reads");
            assert_eq!(kept.is_some(), by.device == stays.device);
        }
    }
}

pub async fn the_latest_connection_has_the_last_word(a: &Arena) {
    let others = many(a, a.group(ALL).await).await;
    for round in 0..ROUNDS {
        // It comes behind many others that have much to say: while they are kept, it connects anew.
        let device = a.member(ALL).await;
        let old = connect(a, device).await;
        let much = DevicePolicy { unapplied: vec![round as u8; 50_000], ..policy(1) };
        let batch = others.iter().copied().chain([old]).map(|by| (by, much.clone())).collect();
        let (late, again) = (a.replica(0), a.replica(1));
        let new = async {
            for _ in 0..2 * round {
                again.device_get(device).await?;
            }
            let epoch = again.device_connected(device, String::new(), at(2)).await?;
            let by = Claim { device, epoch: epoch.expect("is managed") };
            again.device_policies_report(vec![(by, policy(2))]).await
        };
        let (late, new) = tokio::join!(late.device_policies_report(batch), new);
        late.expect("writes");
        new.expect("writes");
        let kept = a.store.device_policy_get(device).await.expect("reads").expect("was told");
        assert_eq!(kept.generation, policy(2).generation);
    }
}

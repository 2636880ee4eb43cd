use std::collections::BTreeSet;

use guardhouse_model::{DeviceId, groups::ALL};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

pub async fn every_connection_has_an_epoch_of_its_own(a: &Arena) {
    let device = a.member(ALL).await;
    let mut last = 0;
    for _ in 0..ROUNDS {
        let epochs = at_once((0..8).map(|n| {
            let store = a.replica(n);
            async move { store.device_connected(device, String::new(), at(0)).await.expect("writes") }
        }));
        let epochs: BTreeSet<_> = epochs.await.into_iter().map(|epoch| epoch.expect("is managed")).collect();
        assert_eq!(epochs, (last + 1..=last + 8).collect());
        last += 8;
    }
}

pub async fn opposite_moves_leave_the_counts_true(a: &Arena) {
    let groups = [a.group(ALL).await, a.group(ALL).await, a.group(ALL).await];
    let mut devices = Vec::new();
    for n in 0..6 {
        devices.push(a.member(groups[n % 3]).await);
    }
    for round in 0..ROUNDS {
        at_once((0..24).map(|n| {
            let (store, device, group) = (a.replica(n), devices[n % 6], groups[(n / 6 + n + round) % 3]);
            async move {
                store.device_move(device, group, at(0)).await.expect("writes").flatten().expect("is moved")
            }
        }))
        .await;
    }
    let mut all = 0;
    for group in groups {
        let members = a.store.group_members_list(group, false, None, 100).await.expect("reads");
        let (count, members) = members.expect("is there");
        assert_eq!(count, members.len() as u64);
        all += count;
    }
    assert_eq!(all, 6);
}

pub async fn batches_of_contacts_do_not_wait_for_each_other(a: &Arena) {
    let group = a.group(ALL).await;
    let mut devices = Vec::new();
    for _ in 0..40 {
        devices.push(a.member(group).await);
    }
    for round in 0..ROUNDS {
        at_once((0..8).map(|n| {
            let (store, mut devices) = (a.replica(n), devices.clone());
            devices.rotate_left(5 * n);
            if n % 2 == 0 {
                devices.reverse();
            }
            async move { store.devices_seen(devices, at(round as i64)).await.expect("writes") }
        }))
        .await;
    }
    // The whole group goes at the same time, in an order of its own.
    let (seeing, deleting) = (a.replica(0), a.replica(1));
    let backwards: Vec<DeviceId> = devices.iter().rev().copied().collect();
    let (seen, gone) =
        tokio::join!(seeing.devices_seen(backwards, at(99)), deleting.group_delete(group, at(9)));
    seen.expect("writes");
    assert_eq!(gone.expect("writes").map(|gone| gone.len()), Some(40));
}

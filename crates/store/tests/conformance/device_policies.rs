use guardhouse_model::{DeviceId, groups::ALL};
use guardhouse_store::{Claim, DevicePolicy};

use crate::support::{Fixture, at};

/// A report in second `second`.
fn policy(generation: u8, second: i64, unapplied: &[u8]) -> DevicePolicy {
    DevicePolicy { generation: [generation; 32], report_time: at(second), unapplied: unapplied.to_vec() }
}

/// A connection of a device.
async fn connect(f: &Fixture, device: DeviceId) -> Claim {
    let epoch = f.store.device_connected(device, String::new(), at(0)).await.expect("writes");
    Claim { device, epoch: epoch.expect("is managed") }
}

async fn kept(f: &Fixture, device: DeviceId) -> Option<DevicePolicy> {
    f.store.device_policy_get(device).await.expect("reads")
}

pub async fn a_report_is_kept_until_another_differs(f: &Fixture) {
    let by = connect(f, f.member(ALL).await).await;
    assert_eq!(kept(f, by.device).await, None);
    let first = policy(1, 1, &[]);
    let table = [
        (first.clone(), first.clone()),
        // The same again is no change: the time says since when.
        (policy(1, 2, &[]), first),
        (policy(1, 3, &[0, 0xff]), policy(1, 3, &[0, 0xff])),
        (policy(2, 4, &[0, 0xff]), policy(2, 4, &[0, 0xff])),
        (policy(2, 5, &[]), policy(2, 5, &[])),
    ];
    for (said, expected) in table {
        f.store.device_policies_report(vec![(by, said)]).await.expect("writes");
        assert_eq!(kept(f, by.device).await, Some(expected));
    }
}

pub async fn of_a_batch_the_last_of_each_device_counts(f: &Fixture) {
    let (one, other) = (connect(f, f.member(ALL).await).await, connect(f, f.member(ALL).await).await);
    let batch = vec![
        (other, policy(1, 1, &[])),
        (one, policy(2, 2, &[])),
        (other, policy(3, 3, &[])),
        (one, policy(4, 4, &[])),
    ];
    f.store.device_policies_report(batch).await.expect("writes");
    assert_eq!(kept(f, one.device).await, Some(policy(4, 4, &[])));
    assert_eq!(kept(f, other.device).await, Some(policy(3, 3, &[])));
    f.store.device_policies_report(Vec::new()).await.expect("nothing is nothing");
}

pub async fn a_report_counts_only_over_the_latest_connection(f: &Fixture) {
    let device = f.member(ALL).await;
    let old = connect(f, device).await;
    let new = connect(f, device).await;
    f.store.device_policies_report(vec![(old, policy(1, 1, &[]))]).await.expect("works");
    assert_eq!(kept(f, device).await, None);
    let batch = vec![(new, policy(2, 2, &[])), (old, policy(3, 3, &[]))];
    f.store.device_policies_report(batch).await.expect("writes");
    assert_eq!(kept(f, device).await, Some(policy(2, 2, &[])));
}

pub async fn reports_go_with_their_device(f: &Fixture) {
    let group = f.group(ALL).await;
    let (gone, left) = (connect(f, f.member(group).await).await, connect(f, f.member(ALL).await).await);
    let batch = |generation| vec![(gone, policy(generation, 1, &[])), (left, policy(generation, 1, &[]))];
    f.store.device_policies_report(batch(1)).await.expect("writes");
    assert!(f.store.group_delete(group, at(9)).await.expect("writes").is_some());
    assert_eq!(kept(f, gone.device).await, None);
    f.store.device_policies_report(batch(2)).await.expect("that of the other is kept");
    assert_eq!(kept(f, gone.device).await, None);
    assert_eq!(kept(f, left.device).await, Some(policy(2, 1, &[])));
}

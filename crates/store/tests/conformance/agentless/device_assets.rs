use guardhouse_model::{
    DeviceId, RunId,
    agentless::snapshots::{DEVICES, instance_id},
    groups::ALL,
};
use guardhouse_store::{AgentlessAsset, AgentlessAssetScope, Claim, DeviceStateReport};

use crate::support::{Fixture, at};

impl Fixture {
    async fn tell(&self, device: DeviceId, epoch: u64, second: i64, snapshot_bytes: Option<u64>) {
        let report = DeviceStateReport { report_time: at(second), state: vec![1], snapshot_bytes };
        self.store.device_state_report(Claim { device, epoch }, report).await.expect("writes");
    }

    /// Size of each device as an asset, and whether it is gone.
    async fn device_assets(&self) -> Vec<(String, u64, bool)> {
        let scope = AgentlessAssetScope { location: Some(DEVICES), ..Default::default() };
        let assets = self.store.agentless_assets_list(scope, String::new(), 10).await.expect("reads");
        let brief = |asset: AgentlessAsset| {
            assert_eq!((&asset.name, asset.target_type), (&asset.instance_id, 1));
            (asset.instance_id, asset.size_bytes, asset.is_gone)
        };
        assets.into_iter().map(brief).collect()
    }
}

pub async fn the_location_of_devices_is_always_there(f: &Fixture) {
    let get = async || f.store.agentless_location_get(DEVICES).await.expect("reads").expect("is there");
    let before = get().await;
    assert_eq!((before.name.as_str(), before.target_type), ("device snapshots", 1));
    assert_eq!(before.address, [0x22, 0], "an address without a folder");
    assert!(before.trouble.contains("--device-snapshots"), "{}", before.trouble);
    assert!(!f.store.agentless_location_delete(DEVICES).await.expect("reads"));
    assert_eq!(f.store.agentless_locations_due(at(9), 10).await.expect("reads"), []);
    for _ in 0..2 {
        f.store.agentless_snapshot_folder_set(vec![0x22, 3, 1]).await.expect("writes");
        let after = get().await;
        assert_eq!((after.address.as_slice(), after.trouble.as_str()), ([0x22, 3, 1].as_slice(), ""));
    }
}

pub async fn a_device_that_can_take_snapshots_is_an_asset(f: &Fixture) {
    let device = f.member(ALL).await;
    let id = instance_id(device);
    let epoch = f.store.device_connected(device, String::new(), at(1)).await.expect("writes");
    let epoch = epoch.expect("exists");
    f.tell(device, epoch, 2, None).await;
    assert_eq!(f.device_assets().await, []);
    f.tell(device, epoch, 3, Some(7)).await;
    assert_eq!(f.device_assets().await, [(id.clone(), 7, false)], "the same state is news by that alone");
    let state = f.store.device_state_get(device).await.expect("reads").expect("is there");
    assert_eq!((state.report_time, state.snapshot_bytes), (at(3), Some(7)));
    f.tell(device, epoch, 4, Some(7)).await;
    let state = f.store.device_state_get(device).await.expect("reads").expect("is there");
    assert_eq!(state.report_time, at(3), "that was no news");
    f.tell(device, epoch, 5, None).await;
    assert_eq!(f.device_assets().await, [(id.clone(), 7, true)]);
    f.tell(device, epoch, 6, Some(u64::MAX)).await;
    assert_eq!(f.device_assets().await, [(id.clone(), i64::MAX.unsigned_abs(), false)]);

    f.store.device_retire(device, RunId(f.id()), at(7)).await.expect("writes");
    assert_eq!(f.device_assets().await, [(id, i64::MAX.unsigned_abs(), true)], "nobody manages it");
    f.tell(device, epoch, 8, Some(8)).await;
    assert!(f.device_assets().await[0].2, "over a connection that does not count");

    let group = f.group(ALL).await;
    let device = f.member(group).await;
    let epoch = f.store.device_connected(device, String::new(), at(1)).await.expect("writes");
    f.tell(device, epoch.expect("exists"), 9, Some(9)).await;
    assert_eq!(f.device_assets().await[1], (instance_id(device), 9, false));
    f.store.group_delete(group, at(10)).await.expect("writes").expect("was there");
    assert_eq!(f.device_assets().await[1], (instance_id(device), 9, true), "it is deleted");
}

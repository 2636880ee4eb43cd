use guardhouse_model::{
    DeviceId, GroupId,
    dynamic_groups::{Address, AttributeFacts, Folded},
    groups::{ALL, LOST_AND_FOUND},
};
use guardhouse_store::{
    Device, DeviceCondition, DeviceFilter, DevicePage, DevicePageFilter, DeviceReport, NewDevice, PageNumber,
};

use crate::support::{Fixture, at};

async fn list(f: &Fixture, filter: DeviceFilter) -> Vec<DeviceId> {
    let devices = f.store.devices_list(filter, None, 100).await.expect("reads");
    devices.iter().map(|device| device.id).collect()
}

pub async fn import_is_listed_in_order_of_ids(f: &Fixture) {
    let devices: Vec<Device> = ["a", "b", "c"].into_iter().map(|name| f.device(name)).collect();
    let backwards = devices.iter().rev().cloned().collect();
    f.store.devices_import(ALL, backwards).await.expect("writes").expect("the group exists");

    let first = f.store.devices_list(DeviceFilter::default(), None, 2).await.expect("reads");
    assert_eq!(first, devices[..2]);
    let rest = f.store.devices_list(DeviceFilter::default(), Some(first[1].id), 2).await.expect("reads");
    assert_eq!(rest, devices[2..]);
}

pub async fn import_into_an_unknown_group_adds_nothing(f: &Fixture) {
    let unknown = GroupId(f.id());
    let device = Device { group: unknown, ..f.device("a") };
    assert_eq!(f.store.devices_import(unknown, vec![device]).await.expect("works"), None);
    assert!(list(f, DeviceFilter::default()).await.is_empty());
}

pub async fn filters_are_joined_by_and(f: &Fixture) {
    let devices = vec![
        Device { functionality_status: 1, ..f.device("a") },
        Device { functionality_status: 1, is_muted: true, ..f.device("a") },
        Device { functionality_status: 3, is_muted: true, ..f.device("b") },
    ];
    let ids: Vec<_> = devices.iter().map(|device| device.id).collect();
    f.store.devices_import(ALL, devices).await.expect("writes");

    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let table = [
        (DeviceFilter::default(), vec![0, 1, 2]),
        (DeviceFilter { display_names: names(&["a"]), ..Default::default() }, vec![0, 1]),
        (DeviceFilter { display_names: names(&["a", "b", "x"]), ..Default::default() }, vec![0, 1, 2]),
        (DeviceFilter { display_names: names(&["A"]), ..Default::default() }, vec![]),
        (DeviceFilter { is_muted: Some(true), ..Default::default() }, vec![1, 2]),
        (DeviceFilter { is_muted: Some(false), ..Default::default() }, vec![0]),
        (DeviceFilter { functionality_status: Some(1), ..Default::default() }, vec![0, 1]),
        (
            DeviceFilter {
                display_names: names(&["a"]),
                functionality_status: Some(1),
                is_muted: Some(true),
            },
            vec![1],
        ),
    ];
    for (filter, expected) in table {
        let expected: Vec<_> = expected.into_iter().map(|index: usize| ids[index]).collect();
        assert_eq!(list(f, filter.clone()).await, expected, "{filter:?}");
    }
}

pub async fn get_many_keeps_the_order_asked_for(f: &Fixture) {
    let (a, b) = (f.member(ALL).await, f.member(ALL).await);
    let unknown = DeviceId(f.id());
    let found = f.store.devices_get_many(vec![b, unknown, a, b]).await.expect("reads");
    let found: Vec<_> = found.into_iter().map(|device| device.map(|device| device.id)).collect();
    assert_eq!(found, [Some(b), None, Some(a), Some(b)]);
}

pub async fn move_and_rename_raise_the_version_only_when_they_change_something(f: &Fixture) {
    let id = f.member(ALL).await;
    let moved =
        f.store.device_move(id, LOST_AND_FOUND, at(0)).await.expect("writes").flatten().expect("moved");
    assert_eq!((moved.group, moved.version), (LOST_AND_FOUND, 2));
    let again =
        f.store.device_move(id, LOST_AND_FOUND, at(0)).await.expect("writes").flatten().expect("is there");
    assert_eq!(again.version, 2);
    assert_eq!(
        f.store.device_move(id, GroupId(f.id()), at(0)).await.expect("works"),
        Some(None),
        "no such group"
    );
    assert_eq!(
        f.store.device_move(DeviceId(f.id()), ALL, at(0)).await.expect("works"),
        None,
        "no such device"
    );

    let renamed = f.store.device_rename(id, "new".to_owned(), at(0)).await.expect("writes").expect("renamed");
    assert_eq!((renamed.display_name.as_str(), renamed.version), ("new", 3));
    assert_eq!(f.store.device_rename(DeviceId(f.id()), "new".to_owned(), at(0)).await.expect("works"), None);
}

pub async fn reports_replace_what_is_known_and_repeat_without_a_change(f: &Fixture) {
    let id = f.member(ALL).await;
    let report =
        || DeviceReport { host_name: "host".to_owned(), attributes: vec![9], facts: f.facts("host") };
    assert!(f.store.device_reported(id, report()).await.expect("writes"));
    assert!(f.store.device_reported(id, report()).await.expect("works"));
    let device = f.store.device_get(id).await.expect("reads").expect("is there");
    assert_eq!(
        (device.original_display_name.as_str(), device.attributes, device.version),
        ("host", vec![9], 2)
    );
    assert!(!f.store.device_reported(DeviceId(f.id()), report()).await.expect("works"), "no such device");
}

pub async fn connections_count_upwards(f: &Fixture) {
    let id = f.member(ALL).await;
    let connect = |id, second| f.store.device_connected(id, "192.0.2.1".to_owned(), at(second));
    assert_eq!(connect(id, 5).await.expect("writes"), Some(1));
    assert_eq!(connect(id, 6).await.expect("writes"), Some(2));
    assert_eq!(connect(DeviceId(f.id()), 6).await.expect("works"), None, "no such device");

    f.store.devices_seen(vec![id], at(60)).await.expect("writes");
    let device = f.store.device_get(id).await.expect("reads").expect("is there");
    assert_eq!((device.last_sync_time, device.public_ip_address.as_str()), (Some(at(60)), "192.0.2.1"));
    assert_eq!(device.version, 2, "the first address is a change; being seen is none");
}

pub async fn pages_say_how_many_devices_fulfil_their_conditions(f: &Fixture) {
    let facts = |system: &str, family, address: &str| AttributeFacts {
        operating_system: Folded::new(system),
        operating_system_family: family,
        primary_address: Address::new(address),
        ..AttributeFacts::default()
    };
    let named = |name: &str, own: &str| Device { original_display_name: own.to_owned(), ..f.device(name) };
    let devices = vec![
        NewDevice { device: named("Web-1", "host"), facts: facts("Debian 13", 2, "10.0.0.1") },
        NewDevice {
            device: Device { public_ip_address: "192.0.2.1".to_owned(), ..named("db_1", "WEB-ÄLT") },
            facts: facts("Windows Server", 1, "10.0.0.2"),
        },
        f.device("new").into(),
    ];
    let ids: Vec<_> = devices.iter().map(|new| new.device.id).collect();
    f.store.devices_import(ALL, devices).await.expect("writes");

    let numbered = |skip, size| DevicePage::Numbered(PageNumber { skip, size });
    let one = |condition| DevicePageFilter { conditions: vec![condition], needs_all: false };
    let name = |part| DeviceCondition::Named(Folded::new(part));
    let own = |address| DeviceCondition::OwnAddress(Address::new(address));
    let both =
        |needs_all| DevicePageFilter { conditions: vec![name("web"), DeviceCondition::Family(1)], needs_all };
    let all = numbered(0, 10);
    for (filter, page, expected, total) in [
        (DevicePageFilter::default(), all, vec![0, 1, 2], 3),
        (DevicePageFilter::default(), numbered(1, 1), vec![1], 3),
        (DevicePageFilter::default(), numbered(9, 1), vec![], 3),
        (DevicePageFilter::default(), DevicePage::After(None, 2), vec![0, 1], 3),
        (DevicePageFilter::default(), DevicePage::After(Some(ids[1]), 2), vec![2], 3),
        (one(name("wEb-ä")), all, vec![1], 1),
        (one(name("_")), all, vec![1], 1),
        (one(DeviceCondition::Is(ids[2])), all, vec![2], 1),
        (one(DeviceCondition::Is(DeviceId(f.id()))), all, vec![], 0),
        (one(DeviceCondition::PublicAddress("192.0.2.1".to_owned())), all, vec![1], 1),
        (one(own("10.0.0.1")), all, vec![0], 1),
        (one(own("not an address")), all, vec![], 0),
        (one(DeviceCondition::System(Folded::new("WINDOWS"))), all, vec![1], 1),
        (one(DeviceCondition::Never), all, vec![], 0),
        (both(true), all, vec![1], 1),
        (both(false), all, vec![0, 1], 2),
        (both(false), DevicePage::After(Some(ids[0]), 10), vec![1], 2),
    ] {
        let found = f.store.devices_page(filter.clone(), page).await.expect("reads");
        let rows: Vec<_> = found.rows.iter().map(|device| device.id).collect();
        let expected: Vec<_> = expected.into_iter().map(|place: usize| ids[place]).collect();
        assert_eq!((rows, found.total), (expected, total), "{filter:?} {page:?}");
    }
}

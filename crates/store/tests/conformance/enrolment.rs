use guardhouse_model::{
    DeviceId, GroupId,
    dynamic_groups::AttributeFacts,
    groups::{ALL, LOST_AND_FOUND},
    machines::Machine,
};
use guardhouse_store::{Device, EnrolDevice, EnrolOutcome, Group, GroupMove, NewEnrolmentToken};
use uuid::Uuid;

use crate::support::{Fixture, at};

/// `DeviceEnrollmentStatus`.
const FINISHED: i32 = 2;
/// `DeviceFunctionalityStatus`.
const OK: i32 = 1;

pub const GROUP: GroupId = GroupId(Uuid::from_u128(0x77));

/// Adds a group and an enrolment token for it: two uses, expires at second 100.
pub async fn prepare(f: &Fixture) {
    let group = Group {
        id: GROUP,
        parent: Some(ALL),
        display_name: "Laptops".to_owned(),
        description: String::new(),
        external_reference: String::new(),
        external_type: 0,
        is_dynamic: false,
        version: 1,
    };
    assert!(matches!(f.store.group_create(group).await.expect("writes"), GroupMove::Done(_)));
    assert!(f.store.enrolment_token_create(token(1, GROUP)).await.expect("writes"));
}

pub fn token(number: u8, group: GroupId) -> NewEnrolmentToken {
    NewEnrolmentToken {
        id: [number; 8],
        secret_digest: [number; 32],
        group,
        uses: 2,
        expire_time: at(100),
        question: None,
    }
}

/// A host that redeems token 1 at second 50.
pub fn host(name: &str, key: u8) -> EnrolDevice {
    EnrolDevice {
        token_id: [1; 8],
        secret_digest: [1; 32],
        key_digest: [key; 32],
        new_id: DeviceId(Uuid::from_u128(0x1000 + u128::from(key))),
        machine: Machine::default(),
        question_id: Uuid::from_u128(0x3000 + u128::from(key)),
        host_name: name.to_owned(),
        attributes: vec![key],
        facts: AttributeFacts::default(),
        public_ip_address: "192.0.2.7".to_owned(),
        now: at(50),
    }
}

pub async fn enrol(f: &Fixture, host: EnrolDevice) -> EnrolOutcome {
    f.store.device_enrol(host).await.expect("writes")
}

fn placeholder(number: u128, name: &str) -> Device {
    Device {
        description: "imported".to_owned(),
        is_muted: true,
        attributes: vec![0xaa],
        ..Device::placeholder(DeviceId(Uuid::from_u128(number)), LOST_AND_FOUND, name.to_owned())
    }
}

pub async fn a_new_host_becomes_a_device_in_the_group_of_the_token(f: &Fixture) {
    prepare(f).await;
    let new = host("alpha", 5);
    let id = new.new_id;
    assert_eq!(enrol(f, new).await, EnrolOutcome::Enrolled(id));
    let device = f.store.device_get(id).await.expect("reads").expect("is there");
    let expected = Device {
        id,
        group: GROUP,
        display_name: "alpha".to_owned(),
        original_display_name: "alpha".to_owned(),
        description: String::new(),
        enrolment_status: FINISHED,
        functionality_status: OK,
        problem_count: 0,
        is_muted: false,
        last_sync_time: Some(at(50)),
        public_ip_address: "192.0.2.7".to_owned(),
        device_token: "05".repeat(32),
        attributes: vec![5],
        version: 1,
    };
    assert_eq!(device, expected);
    let members = f.store.group_members_list(GROUP, false, None, 10).await.expect("reads");
    assert_eq!(members.map(|(total, _)| total), Some(1), "it is counted");
    assert_eq!(f.store.device_of_key([5; 32]).await.expect("reads"), Some(id));
    assert_eq!(f.store.device_of_key([6; 32]).await.expect("reads"), None);
}

pub async fn a_host_claims_the_first_placeholder_of_its_name_and_only_once(f: &Fixture) {
    prepare(f).await;
    let (first, second) = (placeholder(0x20, "ALPHA"), placeholder(0x21, "alpha"));
    let imported = f.store.devices_import(LOST_AND_FOUND, vec![second, first.clone()]).await.expect("writes");
    assert_eq!(imported.map(|devices| devices.len()), Some(2));

    assert_eq!(enrol(f, host("Alpha", 5)).await, EnrolOutcome::Enrolled(first.id));
    let device = f.store.device_get(first.id).await.expect("reads").expect("is there");
    let expected = Device {
        original_display_name: "Alpha".to_owned(),
        enrolment_status: FINISHED,
        functionality_status: OK,
        last_sync_time: Some(at(50)),
        public_ip_address: "192.0.2.7".to_owned(),
        device_token: "05".repeat(32),
        version: first.version + 1,
        ..first
    };
    assert_eq!(device, expected, "group, display name, description, mute and attributes stay");

    let next = DeviceId(Uuid::from_u128(0x21));
    assert_eq!(enrol(f, host("Alpha", 6)).await, EnrolOutcome::Enrolled(next), "the other one");
}

pub async fn the_same_key_and_token_are_the_same_device_at_any_time(f: &Fixture) {
    prepare(f).await;
    let first = host("alpha", 5);
    let outcome = EnrolOutcome::Enrolled(first.new_id);
    assert_eq!(enrol(f, first.clone()).await, outcome);
    let again = EnrolDevice { new_id: DeviceId(Uuid::from_u128(0x9999)), ..first };
    assert_eq!(enrol(f, again.clone()).await, outcome, "the answer was lost");
    // That spent no second use.
    assert_eq!(enrol(f, host("beta", 6)).await, EnrolOutcome::Enrolled(host("beta", 6).new_id));
    assert_eq!(enrol(f, host("gamma", 7)).await, EnrolOutcome::UsedUp);
    assert_eq!(enrol(f, EnrolDevice { now: at(500), ..again }).await, outcome, "used up and expired");
}

pub async fn the_same_key_with_another_token_is_the_same_device_and_spends_a_use(f: &Fixture) {
    prepare(f).await;
    assert!(f.store.enrolment_token_create(token(2, GROUP)).await.expect("writes"));
    let first = host("alpha", 5);
    let outcome = EnrolOutcome::Enrolled(first.new_id);
    assert_eq!(enrol(f, first.clone()).await, outcome);
    let by_second = |host: EnrolDevice| EnrolDevice { token_id: [2; 8], secret_digest: [2; 32], ..host };
    assert_eq!(enrol(f, by_second(first)).await, outcome);
    assert_eq!(enrol(f, by_second(host("beta", 6))).await, EnrolOutcome::Enrolled(host("", 6).new_id));
    assert_eq!(enrol(f, by_second(host("gamma", 7))).await, EnrolOutcome::UsedUp);
}

pub async fn tokens_are_refused_for_what_is_wrong_with_them(f: &Fixture) {
    prepare(f).await;
    let new = host("alpha", 5);
    let table = [
        ("id", EnrolDevice { token_id: [9; 8], ..new.clone() }, EnrolOutcome::UnknownToken),
        ("secret", EnrolDevice { secret_digest: [9; 32], ..new.clone() }, EnrolOutcome::UnknownToken),
        ("late", EnrolDevice { now: at(101), ..new.clone() }, EnrolOutcome::Expired),
        ("last moment", EnrolDevice { now: at(100), ..new.clone() }, EnrolOutcome::Enrolled(new.new_id)),
        ("secret, key known", EnrolDevice { secret_digest: [9; 32], ..new }, EnrolOutcome::UnknownToken),
    ];
    for (case, host, outcome) in table {
        assert_eq!(enrol(f, host).await, outcome, "{case}");
    }
}

pub async fn a_token_needs_a_group_and_outlives_it(f: &Fixture) {
    prepare(f).await;
    let missing = GroupId(Uuid::from_u128(0x78));
    assert!(!f.store.enrolment_token_create(token(3, missing)).await.expect("writes"));
    let by_third = EnrolDevice { token_id: [3; 8], secret_digest: [3; 32], ..host("alpha", 5) };
    assert_eq!(enrol(f, by_third).await, EnrolOutcome::UnknownToken, "it was not kept");

    f.store.group_delete(GROUP, at(9)).await.expect("writes");
    let new = host("alpha", 5);
    assert_eq!(enrol(f, new.clone()).await, EnrolOutcome::Enrolled(new.new_id));
    let device = f.store.device_get(new.new_id).await.expect("reads").expect("is there");
    assert_eq!(device.group, LOST_AND_FOUND);
}

pub async fn the_key_of_a_deleted_device_counts_no_more(f: &Fixture) {
    prepare(f).await;
    let first = host("alpha", 5);
    assert_eq!(enrol(f, first.clone()).await, EnrolOutcome::Enrolled(first.new_id));
    f.store.group_delete(GROUP, at(9)).await.expect("writes");
    assert_eq!(f.store.device_of_key([5; 32]).await.expect("reads"), None);
    // With a use left, the host may come back, as another device.
    let second = EnrolDevice { new_id: DeviceId(Uuid::from_u128(0x2000)), ..first };
    assert_eq!(enrol(f, second.clone()).await, EnrolOutcome::Enrolled(second.new_id));
}

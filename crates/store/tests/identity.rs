//! Accounts, refresh tokens, keys and enrolment, on a database file.

use guardhouse_model::{
    DeviceId, GroupId, Timestamp,
    groups::{ALL, LOST_AND_FOUND},
};
use guardhouse_store::{
    AccountRecord, Device, EnrolDevice, EnrolOutcome, Group, GroupMove, KeyRecord, NewEnrolmentToken,
    NewRefreshToken, RefreshOutcome, Store,
};
use tempfile::TempDir;
use uuid::Uuid;

const PENDING: i32 = 1;
const FINISHED: i32 = 2;
const OK: i32 = 1;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    (folder, store)
}

/// `second` seconds after an arbitrary start.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("in range")
}

fn account(number: u128, name: &str) -> AccountRecord {
    AccountRecord {
        uuid: Uuid::from_u128(number),
        name: name.to_owned(),
        password_hash: "$argon2id$…".to_owned(),
        access: 2,
    }
}

#[tokio::test]
async fn account_names_are_unique() {
    let (_folder, store) = open();
    assert!(store.account_add(account(1, "ada"), at(0)).await.expect("writes"));
    assert!(!store.account_add(account(2, "ada"), at(0)).await.expect("writes"), "taken");
    assert!(store.account_add(account(3, "Ada"), at(0)).await.expect("writes"), "another name");
    let find = |name: &str| store.account_find(name.to_owned());
    assert_eq!(find("ada").await.expect("reads"), Some(account(1, "ada")));
    assert_eq!(find("bob").await.expect("reads"), None);
    assert_eq!(store.account_get(Uuid::from_u128(3)).await.expect("reads"), Some(account(3, "Ada")));
    assert_eq!(store.account_get(Uuid::from_u128(2)).await.expect("reads"), None);
}

fn refresh_token(number: u8, expire_second: i64) -> NewRefreshToken {
    NewRefreshToken { digest: [number; 32], expire_time: at(expire_second) }
}

#[tokio::test]
async fn a_new_password_and_a_removal_end_the_sessions_of_the_account_alone() {
    let (_folder, store) = open();
    for (number, name) in [(1, "ada"), (2, "bob")] {
        store.account_add(account(number, name), at(0)).await.expect("writes");
        let token = refresh_token(u8::try_from(number).expect("small"), 50);
        let (family, owner) = (Uuid::from_u128(10 + number), Uuid::from_u128(number));
        assert!(store.refresh_token_add(token, family, owner, at(0)).await.expect("writes"));
    }
    assert!(store.account_set_password("ada".to_owned(), "other".to_owned()).await.expect("writes"));
    assert_eq!(rotate(&store, 1, 3, 1).await, RefreshOutcome::Unknown);
    let names = |accounts: Vec<AccountRecord>| accounts.into_iter().map(|a| a.name).collect::<Vec<_>>();
    assert_eq!(names(store.accounts_list().await.expect("reads")), ["ada", "bob"]);
    let changed = store.account_find("ada".to_owned()).await.expect("reads").expect("is there");
    assert_eq!(changed.password_hash, "other");

    assert!(store.account_remove("ada".to_owned()).await.expect("writes"));
    assert!(!store.account_remove("ada".to_owned()).await.expect("works"), "it is gone already");
    assert!(!store.account_set_password("ada".to_owned(), "x".to_owned()).await.expect("works"));
    assert_eq!(names(store.accounts_list().await.expect("reads")), ["bob"]);
    assert!(matches!(rotate(&store, 2, 4, 1).await, RefreshOutcome::Rotated(bob) if bob.name == "bob"));
}

/// Exchanges token `from` for token `to` at `second`.
async fn rotate(store: &Store, from: u8, to: u8, second: i64) -> RefreshOutcome {
    store.refresh_token_rotate([from; 32], refresh_token(to, 100), at(second)).await.expect("writes")
}

#[tokio::test]
async fn a_refresh_token_is_good_for_one_exchange() {
    let (_folder, store) = open();
    let ada = account(1, "ada");
    assert!(store.account_add(ada.clone(), at(0)).await.expect("writes"));
    for (number, family) in [(1, 10), (11, 11)] {
        let token = refresh_token(number, 100);
        let family = Uuid::from_u128(family);
        assert!(store.refresh_token_add(token, family, ada.uuid, at(0)).await.expect("writes"));
    }
    let nobody =
        store.refresh_token_add(refresh_token(99, 100), Uuid::from_u128(12), Uuid::from_u128(9), at(0)).await;
    assert!(!nobody.expect("writes"), "no such account");

    assert_eq!(rotate(&store, 1, 2, 1).await, RefreshOutcome::Rotated(ada.clone()));
    assert_eq!(rotate(&store, 2, 3, 2).await, RefreshOutcome::Rotated(ada.clone()));
    assert_eq!(rotate(&store, 1, 4, 3).await, RefreshOutcome::Reused);
    for gone in [1, 2, 3, 4] {
        assert_eq!(rotate(&store, gone, 5, 4).await, RefreshOutcome::Unknown, "token {gone} of the family");
    }
    assert_eq!(rotate(&store, 11, 12, 4).await, RefreshOutcome::Rotated(ada), "another family stays");
}

#[tokio::test]
async fn expired_refresh_tokens_are_refused_and_swept_a_hundred_at_a_time() {
    let (_folder, store) = open();
    let ada = account(1, "ada");
    assert!(store.account_add(ada.clone(), at(0)).await.expect("writes"));
    // The first expires first.
    for number in 0..150_u8 {
        let token = refresh_token(number, 10 + i64::from(number));
        let family = Uuid::from_u128(number.into());
        assert!(store.refresh_token_add(token, family, ada.uuid, at(0)).await.expect("writes"));
    }
    assert_eq!(rotate(&store, 0, 200, 9).await, RefreshOutcome::Rotated(ada.clone()), "its last second");
    assert_eq!(rotate(&store, 1, 201, 11).await, RefreshOutcome::Expired);

    let late = NewRefreshToken { digest: [250; 32], expire_time: at(2000) };
    assert!(store.refresh_token_add(late, Uuid::from_u128(250), ada.uuid, at(1000)).await.expect("writes"));
    // 150 and the successor 200 (which expired between 90 and 91) were there; the oldest hundred are gone.
    for (number, outcome) in [
        (1, RefreshOutcome::Unknown),
        (98, RefreshOutcome::Unknown),
        (99, RefreshOutcome::Expired),
        (149, RefreshOutcome::Expired),
    ] {
        assert_eq!(rotate(&store, number, 251, 1000).await, outcome, "token {number}");
    }
}

#[tokio::test]
async fn the_first_key_of_a_name_stays() {
    let (folder, store) = open();
    let key = |byte: u8| KeyRecord { secret: vec![byte], certificate: Some(vec![byte, byte]) };
    assert_eq!(store.key_get("authority").await.expect("reads"), None);

    let other_process = Store::open(folder.path()).expect("opens");
    let (first, second) = tokio::join!(
        store.key_settle("authority", key(1), at(0)),
        other_process.key_settle("authority", key(2), at(0)),
    );
    let settled = first.expect("writes");
    assert_eq!(second.expect("writes"), settled, "both go on with the same key");
    assert_eq!(store.key_get("authority").await.expect("reads"), Some(settled));

    let plain = KeyRecord { secret: vec![3], certificate: None };
    assert_eq!(store.key_settle("token-signing", plain.clone(), at(0)).await.expect("writes"), plain);
    assert_eq!(format!("{plain:?}"), "KeyRecord(…)", "secrets stay out of logs");
}

const GROUP: GroupId = GroupId(Uuid::from_u128(0x77));

/// A store with a group and an enrolment token for it: two uses, expires at second 100.
async fn open_with_token() -> (TempDir, Store) {
    let (folder, store) = open();
    let group = Group {
        id: GROUP,
        parent: Some(ALL),
        display_name: "Laptops".to_owned(),
        description: String::new(),
        external_reference: String::new(),
        external_type: 0,
        version: 1,
    };
    assert!(matches!(store.group_create(group).await.expect("writes"), GroupMove::Done(_)));
    assert!(store.enrolment_token_create(token(1, GROUP)).await.expect("writes"));
    (folder, store)
}

fn token(number: u8, group: GroupId) -> NewEnrolmentToken {
    NewEnrolmentToken { id: [number; 8], secret_digest: [number; 32], group, uses: 2, expire_time: at(100) }
}

/// A host that redeems token 1 at second 50.
fn host(name: &str, key: u8) -> EnrolDevice {
    EnrolDevice {
        token_id: [1; 8],
        secret_digest: [1; 32],
        key_digest: [key; 32],
        new_id: DeviceId(Uuid::from_u128(0x1000 + u128::from(key))),
        host_name: name.to_owned(),
        attributes: vec![key],
        public_ip_address: "192.0.2.7".to_owned(),
        now: at(50),
    }
}

async fn enrol(store: &Store, host: EnrolDevice) -> EnrolOutcome {
    store.device_enrol(host).await.expect("writes")
}

fn placeholder(number: u128, name: &str) -> Device {
    Device {
        id: DeviceId(Uuid::from_u128(number)),
        group: LOST_AND_FOUND,
        display_name: name.to_owned(),
        original_display_name: String::new(),
        description: "imported".to_owned(),
        enrolment_status: PENDING,
        functionality_status: 0,
        problem_count: 0,
        is_muted: true,
        last_sync_time: None,
        public_ip_address: String::new(),
        device_token: String::new(),
        attributes: vec![0xaa],
        version: 1,
    }
}

#[tokio::test]
async fn a_new_host_becomes_a_device_in_the_group_of_the_token() {
    let (_folder, store) = open_with_token().await;
    let new = host("alpha", 5);
    let id = new.new_id;
    assert_eq!(enrol(&store, new).await, EnrolOutcome::Enrolled(id));
    let device = store.device_get(id).await.expect("reads").expect("is there");
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
    let members = store.group_members_list(GROUP, false, None, 10).await.expect("reads");
    assert_eq!(members.map(|(total, _)| total), Some(1), "it is counted");
    assert_eq!(store.device_of_key([5; 32]).await.expect("reads"), Some(id));
    assert_eq!(store.device_of_key([6; 32]).await.expect("reads"), None);
}

#[tokio::test]
async fn a_host_claims_the_first_placeholder_of_its_name_and_only_once() {
    let (_folder, store) = open_with_token().await;
    let (first, second) = (placeholder(0x20, "ALPHA"), placeholder(0x21, "alpha"));
    let imported = store.devices_import(LOST_AND_FOUND, vec![second, first.clone()]).await.expect("writes");
    assert_eq!(imported.map(|devices| devices.len()), Some(2));

    assert_eq!(enrol(&store, host("Alpha", 5)).await, EnrolOutcome::Enrolled(first.id));
    let device = store.device_get(first.id).await.expect("reads").expect("is there");
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
    assert_eq!(enrol(&store, host("Alpha", 6)).await, EnrolOutcome::Enrolled(next), "the other one");
}

#[tokio::test]
async fn the_same_key_and_token_are_the_same_device_at_any_time() {
    let (_folder, store) = open_with_token().await;
    let first = host("alpha", 5);
    let outcome = EnrolOutcome::Enrolled(first.new_id);
    assert_eq!(enrol(&store, first.clone()).await, outcome);
    let again = EnrolDevice { new_id: DeviceId(Uuid::from_u128(0x9999)), ..first };
    assert_eq!(enrol(&store, again.clone()).await, outcome, "the answer was lost");
    // That spent no second use.
    assert_eq!(enrol(&store, host("beta", 6)).await, EnrolOutcome::Enrolled(host("beta", 6).new_id));
    assert_eq!(enrol(&store, host("gamma", 7)).await, EnrolOutcome::UsedUp);
    assert_eq!(enrol(&store, EnrolDevice { now: at(500), ..again }).await, outcome, "used up and expired");
}

#[tokio::test]
async fn the_same_key_with_another_token_is_the_same_device_and_spends_a_use() {
    let (_folder, store) = open_with_token().await;
    assert!(store.enrolment_token_create(token(2, GROUP)).await.expect("writes"));
    let first = host("alpha", 5);
    let outcome = EnrolOutcome::Enrolled(first.new_id);
    assert_eq!(enrol(&store, first.clone()).await, outcome);
    let by_second = |host: EnrolDevice| EnrolDevice { token_id: [2; 8], secret_digest: [2; 32], ..host };
    assert_eq!(enrol(&store, by_second(first)).await, outcome);
    assert_eq!(enrol(&store, by_second(host("beta", 6))).await, EnrolOutcome::Enrolled(host("", 6).new_id));
    assert_eq!(enrol(&store, by_second(host("gamma", 7))).await, EnrolOutcome::UsedUp);
}

#[tokio::test]
async fn tokens_are_refused_for_what_is_wrong_with_them() {
    let (_folder, store) = open_with_token().await;
    let new = host("alpha", 5);
    let table = [
        ("id", EnrolDevice { token_id: [9; 8], ..new.clone() }, EnrolOutcome::UnknownToken),
        ("secret", EnrolDevice { secret_digest: [9; 32], ..new.clone() }, EnrolOutcome::UnknownToken),
        ("late", EnrolDevice { now: at(101), ..new.clone() }, EnrolOutcome::Expired),
        ("last moment", EnrolDevice { now: at(100), ..new.clone() }, EnrolOutcome::Enrolled(new.new_id)),
        ("secret, key known", EnrolDevice { secret_digest: [9; 32], ..new }, EnrolOutcome::UnknownToken),
    ];
    for (case, host, outcome) in table {
        assert_eq!(enrol(&store, host).await, outcome, "{case}");
    }
}

#[tokio::test]
async fn a_token_needs_a_group_and_outlives_it() {
    let (_folder, store) = open_with_token().await;
    let missing = GroupId(Uuid::from_u128(0x78));
    assert!(!store.enrolment_token_create(token(3, missing)).await.expect("writes"));
    let by_third = EnrolDevice { token_id: [3; 8], secret_digest: [3; 32], ..host("alpha", 5) };
    assert_eq!(enrol(&store, by_third).await, EnrolOutcome::UnknownToken, "it was not kept");

    store.group_delete(GROUP).await.expect("writes");
    let new = host("alpha", 5);
    assert_eq!(enrol(&store, new.clone()).await, EnrolOutcome::Enrolled(new.new_id));
    let device = store.device_get(new.new_id).await.expect("reads").expect("is there");
    assert_eq!(device.group, LOST_AND_FOUND);
}

#[tokio::test]
async fn the_key_of_a_deleted_device_counts_no_more() {
    let (_folder, store) = open_with_token().await;
    let first = host("alpha", 5);
    assert_eq!(enrol(&store, first.clone()).await, EnrolOutcome::Enrolled(first.new_id));
    store.group_delete(GROUP).await.expect("writes");
    assert_eq!(store.device_of_key([5; 32]).await.expect("reads"), None);
    // With a use left, the host may come back, as another device.
    let second = EnrolDevice { new_id: DeviceId(Uuid::from_u128(0x2000)), ..first };
    assert_eq!(enrol(&store, second.clone()).await, EnrolOutcome::Enrolled(second.new_id));
}

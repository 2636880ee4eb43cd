use guardhouse_store::{AccessKeyRecord, Lease, NewAccessKey, SignedRequest, Store, StoreError, Temporary};
use uuid::Uuid;

use crate::{
    accounts::account,
    support::{Fixture, at},
};

pub fn access_key(id: &str, owner: u128) -> NewAccessKey {
    NewAccessKey {
        id: id.to_owned(),
        account: Uuid::from_u128(owner),
        sealed_secret: vec![1, 2, 3],
        description: "for büro-1".to_owned(),
        temporary: None,
    }
}

fn temporary(id: &str, owner: u128, expire: i64) -> NewAccessKey {
    let temporary = Temporary { token_digest: [7; 32], expire_time: at(expire) };
    NewAccessKey { temporary: Some(temporary), ..access_key(id, owner) }
}

async fn add(f: &Fixture, key: NewAccessKey) {
    assert!(f.store.access_key_add(key, at(5)).await.expect("writes"));
}

async fn find(f: &Fixture, id: &str) -> Option<AccessKeyRecord> {
    f.store.access_key_find(id.to_owned()).await.expect("reads")
}

async fn ids(f: &Fixture, owner: Option<u128>, after: Option<&str>, limit: usize) -> Vec<String> {
    let (owner, after) = (owner.map(Uuid::from_u128), after.map(str::to_owned));
    let keys = f.store.access_keys_list(owner, after, limit).await.expect("reads");
    keys.into_iter().map(|key| key.id).collect()
}

fn request(nonce: u8, now: i64) -> SignedRequest {
    SignedRequest {
        access_key: "GHa".to_owned(),
        nonce_digest: [nonce; 32],
        expire_time: at(now + 900),
        now: at(now),
    }
}

async fn accept(f: &Fixture, request: SignedRequest) -> bool {
    f.store.signed_request_accept(request).await.expect("writes")
}

pub async fn an_access_key_is_found_with_its_account(f: &Fixture) {
    let nobody = f.store.access_key_add(access_key("GHa", 1), at(0)).await;
    assert!(!nobody.expect("works"), "no such account");
    assert!(f.store.account_add(account(1, "ada"), at(0)).await.expect("writes"));
    add(f, access_key("GHa", 1)).await;
    add(f, temporary("STS.b", 1, 50)).await;
    let expected = AccessKeyRecord {
        id: "GHa".to_owned(),
        account: account(1, "ada"),
        sealed_secret: vec![1, 2, 3],
        description: "for büro-1".to_owned(),
        is_active: true,
        create_time: at(5),
        use_time: None,
        temporary: None,
    };
    assert_eq!(find(f, "GHa").await, Some(expected.clone()));
    let found = find(f, "STS.b").await.expect("is there");
    assert_eq!(found.temporary, Some(Temporary { token_digest: [7; 32], expire_time: at(50) }));
    for nothing in ["gha", "GHb", "", "GHa\0"] {
        assert_eq!(find(f, nothing).await, None, "{nothing:?}");
    }
    assert!(f.store.account_set_actions("ada".to_owned(), Some(vec![])).await.expect("writes"));
    let found = find(f, "GHa").await.expect("is there");
    assert_eq!(found.account.actions, Some(vec![]), "the account is as it is now");
    let taken = f.store.access_key_add(access_key("GHa", 1), at(6)).await;
    assert!(taken.is_err(), "an id is good for one key");
}

pub async fn access_keys_are_listed_switched_and_removed(f: &Fixture) {
    for (number, name) in [(1, "ada"), (2, "bob")] {
        assert!(f.store.account_add(account(number, name), at(0)).await.expect("writes"));
    }
    for (id, owner) in [("GHc", 1), ("GHa", 1), ("GHb", 2), ("ghd", 1)] {
        add(f, access_key(id, owner)).await;
    }
    assert_eq!(ids(f, None, None, 9).await, ["GHa", "GHb", "GHc", "ghd"]);
    assert_eq!(ids(f, None, Some("GHa"), 2).await, ["GHb", "GHc"]);
    assert_eq!(ids(f, Some(1), None, 2).await, ["GHa", "GHc"]);
    assert_eq!(ids(f, Some(1), Some("GHc"), 2).await, ["ghd"]);
    assert_eq!(ids(f, Some(3), None, 9).await, [""; 0]);

    let set = |id: &str, active| f.store.access_key_set_active(id.to_owned(), active);
    for active in [false, false, true] {
        assert!(set("GHa", active).await.expect("writes"));
        assert_eq!(find(f, "GHa").await.expect("is there").is_active, active);
    }
    assert!(!set("GHx", true).await.expect("works"));

    assert!(f.store.access_key_remove("GHa".to_owned()).await.expect("writes"));
    assert!(!f.store.access_key_remove("GHa".to_owned()).await.expect("works"), "it is gone already");
    assert!(f.store.account_set_password("ada".to_owned(), "x".to_owned()).await.expect("writes"));
    assert_eq!(ids(f, None, None, 9).await, ["GHb", "GHc", "ghd"], "a password does not concern keys");
    assert!(f.store.account_remove("ada".to_owned()).await.expect("writes"));
    assert_eq!(ids(f, None, None, 9).await, ["GHb"], "keys go with their account");
}

pub async fn a_signed_request_is_accepted_once_and_seldom_written_down(f: &Fixture) {
    assert!(f.store.account_add(account(1, "ada"), at(0)).await.expect("writes"));
    add(f, access_key("GHa", 1)).await;
    let step = i64::try_from(Store::ACCESS_KEY_USE_STEP.as_secs()).expect("small");
    let used = async || find(f, "GHa").await.expect("is there").use_time;
    assert!(accept(f, request(1, 10)).await);
    assert_eq!(used().await, Some(at(10)));
    assert!(!accept(f, request(1, 10)).await);
    assert!(!accept(f, request(1, 10 + step)).await, "a request that is refused is no use");
    assert_eq!(used().await, Some(at(10)));
    assert!(accept(f, request(2, 9 + step)).await);
    assert_eq!(used().await, Some(at(10)), "close enough");
    assert!(accept(f, request(3, 10 + step)).await);
    assert_eq!(used().await, Some(at(10 + step)));
    assert!(accept(f, SignedRequest { access_key: "gone".to_owned(), ..request(4, 10) }).await);
}

pub async fn old_nonces_and_temporary_keys_go_in_steps(f: &Fixture) {
    assert!(f.store.account_add(account(1, "ada"), at(0)).await.expect("writes"));
    add(f, access_key("GHa", 1)).await;
    for number in 0..5_u8 {
        assert!(accept(f, request(number, number.into())).await);
        add(f, temporary(&format!("STS.{number}"), 1, number.into())).await;
    }
    let lease = f.lease().await;
    let forget = |lease, second| f.store.request_nonces_expire(lease, at(second), 2);
    let remove = |lease, second| f.store.access_keys_expire(lease, at(second), 2);
    for went in [2, 2, 0] {
        assert_eq!(forget(lease, 904).await.expect("works"), went);
    }
    assert!(accept(f, request(3, 3)).await, "forgotten");
    assert!(!accept(f, request(4, 4)).await, "the last one is as old as that, not older");
    for went in [2, 2, 0] {
        assert_eq!(remove(lease, 4).await.expect("works"), went);
    }
    assert_eq!(ids(f, None, None, 9).await, ["GHa", "STS.4"]);

    let lost = Lease { fence: lease.fence + 1, ..lease };
    for refused in [forget(lost, 2_000).await, remove(lost, 2_000).await] {
        assert!(matches!(refused, Err(StoreError::LeaseLost(_))), "{refused:?}");
    }
    assert_eq!(ids(f, None, None, 9).await, ["GHa", "STS.4"], "nothing was done");
}

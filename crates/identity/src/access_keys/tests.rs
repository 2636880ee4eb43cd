use guardhouse_contract::Access;

use super::*;
use crate::{Accounts, fixture::Fixture};

const HOUR: Duration = Duration::from_secs(3_600);

/// Access keys over a store with the accounts `ada` and `bob`, who may only read.
async fn keys(fixture: &Fixture) -> AccessKeys {
    let accounts = Accounts::new(fixture.store.clone(), fixture.environment.clone());
    for name in ["ada", "bob"] {
        accounts.add(name, "correct horse", Access::Read, None).await.expect("adds");
    }
    AccessKeys::open(fixture.store.clone(), fixture.environment.clone()).await.expect("opens")
}

async fn known(keys: &AccessKeys, id: &str) -> KnownKey {
    keys.find(id).await.expect("reads").expect("is there")
}

#[tokio::test]
async fn a_key_is_known_again_with_its_secret_and_its_account() {
    let fixture = Fixture::new();
    let keys = keys(&fixture).await;
    let created = keys.create("ada", "build server", None).await.expect("creates");
    assert_eq!((created.id.len(), created.secret.len()), (24, 40));
    assert!(created.id.starts_with("GH") && created.id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!((&created.security_token, created.expire_time), (&None, None));
    assert!(!format!("{created:?}").contains(&created.secret), "secrets stay out of logs");

    let found = known(&keys, &created.id).await;
    assert_eq!((found.secret.as_slice(), found.is_active), (created.secret.as_bytes(), true));
    assert_eq!((found.account.name.as_str(), found.account.access), ("ada", Access::Read));
    assert!(!format!("{found:?}").contains(&created.secret), "secrets stay out of logs");
    assert!(keys.find(&created.id.to_ascii_lowercase()).await.expect("reads").is_none());

    let kept = fixture.store.access_key_find(created.id.clone()).await.expect("reads").expect("is there");
    let secret = created.secret.as_bytes();
    assert!(!kept.sealed_secret.windows(secret.len()).any(|window| window == secret));
    let other = keys.create("ada", "", None).await.expect("creates");
    assert!(other.id != created.id && other.secret != created.secret);
}

#[tokio::test]
async fn a_temporary_key_needs_its_token_and_expires() {
    let fixture = Fixture::new();
    let keys = keys(&fixture).await;
    let created = keys.create("ada", "", Some(HOUR)).await.expect("creates");
    let token = created.security_token.as_deref().expect("is temporary");
    assert!(created.id.starts_with("STS.GH"));
    assert_eq!(created.expire_time, Some(fixture.environment.now() + HOUR));
    let found = known(&keys, &created.id).await;
    let check = |key: &KnownKey, token| key.check_token(token, fixture.environment.now());
    assert_eq!(check(&found, Some(token)), Ok(()));
    assert_eq!(check(&found, None), Err(SecurityTokenError::Missing));
    assert_eq!(check(&found, Some("another")), Err(SecurityTokenError::Wrong));
    fixture.clock.advance(3_599);
    assert_eq!(check(&found, Some(token)), Ok(()), "its last second");
    fixture.clock.advance(1);
    assert_eq!(check(&found, Some(token)), Err(SecurityTokenError::Expired));
    assert_eq!(
        check(&found, Some("another")),
        Err(SecurityTokenError::Wrong),
        "nobody learns that it expired"
    );

    let lasting = keys.create("ada", "", None).await.expect("creates");
    let lasting = known(&keys, &lasting.id).await;
    assert_eq!(check(&lasting, None), Ok(()));
    assert_eq!(check(&lasting, Some(token)), Err(SecurityTokenError::Wrong));
}

#[tokio::test]
async fn keys_are_listed_switched_off_and_revoked() {
    let fixture = Fixture::new();
    let keys = keys(&fixture).await;
    let ada = keys.create("ada", "first", None).await.expect("creates").id;
    let bob = keys.create("bob", "", Some(HOUR)).await.expect("creates").id;
    let ids = async |account: Option<&str>| {
        let listed = keys.list(account).await.expect("lists");
        listed.into_iter().map(|key| (key.id, key.account.name)).collect::<Vec<_>>()
    };
    assert_eq!(ids(None).await, [(ada.clone(), "ada".to_owned()), (bob.clone(), "bob".to_owned())]);
    assert_eq!(ids(Some("bob")).await, [(bob.clone(), "bob".to_owned())]);
    assert!(
        matches!(keys.list(Some("eve")).await, Err(AccessKeyError::UnknownAccount(name)) if name == "eve")
    );

    keys.set_active(&ada, false).await.expect("switches");
    assert!(!known(&keys, &ada).await.is_active);
    keys.set_active(&ada, true).await.expect("switches");
    assert!(known(&keys, &ada).await.is_active);

    keys.revoke(&ada).await.expect("revokes");
    for gone in [keys.revoke(&ada).await, keys.set_active(&ada, true).await] {
        assert!(matches!(gone, Err(AccessKeyError::Unknown(id)) if id == ada));
    }
    assert!(keys.find(&ada).await.expect("reads").is_none());

    let accounts = Accounts::new(fixture.store.clone(), fixture.environment.clone());
    accounts.remove("bob").await.expect("removes");
    assert!(keys.find(&bob).await.expect("reads").is_none(), "the keys of an account go with it");
}

#[tokio::test]
async fn a_nonce_is_good_once_for_each_key() {
    let fixture = Fixture::new();
    let keys = keys(&fixture).await;
    let (first, second) = (keys.create("ada", "", None).await, keys.create("ada", "", None).await);
    let first = known(&keys, &first.expect("creates").id).await;
    let second = known(&keys, &second.expect("creates").id).await;
    let until = fixture.environment.now() + HOUR;
    let accept = async |key: &KnownKey, nonce| keys.accept(key, nonce, until).await.expect("writes");
    assert!(accept(&first, "n").await);
    assert!(!accept(&first, "n").await);
    assert!(accept(&first, "N").await);
    assert!(accept(&second, "n").await);
    let used = keys.list(None).await.expect("lists");
    assert!(used.iter().all(|key| key.use_time == Some(fixture.environment.now())), "{used:?}");
}

#[tokio::test]
async fn what_cannot_be_a_key_is_not_created() {
    let fixture = Fixture::new();
    let keys = keys(&fixture).await;
    let create = async |account: &str, description: &str, lifetime| {
        keys.create(account, description, lifetime).await.expect_err("refused").to_string()
    };
    assert_eq!(create("eve", "", None).await, "there is no account \"eve\"");
    for description in ["a\nb", "\u{1b}[2J", &"ä".repeat(256)] {
        assert!(create("ada", description, None).await.contains("255 characters"), "{description:?}");
    }
    for lifetime in [Duration::ZERO, Duration::from_millis(999), Duration::MAX] {
        assert!(create("ada", "", Some(lifetime)).await.contains("at least a second"), "{lifetime:?}");
    }
    keys.create("ada", &"ä".repeat(255), Some(Duration::from_secs(1))).await.expect("just within the limits");
}

use guardhouse_store::{AccountRecord, RefreshOutcome};
use uuid::Uuid;

use crate::{
    refresh_tokens::{refresh_token, rotate},
    support::{Fixture, at},
};

pub fn account(number: u128, name: &str) -> AccountRecord {
    AccountRecord {
        uuid: Uuid::from_u128(number),
        name: name.to_owned(),
        password_hash: "$argon2id$…".to_owned(),
        access: 2,
        actions: None,
    }
}

pub async fn account_names_are_unique(f: &Fixture) {
    assert!(f.store.account_add(account(1, "ada"), at(0)).await.expect("writes"));
    assert!(!f.store.account_add(account(2, "ada"), at(0)).await.expect("writes"), "taken");
    assert!(f.store.account_add(account(3, "Ada"), at(0)).await.expect("writes"), "another name");
    let find = |name: &str| f.store.account_find(name.to_owned());
    assert_eq!(find("ada").await.expect("reads"), Some(account(1, "ada")));
    assert_eq!(find("bob").await.expect("reads"), None);
    assert_eq!(find("ada\0").await.expect("works"), None, "whatever is asked for at the sign-in");
    assert_eq!(f.store.account_get(Uuid::from_u128(3)).await.expect("reads"), Some(account(3, "Ada")));
    assert_eq!(f.store.account_get(Uuid::from_u128(2)).await.expect("reads"), None);
}

pub async fn an_account_may_use_some_actions_or_all(f: &Fixture) {
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let one = AccountRecord { actions: names(&["RunCommand"]), ..account(1, "ada") };
    assert!(f.store.account_add(one.clone(), at(0)).await.expect("writes"));
    assert!(f.store.account_add(account(2, "bob"), at(0)).await.expect("writes"));
    assert_eq!(f.store.account_get(one.uuid).await.expect("reads"), Some(one.clone()));
    for actions in [names(&[]), names(&["OnDemandScan", "RunCommand"]), None] {
        let set = f.store.account_set_actions("ada".to_owned(), actions.clone()).await;
        assert!(set.expect("writes"));
        let expected = [AccountRecord { actions, ..one.clone() }, account(2, "bob")];
        assert_eq!(f.store.accounts_list().await.expect("reads"), expected);
    }
    assert!(!f.store.account_set_actions("eve".to_owned(), None).await.expect("writes"), "nobody");
}

pub async fn a_new_password_and_a_removal_end_the_sessions_of_the_account_alone(f: &Fixture) {
    for (number, name) in [(1, "ada"), (2, "bob")] {
        f.store.account_add(account(number, name), at(0)).await.expect("writes");
        let token = refresh_token(u8::try_from(number).expect("small"), 50);
        let (family, owner) = (Uuid::from_u128(10 + number), Uuid::from_u128(number));
        assert!(f.store.refresh_token_add(token, family, owner, at(0)).await.expect("writes"));
    }
    assert!(f.store.account_set_password("ada".to_owned(), "other".to_owned()).await.expect("writes"));
    assert_eq!(rotate(f, 1, 3, 1).await, RefreshOutcome::Unknown);
    let names = |accounts: Vec<AccountRecord>| accounts.into_iter().map(|a| a.name).collect::<Vec<_>>();
    assert_eq!(names(f.store.accounts_list().await.expect("reads")), ["ada", "bob"]);
    let changed = f.store.account_find("ada".to_owned()).await.expect("reads").expect("is there");
    assert_eq!(changed.password_hash, "other");

    assert!(f.store.account_remove("ada".to_owned()).await.expect("writes"));
    assert!(!f.store.account_remove("ada".to_owned()).await.expect("works"), "it is gone already");
    assert!(!f.store.account_set_password("ada".to_owned(), "x".to_owned()).await.expect("works"));
    assert_eq!(names(f.store.accounts_list().await.expect("reads")), ["bob"]);
    assert!(matches!(rotate(f, 2, 4, 1).await, RefreshOutcome::Rotated(bob) if bob.name == "bob"));
}

use std::collections::BTreeSet;

use guardhouse_store::{
    AccountRecord, KeyRecord, NewAccessKey, NewRefreshToken, RefreshOutcome, SignedRequest,
};
use uuid::Uuid;

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

fn account(a: &Arena, name: &str) -> AccountRecord {
    AccountRecord {
        uuid: a.id(),
        name: name.to_owned(),
        password_hash: String::new(),
        access: 2,
        actions: None,
    }
}

/// A token that nobody has yet.
fn token(a: &Arena, expire_second: i64) -> NewRefreshToken {
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(a.id().as_bytes());
    NewRefreshToken { digest, expire_time: at(expire_second) }
}

/// An account with a session; answers the account and the token.
async fn signed_in(a: &Arena, name: &str) -> (AccountRecord, NewRefreshToken) {
    let (account, token) = (account(a, name), token(a, 100));
    assert!(a.store.account_add(account.clone(), at(0)).await.expect("writes"));
    assert!(a.store.refresh_token_add(token.clone(), a.id(), account.uuid, at(0)).await.expect("writes"));
    (account, token)
}

async fn rotate_at_once(a: &Arena, tokens: &[[u8; 32]]) -> Vec<RefreshOutcome> {
    let exchanges = tokens.iter().enumerate().map(|(n, &digest)| {
        let (store, successor) = (a.replica(n), token(a, 100));
        async move { store.refresh_token_rotate(digest, successor, at(1)).await.expect("writes") }
    });
    at_once(exchanges.collect::<Vec<_>>()).await
}

fn count(outcomes: &[RefreshOutcome], of: impl Fn(&RefreshOutcome) -> bool) -> usize {
    outcomes.iter().filter(|outcome| of(outcome)).count()
}

pub async fn a_refresh_token_is_exchanged_once(a: &Arena) {
    for round in 0..ROUNDS {
        let (_, token) = signed_in(a, &format!("ada {round}")).await;
        let outcomes = rotate_at_once(a, &[token.digest; 6]).await;
        assert_eq!(count(&outcomes, |o| matches!(o, RefreshOutcome::Rotated(_))), 1, "{outcomes:?}");
        assert_eq!(count(&outcomes, |o| *o == RefreshOutcome::Reused), 1, "{outcomes:?}");
        // The one who found the reuse took the family along.
        assert_eq!(count(&outcomes, |o| *o == RefreshOutcome::Unknown), 4, "{outcomes:?}");
    }
}

pub async fn reuse_that_is_found_twice_ends_the_family(a: &Arena) {
    for round in 0..ROUNDS {
        let (_, first) = signed_in(a, &format!("ada {round}")).await;
        let mut family = vec![first.digest];
        for n in 0..5 {
            let successor = token(a, 100);
            let outcome = a.replica(n).refresh_token_rotate(family[n], successor.clone(), at(1)).await;
            assert!(matches!(outcome.expect("writes"), RefreshOutcome::Rotated(_)));
            family.push(successor.digest);
        }
        let spent = &family[..5];
        let outcomes = rotate_at_once(a, spent).await;
        assert_eq!(count(&outcomes, |o| *o == RefreshOutcome::Reused), 1, "{outcomes:?}");
        assert_eq!(count(&outcomes, |o| *o == RefreshOutcome::Unknown), 4, "{outcomes:?}");
        assert_eq!(rotate_at_once(a, &family[5..]).await, [RefreshOutcome::Unknown]);
    }
}

pub async fn sessions_do_not_outlive_their_account(a: &Arena) {
    for round in 0..ROUNDS {
        let name = format!("ada {round}");
        let (account, old) = signed_in(a, &name).await;
        let (new, successor) = (token(a, 100), token(a, 100));
        let (adding, rotating, removing) = (a.replica(0), a.replica(1), a.replica(round));
        let (added, rotated, removed) = tokio::join!(
            adding.refresh_token_add(new.clone(), Uuid::from_u128(7), account.uuid, at(1)),
            rotating.refresh_token_rotate(old.digest, successor.clone(), at(1)),
            removing.account_remove(name),
        );
        added.expect("works");
        rotated.expect("works");
        assert!(removed.expect("writes"));
        let left = rotate_at_once(a, &[old.digest, new.digest, successor.digest]).await;
        assert_eq!(left, [RefreshOutcome::Unknown, RefreshOutcome::Unknown, RefreshOutcome::Unknown]);
    }
}

pub async fn sign_ins_sweep_beside_each_other(a: &Arena) {
    let ada = account(a, "ada");
    assert!(a.store.account_add(ada.clone(), at(0)).await.expect("writes"));
    for round in 0..ROUNDS {
        // Each round sweeps what the one before left to expire.
        let second = 100 * round as i64;
        let added =
            at_once(
                (0..16).map(|n| {
                    let (store, token, family, account) =
                        (a.replica(n), token(a, second + 50 - n as i64), a.id(), ada.uuid);
                    async move {
                        store.refresh_token_add(token, family, account, at(second)).await.expect("writes")
                    }
                }),
            );
        assert_eq!(added.await, [true; 16]);
    }
}

fn access_key(a: &Arena, account: Uuid) -> NewAccessKey {
    let id = format!("GH{}", a.id().simple());
    NewAccessKey { id, account, sealed_secret: vec![1], description: String::new(), temporary: None }
}

pub async fn a_signed_request_is_accepted_once(a: &Arena) {
    let ada = account(a, "ada");
    assert!(a.store.account_add(ada.clone(), at(0)).await.expect("writes"));
    let key = access_key(a, ada.uuid);
    assert!(a.store.access_key_add(key.clone(), at(0)).await.expect("writes"));
    for round in 0..ROUNDS {
        // Each round is the first use of the key since the step before: all of them want to write that down.
        let second = 3_600 * round as i64;
        let accepted = at_once((0..8).map(|n| {
            let store = a.replica(n);
            let request = SignedRequest {
                access_key: key.id.clone(),
                nonce_digest: [u8::try_from(4 * round + n % 4).expect("a few"); 32],
                expire_time: at(second + 900),
                now: at(second),
            };
            async move { store.signed_request_accept(request).await.expect("writes") }
        }));
        let accepted = accepted.await.into_iter().filter(|accepted| *accepted).count();
        assert_eq!(accepted, 4, "each nonce came twice");
    }
}

pub async fn access_keys_do_not_outlive_their_account(a: &Arena) {
    for round in 0..ROUNDS {
        let name = format!("ada {round}");
        let ada = account(a, &name);
        assert!(a.store.account_add(ada.clone(), at(0)).await.expect("writes"));
        let (adding, removing) = (a.replica(0), a.replica(round));
        let (added, removed) = tokio::join!(
            adding.access_key_add(access_key(a, ada.uuid), at(1)),
            removing.account_remove(name),
        );
        added.expect("is added, or refused because nobody has the account");
        assert!(removed.expect("writes"));
        let left = a.store.access_keys_list(None, None, 10).await.expect("reads");
        assert_eq!(left, [], "nobody has a key");
    }
}

pub async fn one_account_gets_a_name(a: &Arena) {
    for round in 0..ROUNDS {
        let added = at_once((0..6).map(|n| {
            let (store, account) = (a.replica(n), account(a, &format!("ada {round}")));
            async move { store.account_add(account, at(0)).await.expect("writes") }
        }));
        assert_eq!(added.await.into_iter().filter(|added| *added).count(), 1);
    }
}

pub async fn one_key_settles(a: &Arena) {
    let names: [&'static str; 4] = ["a", "b", "c", "d"];
    for name in names {
        let settled = at_once((0..8_u8).map(|n| {
            let (store, key) = (a.replica(n.into()), KeyRecord { secret: vec![n], certificate: None });
            async move { store.key_settle(name, key, at(0)).await.expect("writes") }
        }));
        let settled = settled.await;
        assert!(settled.iter().all(|key| *key == settled[0]), "all go on with the same key");
        assert_eq!(a.store.key_get(name).await.expect("reads").as_ref(), Some(&settled[0]));
    }
}

pub async fn one_holder_gets_a_lease(a: &Arena) {
    let mut fences = BTreeSet::new();
    for round in 0..ROUNDS {
        // The lease of the round before has run out.
        let now = 100 * round as i64;
        let taken = at_once((0..8).map(|n| {
            let (store, holder) = (a.replica(n), a.id());
            async move { store.lease_take("duty", holder, at(now), at(now + 50)).await.expect("writes") }
        }));
        let taken: Vec<_> = taken.await.into_iter().flatten().collect();
        assert_eq!(taken.len(), 1, "{taken:?}");
        fences.insert(taken[0].fence);
    }
    assert_eq!(fences, (1..=ROUNDS as u64).collect());
}

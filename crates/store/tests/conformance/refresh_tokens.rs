use guardhouse_store::{NewRefreshToken, RefreshOutcome};
use uuid::Uuid;

use crate::{
    accounts::account,
    support::{Fixture, at},
};

pub fn refresh_token(number: u8, expire_second: i64) -> NewRefreshToken {
    NewRefreshToken { digest: [number; 32], expire_time: at(expire_second) }
}

/// Exchanges token `from` for token `to` at `second`.
pub async fn rotate(f: &Fixture, from: u8, to: u8, second: i64) -> RefreshOutcome {
    f.store.refresh_token_rotate([from; 32], refresh_token(to, 100), at(second)).await.expect("writes")
}

pub async fn a_refresh_token_is_good_for_one_exchange(f: &Fixture) {
    let ada = account(1, "ada");
    assert!(f.store.account_add(ada.clone(), at(0)).await.expect("writes"));
    for (number, family) in [(1, 10), (11, 11)] {
        let token = refresh_token(number, 100);
        let family = Uuid::from_u128(family);
        assert!(f.store.refresh_token_add(token, family, ada.uuid, at(0)).await.expect("writes"));
    }
    let nobody = f
        .store
        .refresh_token_add(refresh_token(99, 100), Uuid::from_u128(12), Uuid::from_u128(9), at(0))
        .await;
    assert!(!nobody.expect("writes"), "no such account");

    assert_eq!(rotate(f, 1, 2, 1).await, RefreshOutcome::Rotated(ada.clone()));
    assert_eq!(rotate(f, 2, 3, 2).await, RefreshOutcome::Rotated(ada.clone()));
    assert_eq!(rotate(f, 1, 4, 3).await, RefreshOutcome::Reused);
    for gone in [1, 2, 3, 4] {
        assert_eq!(rotate(f, gone, 5, 4).await, RefreshOutcome::Unknown, "token {gone} of the family");
    }
    assert_eq!(rotate(f, 11, 12, 4).await, RefreshOutcome::Rotated(ada), "another family stays");
}

pub async fn expired_refresh_tokens_are_refused_and_swept_a_hundred_at_a_time(f: &Fixture) {
    let ada = account(1, "ada");
    assert!(f.store.account_add(ada.clone(), at(0)).await.expect("writes"));
    // The first expires first.
    for number in 0..150_u8 {
        let token = refresh_token(number, 10 + i64::from(number));
        let family = Uuid::from_u128(number.into());
        assert!(f.store.refresh_token_add(token, family, ada.uuid, at(0)).await.expect("writes"));
    }
    assert_eq!(rotate(f, 0, 200, 9).await, RefreshOutcome::Rotated(ada.clone()), "its last second");
    assert_eq!(rotate(f, 1, 201, 11).await, RefreshOutcome::Expired);

    let late = NewRefreshToken { digest: [250; 32], expire_time: at(2000) };
    assert!(f.store.refresh_token_add(late, Uuid::from_u128(250), ada.uuid, at(1000)).await.expect("writes"));
    // 150 and the successor 200 (which expired between 90 and 91) were there; the oldest hundred are gone.
    for (number, outcome) in [
        (1, RefreshOutcome::Unknown),
        (98, RefreshOutcome::Unknown),
        (99, RefreshOutcome::Expired),
        (149, RefreshOutcome::Expired),
    ] {
        assert_eq!(rotate(f, number, 251, 1000).await, outcome, "token {number}");
    }
}

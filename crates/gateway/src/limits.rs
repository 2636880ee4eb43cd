//! How often one caller may call.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use guardhouse_contract::{Code, Status};
use guardhouse_model::{
    Timestamp,
    rate::{Quota, Usage},
};

/// What the callers of one kind have used up of the same quota.
#[derive(Debug)]
pub struct Limit<Key> {
    quota: Option<Quota>,
    table: Mutex<Table<Key>>,
}

#[derive(Debug)]
struct Table<Key> {
    usage: HashMap<Key, Usage>,
    /// Every key of `usage` once, in the order in which it is looked at for eviction.
    round: VecDeque<Key>,
}

/// How many entries each call looks at to evict the idle ones: more than it can add, so the table shrinks to
/// those callers that called within the last `quota.per`.
const EVICTION_STEP: usize = 2;

impl<Key: Clone + Eq + Hash> Limit<Key> {
    /// A limit of `quota` for each caller; no limit at all without one.
    #[must_use]
    pub fn new(quota: Option<Quota>) -> Self {
        Self { quota, table: Mutex::new(Table { usage: HashMap::new(), round: VecDeque::new() }) }
    }

    /// Counts one call of `key` at `now`.
    ///
    /// # Errors
    /// The quota is used up: `RESOURCE_EXHAUSTED` with the reason `RATE_LIMITED` and the time to wait.
    pub fn take(&self, key: Key, now: Timestamp) -> Result<(), Status> {
        let Some(quota) = self.quota else { return Ok(()) };
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.evict(now);
        table.usage_of(key).take(quota, now).map_err(|wait| {
            let message = format!(
                "more than {} calls in {} s; try again in {} ms",
                quota.burst,
                quota.per.as_secs_f32(),
                wait.as_millis() + 1,
            );
            Status::new(Code::ResourceExhausted, "RATE_LIMITED", message).retry_after(wait)
        })
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.table.lock().expect("not poisoned").usage.len()
    }
}

impl<Key: Clone + Eq + Hash> Table<Key> {
    fn usage_of(&mut self, key: Key) -> &mut Usage {
        let round = &mut self.round;
        self.usage.entry(key).or_insert_with_key(|key| {
            round.push_back(key.clone());
            Usage::default()
        })
    }

    fn evict(&mut self, now: Timestamp) {
        for _ in 0..EVICTION_STEP {
            let Some(key) = self.round.pop_front() else { return };
            if self.usage.get(&key).is_some_and(|usage| usage.is_idle(now)) {
                self.usage.remove(&key);
            } else {
                self.round.push_back(key);
            }
        }
    }
}

/// The address that stands for a caller: one IPv6 host usually owns a whole /64 and could call from each
/// address of it.
#[must_use]
pub fn caller_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const QUOTA: Quota = Quota { burst: 10, per: Duration::from_secs(1) };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).expect("valid")
    }

    #[test]
    fn each_caller_has_its_own_quota() {
        let limit = Limit::new(Some(QUOTA));
        for _ in 0..10 {
            limit.take("a", at(0)).expect("within the quota");
        }
        let status = limit.take("a", at(0)).expect_err("beyond the quota");
        assert_eq!((status.http(), status.reason()), (429, "RATE_LIMITED"));
        assert_eq!(status.wait(), Some(Duration::from_millis(100)));
        limit.take("b", at(0)).expect("another caller");
        limit.take("a", at(101)).expect("after the wait");
    }

    #[test]
    fn without_a_quota_nothing_is_counted() {
        let limit = Limit::new(None);
        for _ in 0..1_000 {
            limit.take("a", at(0)).expect("no limit");
        }
        assert_eq!(limit.len(), 0);
    }

    #[test]
    fn idle_callers_are_forgotten_and_busy_ones_kept() {
        let limit = Limit::new(Some(QUOTA));
        for caller in 0..1_000 {
            limit.take(caller, at(0)).expect("first call");
        }
        for step in 0..1_000 {
            // The busy caller uses its whole quota and is looked at many times meanwhile.
            let _ = limit.take(-1, at(2_000 + step));
        }
        assert_eq!(limit.len(), 1);
        limit.take(-1, at(2_999)).expect_err("its usage was not forgotten");
    }

    #[test]
    fn an_ipv6_network_is_one_caller() {
        let address = |text: &str| caller_address(text.parse().expect("an address"));
        assert_eq!(address("2001:db8:1:2:3:4:5:6"), address("2001:db8:1:2::1"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
    }
}

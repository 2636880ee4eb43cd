//! A cache that holds what was used lately, up to a weight.

use std::{borrow::Borrow, collections::HashMap, hash::Hash, mem};

/// Two halves: what is put in or used goes into the young one. When that is full it becomes the old one, and what nobody
/// used since the last time goes. It never holds more than twice its limit and one value.
pub struct Cache<K, V> {
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    /// Of the young half.
    weight: usize,
    limit: usize,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty one; `limit` is the weight of a half.
    pub fn new(limit: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), weight: 0, limit }
    }

    /// The value of `key`, if it is still there.
    pub fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, weight)) = self.old.remove_entry(key)?;
        self.insert(key, value.clone(), weight);
        Some(value)
    }

    /// Puts a value in.
    pub fn insert(&mut self, key: K, value: V, weight: usize) {
        if self.weight + weight > self.limit && !self.young.is_empty() {
            self.old = mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        if let Some((_, replaced)) = self.young.insert(key, (value, weight)) {
            self.weight -= replaced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut cache = Cache::new(10);
        cache.insert("used", 1, 3);
        cache.insert("forgotten", 2, 3);
        for number in 0..100 {
            assert_eq!(cache.get("used"), Some(1), "after {number}");
            cache.insert(["a", "b", "c", "d"][number % 4], number, 3);
        }
        assert_eq!(cache.get("forgotten"), None);
    }

    #[test]
    fn the_weight_is_bounded() {
        let mut cache = Cache::new(100);
        for number in 0..1_000_usize {
            cache.insert(number, (), number % 40);
            let held =
                cache.young.values().chain(cache.old.values()).map(|(_, weight)| weight).sum::<usize>();
            assert!(held <= 200, "{held} after {number}");
        }
        cache.insert(1_000, (), 5_000);
        assert_eq!(cache.get(&1_000), Some(()), "one that weighs more than all is held until the next");
        cache.insert(1_000, (), 1);
        assert_eq!(cache.weight, 1, "a value that is replaced weighs nothing");
    }
}

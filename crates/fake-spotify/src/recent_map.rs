//! A map that forgets its oldest entries: anybody can fill the server of a public demo.

use std::collections::{HashMap, VecDeque};

/// Holds the entries that were inserted last.
pub(crate) struct RecentMap<V> {
    entries: HashMap<String, V>,
    /// Keys in the order of their insertion, with those that were removed since.
    order: VecDeque<String>,
    capacity: usize,
}

impl<V> RecentMap<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), capacity }
    }

    pub(crate) fn insert(&mut self, key: String, value: V) {
        if self.order.len() == self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.entries.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_entries_are_forgotten() {
        let mut map = RecentMap::new(3);
        for n in 0..1000 {
            map.insert(n.to_string(), n);
            if n == 998 {
                map.remove("998");
            }
        }
        assert_eq!((map.values().count(), map.order.len()), (2, 3));
        assert_eq!((map.get("999"), map.get("996"), map.get("998")), (Some(&999), None, None));
    }
}

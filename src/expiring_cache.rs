//! A cache with a time limit for each entry, and a bound on its memory.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashlink::LruCache;
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

/// Maximum number of entries. Beyond it the one that was used longest ago is dropped.
const MAX_ENTRIES: usize = 500;
/// Maximum size of an entry, so that the whole cache takes at most 16 MB. Larger values are not kept.
const MAX_ENTRY_BYTES: usize = 32 * 1024;

/// Values as JSON, whose size is known.
pub(crate) struct ExpiringCache<K> {
    entries: Mutex<LruCache<K, (OffsetDateTime, Vec<u8>)>>,
}

impl<K: Eq + Hash> ExpiringCache<K> {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::new(LruCache::new(MAX_ENTRIES)) }
    }

    pub(crate) fn get<V: DeserializeOwned>(&self, key: &K, now: OffsetDateTime) -> Option<V> {
        let mut entries = self.lock();
        match entries.get(key) {
            Some((until, json)) if *until > now => serde_json::from_slice(json).ok(),
            Some(_) => {
                entries.remove(key);
                None
            }
            None => None,
        }
    }

    pub(crate) fn insert(&self, key: K, value: &impl Serialize, until: OffsetDateTime) {
        let json = serde_json::to_vec(value).expect("plain data serializes to JSON");
        if json.len() <= MAX_ENTRY_BYTES {
            self.lock().insert(key, (until, json));
        }
    }

    pub(crate) fn remove(&self, key: &K) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<K, (OffsetDateTime, Vec<u8>)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn entries_expire_and_memory_is_bounded() {
        let (cache, now) = (ExpiringCache::new(), OffsetDateTime::UNIX_EPOCH);
        let later = now + Duration::MINUTE;
        for key in 0..3 * MAX_ENTRIES {
            cache.insert(key, &"x".repeat(MAX_ENTRY_BYTES - 2), later);
        }
        let bytes: usize = cache.lock().iter().map(|(_, (_, json))| json.len()).sum();
        assert_eq!(bytes, MAX_ENTRIES * MAX_ENTRY_BYTES);
        cache.insert(1, &"x".repeat(MAX_ENTRY_BYTES), later);
        cache.insert(2, &Some(7), later);
        assert_eq!((cache.get::<String>(&1, now), cache.get(&2, now)), (None, Some(Some(7))));
        assert_eq!((cache.get::<i32>(&2, later), cache.lock().contains_key(&2)), (None, false), "expired");
        cache.insert(3, &None::<i32>, later);
        assert_eq!(cache.get(&3, now), Some(None::<i32>));
        cache.remove(&3);
        assert_eq!(cache.get::<Option<i32>>(&3, now), None);
    }
}

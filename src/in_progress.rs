//! Limits on what one user, address or browser may have in progress at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// At most `max` places for each key.
#[derive(Clone)]
pub(crate) struct InProgress<K> {
    max: usize,
    /// Only keys that have a place.
    semaphores: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
}

/// A place, which is given back when this is dropped.
pub(crate) struct Place<K: Clone + Eq + Hash> {
    key: K,
    permit: Option<OwnedSemaphorePermit>,
    semaphores: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
}

impl<K: Clone + Eq + Hash> InProgress<K> {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, semaphores: Arc::default() }
    }

    /// Takes a place; `None` if there is none left.
    pub(crate) fn try_enter(&self, key: K) -> Option<Place<K>> {
        let mut semaphores = self.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
        let semaphore = semaphores.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.max)));
        let permit = semaphore.clone().try_acquire_owned().ok()?;
        Some(Place { key, permit: Some(permit), semaphores: self.semaphores.clone() })
    }
}

impl<K: Clone + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut semaphores = self.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.permit.take());
        if semaphores.get(&self.key).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            semaphores.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InProgress;

    #[test]
    fn places_are_counted_by_key_and_given_back() {
        let uploads = InProgress::new(2);
        let places = [uploads.try_enter("ada"), uploads.try_enter("ada")];
        assert!(places.iter().all(Option::is_some) && uploads.try_enter("ada").is_none());
        assert!(uploads.try_enter("mira").is_some(), "another key");
        drop(places);
        assert!(uploads.semaphores.lock().unwrap().is_empty(), "nothing is kept for those who are gone");
        assert!(uploads.try_enter("ada").is_some());
    }
}

//! Limits on what one user, address or browser may have in progress at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// At most `max` permits for each key.
#[derive(Clone)]
pub(crate) struct InProgress<K> {
    max: usize,
    /// Only keys with a permit.
    semaphores: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
}

/// A permit, which is released when it is dropped.
pub(crate) struct Permit<K: Clone + Eq + Hash> {
    key: K,
    inner: Option<OwnedSemaphorePermit>,
    semaphores: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
}

impl<K: Clone + Eq + Hash> InProgress<K> {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, semaphores: Arc::default() }
    }

    /// Takes a permit; `None` if there is none left.
    pub(crate) fn try_acquire(&self, key: K) -> Option<Permit<K>> {
        let (mut permit, semaphore) = self.semaphore(key);
        permit.inner = Some(semaphore.try_acquire_owned().ok()?);
        Some(permit)
    }

    async fn acquire(&self, key: K) -> Permit<K> {
        let (mut permit, semaphore) = self.semaphore(key);
        permit.inner = semaphore.acquire_owned().await.ok();
        permit
    }

    /// Returns a permit that is not acquired yet, and its semaphore.
    fn semaphore(&self, key: K) -> (Permit<K>, Arc<Semaphore>) {
        let mut semaphores = self.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
        let semaphore = semaphores.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.max)));
        let semaphore = semaphore.clone();
        (Permit { key, inner: None, semaphores: self.semaphores.clone() }, semaphore)
    }
}

impl<K: Clone + Eq + Hash> Drop for Permit<K> {
    fn drop(&mut self) {
        let mut semaphores = self.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.inner.take());
        if semaphores.get(&self.key).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            semaphores.remove(&self.key);
        }
    }
}

/// One permit for each key, for which a few others wait.
#[derive(Clone)]
pub(crate) struct Queue<K> {
    all: InProgress<K>,
    running: InProgress<K>,
}

impl<K: Clone + Eq + Hash> Queue<K> {
    /// `max` includes the one that has the permit.
    pub(crate) fn new(max: usize) -> Self {
        Self { all: InProgress::new(max), running: InProgress::new(1) }
    }

    /// Waits for the permit; `None` if too many wait already, or after `timeout`. Dropping the future, or what it
    /// returns, passes the permit on.
    pub(crate) async fn enter(&self, key: K, timeout: Duration) -> Option<impl Sized + use<K>> {
        let waiting = self.all.try_acquire(key.clone())?;
        let running = tokio::time::timeout(timeout, self.running.acquire(key)).await.ok()?;
        Some((running, waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_counted_by_key_and_released() {
        let uploads = InProgress::new(2);
        let permits = [uploads.try_acquire("ada"), uploads.try_acquire("ada")];
        assert!(permits.iter().all(Option::is_some) && uploads.try_acquire("ada").is_none());
        assert!(uploads.try_acquire("mira").is_some(), "another key");
        drop(permits);
        assert!(uploads.semaphores.lock().unwrap().is_empty(), "nothing is kept for those who are gone");
        assert!(uploads.try_acquire("ada").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_wait_and_those_who_leave_hold_nothing() {
        const LONG: Duration = Duration::from_secs(60);
        let searches = Queue::new(3);
        let first = searches.enter("ada", LONG).await.unwrap();
        assert!(searches.enter("mira", LONG).await.is_some(), "another key");
        for _ in 0..10 {
            let left = tokio::time::timeout(Duration::from_secs(1), searches.enter("ada", LONG)).await;
            assert!(left.is_err(), "the connection was closed while it waited");
        }
        assert!(searches.enter("ada", Duration::from_secs(1)).await.is_none(), "it waited too long");
        let results = async {
            let waiting = [searches.enter("ada", LONG), searches.enter("ada", LONG), searches.enter("ada", LONG)];
            let [second, third, fourth] = waiting.map(|entered| async { entered.await.is_some() });
            tokio::join!(second, third, fourth)
        };
        let (results, ()) = tokio::join!(results, async {
            tokio::task::yield_now().await;
            drop(first);
        });
        assert_eq!(results, (true, true, false), "one after the other, and only as many as may wait");
        assert!(searches.all.semaphores.lock().unwrap().is_empty());
        assert!(searches.running.semaphores.lock().unwrap().is_empty(), "nothing is kept");
    }
}

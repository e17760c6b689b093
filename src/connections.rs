//! Limits on connections. Where many are open, a new one ends the oldest idle one, so that idle connections block
//! nobody.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The open connections of each key.
#[derive(Clone)]
pub(crate) struct Connections<K> {
    max: usize,
    open: Arc<Mutex<HashMap<K, EndSignals>>>,
}

/// Signals that end the connections, by number, so that the oldest comes first.
type EndSignals = BTreeMap<u64, Arc<Notify>>;

/// An open connection. On drop it is removed from its [`Connections`].
pub(crate) struct OpenConnection<K: Copy + Eq + Hash> {
    connections: Connections<K>,
    key: K,
    number: u64,
}

impl<K: Copy + Eq + Hash> Connections<K> {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, open: Arc::default() }
    }

    /// Adds a connection, which should end when `end` is notified; `None` if there are too many. Above three quarters
    /// of the limit each new connection ends the oldest one once it is idle.
    pub(crate) fn try_open(&self, key: K, number: u64, end: &Arc<Notify>) -> Option<OpenConnection<K>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = open.entry(key).or_default();
        if connections.len() >= self.max {
            return None;
        }
        connections.insert(number, end.clone());
        // Older ones have been notified already, and end once they are idle.
        let excess = connections.len().saturating_sub(self.max - self.max / 4);
        if let Some(end) = excess.checked_sub(1).and_then(|last| connections.values().nth(last)) {
            end.notify_one();
        }
        Some(OpenConnection { connections: self.clone(), key, number })
    }
}

impl<K: Copy + Eq + Hash> Drop for OpenConnection<K> {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = open.get_mut(&self.key) {
            connections.remove(&self.number);
            if connections.is_empty() {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn each_new_connection_above_three_quarters_ends_the_oldest() {
        let connections = Connections::new(8);
        let ends: Vec<Arc<Notify>> = (0..10).map(|_| Arc::default()).collect();
        let ended = || ends.iter().map(|end| usize::from(end.notified().now_or_never().is_some())).collect::<Vec<_>>();
        let open = |number: usize| connections.try_open("ada", number as u64, &ends[number]);
        let mut opened: Vec<_> = (0..6).map(open).collect();
        assert_eq!(ended(), [0; 10]);
        opened.push(open(6));
        assert_eq!(ended(), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        opened.push(open(7));
        assert_eq!(ended(), [0, 1, 0, 0, 0, 0, 0, 0, 0, 0], "the first has a request under way");
        assert!(open(8).is_none() && opened.iter().all(Option::is_some), "too many have one");
        assert!(connections.try_open("mira", 8, &ends[8]).is_some(), "another network");
        opened.drain(..2);
        opened.push(open(9));
        assert_eq!(ended(), [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        drop(opened);
        assert!(connections.open.lock().unwrap().is_empty(), "nothing is kept");
    }
}

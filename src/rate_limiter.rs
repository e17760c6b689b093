//! Counts of requests by key, in memory: N processes together allow N times as many.
//!
//! Written by hand, because governor keeps every key until it is idle: whoever fills it with made-up keys decides what
//! happens to all others.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hashlink::LruCache;
use time::OffsetDateTime;

/// Maximum number of keys. Beyond it the key that was used longest ago is forgotten, and may start anew.
const MAX_KEYS: usize = 10_000;

/// A burst of `max` requests for each key, replenished over `period` (GCRA,
/// <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>).
pub(crate) struct RateLimiter<K> {
    /// Time in which one request is replenished.
    interval: Duration,
    period: Duration,
    /// When all of a key's requests are replenished.
    full_at: Mutex<LruCache<K, OffsetDateTime>>,
}

impl<K: Eq + Hash> RateLimiter<K> {
    pub(crate) fn new(max: NonZeroU32, period: Duration) -> Self {
        Self { interval: period / max.get(), period, full_at: Mutex::new(LruCache::new(MAX_KEYS)) }
    }

    /// Counts a request. Fails with the time to wait if there are too many, and does not count it then.
    pub(crate) fn count(&self, key: K, now: OffsetDateTime) -> Result<(), Duration> {
        self.count_many(key, 1, now)
    }

    /// Counts `count` requests, or none of them.
    pub(crate) fn count_many(&self, key: K, count: u32, now: OffsetDateTime) -> Result<(), Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.next(&mut full_at, &key, count, now)?;
        full_at.insert(key, next);
        Ok(())
    }

    /// Fails if a request would be one too many. Counts nothing.
    pub(crate) fn check(&self, key: &K, now: OffsetDateTime) -> Result<(), Duration> {
        self.next(&mut self.full_at.lock().unwrap_or_else(PoisonError::into_inner), key, 1, now).map(drop)
    }

    /// Returns when all of the key's requests are replenished after `count` more.
    fn next(
        &self,
        full_at: &mut LruCache<K, OffsetDateTime>,
        key: &K,
        count: u32,
        now: OffsetDateTime,
    ) -> Result<OffsetDateTime, Duration> {
        let next = full_at.get(key).copied().unwrap_or(now).max(now) + self.interval * count;
        let latest = now + self.period;
        if next > latest { Err((next - latest).unsigned_abs()) } else { Ok(next) }
    }
}

/// Returns the seconds after which to try again. Rounded up, because a request before the end of `wait` is refused.
pub(crate) fn retry_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn limiter<K: Eq + Hash>(max: u32) -> RateLimiter<K> {
        RateLimiter::new(NonZeroU32::new(max).unwrap(), Duration::from_secs(60))
    }

    #[test]
    fn a_burst_is_allowed_and_replenished() {
        let limiter = limiter(3);
        let count = |key: &'static str, seconds| limiter.count(key, NOW + Duration::from_secs(seconds));
        assert_eq!([0, 0, 0].map(|at| count("ada", at)), [Ok(()); 3]);
        assert_eq!((count("ada", 5), count("mira", 5)), (Err(Duration::from_secs(15)), Ok(())));
        assert_eq!(count("ada", 5), Err(Duration::from_secs(15)), "a refused request does not count");
        assert_eq!([20, 20, 40, 59].map(|at| count("ada", at).is_ok()), [true, false, true, false]);
        assert_eq!([600, 600, 600, 600].map(|at| count("ada", at).is_ok()), [true, true, true, false]);
    }

    #[test]
    fn waits_are_rounded_up_to_seconds() {
        let seconds = [0, 1, 999, 1000, 1001, 59_001].map(|ms| retry_seconds(Duration::from_millis(ms)));
        assert_eq!(seconds, [1, 1, 1, 1, 2, 60]);
    }

    #[test]
    fn keys_beyond_the_maximum_evict_the_oldest_and_share_nothing() {
        let limiter = limiter(1);
        let count = |key| limiter.count(key, NOW);
        for key in 0..3 * MAX_KEYS {
            assert_eq!(count(key), Ok(()), "{key} has a limit of its own");
            assert_eq!(limiter.full_at.lock().unwrap().len(), (key + 1).min(MAX_KEYS));
        }
        assert!(count(3 * MAX_KEYS - 1).is_err() && count(2 * MAX_KEYS).is_err(), "the newest are remembered");
        assert_eq!(count(2 * MAX_KEYS - 1), Ok(()), "the oldest is forgotten");
        assert_eq!(count(0), Ok(()));
    }

    #[test]
    fn a_key_in_use_is_not_evicted() {
        let limiter = limiter(1);
        limiter.count(0, NOW).unwrap();
        for key in 1..3 * MAX_KEYS {
            limiter.count(key, NOW).unwrap();
            assert!(key % 1000 != 0 || limiter.count(0, NOW).is_err(), "refused after {key} others");
        }
    }
}

//! Read replica. May lag or be down; callers fall back to the database.

use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::{Pool, Result};
use crate::ids::Secret;

const READ_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(500);
/// Pause after a failed read: each attempt costs a visitor up to [`READ_TIMEOUT`].
const BACKOFF: Duration = Duration::seconds(10);

#[derive(Clone)]
pub struct Replica {
    pool: Pool,
    /// The end of the pause, for this process only: each process has its own network path to the replica.
    backoff_until: Arc<Mutex<Option<OffsetDateTime>>>,
}

impl Replica {
    /// Connects on first use. Fails if `url` is invalid.
    pub fn new(url: &Secret, connections: u32) -> Result<Self> {
        let pool = Pool::new(super::pool_options(url)?, connections, READ_TIMEOUT);
        Ok(Self { pool, backoff_until: Arc::default() })
    }

    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Reads from the replica; `None` if it is down, does not answer in time, or failed a moment ago.
    pub async fn read<T>(&self, now: OffsetDateTime, read: impl AsyncFnOnce(&Pool) -> Result<T>) -> Option<T> {
        if self.backoff_end().is_some_and(|until| until > now) {
            return None;
        }
        let error = match tokio::time::timeout(READ_TIMEOUT, read(&self.pool)).await {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".into(),
        };
        let mut backoff_until = self.backoff_until.lock().unwrap_or_else(PoisonError::into_inner);
        // Of several concurrent failures, one is logged.
        if backoff_until.is_none_or(|until| until <= now) {
            tracing::warn!(error, "the replica failed and is not read for {} seconds", BACKOFF.whole_seconds());
        }
        *backoff_until = Some(now + BACKOFF);
        None
    }

    fn backoff_end(&self) -> Option<OffsetDateTime> {
        *self.backoff_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

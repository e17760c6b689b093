//! A copy of the rows that may be a moment old, and away: then the database itself is asked.

use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::{Error, Pool};
use crate::ids::Secret;

/// How long an answer may take.
pub(super) const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);
/// How long nobody is asked who just gave none: each question would cost a visitor all that patience.
const REST: Duration = Duration::seconds(10);

/// A read-only copy of the database.
#[derive(Clone)]
pub struct Follower {
    pool: Pool,
    /// Until when this process does not ask it. Its way there is its own, and so is what it knows of it.
    rests: Arc<Mutex<Option<OffsetDateTime>>>,
}

impl Follower {
    /// A copy that is first connected to when it is asked, with at most so many `connections`.
    ///
    /// # Errors
    /// When `url` is not a Postgres address.
    pub fn new(url: &Secret, connections: u32) -> Result<Self, Error> {
        Ok(Self { pool: super::follower(url, connections)?, rests: Arc::default() })
    }

    /// Its connections, for who wants to know how it is.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What it answers in its time. None: it is away, or it stands still, takes the question and never answers, or it did
    /// a moment ago; then the database itself is to be asked.
    pub async fn read<T>(&self, now: OffsetDateTime, read: impl AsyncFnOnce(&Pool) -> Result<T, Error>) -> Option<T> {
        if self.rests_until().is_some_and(|until| until > now) {
            return None;
        }
        let why = match tokio::time::timeout(PATIENCE, read(&self.pool)).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in its time".into(),
        };
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        // Of several who asked at once, one tells.
        if rests.is_none_or(|until| until <= now) {
            tracing::warn!(
                why,
                "the follower was asked in vain and is left alone for {} seconds",
                REST.whole_seconds()
            );
        }
        *rests = Some(now + REST);
        None
    }

    fn rests_until(&self) -> Option<OffsetDateTime> {
        *self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Counts of calls to Spotify, for the operator: Spotify does not publish its daily quota.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use time::{Date, Duration, OffsetDateTime};

use super::{Pool, Result};

const RETENTION: Duration = Duration::days(31);

/// Counts calls in memory and writes the counts together. A write for each call would add a commit, to a row that all
/// processes share, to every sign-in and page.
#[derive(Clone, Debug, Default)]
pub struct CallCounter {
    counts: Arc<Mutex<HashMap<(Date, &'static str), i64>>>,
    /// Held during a flush.
    flushing: Arc<tokio::sync::Mutex<()>>,
}

impl CallCounter {
    pub fn add(&self, endpoint: &'static str, day: Date) {
        self.add_many(endpoint, day, 1);
    }

    fn add_many(&self, endpoint: &'static str, day: Date, calls: i64) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry((day, endpoint)).or_default() += calls;
    }

    /// Writes the counts since the last flush. Waits for a flush under way, whose counts are in neither place until it
    /// ends. After a failure they are kept for the next flush.
    pub async fn flush(&self, pool: &Pool) -> Result<()> {
        let _flushing = self.flushing.lock().await;
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return Ok(());
        }
        let counts: Vec<_> = counts.into_iter().collect();
        let query = sqlx::query!(
            "insert into spotify_calls as c (day, endpoint, calls) select * from unnest($1::date[], $2::text[], $3::bigint[])
             on conflict (day, endpoint) do update set calls = c.calls + excluded.calls",
            &counts.iter().map(|((day, _), _)| *day).collect::<Vec<_>>(),
            &counts.iter().map(|((_, endpoint), _)| (*endpoint).to_owned()).collect::<Vec<_>>(),
            &counts.iter().map(|(_, calls)| *calls).collect::<Vec<_>>()
        );
        let written = query.execute(pool).await;
        if written.is_err() {
            counts.into_iter().for_each(|((day, endpoint), calls)| self.add_many(endpoint, day, calls));
        }
        Ok(written.map(drop)?)
    }
}

/// Returns the number of calls to each Spotify endpoint on `day` (UTC), most frequent first.
pub async fn count(pool: &Pool, day: Date) -> Result<Vec<(String, i64)>> {
    let query =
        sqlx::query!("select endpoint, calls from spotify_calls where day = $1 order by calls desc, endpoint", day);
    Ok(query.fetch_all(pool).await?.into_iter().map(|row| (row.endpoint, row.calls)).collect())
}

pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    let query = sqlx::query!("delete from spotify_calls where day < $1", (now - RETENTION).date());
    Ok(query.execute(pool).await?.rows_affected())
}

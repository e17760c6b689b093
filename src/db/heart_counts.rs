//! The number of users that heart each playlist, counted by one process at a time.

use sqlx::Connection;
use time::{Duration, OffsetDateTime};

use super::{Pool, Result};
use crate::ids::PlaylistId;

/// The count of one playlist, and when it was taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeartCount {
    pub hearts: i64,
    /// When hearts were last counted; `None` if never.
    pub counted_at: Option<OffsetDateTime>,
}

pub async fn find(pool: &Pool, playlist: &PlaylistId) -> Result<HeartCount> {
    let query = sqlx::query_as!(
        HeartCount,
        r#"select coalesce((select hearts from heart_counts where playlist_id = $1), 0) as "hearts!",
                  (select made_at from top_lists) as counted_at"#,
        playlist.as_str()
    );
    Ok(query.fetch_one(pool).await?)
}

/// Takes the lease to count. Returns `false` if the counts are younger than `age` plus the pause set by the last count,
/// or if another process is counting.
pub async fn lease(pool: &Pool, age: Duration, until: OffsetDateTime, now: OffsetDateTime) -> Result<bool> {
    let query = sqlx::query!(
        // A time in the future, from a wrong clock, must not stop the counting forever.
        "insert into top_lists as l (leased_until) values ($1) on conflict (only_one) do update set leased_until = $1
         where (l.made_at is null or l.made_at + l.rest < $2 or l.made_at - l.rest > $3)
               and (l.leased_until is null or l.leased_until not between $4 and $1::timestamptz + interval '1 minute')",
        until,
        now - age,
        now + age,
        now
    );
    Ok(query.execute(pool).await?.rows_affected() == 1)
}

/// Counts all hearts in one pass over the table and writes the counts that changed: ten million hearts take Postgres 6
/// to 7 seconds (docs/growth.md). Fails after `timeout`, so that it ends before its lease does.
pub async fn refresh(pool: &Pool, timeout: Duration, now: OffsetDateTime) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let timeout = timeout.whole_milliseconds().to_string();
    sqlx::query_scalar!("select set_config('statement_timeout', $1, true)", timeout).fetch_one(&mut *tx).await?;
    let query = sqlx::query!(
        "insert into heart_counts (playlist_id, hearts, week)
         select playlist_id, sum(hearts), sum(week) from (
             select playlist_id, count(*) as hearts, count(*) filter (where hearted_at > $1) as week,
                    0 as stored_hearts, 0 as stored_week
             from user_hearts where removed_at is null group by playlist_id
             union all select playlist_id, 0, 0, hearts, week from heart_counts) n
         group by playlist_id having sum(hearts) <> sum(stored_hearts) or sum(week) <> sum(stored_week)
         on conflict (playlist_id) do update set hearts = excluded.hearts, week = excluded.week",
        now - Duration::WEEK
    );
    query.execute(&mut *tx).await?;
    sqlx::query!("delete from heart_counts where hearts <= 0").execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

/// Releases the lease and stores when hearts were counted, and the pause before the next count. Returns `false` if the
/// lease was lost.
pub async fn release(pool: &Pool, until: OffsetDateTime, now: OffsetDateTime, pause: Duration) -> Result<bool> {
    let query = sqlx::query!(
        "update top_lists set made_at = $1, leased_until = null, rest = make_interval(secs => $3) where leased_until = $2",
        now,
        until,
        pause.as_seconds_f64()
    );
    Ok(query.execute(pool).await?.rows_affected() == 1)
}

/// Returns the sum of the heart counts, which a job updates.
pub async fn sum(pool: &Pool) -> Result<i64> {
    let query = sqlx::query_scalar!(r#"select coalesce(sum(hearts), 0)::bigint as "hearts!" from heart_counts"#);
    Ok(query.fetch_one(pool).await?)
}

//! Cooldowns of calls to Spotify, shared by all processes.

use time::OffsetDateTime;

use super::{Pool, Result};

/// The bucket that applies to every endpoint of the Web API.
pub const ALL_ENDPOINTS: &str = "all";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cooldown {
    pub until: OffsetDateTime,
    /// Whether the daily quota is used up, and not only a short rate limit.
    pub quota: bool,
}

/// Returns the active cooldown of two buckets that ends last.
pub async fn find_active(pool: &Pool, buckets: [&str; 2], now: OffsetDateTime) -> Result<Option<Cooldown>> {
    let query = sqlx::query_as!(
        Cooldown,
        "select until, quota from cooldowns where bucket in ($1, $2) and until > $3 order by until desc limit 1",
        buckets[0],
        buckets[1],
        now
    );
    Ok(query.fetch_optional(pool).await?)
}

/// Returns the active cooldowns with their buckets, the longest first.
pub async fn list_active(pool: &Pool, now: OffsetDateTime) -> Result<Vec<(String, Cooldown)>> {
    let query = sqlx::query!("select bucket, until, quota from cooldowns where until > $1 order by until desc", now);
    let rows = query.fetch_all(pool).await?.into_iter();
    Ok(rows.map(|row| (row.bucket, Cooldown { until: row.until, quota: row.quota })).collect())
}

/// Records a cooldown. If a later end is recorded already, it stays.
pub async fn record(pool: &Pool, bucket: &str, cooldown: Cooldown) -> Result<()> {
    let query = sqlx::query!(
        "insert into cooldowns as c (bucket, until, quota) values ($1, $2, $3)
         on conflict (bucket) do update set until = greatest(c.until, excluded.until), quota = excluded.quota",
        bucket,
        cooldown.until,
        cooldown.quota
    );
    Ok(query.execute(pool).await.map(drop)?)
}

pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    Ok(sqlx::query!("delete from cooldowns where until < $1", now).execute(pool).await?.rows_affected())
}

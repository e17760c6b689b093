//! Until when nobody asks Spotify, on any process.

use time::OffsetDateTime;

use super::{Error, Pool};

/// The bucket of what concerns every endpoint.
pub const ALL: &str = "all";

/// A time in which nobody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cooldown {
    /// When it ends.
    pub until: OffsetDateTime,
    /// Whether it is the allowance of the day that is used up.
    pub quota: bool,
}

/// Returns what stands against a call of `endpoint` now.
pub async fn standing(pool: &Pool, endpoint: &str, now: OffsetDateTime) -> Result<Option<Cooldown>, Error> {
    let row = sqlx::query_as!(
        Cooldown,
        "select until, quota from cooldowns where bucket in ($1, $2) and until > $3 order by until desc limit 1",
        endpoint,
        ALL,
        now
    );
    Ok(row.fetch_optional(pool).await?)
}

/// Notes that nobody may ask `bucket` before the end of `cooldown`; an end that was set later stays.
pub async fn note(pool: &Pool, bucket: &str, cooldown: Cooldown) -> Result<(), Error> {
    let row = sqlx::query!(
        "insert into cooldowns as c (bucket, until, quota) values ($1, $2, $3)
         on conflict (bucket) do update set until = greatest(c.until, excluded.until), quota = excluded.quota",
        bucket,
        cooldown.until,
        cooldown.quota
    );
    row.execute(pool).await?;
    Ok(())
}

/// Deletes cool-downs that are over. Returns how many.
pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
    Ok(sqlx::query!("delete from cooldowns where until < $1", now).execute(pool).await?.rows_affected())
}

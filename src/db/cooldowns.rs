//! Until when nobody asks Spotify, on any process, and how often it was asked.

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

/// Asks for leave to call `endpoint`; counts the call if nothing stands against it.
///
/// # Errors
/// When the database fails.
pub async fn permit(pool: &Pool, endpoint: &str, now: OffsetDateTime) -> Result<Option<Cooldown>, Error> {
    let row = sqlx::query_as!(
        Cooldown,
        "with waiting as (select until, quota from cooldowns where bucket in ($1, $2) and until > $3
                          order by until desc limit 1),
              counted as (insert into spotify_calls as c (day, endpoint, calls)
                          select $4, $1, 1 where not exists (select from waiting)
                          on conflict (day, endpoint) do update set calls = c.calls + excluded.calls)
         select until, quota from waiting",
        endpoint,
        ALL,
        now,
        now.date()
    );
    Ok(row.fetch_optional(pool).await?)
}

/// What stands against a call of `endpoint` now; nothing is counted.
///
/// # Errors
/// When the database fails.
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
///
/// # Errors
/// When the database fails.
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

/// Forgets cool-downs that are over, and what was counted more than a month ago.
///
/// # Errors
/// When the database fails.
pub async fn sweep(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
    let over = sqlx::query!("delete from cooldowns where until < $1", now).execute(pool).await?;
    let long_ago = (now - time::Duration::days(31)).date();
    let counted = sqlx::query!("delete from spotify_calls where day < $1", long_ago).execute(pool).await?;
    Ok(over.rows_affected() + counted.rows_affected())
}

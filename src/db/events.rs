//! What happened to an account.

use time::{Duration, OffsetDateTime};

use super::{Error, Pool};
use crate::ids::UserId;

/// How long an event is kept.
const KEPT: Duration = Duration::days(365);

/// Something that happened to an account.
pub struct Event {
    /// When.
    pub at: OffsetDateTime,
    /// What, as a short word.
    pub kind: String,
    /// With which provider, by its key.
    pub provider: Option<String>,
    /// On what kind of device.
    pub device: Option<String>,
}

/// Keeps an event.
pub async fn note(pool: &Pool, user: UserId, event: &Event) -> Result<(), Error> {
    let row = sqlx::query!(
        "insert into events (user_id, at, kind, provider, device) values ($1, $2, $3, $4, $5)",
        user.0,
        event.at,
        event.kind,
        event.provider,
        event.device
    );
    row.execute(pool).await?;
    Ok(())
}

/// A stretch of a person's events, newest first.
pub async fn newest(pool: &Pool, user: UserId, offset: i64, limit: i64) -> Result<Vec<Event>, Error> {
    let rows = sqlx::query_as!(
        Event,
        "select at, kind, provider, device from events where user_id = $1 order by at desc, id desc offset $2 limit $3",
        user.0,
        offset,
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}

/// How many events are kept of a person.
pub async fn count(pool: &Pool, user: UserId) -> Result<i64, Error> {
    let row = sqlx::query_scalar!(r#"select count(*) as "count!" from events where user_id = $1"#, user.0);
    Ok(row.fetch_one(pool).await?)
}

/// Deletes what is older than a year, in batches. Returns how many events.
pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
    super::delete_in_batches(pool, |batch| {
        sqlx::query!(
            "delete from events where at between '-infinity' and (
                 select max(at) from (select at from events where at <= $1 order by at limit $2) b)",
            now - KEPT,
            batch
        )
    })
    .await
}

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
///
/// # Errors
/// When the database fails, or the person is gone.
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
///
/// # Errors
/// When the database fails.
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
///
/// # Errors
/// When the database fails.
pub async fn count(pool: &Pool, user: UserId) -> Result<i64, Error> {
    let row = sqlx::query_scalar!(r#"select count(*) as "count!" from events where user_id = $1"#, user.0);
    Ok(row.fetch_one(pool).await?)
}

/// Removes what is older than a year, a batch at a time.
///
/// # Errors
/// When the database fails; what was removed before stays so.
pub async fn sweep(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
    let removing = |most: i64| {
        sqlx::query!(
            "delete from events where id = any(array(
                 select id from events where at < $1 order by at limit $2 for update skip locked))",
            now - KEPT,
            most
        )
    };
    super::in_batches(pool, removing).await
}

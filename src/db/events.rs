//! Account events.

use time::{Duration, OffsetDateTime};

use super::{Pool, Result};
use crate::ids::UserId;

const RETENTION: Duration = Duration::days(365);

pub struct Event {
    pub at: OffsetDateTime,
    /// See `domain::activity::EventKind::key`.
    pub kind: String,
    /// A provider's key.
    pub provider: Option<String>,
    pub device: Option<String>,
    /// Numbers of the event, as a sentence for the user.
    pub details: Option<String>,
}

pub async fn record(pool: &Pool, user: UserId, event: &Event) -> Result<()> {
    let query = sqlx::query!(
        "insert into events (user_id, at, kind, provider, device, details) values ($1, $2, $3, $4, $5, $6)",
        user.0,
        event.at,
        event.kind,
        event.provider,
        event.device,
        event.details
    );
    Ok(query.execute(pool).await.map(drop)?)
}

pub async fn list(pool: &Pool, user: UserId, offset: i64, limit: i64) -> Result<Vec<Event>> {
    let query = sqlx::query_as!(
        Event,
        "select at, kind, provider, device, details from events where user_id = $1 order by at desc, id desc offset $2 limit $3",
        user.0,
        offset,
        limit
    );
    Ok(query.fetch_all(pool).await?)
}

pub async fn count(pool: &Pool, user: UserId) -> Result<i64> {
    let query = sqlx::query_scalar!(r#"select count(*) as "count!" from events where user_id = $1"#, user.0);
    Ok(query.fetch_one(pool).await?)
}

pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64> {
    super::delete_in_batches(pool, |batch| {
        sqlx::query!(
            "delete from events where at between '-infinity' and (
                 select max(at) from (select at from events where at <= $1 order by at limit $2) b)",
            now - RETENTION,
            batch
        )
    })
    .await
}

//! Tells a pooler in transaction mode (PgBouncer and its like) from a server.
//!
//! Over such a pooler each statement may reach another connection of the server. Prepared statements then meet those
//! of other clients: sqlx 0.9 was seen to return other queries' rows over PgBouncer 1.18, without an error. Such rows
//! could be another person's, so nothing is served over one.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, Row};

use super::{Error, options};
use crate::ids::Secret;

/// How long two connections may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What poolers answer to settings that a client may give to a server.
const REFUSED: &str = "unsupported startup parameter";

/// Whether the address `url` leads to a pooler that gives the server's connections to whoever asks next.
pub async fn stands_at(url: &Secret) -> Result<bool, Error> {
    match tokio::time::timeout(PATIENCE, probe(url)).await {
        Ok(Err(sqlx::Error::Database(told))) if told.message().contains(REFUSED) => Ok(true),
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Away(sqlx::Error::PoolTimedOut)),
    }
}

/// What one connection sets for itself must stay its own: another must not see it, and it must not lose it.
async fn probe(url: &Secret) -> Result<bool, sqlx::Error> {
    let options = options(url)?;
    let (mut first, mut second) =
        (PgConnection::connect_with(&options).await?, PgConnection::connect_with(&options).await?);
    first.execute(sqlx::raw_sql("set heartlist.probe = 'first'")).await?;
    // Within a transaction even a pooler keeps to one connection, so that the first cannot have it back meanwhile.
    second.execute(sqlx::raw_sql("begin")).await?;
    let shared = mark(&mut second).await?.is_some();
    let lost = mark(&mut first).await?.as_deref() != Some("first");
    second.execute(sqlx::raw_sql("rollback")).await?;
    first.execute(sqlx::raw_sql("reset heartlist.probe")).await?;
    let _ = tokio::join!(first.close(), second.close());
    Ok(shared || lost)
}

/// Unprepared, since what is in question is whether prepared statements are safe.
async fn mark(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    let row =
        connection.fetch_one(sqlx::raw_sql("select nullif(current_setting('heartlist.probe', true), '')")).await?;
    row.try_get(0)
}

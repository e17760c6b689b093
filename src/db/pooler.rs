//! Detects a pooler in transaction mode (PgBouncer and the like).
//!
//! Through such a pooler each statement may run on a different server connection, and prepared statements collide with
//! those of other clients: sqlx 0.9 returned other queries' rows over PgBouncer 1.18 without an error. Such rows could
//! belong to another user, so the app refuses to serve.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, Row};

use super::{Error, Result, connect_options};
use crate::ids::Secret;

const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// PgBouncer's error for startup parameters that Postgres accepts.
const UNSUPPORTED_PARAMETER: &str = "unsupported startup parameter";

/// Returns whether `url` leads to a pooler in transaction mode.
pub async fn is_transaction_pooler(url: &Secret) -> Result<bool> {
    match tokio::time::timeout(PROBE_TIMEOUT, probe(url)).await {
        Ok(Err(sqlx::Error::Database(error))) if error.message().contains(UNSUPPORTED_PARAMETER) => Ok(true),
        Ok(result) => Ok(result?),
        Err(_) => Err(Error::Unavailable(sqlx::Error::PoolTimedOut)),
    }
}

/// Returns whether a setting of one connection is visible to another or gets lost.
async fn probe(url: &Secret) -> Result<bool, sqlx::Error> {
    let options = connect_options(url)?;
    let (mut first, mut second) =
        (PgConnection::connect_with(&options).await?, PgConnection::connect_with(&options).await?);
    first.execute(sqlx::raw_sql("set heartlist.probe = 'first'")).await?;
    // Within a transaction a pooler keeps the server connection, so that the first client cannot get it.
    second.execute(sqlx::raw_sql("begin")).await?;
    let shared = read_probe(&mut second).await?.is_some();
    let lost = read_probe(&mut first).await?.as_deref() != Some("first");
    second.execute(sqlx::raw_sql("rollback")).await?;
    first.execute(sqlx::raw_sql("reset heartlist.probe")).await?;
    let _ = tokio::join!(first.close(), second.close());
    Ok(shared || lost)
}

/// Reads the setting, not by a prepared statement: the probe tests whether those are safe.
async fn read_probe(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    let row =
        connection.fetch_one(sqlx::raw_sql("select nullif(current_setting('heartlist.probe', true), '')")).await?;
    row.try_get(0)
}

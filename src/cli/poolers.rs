//! Refuses to run over a connection pooler in transaction mode.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::db::pooler;
use crate::ids::Secret;

/// How often to retry a database that was unavailable at startup.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

pub(super) type NamedUrls = Vec<(&'static str, Secret)>;

/// Fails if a URL leads to a pooler, which could serve one user's rows to another. Returns the databases that are
/// unavailable and could not be checked.
pub(super) async fn reject_poolers(databases: NamedUrls) -> Result<NamedUrls> {
    let mut unchecked = Vec::new();
    for (name, url) in databases {
        match pooler::is_transaction_pooler(&url).await {
            Ok(true) => bail!(
                "{name} leads to a pooler in transaction mode, such as PgBouncer: over it, prepared statements \
                 can return the rows of other queries, even other people's. Use the server's own URL; Heartlist pools \
                 its connections itself (DATABASE_CONNECTIONS)"
            ),
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(%error, name, "could not check yet whether this is a pooler");
                unchecked.push((name, url));
            }
        }
    }
    Ok(unchecked)
}

/// Retries the databases that were unavailable at startup until all of them have been checked.
pub(super) async fn check_when_available(mut unchecked: NamedUrls) -> Result<()> {
    while !unchecked.is_empty() {
        tokio::time::sleep(RETRY_INTERVAL).await;
        unchecked = reject_poolers(unchecked).await?;
    }
    Ok(())
}

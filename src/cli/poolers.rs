//! Poolers in transaction mode: nothing is served over one.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::db::pooler;
use crate::ids::Secret;

/// How often a database that was away at the start is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// The databases by the name of their setting.
pub(super) type Named = Vec<(&'static str, Secret)>;

/// Ends the program before it serves one person's rows to another. Gives the databases that are away, of which nothing
/// is known yet.
pub(super) async fn refuse(databases: Named) -> Result<Named> {
    let mut unseen = Vec::new();
    for (name, url) in databases {
        match pooler::stands_at(&url).await {
            Ok(true) => bail!(
                "{name} leads to a pooler in transaction mode, such as PgBouncer: over it prepared statements were \
                 seen to return other queries' rows, which may be other people's. Name the server itself; one process \
                 is a pool already (DATABASE_CONNECTIONS)"
            ),
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(%error, name, "whether a pooler stands before the database cannot be seen yet");
                unseen.push((name, url));
            }
        }
    }
    Ok(unseen)
}

/// The same for databases that were away at the start, until all of them have been seen.
pub(super) async fn look_out(mut unseen: Named) -> Result<()> {
    while !unseen.is_empty() {
        tokio::time::sleep(EVERY).await;
        unseen = refuse(unseen).await?;
    }
    Ok(())
}

//! Brings the tables up to date while people use them.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::migrate::{Migrate, MigrateError, Migrator};

/// How long a migration waits for what somebody else holds.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// How long at a time. Everybody who comes later waits behind it, so this is shorter than a request waits for a
    /// lock: no visitor fails because a migration wants to.
    pub lock: Duration,
    /// How long those who waited have the table to themselves before it tries again.
    pub pause: Duration,
    /// How often it tries.
    pub tries: u32,
}

impl Waits {
    /// Two minutes and a half in all, in which a forgotten transaction is found or ends.
    pub const USUAL: Self = Self { lock: Duration::from_secs(3), pause: Duration::from_secs(2), tries: 30 };
}

/// Why the tables are not up to date.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing of this migration was done; those before it are.
    #[error(
        "migration {version} waited {tries} times for a table that somebody else holds, and was not done; look into pg_stat_activity for a transaction that was left open, and try again"
    )]
    Held {
        /// Its number.
        version: i64,
        /// How often it was tried.
        tries: u32,
    },
    /// Anything else.
    #[error(transparent)]
    Failed(#[from] MigrateError),
}

/// The migrations that this program knows.
pub(super) fn migrations() -> Migrator {
    sqlx::migrate!()
}

/// Applies on `connection` what is not applied yet. The right to lies with the connection, which is to be closed then.
pub(super) async fn run(connection: &mut PgConnection, waits: Waits) -> Result<(), Error> {
    let mut all = migrations();
    // A release that was rolled back meets a database that is ahead of it, and serves all the same.
    all.set_ignore_missing(true);
    // Another process that migrates is waited for in patience: nobody else waits behind that.
    limit(connection, Duration::from_secs(60)).await?;
    connection.lock().await?;
    all.set_locking(false);
    limit(connection, waits.lock).await?;
    for tried in 1.. {
        let outcome = all.run(&mut *connection).await;
        let Some(version) = outcome.as_ref().err().and_then(held) else { return Ok(outcome?) };
        if tried >= waits.tries {
            return Err(Error::Held { version, tries: tried });
        }
        tracing::info!(version, tried, "a migration waits for a table that somebody else holds");
        tokio::time::sleep(waits.pause).await;
    }
    Ok(())
}

/// How long one of its statements may wait for a lock; once it has it, it may take its time.
async fn limit(connection: &mut PgConnection, lock: Duration) -> Result<(), MigrateError> {
    // On Citus, a migration that alters a distributed table may also touch `users`, which lies on all nodes.
    let limits = "select set_config('statement_timeout', '0', false), set_config('lock_timeout', $1, false),
                         set_config('citus.multi_shard_modify_mode', 'sequential', false)";
    sqlx::query(limits).bind(lock.as_millis().to_string()).execute(connection).await?;
    Ok(())
}

/// Which migration did not get a lock in time; none: it was something else.
fn held(error: &MigrateError) -> Option<i64> {
    let MigrateError::ExecuteMigration(sqlx::Error::Database(told), version) = error else { return None };
    // lock_not_available
    (told.code().as_deref() == Some("55P03")).then_some(*version)
}

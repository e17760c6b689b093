//! Applies migrations while the app serves requests.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::migrate::{Migrate, MigrateError, Migrator};

/// How a migration waits for locks.
#[derive(Clone, Copy, Debug)]
pub struct LockRetries {
    /// Lock timeout. Later statements queue behind the waiting migration, so this is shorter than their own lock
    /// timeout.
    pub lock_timeout: Duration,
    /// Delay before the next attempt, in which queued statements run.
    pub delay: Duration,
    pub max_attempts: u32,
}

impl LockRetries {
    /// Up to 2.5 minutes, in which somebody can find and end a transaction that was left open.
    pub const DEFAULT: Self =
        Self { lock_timeout: Duration::from_secs(3), delay: Duration::from_secs(2), max_attempts: 30 };
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This migration was not applied; earlier ones were.
    #[error(
        "migration {version} waited {attempts} times for a table that another session has locked, and was not applied; look in pg_stat_activity for a transaction that was left open, and try again"
    )]
    LockTimeout { version: i64, attempts: u32 },
    #[error(transparent)]
    Failed(#[from] MigrateError),
}

/// Returns the migrations in this binary.
pub(super) fn migrations() -> Migrator {
    sqlx::migrate!()
}

/// Applies pending migrations on a connection that is closed afterwards.
pub(super) async fn run(connection: &mut PgConnection, retries: LockRetries) -> Result<(), Error> {
    let mut migrator = migrations();
    // An older release must run on a newer database, for example after a rollback.
    migrator.set_ignore_missing(true);
    // Waiting for another process's migration blocks no request, so its timeout is long.
    set_timeouts(connection, Duration::from_secs(60)).await?;
    connection.lock().await?;
    migrator.set_locking(false);
    set_timeouts(connection, retries.lock_timeout).await?;
    for attempt in 1.. {
        let outcome = migrator.run(&mut *connection).await;
        let Some(version) = outcome.as_ref().err().and_then(locked_out_version) else { return Ok(outcome?) };
        if attempt >= retries.max_attempts {
            return Err(Error::LockTimeout { version, attempts: attempt });
        }
        tracing::info!(version, attempt, "a migration waits for a table that another session has locked");
        tokio::time::sleep(retries.delay).await;
    }
    Ok(())
}

/// Sets the lock timeout, and no statement timeout.
async fn set_timeouts(connection: &mut PgConnection, lock: Duration) -> Result<(), MigrateError> {
    // On Citus, a migration that alters a distributed table may also touch `users`, which is on all nodes.
    let query = "select set_config('statement_timeout', '0', false), set_config('lock_timeout', $1, false),
                         set_config('citus.multi_shard_modify_mode', 'sequential', false)";
    sqlx::query(query).bind(lock.as_millis().to_string()).execute(connection).await?;
    Ok(())
}

/// Returns the migration that did not get its lock in time; `None` for other errors.
fn locked_out_version(error: &MigrateError) -> Option<i64> {
    let MigrateError::ExecuteMigration(sqlx::Error::Database(inner), version) = error else { return None };
    // lock_not_available
    (inner.code().as_deref() == Some("55P03")).then_some(*version)
}

//! All the SQL: the pool, the migrations, and a file for each noun.

pub mod cooldowns;
pub mod distribution;
pub mod doctor;
pub mod events;
pub mod follower;
pub mod heart_counts;
pub mod hearts;
pub mod identities;
pub mod import_export;
pub mod invites;

pub mod migrating;
pub mod pending_logins;
pub mod playlists;
pub mod pool;
pub mod pooler;
pub mod search;
pub mod sessions;
pub mod shares;
pub mod spotify_calls;
pub mod top;
pub mod users;

use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgSslMode};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use tokio::time::Instant;
use url::Url;

use self::migrating::Waits;
use crate::ids::Secret;

pub use pool::Pool;

/// What can go wrong with a row. The inner error is for the log, never for a page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached or has no connection to spare; the same request may succeed later.
    #[error("the database is away: {0}")]
    Away(sqlx::Error),
    /// The row belongs to somebody who is gone: an account deleted by another request.
    #[error("the row's owner is gone")]
    OwnerGone,
    /// Anything else is a fault of ours.
    #[error("a query failed: {0}")]
    Query(sqlx::Error),
    /// A stored secret does not open or does not parse.
    #[error("a stored secret cannot be read: {0}")]
    Sealed(String),
}

impl Error {
    /// There was no answer in the time that there was for it.
    pub fn silent() -> Self {
        Error::Away(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_) => Error::Away(error),
            sqlx::Error::Database(told) if told.is_foreign_key_violation() => Error::OwnerGone,
            sqlx::Error::Database(told) if told.code().is_some_and(|code| away(&code)) => Error::Away(error),
            _ => Error::Query(error),
        }
    }
}

/// SQLSTATE classes 08 (connection), 28 (refused: a password being rotated), 3D (no such database), 53
/// (resources), 57P (shutdown), and 25006 (read-only), 55000 (no connections taken), 57014 (took too long), 55P03
/// (locked by another), 40P01 (deadlock) and 40001 (crossed another transaction), of which the same again succeeds:
/// the server's trouble, not the query's.
fn away(code: &str) -> bool {
    ["08", "28", "3D", "53", "57P", "25006", "55000", "57014", "55P03", "40P01", "40001"]
        .iter()
        .any(|class| code.starts_with(class))
}

/// How long a request waits for a connection before its page says that the database is unavailable.
const POOL_TIMEOUT: Duration = Duration::from_secs(3);
/// Settings of every connection. A statement that waits for a lock or takes too long fails, so that one request cannot
/// occupy all connections. Nothing is said of how statements are planned: Citus refuses forced plan modes.
const SETTINGS: [(&str, &str); 2] = [("lock_timeout", "5s"), ("statement_timeout", "20s")];

/// How many statements a connection keeps as the server planned them: all that there are.
const STATEMENTS: usize = 256;

/// A pool of at most so many `connections`. It connects when first asked, so that the app can answer before its
/// database does.
///
/// # Errors
/// When `url` is not a Postgres address.
pub fn pool(url: &Secret, connections: u32) -> Result<Pool, Error> {
    Ok(Pool::new(lasting(url)?, connections, POOL_TIMEOUT))
}

/// The same for a read-only copy of the database.
///
/// # Errors
/// When `url` is not a Postgres address.
fn follower(url: &Secret, connections: u32) -> Result<Pool, Error> {
    Ok(Pool::new(lasting(url)?, connections, follower::PATIENCE))
}

/// How connections to `url` are made that requests share.
fn lasting(url: &Secret) -> Result<PgConnectOptions, sqlx::Error> {
    Ok(options(url)?.options(SETTINGS).statement_cache_capacity(STATEMENTS))
}

/// How to connect to `url`: over the network encrypted, unless the address says otherwise.
fn options(url: &Secret) -> Result<PgConnectOptions, sqlx::Error> {
    let options: PgConnectOptions = url.expose().parse()?;
    let address = Url::parse(url.expose()).map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let says = address.query_pairs().any(|(name, _)| matches!(&*name, "sslmode" | "ssl-mode"));
    // `prefer`, which holds by default, falls back to plain text when somebody between us says so.
    let plain = matches!(options.get_ssl_mode(), PgSslMode::Prefer) && !says && remote(&options);
    Ok(if plain { options.ssl_mode(PgSslMode::Require) } else { options })
}

fn remote(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_none() && !host.starts_with('/') && !matches!(host, "localhost" | "127.0.0.1" | "::1")
}

/// Prepares a transaction that deletes or merges whole accounts. It has no statement timeout, because a large account
/// must be deletable too; waiting for a lock stays limited. On Citus it changes shards one after the other, without which
/// it could not touch the reference table `users` as well. Plain Postgres accepts the setting and ignores it.
async fn prepare_account_change(transaction: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("set local statement_timeout = 0").execute(&mut *transaction).await?;
    sqlx::query!("set local citus.multi_shard_modify_mode = 'sequential'").execute(transaction).await?;
    Ok(())
}

/// How many rows a cleanup deletes at once: some milliseconds' work, so that no request waits behind it.
const BATCH: i64 = 1000;

/// Runs `delete`, which deletes about as many rows as it is given, until it finds fewer. Between batches it rests nine
/// times as long as one took: after a long stop there may be hundreds, which would take the server's time from requests.
/// Returns how many rows were deleted.
///
/// Each statement deletes up to the newest time of its batch, `between '-infinity' and` it: the planner does not know that
/// time, takes a range with two ends for a narrow one, and uses the index. With `<=` alone it would read the whole table.
async fn delete_in_batches(
    pool: &Pool,
    delete: impl Fn(i64) -> Query<'static, Postgres, PgArguments>,
) -> Result<u64, Error> {
    let mut deleted = 0;
    loop {
        let start = Instant::now();
        let batch = delete(BATCH).execute(pool).await?.rows_affected();
        deleted += batch;
        if batch < BATCH as u64 {
            return Ok(deleted);
        }
        tokio::time::sleep(9 * start.elapsed()).await;
    }
}

/// Applies the migrations that are not yet applied. Safe twice and at the same time: Postgres holds a lock.
///
/// # Errors
/// When the database is away or a migration fails; nothing of that migration stays.
pub async fn migrate(pool: &Pool) -> Result<(), migrating::Error> {
    migrate_within(pool, Waits::USUAL).await
}

/// The same with other times to wait for what somebody else holds.
///
/// # Errors
/// The same.
pub async fn migrate_within(pool: &Pool, waits: Waits) -> Result<(), migrating::Error> {
    // The lock is the connection's, and one that failed would take it back into the pool: the next try would
    // wait for ever. This connection ends here, whatever happens.
    let mut connection = pool.acquire().await.map_err(MigrateError::Execute)?.detach();
    migrating::run(&mut connection, waits).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_the_network_it_is_encrypted_unless_the_address_says_otherwise() {
        let mode = |address: &str| options(&Secret::new(address)).unwrap().get_ssl_mode();
        assert!(matches!(mode("postgres://u:p@ec2-1-2.example.com:5432/d"), PgSslMode::Require));
        assert!(matches!(mode("postgresql://db/d"), PgSslMode::Require));
        assert!(matches!(mode("postgres://db/d?sslmode=prefer"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://db/d?sslmode=disable"), PgSslMode::Disable));
        assert!(matches!(mode("postgres://db/d?sslmode=verify-full"), PgSslMode::VerifyFull));
        for near in ["postgres://localhost/d", "postgres://127.0.0.1/d", "postgres://u@localhost/d?host=/tmp/x"] {
            assert!(matches!(mode(near), PgSslMode::Prefer), "{near}");
        }
    }
}

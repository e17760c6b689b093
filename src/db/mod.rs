//! All the SQL: the pool, the migrations, and a module for each subject.
//!
//! Statements that join a user's hearts and playlists look each one up by its key (`left join lateral … limit 1`).
//! Postgres plans a statement that has run five times for the average user. Where most have few rows, it expects one row
//! on each side of a join and may compare each with each: 8 seconds for 9,000 hearts, not 0.05. A subquery with a limit
//! keeps it from that (`tests/it/query_plans.rs`).

pub mod account_merge;
pub mod cooldowns;
pub mod distribution;
pub mod doctor;
pub mod events;
pub mod folding;
pub mod heart_changes;
pub mod heart_counts;
pub mod hearts;
pub mod identities;
pub mod import_export;
pub mod installation;
pub mod invites;
pub mod migrate;
pub mod news;
pub mod operators;
pub mod pending_logins;
pub mod pins;
pub mod playlists;
pub mod pool;
pub mod pooler;
pub mod replica;
pub mod search;
pub mod sessions;
pub mod shared_hearts;
pub mod shares;
pub mod spotify_calls;
pub mod stale_playlists;
pub mod tags;
pub mod top;
pub mod users;

use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgSslMode};
use sqlx::query::Query;
use sqlx::{ConnectOptions, PgConnection, Postgres};
use tokio::time::Instant;
use url::Url;

use self::migrate::LockRetries;
use crate::ids::{Secret, UserId};

pub use pool::Pool;

/// A database error. The inner error is for the log, never for a page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Unreachable, or no free connection; the same request may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(sqlx::Error),
    /// The user's account was deleted by another request.
    #[error("the user's account is gone")]
    UserGone,
    /// A search was ended by [`SEARCH_TIMEOUT`], or found no free connection.
    #[error("a search took too long")]
    SearchTooSlow,
    /// Any other error is a bug.
    #[error("a query failed: {0}")]
    Query(sqlx::Error),
    /// A stored secret cannot be decrypted or parsed.
    #[error("a stored secret cannot be decrypted: {0}")]
    Decrypt(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Returns the error for an operation that did not finish in time.
    pub fn timed_out() -> Self {
        Error::Unavailable(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
    }

    /// Converts an error of a query of [`search_pool`].
    fn from_search(error: sqlx::Error) -> Self {
        // query_canceled
        let is_timeout =
            error.as_database_error().is_some_and(|error| error.code().is_some_and(|code| code == "57014"));
        if is_timeout || matches!(error, sqlx::Error::PoolTimedOut) { Error::SearchTooSlow } else { error.into() }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_) => Error::Unavailable(error),
            sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => Error::UserGone,
            sqlx::Error::Database(inner) if inner.code().is_some_and(|code| is_unavailable(&code)) => {
                Error::Unavailable(error)
            }
            _ => Error::Query(error),
        }
    }
}

/// Returns whether a SQLSTATE means a problem of the server, not of the query, so that a retry may succeed: 08
/// (connection), 28 (password being rotated), 3D (no such database), 53 (resources), 57P (shutdown), 25006 (read-only),
/// 55000 (not accepting connections), 57014 (statement timeout), 55P03 (lock timeout), 40P01 (deadlock), 40001
/// (serialization).
fn is_unavailable(code: &str) -> bool {
    ["08", "28", "3D", "53", "57P", "25006", "55000", "57014", "55P03", "40P01", "40001"]
        .iter()
        .any(|class| code.starts_with(class))
}

/// How long a request waits for a connection before its page says that the database is unavailable.
const POOL_TIMEOUT: Duration = Duration::from_secs(3);
/// Settings of every pooled connection. A statement that waits for a lock or runs too long fails, so that one request
/// cannot occupy all connections. Plan modes are not set: Citus refuses forced ones.
const CONNECTION_SETTINGS: [(&str, &str); 2] = [("lock_timeout", "5s"), ("statement_timeout", "20s")];

const SEARCH_TIMEOUT: [(&str, &str); 1] = [("statement_timeout", "2s")];

/// Prepared statements that a connection caches; the app has fewer.
const STATEMENT_CACHE_CAPACITY: usize = 256;

/// Returns a pool of at most `connections`. It connects on first use, so that the app can serve before its database
/// does.
pub fn pool(url: &Secret, connections: u32) -> Result<Pool> {
    Ok(Pool::new(pool_options(url)?, connections, POOL_TIMEOUT))
}

/// Like [`pool`], for searches and other queries that read all hearts of a user. Connections of their own need no further
/// statement to limit each of them, and keep them from holding those of other requests.
pub fn search_pool(url: &Secret, connections: u32) -> Result<Pool> {
    Ok(Pool::new(pool_options(url)?.options(SEARCH_TIMEOUT), connections, POOL_TIMEOUT))
}

fn pool_options(url: &Secret) -> Result<PgConnectOptions, sqlx::Error> {
    Ok(connect_options(url)?.options(CONNECTION_SETTINGS).statement_cache_capacity(STATEMENT_CACHE_CAPACITY))
}

/// Parses a URL, of which no part appears in an error. Unknown parameters are ignored. Connections over the network are
/// encrypted unless the URL sets `sslmode`.
fn connect_options(url: &Secret) -> Result<PgConnectOptions, sqlx::Error> {
    let invalid = "a database URL (DATABASE_URL or READ_DATABASE_URL) has a part that cannot be read";
    let invalid = || sqlx::Error::Configuration(invalid.into());
    let url = Url::parse(url.expose()).map_err(|_| invalid())?;
    let options = PgConnectOptions::from_url(&url).map_err(|_| invalid())?;
    let sets_sslmode = url.query_pairs().any(|(name, _)| matches!(&*name, "sslmode" | "ssl-mode"));
    // With the default, `prefer`, an attacker on the path can force plain text.
    let may_be_plain = matches!(options.get_ssl_mode(), PgSslMode::Prefer) && !sets_sslmode && is_remote(&options);
    Ok(if may_be_plain { options.ssl_mode(PgSslMode::Require) } else { options })
}

fn is_remote(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_none() && !host.starts_with('/') && !matches!(host, "localhost" | "127.0.0.1" | "::1")
}

/// Advisory lock key of registrations and of changes of operators. On Citus, two transactions that write `users` and
/// then a row that refers to it would deadlock without the lock.
const REGISTRATION_LOCK: i64 = 0x4845_4152_544c_4953;

async fn lock_registrations(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", REGISTRATION_LOCK).fetch_one(connection).await?;
    Ok(())
}

/// Prepares a transaction that deletes or merges whole accounts. It has no statement timeout, because a large account
/// must be deletable too; waiting for a lock stays limited. On Citus it changes shards one after the other; otherwise
/// it could not also change the reference table `users`. Plain Postgres accepts the setting and ignores it.
async fn prepare_account_change(transaction: &mut PgConnection) -> Result<()> {
    sqlx::query!("set local statement_timeout = 0").execute(&mut *transaction).await?;
    sqlx::query!("set local citus.multi_shard_modify_mode = 'sequential'").execute(transaction).await?;
    Ok(())
}

/// Locks a user's row until the transaction ends. Returns `false` if the account no longer exists.
async fn lock_user(transaction: &mut PgConnection, user: UserId) -> Result<bool> {
    let query = sqlx::query!("select id from users where id = $1 for update", user.0);
    Ok(query.fetch_optional(transaction).await?.is_some())
}

/// Fails with [`Error::UserGone`] if the account no longer exists. For changes that found no row: a merge has moved it to
/// another account, where it is as it was.
async fn check_user(pool: &Pool, user: UserId) -> Result<()> {
    let query = sqlx::query_scalar!(r#"select exists (select from users where id = $1) as "exists!""#, user.0);
    if query.fetch_one(pool).await? { Ok(()) } else { Err(Error::UserGone) }
}

/// Like [`lock_user`], for a transaction that changes rows of the user. Fails with [`Error::UserGone`] if the account no
/// longer exists: on Citus no foreign key says so, and inserted rows would stay forever; others are a merged account's
/// by now.
async fn lock_existing_user(transaction: &mut PgConnection, user: UserId) -> Result<()> {
    if lock_user(transaction, user).await? { Ok(()) } else { Err(Error::UserGone) }
}

/// Rows that a cleanup deletes in one statement, within a few milliseconds, so that no request waits long behind it.
const CLEANUP_BATCH: i64 = 1000;
/// Between batches a cleanup pauses this many times as long as a batch took: after a long downtime hundreds of batches
/// would compete with requests.
const CLEANUP_PAUSE: u32 = 9;

/// Runs `delete` until it deletes fewer rows than its limit. Returns the number of deleted rows.
///
/// A statement that finds its rows by a time alone deletes up to the newest one of its batch, `between '-infinity' and`
/// it: the planner does not know that time, assumes that a range with two ends is narrow, and uses the index. With `<=`
/// alone it reads the whole table.
async fn delete_in_batches(pool: &Pool, delete: impl Fn(i64) -> Query<'static, Postgres, PgArguments>) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let start = Instant::now();
        let batch = delete(CLEANUP_BATCH).execute(pool).await?.rows_affected();
        deleted += batch;
        if batch < CLEANUP_BATCH as u64 {
            return Ok(deleted);
        }
        tokio::time::sleep(CLEANUP_PAUSE * start.elapsed()).await;
    }
}

/// Applies pending migrations. May run repeatedly and concurrently, because it takes an advisory lock. A migration that
/// fails is rolled back.
pub async fn migrate(pool: &Pool) -> Result<(), migrate::Error> {
    migrate_with(pool, LockRetries::DEFAULT).await
}

/// Like [`migrate`], with other lock timeouts and retries.
pub async fn migrate_with(pool: &Pool, retries: LockRetries) -> Result<(), migrate::Error> {
    // The advisory lock belongs to the connection. If a failed connection returned to the pool with it, the next
    // attempt would wait forever, so this connection is always closed.
    let mut connection = pool.acquire().await.map_err(MigrateError::Execute)?.detach();
    migrate::run(&mut connection, retries).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_connections_are_encrypted_unless_the_url_sets_sslmode() {
        let mode = |url: &str| connect_options(&Secret::new(url)).unwrap().get_ssl_mode();
        assert!(matches!(mode("postgres://u:p@ec2-1-2.example.com:5432/d"), PgSslMode::Require));
        assert!(matches!(mode("postgresql://db/d"), PgSslMode::Require));
        assert!(matches!(mode("postgres://db/d?sslmode=prefer"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://db/d?sslmode=disable"), PgSslMode::Disable));
        assert!(matches!(mode("postgres://db/d?sslmode=verify-full"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://db/d?unknown=x&sslmode=verify-ca"), PgSslMode::VerifyCa));
        for local in ["postgres://localhost/d", "postgres://127.0.0.1/d", "postgres://u@localhost/d?host=/tmp/x"] {
            assert!(matches!(mode(local), PgSslMode::Prefer), "{local}");
        }
    }
}

//! All the SQL: the pool, the migrations, and a file for each noun.

pub mod cooldowns;
pub mod doctor;
pub mod events;
pub mod hearts;
pub mod identities;
pub mod invites;
pub mod leaving;
#[cfg(feature = "local")]
pub mod local;
pub mod playlists;
pub mod sessions;
pub mod sign_ins;
pub mod signed_in;
pub mod users;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{Connection, PgConnection, PgPool};

use crate::ids::Secret;

/// The connections that all requests share.
pub type Pool = PgPool;

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
/// (resources), 57P (shutdown), and 25006 (read-only), 55000 (no connections taken): the server's trouble, not
/// the query's.
fn away(code: &str) -> bool {
    ["08", "28", "3D", "53", "57P", "25006", "55000"].iter().any(|class| code.starts_with(class))
}

/// How many connections one process takes at most: the smallest Heroku plan allows 20, and during a
/// deployment the old and the new release stand side by side with a migration and a person's psql.
const CONNECTIONS: u32 = 8;

/// How long a request waits for a connection before the page says that the database is away.
const PATIENCE: Duration = Duration::from_secs(3);

/// A pool that connects when first asked, so that the app can answer before its database does.
///
/// # Errors
/// When `url` is not a Postgres address.
pub fn pool(url: &Secret) -> Result<Pool, Error> {
    let mut options: PgConnectOptions = url.expose().parse()?;
    if remote(&options) && matches!(options.get_ssl_mode(), PgSslMode::Prefer) {
        // `prefer` falls back to plain text when somebody between us says so.
        options = options.ssl_mode(PgSslMode::Require);
    }
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .idle_timeout(Duration::from_secs(300))
        .test_before_acquire(false)
        .before_acquire(|connection, about| Box::pin(async move { still_there(connection, about.idle_for).await }))
        .connect_lazy_with(options);
    Ok(pool)
}

fn remote(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_none() && !host.starts_with('/') && !matches!(host, "localhost" | "127.0.0.1" | "::1")
}

/// A connection that rested for a second is asked whether it still stands: cheaper than asking each time,
/// and a restarted server costs nobody an error.
async fn still_there(connection: &mut PgConnection, idle: Duration) -> Result<bool, sqlx::Error> {
    if idle < Duration::from_secs(1) {
        return Ok(true);
    }
    Ok(tokio::time::timeout(Duration::from_secs(1), connection.ping()).await.is_ok_and(|answer| answer.is_ok()))
}

/// Applies the migrations that are not yet applied. Safe twice and at the same time: Postgres holds a lock.
///
/// # Errors
/// When the database is away or a migration fails; nothing of that migration stays.
pub async fn migrate(pool: &Pool) -> Result<(), sqlx::migrate::MigrateError> {
    let mut all = migrations();
    // A release that was rolled back meets a database that is ahead of it, and serves all the same.
    all.set_ignore_missing(true);
    // The lock is the connection's, and one that failed would take it back into the pool: the next try would
    // wait for ever. This connection ends here, whatever happens.
    let mut connection = pool.acquire().await?.detach();
    all.run(&mut connection).await
}

/// The migrations that this program knows.
fn migrations() -> sqlx::migrate::Migrator {
    sqlx::migrate!()
}

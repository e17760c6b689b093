//! The connection pool: deadpool, with a manager for sqlx's connections.
//!
//! sqlx's own pool pings the server whenever a connection is returned, and waits for the answer without a timeout (sqlx
//! issue 4349). Adding a heart costs 160 µs of CPU with it and 120 µs with this one. A connection that has answered in
//! full returns as it is, and any other one (a transaction, a cancelled or failed statement) is pinged first, with a
//! timeout. `tests/it/connection_pool.rs` and `tests/it/database_outage.rs` test this.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::postgres::{PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Connection, Either, Execute, Executor, PgConnection, Postgres, SqlStr};
use tokio::time::timeout;

/// A connection used this recently is assumed to be alive, without a ping.
const MAX_IDLE_WITHOUT_PING: Duration = Duration::from_secs(1);
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// Makes the server end a statement about a second after its connection was closed. Otherwise statements of requests
/// that were given up run on, more than the pool has connections. Not a startup parameter: Postgres 13 does not know the
/// setting, and a server on Windows refuses it.
const CHECK_CLIENT: &str = "select set_config('client_connection_check_interval', '1s', false)
                            where current_setting('client_connection_check_interval', true) is not null";
/// Maximum age of a connection: the server's memory for one grows with its statements.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The connections that all requests share. Queries can run on the pool itself. Clones share the same connections.
#[derive(Clone, Debug)]
pub struct Pool {
    connections: managed::Pool<Manager>,
    timeout: Duration,
}

impl Pool {
    /// Creates a pool of at most `limit` connections, opened on demand. Waiting for one ends after `timeout`.
    pub(super) fn new(options: PgConnectOptions, limit: u32, timeout: Duration) -> Self {
        let connections = managed::Pool::builder(Manager { options, connect_timeout: timeout.mul_f32(0.9) })
            .max_size(limit as usize)
            // The most recently used one is most likely alive.
            .queue_mode(QueueMode::Lifo)
            .build()
            .expect("a pool without timeouts needs no runtime");
        Self { connections, timeout }
    }

    /// Checks out a connection, for more than one statement.
    pub(super) async fn acquire(&self) -> Result<PooledConnection, sqlx::Error> {
        match timeout(self.timeout, self.connections.get()).await {
            Ok(Ok(connection)) => Ok(PooledConnection(Some(connection))),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(_)) => Err(sqlx::Error::PoolClosed),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// Returns the number of idle connections and of connections in use.
    pub fn connections(&self) -> (i64, i64) {
        let status = self.connections.status();
        (status.available as i64, (status.size - status.available) as i64)
    }
}

#[derive(Debug)]
struct Manager {
    options: PgConnectOptions,
    /// How long to retry while the server starts.
    connect_timeout: Duration,
}

impl managed::Manager for Manager {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(10))
            .with_max_delay(Duration::from_millis(500))
            .without_max_times()
            .with_total_delay(Some(self.connect_timeout));
        let mut connection = (|| PgConnection::connect_with(&self.options)).retry(backoff).when(is_starting).await?;
        match connection.execute(sqlx::raw_sql(CHECK_CLIENT)).await {
            Ok(_) | Err(sqlx::Error::Database(_)) => Ok(connection),
            Err(error) => Err(error),
        }
    }

    async fn recycle(&self, connection: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.age() > MAX_LIFETIME || metrics.last_used() > MAX_IDLE_WITHOUT_PING && !ping(connection).await {
            return Err(RecycleError::message("old or dead"));
        }
        Ok(())
    }
}

/// Returns whether a server that refused a connection may be starting up.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}

async fn ping(connection: &mut PgConnection) -> bool {
    timeout(PING_TIMEOUT, connection.ping()).await.is_ok_and(|result| result.is_ok())
}

/// A checked-out connection. On drop it is pinged, which flushes an abandoned rollback, and returned if it is healthy.
pub(super) struct PooledConnection(Option<Object<Manager>>);

impl PooledConnection {
    /// Takes the connection out of the pool permanently.
    pub(super) fn detach(mut self) -> PgConnection {
        Object::take(self.0.take().expect("present until drop"))
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        // Without a runtime the program is ending, and the connection with it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if !ping(&mut connection).await {
                // If the server does not respond here, the idle connections are dead too.
                Object::pool(&connection).inspect(|pool| drop(pool.retain(|_, _| false)));
                drop(Object::take(connection));
            }
        });
    }
}

impl Deref for PooledConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("present until drop")
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("present until drop")
    }
}

type ResultFuture<'e> = BoxFuture<'e, Result<PgQueryResult, sqlx::Error>>;
type RowFuture<'e> = BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>;
type StepStream<'e> = BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>;

impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    /// Reads all rows before it returns the first, so that the connection can return to the pool.
    fn fetch_many<'e, 'q: 'e, E: 'q + Execute<'q, Postgres>>(self, query: E) -> StepStream<'e>
    where
        'p: 'e,
    {
        let steps = async move {
            let mut connection = self.acquire().await?;
            let steps: Vec<_> = connection.fetch_many(query).try_collect().await?;
            drop(connection.0.take());
            Ok::<_, sqlx::Error>(stream::iter(steps.into_iter().map(Ok)))
        };
        stream::once(steps).try_flatten().boxed()
    }

    fn execute<'e, 'q: 'e, E: 'q + Execute<'q, Postgres>>(self, query: E) -> ResultFuture<'e>
    where
        'p: 'e,
    {
        Box::pin(async move {
            let mut connection = self.acquire().await?;
            let result = connection.execute(query).await?;
            drop(connection.0.take());
            Ok(result)
        })
    }

    fn fetch_optional<'e, 'q: 'e, E: 'q + Execute<'q, Postgres>>(self, query: E) -> RowFuture<'e>
    where
        'p: 'e,
    {
        Box::pin(async move {
            let mut connection = self.acquire().await?;
            let row = connection.fetch_optional(query).await?;
            drop(connection.0.take());
            Ok(row)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, types: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire().await?.prepare_with(sql, types).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, sqlx::Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire().await?.describe(sql).await })
    }
}

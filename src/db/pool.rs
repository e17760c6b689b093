//! The connections that all requests share: deadpool lends them out, and here stands what a good one is.
//!
//! sqlx has a pool of its own. It asks the server a question whenever a connection comes back, and waits for the answer
//! without end (sqlx's issue 4349): a round trip more for each statement, and connections lost to a server that went
//! silent. Here a connection that answered its statement in full goes back as it is. All others (a transaction, a
//! statement given up in the middle or refused) are asked first, for a limited time.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleResult, WeakPool};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::postgres::{PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Connection, Either, Execute, Executor, PgConnection, Postgres, SqlStr};
use tokio::runtime::Handle;
use tokio::time::{interval, timeout};

/// How long a connection may rest and be taken for alive without a question.
const FRESH: Duration = Duration::from_secs(1);
/// How long a connection may take to answer whether it is there.
const ANSWER: Duration = Duration::from_secs(1);
/// How long a connection may rest before it ends.
const REST: Duration = Duration::from_secs(300);
/// How long a connection lives: the server's share of one grows with what it was asked.
const LIFE: Duration = Duration::from_secs(30 * 60);

/// The connections that all requests share; a clone shares them too. Statements run on it as on a connection.
#[derive(Clone)]
pub struct Pool {
    connections: managed::Pool<Server>,
    patience: Duration,
}

impl Pool {
    /// At most `limit` connections, made when they are first asked for; who asks waits no longer than `patience`.
    pub(super) fn new(options: PgConnectOptions, limit: u32, patience: Duration) -> Self {
        let connections = managed::Pool::builder(Server { options, patience: patience.mul_f32(0.9) })
            .max_size(limit as usize)
            // The last one used is used next, so that those beyond the need can end.
            .queue_mode(QueueMode::Lifo)
            .build()
            .expect("a pool without time limits needs no runtime");
        tokio::spawn(end_resting(connections.weak()));
        Self { connections, patience }
    }

    /// Lends a connection for more than one statement.
    pub(super) async fn acquire(&self) -> Result<Lent, sqlx::Error> {
        match timeout(self.patience, self.connections.get()).await {
            Ok(Ok(connection)) => Ok(Lent(Some(connection))),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(_)) => Err(sqlx::Error::PoolClosed),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// How many connections rest, and how many are in use.
    pub fn connections(&self) -> (i64, i64) {
        let status = self.connections.status();
        (status.available as i64, (status.size - status.available) as i64)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.connections.status()).finish()
    }
}

/// Ends connections that nobody needed for a while, as long as there is a pool.
async fn end_resting(pool: WeakPool<Server>) {
    let mut minutes = interval(REST / 5);
    loop {
        minutes.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        for connection in pool.retain(|_, used| used.last_used() < REST).removed {
            let _ = timeout(ANSWER, connection.close()).await;
        }
    }
}

/// Where connections come from.
struct Server {
    options: PgConnectOptions,
    /// How long to try while it is starting.
    patience: Duration,
}

impl managed::Manager for Server {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(10))
            .with_max_delay(Duration::from_millis(500))
            .without_max_times()
            .with_total_delay(Some(self.patience));
        (|| PgConnection::connect_with(&self.options)).retry(pauses).when(starting).await
    }

    /// Who uses a connection all the time does not ask each time; a server that was restarted costs those an error who
    /// come within [`FRESH`], and nobody else.
    async fn recycle(&self, connection: &mut PgConnection, used: &Metrics) -> RecycleResult<sqlx::Error> {
        if used.age() > LIFE {
            return Err(managed::RecycleError::message("old"));
        }
        if used.last_used() > FRESH && !answers(connection).await {
            return Err(managed::RecycleError::message("dead"));
        }
        Ok(())
    }
}

/// Whether a server that refuses a connection will take one in a moment.
fn starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(told) => told.is_transient_in_connect_phase(),
        _ => false,
    }
}

/// Whether a connection is there, and through with all that it was asked.
async fn answers(connection: &mut PgConnection) -> bool {
    timeout(ANSWER, connection.ping()).await.is_ok_and(|answer| answer.is_ok())
}

/// A connection on loan. When it is dropped it is asked whether it is well, which also sends what a transaction
/// that was given up left to be sent, and goes back if it is.
pub(super) struct Lent(Option<Object<Server>>);

impl Lent {
    /// Takes the connection out of the pool for good.
    pub(super) fn detach(mut self) -> PgConnection {
        Object::take(self.0.take().expect("lent until it is dropped"))
    }

    /// Gives a connection back that has answered all it was asked.
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        let settled = async move {
            if !answers(&mut connection).await {
                // A server that is silent here is silent on those that rest, too.
                if let Some(pool) = Object::pool(&connection) {
                    pool.retain(|_, _| false);
                }
                drop(Object::take(connection));
            }
        };
        // Without a runtime the program ends, and so does the connection.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(settled);
        }
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("lent until it is dropped")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("lent until it is dropped")
    }
}

impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    /// All rows are read before the first is handed on, so that the connection is free again.
    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let steps = async move {
            let mut connection = self.acquire().await?;
            let steps: Vec<_> = connection.fetch_many(query).try_collect().await?;
            connection.give_back();
            Ok::<_, sqlx::Error>(stream::iter(steps.into_iter().map(Ok)))
        };
        stream::once(steps).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let mut connection = self.acquire().await?;
            let row = connection.fetch_optional(query).await?;
            connection.give_back();
            Ok(row)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire().await?.prepare_with(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, sqlx::Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire().await?.describe(sql).await })
    }
}

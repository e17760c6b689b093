//! What the doctor wants to know of the database, and of what is noted in it about asking Spotify.

use sqlx::migrate::{Migrate, MigrateError};
use time::{Date, OffsetDateTime};

use super::{Error, Pool};

/// The server and the state of its tables.
#[derive(Debug)]
pub struct Schema {
    /// Postgres's version as it tells it, such as `16.4`.
    pub version: String,
    /// The same as a number, such as 160004.
    pub version_number: i32,
    /// How many migrations ran.
    pub applied: usize,
    /// How many this program knows that did not run yet.
    pub pending: usize,
    /// How many ran that this program does not know: a newer release was here.
    pub ahead: usize,
    /// How many ran with another text than this program knows.
    pub changed: usize,
}

/// A time in which nobody asks Spotify.
#[derive(Debug)]
pub struct Cooldown {
    /// What must not be asked; `all` for everything.
    pub bucket: String,
    /// When it ends.
    pub until: OffsetDateTime,
    /// Whether it is the allowance of the day that is used up.
    pub quota: bool,
}

/// Looks at the server and its tables, and changes nothing.
pub async fn schema(pool: &Pool) -> Result<Schema, Error> {
    let mut connection = pool.acquire().await?;
    let server = sqlx::query!(
        r#"select current_setting('server_version') as "version!", current_setting('server_version_num')::integer as "number!""#
    );
    let server = server.fetch_one(&mut *connection).await?;
    let ran = match connection.list_applied_migrations("_sqlx_migrations").await {
        Ok(ran) => ran,
        // undefined_table: no migration ever ran here.
        Err(MigrateError::Execute(sqlx::Error::Database(told))) if told.code().as_deref() == Some("42P01") => {
            Vec::new()
        }
        Err(MigrateError::Execute(error)) => return Err(error.into()),
        Err(error) => return Err(Error::Query(error.into())),
    };
    let known = super::migrating::migrations();
    let find = |version| known.iter().find(|migration| migration.version == version);
    let ahead = ran.iter().filter(|ran| find(ran.version).is_none()).count();
    Ok(Schema {
        version: server.version,
        version_number: server.number,
        applied: ran.len(),
        pending: known.iter().filter(|known| ran.iter().all(|ran| ran.version != known.version)).count(),
        ahead,
        changed: ran.iter().filter(|ran| find(ran.version).is_some_and(|known| known.checksum != ran.checksum)).count(),
    })
}

/// How a follower stands.
#[derive(Debug)]
pub struct Follower {
    /// Whether it copies another server.
    pub copies: bool,
    /// How old the last change is that it copied, in seconds; none: it copied nothing yet.
    pub behind: Option<f64>,
}

/// Looks at a follower.
pub async fn follower(pool: &Pool) -> Result<Follower, Error> {
    let mut connection = pool.acquire().await?;
    let follower = sqlx::query_as!(
        Follower,
        r#"select pg_is_in_recovery() as "copies!",
                  extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 as behind"#
    );
    Ok(follower.fetch_one(&mut *connection).await?)
}

/// What must not be asked now, and until when.
pub async fn cooldowns(pool: &Pool, now: OffsetDateTime) -> Result<Vec<Cooldown>, Error> {
    let rows = sqlx::query_as!(
        Cooldown,
        "select bucket, until, quota from cooldowns where until > $1 order by until desc",
        now
    );
    Ok(rows.fetch_all(pool).await?)
}

/// How often each endpoint of Spotify was asked on `day` (UTC), most often first.
pub async fn calls(pool: &Pool, day: Date) -> Result<Vec<(String, i64)>, Error> {
    let rows =
        sqlx::query!("select endpoint, calls from spotify_calls where day = $1 order by calls desc, endpoint", day);
    Ok(rows.fetch_all(pool).await?.into_iter().map(|row| (row.endpoint, row.calls)).collect())
}

/// How many people have an account here.
pub async fn people(pool: &Pool) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from users"#).fetch_one(pool).await?)
}

/// Counts all hearts, by the last roll-up.
pub async fn hearts(pool: &Pool) -> Result<i64, Error> {
    let sum = sqlx::query_scalar!(r#"select coalesce(sum(hearts), 0)::bigint as "hearts!" from heart_counts"#);
    Ok(sum.fetch_one(pool).await?)
}

/// How many sessions have not ended.
pub async fn sessions(pool: &Pool, now: OffsetDateTime) -> Result<i64, Error> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from sessions where expires_at > $1"#, now);
    Ok(count.fetch_one(pool).await?)
}

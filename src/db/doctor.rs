//! Queries of the doctor.

use sqlx::migrate::{Migrate, MigrateError};

use super::{Error, Pool, Result};

#[derive(Debug)]
pub struct SchemaStatus {
    /// Postgres's version, such as `16.4`.
    pub version: String,
    /// The version as a number, such as 160004.
    pub version_number: i32,
    pub applied: usize,
    /// The number of migrations in this binary that are not applied.
    pub pending: usize,
    /// The number of applied migrations that this binary does not know, because a newer release applied them.
    pub ahead: usize,
    /// The number of migrations whose text has changed since they were applied.
    pub changed: usize,
}

/// Compares the applied migrations with those in this binary.
pub async fn schema_status(pool: &Pool) -> Result<SchemaStatus> {
    let mut connection = pool.acquire().await?;
    let query = sqlx::query!(
        r#"select current_setting('server_version') as "version!", current_setting('server_version_num')::integer as "number!""#
    );
    let server = query.fetch_one(&mut *connection).await?;
    let applied = match connection.list_applied_migrations("_sqlx_migrations").await {
        Ok(applied) => applied,
        // undefined_table: no migration has ever been applied.
        Err(MigrateError::Execute(sqlx::Error::Database(error))) if error.code().as_deref() == Some("42P01") => {
            Vec::new()
        }
        Err(MigrateError::Execute(error)) => return Err(error.into()),
        Err(error) => return Err(Error::Query(error.into())),
    };
    let known = super::migrate::migrations();
    let find = |version| known.iter().find(|migration| migration.version == version);
    let ahead = applied.iter().filter(|applied| find(applied.version).is_none()).count();
    Ok(SchemaStatus {
        version: server.version,
        version_number: server.number,
        applied: applied.len(),
        pending: known.iter().filter(|known| applied.iter().all(|applied| applied.version != known.version)).count(),
        ahead,
        changed: applied
            .iter()
            .filter(|applied| find(applied.version).is_some_and(|known| known.checksum != applied.checksum))
            .count(),
    })
}

#[derive(Debug)]
pub struct ReplicaStatus {
    pub is_replica: bool,
    /// Age of the last replicated change in seconds; `None` if there is none yet.
    pub lag_seconds: Option<f64>,
}

pub async fn replica_status(pool: &Pool) -> Result<ReplicaStatus> {
    let query = sqlx::query_as!(
        ReplicaStatus,
        r#"select pg_is_in_recovery() as "is_replica!",
                  extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 as lag_seconds"#
    );
    Ok(query.fetch_one(pool).await?)
}

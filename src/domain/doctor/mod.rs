//! The doctor: checks settings, database and Spotify, and reports its findings, their consequences and how to fix them.
//!
//! It changes nothing and never prints a secret. `heartlist doctor` and the page `/setup` show the same findings.

mod database;
mod finding;
mod settings;
mod spotify;

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::timeout;

use super::Result;
use crate::app::App;
use crate::db::cooldowns::{self, Cooldown};
use crate::db::{self, Pool};
pub use finding::{Finding, RequestContext, Status, count};

const CLUSTER_TIMEOUT: Duration = Duration::from_secs(10);

pub async fn examine(app: &App, context: &RequestContext) -> Vec<Finding> {
    let mut findings = settings::examine(app, context);
    let schema = db::doctor::schema_status(&app.db).await;
    findings.extend(database::examine(&schema, app.config.dyno));
    if schema.is_ok() {
        let cluster = timeout(CLUSTER_TIMEOUT, db::distribution::examine(&app.db)).await;
        findings.extend(database::check_cluster(cluster.ok(), app.config.distribute));
    }
    if let Some(replica) = &app.replica {
        findings.push(database::check_replica(&db::doctor::replica_status(replica.pool()).await));
    }
    findings.extend(spotify::examine(app, context, schema.is_ok()).await);
    findings
}

pub struct Metrics {
    /// Today's calls for each endpoint.
    pub calls: Vec<(String, i64)>,
    /// The active ones with their buckets.
    pub cooldowns: Vec<(String, Cooldown)>,
    pub hearts: i64,
    pub sessions: i64,
    /// Connections of this process.
    pub idle_connections: i64,
    pub used_connections: i64,
}

/// True if the database answers and all migrations of this binary are applied.
pub async fn is_ready(app: &App) -> Result<bool> {
    let schema = db::doctor::schema_status(&app.db).await?;
    Ok(schema.pending == 0 && schema.changed == 0)
}

pub async fn load_metrics(app: &App, now: OffsetDateTime) -> Result<Metrics> {
    app.spotify_calls.flush(&app.db).await?;
    let calls = db::spotify_calls::count(&app.db, now.date()).await?;
    let cooldowns = cooldowns::list_active(&app.db, now).await?;
    let (hearts, sessions) = count_rows(app, now).await?;
    let [(idle, used), (idle_searches, searches)] = [&app.db, &app.search_db].map(Pool::connections);
    let (idle_connections, used_connections) = (idle + idle_searches, used + searches);
    Ok(Metrics { calls, cooldowns, hearts, sessions, idle_connections, used_connections })
}

/// Counts hearts and sessions. This reads whole tables, so it uses the replica if possible.
async fn count_rows(app: &App, now: OffsetDateTime) -> Result<(i64, i64)> {
    let count = async |pool: &Pool| Ok((db::heart_counts::sum(pool).await?, db::sessions::count(pool, now).await?));
    if let Some(replica) = &app.replica
        && let Some(counts) = replica.read(now, count).await
    {
        return Ok(counts);
    }
    Ok(count(&app.db).await?)
}

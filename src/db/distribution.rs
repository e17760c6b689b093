//! Distributes the tables over the nodes of a Citus cluster.
//!
//! A user's hearts, playlists and library state are stored together on one node, by `user_id`. `users` is a reference
//! table, copied to every node, so that those rows can refer to it. All other tables stay on the coordinator. The app's
//! statements are the same with and without Citus (docs/growth.md).
//!
//! The statements here are not checked at build time: plain Postgres has none of these functions.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::Pool;

/// Distributed by `user_id`; they have foreign keys to `users`.
pub const DISTRIBUTED: [&str; 5] = ["user_hearts", "playlists", "libraries", "heart_changes", "news"];
pub const REFERENCE: &str = "users";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database has no extension citus: run `create extension citus` in it, on every node")]
    NoExtension,
    #[error("DATABASE_URL names a worker: tables are distributed from the coordinator")]
    NotCoordinator,
    #[error("the cluster has no node that takes shards: add one with `select citus_add_node('HOST', PORT)`")]
    NoNodes,
    #[error("the table {0} is distributed in another way: undo that with `select undistribute_table('{0}')`")]
    Differs(&'static str),
    /// Citus failed, or the database is unavailable.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Distributes the tables that are not distributed yet, all or none. Rows stay. Running it again changes nothing.
pub async fn distribute(pool: &Pool) -> Result<(), Error> {
    // The connection is closed afterwards, whatever state a failure left it in.
    let mut connection = pool.acquire().await?.detach();
    let outcome = distribute_on(&mut connection).await;
    let _ = connection.close().await;
    outcome
}

async fn distribute_on(connection: &mut PgConnection) -> Result<(), Error> {
    check_cluster(connection).await?;
    let mut tx = connection.begin().await?;
    // Sequentially, because the tables refer to one that is on all nodes. Local tables stay local: Citus would
    // convert those that refer to `users`, and then not distribute any with an identity column.
    let settings = "set local statement_timeout = 0;
                    set local citus.multi_shard_modify_mode = 'sequential';
                    set local citus.enable_local_reference_table_foreign_keys = off";
    sqlx::raw_sql(settings).execute(&mut *tx).await?;
    drop_foreign_keys(&mut tx).await?;
    if !is_distributed(&mut tx, REFERENCE, "n").await? {
        sqlx::query("select create_reference_table($1)").bind(REFERENCE).execute(&mut *tx).await?;
    }
    for table in DISTRIBUTED {
        if !is_distributed(&mut tx, table, "h").await? {
            // Views prevent the distribution, and only the previous release needs these, which does not run on Citus.
            sqlx::raw_sql("drop view if exists hearts; drop view if exists removed_hearts").execute(&mut *tx).await?;
            let colocate_with = if table == DISTRIBUTED[0] { "default" } else { DISTRIBUTED[0] };
            let distribute = "select create_distributed_table($1, 'user_id', colocate_with => $2)";
            sqlx::query(distribute).bind(table).bind(colocate_with).execute(&mut *tx).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Drops the foreign keys from the coordinator's tables to `users`. On Citus they do not cascade, and two inserts at
/// once deadlock while they are checked (Citus 13.2: four of five, with eight clients). `users::delete_rows` names
/// these tables.
async fn drop_foreign_keys(connection: &mut PgConnection) -> Result<(), Error> {
    let sql = "select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint
                      where contype = 'f' and confrelid = $1::regclass and conrelid <> all ($2::regclass[])";
    let query = sqlx::query_scalar(sql).bind(REFERENCE).bind(&DISTRIBUTED[..]);
    let statements: Vec<String> = query.fetch_all(&mut *connection).await?;
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn check_cluster(connection: &mut PgConnection) -> Result<(), Error> {
    if citus_version(connection).await?.is_none() {
        return Err(Error::NoExtension);
    }
    let group: i32 = sqlx::query_scalar("select groupid from pg_dist_local_group").fetch_one(&mut *connection).await?;
    if group != 0 {
        return Err(Error::NotCoordinator);
    }
    let nodes = "select count(*) from pg_dist_node where shouldhaveshards and noderole = 'primary' and isactive";
    let nodes: i64 = sqlx::query_scalar(nodes).fetch_one(connection).await?;
    if nodes == 0 { Err(Error::NoNodes) } else { Ok(()) }
}

/// Returns Citus's version; `None` if the database lacks the extension.
async fn citus_version(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("select extversion from pg_extension where extname = 'citus'").fetch_optional(connection).await
}

/// Returns whether a table is distributed already. `method` is Citus's partition method: `n` for a reference table, `h`
/// for a table that is distributed by hash.
async fn is_distributed(connection: &mut PgConnection, table: &'static str, method: &str) -> Result<bool, Error> {
    let query = "select p.partmethod::text || ' ' || coalesce(column_to_column_name(p.logicalrelid, p.partkey), '')
                 from pg_dist_partition p where p.logicalrelid = $1::regclass";
    let found: Option<String> = sqlx::query_scalar(query).bind(table).fetch_optional(connection).await?;
    match found.as_deref().and_then(|found| found.split_once(' ')) {
        None => Ok(false),
        Some((found, column)) if found == method && (method == "n" || column == "user_id") => Ok(true),
        Some(_) => Err(Error::Differs(table)),
    }
}

#[derive(Debug)]
pub struct Cluster {
    pub version: String,
    /// The worker nodes, as `host:port`.
    pub nodes: Vec<String>,
    pub down: Vec<String>,
    /// Tables that should be distributed but are not.
    pub undistributed: Vec<&'static str>,
}

/// Checks the cluster; `None` on plain Postgres.
pub async fn examine(pool: &Pool) -> Result<Option<Cluster>, Error> {
    let mut connection = pool.acquire().await?;
    let Some(version) = citus_version(&mut connection).await? else { return Ok(None) };
    let nodes = "select nodename || ':' || nodeport from pg_dist_node where groupid <> 0 order by 1";
    let nodes: Vec<String> = sqlx::query_scalar(nodes).fetch_all(&mut *connection).await?;
    // As seen by the coordinator: a node that is down reports all others as down.
    let health = "select to_nodename || ':' || to_nodeport from citus_check_cluster_node_health()
                  where (from_nodename, from_nodeport) in (select nodename, nodeport from pg_dist_node where groupid = 0)
                        and result is distinct from true";
    let down: Vec<String> = sqlx::query_scalar(health).fetch_all(&mut *connection).await?;
    let mut undistributed = Vec::new();
    for (table, method) in [(REFERENCE, "n")].into_iter().chain(DISTRIBUTED.map(|table| (table, "h"))) {
        if !is_distributed(&mut connection, table, method).await? {
            undistributed.push(table);
        }
    }
    let down = nodes.iter().filter(|node| down.contains(node)).cloned().collect();
    Ok(Some(Cluster { version, nodes, down, undistributed }))
}

//! Checks of the database, its tables, the cluster and the replica.

use super::finding::{Check, Finding};
use crate::count::pluralize;
use crate::db::Error;
use crate::db::distribution::{self, Cluster};
use crate::db::doctor::{ReplicaStatus, SchemaStatus};

/// The oldest supported version of Postgres: 14 ended in November 2026 (postgresql.org/support/versioning).
const MIN_VERSION: i32 = 150_000;

const DATABASE: Check = Check(
    "Database",
    "Hearts, accounts and sessions are its rows. Without it, every page says that it cannot be reached.",
);

pub(super) fn examine(schema: &Result<SchemaStatus, Error>, is_dyno: bool) -> Vec<Finding> {
    let fix = "Check that the server in DATABASE_URL is running, and that its address, user and password are right.";
    match schema {
        Ok(schema) => vec![check_server(schema), check_tables(schema, is_dyno)],
        Err(error) => vec![DATABASE.bad(format!("It cannot be used: {error}.")).with_fix(fix)],
    }
}

fn check_server(schema: &SchemaStatus) -> Finding {
    let message = format!("Postgres {} answers.", schema.version);
    if schema.version_number >= MIN_VERSION {
        return DATABASE.good(message);
    }
    let rationale = "Postgres versions are maintained for five years; this one no longer gets fixes.";
    Finding { rationale, ..DATABASE.note(message) }.with_fix("Move to a newer Postgres when you can: 15 or later.")
}

fn check_tables(schema: &SchemaStatus, is_dyno: bool) -> Finding {
    let SchemaStatus { applied, pending, ahead, changed, .. } = *schema;
    let tables =
        Check("Tables", "The program and its tables must match: pages fail where a table or a column is missing.");
    if changed > 0 {
        let changed = pluralize(changed, "migration");
        return tables
            .bad(format!("{changed} ran with a different text from the one this program knows."))
            .with_fix("Run the release that made these tables, or restore a backup and bring that up to date.");
    }
    if pending > 0 {
        let message = format!("{} still to run; {applied} ran.", pluralize(pending, "migration"));
        let finding = match is_dyno {
            true => tables.bad(message),
            false => tables.note(format!("{message} They run when the server next starts.")),
        };
        return finding.with_fix("Run `heartlist migrate`; running it twice does no harm.");
    }
    if ahead > 0 {
        let ahead = pluralize(ahead, "migration");
        let rationale = "An older release still works, as long as nothing it needs was removed.";
        let message = format!("{ahead} ran that this program does not know: a newer release has been here.");
        return Finding { rationale, ..tables.note(message) }
            .with_fix("Nothing, if you rolled back on purpose. Otherwise run the newer release.");
    }
    tables.good(format!("Up to date: {} ran, none is missing.", pluralize(applied, "migration")))
}

const CLUSTER: Check = Check(
    "Cluster",
    "Each person's hearts and playlists are on one node. While it is down, they get an error page; nobody else does, \
     but new people cannot sign up.",
);

/// Checks the cluster; `None` on plain Postgres. `cluster` is `None` if its nodes did not answer in time.
pub(super) fn check_cluster(
    cluster: Option<Result<Option<Cluster>, distribution::Error>>,
    is_enabled: bool,
) -> Option<Finding> {
    Some(match cluster {
        None => CLUSTER.bad("Its nodes did not answer in time.").with_fix("Check that all nodes are running."),
        Some(Err(error)) => CLUSTER.bad(format!("It cannot be examined: {error}.")),
        Some(Ok(None)) if is_enabled => CLUSTER
            .bad("DISTRIBUTE is set, but the database has no extension citus.")
            .with_fix("Run `create extension citus` on every node, or remove the setting."),
        Some(Ok(None)) => return None,
        Some(Ok(Some(cluster))) => check_nodes(&cluster),
    })
}

fn check_nodes(cluster: &Cluster) -> Finding {
    let Cluster { version, nodes, down, undistributed } = cluster;
    let summary = format!("Citus {version} with {}", pluralize(nodes.len(), "worker node"));
    if !down.is_empty() {
        let message = format!("{summary}, of which {} does not answer.", down.join(", "));
        return CLUSTER.bad(message).with_fix("Start that node, or look into its log.");
    }
    if undistributed.is_empty() {
        return CLUSTER.good(format!("{summary}; all answer, and the tables are distributed."));
    }
    CLUSTER
        .note(format!("{summary}; not distributed: {}.", undistributed.join(", ")))
        .with_fix("Set DISTRIBUTE=citus and run `heartlist migrate`.")
}

/// Without traffic the last change is as old as the last update of the top lists, which happens at this interval.
const MAX_REPLICA_LAG_SECONDS: f64 = 60.0;

pub(super) fn check_replica(replica: &Result<ReplicaStatus, Error>) -> Finding {
    let check = Check(
        "Replica",
        "It answers reads that may lag a little. While it is down the database is read instead, so nothing fails.",
    );
    match replica {
        Err(error) => check
            .note(format!("It cannot be used: {error}."))
            .with_fix("Check that the server in READ_DATABASE_URL is running, or remove the setting."),
        Ok(ReplicaStatus { is_replica: false, .. }) => check
            .note("READ_DATABASE_URL names a server that is not a replica.")
            .with_fix("Name a standby of the server in DATABASE_URL, or remove the setting."),
        Ok(ReplicaStatus { lag_seconds: Some(behind), .. }) if *behind > MAX_REPLICA_LAG_SECONDS => check
            .note(format!("The last change it replicated is {behind:.0} seconds old."))
            .with_fix("Find out why it lags, unless no server is running at the moment."),
        Ok(_) => check.good("It replicates the database."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn pending_migrations_are_bad_only_on_heroku() {
        let status = |pending, ahead, changed, is_dyno| {
            let schema =
                SchemaStatus { version: "16.4".into(), version_number: 160_004, applied: 6, pending, ahead, changed };
            check_tables(&schema, is_dyno).status
        };
        assert_eq!(status(0, 0, 0, true), Status::Good);
        assert_eq!(status(1, 0, 0, false), Status::Note);
        assert_eq!(status(1, 0, 0, true), Status::Bad);
        assert_eq!(status(0, 1, 0, true), Status::Note);
        assert_eq!(status(0, 0, 1, false), Status::Bad);
    }
}

//! Checks of the database, its tables, the cluster and the replica.

use super::finding::Finding;
use crate::db::Error;
use crate::db::distribution::{self, Cluster};
use crate::db::doctor::{ReplicaStatus, SchemaStatus};

/// The oldest supported version of Postgres: 14 ended in November 2026 (postgresql.org/support/versioning).
const MIN_VERSION: i32 = 150_000;

pub(super) fn examine(schema: &Result<SchemaStatus, Error>, is_dyno: bool) -> Vec<Finding> {
    match schema {
        Ok(schema) => vec![check_server(schema), check_tables(schema, is_dyno)],
        Err(error) => {
            vec![Finding::bad("Database", format!("It cannot be used: {error}."), DATABASE_RATIONALE).with_fix(
                "Check that the server in DATABASE_URL is running, and that its address, user and password are right.",
            )]
        }
    }
}

const DATABASE_RATIONALE: &str =
    "Hearts, accounts and sessions are its rows. Without it, every page says that it cannot be reached.";

fn check_server(schema: &SchemaStatus) -> Finding {
    let message = format!("Postgres {} answers.", schema.version);
    match schema.version_number < MIN_VERSION {
        true => Finding::note(
            "Database",
            message,
            "Postgres versions are maintained for five years; this one no longer gets fixes.",
        )
        .with_fix("Move to a newer Postgres when you can: 15 or later."),
        false => Finding::good("Database", message, DATABASE_RATIONALE),
    }
}

fn check_tables(schema: &SchemaStatus, is_dyno: bool) -> Finding {
    let SchemaStatus { applied, pending, ahead, changed, .. } = *schema;
    let rationale = "The program and its tables must match: pages fail where a table or a column is missing.";
    if changed > 0 {
        let message =
            format!("{} ran with a different text from the one this program knows.", format_migrations(changed));
        return Finding::bad("Tables", message, rationale)
            .with_fix("Run the release that made these tables, or restore a backup and bring that up to date.");
    }
    if pending > 0 {
        let message = format!("{} still to run; {applied} ran.", format_migrations(pending));
        let finding = match is_dyno {
            true => Finding::bad("Tables", message, rationale),
            false => Finding::note("Tables", format!("{message} They run when the server next starts."), rationale),
        };
        return finding.with_fix("Run `heartlist migrate`; running it twice does no harm.");
    }
    if ahead > 0 {
        let message =
            format!("{} ran that this program does not know: a newer release has been here.", format_migrations(ahead));
        return Finding::note(
            "Tables",
            message,
            "An older release still works, as long as nothing it needs was removed.",
        )
        .with_fix("Nothing, if you rolled back on purpose. Otherwise run the newer release.");
    }
    Finding::good("Tables", format!("Up to date: {} ran, none is missing.", format_migrations(applied)), rationale)
}

/// Checks the cluster; `None` on plain Postgres. `cluster` is `None` if its nodes did not answer in time.
pub(super) fn check_cluster(
    cluster: Option<Result<Option<Cluster>, distribution::Error>>,
    is_enabled: bool,
) -> Option<Finding> {
    let rationale = "Each person's hearts and playlists are on one node. While it is down, they get an error page; nobody else does, \
               but new people cannot sign up.";
    let finding = |message: String| Finding::bad("Cluster", message, rationale);
    let cluster = match cluster {
        None => {
            return Some(
                finding("Its nodes did not answer in time.".into()).with_fix("Check that all nodes are running."),
            );
        }
        Some(Err(error)) => return Some(finding(format!("It cannot be examined: {error}."))),
        Some(Ok(None)) if is_enabled => {
            return Some(
                finding("DISTRIBUTE is set, but the database has no extension citus.".into())
                    .with_fix("Run `create extension citus` on every node, or remove the setting."),
            );
        }
        Some(Ok(None)) => return None,
        Some(Ok(Some(cluster))) => cluster,
    };
    let summary = format!("Citus {} with {}", cluster.version, format_nodes(cluster.nodes.len()));
    if !cluster.down.is_empty() {
        let message = format!("{summary}, of which {} does not answer.", cluster.down.join(", "));
        return Some(finding(message).with_fix("Start that node, or look into its log."));
    }
    if cluster.undistributed.is_empty() {
        return Some(Finding::good(
            "Cluster",
            format!("{summary}; all answer, and the tables are distributed."),
            rationale,
        ));
    }
    let message = format!("{summary}; not distributed: {}.", cluster.undistributed.join(", "));
    Some(Finding::note("Cluster", message, rationale).with_fix("Set DISTRIBUTE=citus and run `heartlist migrate`."))
}

fn format_nodes(count: usize) -> String {
    format!("{count} worker node{}", if count == 1 { "" } else { "s" })
}

/// Without traffic the last change is as old as the last update of the top lists, which happens at this interval.
const MAX_REPLICA_LAG_SECONDS: f64 = 60.0;

pub(super) fn check_replica(replica: &Result<ReplicaStatus, Error>) -> Finding {
    let rationale =
        "It answers reads that may lag a little. While it is down the database is read instead, so nothing fails.";
    let finding = |message| Finding::note("Replica", message, rationale);
    match replica {
        Err(error) => finding(format!("It cannot be used: {error}."))
            .with_fix("Check that the server in READ_DATABASE_URL is running, or remove the setting."),
        Ok(ReplicaStatus { is_replica: false, .. }) => {
            finding("READ_DATABASE_URL names a server that is not a replica.".into())
                .with_fix("Name a standby of the server in DATABASE_URL, or remove the setting.")
        }
        Ok(ReplicaStatus { lag_seconds: Some(behind), .. }) if *behind > MAX_REPLICA_LAG_SECONDS => {
            finding(format!("The last change it replicated is {behind:.0} seconds old."))
                .with_fix("Find out why it lags, unless no server is running at the moment.")
        }
        Ok(_) => Finding::good("Replica", "It replicates the database.", rationale),
    }
}

fn format_migrations(count: usize) -> String {
    format!("{count} migration{}", if count == 1 { "" } else { "s" })
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

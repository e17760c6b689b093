//! How the database stands, and its tables.

use super::Finding;
use crate::db::Error;
use crate::db::doctor::{Follower, Schema};

/// The oldest Postgres that its makers still mend: 14 ended in November 2026 (postgresql.org/support/versioning).
const OLDEST: i32 = 150_000;

pub(super) fn findings(schema: &Result<Schema, Error>, dyno: bool) -> Vec<Finding> {
    match schema {
        Ok(schema) => vec![server(schema), tables(schema, dyno)],
        Err(error) => vec![
            Finding::bad("Database", format!("It cannot be used: {error}."), KEEPS)
                .mend("Check that the server of DATABASE_URL runs, and that address, user and password are right."),
        ],
    }
}

const KEEPS: &str = "Hearts, accounts and sessions are its rows. Without it, every page says that it is away.";

fn server(schema: &Schema) -> Finding {
    let what = format!("Postgres {} answers.", schema.version);
    match schema.version_number < OLDEST {
        true => {
            Finding::note("Database", what, "Its makers mend versions for five years; this one gets no more repairs.")
                .mend("Move to a newer Postgres when you can: 15 or later.")
        }
        false => Finding::good("Database", what, KEEPS),
    }
}

fn tables(schema: &Schema, dyno: bool) -> Finding {
    let Schema { applied, pending, ahead, changed, .. } = *schema;
    let why = "The program and its tables must fit: pages fail where a table or a column is missing.";
    if changed > 0 {
        let what = format!("{} ran with another text than this program knows.", migrations(changed));
        return Finding::bad("Tables", what, why)
            .mend("Serve the release that made these tables, or restore a backup; then bring that one up to date.");
    }
    if pending > 0 {
        let what = format!("{} still to run; {applied} ran.", migrations(pending));
        let finding = match dyno {
            true => Finding::bad("Tables", what, why),
            false => Finding::note("Tables", format!("{what} The next start of the server runs them."), why),
        };
        return finding.mend("Run `heartlist migrate`; running it twice does no harm.");
    }
    if ahead > 0 {
        let what = format!("{} ran that this program does not know: a newer release was here.", migrations(ahead));
        return Finding::note(
            "Tables",
            what,
            "An older release serves all the same, as long as nothing it needs was taken away.",
        )
        .mend("Nothing, if you went back on purpose. Otherwise serve the newer release.");
    }
    Finding::good("Tables", format!("Up to date: {} ran, none is missing.", migrations(applied)), why)
}

/// How far a follower may be behind, in seconds: at rest the lists of most hearted playlists change this often.
const BEHIND: f64 = 60.0;

pub(super) fn follower(follower: &Result<Follower, Error>) -> Finding {
    let why = "It answers what may be a moment old. While it does not, the database itself is asked: nothing fails.";
    let finding = |what| Finding::note("Follower", what, why);
    match follower {
        Err(error) => finding(format!("It cannot be used: {error}."))
            .mend("Check that the server of READ_DATABASE_URL runs, or remove the setting."),
        Ok(Follower { copies: false, .. }) => finding("READ_DATABASE_URL leads to a server that copies none.".into())
            .mend("Name a standby of the server of DATABASE_URL, or remove the setting."),
        Ok(Follower { behind: Some(behind), .. }) if *behind > BEHIND => {
            finding(format!("The last change that it copied is {behind:.0} seconds old."))
                .mend("Look why it lags, unless nobody serves just now.")
        }
        Ok(_) => Finding::good("Follower", "It copies the database.", why),
    }
}

fn migrations(count: usize) -> String {
    format!("{count} migration{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn tables_may_be_behind_where_the_next_start_mends_it() {
        let state = |pending, ahead, changed, dyno| {
            let schema =
                Schema { version: "16.4".into(), version_number: 160_004, applied: 6, pending, ahead, changed };
            tables(&schema, dyno).state
        };
        assert_eq!(state(0, 0, 0, true), State::Good);
        assert_eq!(state(1, 0, 0, false), State::Note);
        assert_eq!(state(1, 0, 0, true), State::Bad);
        assert_eq!(state(0, 1, 0, true), State::Note);
        assert_eq!(state(0, 0, 1, false), State::Bad);
    }
}

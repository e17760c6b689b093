//! The limit of a heart: pgbench with tables and statements of its own, as a peer would write them.
//!
//! One transaction is the session by its key and one insert or delete, each committed by itself. Nothing here follows
//! the app's schema or statements, so the limit stays the same when those change.

use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sqlx::{Executor, PgPool};
use tempfile::NamedTempFile;

use crate::Options;
use crate::mixes::HEARTS_PER_PERSON;
use crate::postgres::Postgres;
use crate::wrk::Outcome;

const TABLES: &str = "
    create table peer_users (id bigint primary key, name text not null);
    create table peer_sessions (
        id text primary key,
        user_id bigint not null references peer_users on delete cascade,
        data text not null,
        expires_at timestamptz not null);
    create table peer_hearts (
        user_id bigint not null references peer_users on delete cascade,
        playlist_id text not null,
        created_at timestamptz not null default now(),
        primary key (user_id, playlist_id))";

/// Added to the number of a person and of a playlist, for ids about as long as the app's.
const SESSIONS: i64 = 1_000_000_000_000_000_000;
const PLAYLISTS: i64 = 2_000_000_000_000_000_000;

/// pgbench with its script.
pub(crate) struct Pgbench {
    script: NamedTempFile,
    server: Vec<String>,
    pool: PgPool,
}

/// Fails with a hint if pgbench is missing.
pub(crate) fn check_installed() -> Result<()> {
    let found = Command::new("pgbench").arg("--version").output();
    found.map(drop).context("pgbench is missing: it comes with Postgres (Debian: postgresql-contrib or postgresql)")
}

impl Pgbench {
    /// Makes the tables, `people` with sessions as large as the app's, and the script.
    pub(crate) async fn prepare(postgres: &Postgres, options: &Options) -> Result<Self> {
        let people = options.people as i64;
        let pool = postgres.pool.clone();
        pool.execute(TABLES).await?;
        let users = "insert into peer_users (id, name) select n, 'peer ' || n from generate_series(0, $1::int8 - 1) n";
        sqlx::query(users).bind(people).execute(&pool).await?;
        let sessions = "insert into peer_sessions (id, user_id, data, expires_at)
            select ($1::int8 + id)::text, id, repeat('x', (select max(length(sealed)) from sessions)),
                   now() + interval '1 day' from peer_users";
        sqlx::query(sessions).bind(SESSIONS).execute(&pool).await?;
        // The same number of hearts as in the app's mix. Each client has its own, so that every press changes a row:
        // it inserts all of them, then deletes all of them, and so on.
        let each = people * HEARTS_PER_PERSON as i64 / options.connections as i64;
        let mut script = NamedTempFile::new()?;
        write!(
            script,
            "\\set n :n + 1
\\set heart :client_id * {each} + :n % {each}
\\set user :heart % {people}
\\set session {SESSIONS} + :user
\\set playlist {PLAYLISTS} + :heart / {people}
select user_id, data, expires_at from peer_sessions where id = :session and expires_at > now();
\\if (:n / {each}) % 2 = 0
insert into peer_hearts (user_id, playlist_id) values (:user, :playlist) on conflict do nothing;
\\else
delete from peer_hearts where user_id = :user and playlist_id = :playlist;
\\endif
"
        )?;
        Ok(Self { script, server: postgres.libpq()?, pool })
    }

    /// Runs the script, as fast as it can or at a rate. pgbench reports no percentiles.
    pub(crate) async fn run(&self, options: &Options, rate: Option<f64>) -> Result<Outcome> {
        self.pool.execute("delete from peer_hearts").await?;
        let threads = options.connections.min(2);
        let mut pgbench = Command::new("pgbench");
        pgbench.args(["-n", "-M", "prepared", "-D", "n=-1"]);
        pgbench.args([format!("-c{}", options.connections), format!("-j{threads}"), format!("-T{}", options.seconds)]);
        pgbench.args(rate.map(|rate| format!("--rate={rate}")));
        pgbench.arg("-f").arg(self.script.path()).args(&self.server);
        let output = tokio::task::block_in_place(|| pgbench.output())?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "pgbench: {text}{}", String::from_utf8_lossy(&output.stderr));
        let number = |before: &str| {
            let rest = text.lines().find_map(|line| line.strip_prefix(before));
            rest.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).context(before.to_owned())
        };
        let (requests, rate) = (number("number of transactions actually processed:")?, number("tps =")?);
        Ok(Outcome {
            requests: requests as u64,
            presses: 0,
            seconds: requests / rate,
            p50: f64::NAN,
            p99: f64::NAN,
            checked: 0,
            page_bytes: f64::NAN,
            states: Vec::new(),
        })
    }
}

//! Upper bound for the rate of hearts: pgbench with tables and statements of its own.
//!
//! A transaction selects a session by its key, then inserts or deletes one row; each statement commits by itself. The
//! tables are independent of the app's schema, so the bound stays the same when that changes.

use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sqlx::{Executor, PgPool};
use tempfile::NamedTempFile;

use crate::options::Options;
use crate::outcome::Outcome;
use crate::postgres::Postgres;
use crate::workloads::HEARTS_PER_USER;

const CREATE_TABLES: &str = "
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

/// Smallest ids. Large, so that ids are about as long as the app's.
const FIRST_SESSION_ID: i64 = 1_000_000_000_000_000_000;
const FIRST_PLAYLIST_ID: i64 = 2_000_000_000_000_000_000;

/// The prepared tables and the script.
pub(crate) struct Pgbench {
    script: NamedTempFile,
    libpq_args: Vec<String>,
    pool: PgPool,
}

/// Fails with a hint if pgbench is missing.
pub(crate) fn check_installed() -> Result<()> {
    let output = Command::new("pgbench").arg("--version").output();
    output.map(drop).context("pgbench is missing: it comes with Postgres (Debian: postgresql-contrib or postgresql)")
}

impl Pgbench {
    /// Creates the tables, users with sessions as large as the app's, and the script.
    pub(crate) async fn prepare(postgres: &Postgres, options: &Options) -> Result<Self> {
        let user_count = options.users as i64;
        let pool = postgres.pool.clone();
        pool.execute(CREATE_TABLES).await?;
        let users = "insert into peer_users (id, name) select n, 'peer ' || n from generate_series(0, $1::int8 - 1) n";
        sqlx::query(users).bind(user_count).execute(&pool).await?;
        let sessions = "insert into peer_sessions (id, user_id, data, expires_at)
            select ($1::int8 + id)::text, id, repeat('x', (select max(length(sealed)) from sessions)),
                   now() + interval '1 day' from peer_users";
        sqlx::query(sessions).bind(FIRST_SESSION_ID).execute(&pool).await?;
        // As many hearts as in the workload `heart`. Each client inserts all of its own, then deletes them, and so on.
        // So every transaction changes a row.
        let hearts_per_client = user_count * HEARTS_PER_USER as i64 / options.connections as i64;
        let mut script = NamedTempFile::new()?;
        write!(
            script,
            "\\set n :n + 1
\\set heart :client_id * {hearts_per_client} + :n % {hearts_per_client}
\\set user :heart % {user_count}
\\set session {FIRST_SESSION_ID} + :user
\\set playlist {FIRST_PLAYLIST_ID} + :heart / {user_count}
select user_id, data, expires_at from peer_sessions where id = :session and expires_at > now();
\\if (:n / {hearts_per_client}) % 2 = 0
insert into peer_hearts (user_id, playlist_id) values (:user, :playlist) on conflict do nothing;
\\else
delete from peer_hearts where user_id = :user and playlist_id = :playlist;
\\endif
"
        )?;
        Ok(Self { script, libpq_args: postgres.libpq_args()?, pool })
    }

    /// Runs the script at `rate`, or as fast as possible. pgbench reports no percentiles.
    pub(crate) async fn run(&self, options: &Options, rate: Option<f64>) -> Result<Outcome> {
        self.pool.execute("delete from peer_hearts").await?;
        let threads = options.connections.min(2);
        let mut pgbench = Command::new("pgbench");
        pgbench.args(["-n", "-M", "prepared", "-D", "n=-1"]);
        pgbench.args([format!("-c{}", options.connections), format!("-j{threads}"), format!("-T{}", options.seconds)]);
        pgbench.args(rate.map(|rate| format!("--rate={rate}")));
        pgbench.arg("-f").arg(self.script.path()).args(&self.libpq_args);
        let output = tokio::task::block_in_place(|| pgbench.output())?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "pgbench: {text}{}", String::from_utf8_lossy(&output.stderr));
        let number = |label: &str| {
            let rest = text.lines().find_map(|line| line.strip_prefix(label));
            rest.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).context(label.to_owned())
        };
        let (requests, rate) = (number("number of transactions actually processed:")?, number("tps =")?);
        Ok(Outcome {
            requests: requests as u64,
            toggles: 0,
            seconds: requests / rate,
            p50: f64::NAN,
            p99: f64::NAN,
            checked_pages: 0,
            page_bytes: f64::NAN,
            states: Vec::new(),
        })
    }
}

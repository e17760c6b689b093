//! What nothing on this machine can beat: pgbench with the app's own statements, and a server that only sends
//! bytes that are ready.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use axum::routing::any;
use serde::Deserialize;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;

use crate::Wishes;
use crate::mixes::{SAMPLES, encoding};
use crate::postgres::Postgres;
use crate::wrk::{Requests, Told};

/// The statements as the app's build checked them: they cannot drift from the source.
const CHECKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx");

/// Says how to get pgbench where it is missing.
pub(crate) fn expect_installed() -> Result<()> {
    let found = Command::new("pgbench").arg("--version").output();
    found.map(drop).context("pgbench is missing: it comes with Postgres (Debian: postgresql-contrib or postgresql)")
}

/// pgbench with people and sessions of its own in the same tables.
pub(crate) struct Pgbench {
    script: NamedTempFile,
    server: Vec<String>,
}

impl Pgbench {
    /// Makes `count` people whose sessions have the size of the app's, and the script.
    pub(crate) async fn prepare(postgres: &Postgres, count: usize) -> Result<Self> {
        let insert = "with made as (insert into users (display_name, created_at)
                select 'rival', now() from generate_series(1, $1::int8) returning id),
            signed_in as (insert into sessions (id_hash, user_id, sealed, created_at, expires_at, last_seen_at)
                select convert_to(id::text, 'UTF8'), id, (select sealed from sessions where user_id is not null limit 1),
                       now(), now() + interval '1 day', now() from made)
            select min(id), max(id) from made";
        let (first, last): (i64, i64) = sqlx::query_as(insert).bind(count as i64).fetch_one(&postgres.pool).await?;
        let (session, heart) = (checked("select sealed, expires_at, ")?, checked("coalesce(b.hearted_at, $5)")?);
        let mut script = NamedTempFile::new()?;
        writeln!(script, "\\set u random({first}, {last})")?;
        writeln!(script, "\\set p random(1000000000000000000, 9223372036854775806)")?;
        // The heart's statement can ask for the session as well; here that is asked before, as it is in most apps.
        writeln!(script, "{};\n{};", session.with_values(":u::bytea")?, heart.with_values("null::bytea")?)?;
        Ok(Self { script, server: postgres.libpq()? })
    }

    /// Runs it; one transaction is one look-up and one heart, each committed by itself as in the app.
    pub(crate) fn run(&self, wishes: &Wishes, seed: usize) -> Result<Told> {
        let threads = wishes.connections.min(2);
        let mut pgbench = Command::new("pgbench");
        // As the app asks for it (src/db/mod.rs).
        pgbench.env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan");
        pgbench.args(["-n", "-M", "prepared", &format!("-c{}", wishes.connections), &format!("-j{threads}")]);
        pgbench.args([format!("-T{}", wishes.seconds), format!("--random-seed={seed}"), "-f".into()]);
        let output = pgbench.arg(self.script.path()).args(&self.server).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "pgbench: {text}{}", String::from_utf8_lossy(&output.stderr));
        let number = |before: &str| {
            let rest = text.lines().find_map(|line| line.strip_prefix(before));
            rest.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).context(before.to_owned())
        };
        let (requests, rate) = (number("number of transactions actually processed:")?, number("tps =")?);
        let average = number("latency average =")?;
        let requests = requests as u64;
        Ok(Told {
            requests,
            writes: requests,
            seconds: requests as f64 / rate,
            p50: average,
            p99: f64::NAN,
            checked: 0,
        })
    }
}

/// A statement with the types of its parameters, as sqlx keeps it.
#[derive(Deserialize)]
struct Checked {
    query: String,
    describe: Describe,
}

#[derive(Deserialize)]
struct Describe {
    parameters: HashMap<String, Vec<String>>,
}

/// The one checked statement that contains `words`.
fn checked(words: &str) -> Result<Checked> {
    let mut found = Vec::new();
    for file in fs::read_dir(CHECKED)? {
        let text = fs::read_to_string(file?.path())?;
        let statement: Checked = serde_json::from_str(&text)?;
        found.extend(Some(statement).filter(|statement| statement.query.contains(words)));
    }
    ensure!(found.len() == 1, "{} statements contain {words:?}: tell limits.rs which one is meant", found.len());
    Ok(found.remove(0))
}

impl Checked {
    /// The statement with pgbench's variables in place of the parameters: `u` for a person, `p` for a playlist, and
    /// `key` for a session's.
    fn with_values(&self, key: &str) -> Result<String> {
        let types = self.describe.parameters.get("Left").context("parameters")?;
        let mut query = self.query.clone();
        // The last first: $1 is the beginning of $10.
        for (number, kind) in types.iter().enumerate().rev() {
            let value = match kind.as_str() {
                "Int8" => ":u::int8",
                "Bytea" => key,
                "Int8Array" => "'{}'::int8[]",
                // 22 letters and digits.
                "Text" => "('Bch' || :p::text)",
                "Timestamptz" => "now()",
                other => bail!("a parameter is {other}: tell limits.rs what stands for it"),
            };
            query = query.replace(&format!("${}", number + 1), value);
        }
        Ok(query)
    }
}

/// A server that sends what the app once answered, with the same headers.
pub(crate) struct Bare {
    /// Where it is.
    pub(crate) base: String,
}

impl Bare {
    /// Asks the app at `app` for each sample with `cookie`, and serves the answers.
    pub(crate) async fn start(app: &str, cookie: &str) -> Result<Self> {
        let client = reqwest::Client::builder().no_gzip().build()?;
        let mut router = Router::new();
        for (number, (name, method, path, packed)) in SAMPLES.iter().enumerate() {
            let request = client.request(method.parse()?, format!("{app}{path}"));
            let request = request.header("cookie", cookie).header("accept-encoding", encoding(*packed));
            let answer = request.header("sec-fetch-site", "same-origin").send().await?;
            ensure!(answer.status() == 200, "no sample of {name}: {}", answer.status());
            let (headers, body) = (of_the_app(answer.headers()), answer.bytes().await?);
            eprintln!("{name}: {} bytes", body.len());
            router = router.route(&format!("/{number}"), any(move || send(headers.clone(), body.clone())));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base })
    }

    /// Requests for the answer of this name.
    pub(crate) fn requests(&self, name: &str) -> Requests {
        let mut requests = Requests::default();
        let number = SAMPLES.iter().position(|sample| sample.0 == name).expect("a sample's name");
        requests.add("GET", &format!("/{number}"), &[("Host", self.base.trim_start_matches("http://"))]);
        requests
    }
}

async fn send(headers: HeaderMap, body: Bytes) -> (HeaderMap, Bytes) {
    (headers, body)
}

/// The headers without those that the server writes by itself.
fn of_the_app(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for own in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::DATE, header::CONNECTION] {
        headers.remove(own);
    }
    headers
}

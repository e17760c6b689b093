//! The database: a private server with Postgres' default durability.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use local_postgres::{LocalPostgres, Options};
use sqlx::PgPool;
use url::Url;

use crate::process;

/// Parent of the data folder. `/tmp` may be in memory, where a commit costs nothing.
const PARENT_DIR: &str = "/var/tmp";

/// A running server. Stopped and deleted when dropped.
pub(crate) struct Postgres {
    server: Option<LocalPostgres>,
    url: String,
    dir: PathBuf,
    pid: u32,
    /// Connections of the harness.
    pub(crate) pool: PgPool,
}

impl Postgres {
    pub(crate) async fn start() -> Result<Self> {
        let dir = PathBuf::from(PARENT_DIR).join(format!("heartlist-load-{}", std::process::id()));
        let options = Options {
            dir: dir.join("postgres"),
            database: "heartlist".into(),
            bin_dir: std::env::var_os("PG_BIN").map(PathBuf::from),
            search_path: std::env::var_os("PATH"),
            durable: true,
        };
        let server = tokio::task::spawn_blocking(move || LocalPostgres::start(&options)).await??;
        let url = server.url().to_owned();
        let pool = PgPool::connect(&url).await?;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let value: String = sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(&pool).await?;
            ensure!(value == "on", "{setting} is {value}: commits would not be durable");
        }
        let file = dir.join("postgres/data/postmaster.pid");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let pid = text.lines().next().and_then(|pid| pid.parse().ok()).context("postmaster.pid")?;
        Ok(Self { server: Some(server), url, dir, pid, pool })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Connection arguments for libpq's programs.
    pub(crate) fn libpq_args(&self) -> Result<Vec<String>> {
        let url = Url::parse(self.url())?;
        let host = url.query_pairs().find(|(name, _)| name == "host").context("socket folder")?.1.into_owned();
        let port = url.port().unwrap_or(5432).to_string();
        let database = url.path().trim_start_matches('/').to_owned();
        Ok(vec!["-h".into(), host, "-p".into(), port, "-U".into(), url.username().into(), database])
    }

    /// CPU time of the server and its worker processes so far.
    pub(crate) fn cpu_time(&self) -> Duration {
        process::cpu_time_with_children(self.pid)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Stops the server before its files are removed.
        drop(self.server.take());
        let _ = fs::remove_dir_all(&self.dir);
    }
}

//! The app as a process.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::fake_spotify::{CLIENT_ID, CLIENT_SECRET};
use crate::process;

const STARTUP_TIMEOUT: Duration = Duration::from_secs(30);

/// A running app. Killed when dropped.
pub(crate) struct App {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) base_url: String,
    /// Time from the start of the process to its first 200.
    pub(crate) startup_time: Duration,
}

/// Settings of the app that differ between runs.
#[derive(Clone, Copy)]
pub(crate) struct AppConfig<'a> {
    pub(crate) database_url: &'a str,
    pub(crate) database_connections: usize,
    pub(crate) spotify_url: &'a str,
}

impl App {
    /// Starts `program`, by default the one built with the harness, on a free port.
    pub(crate) async fn start(program: Option<&Path>, config: AppConfig<'_>) -> Result<Self> {
        Self::start_command(Command::new(resolve_program(program)?), config).await
    }

    /// Starts the app with `command`, for example under valgrind, on a free port.
    pub(crate) async fn start_command(mut command: Command, config: AppConfig<'_>) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let base_url = format!("http://127.0.0.1:{port}");
        let api_url = format!("{}/v1", config.spotify_url);
        command.env_clear().envs([
            ("PORT", port.as_str()),
            ("BASE_URL", &base_url),
            ("DATABASE_URL", config.database_url),
            ("DATABASE_CONNECTIONS", &config.database_connections.max(2).to_string()),
            ("SESSION_SECRET", "a session secret that is for measuring alone"),
            ("SPOTIFY_CLIENT_ID", CLIENT_ID),
            ("SPOTIFY_CLIENT_SECRET", CLIENT_SECRET),
            ("SPOTIFY_ACCOUNTS_URL", config.spotify_url),
            ("SPOTIFY_API_URL", &api_url),
            ("OEMBED", "off"),
            // As in the Procfile and the Dockerfile.
            ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=64"),
            // Lifts the rate limits, which the load would exceed.
            ("SIGN_INS_PER_ADDRESS", "1000000"),
            ("HEARTS_PER_MINUTE", "1000000"),
        ]);
        command.current_dir(std::env::temp_dir());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let mut app = Self { child: command.spawn()?, base_url, startup_time: Duration::ZERO };
        app.wait_until_ready(start).await?;
        Ok(app)
    }

    /// Sends SIGTERM, as a platform does, and waits for the end of the process.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        ensure!(self.child.wait()?.success(), "the app failed during shutdown");
        Ok(())
    }

    async fn wait_until_ready(&mut self, start: Instant) -> Result<()> {
        let client = reqwest::Client::new();
        let url = format!("{}/healthz", self.base_url);
        while !client.get(&url).send().await.is_ok_and(|response| response.status() == 200) {
            ensure!(self.child.try_wait()?.is_none(), "the app exited during startup");
            ensure!(start.elapsed() < STARTUP_TIMEOUT, "the app is not ready after {STARTUP_TIMEOUT:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.startup_time = start.elapsed();
        Ok(())
    }

    pub(crate) fn cpu_time(&self) -> Duration {
        process::cpu_time(self.child.id())
    }

    /// Resident memory in MiB: current and peak.
    pub(crate) fn resident_mib(&self) -> (f64, f64) {
        process::resident_mib(self.child.id())
    }
}

/// Returns the path of `program`, by default of the one built with the harness.
pub(crate) fn resolve_program(program: Option<&Path>) -> Result<PathBuf> {
    Ok(program.unwrap_or(Path::new(env!("CARGO_BIN_EXE_heartlist"))).canonicalize()?)
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

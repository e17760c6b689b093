//! The app as a process.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::fake_spotify::{CLIENT_ID, CLIENT_SECRET};
use crate::process;

/// A running app. Killed when dropped.
pub(crate) struct App {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    /// From the start of the process to its first 200.
    pub(crate) started_in: Duration,
}

/// The servers that the app uses.
#[derive(Clone, Copy)]
pub(crate) struct Servers<'a> {
    /// Address of the database.
    pub(crate) database: &'a str,
    /// How many connections to it the app may open.
    pub(crate) connections: usize,
    /// Address of the fake Spotify.
    pub(crate) spotify: &'a str,
}

impl App {
    /// Starts `program`, by default the one built with the harness, on a free port.
    pub(crate) async fn start(program: Option<&Path>, servers: Servers<'_>) -> Result<Self> {
        Self::start_with(Command::new(path(program)?), servers).await
    }

    /// The same with a command that starts it, for example under valgrind.
    pub(crate) async fn start_with(mut command: Command, servers: Servers<'_>) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let base = format!("http://127.0.0.1:{port}");
        let api = format!("{}/v1", servers.spotify);
        command.env_clear().envs([
            ("PORT", port.as_str()),
            ("BASE_URL", &base),
            ("DATABASE_URL", servers.database),
            ("DATABASE_CONNECTIONS", &servers.connections.max(2).to_string()),
            ("SESSION_SECRET", "a session secret that is for measuring alone"),
            ("SPOTIFY_CLIENT_ID", CLIENT_ID),
            ("SPOTIFY_CLIENT_SECRET", CLIENT_SECRET),
            ("SPOTIFY_ACCOUNTS_URL", servers.spotify),
            ("SPOTIFY_API_URL", &api),
            // The harness is faster than any person.
            ("SIGN_INS_PER_ADDRESS", "1000000"),
            ("HEARTS_PER_MINUTE", "1000000"),
        ]);
        command.current_dir(std::env::temp_dir());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let mut app = Self { child: command.spawn()?, base, started_in: Duration::ZERO };
        app.await_first_answer(start).await?;
        Ok(app)
    }

    /// Stops it as a platform does, and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        ensure!(self.child.wait()?.success(), "the app failed when it was stopped");
        Ok(())
    }

    async fn await_first_answer(&mut self, start: Instant) -> Result<()> {
        let client = reqwest::Client::new();
        let address = format!("{}/healthz", self.base);
        while !client.get(&address).send().await.is_ok_and(|answer| answer.status() == 200) {
            ensure!(self.child.try_wait()?.is_none(), "the app ended before it served");
            ensure!(start.elapsed() < Duration::from_secs(30), "the app does not serve");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.started_in = start.elapsed();
        Ok(())
    }

    pub(crate) fn cpu(&self) -> Duration {
        process::cpu(self.child.id())
    }

    /// Resident memory in MiB, now and at its peak.
    pub(crate) fn memory(&self) -> (f64, f64) {
        process::memory(self.child.id())
    }
}

/// Path of `program`, by default of the one built with the harness.
pub(crate) fn path(program: Option<&Path>) -> Result<PathBuf> {
    Ok(program.unwrap_or(Path::new(env!("CARGO_BIN_EXE_heartlist"))).canonicalize()?)
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

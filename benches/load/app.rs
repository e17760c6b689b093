//! The release build of the app, as a process.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::process;
use crate::standin::{CLIENT_ID, CLIENT_SECRET};

/// A running app; killed when dropped.
pub(crate) struct App {
    child: Child,
    /// Where it is: `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    /// From the start of the process to its first 200.
    pub(crate) started_in: Duration,
}

impl App {
    /// Starts `program`, or the one that was built with the harness, on a free port.
    pub(crate) async fn start(program: Option<&Path>, database: &str, spotify: &str) -> Result<Self> {
        Self::start_by(Command::new(path(program)?), database, spotify).await
    }

    /// The same by a command that starts it, a tool that watches it for example.
    pub(crate) async fn start_by(mut command: Command, database: &str, spotify: &str) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let base = format!("http://127.0.0.1:{port}");
        let api = format!("{spotify}/v1");
        command.env_clear().envs([
            ("PORT", port.as_str()),
            ("BASE_URL", &base),
            ("DATABASE_URL", database),
            ("SESSION_SECRET", "a session secret that is for measuring alone"),
            ("SPOTIFY_CLIENT_ID", CLIENT_ID),
            ("SPOTIFY_CLIENT_SECRET", CLIENT_SECRET),
            ("SPOTIFY_ACCOUNTS_URL", spotify),
            ("SPOTIFY_API_URL", &api),
            // Nobody presses as fast as the harness does.
            ("SIGN_INS_PER_ADDRESS", "1000000"),
            ("HEARTS_PER_MINUTE", "1000000"),
            // As many as wrk and pgbench take by themselves.
            ("DATABASE_CONNECTIONS", "16"),
        ]);
        command.current_dir(std::env::temp_dir());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        let mut app = Self { child: command.spawn()?, base, started_in: Duration::ZERO };
        app.await_first_answer(begun).await?;
        Ok(app)
    }

    /// Asks it to end, as the platform does, and waits until it has.
    pub(crate) fn end(mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        ensure!(self.child.wait()?.success(), "the app did not end well");
        Ok(())
    }

    async fn await_first_answer(&mut self, begun: Instant) -> Result<()> {
        let client = reqwest::Client::new();
        let address = format!("{}/healthz", self.base);
        while !client.get(&address).send().await.is_ok_and(|answer| answer.status() == 200) {
            ensure!(self.child.try_wait()?.is_none(), "the app ended before it served");
            ensure!(begun.elapsed() < Duration::from_secs(30), "the app does not serve");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.started_in = begun.elapsed();
        Ok(())
    }

    pub(crate) fn cpu(&self) -> Duration {
        process::cpu(self.child.id())
    }

    /// Resident memory in MiB: now, and at its highest.
    pub(crate) fn memory(&self) -> (f64, f64) {
        process::memory(self.child.id())
    }
}

/// Where `program` is, or the one that was built with the harness.
pub(crate) fn path(program: Option<&Path>) -> Result<PathBuf> {
    Ok(program.unwrap_or(Path::new(env!("CARGO_BIN_EXE_heartlist"))).canonicalize()?)
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The program as a process.

use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::Site;

/// The program, started with only the given environment variables.
pub(crate) struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Reads continuously, since a full pipe would block the program.
    log: tokio::task::JoinHandle<String>,
}

impl Program {
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(&std::env::temp_dir(), settings)
    }

    /// The same in another working directory.
    pub(crate) fn start_in(folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::spawn(folder, &[], settings)
    }

    /// The same with arguments.
    pub(crate) fn start_with(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::spawn(&std::env::temp_dir(), arguments, settings)
    }

    fn spawn(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        // Another build, such as a release build.
        let program = env_var("HEARTLIST_TEST_PROGRAM").map(|program| std::path::absolute(program).unwrap());
        let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_heartlist").into()));
        command.args(arguments).env_clear().envs(settings.iter().copied()).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program is built");
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let log = tokio::spawn(async move {
            let mut log = String::new();
            stderr.read_to_string(&mut log).await.unwrap();
            log
        });
        Self { child, stdout, log }
    }

    /// Starts the demo with its data in `data` and this machine's Postgres programs.
    pub(crate) fn start_demo(data: &Path, port: &str) -> Self {
        Self::start_demo_with(data, port, &[])
    }

    /// The same with `extra` settings.
    pub(crate) fn start_demo_with(data: &Path, port: &str, extra: &[(&str, &str)]) -> Self {
        let data = data.to_str().unwrap();
        let mut settings = vec![("HEARTLIST_DATA", data), ("PORT", port), ("RUST_LOG", "debug")];
        let path = env_var("PATH");
        let pg_bin = env_var("PG_BIN");
        settings.extend(path.as_deref().map(|path| ("PATH", path)));
        settings.extend(pg_bin.as_deref().map(|folder| ("PG_BIN", folder)));
        settings.extend(extra);
        Self::start(&settings)
    }

    /// Waits until the program serves; returns its address.
    pub(crate) async fn wait_until_ready(&mut self) -> String {
        let line = self.read_line().await;
        if line.is_empty() {
            panic!("it did not start: {}", self.wait_for_exit().await.1);
        }
        line.trim().strip_prefix("Heartlist is ready: ").expect("the line with the address").to_owned()
    }

    /// Waits for the next line of the output; empty at its end.
    pub(crate) async fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).await.unwrap();
        line
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send_signal(self.pid(), signal);
    }

    /// Waits for the end; returns the exit code and the whole log.
    pub(crate) async fn wait_for_exit(&mut self) -> (Option<i32>, String) {
        let mut log = (&mut self.log).await.unwrap();
        self.stdout.read_to_string(&mut log).await.unwrap();
        (self.child.wait().await.unwrap().code(), log)
    }
}

/// Not the program `kill`, which minimal systems lack.
pub(crate) fn send_signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).expect("a process");
    kill_process(pid, signal).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test says which of its own variables the program may see")]
pub(crate) fn env_var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub(crate) fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

/// Starts the program on the site's database and its Spotify, with `extra` settings; returns its address too.
pub(crate) async fn start_program(site: &Site, extra: &[(&str, &str)]) -> (Program, String) {
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let mut settings = site.settings();
    settings.extend([("BASE_URL", base.as_str()), ("PORT", port.as_str())]);
    settings.extend(extra);
    let mut program = Program::start(&settings);
    program.wait_until_ready().await;
    (program, base)
}

//! The server as a child process.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::Path,
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    accessible_copy::make_accessible, binaries::Binaries, data_dir::DataDir, error::Error, handshake::connect_once,
    options::Options,
};

/// Longest wait for the server to accept a connection. The first start takes some seconds on a slow disk.
pub(crate) const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Time between two attempts to connect.
pub(crate) const START_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Longest wait for a server without supervisor to stop.
const ORPHAN_STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Time between two signals to a server without supervisor.
const ORPHAN_SIGNAL_INTERVAL: Duration = Duration::from_millis(100);
/// Lines of the log that an error quotes.
const MAX_QUOTED_LINES: usize = 20;

/// Shell script that runs the server as its child. Its head lists what it is given.
const SUPERVISOR_SCRIPT: &str = include_str!("supervisor.sh");

/// The supervisor of the server.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts the supervisor, which then holds `lock`, and waits until the server accepts connections. Returns the
    /// first claim too.
    pub(crate) fn start(data_dir: &DataDir, options: &Options, lock: File) -> Result<(Self, File), Error> {
        let data = data_dir.path("data");
        let binaries = make_accessible(Binaries::find(options, &data)?, data_dir)?;
        stop_orphan(&data);
        data_dir.create_socket_dir()?;
        let (log, log_start) = data_dir.open_log()?;
        let (reader, claim) = data_dir.create_claims()?;
        let supervisor = data_dir
            .command("/bin/sh")
            .args(["-c", SUPERVISOR_SCRIPT, "local-postgres"])
            .arg(&binaries.dir)
            .arg(data_dir.socket_dir())
            .arg(if options.durable { "durable" } else { "volatile" })
            .arg(&options.database)
            .arg(if data_dir.os_user().is_some() { "root" } else { "" })
            .envs(binaries.environment())
            .stdin(reader)
            .stdout(lock)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(Error::at(Path::new("/bin/sh")))?;
        let mut process = Self(supervisor);
        process.wait_until_ready(data_dir, &options.database, log_start)?;
        Ok((process, claim))
    }

    fn wait_until_ready(&mut self, data_dir: &DataDir, database: &str, log_start: u64) -> Result<(), Error> {
        let begun = Instant::now();
        while let Err(error) = connect_once(&data_dir.socket_path(), database) {
            let log = data_dir.path("log");
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return Err(Error::StartFailed { tail: read_tail(&log, log_start), log });
            }
            if begun.elapsed() > START_TIMEOUT {
                return Err(Error::StartTimeout { log, last: error.to_string() });
            }
            sleep(START_POLL_INTERVAL);
        }
        Ok(())
    }

    /// Reaps the supervisor, so that it does not stay as a zombie.
    pub(crate) fn wait(&mut self) {
        let _ = self.0.wait();
    }
}

/// Returns the last lines of what was written to the log since it was `start` bytes long.
fn read_tail(log: &Path, start: u64) -> String {
    let mut text = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut text)
    });
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    read.map_or_else(|error| error.to_string(), |_| lines[lines.len().saturating_sub(MAX_QUOTED_LINES)..].join("\n"))
}

/// Stops a server whose supervisor was killed, and removes postmaster.pid if its server is gone. The lock must be held,
/// so that there is no supervisor.
///
/// PostgreSQL refuses to start while the process id in postmaster.pid is that of any process of the same user, which
/// after a crash it can be by chance. On Linux, that process is taken for the server only if it runs in `data`.
fn stop_orphan(data: &Path) {
    let file = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&file) else {
        return;
    };
    let pid = text.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
    let (Some(pid), true) = (pid, Path::new("/proc/self/cwd").exists()) else {
        return;
    };
    let cwd = format!("/proc/{}/cwd", pid.as_raw_nonzero());
    let begun = Instant::now();
    while begun.elapsed() < ORPHAN_STOP_TIMEOUT {
        if fs::read_link(&cwd).is_ok_and(|dir| dir == data) {
            let _ = kill_process(pid, Signal::INT);
            sleep(ORPHAN_SIGNAL_INTERVAL);
        } else {
            let _ = fs::remove_file(&file);
            return;
        }
    }
}

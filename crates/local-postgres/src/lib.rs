//! A private PostgreSQL server: started on a socket in a folder of one's own, shared by processes, and stopped with the
//! last of them.
//!
//! Each process that uses the server holds a *claim*: the writing end of a FIFO. The reading end is the input of the
//! *supervisor*, a shell script that has the server as its child. When the last claim is closed, at the latest by the
//! end of its process, the supervisor stops the server. The supervisor holds a file lock as long as it lives. The
//! process that gets the lock knows that no server runs, and starts one; the others open a claim, or retry until they
//! can do either. Nothing has to be cleaned up after a crash.

mod accessible_copy;
mod binaries;
mod data_dir;
mod error;
mod handshake;
mod install_hint;
mod options;
mod os_user;
mod process;

use std::{
    fs::File,
    io,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

pub use error::Error;
pub use options::Options;

use data_dir::DataDir;
use process::{Process, START_POLL_INTERVAL, START_TIMEOUT};

/// Longest wait for the server to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// Time between two checks whether the server has stopped.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How long a child that is being started may hold a copy of the dropped claim, before it runs its program.
const INHERITED_CLAIM_TIMEOUT: Duration = Duration::from_millis(300);

/// A claim on the server. Dropping the last one stops the server.
#[derive(Debug)]
pub struct LocalPostgres {
    url: String,
    data_dir: DataDir,
    claim: Option<File>,
    /// `None` if another process started the server.
    process: Option<Process>,
}

impl LocalPostgres {
    /// Starts the server of the folder, or opens a claim on it if it runs. Blocks: about a second the first time, else
    /// about a tenth of one.
    ///
    /// # Errors
    /// Fails if no programs are found, if the folder cannot be used, or if the server does not start.
    pub fn start(options: &Options) -> Result<Self, Error> {
        check_name(&options.database)?;
        let data_dir = DataDir::open_or_create(options)?;
        let url = url(data_dir.socket_dir(), &options.database);
        let begun = Instant::now();
        let mut last = "another process holds the lock".to_owned();
        while begun.elapsed() < START_TIMEOUT {
            if let Some(lock) = data_dir.try_lock()? {
                let (process, claim) = Process::start(&data_dir, options, lock)?;
                return Ok(Self { url, data_dir, claim: Some(claim), process: Some(process) });
            }
            if let Some(claim) = data_dir.open_claim() {
                match handshake::connect_once(&data_dir.socket_path(), &options.database) {
                    Ok(()) => return Ok(Self { url, data_dir, claim: Some(claim), process: None }),
                    Err(error) => last = error.to_string(),
                }
            }
            sleep(START_POLL_INTERVAL);
        }
        Err(Error::StartTimeout { log: data_dir.path("log"), last })
    }

    /// Returns the address of the database. It has all that clients would otherwise read from variables like PGPORT.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether this call started the server, and did not find it running.
    pub fn has_started_server(&self) -> bool {
        self.process.is_some()
    }

    /// Returns a second claim, to be inherited by another process. The server runs as long as that process lives.
    ///
    /// # Errors
    /// Fails if the process has no file descriptor left.
    pub fn try_clone_claim(&self) -> io::Result<File> {
        self.claim.as_ref().ok_or(io::ErrorKind::NotConnected)?.try_clone()
    }

    /// Closes the claim. Blocks until the server has stopped, if it was the last.
    pub fn stop(self) {
        drop(self);
    }

    /// Whether the server has stopped.
    pub fn has_stopped(&self) -> bool {
        // The supervisor holds the lock until the server has stopped.
        self.data_dir.try_lock().is_ok_and(|lock| lock.is_some())
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        drop(self.claim.take());
        let begun = Instant::now();
        while begun.elapsed() < STOP_TIMEOUT {
            if self.has_stopped() {
                if let Some(process) = &mut self.process {
                    process.wait();
                }
                return;
            }
            if begun.elapsed() > INHERITED_CLAIM_TIMEOUT && self.data_dir.is_claimed() {
                return;
            }
            sleep(STOP_POLL_INTERVAL);
        }
    }
}

/// Fails if `name` would have to be quoted in SQL or in a URL.
fn check_name(name: &str) -> Result<(), Error> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_allowed) {
        Ok(())
    } else {
        Err(Error::InvalidDatabaseName { name: name.to_owned() })
    }
}

fn url(socket_dir: &Path, database: &str) -> String {
    let dir: String = socket_dir
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| match byte {
            b'/' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(*byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("postgres://{database}@localhost:5432/{database}?host={dir}&sslmode=disable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_encodes_any_folder() {
        let url = url(Path::new("/home/zoë/my data/50%"), "app");
        assert_eq!(url, "postgres://app@localhost:5432/app?host=/home/zo%C3%AB/my%20data/50%25&sslmode=disable");
    }

    #[test]
    fn name_that_needs_quotes_is_rejected() {
        assert!(check_name("app_2").is_ok());
        for name in ["", "2app", "App", "a-b", "a\"b", "a b", "ä"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}

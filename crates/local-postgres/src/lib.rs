//! The private Postgres: real Postgres programs on a socket in a folder of our own, started when no
//! DATABASE_URL is given, so that `cargo run` needs no preparation.
//!
//! Each process that uses the server holds a *claim*, the writing end of a FIFO. Its reading end is
//! the input of the *keeper*, a shell whose child Postgres is: when the last claim is gone, by the end
//! of its process at the latest, the keeper stops the server. The keeper also holds a file lock as
//! long as it lives, so whoever has the lock knows that nothing runs and may start; whoever has not
//! joins, or waits until one of the two is possible. Nothing of this needs cleaning up after a crash.

mod account;
mod error;
mod place;
mod programs;
mod server;

use std::{
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

pub use error::Error;
use place::{Place, trouble};

/// What the launcher needs to know; nothing here is read from the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the data and all else is kept, in a folder `postgres` within. Made when missing; as root
    /// it must be open to be passed through (mode 0711) by the account that Postgres runs as.
    pub folder: PathBuf,
    /// The folder of the Postgres programs to use, when somebody chose one.
    pub pg_bin: Option<PathBuf>,
    /// The search path for programs, one of the places where Postgres is looked for.
    pub path: Option<OsString>,
    /// Whether data must survive a crash of the machine. Tests do without and are quicker.
    pub durable: bool,
}

/// A claim on the private Postgres. When it is dropped and no other process has one, the server stops.
#[derive(Debug)]
pub struct LocalPostgres {
    url: String,
    place: Place,
    claim: Option<File>,
    /// When the server was started here, not joined.
    keeper: Option<Child>,
}

impl LocalPostgres {
    /// Starts the server of this folder, or joins the one that runs. Blocks: about a second the first
    /// time, else about a tenth of one.
    ///
    /// # Errors
    /// When there are no programs, the folder is of no use, or Postgres fails; see [`Error`].
    pub fn start(settings: &Settings) -> Result<Self, Error> {
        let folder = std::path::absolute(&settings.folder).map_err(trouble(&settings.folder))?;
        let place = Place::prepare(&folder)?;
        let url = url(&place.socket_folder());
        let begun = Instant::now();
        let mut last = "another process holds its lock".to_owned();
        while begun.elapsed() < server::PATIENCE {
            if let Some(lock) = place.try_lock()? {
                let (keeper, claim) = server::start(&place, settings, lock)?;
                return Ok(Self { url, place, claim: Some(claim), keeper: Some(keeper) });
            }
            if let Some(claim) = place.join() {
                match server::ask(&place.socket()) {
                    Ok(()) => {
                        return Ok(Self { url, place, claim: Some(claim), keeper: None });
                    }
                    Err(answer) => last = answer,
                }
            }
            sleep(server::BLINK);
        }
        Err(Error::TimedOut { log: place.file("log"), last })
    }

    /// The address of the database `heartlist`, for sqlx. It says all that sqlx would else take from
    /// variables like PGPORT.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether this process started the server, and did not join a running one.
    pub fn started_here(&self) -> bool {
        self.keeper.is_some()
    }

    /// A second claim, to be handed to another process: the server runs as long as that one lives.
    ///
    /// # Errors
    /// When the system has no file descriptor left.
    pub fn another_claim(&self) -> io::Result<File> {
        self.claim.as_ref().ok_or(io::ErrorKind::NotConnected)?.try_clone()
    }

    /// Gives up the claim. When it was the last, blocks until the server has ended.
    pub fn stop(self) {
        drop(self);
    }

    /// Whether the server is gone, which is so when its keeper let go of the lock.
    pub fn has_ended(&self) -> bool {
        self.place.try_lock().is_ok_and(|lock| lock.is_some())
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        drop(self.claim.take());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(15) {
            if self.has_ended() {
                // So that it does not stay in the system's table as a zombie.
                let _ = self.keeper.as_mut().map(Child::wait);
                return;
            }
            // The keeper takes the name of the claims away at once, unless others still have some.
            if begun.elapsed() > Duration::from_millis(300) && self.place.file("claims").exists() {
                return;
            }
            sleep(Duration::from_millis(5));
        }
    }
}

fn url(socket_folder: &Path) -> String {
    let folder: String = socket_folder
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| match byte {
            b'/' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(*byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("postgres://heartlist@localhost:5432/heartlist?host={folder}&sslmode=disable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_takes_any_folder() {
        let url = url(Path::new("/home/zoë/my data/50%"));
        assert!(url.contains("?host=/home/zo%C3%AB/my%20data/50%25&"), "{url}");
    }
}

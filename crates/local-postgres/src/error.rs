use std::{
    io,
    path::{Path, PathBuf},
};

/// Reason why the server did not start. The message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database name would have to be quoted.
    #[error("{name:?} cannot be the database's name: use lowercase letters, digits and `_`.")]
    InvalidDatabaseName {
        /// The rejected name.
        name: String,
    },
    /// Neither installed nor bundled programs run on this system.
    #[error("No PostgreSQL programs were found.{bundled} {install} PostgreSQL need not be set up or started.")]
    NoBinaries {
        /// Why the bundled programs do not run, as a sentence with a leading space. Empty if there are none.
        bundled: String,
        /// How to install PostgreSQL on this system, as a sentence.
        install: String,
    },
    /// The programs in [`Options::bin_dir`](crate::Options::bin_dir) do not run.
    #[error("The PostgreSQL programs in {} cannot be used: {reason}.", dir.display())]
    UnusableBinDir {
        /// The given folder.
        dir: PathBuf,
        /// Cause, as half a sentence.
        reason: String,
    },
    /// The data was created by a major version that is not installed.
    #[error(
        "The data in {} was created by PostgreSQL {required}, but only {found} was found. Install PostgreSQL {required}, or \
         move that folder away to start with an empty database.", data.display()
    )]
    WrongVersion {
        /// Folder of the data.
        data: PathBuf,
        /// Major version that created the data.
        required: String,
        /// Versions that were found, in words.
        found: String,
    },
    /// A file or folder cannot be created, read or locked.
    #[error("{} cannot be used: {source}.", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A folder belongs to another user, who could read or replace its content.
    #[error("{} belongs to another user (uid {owner}). Run as that user, or choose another folder.", path.display())]
    WrongOwner {
        /// The folder.
        path: PathBuf,
        /// User id of its owner.
        owner: u32,
    },
    /// The server's OS user cannot reach the folder.
    #[error(
        "As root, PostgreSQL is run as the user `{user}`, who cannot enter {}. Allow it with `chmod o+x {}`, or choose \
         another folder.", dir.display(), dir.display()
    )]
    Unreachable {
        /// First folder on the way that the user cannot enter.
        dir: PathBuf,
        /// Name of the OS user.
        user: String,
    },
    /// The current user is root, and there is no other user to run as.
    #[error(
        "PostgreSQL refuses to run as root, and /etc/passwd has neither `postgres` nor `nobody` to run it as. Start \
         this program as an ordinary user."
    )]
    NoOsUser,
    /// The server ended while it was starting.
    #[error("PostgreSQL did not start. Its log ({}) ends with:\n{tail}", log.display())]
    StartFailed {
        /// The log file.
        log: PathBuf,
        /// Last lines that this start wrote to it.
        tail: String,
    },
    /// The server did not accept a connection in time.
    #[error("PostgreSQL did not accept a connection within a minute ({last}). Its log is {}.", log.display())]
    StartTimeout {
        /// The log file.
        log: PathBuf,
        /// Cause of the last failed attempt.
        last: String,
    },
}

impl Error {
    /// Returns the conversion of an I/O error at `path`.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }
}

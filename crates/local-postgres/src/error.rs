use std::{io, path::PathBuf};

/// Why the private Postgres could not be had. Each message says what happened and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither the system nor the build has Postgres programs that run here.
    #[error(
        "No Postgres programs were found, which Heartlist needs to keep its data.{bundled} \
         Install them with `{install}` (nothing has to be set up or started), name their folder by \
         PG_BIN, or name a running server by DATABASE_URL."
    )]
    NoPrograms {
        /// A sentence on the programs that were built in, with a leading space, or nothing.
        bundled: String,
        /// The command that installs Postgres on this system.
        install: &'static str,
    },
    /// The folder that was named explicitly is of no use.
    #[error("PG_BIN names {}, but {reason}. It must be the folder that holds `postgres` and `initdb`.", folder.display())]
    PgBin {
        /// The folder as it was given.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The data was made by a major version of Postgres that is not installed.
    #[error(
        "The data in {} was made by Postgres {wanted}, and only {found} is here. Install Postgres {wanted} \
         (or name its folder by PG_BIN), or move that folder away to start with an empty database.", data.display()
    )]
    WrongVersion {
        /// The cluster's folder.
        data: PathBuf,
        /// Its major version.
        wanted: String,
        /// The versions that were found, in words.
        found: String,
    },
    /// A file or folder could not be made or read.
    #[error("{} cannot be used for the database: {source}. HEARTLIST_DATA names another folder.", path.display())]
    Folder {
        /// What could not be used.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A folder belongs to somebody else, who could read or replace what is in it.
    #[error(
        "{} belongs to another user (number {owner}), so no database is kept in it. \
         Start Heartlist as that user, or name another folder by HEARTLIST_DATA.", path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The number of the user it belongs to.
        owner: u32,
    },
    /// Postgres never runs as root, and the account it runs as instead cannot get to the folder.
    #[error(
        "As root, Heartlist runs Postgres as the account `{account}`, which cannot enter {}. \
         Allow it with `chmod o+x {}`, or name a folder elsewhere by HEARTLIST_DATA.", closed.display(), closed.display()
    )]
    Closed {
        /// The first folder on the way that is closed.
        closed: PathBuf,
        /// The account.
        account: String,
    },
    /// Running as root on a system without any account to run Postgres as.
    #[error(
        "Postgres does not run as root, and /etc/passwd names neither `postgres` nor `nobody`. Start Heartlist as an ordinary user."
    )]
    NoAccount,
    /// The programs ran, but ended.
    #[error("Postgres could not be started. The end of its log ({}) says:\n{tail}", log.display())]
    Failed {
        /// The log file.
        log: PathBuf,
        /// The last lines it got in this start.
        tail: String,
    },
    /// The server did not answer in a minute.
    #[error("Postgres did not answer within a minute ({last}). Its log is {}.", log.display())]
    TimedOut {
        /// The log file.
        log: PathBuf,
        /// The last answer or lack of it.
        last: String,
    },
}

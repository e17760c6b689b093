use std::{ffi::OsString, path::PathBuf};

/// Where the server keeps its files, and how it runs. The environment is not read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the server's data, socket, log and lock, created if missing. Its parent must belong to the current
    /// user. As root, all folders above it must let the server's OS user pass (mode 0711).
    pub dir: PathBuf,
    /// Name of the database and of the superuser that owns it: lowercase letters, digits and `_`.
    pub database: String,
    /// Folder of `postgres` and `initdb`. `None` searches the usual folders, `search_path` and the bundled programs.
    pub bin_dir: Option<PathBuf>,
    /// Value of `PATH`.
    pub search_path: Option<OsString>,
    /// Whether committed data survives a crash of the machine. `false` is faster and allows 400 connections, for tests.
    pub durable: bool,
}

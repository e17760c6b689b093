//! The database while the program runs: somebody's, or a private one that begins and ends with us.

use anyhow::Result;

use crate::config::{Config, Database};
use crate::ids::Secret;

/// A database that can be asked.
pub(super) struct Running {
    /// Its address.
    pub(super) url: Secret,
    #[cfg(feature = "local")]
    watched: Option<private::Watched>,
}

impl Running {
    #[cfg(feature = "local")]
    pub(super) async fn start(config: &Config) -> Result<Self> {
        match config.database.clone() {
            Database::Url(url) => Ok(Self { url, watched: None }),
            Database::Private { pg_bin, path } => {
                let options = local_postgres::Options {
                    dir: config.data.join("postgres"),
                    database: "heartlist".into(),
                    bin_dir: pg_bin,
                    search_path: path,
                    durable: true,
                };
                let (url, watched) = tokio::task::spawn_blocking(|| private::start(options)).await??;
                Ok(Self { url, watched: Some(watched) })
            }
        }
    }

    #[cfg(not(feature = "local"))]
    pub(super) async fn start(config: &Config) -> Result<Self> {
        match config.database.clone() {
            Database::Url(url) => Ok(Self { url }),
            Database::Private { .. } => anyhow::bail!("DATABASE_URL is missing"),
        }
    }

    /// Ends what was started here.
    pub(super) async fn stop(self) {
        #[cfg(feature = "local")]
        if let Some(watched) = self.watched {
            let _ = tokio::task::spawn_blocking(move || watched.stop()).await;
        }
    }
}

#[cfg(feature = "local")]
mod private {
    use std::sync::mpsc::{self, RecvTimeoutError, Sender};
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    use anyhow::{Result, anyhow};
    use local_postgres::{Error, LocalPostgres, Options};

    use crate::ids::Secret;

    /// How often somebody looks whether the private server still runs.
    const LOOK: Duration = Duration::from_secs(1);

    /// Starts the private server. Returns its address too.
    pub(super) fn start(options: Options) -> Result<(Secret, Watched)> {
        let postgres = LocalPostgres::start(&options).map_err(with_setting)?;
        Ok((Secret::new(postgres.url()), Watched::over(postgres, options)))
    }

    /// Adds the setting that helps to the message.
    fn with_setting(error: Error) -> anyhow::Error {
        let setting = match error {
            Error::NoBinaries { .. } => "Or set PG_BIN to their folder, or DATABASE_URL to a running server.",
            Error::UnusableBinDir { .. } => "Set PG_BIN to the folder of `postgres` and `initdb`.",
            Error::WrongVersion { .. } => "PG_BIN sets the folder of the programs.",
            Error::Io { .. } | Error::WrongOwner { .. } | Error::Unreachable { .. } => {
                "HEARTLIST_DATA sets the folder of the data."
            }
            _ => return error.into(),
        };
        anyhow!("{error} {setting}")
    }

    /// A private server with a thread beside it that starts it again when it was killed.
    pub(super) struct Watched {
        watcher: JoinHandle<()>,
        work: Sender<()>,
    }

    impl Watched {
        fn over(postgres: LocalPostgres, options: Options) -> Self {
            let (work, until) = mpsc::channel();
            let mut postgres = Some(postgres);
            let watcher = thread::spawn(move || {
                // The sender's end is the end of the work.
                while until.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if postgres.as_ref().is_none_or(LocalPostgres::has_stopped) {
                        tracing::warn!("the private Postgres is gone and is started again");
                        drop(postgres.take());
                        let again = LocalPostgres::start(&options).map_err(with_setting);
                        postgres = again.inspect_err(|error| tracing::error!(%error, "it did not start")).ok();
                    }
                }
            });
            Self { watcher, work }
        }

        /// Blocks until the server has ended.
        pub(super) fn stop(self) {
            drop(self.work);
            let _ = self.watcher.join();
        }
    }
}

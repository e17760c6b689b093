//! The process's database: the one in `DATABASE_URL`, or a private Postgres that starts and stops with the process.

use anyhow::Result;

use crate::config::{Config, Database};
use crate::ids::Secret;

pub(super) struct RunningDatabase {
    pub(super) url: Secret,
    #[cfg(feature = "local")]
    supervisor: Option<private::Supervisor>,
}

impl RunningDatabase {
    #[cfg(feature = "local")]
    pub(super) async fn start(config: &Config) -> Result<Self> {
        match config.database.clone() {
            Database::Url(url) => Ok(Self { url, supervisor: None }),
            Database::Private { pg_bin, search_path } => {
                let options = local_postgres::Options {
                    // The people of a demo stay apart from real ones.
                    dir: config.data_dir.join(if config.demo { "demo" } else { "postgres" }),
                    database: "heartlist".into(),
                    bin_dir: pg_bin,
                    search_path,
                    durable: true,
                };
                let (url, supervisor) = tokio::task::spawn_blocking(|| private::start(options)).await??;
                Ok(Self { url, supervisor: Some(supervisor) })
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

    /// Stops the private Postgres, if there is one.
    pub(super) async fn stop(self) {
        #[cfg(feature = "local")]
        if let Some(supervisor) = self.supervisor {
            let _ = tokio::task::spawn_blocking(move || supervisor.stop()).await;
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

    /// How often the supervisor checks whether Postgres still runs.
    const CHECK_INTERVAL: Duration = Duration::from_secs(1);

    /// Starts the private server. Returns its URL and supervisor.
    pub(super) fn start(options: Options) -> Result<(Secret, Supervisor)> {
        let postgres = LocalPostgres::start(&options).map_err(with_hint)?;
        Ok((Secret::new(postgres.url()), Supervisor::start(postgres, options)))
    }

    /// Appends the setting that may help to the message.
    fn with_hint(error: Error) -> anyhow::Error {
        let hint = match error {
            Error::NoBinaries { .. } => {
                "Or run script/run of Heartlist's sources, which brings them, or set PG_BIN to their folder or \
                 DATABASE_URL to a running server."
            }
            Error::UnusableBinDir { .. } => "Set PG_BIN to the folder of `postgres` and `initdb`.",
            Error::WrongVersion { .. } => "PG_BIN sets the folder of the programs.",
            Error::Io { .. } | Error::WrongOwner { .. } | Error::Unreachable { .. } => {
                "HEARTLIST_DATA sets the folder of the data."
            }
            _ => return error.into(),
        };
        anyhow!("{error} {hint}")
    }

    /// A thread that restarts the private Postgres if it stops.
    pub(super) struct Supervisor {
        thread: JoinHandle<()>,
        /// Dropped to stop the thread.
        stop: Sender<()>,
    }

    impl Supervisor {
        fn start(postgres: LocalPostgres, options: Options) -> Self {
            let (stop, stopped) = mpsc::channel();
            let mut postgres = Some(postgres);
            let thread = thread::spawn(move || {
                while stopped.recv_timeout(CHECK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    if postgres.as_ref().is_none_or(LocalPostgres::has_stopped) {
                        tracing::warn!("the private Postgres has ended and is restarted");
                        drop(postgres.take());
                        let restarted = LocalPostgres::start(&options).map_err(with_hint);
                        postgres = restarted
                            .inspect_err(|error| tracing::error!(%error, "the private Postgres did not start"))
                            .ok();
                    }
                }
            });
            Self { thread, stop }
        }

        /// Blocks until Postgres has stopped.
        pub(super) fn stop(self) {
            drop(self.stop);
            let _ = self.thread.join();
        }
    }
}

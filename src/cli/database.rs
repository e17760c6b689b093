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
        use local_postgres::{LocalPostgres, Settings};
        match config.database.clone() {
            Database::Url(url) => Ok(Self { url, watched: None }),
            Database::Private { pg_bin, path } => {
                let settings = Settings { folder: config.data.clone(), pg_bin, path, durable: true };
                let start = move || LocalPostgres::start(&settings).map(|postgres| (postgres, settings));
                let (postgres, settings) = tokio::task::spawn_blocking(start).await??;
                let url = Secret::new(postgres.url());
                Ok(Self { url, watched: Some(private::Watched::over(postgres, settings)) })
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

    use local_postgres::{LocalPostgres, Settings};

    /// How often somebody looks whether the private server still runs.
    const LOOK: Duration = Duration::from_secs(1);

    /// A private server with a thread beside it that starts it again when it was killed.
    pub(super) struct Watched {
        watcher: JoinHandle<()>,
        work: Sender<()>,
    }

    impl Watched {
        pub(super) fn over(postgres: LocalPostgres, settings: Settings) -> Self {
            let (work, until) = mpsc::channel();
            let mut postgres = Some(postgres);
            let watcher = thread::spawn(move || {
                // The sender's end is the end of the work.
                while until.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if postgres.as_ref().is_none_or(LocalPostgres::has_ended) {
                        tracing::warn!("the private Postgres is gone and is started again");
                        drop(postgres.take());
                        let again = LocalPostgres::start(&settings);
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

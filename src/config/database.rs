//! The database, its replica, and connection limits.

use std::ffi::OsString;
use std::path::PathBuf;

use url::Url;

use super::env_reader::EnvReader;
use crate::ids::Secret;

#[derive(Clone, Debug)]
pub enum Database {
    /// An existing server. The URL may contain a password.
    Url(Secret),
    /// A private server, started by the process.
    Private {
        /// The folder of the Postgres programs, if set.
        pg_bin: Option<PathBuf>,
        /// `PATH`, which is searched otherwise.
        path: Option<OsString>,
    },
}

impl EnvReader<'_> {
    pub(super) fn database(&mut self, dyno: bool) -> Database {
        let private =
            Database::Private { pg_bin: self.get("PG_BIN").map(Into::into), path: self.get("PATH").map(Into::into) };
        match self.get("DATABASE_URL") {
            Some(url) if is_postgres(&url) => return Database::Url(Secret::new(url)),
            Some(_) => self.error("DATABASE_URL is not a Postgres URL: postgres://user:password@host:5432/database"),
            None if dyno => self.error("DATABASE_URL is missing: heroku addons:create heroku-postgresql:essential-0"),
            None if cfg!(not(feature = "local")) => {
                self.error("DATABASE_URL is missing: this build has no private Postgres (cargo feature `local`)")
            }
            None => {}
        }
        private
    }

    pub(super) fn distribute(&mut self) -> bool {
        match self.get("DISTRIBUTE").as_deref() {
            None => false,
            Some("citus") => true,
            Some(_) => {
                self.error("DISTRIBUTE is not `citus`, the only cluster that Heartlist supports");
                false
            }
        }
    }

    pub(super) fn replica_url(&mut self) -> Option<Secret> {
        let url = self.get("READ_DATABASE_URL")?;
        if !is_postgres(&url) {
            self.error("READ_DATABASE_URL is not a Postgres URL: postgres://user:password@host:5432/database");
        }
        Some(Secret::new(url))
    }

    pub(super) fn max_connections(&mut self) -> u32 {
        let Some(value) = self.get("DATABASE_CONNECTIONS") else { return 8 };
        value.parse().ok().filter(|number| (2..=500).contains(number)).unwrap_or_else(|| {
            self.error("DATABASE_CONNECTIONS is not a number from 2 to 500");
            8
        })
    }
}

/// Returns whether this is a Postgres URL with a host, which may be a socket directory.
fn is_postgres(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let has_host =
        url.host_str().is_some_and(|host| !host.is_empty()) || url.query_pairs().any(|(name, _)| name == "host");
    matches!(url.scheme(), "postgres" | "postgresql") && has_host
}

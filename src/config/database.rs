//! Where rows live, and how many connections that takes.

use std::ffi::OsString;
use std::path::PathBuf;

use url::Url;

use super::Reader;
use crate::ids::Secret;

/// Where rows live.
#[derive(Clone, Debug)]
pub enum Database {
    /// A server that somebody runs; the address holds a password.
    Url(Secret),
    /// A server of our own, from programs that are looked for.
    Private {
        /// The folder of the programs, when named.
        pg_bin: Option<PathBuf>,
        /// The folders in which programs are looked for.
        path: Option<OsString>,
    },
}

impl Reader<'_> {
    pub(super) fn database(&mut self, dyno: bool) -> Database {
        let private =
            Database::Private { pg_bin: self.get("PG_BIN").map(Into::into), path: self.get("PATH").map(Into::into) };
        match self.get("DATABASE_URL") {
            Some(url) if is_postgres(&url) => return Database::Url(Secret::new(url)),
            Some(_) => {
                self.fault("DATABASE_URL is not a Postgres address: postgres://user:password@host:5432/database")
            }
            None if dyno => self.fault("DATABASE_URL is missing: heroku addons:create heroku-postgresql:essential-0"),
            None if cfg!(not(feature = "local")) => {
                self.fault("DATABASE_URL is missing: this build brings no Postgres of its own (cargo feature `local`)")
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
                self.fault("DISTRIBUTE is not `citus`, the only cluster that Heartlist can spread its tables over");
                false
            }
        }
    }

    pub(super) fn follower(&mut self) -> Option<Secret> {
        let url = self.get("READ_DATABASE_URL")?;
        if !is_postgres(&url) {
            self.fault("READ_DATABASE_URL is not a Postgres address: postgres://user:password@host:5432/database");
        }
        Some(Secret::new(url))
    }

    pub(super) fn connections(&mut self) -> u32 {
        let Some(value) = self.get("DATABASE_CONNECTIONS") else { return 8 };
        value.parse().ok().filter(|number| (2..=500).contains(number)).unwrap_or_else(|| {
            self.fault("DATABASE_CONNECTIONS is not a number of connections: from 2 to 500");
            8
        })
    }
}

/// Whether this is a whole Postgres address: with a host, if only as the folder of a socket.
fn is_postgres(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().is_some_and(|host| !host.is_empty()) || url.query_pairs().any(|(name, _)| name == "host");
    matches!(url.scheme(), "postgres" | "postgresql") && host
}

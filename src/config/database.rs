//! The database, its replica, and connection limits.

use std::ffi::{OsStr, OsString};
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
        /// Where the programs are searched otherwise: `PATH`, and the folder into which script/setup unpacks Postgres.
        search_path: Option<OsString>,
    },
}

impl EnvReader<'_> {
    pub(super) fn database(&mut self, dyno: bool) -> Database {
        let private =
            Database::Private { pg_bin: self.get("PG_BIN").map(Into::into), search_path: self.postgres_search_path() };
        match self.get("DATABASE_URL") {
            Some(url) => match check_postgres_url(&url) {
                Ok(()) => return Database::Url(Secret::new(url)),
                Err(error) => self.error(format!("DATABASE_URL {error}")),
            },
            None if dyno => self.error("DATABASE_URL is missing: heroku addons:create heroku-postgresql:essential-0"),
            None if cfg!(not(feature = "local")) => {
                self.error("DATABASE_URL is missing: this build has no private Postgres (cargo feature `local`)")
            }
            None => {}
        }
        private
    }

    fn postgres_search_path(&self) -> Option<OsString> {
        let cache = match (self.get("XDG_CACHE_HOME"), self.get("HOME")) {
            (Some(cache), _) => Some(PathBuf::from(cache)),
            (None, home) => home.map(|home| PathBuf::from(home).join(".cache")),
        };
        let unpacked = cache.map(|cache| cache.join("heartlist/tools/postgres/bin").into_os_string());
        let folders: Vec<OsString> = self.get("PATH").map(Into::into).into_iter().chain(unpacked).collect();
        (!folders.is_empty()).then(|| folders.join(OsStr::new(":")))
    }

    pub(super) fn replica_url(&mut self) -> Option<Secret> {
        let url = self.get("READ_DATABASE_URL")?;
        if let Err(error) = check_postgres_url(&url) {
            self.error(format!("READ_DATABASE_URL {error}"));
        }
        Some(Secret::new(url))
    }
}

const NOT_POSTGRES: &str = "is not a Postgres URL: postgres://user:password@host:5432/database";
const NOT_ENCODED: &str = "has a special character that ends the user name or password too early: percent-encode it (/ is %2F, ? is %3F, # is %23, @ is %40, : is %3A, % is %25)";
const UNKNOWN_SSLMODE: &str =
    "has an unknown sslmode: disable, allow, prefer, require, verify-ca and verify-full are known";
const SSLMODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Checks a Postgres URL with a host, which may be a socket directory. The error contains no part of the URL.
fn check_postgres_url(text: &str) -> Result<(), &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or(NOT_POSTGRES)?;
    if !["postgres", "postgresql"].iter().any(|name| scheme.eq_ignore_ascii_case(name)) {
        return Err(NOT_POSTGRES);
    }
    // An `@` behind the host, or a fragment, is the rest of a password: the URL would name another host.
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let credentials = authority.rsplit_once('@').map_or("", |(credentials, _)| credentials);
    if rest.contains(['@', '#']) || !is_percent_encoded(credentials) {
        return Err(NOT_ENCODED);
    }
    let url = Url::parse(text).map_err(|_| NOT_POSTGRES)?;
    let parameter = |names: &[&str]| url.query_pairs().find(|(name, _)| names.contains(&&**name));
    if url.host_str().is_none_or(str::is_empty) && parameter(&["host"]).is_none() {
        return Err(NOT_POSTGRES);
    }
    match parameter(&["sslmode", "ssl-mode"]) {
        Some((_, mode)) if !SSLMODES.contains(&&*mode.to_ascii_lowercase()) => Err(UNKNOWN_SSLMODE),
        _ => Ok(()),
    }
}

/// Returns whether `user:password` has no unescaped special character but the colon between them.
fn is_percent_encoded(credentials: &str) -> bool {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = credentials.as_bytes();
    let is_escape = |at: usize| bytes[at] != b'%' || is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2));
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let is_plain = |text: &str| !text.contains(|c: char| matches!(c, '@' | ':') || c.is_whitespace() || c.is_control());
    is_plain(user) && is_plain(password) && (0..bytes.len()).all(is_escape)
}

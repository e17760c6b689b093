//! The settings: all environment variables, read and checked once.
//!
//! All errors are reported together, each with the variable's name and how to fix it, and never with a secret's value.

mod access;
mod database;
mod dotenv;
mod env_reader;
mod providers;
mod secrets;
mod variables;

use std::env::VarError;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use time::Duration;
use url::{Host, Url};

use crate::ids::{Provider, Secret};
use crate::telemetry::{self, LogFormat};

pub use access::Access;
pub use database::Database;
pub use env_reader::ConfigErrors;
use env_reader::EnvReader;
pub use providers::ProviderConfig;
pub use variables::{ENV_EXAMPLE, VARIABLES, Variable, help};

#[derive(Clone, Debug)]
pub struct Config {
    pub host: IpAddr,
    pub port: u16,
    /// The origin at which browsers reach the app; has no path.
    pub base_url: Url,
    /// False in a demo on Heroku that has to learn `base_url` from its first request.
    pub is_base_url_known: bool,
    /// The host that Heroku gave the app, if its dyno metadata is enabled.
    pub heroku_domain: Option<String>,
    pub database: Database,
    /// Whether migrations distribute the tables over a Citus cluster.
    pub distribute: bool,
    pub replica_url: Option<Secret>,
    /// Seals sessions. `None` only in a demo, which then stores a secret in `data_dir`.
    pub session_secret: Option<Secret>,
    /// Earlier secrets, which still open what they sealed.
    pub old_session_secrets: Vec<Secret>,
    pub max_connections: u32,
    /// Opens /setup and /metrics, which also open to signed-in operators and, where `base_url` is a loopback address, to
    /// local requests.
    pub operator_token: Option<Secret>,
    pub spotify: ProviderConfig,
    pub providers: Vec<ProviderConfig>,
    /// Spotify's oEmbed service, which returns names of playlists without a token; `None` if it is turned off.
    pub oembed_url: Option<Url>,
    /// How long a heart keeps Spotify's name after Spotify last showed it; `None` as long as the heart.
    pub title_ttl: Option<Duration>,
    pub access: Access,
    /// Whether the app serves and uses a fake Spotify.
    pub demo: bool,
    pub top_page: bool,
    pub dyno: bool,
    /// `None` chooses text on a terminal and JSON elsewhere.
    pub log_format: Option<LogFormat>,
    /// In the syntax of `RUST_LOG`.
    pub log_filter: String,
    /// The folder for the private Postgres and the demo's secret.
    pub data_dir: PathBuf,
}

/// Returns a function that looks variables up in the environment, then in the file `.env`.
#[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
pub fn environment() -> Result<impl Fn(&str) -> Option<String>, ConfigErrors> {
    let file = dotenv::read()?;
    let unreadable = VARIABLES.iter().filter(|variable| is_not_unicode(variable.name));
    let errors: Vec<String> = unreadable.map(|variable| format!("{} is not encoded as UTF-8", variable.name)).collect();
    if !errors.is_empty() {
        return Err(ConfigErrors(errors));
    }
    Ok(move |name: &str| std::env::var(name).ok().or_else(|| file.get(name).cloned()))
}

#[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
fn is_not_unicode(name: &str) -> bool {
    matches!(std::env::var(name), Err(VarError::NotUnicode(_)))
}

/// Facebook redirects phones here.
const FACEBOOK_MOBILE_ORIGIN: &str = "https://m.facebook.com";
/// Events of the app from level info, and only warnings or errors of its libraries.
const DEFAULT_LOG_FILTER: &str = "warn,heartlist=info,tower_sessions=error,tower_sessions_core=error";

impl Config {
    /// Reads the settings through `lookup`.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>, is_root: bool) -> Result<Self, ConfigErrors> {
        let mut reader = EnvReader { lookup: &lookup, errors: Vec::new() };
        reader.check_quotes();
        let config = reader.config(is_root);
        if reader.errors.is_empty() { Ok(config) } else { Err(ConfigErrors(reader.errors)) }
    }

    /// Returns the provider's redirect URI, which must be registered with it exactly like this.
    pub fn redirect_uri(&self, provider: Provider) -> Url {
        self.base_url.join(&format!("/auth/{}/callback", provider.key())).expect("a provider's key is a path segment")
    }

    /// Returns whether browsers reach the app over https, so that cookies must be `Secure`.
    pub fn is_https(&self) -> bool {
        self.base_url.scheme() == "https"
    }

    /// Returns the origins of the providers' consent pages, for the content security policy.
    pub fn consent_origins(&self) -> Vec<String> {
        let providers = [&self.spotify].into_iter().chain(&self.providers);
        let origin = |provider: &ProviderConfig| provider.accounts_url.origin().ascii_serialization();
        let mut origins: Vec<String> = providers.map(origin).collect();
        if origins.iter().any(|origin| origin == "https://www.facebook.com") {
            origins.push(FACEBOOK_MOBILE_ORIGIN.into());
        }
        origins.sort();
        origins.dedup();
        origins
    }
}

impl EnvReader<'_> {
    fn config(&mut self, is_root: bool) -> Config {
        let dyno = self.get("DYNO").is_some();
        let port = self.number("PORT", "number", 1..=65535, 8080);
        let base_url = self.base_url(port, dyno);
        let host = self.host(dyno);
        let demo = self.demo(dyno || !is_loopback(&base_url) || !host.is_loopback());
        Config {
            host,
            port,
            is_base_url_known: !dyno || self.get("BASE_URL").or_else(|| self.heroku_domain()).is_some(),
            heroku_domain: self.heroku_domain(),
            database: self.database(dyno),
            distribute: self.parse("DISTRIBUTE", ONLY_CITUS, |text| (text == "citus").then_some(())).is_some(),
            replica_url: self.replica_url(),
            session_secret: self.session_secret(demo && !dyno),
            old_session_secrets: self.old_session_secrets(),
            max_connections: self.number("DATABASE_CONNECTIONS", "number", 2..=500, 8),
            operator_token: self.secret("OPERATOR_TOKEN"),
            spotify: self.spotify(demo, &base_url),
            providers: self.providers(demo, &base_url),
            oembed_url: self.oembed_url(demo, &base_url),
            title_ttl: self.title_ttl(),
            access: self.access(dyno),
            base_url,
            demo,
            top_page: self.switch("TOP_PAGE", ["on", "off"]).unwrap_or(true),
            dyno,
            log_format: self.parse("LOG_FORMAT", "`text` or `json`", parse_log_format),
            log_filter: self.log_filter(),
            data_dir: self.data_dir(is_root),
        }
    }

    /// Returns whether this is a demo, which must be chosen explicitly where others can reach it.
    fn demo(&mut self, is_public: bool) -> bool {
        let explicit = self.switch("DEMO", ["1", "0"]);
        let has_client_id = self.get("SPOTIFY_CLIENT_ID").is_some();
        match (explicit, has_client_id) {
            (Some(true), true) => self
                .error("DEMO and SPOTIFY_CLIENT_ID are both set: remove one of them or set DEMO=0, because a demo never uses the real Spotify"),
            (Some(false), false) => self.error("SPOTIFY_CLIENT_ID is missing, and DEMO=0 turns the demo off"),
            (None, false) if is_public => self
                .error("SPOTIFY_CLIENT_ID is missing: set it and SPOTIFY_CLIENT_SECRET, or DEMO=1 for made-up music"),
            (_, false) if cfg!(not(feature = "demo")) => {
                self.error("SPOTIFY_CLIENT_ID is missing: this build has no demo mode (cargo feature `demo`)")
            }
            _ => {}
        }
        !has_client_id
    }

    fn host(&mut self, dyno: bool) -> IpAddr {
        let default = if dyno { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        let expected = "an IP address such as 127.0.0.1, 0.0.0.0 or ::1";
        self.parse("HOST", expected, |text| text.parse().ok()).unwrap_or(default.into())
    }

    fn base_url(&mut self, port: u16, dyno: bool) -> Url {
        let local = Url::parse(&format!("http://127.0.0.1:{port}")).expect("a URL with a port");
        let detected = || self.heroku_domain().map(|host| format!("https://{host}"));
        let Some(value) = self.get("BASE_URL").or_else(detected) else {
            if dyno && self.get("SPOTIFY_CLIENT_ID").is_some() {
                self.error("BASE_URL is missing: set it to the `Web URL` that `heroku apps:info` prints");
            }
            return local;
        };
        let url = Url::parse(&value).map_err(|_| "BASE_URL is not a URL such as https://hearts.example.com");
        url.map_err(str::to_owned).and_then(check_base_url).unwrap_or_else(|error| {
            self.error(error);
            local
        })
    }

    fn heroku_domain(&self) -> Option<String> {
        self.get("HEROKU_APP_DEFAULT_DOMAIN_NAME")
    }

    fn spotify(&mut self, demo: bool, base_url: &Url) -> ProviderConfig {
        let fake_spotify = |path: &str| base_url.join(path).expect("a fixed path").to_string();
        let (accounts, api) = match demo {
            true => (fake_spotify("/fake-spotify"), fake_spotify("/fake-spotify/v1")),
            false => ("https://accounts.spotify.com".into(), "https://api.spotify.com/v1".into()),
        };
        let accounts_url = self.url("SPOTIFY_ACCOUNTS_URL", accounts, demo);
        ProviderConfig {
            provider: Provider::Spotify,
            client_id: self.get("SPOTIFY_CLIENT_ID").unwrap_or_else(|| providers::DEMO_CLIENT_ID.into()),
            client_secret: self.client_secret(demo),
            token_url: accounts_url.clone(),
            accounts_url,
            api_url: self.url("SPOTIFY_API_URL", api, demo),
        }
    }

    fn oembed_url(&mut self, demo: bool, base_url: &Url) -> Option<Url> {
        let default = match demo {
            true => base_url.join("/fake-spotify/oembed").expect("a fixed path").to_string(),
            false => "https://open.spotify.com/oembed".into(),
        };
        let url = self.url("SPOTIFY_OEMBED_URL", default, demo);
        self.switch("OEMBED", ["on", "off"]).unwrap_or(true).then_some(url)
    }

    fn title_ttl(&mut self) -> Option<Duration> {
        let parse = |text: &str| text.parse().ok().filter(|days| TITLE_DAYS.contains(days)).map(Duration::days);
        self.parse("TITLE_DAYS", "a number of days from 30 to 3650", parse)
    }

    fn log_filter(&mut self) -> String {
        let filter = self.get("RUST_LOG").unwrap_or_else(|| DEFAULT_LOG_FILTER.into());
        if !telemetry::is_valid_filter(&filter) {
            self.error("RUST_LOG is not a filter such as `info` or `heartlist=debug,sqlx=warn`");
        }
        filter
    }

    fn data_dir(&self, is_root: bool) -> PathBuf {
        if let Some(folder) = self.get("HEARTLIST_DATA") {
            return folder.into();
        }
        // Postgres refuses to run as root and uses another account, which cannot read root's home.
        if is_root {
            return "/var/lib/heartlist".into();
        }
        let home = || PathBuf::from(self.get("HOME").unwrap_or_else(|| ".".into()));
        let base = match self.get("XDG_DATA_HOME") {
            Some(folder) => folder.into(),
            None if cfg!(target_os = "macos") => home().join("Library/Application Support"),
            None => home().join(".local/share"),
        };
        base.join("heartlist")
    }
}

/// Valid values of `TITLE_DAYS`. Fewer days would have no effect: playlists are stored for 30 days, with their names.
const TITLE_DAYS: RangeInclusive<i64> = 30..=3650;

const ONLY_CITUS: &str = "`citus`, the only cluster that Heartlist supports";

fn parse_log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// Returns whether only this computer can reach the URL.
pub fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| is_loopback_host(&host))
}

/// Returns whether the host is this computer. Nobody else can own `localhost` or a name below it (RFC 6761).
pub fn is_loopback_host(host: &Host<impl AsRef<str>>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost" || name.as_ref().ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn check_base_url(url: Url) -> Result<Url, String> {
    match url.host() {
        Some(Host::Domain(_)) if is_loopback(&url) => {
            return Err(
                "BASE_URL uses localhost, which Spotify refuses in redirect URIs: use http://127.0.0.1:PORT".into()
            );
        }
        Some(_) => {}
        None => return Err("BASE_URL has no host, unlike https://hearts.example.com".into()),
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => {
            return Err(
                "BASE_URL must start with https:// (http:// only for 127.0.0.1 and [::1]): Spotify refuses the rest"
                    .into(),
            );
        }
    }
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_bare.then_some(url).ok_or_else(|| "BASE_URL must have no path, query or user name".into())
}

#[cfg(test)]
mod tests;

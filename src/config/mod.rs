//! The settings: every environment variable, its default and its check, read once.
//!
//! All faults are told together, each with the variable's name and how to mend it, never with a secret's value.

mod database;
mod heroku;
mod people;
mod providers;
mod secrets;
mod variables;

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use url::{Host, Url};

use crate::ids::{Provider, Secret};
use crate::telemetry::{self, LogFormat};

pub use database::Database;
pub use heroku::{ASKED_FOR, NOT_ON_HEROKU, app_json};
pub use people::{People, Registration};
pub use providers::WayIn;
pub use variables::{VARIABLES, Variable, example, help};

/// The settings of a running app.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on.
    pub port: u16,
    /// Where browsers reach the app; no path.
    pub base_url: Url,
    /// Where rows live.
    pub database: Database,
    /// Whether the tables are to be spread over the nodes of a Citus cluster.
    pub distribute: bool,
    /// Where a copy of the rows lives that may be a moment old.
    pub follower: Option<Secret>,
    /// Seals sessions; none in a demo that keeps its own in the data folder.
    pub session_secret: Option<Secret>,
    /// Secrets that sealed earlier and still open.
    pub old_session_secrets: Vec<Secret>,
    /// How many connections to the database this process takes at most.
    pub connections: u32,
    /// Opens the operator's page; none: it opens on this computer alone, and only where nobody else is to come.
    pub operator_token: Option<Secret>,
    /// The Spotify to talk to.
    pub spotify: Spotify,
    /// The further ways in that are set up.
    pub ways_in: Vec<WayIn>,
    /// Who may join, and from where people come.
    pub people: People,
    /// Whether the music is made up.
    pub demo: bool,
    /// Whether everybody may see which playlists have the most hearts.
    pub top_page: bool,
    /// Whether this is a Heroku dyno.
    pub dyno: bool,
    /// How a line of the log looks; none: by where it goes.
    pub log_format: Option<LogFormat>,
    /// What is logged, in `RUST_LOG`'s language.
    pub log_filter: String,
    /// The folder for the private Postgres and the demo's secret.
    pub data: PathBuf,
}

/// The Spotify to talk to.
#[derive(Clone, Debug)]
pub struct Spotify {
    /// The app's public name at Spotify.
    pub client_id: String,
    /// The app's secret at Spotify.
    pub client_secret: Secret,
    /// The base of `/authorize` and `/api/token`.
    pub accounts_url: Url,
    /// The base of `/me` and `/playlists`.
    pub api_url: Url,
}

/// What is wrong with the settings, all of it.
#[derive(Debug)]
pub struct Faults(Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The settings do not fit together:")?;
        self.0.iter().try_for_each(|fault| writeln!(f, "  - {fault}"))
    }
}

impl std::error::Error for Faults {}

/// Looks settings up in the process's environment, then in the file `.env`.
///
/// # Errors
/// When there is a `.env` that cannot be read.
#[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
pub fn environment() -> Result<impl Fn(&str) -> Option<String>, Faults> {
    let file: HashMap<String, String> = match dotenvy::dotenv_iter() {
        // The line at fault is not shown: it may hold a secret.
        Ok(lines) => lines.collect::<Result<_, _>>().map_err(|_| Faults(vec![UNREADABLE.into()]))?,
        Err(error) if error.not_found() => HashMap::new(),
        Err(_) => return Err(Faults(vec![UNREADABLE.into()])),
    };
    Ok(move |name: &str| std::env::var(name).ok().or_else(|| file.get(name).cloned()))
}

const UNREADABLE: &str = ".env cannot be read: each line is NAME=value, values with spaces in quotes";
/// Our own lines, and of the libraries only what somebody should look at.
const QUIET_LIBRARIES: &str = "warn,heartlist=info,tower_sessions=error,tower_sessions_core=error";
const DEMO_CLIENT: &str = "heartlist-demo";

impl Config {
    /// Reads the settings through `lookup`; an empty value counts as not set. `root`: the process runs as root.
    ///
    /// # Errors
    /// All [`Faults`] together.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>, root: bool) -> Result<Self, Faults> {
        let mut reader = Reader { lookup: &lookup, faults: Vec::new() };
        let config = reader.config(root);
        if reader.faults.is_empty() { Ok(config) } else { Err(Faults(reader.faults)) }
    }

    /// The address that a provider must know, to the letter, to send people back.
    pub fn redirect_uri(&self, provider: Provider) -> Url {
        self.base_url.join(&format!("/auth/{}/callback", provider.key())).expect("a provider's key is a path segment")
    }

    /// Whether browsers reach the app over https, so that cookies must be sent over nothing else.
    pub fn https(&self) -> bool {
        self.base_url.scheme() == "https"
    }
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn config(&mut self, root: bool) -> Config {
        let dyno = self.get("DYNO").is_some();
        let demo = self.demo(dyno);
        let port = self.port();
        let base_url = self.base_url(port, dyno, demo);
        Config {
            host: self.host(dyno),
            port,
            database: self.database(dyno),
            distribute: self.distribute(),
            follower: self.follower(),
            session_secret: self.session_secret(demo && !dyno),
            old_session_secrets: self.old_session_secrets(),
            connections: self.connections(),
            operator_token: self.operator_token(),
            spotify: self.spotify(demo, &base_url),
            ways_in: self.ways_in(demo, &base_url),
            people: self.people(dyno),
            base_url,
            demo,
            top_page: self.top_page(),
            dyno,
            log_format: self.log_format(),
            log_filter: self.log_filter(),
            data: self.data(root),
        }
    }

    fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn fault(&mut self, text: impl Into<String>) {
        self.faults.push(text.into());
    }

    fn demo(&mut self, dyno: bool) -> bool {
        let asked = self.get("DEMO").map(|value| value != "0");
        let client = self.get("SPOTIFY_CLIENT_ID").is_some();
        match (asked, client) {
            (Some(true), true) => self
                .fault("DEMO is set beside SPOTIFY_CLIENT_ID: remove one of them; a demo never meets the real Spotify"),
            (Some(false), false) => self.fault("SPOTIFY_CLIENT_ID is missing, and DEMO=0 asks for no demo"),
            (None, false) if dyno => self
                .fault("SPOTIFY_CLIENT_ID is missing: set it and SPOTIFY_CLIENT_SECRET, or DEMO=1 for made-up music"),
            (_, false) if cfg!(not(feature = "demo")) => {
                self.fault("SPOTIFY_CLIENT_ID is missing: this build has no demo mode (cargo feature `demo`)")
            }
            _ => {}
        }
        !client
    }

    fn top_page(&mut self) -> bool {
        match self.get("TOP_PAGE").as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(_) => {
                self.fault("TOP_PAGE is neither `on` nor `off`");
                true
            }
        }
    }

    fn port(&mut self) -> u16 {
        let Some(value) = self.get("PORT") else { return 8080 };
        value.parse().ok().filter(|port| *port > 0).unwrap_or_else(|| {
            self.fault("PORT is not a port: a whole number from 1 to 65535");
            8080
        })
    }

    fn host(&mut self, dyno: bool) -> IpAddr {
        let usual = if dyno { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        let Some(value) = self.get("HOST") else { return usual.into() };
        value.parse().unwrap_or_else(|_| {
            self.fault("HOST is not an address: for example 127.0.0.1, 0.0.0.0 or ::1");
            usual.into()
        })
    }

    fn base_url(&mut self, port: u16, dyno: bool, demo: bool) -> Url {
        let local = Url::parse(&format!("http://127.0.0.1:{port}")).expect("a number makes a good address");
        // Heroku names the app's host when its dyno metadata is switched on.
        let detected = || self.get("HEROKU_APP_DEFAULT_DOMAIN_NAME").map(|host| format!("https://{host}"));
        // A review app, whose address nobody can type in beforehand, knows its name; a host may have more to it.
        let review = || self.get("HEROKU_APP_NAME").map(|name| format!("https://{name}.herokuapp.com"));
        let Some(value) = self.get("BASE_URL").or_else(detected).or_else(|| review().filter(|_| dyno && demo)) else {
            if dyno {
                self.fault("BASE_URL is missing: the app's own address, for example https://my-hearts.herokuapp.com");
            }
            return local;
        };
        let url = Url::parse(&value).map_err(|_| "BASE_URL is not an address: for example https://hearts.example.com");
        url.map_err(str::to_owned).and_then(checked_base).unwrap_or_else(|fault| {
            self.fault(fault);
            local
        })
    }

    fn spotify(&mut self, demo: bool, base_url: &Url) -> Spotify {
        let fake_spotify = |path: &str| base_url.join(path).expect("a fixed path").to_string();
        let (accounts, api) = match demo {
            true => (fake_spotify("/fake-spotify"), fake_spotify("/fake-spotify/v1")),
            false => ("https://accounts.spotify.com".into(), "https://api.spotify.com/v1".into()),
        };
        Spotify {
            client_id: self.get("SPOTIFY_CLIENT_ID").unwrap_or_else(|| DEMO_CLIENT.into()),
            client_secret: self.client_secret(demo),
            accounts_url: self.address("SPOTIFY_ACCOUNTS_URL", accounts, demo),
            api_url: self.address("SPOTIFY_API_URL", api, demo),
        }
    }

    fn address(&mut self, name: &str, usual: String, demo: bool) -> Url {
        let given = self.get(name);
        if demo && given.is_some() {
            self.fault(format!("{name} is set but SPOTIFY_CLIENT_ID is not: set both, or neither for the demo"));
        }
        let text = given.unwrap_or(usual);
        let parsed = Url::parse(text.trim_end_matches('/')).ok();
        parsed.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).unwrap_or_else(|| {
            self.fault(format!("{name} is not an address: it starts with https:// or http://"));
            Url::parse("http://127.0.0.1").expect("a fixed address")
        })
    }

    fn log_filter(&mut self) -> String {
        let filter = self.get("RUST_LOG").unwrap_or_else(|| QUIET_LIBRARIES.into());
        if !telemetry::understands(&filter) {
            self.fault("RUST_LOG is not a filter: for example `info` or `heartlist=debug,sqlx=warn`");
        }
        filter
    }

    fn log_format(&mut self) -> Option<LogFormat> {
        match self.get("LOG_FORMAT")?.as_str() {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => {
                self.fault("LOG_FORMAT is neither `text` nor `json`");
                None
            }
        }
    }

    fn data(&self, root: bool) -> PathBuf {
        if let Some(folder) = self.get("HEARTLIST_DATA") {
            return folder.into();
        }
        // As root the Postgres programs run as another account, which cannot look into root's home.
        if root {
            return "/var/lib/heartlist".into();
        }
        let home = || PathBuf::from(self.get("HOME").unwrap_or_else(|| ".".into()));
        let shared = match self.get("XDG_DATA_HOME") {
            Some(folder) => folder.into(),
            None if cfg!(target_os = "macos") => home().join("Library/Application Support"),
            None => home().join(".local/share"),
        };
        shared.join("heartlist")
    }
}

fn checked_base(url: Url) -> Result<Url, String> {
    let loopback = match url.host() {
        Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
            return Err(
                "BASE_URL says localhost, which Spotify refuses as a redirect address: write http://127.0.0.1:PORT"
                    .into(),
            );
        }
        Some(Host::Domain(_)) => false,
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err("BASE_URL has no host: for example https://hearts.example.com".into()),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => {
            return Err(
                "BASE_URL must start with https:// (http:// only for 127.0.0.1 and [::1]): Spotify refuses the rest"
                    .into(),
            );
        }
    }
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    bare.then_some(url).ok_or_else(|| "BASE_URL has more than a host and a port: leave out path, query and user".into())
}

#[cfg(test)]
mod tests;

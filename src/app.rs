//! The parts that live as long as the process.

use std::sync::Arc;

use time::OffsetDateTime;

pub use crate::config::Registration;
use crate::config::{Config, WayIn};
use crate::db::follower::Follower;
use crate::db::spotify_calls::CallCounter;
use crate::ids::{Provider, Secret};
use crate::vault::Vault;
use crate::{db, oauth, spotify};

/// Tells the time; tests bring one that they can move.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// What every request may use; a clone shares the parts.
#[derive(Clone)]
pub struct App {
    /// The settings.
    pub config: Arc<Config>,
    /// The rows.
    pub db: db::Pool,
    /// A copy of the rows that may be a moment old, and away; none: there is none.
    pub follower: Option<Follower>,
    /// How often Spotify was called, until that is written.
    pub spotify_calls: CallCounter,
    /// Spotify's Web API.
    pub spotify: spotify::Client,
    /// Spotify's sign-in.
    pub spotify_sign_in: oauth::Client,
    /// The further ways in that are set up.
    pub ways_in: Arc<[(Provider, oauth::Client)]>,
    /// Seals secrets.
    pub vault: Vault,
    /// Tells the time.
    pub clock: Clock,
}

impl App {
    /// Puts the parts together; nothing is contacted yet.
    ///
    /// # Errors
    /// When the database's address is none.
    pub fn new(config: Config, database: &Secret, session_secret: &Secret, clock: Clock) -> Result<Self, db::Error> {
        let spotify = &config.spotify;
        let settings = oauth::Settings {
            client_id: spotify.client_id.clone(),
            client_secret: spotify.client_secret.clone(),
            accounts_url: spotify.accounts_url.clone(),
            token_url: spotify.accounts_url.clone(),
            api_url: spotify.api_url.clone(),
            redirect_uri: config.redirect_uri(Provider::Spotify),
        };
        let ways_in = config.ways_in.iter().map(|way| (way.provider, way_in(way, &config))).collect();
        Ok(Self {
            db: db::pool(database, config.connections)?,
            follower: config.follower.as_ref().map(|url| Follower::new(url, config.connections)).transpose()?,
            spotify_calls: CallCounter::default(),
            spotify: spotify::Client::new(config.spotify.api_url.clone()),
            spotify_sign_in: oauth::Client::new(Provider::Spotify, settings),
            ways_in,
            vault: Vault::new(session_secret).opening_too(&config.old_session_secrets),
            clock,
            config: Arc::new(config),
        })
    }

    /// What time it is.
    pub fn now(&self) -> OffsetDateTime {
        (self.clock)()
    }

    /// The store behind tower-sessions.
    pub fn sessions(&self) -> db::sessions::Store {
        db::sessions::Store::new(self.db.clone(), self.vault.clone())
    }

    /// The way to ask `provider`; none: it is not set up.
    pub fn sign_in(&self, provider: Provider) -> Option<&oauth::Client> {
        match provider {
            Provider::Spotify => Some(&self.spotify_sign_in),
            _ => self.ways_in.iter().find(|(known, _)| *known == provider).map(|(_, client)| client),
        }
    }

    /// The providers that are set up, in the order in which people are offered them.
    pub fn providers(&self) -> impl Iterator<Item = Provider> {
        Provider::ALL.into_iter().filter(|provider| self.sign_in(*provider).is_some())
    }
}

fn way_in(way: &WayIn, config: &Config) -> oauth::Client {
    let settings = oauth::Settings {
        client_id: way.client_id.clone(),
        client_secret: way.client_secret.clone(),
        accounts_url: way.accounts_url.clone(),
        token_url: way.token_url.clone(),
        api_url: way.api_url.clone(),
        redirect_uri: config.redirect_uri(way.provider),
    };
    oauth::Client::new(way.provider, settings)
}

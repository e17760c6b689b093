//! The parts that live as long as the process.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::config::Config;
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
    /// Spotify's Web API.
    pub spotify: spotify::Client,
    /// Spotify's sign-in.
    pub spotify_sign_in: oauth::Client,
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
        let settings = oauth::Settings {
            client_id: config.spotify.client_id.clone(),
            client_secret: config.spotify.client_secret.clone(),
            base: config.spotify.accounts_url.clone(),
            redirect_uri: config.redirect_uri(Provider::Spotify.key()),
        };
        Ok(Self {
            db: db::pool(database, config.connections)?,
            spotify: spotify::Client::new(config.spotify.api_url.clone()),
            spotify_sign_in: oauth::Client::new(&oauth::providers::SPOTIFY, settings),
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

    /// The way to ask `provider`.
    pub fn sign_in(&self, provider: Provider) -> &oauth::Client {
        match provider {
            Provider::Spotify => &self.spotify_sign_in,
        }
    }
}

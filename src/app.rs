//! The application state.

use std::sync::Arc;

use time::OffsetDateTime;

pub use crate::config::Registration;
use crate::config::{Config, ProviderConfig};
use crate::db::replica::Replica;
use crate::db::spotify_calls::CallCounter;
use crate::ids::{Secret, UserId};
use crate::in_progress::InProgress;
use crate::oauth::{ClientSettings, OAuthClients};
use crate::vault::Vault;
use crate::{db, oauth, spotify};

/// A function that returns the current time. Tests use a clock that they can move.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// The state that all requests share. Cloning is cheap.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub db: db::Pool,
    /// Read replica, if configured. May lag or be down; callers fall back to `db`.
    pub replica: Option<Replica>,
    /// Counts calls to Spotify until they are stored.
    pub spotify_calls: CallCounter,
    /// The client of Spotify's Web API.
    pub spotify: spotify::Client,
    pub oauth: OAuthClients,
    pub vault: Vault,
    /// Imports of this process: one for each user at a time.
    pub(crate) imports: InProgress<UserId>,
    pub clock: Clock,
}

impl App {
    /// Builds the state, without connecting to anything.
    pub fn new(
        config: Config,
        database_url: &Secret,
        session_secret: &Secret,
        clock: Clock,
    ) -> Result<Self, db::Error> {
        let client = |provider| oauth_client(provider, &config);
        let oauth = OAuthClients::new(client(&config.spotify), config.providers.iter().map(client));
        Ok(Self {
            db: db::pool(database_url, config.max_connections)?,
            replica: config.replica_url.as_ref().map(|url| Replica::new(url, config.max_connections)).transpose()?,
            spotify_calls: CallCounter::default(),
            spotify: spotify::Client::new(config.spotify.api_url.clone()),
            oauth,
            vault: Vault::new(session_secret).with_old_secrets(&config.old_session_secrets),
            imports: InProgress::new(1),
            clock,
            config: Arc::new(config),
        })
    }

    pub fn now(&self) -> OffsetDateTime {
        (self.clock)()
    }

    pub fn sessions(&self) -> db::sessions::Store {
        let access = &self.config.access;
        let lifetimes = db::sessions::Lifetimes { idle: access.session_idle_ttl, absolute: access.session_ttl };
        db::sessions::Store::new(self.db.clone(), self.vault.clone(), lifetimes)
    }
}

fn oauth_client(provider: &ProviderConfig, config: &Config) -> oauth::Client {
    let settings = ClientSettings {
        client_id: provider.client_id.clone(),
        client_secret: provider.client_secret.clone(),
        accounts_url: provider.accounts_url.clone(),
        token_url: provider.token_url.clone(),
        api_url: provider.api_url.clone(),
        redirect_uri: config.redirect_uri(provider.provider),
    };
    oauth::Client::new(provider.provider, settings)
}

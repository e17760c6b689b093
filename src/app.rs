//! The application state.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::SetOnce;

use crate::config::{Config, ProviderConfig};
pub use crate::config::{is_loopback, is_loopback_host};
use crate::db::replica::Replica;
use crate::db::spotify_calls::CallCounter;
use crate::expiring_cache::ExpiringCache;
use crate::ids::{PlaylistId, Secret, TokenHash, UserId};
use crate::in_progress::{InProgress, Queue};
use crate::oauth::{ClientSettings, OAuthClients};
use crate::rate_limiter::RateLimiter;
use crate::vault::Vault;
use crate::{db, oauth, spotify};

/// Maximum number of searches of one user that run or wait. Typing starts several.
const MAX_SEARCHES_PER_USER: usize = 4;
/// Maximum number of one user's changes of many hearts that run or wait.
const MAX_CHANGES_PER_USER: usize = 4;
/// Maximum number of one user's changes of single hearts that run or wait. Quick presses start several.
const MAX_SINGLE_CHANGES_PER_USER: usize = 64;

/// Maximum number of calls to Spotify for one user's library in an hour: the largest library takes 2,000.
const MAX_LIBRARY_CALLS: NonZeroU32 = NonZeroU32::new(2000).expect("not zero");
/// Maximum number of calls to Spotify for one user's other pages in ten minutes. All users share the app's quota, whose
/// size Spotify does not publish.
const MAX_PAGE_CALLS: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// Maximum number of accounts that one identity may create in a day. The other limits count by account, so each new
/// account would reset them.
const MAX_REGISTRATIONS: NonZeroU32 = NonZeroU32::new(5).expect("not zero");

/// A function that returns the current time. Tests use a clock that they can move.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// The state that all requests share. Cloning is cheap.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub db: db::Pool,
    /// Set when the database is known to belong to this mode. Until then no page and no background job reads it.
    pub mode_check: Arc<SetOnce<()>>,
    /// The connections that searches may hold: a quarter of all. Their statements end after two seconds.
    pub search_db: db::Pool,
    /// Read replica, if configured. May lag or be down; callers fall back to `db`.
    pub replica: Option<Replica>,
    /// Counts calls to Spotify until they are stored.
    pub spotify_calls: CallCounter,
    /// Limits a user's calls to Spotify for the library.
    pub(crate) library_calls: Arc<RateLimiter<UserId>>,
    /// Limits a user's calls to Spotify for all other pages.
    pub(crate) page_calls: Arc<RateLimiter<UserId>>,
    pub(crate) registrations: Arc<RateLimiter<TokenHash>>,
    /// Recent responses of Spotify, by user, playlist and page.
    pub(crate) playlist_contents: Arc<ExpiringCache<(UserId, PlaylistId, usize)>>,
    /// The most used tags of recent users.
    pub(crate) tag_suggestions: Arc<ExpiringCache<UserId>>,
    /// The playlists last picked at random for recent users.
    pub(crate) last_picks: Arc<ExpiringCache<UserId>>,
    /// Whether a list of popular playlists has entries, as of the last run of the job that makes the lists.
    pub(crate) has_popular: Arc<AtomicBool>,
    pub spotify: spotify::Client,
    pub oauth: OAuthClients,
    pub vault: Vault,
    /// Imports of this process: one for each user at a time.
    pub(crate) imports: InProgress<UserId>,
    /// Renewals of hearts of this process: one for each user at a time.
    pub(crate) renewals: InProgress<UserId>,
    /// Changes of many hearts of this process: one for each user at a time.
    pub(crate) heart_changes: Queue<UserId>,
    /// Changes of single hearts of this process: one for each user at a time. A change of many may lock them.
    pub(crate) single_changes: Queue<UserId>,
    /// Searches of this process: one for each user at a time.
    pub(crate) searches: Queue<UserId>,
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
        let search_connections = (config.max_connections / 4).max(1);
        Ok(Self {
            mode_check: Arc::new(SetOnce::new()),
            db: db::pool(database_url, config.max_connections - search_connections)?,
            search_db: db::search_pool(database_url, search_connections)?,
            replica: config.replica_url.as_ref().map(|url| Replica::new(url, config.max_connections)).transpose()?,
            spotify_calls: CallCounter::default(),
            library_calls: Arc::new(RateLimiter::new(MAX_LIBRARY_CALLS, Duration::from_secs(3600))),
            page_calls: Arc::new(RateLimiter::new(MAX_PAGE_CALLS, Duration::from_secs(600))),
            registrations: Arc::new(RateLimiter::new(MAX_REGISTRATIONS, Duration::from_secs(24 * 3600))),
            playlist_contents: Arc::new(ExpiringCache::new()),
            tag_suggestions: Arc::new(ExpiringCache::new()),
            last_picks: Arc::new(ExpiringCache::new()),
            has_popular: Arc::default(),
            spotify: spotify::Client::new(config.spotify.api_url.clone()),
            oauth,
            vault: Vault::new(session_secret).with_old_secrets(&config.old_session_secrets),
            imports: InProgress::new(1),
            renewals: InProgress::new(1),
            heart_changes: Queue::new(MAX_CHANGES_PER_USER),
            single_changes: Queue::new(MAX_SINGLE_CHANGES_PER_USER),
            searches: Queue::new(MAX_SEARCHES_PER_USER),
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

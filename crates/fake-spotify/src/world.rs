//! The state of the stand-in: who lives in it, what time it is, which switches are set.

use super::elsewhere::{Elsewhere, Registered};
use super::faults::Journal;
use super::grants::{Grants, Tokens};
use super::listeners::{self, Listener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use url::Url;

/// Where the stand-in is reached and which app it knows.
#[derive(Clone)]
pub struct Settings {
    /// Where the browser and the app reach it, e.g. `http://127.0.0.1:8080/fake-spotify`.
    pub base: Url,
    /// The one registered client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its registered redirect addresses, compared to the letter; a loopback address registered
    /// without a port matches any port.
    pub redirect_uris: Vec<String>,
    /// The same app at the other providers.
    pub elsewhere: Vec<Registered>,
}

impl Settings {
    /// The base address without a slash at its end.
    pub(super) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The path the stand-in is mounted at, empty at the root.
    pub(super) fn prefix(&self) -> &str {
        self.base.path().trim_end_matches('/')
    }
}

/// What can be set differently while the world turns.
#[derive(Clone, Debug)]
pub struct Switches {
    /// How long an access token is good for; Spotify says 3600 seconds.
    pub access_token_life: Duration,
    /// Whether a refresh answers with a new refresh token and ends the old one.
    pub rotate_refresh_tokens: bool,
    /// The Web API before February 2026: `tracks` beside `items`, contents of foreign playlists.
    pub legacy_regime: bool,
    /// Whether the owner of the app pays for Premium; if not, every API call is refused.
    pub owner_premium: bool,
    /// Whether `/authorize` refuses a request without a PKCE challenge (Spotify does not).
    pub require_pkce: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            access_token_life: Duration::from_secs(3600),
            rotate_refresh_tokens: false,
            legacy_regime: false,
            owner_premium: true,
            require_pkce: false,
        }
    }
}

/// A handle on the made-up world; clones share it.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    settings: Settings,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) switches: Switches,
    pub(super) listeners: Vec<Arc<Listener>>,
    pub(super) grants: Grants,
    pub(super) journal: Journal,
    pub(super) elsewhere: Elsewhere,
    clock: Clock,
}

impl World {
    /// A world with its usual cast: ada, mira, noor and tom.
    pub fn new(settings: Settings) -> Self {
        let state = State {
            switches: Switches::default(),
            listeners: listeners::cast().into_iter().map(Arc::new).collect(),
            grants: Grants::default(),
            journal: Journal::default(),
            elsewhere: Elsewhere::new(),
            clock: Clock::new(),
        };
        let state = Mutex::new(state);
        Self(Arc::new(Inner { settings, state }))
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The state, locked. Never held across an await.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody move in; a listener with the same key moves out.
    pub fn add_listener(&self, listener: Listener) {
        let mut state = self.state();
        state.listeners.retain(|known| known.key != listener.key);
        state.listeners.push(Arc::new(listener));
    }

    /// The same world, with a listener `key` who has `n` tidy playlists.
    #[must_use]
    pub fn with_library(self, key: &str, n: usize) -> Self {
        self.add_listener(Listener::with_library(key, n));
        self
    }

    /// Somebody as they are now, or `None` when nobody has this key.
    pub fn listener(&self, key: &str) -> Option<Listener> {
        let state = self.state();
        state.listener(key).map(|listener| (*listener).clone())
    }

    /// Changes somebody: their `account_id`, their place on the allow-list, what they play…
    /// Use [`World::rename`] for the `id`. Nothing happens when nobody has this key.
    pub fn change(&self, key: &str, change: impl FnOnce(&mut Listener)) {
        let mut state = self.state();
        if let Some(listener) = state.listeners.iter_mut().find(|l| l.key == key) {
            change(Arc::make_mut(listener));
        }
    }

    /// Gives somebody a new `id`, on their playlists too; the `account_id` stays.
    pub fn rename(&self, key: &str, id: &str) {
        let mut state = self.state();
        if let Some(old) = state.listener(key).map(|listener| listener.id.clone()) {
            let all = state.listeners.iter_mut();
            all.for_each(|listener| Arc::make_mut(listener).rename(&old, id));
        }
    }

    /// Adds a song to the playlist `id`, wherever it is listed: one entry more and another `snapshot_id`.
    pub fn add_song(&self, id: &str) {
        let mut state = self.state();
        for listener in state.listeners.iter_mut().filter(|listener| listener.lists(id)) {
            let theirs = Arc::make_mut(listener).library.iter_mut().flatten();
            for playlist in theirs.filter(|playlist| playlist.id == id) {
                playlist.length += 1;
                playlist.revision += 1;
            }
        }
    }

    /// Sets switches, e.g. `world.switch(|s| s.rotate_refresh_tokens = true)`.
    pub fn switch(&self, set: impl FnOnce(&mut Switches)) {
        set(&mut self.state().switches);
    }

    /// What time it is in this world.
    pub fn now(&self) -> OffsetDateTime {
        self.state().now()
    }

    /// Lets time pass at once, for codes and tokens to grow old; a thousand years at most.
    pub fn advance(&self, by: Duration) {
        let advanced = &mut self.state().clock.advanced;
        *advanced = advanced.saturating_add(by).min(END_OF_TIME);
    }

    /// A fresh pair of tokens for somebody, without the pages in between.
    pub fn sign_in(&self, key: &str, scope: &str) -> Tokens {
        let mut state = self.state();
        let (now, life) = (state.now(), state.switches.access_token_life);
        state.grants.begin(key, scope, now, life)
    }

    /// What a person does on their account page: removes the app. Their refresh tokens end now,
    /// access tokens that were given out live on.
    pub fn disconnect(&self, key: &str) {
        self.state().grants.revoke_all(key);
    }

    /// Every code and token given out lately, to search a log for.
    pub fn secrets(&self) -> Vec<String> {
        let state = self.state();
        state.grants.secrets().into_iter().chain(state.elsewhere.secrets()).collect()
    }
}

impl State {
    pub(super) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    pub(super) fn listener(&self, key: &str) -> Option<Arc<Listener>> {
        self.listeners.iter().find(|l| l.key == key).cloned()
    }
}

/// Far enough for every test, and still within what dates can say however often a visitor asks.
const END_OF_TIME: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// Real time from a start, plus what [`World::advance`] added.
struct Clock {
    began: OffsetDateTime,
    since: Instant,
    advanced: Duration,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this world has a clock of its own, which has to start somewhere")]
    fn new() -> Self {
        Self { began: OffsetDateTime::now_utc(), since: Instant::now(), advanced: Duration::ZERO }
    }

    fn now(&self) -> OffsetDateTime {
        self.began + self.since.elapsed() + self.advanced
    }
}

//! The state of the server, and the handle by which its owner changes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::fixtures;
use crate::grants::{Authorization, Grants, Tokens};
use crate::other_providers::accounts::Account;
use crate::other_providers::provider::OtherProvider;
use crate::other_providers::state::OtherProvidersState;
use crate::request_log::{RecordedRequest, RequestLog};
use crate::scenario::Scenario;
use crate::settings::{Settings, Switches};
use crate::user::User;

/// Handle of a fake Spotify; clones share its state.
#[derive(Clone)]
pub struct FakeSpotify(Arc<Inner>);

struct Inner {
    settings: Settings,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) switches: Switches,
    pub(crate) users: Vec<Arc<User>>,
    pub(crate) grants: Grants,
    pub(crate) request_log: RequestLog,
    pub(crate) other_providers: OtherProvidersState,
    clock: Clock,
}

impl FakeSpotify {
    /// A server with the users ada, mira, noor and tom.
    pub fn new(settings: Settings) -> Self {
        let state = State {
            switches: Switches::default(),
            users: fixtures::users().into_iter().map(Arc::new).collect(),
            grants: Grants::default(),
            request_log: RequestLog::default(),
            other_providers: OtherProvidersState::new(),
            clock: Clock::start(),
        };
        Self(Arc::new(Inner { settings, state: Mutex::new(state) }))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The locked state. Never held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a user, replacing one with the same key.
    pub fn add_user(&self, user: User) {
        let mut state = self.state();
        state.users.retain(|known| known.key != user.key);
        state.users.push(Arc::new(user));
    }

    /// Returns the same server with another user, with `count` ordinary playlists.
    #[must_use]
    pub fn with_library(self, key: &str, count: usize) -> Self {
        self.add_user(User::with_library(key, count));
        self
    }

    /// The current state of a user.
    pub fn user(&self, key: &str) -> Option<User> {
        self.state().user(key).map(|user| (*user).clone())
    }

    /// Updates a user, if there is one with this key. [`FakeSpotify::change_user_id`] updates the `id`.
    pub fn update_user(&self, key: &str, update: impl FnOnce(&mut User)) {
        let mut state = self.state();
        if let Some(user) = state.users.iter_mut().find(|user| user.key == key) {
            update(Arc::make_mut(user));
        }
    }

    /// Replaces a user's `id`, in the owners of playlists too; the `account_id` stays.
    pub fn change_user_id(&self, key: &str, id: &str) {
        let mut state = self.state();
        if let Some(old) = state.user(key).map(|user| user.id.clone()) {
            state.users.iter_mut().for_each(|user| Arc::make_mut(user).change_id(&old, id));
        }
    }

    /// Adds a song to a playlist in every library that has it, which changes its length and `snapshot_id`.
    pub fn add_song(&self, playlist_id: &str) {
        let mut state = self.state();
        for user in state.users.iter_mut().filter(|user| user.has_in_library(playlist_id)) {
            let playlists = Arc::make_mut(user).library.iter_mut().flatten();
            for playlist in playlists.filter(|playlist| playlist.id == playlist_id) {
                playlist.length += 1;
                playlist.revision += 1;
            }
        }
    }

    /// Updates the switches, for example `fake.update_switches(|switches| switches.rotate_refresh_tokens = true)`.
    pub fn update_switches(&self, update: impl FnOnce(&mut Switches)) {
        update(&mut self.state().switches);
    }

    /// Time by the server's own clock.
    pub fn now(&self) -> OffsetDateTime {
        self.state().now()
    }

    /// Advances the clock, by 1,000 years at most.
    pub fn advance(&self, by: Duration) {
        let advanced = &mut self.state().clock.advanced;
        *advanced = advanced.saturating_add(by).min(MAX_ADVANCE);
    }

    /// Issues tokens to a user without the consent page.
    pub fn issue_tokens(&self, key: &str, scope: &str) -> Tokens {
        let mut state = self.state();
        let (now, lifetime) = (state.now(), state.switches.access_token_lifetime);
        let (user_key, scope) = (key.to_owned(), scope.to_owned());
        let authorization = Authorization { user_key, redirect_uri: String::new(), scope, code_challenge: None };
        state.grants.issue_tokens(&authorization, now, lifetime)
    }

    /// Revokes a user's refresh tokens, as "Remove access" on their account page does. Access tokens stay valid.
    pub fn revoke_access(&self, key: &str) {
        self.state().grants.revoke_refresh_tokens(key);
    }

    /// The latest codes and tokens, for tests that search a log for them.
    pub fn issued_secrets(&self) -> Vec<String> {
        let state = self.state();
        let others = state.other_providers.issued_secrets.iter();
        state.grants.issued_secrets.iter().chain(others).cloned().collect()
    }

    /// Makes the next `times` requests to an endpoint fail, after those of earlier calls.
    pub fn inject_fault(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        self.state().request_log.add_fault(endpoint, fault, times);
    }

    /// Turns a scenario on or off.
    pub fn set_scenario(&self, scenario: Scenario, on: bool) {
        let scenarios = &mut self.state().request_log.scenarios;
        if on {
            scenarios.insert(scenario)
        } else {
            scenarios.remove(&scenario)
        };
    }

    /// Drops all pending faults and turns all scenarios off.
    pub fn reset(&self) {
        self.state().request_log.reset();
    }

    /// Number of access tokens of another provider that are valid.
    pub fn count_access_tokens(&self, provider: OtherProvider) -> usize {
        self.state().other_providers.count_access_tokens(provider)
    }

    /// The last requests, 10,000 at most, oldest first. Long addresses are cut.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().request_log.iter().cloned().collect()
    }

    /// Number of requests to an endpoint since the start, including those that failed.
    pub fn request_count(&self, endpoint: Endpoint) -> usize {
        self.state().request_log.count(endpoint)
    }

    /// A user's account with another provider.
    ///
    /// # Panics
    /// If there is none.
    pub fn account(&self, provider: OtherProvider, key: &str) -> Account {
        let state = self.state();
        let found = state.other_providers.accounts_of(provider).find(|account| account.key == key).cloned();
        found.unwrap_or_else(|| panic!("{key} has no account with {}", provider.label()))
    }

    /// Updates a user's account with another provider, if there is one.
    pub fn update_account(&self, provider: OtherProvider, key: &str, update: impl FnOnce(&mut Account)) {
        let mut state = self.state();
        let mut accounts = state.other_providers.accounts.iter_mut();
        if let Some(account) = accounts.find(|account| account.provider == provider && account.key == key) {
            update(account);
        }
    }
}

impl State {
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    pub(crate) fn user(&self, key: &str) -> Option<Arc<User>> {
        self.users.iter().find(|user| user.key == key).cloned()
    }
}

/// The clock must stay within the dates that `time` supports, however often a visitor advances it.
const MAX_ADVANCE: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// The real time plus what [`FakeSpotify::advance`] added.
struct Clock {
    started_at: OffsetDateTime,
    since_start: Instant,
    advanced: Duration,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the server has a clock of its own, which starts at the real time")]
    fn start() -> Self {
        Self { started_at: OffsetDateTime::now_utc(), since_start: Instant::now(), advanced: Duration::ZERO }
    }

    fn now(&self) -> OffsetDateTime {
        self.started_at + self.since_start.elapsed() + self.advanced
    }
}

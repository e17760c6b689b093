//! Made-up Google, GitHub, Facebook and X: where people sign in, and nothing else.
//!
//! Each is reached below its own path (`/google`, `/github`, `/facebook`, `/x`) and keeps the paths, the
//! refusals and the oddities of the real one, as far as a sign-in meets them: GitHub refuses with status 200
//! and answers nobody without a `User-Agent`; Facebook's errors are objects; X wants PKCE and HTTP Basic and
//! calls a bad code an invalid request; Google says who answers (`iss`).

mod accounts;
mod consent;
mod profile;
mod refused;
mod token;

use std::collections::HashMap;

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::World;
use super::faults::{self, Endpoint};
use axum::middleware;

pub use accounts::Account;
pub(super) use accounts::cast;

/// A made-up provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Google.
    Google,
    /// GitHub.
    GitHub,
    /// Facebook.
    Facebook,
    /// X.
    X,
}

impl Service {
    /// All of them.
    pub const ALL: [Service; 4] = [Service::Google, Service::GitHub, Service::Facebook, Service::X];

    /// Its place in addresses.
    pub fn key(self) -> &'static str {
        match self {
            Service::Google => "google",
            Service::GitHub => "github",
            Service::Facebook => "facebook",
            Service::X => "x",
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Service::Google => "Google",
            Service::GitHub => "GitHub",
            Service::Facebook => "Facebook",
            Service::X => "X",
        }
    }

    /// How its consent is asked for, its codes redeemed, its people named.
    fn paths(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Service::Google => ("/o/oauth2/v2/auth", "/token", "/v1/userinfo"),
            Service::GitHub => ("/login/oauth/authorize", "/login/oauth/access_token", "/user"),
            Service::Facebook => ("/dialog/oauth", "/oauth/access_token", "/me"),
            Service::X => ("/i/oauth2/authorize", "/2/oauth2/token", "/2/users/me"),
        }
    }
}

/// The app as one of them knows it.
#[derive(Clone)]
pub struct Registered {
    /// Where.
    pub service: Service,
    /// The app's name there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its redirect address, compared to the letter.
    pub redirect_uri: String,
}

/// How many codes and tokens are kept, so that a long demo does not grow.
const REMEMBERED: usize = 1_000;

/// Who has an account, and what was given out.
pub(super) struct Elsewhere {
    pub(super) accounts: Vec<Account>,
    codes: HashMap<String, Approval>,
    tokens: HashMap<String, Approval>,
    given_out: Vec<String>,
}

impl Elsewhere {
    pub(super) fn new() -> Self {
        Self { accounts: cast(), codes: HashMap::new(), tokens: HashMap::new(), given_out: Vec::new() }
    }

    /// Every code and token given out.
    pub(super) fn secrets(&self) -> Vec<String> {
        self.given_out.clone()
    }

    /// Random text, remembered so that a log can be searched for it.
    fn secret(&mut self, prefix: &str) -> String {
        let mut random = [0u8; 30];
        rand::fill(&mut random);
        let secret = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random));
        if self.given_out.len() == REMEMBERED {
            self.given_out.remove(0);
        }
        self.given_out.push(secret.clone());
        secret
    }

    /// The account that an approval is about, as it is now.
    fn account(&self, approval: &Approval) -> Option<&Account> {
        self.accounts.iter().find(|account| account.service == approval.service && account.id == approval.id)
    }
}

/// What somebody approved.
#[derive(Clone)]
struct Approval {
    service: Service,
    /// The account's id.
    id: String,
    scope: String,
    challenge: Option<String>,
}

impl World {
    /// Somebody's account at one of the other providers.
    ///
    /// # Panics
    /// When nobody of this key has one there.
    pub fn account(&self, service: Service, key: &str) -> Account {
        let state = self.state();
        let found = state.elsewhere.accounts.iter().find(|account| account.service == service && account.key == key);
        found.cloned().unwrap_or_else(|| panic!("{key} has no account at {}", service.label()))
    }

    /// Changes somebody's account at one of the other providers: its login, its address…
    pub fn change_account(&self, service: Service, key: &str, change: impl FnOnce(&mut Account)) {
        let mut state = self.state();
        let mut all = state.elsewhere.accounts.iter_mut();
        if let Some(account) = all.find(|account| account.service == service && account.key == key) {
            change(account);
        }
    }

    fn accounts(&self, service: Service) -> Vec<Account> {
        let state = self.state();
        state.elsewhere.accounts.iter().filter(|account| account.service == service).cloned().collect()
    }

    fn registered(&self, service: Service) -> Option<&Registered> {
        self.settings().elsewhere.iter().find(|app| app.service == service)
    }
}

/// The routes of all of them.
pub(super) fn router(world: &World) -> Router<World> {
    let watch = |endpoint, route: MethodRouter<World>| {
        route.layer(middleware::from_fn_with_state((world.clone(), endpoint), faults::gate))
    };
    let mut router = Router::new();
    for service in Service::ALL {
        let at = |path: &str| format!("/{}{path}", service.key());
        let (authorize, token, profile) = service.paths();
        let asked = get(move |world, query| consent::authorize(service, world, query));
        let decided = post(move |world, headers, body| consent::decide(service, world, headers, body));
        let redeemed = move |world, request| token::answer(service, world, request);
        let told = get(move |world, headers, query| profile::answer(service, world, headers, query));
        // Facebook's guide asks with GET; others are never asked so.
        let redeem = if service == Service::Facebook { get(redeemed).post(redeemed) } else { post(redeemed) };
        router = router
            .route(&at(authorize), watch(Endpoint::OtherConsent, asked))
            .route(&at("/decision"), watch(Endpoint::OtherConsent, decided))
            .route(&at(token), watch(Endpoint::OtherToken, redeem))
            .route(&at(profile), watch(Endpoint::OtherProfile, told));
    }
    router.route("/github/user/emails", watch(Endpoint::OtherProfile, get(profile::emails)))
}

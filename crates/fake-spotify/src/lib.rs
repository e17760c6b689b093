//! A made-up Spotify for demos and tests: a server with users, playlists, sign-in and the Web API, over HTTP.
//!
//! An app uses it by its two base addresses: that of the accounts service is [`Settings::base_url`], that of the Web
//! API is the same with `/v1`. [`router()`] can be nested below a path or served on a port of its own.
//!
//! **Imitated**: the authorization-code flow with PKCE as of 2025 (exact redirect addresses, single-use codes that
//! expire after ten minutes, refresh tokens that optionally rotate and expire six months after the consent), and the
//! Web API of a development-mode app as of February 2026 (`items` instead of `tracks`, no items of other people's
//! playlists, plain-text 403 for users who are not on the allow-list), with the irregular data of real libraries.
//! Invalid requests get the status and body that Spotify sends.
//!
//! **Not imitated**: remembered consent (the page is always shown, as with `show_dialog=true`), passwords, apps without
//! a client secret, search, writes other than saving to the library, and rate limits, except by
//! [`FakeSpotify::inject_fault`] and [`FakeSpotify::set_scenario`].
//! Nothing is stored. Ids are the same on every start; tokens are not, so users sign in again after a restart.
//!
//! [`FakeSpotify`] changes users, rules and the clock, makes requests fail and counts them. `/panel` offers the same
//! to visitors of a demo. `other_providers` adds Google, GitHub, Facebook and X, for signing in only.

mod api_error;
mod authorization_request;
mod consent;
mod controls;
mod covers;
mod endpoint;
mod fault;
mod fault_injection;
mod fixtures;
mod grants;
mod html;
mod issued_secrets;
mod library;
mod messy_data;
mod music;
mod other_providers;
mod paging;
mod panel;
mod params;
mod pkce;
mod player;
mod playlist;
mod recent_map;
mod redirect_uri;
mod request_log;
mod router;
mod scenario;
mod seed;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod user;
mod web_api;
mod wire;
mod wire_items;

pub use endpoint::Endpoint;
pub use fault::Fault;
pub use grants::Tokens;
pub use other_providers::accounts::Account;
pub use other_providers::provider::{OtherProvider, RegisteredClient};
pub use paging::PagingQuirk;
pub use playlist::{Artwork, CountField, Owner, Playlist};
pub use request_log::RecordedRequest;
pub use router::router;
pub use scenario::Scenario;
pub use settings::{Settings, Switches};
pub use state::FakeSpotify;
pub use user::{Playing, User};

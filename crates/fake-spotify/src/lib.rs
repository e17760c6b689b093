//! A made-up Spotify: a small world of listeners and playlists behind real HTTP.
//!
//! Demo mode mounts it under `/fake-spotify` of the app's own server, tests give it a port of its own;
//! either way the app meets it only through its two base addresses:
//! `SPOTIFY_ACCOUNTS_URL = {base}` and `SPOTIFY_API_URL = {base}/v1`.
//!
//! **What it imitates**: the authorization-code flow with PKCE as Spotify has run it since 2025
//! (exact redirect addresses, one-use codes of ten minutes, refresh tokens that may or may not
//! rotate and end six months after the approval), and the Web API of a development-mode app since
//! February 2026 (`items` in place of `tracks`, no contents of other people's playlists, plain-text
//! 403 for people not on the allow-list), with the untidy data that real libraries are full of.
//! It is strict: what the real service refuses, it refuses, with the same status and body.
//!
//! **What it does not**: remember an approval (the consent page is always shown, as with
//! `show_dialog=true`), ask for a password, search, write to a library, limit the rate by itself
//! (ask for it with [`World::fault`] or [`World::trouble`]), or keep anything over a restart. Ids are the same at every
//! start, so what was hearted in an earlier demo is found again; tokens are not, so a restart asks
//! people to sign in anew.
//!
//! **What tests may ask of it**: listeners with any library ([`World::add_listener`]), the
//! switches ([`World::switch`]), the clock ([`World::advance`]), faults for so many requests
//! ([`World::fault`]) or until they are mended ([`World::trouble`]), and what was called
//! ([`World::requests`], [`World::count`]). The same is on a page for visitors of the demo, `/panel`.
//!
//! Beside it, below paths of their own, stand the other providers by which people sign in (`elsewhere`).
//!
//! Reading order: `world` (the state), `accounts` and `token` (signing in), `spotify` (the API),
//! `wire` and `songs` (its JSON), `library` and `dirty` (whose playlists), `music` (the invention),
//! `controls` and `panel` (how visitors change it).

mod accounts;
mod consent;
mod controls;
mod covers;
mod dirty;
mod elsewhere;
mod faults;
mod form;
mod grants;
mod library;
mod listeners;
mod music;
mod pages;
mod panel;
mod player;
mod refused;
mod songs;
mod spotify;
#[cfg(test)]
mod tests;
mod token;
mod troubles;
mod wire;
mod world;

pub use elsewhere::{Account, Registered, Service};
pub use faults::{Endpoint, Fault, Seen};
pub use grants::Tokens;
pub use library::{Artwork, Counts, Owner, Playlist};
pub use listeners::{Listener, Playing};
pub use troubles::Trouble;
pub use world::{Settings, Switches, World};

use axum::routing::{MethodRouter, any, get, post};
use axum::{Router, middleware};

/// The whole stand-in, its routes relative to where [`Settings::base`] points.
pub fn router(world: World) -> Router {
    let watch = |endpoint, route: MethodRouter<World>| {
        route.layer(middleware::from_fn_with_state((world.clone(), endpoint), faults::gate))
    };
    Router::new()
        .route("/authorize", watch(Endpoint::Authorize, get(consent::authorize)))
        .route("/authorize/decision", watch(Endpoint::Decision, post(consent::decide)))
        .route("/api/token", watch(Endpoint::Token, post(token::answer)))
        .route("/v1/me", watch(Endpoint::Me, get(spotify::me)))
        .route("/v1/me/playlists", watch(Endpoint::MyPlaylists, get(spotify::my_playlists)))
        .route("/v1/me/player/currently-playing", watch(Endpoint::CurrentlyPlaying, get(player::currently_playing)))
        .route("/v1/playlists/{id}", watch(Endpoint::Playlist, get(spotify::playlist)))
        .route("/v1/playlists/{id}/items", watch(Endpoint::Items, get(spotify::items)))
        .route("/v1/playlists/{id}/tracks", watch(Endpoint::Removed, any(spotify::tracks)))
        .route("/v1/users/{*rest}", watch(Endpoint::Removed, any(spotify::removed)))
        .route("/covers/{seed}", watch(Endpoint::Cover, get(covers::cover)))
        .route("/style.css", get(pages::stylesheet))
        .route("/panel", get(panel::show))
        .route("/panel/set", post(panel::set))
        .route("/panel/clock", post(panel::clock))
        .route("/panel/mend", post(panel::mend))
        .merge(elsewhere::router(&world))
        .fallback(spotify::unknown)
        .with_state(world)
}

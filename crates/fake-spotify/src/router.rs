//! The routes.

use axum::Router;
use axum::routing::{any, get, post, put};

use crate::endpoint::Endpoint;
use crate::state::FakeSpotify;
use crate::{consent, covers, fault_injection, html, library, other_providers, panel, player, token, web_api};

/// The routes of the server, relative to [`Settings::base_url`](crate::Settings::base_url).
pub fn router(fake: FakeSpotify) -> Router {
    let with_faults = |endpoint, route| fault_injection::layer(&fake, endpoint, route);
    Router::new()
        .route("/authorize", with_faults(Endpoint::Authorize, get(consent::authorize)))
        .route("/authorize/decision", with_faults(Endpoint::Decision, post(consent::decide)))
        .route("/api/token", with_faults(Endpoint::Token, post(token::issue)))
        .route("/v1/me", with_faults(Endpoint::Me, get(web_api::get_profile)))
        .route("/v1/me/playlists", with_faults(Endpoint::MyPlaylists, get(web_api::list_playlists)))
        .route("/v1/me/library", with_faults(Endpoint::SaveToLibrary, put(library::save)))
        .route(
            "/v1/me/player/currently-playing",
            with_faults(Endpoint::CurrentlyPlaying, get(player::get_currently_playing)),
        )
        .route("/v1/playlists/{id}", with_faults(Endpoint::Playlist, get(web_api::get_playlist)))
        .route("/v1/playlists/{id}/items", with_faults(Endpoint::Items, get(web_api::list_items)))
        .route("/v1/playlists/{id}/tracks", with_faults(Endpoint::Removed, any(web_api::list_tracks)))
        .route("/v1/users/{*rest}", with_faults(Endpoint::Removed, any(web_api::forbid)))
        .route("/covers/{seed}", with_faults(Endpoint::Cover, get(covers::show)))
        .route("/oembed", with_faults(Endpoint::OEmbed, get(web_api::embed)))
        .route("/style.css", get(html::serve_stylesheet))
        .route("/panel", get(panel::show))
        .route("/panel/controls", post(panel::set_control))
        .route("/panel/clock", post(panel::advance_clock))
        .route("/panel/reset", post(panel::reset))
        .merge(other_providers::router::router(&fake))
        .fallback(web_api::not_found)
        .with_state(fake)
}

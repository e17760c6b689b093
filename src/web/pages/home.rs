//! The landing page.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};

use crate::ids::Provider;
use crate::web::extract::{MaybeUser, State};
use crate::web::pages::invites::registration_note;
use crate::web::pages::login::other_providers;
use crate::web::views::{Layout, absolute_url, preview_image_url, render_page};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    layout: Layout,
    others: Vec<Provider>,
    registration_note: Option<String>,
    canonical_url: String,
    preview_image: String,
}

pub(crate) async fn show(app: State, maybe_user: MaybeUser, layout: Layout) -> Response {
    match maybe_user.user {
        // Without Spotify there are no playlists.
        Some(user) if user.grant.is_none() && !user.has_expired_grant => Redirect::to("/hearts").into_response(),
        Some(_) => Redirect::to("/playlists").into_response(),
        None => render_page(&HomePage {
            layout: layout.with_title("Keep the playlists you love", ""),
            others: other_providers(&app),
            registration_note: registration_note(&app),
            canonical_url: absolute_url(&app, "/"),
            preview_image: preview_image_url(&app),
        }),
    }
}

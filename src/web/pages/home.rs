//! The landing page.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};

use crate::ids::Provider;
use crate::web::extract::State;
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

pub(crate) async fn show(app: State, layout: Layout) -> Response {
    match layout.user_name {
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

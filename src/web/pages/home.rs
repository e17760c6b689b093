//! The landing page.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};

use crate::ids::Provider;
use crate::web::extract::State;
use crate::web::pages::invites::door;
use crate::web::pages::login::others;
use crate::web::views::layout::{Layout, absolute, html, picture};

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    layout: Layout,
    /// The ways in beside Spotify.
    others: Vec<Provider>,
    /// Who may join.
    door: Option<String>,
    /// The page's one address, whole.
    address: String,
    picture: String,
}

pub(crate) async fn show(app: State, layout: Layout) -> Response {
    match layout.visitor {
        Some(_) => Redirect::to("/playlists").into_response(),
        None => html(&Home {
            layout: layout.titled("Keep the playlists you love", ""),
            others: others(&app),
            door: door(&app),
            address: absolute(&app, "/"),
            picture: picture(&app),
        }),
    }
}

//! The landing page.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};

use super::State;
use super::layout::{Layout, html};
use super::registration::door;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    layout: Layout,
    /// Who may join.
    door: Option<String>,
}

pub(super) async fn show(app: State, layout: Layout) -> Response {
    match layout.visitor {
        Some(_) => Redirect::to("/playlists").into_response(),
        None => html(&Home { layout: layout.titled("Keep the playlists you love", ""), door: door(&app) }),
    }
}

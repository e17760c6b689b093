//! The landing page.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};

use super::layout::{Layout, html};

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    layout: Layout,
}

pub(super) async fn show(layout: Layout) -> Response {
    match layout.visitor {
        Some(_) => Redirect::to("/playlists").into_response(),
        None => html(&Home { layout: layout.titled("Keep the playlists you love", "") }),
    }
}

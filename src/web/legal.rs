//! Privacy and terms: what is kept of people, and what they agree to.

mod kept;

use askama::Template;
use axum::response::Response;

use super::layout::{Layout, html};
use kept::{KEPT, Kept};

#[derive(Template)]
#[template(path = "legal/privacy.html")]
struct Privacy {
    layout: Layout,
    kept: &'static [Kept],
}

#[derive(Template)]
#[template(path = "legal/terms.html")]
struct Terms {
    layout: Layout,
}

pub(super) async fn privacy(layout: Layout) -> Response {
    html(&Privacy { layout: layout.titled("Privacy", ""), kept: KEPT })
}

pub(super) async fn terms(layout: Layout) -> Response {
    html(&Terms { layout: layout.titled("Terms", "") })
}

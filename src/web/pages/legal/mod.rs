//! Privacy and terms: what is kept of people, and what they agree to.

mod stored_data;

use askama::Template;
use axum::response::Response;

use self::stored_data::{KEPT, Kept};
use crate::web::views::layout::{Layout, html};

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

pub(crate) async fn privacy(layout: Layout) -> Response {
    html(&Privacy { layout: layout.titled("Privacy", ""), kept: KEPT })
}

pub(crate) async fn terms(layout: Layout) -> Response {
    html(&Terms { layout: layout.titled("Terms", "") })
}

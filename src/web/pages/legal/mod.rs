//! Privacy and terms: what is kept of people, and what they agree to.

mod stored_data;

use askama::Template;
use axum::response::Response;

use self::stored_data::{STORED_DATA, StoredTable};
use crate::web::views::layout::{Layout, render_page};

#[derive(Template)]
#[template(path = "legal/privacy.html")]
struct Privacy {
    layout: Layout,
    stored_data: &'static [StoredTable],
}

#[derive(Template)]
#[template(path = "legal/terms.html")]
struct Terms {
    layout: Layout,
}

pub(crate) async fn privacy(layout: Layout) -> Response {
    render_page(&Privacy { layout: layout.with_title("Privacy", ""), stored_data: STORED_DATA })
}

pub(crate) async fn terms(layout: Layout) -> Response {
    render_page(&Terms { layout: layout.with_title("Terms", "") })
}

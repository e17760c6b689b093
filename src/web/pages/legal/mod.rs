//! Privacy policy and terms.

mod stored_data;

use askama::Template;
use axum::response::Response;

use self::stored_data::{STORED_DATA, StoredTable};
use crate::web::views::layout::{Layout, render_page};

#[derive(Template)]
#[template(path = "legal/privacy.html")]
struct PrivacyPage {
    layout: Layout,
    stored_data: &'static [StoredTable],
}

#[derive(Template)]
#[template(path = "legal/terms.html")]
struct TermsPage {
    layout: Layout,
}

pub(crate) async fn privacy(layout: Layout) -> Response {
    render_page(&PrivacyPage { layout: layout.with_title("Privacy", ""), stored_data: STORED_DATA })
}

pub(crate) async fn terms(layout: Layout) -> Response {
    render_page(&TermsPage { layout: layout.with_title("Terms", "") })
}

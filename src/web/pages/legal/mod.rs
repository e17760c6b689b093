//! Privacy policy and terms.

mod stored_data;

use askama::Template;
use axum::response::Response;

use self::stored_data::{STORED_DATA, StoredTable};
use crate::web::cookies::{self, CookieKind};
use crate::web::extract::State;
use crate::web::views::layout::{Layout, render_page};

#[derive(Template)]
#[template(path = "legal/privacy.html")]
struct PrivacyPage {
    layout: Layout,
    session_cookie: String,
    session_days: i64,
    session_idle_days: i64,
    login_cookie: String,
    flash_cookie: String,
    stored_data: &'static [StoredTable],
}

#[derive(Template)]
#[template(path = "legal/terms.html")]
struct TermsPage {
    layout: Layout,
}

pub(crate) async fn privacy(app: State, layout: Layout) -> Response {
    render_page(&PrivacyPage {
        layout: layout.with_title("Privacy", ""),
        session_days: app.config.access.session_ttl.whole_days(),
        session_idle_days: app.config.access.session_idle_ttl.whole_days(),
        session_cookie: cookies::name(&app, CookieKind::Session),
        login_cookie: cookies::name(&app, CookieKind::Login),
        flash_cookie: cookies::name(&app, CookieKind::Flash),
        stored_data: STORED_DATA,
    })
}

pub(crate) async fn terms(layout: Layout) -> Response {
    render_page(&TermsPage { layout: layout.with_title("Terms", "") })
}

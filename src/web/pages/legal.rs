//! Privacy policy and terms.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use crate::web::cookies::{self, CookieKind};
use crate::web::extract::State;
use crate::web::pages::theme;
use crate::web::views::{Layout, render_page};

#[derive(Template)]
#[template(path = "legal/privacy.html")]
struct PrivacyPage {
    layout: Layout,
    session_cookie: String,
    session_days: i64,
    session_idle_days: i64,
    login_cookie: String,
    flash_cookie: String,
    theme_cookie: String,
    theme_days: i64,
    zone_cookie: String,
    /// How long Spotify's names stay, if the operator limits it.
    title_days: Option<i64>,
    has_oembed: bool,
    stored_data: &'static StoredData,
}

/// All columns of the database, described for users. A test compares them with the schema.
#[derive(Deserialize)]
struct StoredData {
    /// Periods that several fields have, by name.
    retention: HashMap<String, String>,
    tables: Vec<StoredTable>,
}

#[derive(Deserialize)]
struct StoredTable {
    table: String,
    heading: String,
    purpose: String,
    fields: Vec<Field>,
}

/// Columns that are described together.
#[derive(Deserialize)]
struct Field {
    description: String,
    /// A sentence, or the name of one.
    retention: String,
    columns: Vec<String>,
}

static STORED_DATA: LazyLock<StoredData> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../templates/legal/stored_data.json")).expect("a file of the program")
});

impl StoredData {
    fn retention<'a>(&'a self, field: &'a Field, title_days: Option<i64>) -> Cow<'a, str> {
        match (field.retention.as_str(), title_days) {
            ("title", Some(days)) => format!("At most {days} days after Spotify last showed the playlist.").into(),
            ("title", None) => self.retention["heart"].as_str().into(),
            _ => self.retention.get(&field.retention).unwrap_or(&field.retention).into(),
        }
    }
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
        title_days: app.config.title_ttl.map(|ttl| ttl.whole_days()),
        has_oembed: app.config.oembed_url.is_some(),
        session_cookie: cookies::name(&app, CookieKind::Session),
        login_cookie: cookies::name(&app, CookieKind::Login),
        flash_cookie: cookies::name(&app, CookieKind::Flash),
        theme_cookie: cookies::name(&app, CookieKind::Theme),
        theme_days: theme::COOKIE_TTL.whole_days(),
        zone_cookie: cookies::name(&app, CookieKind::Zone),
        stored_data: &STORED_DATA,
    })
}

pub(crate) async fn terms(layout: Layout) -> Response {
    render_page(&TermsPage { layout: layout.with_title("Terms", "") })
}

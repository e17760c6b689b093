//! The choice between light and dark.

use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::Duration;

use crate::web::cookies::{self, CookieKind};
use crate::web::extract::theme::Theme;
use crate::web::extract::{Referer, State};

/// Lifetime of the cookie: the longest that Chrome allows.
pub(crate) const COOKIE_TTL: Duration = Duration::days(400);

#[derive(Deserialize)]
pub(crate) struct ThemeForm {
    /// Anything but a theme means that the system decides.
    theme: String,
}

/// Remembers the choice in a cookie, signed in or not, and redirects to the page with the form.
pub(crate) async fn update(app: State, Referer(page): Referer, Form(form): Form<ThemeForm>) -> Response {
    let mut response = Redirect::to(page.as_str()).into_response();
    match Theme::from_key(&form.theme) {
        Some(theme) => cookies::set(&app, &mut response, CookieKind::Theme, theme.key(), COOKIE_TTL),
        None => cookies::remove(&app, &mut response, CookieKind::Theme),
    }
    response
}

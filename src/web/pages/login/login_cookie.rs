//! The cookie that binds a pending login to the browser that started it. Separate from the session, so that visitors
//! who are not signed in need no session row.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::app::App;
use crate::domain::login::PENDING_TTL;
use crate::ids::Secret;
use crate::web::cookies::{self, CookieKind};

/// Returns the cookie's value; `None` if it is missing or empty.
pub(crate) fn read(app: &App, headers: &HeaderMap) -> Option<Secret> {
    let value = cookies::read(headers, &cookies::name(app, CookieKind::Login))?;
    (!value.is_empty()).then(|| Secret::new(value))
}

/// Sets the cookie for the lifetime of its pending logins.
pub(crate) fn set(app: &App, response: &mut Response, browser: &Secret) {
    cookies::set(app, response, CookieKind::Login, browser.expose(), PENDING_TTL);
}

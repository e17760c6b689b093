//! The cookie that binds a pending login to the browser that started it. Separate from the session, so that visitors
//! who are not signed in need no session row.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use time::Duration;
use tower_sessions::cookie::{Cookie, SameSite};

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
    write(app, response, browser.expose(), PENDING_TTL);
}

/// Removes the cookie, so that pending logins end with the session.
pub(crate) fn remove(app: &App, response: &mut Response) {
    write(app, response, "", Duration::ZERO);
}

fn write(app: &App, response: &mut Response, value: &str, max_age: Duration) {
    let cookie = Cookie::build((cookies::name(app, CookieKind::Login), value))
        .max_age(max_age)
        .path("/")
        .http_only(true)
        .secure(app.config.is_https())
        // Not Strict, because the callback is a navigation from another site.
        .same_site(SameSite::Lax);
    let cookie = HeaderValue::from_str(&cookie.to_string()).expect("a random value has no special characters");
    response.headers_mut().append(SET_COOKIE, cookie);
}

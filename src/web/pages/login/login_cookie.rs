//! The cookie that binds a pending login to the browser that started it. Separate from the session, so that visitors
//! who are not signed in need no session row.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use time::Duration;
use tower_sessions::cookie::{Cookie, CookieBuilder, SameSite};

use crate::app::App;
use crate::domain::login::PENDING_TTL;
use crate::ids::Secret;

/// With the prefix `__Host-`, browsers reject the cookie from a subdomain or over http.
fn name(app: &App) -> &'static str {
    if app.config.is_https() { "__Host-heartlist-login" } else { "heartlist-login" }
}

/// Returns the cookie's value; `None` if it is missing or empty.
pub(crate) fn read(app: &App, headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let cookie = cookies.flat_map(Cookie::split_parse).flatten().find(|cookie| cookie.name() == name(app))?;
    Some(Secret::new(cookie.value())).filter(|value| !value.expose().is_empty())
}

/// Sets the cookie for the lifetime of its pending logins.
pub(crate) fn set(app: &App, response: &mut Response, browser: &Secret) {
    write(app, response, Cookie::build((name(app), browser.expose())).max_age(PENDING_TTL));
}

/// Removes the cookie, so that pending logins end with the session.
pub(crate) fn remove(app: &App, response: &mut Response) {
    write(app, response, Cookie::build((name(app), "")).max_age(Duration::ZERO));
}

fn write(app: &App, response: &mut Response, cookie: CookieBuilder<'_>) {
    let cookie = cookie
        .path("/")
        .http_only(true)
        .secure(app.config.is_https())
        // Not Strict, because the callback is a navigation from another site.
        .same_site(SameSite::Lax);
    let cookie = HeaderValue::from_str(&cookie.to_string()).expect("a random value has no special characters");
    response.headers_mut().append(SET_COOKIE, cookie);
}

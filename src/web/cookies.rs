//! The cookies: their names and attributes, and reading them.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use time::Duration;
use tower_sessions::cookie::{Cookie, SameSite};

use crate::app::App;

/// Not Strict, because the callback of a login is a navigation from another site.
pub(crate) const SAME_SITE: SameSite = SameSite::Lax;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieKind {
    Session,
    Login,
    Flash,
    /// Set and read by the script too.
    Zone,
    Theme,
}

/// Returns the cookie's name. With the prefix `__Host-`, browsers reject the cookie from a subdomain or over http. Over
/// http the name has the port: cookies ignore ports, and there may be another instance on the same host.
pub(crate) fn name(app: &App, kind: CookieKind) -> String {
    let base = match app.config.base_url.port_or_known_default() {
        _ if app.config.is_https() => "__Host-heartlist".into(),
        Some(port) => format!("heartlist-{port}"),
        None => "heartlist".to_owned(),
    };
    match kind {
        CookieKind::Session => base,
        CookieKind::Login => format!("{base}-login"),
        CookieKind::Flash => format!("{base}-flash"),
        CookieKind::Zone => format!("{base}-zone"),
        CookieKind::Theme => format!("{base}-theme"),
    }
}

pub(crate) fn set(app: &App, response: &mut Response, kind: CookieKind, value: &str, max_age: Duration) {
    let cookie = Cookie::build((name(app, kind), value))
        .max_age(max_age)
        .path("/")
        .http_only(true)
        .secure(app.config.is_https())
        .same_site(SAME_SITE);
    let cookie = HeaderValue::from_str(&cookie.to_string()).expect("the values are base64 or words");
    response.headers_mut().append(SET_COOKIE, cookie);
}

/// Removes a cookie. Browsers ignore a removal with the prefix `__Host-` but without `Secure` and `Path`
/// (RFC 6265bis section 5.7).
pub(crate) fn remove(app: &App, response: &mut Response, kind: CookieKind) {
    set(app, response, kind, "", Duration::ZERO);
}

pub(crate) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let headers = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    headers.flat_map(Cookie::split_parse).flatten().find(|cookie| cookie.name() == name)?.value_raw()
}

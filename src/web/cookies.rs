//! Names of the cookies, and reading them.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use tower_sessions::cookie::Cookie;

use crate::app::App;

/// A cookie of Heartlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieKind {
    Session,
    Login,
    Flash,
    /// Counts of a deleted account, for one page.
    Deleted,
}

/// Returns the cookie's name. With the prefix `__Host-`, browsers reject the cookie from a subdomain or over http. Over
/// http the name has the port: cookies ignore ports, and there may be another instance on the same host.
pub(crate) fn name(app: &App, kind: CookieKind) -> String {
    let base = match app.config.base_url.port_or_known_default() {
        Some(port) if !app.config.is_https() => format!("heartlist-{port}"),
        _ => "heartlist".into(),
    };
    match kind {
        CookieKind::Flash => format!("{base}-flash"),
        CookieKind::Deleted => format!("{base}-deleted"),
        CookieKind::Session if app.config.is_https() => format!("__Host-{base}"),
        CookieKind::Login if app.config.is_https() => format!("__Host-{base}-login"),
        CookieKind::Session => base,
        CookieKind::Login => format!("{base}-login"),
    }
}

/// Returns the value of the cookie called `name`.
pub(crate) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let headers = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    headers.flat_map(Cookie::split_parse).flatten().find(|cookie| cookie.name() == name)?.value_raw()
}

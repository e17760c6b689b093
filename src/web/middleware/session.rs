//! The session cookie and its layer.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::COOKIE;
use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use crate::app::App;
use crate::web::cookies::{self, CookieKind};

/// Session lifetime, equal to that of a consent at Spotify.
const SESSION_TTL: Duration = Duration::days(180);
/// Name of the cookie over http in release 0.1.0.
const FORMER_NAME: &str = "heartlist";

pub(crate) fn layer(app: &App) -> SessionManagerLayer<impl SessionStore + Clone> {
    SessionManagerLayer::new(app.sessions())
        .with_name(cookies::name(app, CookieKind::Session))
        .with_secure(app.config.is_https())
        .with_http_only(true)
        // Not Strict, because the callback is a navigation from another site.
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(SESSION_TTL))
}

/// Accepts the former name over http, so that sessions survive the upgrade: until the next sign-in, 180 days at most.
pub(crate) fn accept_former_name(app: &App) -> impl Fn(Request) -> Request + Clone + use<> {
    let name = cookies::name(app, CookieKind::Session);
    let is_https = app.config.is_https();
    move |mut request| {
        if !is_https
            && cookies::read(request.headers(), &name).is_none()
            && let Some(value) = cookies::read(request.headers(), FORMER_NAME)
            && let Ok(cookie) = HeaderValue::try_from(format!("{name}={value}"))
        {
            request.headers_mut().append(COOKIE, cookie);
        }
        request
    }
}

//! The session cookie and its layer.

use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use crate::app::App;

/// Session lifetime, equal to that of a consent at Spotify.
const SESSION_TTL: Duration = Duration::days(180);

pub(crate) fn layer(app: &App) -> SessionManagerLayer<impl SessionStore + Clone> {
    let is_https = app.config.is_https();
    SessionManagerLayer::new(app.sessions())
        // With this prefix, browsers reject the cookie from a subdomain or over http.
        .with_name(if is_https { "__Host-heartlist" } else { "heartlist" })
        .with_secure(is_https)
        .with_http_only(true)
        // Not Strict, because the callback is a navigation from another site.
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(SESSION_TTL))
}

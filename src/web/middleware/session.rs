//! The session cookie and its layer.

use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use crate::app::App;

/// As long as one consent at Spotify lasts.
const SESSION_TTL: Duration = Duration::days(180);

pub(crate) fn layer(app: &App) -> SessionManagerLayer<impl SessionStore + Clone> {
    let https = app.config.is_https();
    SessionManagerLayer::new(app.sessions())
        // Browsers refuse a cookie with this prefix from a subdomain or over http.
        .with_name(if https { "__Host-heartlist" } else { "heartlist" })
        .with_secure(https)
        .with_http_only(true)
        // Lax, because the callback from Spotify begins on another site.
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(SESSION_TTL))
}

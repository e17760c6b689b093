//! The session cookie, and the layer that opens sessions.

use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use crate::app::App;

/// How long a session lasts: as long as one consent at Spotify does.
const SESSION_TTL: Duration = Duration::days(180);

/// The layer that brings sessions to pages.
pub(crate) fn layer(app: &App) -> SessionManagerLayer<impl SessionStore + Clone> {
    let https = app.config.https();
    SessionManagerLayer::new(app.sessions())
        // The prefix makes browsers refuse the cookie from a subdomain or over http.
        .with_name(if https { "__Host-heartlist" } else { "heartlist" })
        .with_secure(https)
        .with_http_only(true)
        // Lax and not Strict: the way back from Spotify begins on another site.
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(SESSION_TTL))
}

//! The user's account: display, disconnect, delete.

use time::{Duration, OffsetDateTime};

use super::activity::{self, EventKind};
use super::sessions;
use super::text::visible_or;
use super::tokens::SPOTIFY_KEYS;
use super::{CurrentUser, DEFAULT_NAME, Result};
use crate::app::App;
use crate::db;
pub use crate::db::users::DeletedCounts;
use crate::ids::{Provider, Secret, TokenHash};

/// Lifetime of a consent at Spotify: about six months, as announced in June 2026.
const CONSENT_TTL: Duration = Duration::days(182);
/// How long before a consent expires the user is notified.
const EXPIRY_NOTICE: Duration = Duration::days(14);

/// Returns when the user's consent at Spotify expires; `None` if Spotify is not connected.
pub fn consent_expires_at(user: &CurrentUser) -> Option<OffsetDateTime> {
    user.grant.as_ref().map(|grant| grant.authorized_at + CONSENT_TTL)
}

/// Returns when the consent expires, if that is soon enough to notify the user.
pub fn consent_expiring_soon(user: &CurrentUser, now: OffsetDateTime) -> Option<OffsetDateTime> {
    consent_expires_at(user).filter(|expires_at| *expires_at - EXPIRY_NOTICE <= now)
}

pub struct Account {
    pub name: String,
    pub created_at: OffsetDateTime,
    pub heart_count: i64,
    /// `None` if Spotify is not connected.
    pub consent_expires_at: Option<OffsetDateTime>,
}

/// Returns the user's account; `None` if it was deleted.
pub async fn load(app: &App, user: &CurrentUser) -> Result<Option<Account>> {
    let Some(row) = db::users::find(&app.db, user.id).await? else { return Ok(None) };
    Ok(Some(Account {
        name: visible_or(row.display_name, DEFAULT_NAME),
        created_at: row.created_at,
        heart_count: db::hearts::count(&app.db, user.id).await?,
        consent_expires_at: consent_expires_at(user),
    }))
}

/// Removes Spotify's tokens from all of the user's sessions. They cannot be revoked at Spotify, which has no endpoint
/// for that.
pub async fn disconnect(app: &App, user: &CurrentUser, device: &str, now: OffsetDateTime) -> Result<()> {
    db::sessions::remove_values(&app.db, &app.vault, user.id, &SPOTIFY_KEYS).await?;
    activity::record(app, user.id, EventKind::Disconnected(Provider::Spotify), device, now).await;
    tracing::info!(user = %user.id, "a user disconnected Spotify");
    Ok(())
}

/// Deletes the account with all its rows and sessions, and the pending logins of `browser` (the login cookie). Returns
/// what was deleted; `None`, without deleting anything, if the user has not reauthenticated recently.
pub async fn delete(
    app: &App,
    user: &CurrentUser,
    browser: Option<&Secret>,
    reauthenticated_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<Option<DeletedCounts>> {
    if !sessions::is_fresh(reauthenticated_at, now) {
        return Ok(None);
    }
    let browser = browser.map(|browser| TokenHash::new(browser.expose()));
    let deleted = db::users::delete(&app.db, user.id, browser, now).await?;
    tracing::info!(user = %user.id, "a user deleted their account");
    Ok(Some(deleted))
}

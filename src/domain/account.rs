//! A person's account.

use time::{Duration, OffsetDateTime};

use super::activity::{self, Kind};
use super::sessions;
use super::tokens::{GRANT, SCOPES};
use super::{Caller, Result};
use crate::app::App;
use crate::db;
pub use crate::db::leaving::Gone;
use crate::ids::{Digested, Provider, Secret};

/// How long Spotify honours a consent: about six months, by its announcement of June 2026.
const CONSENT: Duration = Duration::days(182);
/// How long before its end people are told.
const NOTE: Duration = Duration::days(14);

/// When Spotify will ask the caller for consent again; none: it has to be asked now.
pub fn asks_again(caller: &Caller) -> Option<OffsetDateTime> {
    caller.grant.as_ref().map(|grant| grant.authorized_at + CONSENT)
}

/// The same, if it is so soon that the caller should be told.
pub fn asks_soon(caller: &Caller, now: OffsetDateTime) -> Option<OffsetDateTime> {
    asks_again(caller).filter(|at| *at - NOTE <= now)
}

/// What the account page shows.
pub struct Account {
    /// What the person is called.
    pub name: String,
    /// When they first came.
    pub since: OffsetDateTime,
    /// How many hearts they gave.
    pub hearts: i64,
    /// When Spotify will ask for consent again; none: it has to be asked now.
    pub asks_again: Option<OffsetDateTime>,
}

/// The caller's account; none: it was deleted, and this session is a leftover.
pub async fn of(app: &App, caller: &Caller) -> Result<Option<Account>> {
    let user = caller.person.id;
    let Some(row) = db::users::find(&app.db, user).await? else { return Ok(None) };
    Ok(Some(Account {
        name: row.display_name,
        since: row.created_at,
        hearts: db::hearts::count(&app.db, user).await?,
        asks_again: asks_again(caller),
    }))
}

/// Forgets the keys that Spotify gave us for the caller, in every session of theirs; hearts stay. Spotify is
/// not asked: it has no address for this.
pub async fn disconnect(app: &App, caller: &Caller, device: &str, now: OffsetDateTime) -> Result<()> {
    let user = caller.person.id;
    db::sessions::forget(&app.db, &app.vault, user, &[GRANT, SCOPES]).await?;
    activity::note(app, user, Kind::Disconnected(Provider::Spotify), device, now).await;
    tracing::info!(%user, "a listener disconnected Spotify");
    Ok(())
}

/// Deletes the account with every row of it, and ends all its sessions. Says what went; none: nothing did,
/// because the caller must first sign in again.
///
/// # Errors
/// When the database fails; then nothing is deleted.
///
/// `browser` is the name by which the caller's sign-ins in progress are known.
pub async fn delete(
    app: &App,
    caller: &Caller,
    browser: Option<&Secret>,
    signed_in_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<Option<Gone>> {
    if !sessions::is_fresh(signed_in_at, now) {
        return Ok(None);
    }
    let user = caller.person.id;
    let browser = browser.map(|browser| Digested::of(browser.expose()));
    let gone = db::leaving::delete(&app.db, user, browser).await?;
    tracing::info!(%user, "an account was deleted by its owner");
    Ok(Some(gone))
}

//! A person's account.

use time::{Duration, OffsetDateTime};

use super::tokens::{GRANT, SCOPES};
use super::{Caller, Error, Result};
use crate::app::App;
use crate::db;

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
///
/// # Errors
/// When the database fails.
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
///
/// # Errors
/// When the database fails; then nothing is forgotten.
pub async fn disconnect(app: &App, caller: &Caller) -> Result<()> {
    db::sessions::forget(&app.db, &app.vault, caller.person.id, &[GRANT, SCOPES]).await?;
    tracing::info!(user = %caller.person.id, "a listener disconnected Spotify");
    Ok(())
}

/// Deletes the account with every row of it, and ends all its sessions. Says how many hearts went.
///
/// # Errors
/// When the database fails; then nothing is deleted.
pub async fn delete(app: &App, caller: &Caller) -> Result<u64> {
    let hearts = db::users::delete(&app.db, caller.person.id).await.map_err(Error::from)?;
    tracing::info!(user = %caller.person.id, "an account was deleted by its owner");
    Ok(hearts)
}

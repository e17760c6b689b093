//! Operators: who they are, and what only they may do.
//!
//! A person becomes operator by being named in `OPERATOR`, by a link that the program prints, or by another operator.

use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::{CurrentUser, PAGE_SIZE, Paginated, Result, page_offset};
use crate::app::App;
use crate::db;
pub use crate::db::operators::{HiddenPlaylist, ListedAccount};
use crate::ids::{IdentityRef, PlaylistId, Provider, Secret, TokenHash, UserId};

/// Lifetime of a link that makes its bearer operator. The program prints another one at its next start.
pub const LINK_TTL: Duration = Duration::days(1);

pub async fn is_operator(app: &App, user: UserId) -> Result<bool> {
    Ok(db::operators::is_operator(&app.db, user).await?)
}

/// Returns whether somebody else is operator.
pub async fn has_other(app: &App, user: UserId) -> Result<bool> {
    Ok(db::operators::has_other(&app.db, user).await?)
}

pub(super) fn is_configured(app: &App, provider: Provider, subject: &str) -> bool {
    app.config.access.operators.iter().any(|named| named.provider == provider && named.subject == subject)
}

/// Makes the user operator if `OPERATOR` names this identity.
pub(super) async fn grant_if_configured(app: &App, user: UserId, provider: Provider, subject: &str) -> Result<()> {
    if is_configured(app, provider, subject) {
        db::operators::grant(&app.db, user).await?;
    }
    Ok(())
}

/// Returns a path that makes its bearer operator, once.
pub async fn create_link(app: &App, now: OffsetDateTime) -> Result<String> {
    let token = Secret::random();
    db::invites::create_operator_link(&app.db, TokenHash::new(token.expose()), now, now + LINK_TTL).await?;
    Ok(format!("/invite/{}", token.expose()))
}

/// Returns such a path if there is no operator and `OPERATOR` names none. Otherwise ends the links of earlier starts,
/// which are in their logs.
pub async fn create_first_link(app: &App, now: OffsetDateTime) -> Result<Option<String>> {
    if !app.config.access.operators.is_empty() || db::operators::exists(&app.db).await? {
        db::invites::delete_operator_links(&app.db).await?;
        return Ok(None);
    }
    create_link(app, now).await.map(Some)
}

/// Makes a signed-in user operator by such a link. Returns whether the link was valid.
pub async fn redeem_link(app: &App, user: &CurrentUser, token: &str, now: OffsetDateTime) -> Result<bool> {
    Ok(db::invites::redeem_operator_link(&app.db, TokenHash::new(token), user.id, now).await?)
}

pub async fn list_people(app: &App, page: usize) -> Result<Paginated<ListedAccount>> {
    let total = db::users::count(&app.db).await? as usize;
    let entries = db::operators::list_people(&app.db, page_offset(page) as i64, PAGE_SIZE as i64).await?;
    Ok(Paginated { entries, range: page.into(), total })
}

pub async fn list_hidden(app: &App) -> Result<Vec<HiddenPlaylist>> {
    Ok(db::operators::list_hidden(&app.db).await?)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonAction {
    Grant,
    Revoke,
    TakeDown,
    AllowSharing,
}

/// Changes a person. Returns `false` if that was refused: the account was deleted, or it is the last operator or named
/// in `OPERATOR` and would lose the role.
pub async fn change_person(
    app: &App,
    user: &CurrentUser,
    person: UserId,
    action: PersonAction,
    now: OffsetDateTime,
) -> Result<bool> {
    tracing::info!(operator = %user.id, %person, ?action, "an operator changes a person");
    match action {
        PersonAction::Grant => return Ok(db::operators::grant(&app.db, person).await?),
        PersonAction::Revoke => return revoke(app, person).await,
        PersonAction::TakeDown => match db::operators::take_down(&app.db, person, now).await {
            Err(db::Error::UserGone) => return Ok(false),
            result => result?,
        },
        PersonAction::AllowSharing => db::shares::allow_sharing(&app.db, person).await?,
    }
    Ok(true)
}

/// Hides a playlist from the popular lists, or shows it again.
pub async fn set_hidden(
    app: &App,
    user: &CurrentUser,
    playlist: &PlaylistId,
    hide: bool,
    now: OffsetDateTime,
) -> Result<()> {
    tracing::info!(operator = %user.id, %playlist, hide, "an operator changes the popular lists");
    match hide {
        true => db::operators::hide(&app.db, playlist, now).await?,
        false => db::operators::unhide(&app.db, playlist).await?,
    }
    Ok(())
}

/// Ends a user's role, unless `OPERATOR` names the user: the next sign-in would grant it again.
async fn revoke(app: &App, person: UserId) -> Result<bool> {
    let identities = db::identities::list(&app.db, person).await?;
    let is_configured = identities.iter().any(|identity| {
        Provider::from_key(&identity.provider).is_some_and(|provider| is_configured(app, provider, &identity.subject))
    });
    Ok(!is_configured && db::operators::revoke(&app.db, person).await?)
}

/// Grants the role to the user with this identity or revokes it, for the command line. Returns `false` if there is no
/// such user, if nobody else is operator, or if `OPERATOR` names them.
pub async fn set_role(app: &App, identity: &IdentityRef, is_operator: bool) -> Result<bool> {
    match db::identities::find(&app.db, identity.provider, &identity.subject).await? {
        Some(known) if is_operator => Ok(db::operators::grant(&app.db, known.user).await?),
        Some(known) => revoke(app, known.user).await,
        None => Ok(false),
    }
}

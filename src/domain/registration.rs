//! Registration policy and invitations.

use time::{Duration, OffsetDateTime};

use super::operators;
use super::{CurrentUser, Error, Result};
use crate::app::App;
use crate::db::identities::ProviderIdentity;
use crate::db::invites;
pub use crate::db::invites::{Invite, InviteStatus};
use crate::db::users;
use crate::ids::{Registration, Secret, TokenHash, UserId, hash_identity};

pub const INVITE_TTL: Duration = Duration::days(14);

#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    #[error("registration is closed")]
    Closed,
    #[error("there is no valid invitation")]
    NotInvited,
    #[error("the identity has created too many accounts")]
    TooOften,
    #[error(transparent)]
    Failed(#[from] Error),
}

pub async fn register(
    app: &App,
    identity: ProviderIdentity<'_>,
    display_name: &str,
    invite: Option<&Secret>,
) -> Result<UserId, RegistrationError> {
    let is_configured = operators::is_configured(app, identity.provider, identity.subject);
    let policy = if is_configured { Registration::Open } else { app.config.access.registration };
    let invite = invite.map(|token| TokenHash::new(token.expose()));
    let may_join = matches!(policy, Registration::Open) || invite.is_some();
    let key = hash_identity(identity.provider.key(), identity.subject);
    if may_join && app.registrations.count(key, identity.at).is_err() {
        return Err(RegistrationError::TooOften);
    }
    let user = users::register(&app.db, identity, display_name, policy, invite).await.map_err(Error::from)?;
    user.ok_or(match policy {
        Registration::Closed => RegistrationError::Closed,
        _ => RegistrationError::NotInvited,
    })
}

/// Creates an invitation. Returns its token, of which only the hash is stored; `None` if the user is not operator.
pub async fn create_invite(app: &App, user: &CurrentUser, now: OffsetDateTime) -> Result<Option<Secret>> {
    let token = Secret::random();
    let is_created = invites::create(&app.db, user.id, TokenHash::new(token.expose()), now, now + INVITE_TTL).await?;
    Ok(is_created.then_some(token))
}

pub async fn list_invites(app: &App, user: &CurrentUser) -> Result<Vec<Invite>> {
    Ok(invites::list(&app.db, user.id).await?)
}

pub async fn revoke_invite(app: &App, user: &CurrentUser, id: i64) -> Result<bool> {
    Ok(invites::revoke(&app.db, user.id, id).await?)
}

pub async fn invite_status(app: &App, token: &str, now: OffsetDateTime) -> Result<InviteStatus> {
    Ok(invites::status(&app.db, TokenHash::new(token), now).await?)
}

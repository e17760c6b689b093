//! Who may join as somebody new, and invitations.

use time::{Duration, OffsetDateTime};

use super::{Caller, Error, Result, sign_in::Refusal};
use crate::app::{App, Registration};
use crate::db::identities::ProviderIdentity;
use crate::db::invites;
pub use crate::db::invites::{Invite, Standing};
use crate::db::joining::{self, Door};
use crate::ids::{Digested, Secret, UserId};

/// How long an invitation is good.
pub const INVITE_LIFE: Duration = Duration::days(14);

/// Why somebody new is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// Nobody is.
    Closed,
    /// They bring no invitation, or one that is worth nothing any more.
    Uninvited,
}

/// Makes a person for whom a provider vouches, if the door is open to them. The very first
/// becomes the operator, and needs no invitation.
///
/// # Errors
/// [`Refusal::NotAdmitted`], and when the database fails; then nobody joined and no invitation is spent.
pub async fn join(
    app: &App,
    shown: ProviderIdentity<'_>,
    display_name: &str,
    invite: Option<&Secret>,
) -> std::result::Result<UserId, Refusal> {
    let door = match app.config.people.registration {
        Registration::Open => Door::Open,
        Registration::Invite => Door::Invited(invite.map(|token| Digested::of(token.expose()))),
        Registration::Closed => return Err(Refusal::NotAdmitted(NotAdmitted::Closed)),
    };
    let joined = joining::join(&app.db, shown, display_name, door).await?;
    joined.ok_or(Refusal::NotAdmitted(NotAdmitted::Uninvited))
}

/// Whether the caller may invite others.
pub async fn is_operator(app: &App, caller: &Caller) -> Result<bool> {
    Ok(invites::is_operator(&app.db, caller.person.id).await?)
}

/// Makes an invitation; gives what its link ends with, which nobody can ask for again.
///
/// # Errors
/// [`Error::NotFound`] when the caller is no operator; and when the database fails.
pub async fn invite(app: &App, caller: &Caller, now: OffsetDateTime) -> Result<Secret> {
    must_operate(app, caller).await?;
    let token = Secret::random();
    invites::make(&app.db, caller.person.id, Digested::of(token.expose()), now, now + INVITE_LIFE).await?;
    Ok(token)
}

/// The invitations that the caller made, newest first.
///
/// # Errors
/// [`Error::NotFound`] when the caller is no operator; and when the database fails.
pub async fn invited(app: &App, caller: &Caller) -> Result<Vec<Invite>> {
    must_operate(app, caller).await?;
    Ok(invites::of(&app.db, caller.person.id).await?)
}

/// Takes an invitation of the caller's back, unless it was used. Says whether there was one.
///
/// # Errors
/// [`Error::NotFound`] when the caller is no operator; and when the database fails.
pub async fn revoke(app: &App, caller: &Caller, id: i64) -> Result<bool> {
    must_operate(app, caller).await?;
    Ok(invites::revoke(&app.db, caller.person.id, id).await?)
}

async fn must_operate(app: &App, caller: &Caller) -> Result<()> {
    is_operator(app, caller).await?.then_some(()).ok_or(Error::NotFound)
}

/// What the link that ends with `token` is worth.
pub async fn standing(app: &App, token: &str, now: OffsetDateTime) -> Result<Standing> {
    Ok(invites::standing(&app.db, Digested::of(token), now).await?)
}

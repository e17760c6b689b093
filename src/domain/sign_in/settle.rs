//! Writes down how a sign-in ends.

use time::OffsetDateTime;

use super::decide::{Aim, Conflict, Outcome, Visiting, decide};
use super::introduce::Introduced;
use super::{Person, Refusal};
use crate::app::App;
use crate::db::identities::{self, Shown};
use crate::db::{self, merging, users};
use crate::domain::{Error, registration};
use crate::ids::{Provider, Secret, UserId};

/// Who is signed in when the answer comes, and what they may prove.
pub(super) struct Present {
    pub(super) aim: Aim,
    pub(super) visitor: Option<Person>,
    /// Whether they proved who they are shortly before they set out.
    pub(super) fresh: bool,
    /// Whether an invitation to prove an account is still open in this session.
    pub(super) invited: bool,
    /// The invitation to join that they bring.
    pub(super) invite: Option<Secret>,
}

/// Decides and writes; says who is signed in then.
pub(super) async fn settle(
    app: &App,
    provider: Provider,
    present: Present,
    who: &Introduced,
    now: OffsetDateTime,
) -> Result<(Person, Outcome), Refusal> {
    let owner = owner(app, provider, who).await?;
    let visitor = match &present.visitor {
        Some(person) => Some(visiting(app, provider, person.id, &present, owner).await?),
        None => None,
    };
    let outcome = decide(present.aim, visitor, owner)?;
    let email = who.email.as_ref().map(|email| (email.text.as_str(), email.verified));
    let shown = Shown { provider, subject: &who.subject, email, at: now };
    let id = write(app, outcome, shown, &who.name, present.invite.as_ref()).await?;
    let row = users::find(&app.db, id).await?.ok_or(Error::from(db::Error::OwnerGone))?;
    Ok((Person { id, name: row.display_name }, outcome))
}

async fn visiting(
    app: &App,
    provider: Provider,
    user: UserId,
    present: &Present,
    owner: Option<UserId>,
) -> Result<Visiting, db::Error> {
    let has_one = identities::has(&app.db, user, provider).await?;
    let alike = if present.invited { identities::alike(&app.db, user).await? } else { Vec::new() };
    let may_be = owner.filter(|owner| alike.iter().any(|alike| alike.user == *owner));
    Ok(Visiting { user, has_one, fresh: present.fresh, may_be })
}

async fn write(
    app: &App,
    outcome: Outcome,
    shown: Shown<'_>,
    name: &str,
    invite: Option<&Secret>,
) -> Result<UserId, Refusal> {
    let id = match outcome {
        Outcome::Joined => return registration::join(app, shown, name, invite).await,
        Outcome::Linked(id) => {
            let linked = identities::link(&app.db, id, shown).await?;
            return linked.then_some(id).ok_or(Conflict::SomebodyElses.into());
        }
        Outcome::Proven { newcomer, account } => {
            if !merging::merge(&app.db, newcomer, account).await? {
                return Err(Conflict::AnotherOne.into());
            }
            tracing::info!(user = %account, "a newcomer proved to be somebody we knew");
            account
        }
        Outcome::SignedIn(id) | Outcome::AlreadyLinked(id) => id,
    };
    identities::touch(&app.db, shown).await?;
    users::rename(&app.db, id, shown.provider, name).await?;
    Ok(id)
}

async fn owner(app: &App, provider: Provider, who: &Introduced) -> Result<Option<UserId>, db::Error> {
    if let Some(owner) = identities::owner(&app.db, provider, &who.subject).await? {
        return Ok(Some(owner));
    }
    let Some(older) = &who.older else { return Ok(None) };
    let owner = identities::owner(&app.db, provider, older).await?;
    if owner.is_some() {
        identities::rename(&app.db, provider, older, &who.subject).await?;
    }
    Ok(owner)
}

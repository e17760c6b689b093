//! Writes down how a sign-in ends.

use time::OffsetDateTime;

use super::decide::{Aim, Conflict, Outcome, Visiting, decide};
use super::introduce::Introduced;
use super::{Person, Refusal};
use crate::app::App;
use crate::db::identities::{self, KnownIdentity, ProviderIdentity};
use crate::db::{self, merging, users};
use crate::domain::registration;
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

/// Decides how a sign-in ends and writes it. Returns who is signed in then.
pub(super) async fn settle(
    app: &App,
    provider: Provider,
    present: Present,
    who: &Introduced,
    now: OffsetDateTime,
) -> Result<(Person, Outcome), Refusal> {
    let known = find(app, provider, who).await?;
    let owner = known.as_ref().map(|known| known.user);
    let visitor = match &present.visitor {
        Some(person) => Some(visiting(app, provider, person.id, &present, owner).await?),
        None => None,
    };
    let outcome = decide(present.aim, visitor, owner)?;
    let email = who.email.as_ref().map(|email| (email.text.as_str(), email.verified));
    let shown = ProviderIdentity { provider, subject: &who.subject, handle: who.handle.as_deref(), email, at: now };
    let person = match (outcome, known, present.visitor) {
        (Outcome::Joined, ..) => {
            let id = registration::join(app, shown, &who.name, present.invite.as_ref()).await?;
            Person { id, name: who.name.clone() }
        }
        (Outcome::Linked(id), _, Some(person)) => {
            if !identities::link(&app.db, id, shown).await? {
                return Err(Conflict::SomebodyElses.into());
            }
            person
        }
        (Outcome::Proven { newcomer, account }, Some(known), _) => {
            if !merging::merge(&app.db, newcomer, account).await? {
                return Err(Conflict::AnotherOne.into());
            }
            tracing::info!(user = %account, "a newcomer proved to be somebody we knew");
            refresh(app, known, shown, &who.name).await?
        }
        (Outcome::SignedIn(_) | Outcome::AlreadyLinked(_), Some(known), _) => {
            refresh(app, known, shown, &who.name).await?
        }
        // `decide` links only for a visitor, and the others only with an owner.
        _ => return Err(Conflict::Changed.into()),
    };
    Ok((person, outcome))
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

/// Writes what the provider says anew of an identity and of the name of its account. Most often that is nothing.
async fn refresh(
    app: &App,
    known: KnownIdentity,
    shown: ProviderIdentity<'_>,
    name: &str,
) -> Result<Person, db::Error> {
    if known.differs_from(shown) {
        identities::update(&app.db, shown).await?;
    }
    let renamed = known.names_account && known.display_name != name;
    if renamed {
        users::rename(&app.db, known.user, name).await?;
    }
    Ok(Person { id: known.user, name: if renamed { name.to_owned() } else { known.display_name } })
}

async fn find(app: &App, provider: Provider, who: &Introduced) -> Result<Option<KnownIdentity>, db::Error> {
    if let Some(known) = identities::find(&app.db, provider, &who.subject).await? {
        return Ok(Some(known));
    }
    let Some(older) = &who.older else { return Ok(None) };
    let known = identities::find(&app.db, provider, older).await?;
    if known.is_some() {
        identities::rename(&app.db, provider, older, &who.subject).await?;
    }
    Ok(known)
}

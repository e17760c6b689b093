//! Writes the effects of a login.

use time::OffsetDateTime;

use super::decide::{Conflict, Outcome, SignedInAs, decide};
use super::error::LoginError;
use super::pending::PendingLogin;
use crate::app::App;
use crate::db::identities::{self, KnownIdentity, ProviderIdentity};
use crate::db::{self, users};
use crate::domain::text::{cut_name, is_visible};
use crate::domain::{DEFAULT_NAME, User, operators, registration};
use crate::ids::{Provider, UserId};
use crate::oauth::Profile;

/// Decides the outcome of a login and writes it. `visitor` is the user who is already signed in, and whether they may
/// merge accounts. Returns the user to sign in.
pub(super) async fn apply(
    app: &App,
    pending: &PendingLogin,
    profile: &Profile,
    visitor: Option<(User, bool)>,
    now: OffsetDateTime,
) -> Result<(User, Outcome), LoginError> {
    let known = find_identity(app, profile, visitor.as_ref().map(|(user, _)| user.id)).await?;
    let owner = known.as_ref().map(|known| known.user);
    let signed_in_as = match &visitor {
        Some((user, can_merge)) => {
            Some(load_signed_in_as(app, pending, profile.provider, (user.id, *can_merge), owner).await?)
        }
        None => None,
    };
    let outcome = decide(pending.intent, signed_in_as, owner)?;
    let email = profile.email.as_ref().map(|email| (email.address.as_str(), email.is_verified));
    let identity = ProviderIdentity {
        provider: profile.provider,
        subject: &profile.subject,
        handle: profile.handle.as_deref(),
        email,
        at: now,
    };
    let name = &profile.name.as_deref().filter(|name| is_visible(name)).map_or(DEFAULT_NAME.into(), cut_name);
    let user = match (outcome, known, visitor) {
        (Outcome::Joined, ..) => {
            let id = registration::register(app, identity, name, pending.after.invite.as_ref()).await?;
            User { id, name: name.to_owned() }
        }
        (Outcome::Linked(id), _, Some((user, _))) => {
            if !identities::link(&app.db, id, identity).await? {
                return Err(Conflict::LinkedElsewhere.into());
            }
            user
        }
        (Outcome::Merged { from, into }, Some(known), _) => {
            if !users::merge(&app.db, from, into, now).await? {
                return Err(Conflict::ProviderTaken.into());
            }
            tracing::info!(user = %into, "a new account was merged into an older one");
            update_identity(app, known, identity, name).await?
        }
        (Outcome::SignedIn(_) | Outcome::AlreadyLinked(_), Some(known), _) => {
            update_identity(app, known, identity, name).await?
        }
        // `decide` links only if a user is signed in, and returns the other outcomes only with an owner.
        _ => return Err(Conflict::SessionChanged.into()),
    };
    operators::grant_if_configured(app, user.id, identity.provider, identity.subject).await?;
    Ok((user, outcome))
}

async fn load_signed_in_as(
    app: &App,
    pending: &PendingLogin,
    provider: Provider,
    (user, can_merge): (UserId, bool),
    owner: Option<UserId>,
) -> Result<SignedInAs, db::Error> {
    let has_identity = identities::exists(&app.db, user, provider).await?;
    let candidates = if can_merge { identities::merge_candidates(&app.db, user).await? } else { Vec::new() };
    let merge_candidate = owner.filter(|owner| candidates.iter().any(|candidate| candidate.user == *owner));
    Ok(SignedInAs { user, has_identity, is_fresh: pending.is_fresh, merge_candidate })
}

/// Updates the identity and the account's name if they have changed.
async fn update_identity(
    app: &App,
    known: KnownIdentity,
    identity: ProviderIdentity<'_>,
    name: &str,
) -> Result<User, db::Error> {
    if known.differs_from(identity) {
        identities::update(&app.db, identity).await?;
    }
    let is_renamed = known.names_account && known.display_name != name;
    if is_renamed {
        users::rename(&app.db, known.user, name).await?;
    }
    Ok(User { id: known.user, name: if is_renamed { name.to_owned() } else { known.display_name } })
}

/// Returns the identity with the profile's subject. An early release stored users of Spotify by their handle (`id:mira`),
/// which they can give up and somebody else can take. Only the user who is signed in to that account gets it.
async fn find_identity(
    app: &App,
    profile: &Profile,
    visitor: Option<UserId>,
) -> Result<Option<KnownIdentity>, db::Error> {
    if let Some(known) = identities::find(&app.db, profile.provider, &profile.subject).await? {
        return Ok(Some(known));
    }
    let (Provider::Spotify, Some(handle), Some(visitor)) = (profile.provider, &profile.handle, visitor) else {
        return Ok(None);
    };
    let legacy_subject = format!("id:{handle}");
    let known = identities::find(&app.db, profile.provider, &legacy_subject).await?;
    let known = known.filter(|known| known.user == visitor);
    if known.is_some() {
        identities::change_subject(&app.db, profile.provider, &legacy_subject, &profile.subject).await?;
    }
    Ok(known)
}

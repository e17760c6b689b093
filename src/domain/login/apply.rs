//! Writes the effects of a login.

use time::OffsetDateTime;

use super::decide::{Conflict, LoginIntent, Outcome, SignedInAs, decide};
use super::error::LoginError;
use super::pending::PendingLogin;
use crate::app::App;
use crate::db::identities::{self, KnownIdentity, ProviderIdentity};
use crate::db::{self, account_merge, users};
use crate::domain::identities::Reauthentication;
use crate::domain::text::{cut_name, is_visible};
use crate::domain::{DEFAULT_NAME, User, operators, registration};
use crate::ids::{Provider, UserId};
use crate::oauth::Profile;

/// The user who is already signed in.
pub(super) struct SessionUser {
    pub(super) user: User,
    /// Whether the user is new and may merge the account into an older one.
    pub(super) can_merge: bool,
    /// Whether the login proves who uses the browser now.
    pub(super) is_reauthenticated: bool,
}

/// Decides the outcome of a login and writes it. Returns the user to sign in.
pub(super) async fn apply(
    app: &App,
    pending: &PendingLogin,
    profile: &Profile,
    session_user: Option<SessionUser>,
    now: OffsetDateTime,
) -> Result<(User, Outcome), LoginError> {
    let known = find_identity(app, profile, session_user.as_ref().map(|session_user| session_user.user.id)).await?;
    let owner = known.as_ref().map(|known| known.user);
    let signed_in_as = match &session_user {
        Some(session_user) => Some(load_signed_in_as(app, pending, profile.provider, session_user, owner).await?),
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
    let user = match (outcome, known, session_user.map(|session_user| session_user.user)) {
        (Outcome::Joined, ..) => {
            let id = registration::register(app, identity, name, pending.after.invite.as_ref()).await?;
            User { id, name: name.to_owned() }
        }
        (Outcome::Linked(id), _, Some(user)) => {
            if !identities::link(&app.db, id, identity).await? {
                return Err(Conflict::LinkedElsewhere.into());
            }
            user
        }
        (Outcome::MergeOffered { .. }, _, Some(user)) => user,
        (Outcome::SignedIn(_) | Outcome::AlreadyLinked(_), Some(known), _) => {
            update_identity(app, known, identity, name).await?
        }
        // `decide` links only if a user is signed in, and returns the other outcomes only with an owner.
        _ => return Err(Conflict::SessionChanged.into()),
    };
    // The identity of an offered merge is not the user's yet.
    if !matches!(outcome, Outcome::MergeOffered { .. }) {
        operators::grant_if_configured(app, user.id, identity.provider, identity.subject).await?;
    }
    Ok((user, outcome))
}

async fn load_signed_in_as(
    app: &App,
    pending: &PendingLogin,
    provider: Provider,
    session_user: &SessionUser,
    owner: Option<UserId>,
) -> Result<SignedInAs, db::Error> {
    let user = session_user.user.id;
    let has_identity = identities::exists(&app.db, user, &[provider]).await?;
    let merge_candidate = match owner {
        Some(owner) if owner != user && can_offer_merge(app, pending, session_user, owner).await? => Some(owner),
        _ => None,
    };
    Ok(SignedInAs { user, has_identity, is_fresh: pending.is_fresh, merge_candidate })
}

/// Returns whether the accounts can become one: the user has just signed in to the first, and the login is a new
/// sign-in to the second. Attack: whoever finds a browser that is signed in at a provider would take over the account
/// there.
async fn can_offer_merge(
    app: &App,
    pending: &PendingLogin,
    session_user: &SessionUser,
    owner: UserId,
) -> Result<bool, db::Error> {
    let user = session_user.user.id;
    let is_proven = match pending.intent {
        LoginIntent::Merge(_) if session_user.can_merge => {
            let candidates = identities::merge_candidates(&app.db, user).await?;
            candidates.iter().any(|candidate| candidate.user == owner)
        }
        LoginIntent::Link(_) if pending.is_fresh => {
            session_user.is_reauthenticated
                || Reauthentication::new(app, &identities::list(&app.db, owner).await?).by_new_session
        }
        _ => false,
    };
    Ok(is_proven && !account_merge::have_common_provider(&app.db, user, owner).await?)
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

/// Returns the identity with the profile's subject. An early release stored users of Spotify by their handle
/// (`id:mira`), which they can give up and somebody else can take. Only the user who is signed in to that account gets
/// it.
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

//! Linked identities: list, unlink, and reauthentication before they change.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect};

use crate::domain::CurrentUser;
use crate::domain::activity::{self, EventKind};
use crate::domain::identities::{self, Identity, LinkedIdentities, Reauthentication, UnlinkOutcome};
use crate::ids::Provider;
use crate::web::error::{Result, not_found};
use crate::web::extract::return_to::with_next;
use crate::web::extract::{Device, MaybeUser, NextParam, Now, SafePath, SignedIn, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::login::REAUTHENTICATE_PATH;
use crate::web::views::{Layout, TimeView, render_page};

pub(crate) struct IdentityList {
    pub(crate) linked: Vec<IdentityRow>,
    /// Configured providers that are not linked.
    pub(crate) available: Vec<Provider>,
}

pub(crate) struct IdentityRow {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) since: TimeView,
    pub(crate) last_used: TimeView,
    pub(crate) can_unlink: bool,
}

pub(crate) async fn load(app: &State, user: &CurrentUser) -> Result<IdentityList> {
    let identities = identities::load(app, user).await?;
    let row = |identity| IdentityRow::new(identity, identities.can_unlink(app, &identity.provider));
    let linked = identities.linked.iter().map(row).collect();
    // Linking Spotify also connects it, for which the page has another button.
    let available = identities.available.into_iter().filter(|provider| *provider != Provider::Spotify).collect();
    Ok(IdentityList { linked, available })
}

impl IdentityList {
    pub(crate) fn has_spotify(&self) -> bool {
        self.linked.iter().any(|identity| identity.key == Provider::Spotify.key())
    }
}

impl IdentityRow {
    fn new(identity: &Identity, can_unlink: bool) -> Self {
        Self {
            key: identity.provider.clone(),
            label: identity.label().to_owned(),
            subject: identity.subject.clone(),
            email: identity.email.clone(),
            since: TimeView::date(identity.created_at),
            last_used: TimeView::date(identity.last_used_at),
            can_unlink,
        }
    }
}

#[derive(Template)]
#[template(path = "account/unlink.html")]
struct UnlinkPage {
    layout: Layout,
    provider: Provider,
    /// Labels of the other linked identities. Empty if this one cannot be unlinked.
    remaining: Vec<String>,
    /// True if another provider can be linked first.
    has_available: bool,
}

pub(crate) async fn show(app: State, layout: Layout, SignedIn(user): SignedIn, Path(key): Path<String>) -> Result {
    let provider = provider_from_key(&key).await?;
    let identities = identities::load(&app, &user).await?;
    let can_unlink = identities.can_unlink(&app, provider.key());
    let LinkedIdentities { linked, available } = identities;
    if linked.iter().all(|identity| identity.provider != provider.key()) {
        return Ok(Redirect::to("/account").into_response());
    }
    let others = linked.iter().filter(|identity| can_unlink && identity.provider != provider.key());
    let remaining = others.map(|identity| identity.label().to_owned()).collect();
    let name = provider.label();
    let title = if can_unlink { format!("Unlink {name}") } else { format!("{name} cannot be unlinked") };
    Ok(render_page(&UnlinkPage {
        layout: layout.with_title(title, "account"),
        provider,
        remaining,
        has_available: !available.is_empty(),
    }))
}

/// Returns the provider, even if it is not configured any more, so that its identities can be unlinked.
async fn provider_from_key(key: &str) -> Result<Provider> {
    match Provider::from_key(key) {
        Some(provider) => Ok(provider),
        None => Err(not_found().await),
    }
}

pub(crate) async fn destroy(
    app: State,
    Now(now): Now,
    maybe_user: MaybeUser,
    (SignedIn(user), Device(device)): (SignedIn, Device),
    Path(key): Path<String>,
) -> Result {
    let provider = provider_from_key(&key).await?;
    if !maybe_user.has_reauthenticated_recently(now).await? {
        return Ok(Redirect::to(&with_next(REAUTHENTICATE_PATH, &format!("/account/identities/{key}"))).into_response());
    }
    maybe_user.reload().await?;
    Ok(match identities::unlink(&app, &user, provider).await? {
        UnlinkOutcome::LastIdentity => flash::redirect("/account", Flash::LastIdentity),
        UnlinkOutcome::Banned => flash::redirect("/account", Flash::UnlinkingRefused),
        UnlinkOutcome::NotLinked => Redirect::to("/account").into_response(),
        UnlinkOutcome::Unlinked => {
            activity::record(&app, user.id, EventKind::Unlinked(provider), &device, now).await;
            maybe_user.cycle_session(provider == Provider::Spotify).await?;
            flash::redirect("/account", Flash::Unlinked(provider))
        }
    })
}

#[derive(Template)]
#[template(path = "account/reauthenticate.html")]
struct ReauthenticatePage {
    layout: Layout,
    reauthentication: Reauthentication,
    next: String,
}

/// Asks the user to sign in again before identities are linked or unlinked, or somebody is made operator.
pub(crate) async fn reauthenticate(
    app: State,
    Now(now): Now,
    layout: Layout,
    (maybe_user, SignedIn(user)): (MaybeUser, SignedIn),
    Query(params): Query<NextParam>,
) -> Result {
    let next = SafePath::parse_or_playlists(params.next.as_deref()).as_str().to_owned();
    if maybe_user.has_reauthenticated_recently(now).await? {
        return Ok(Redirect::to(&next).into_response());
    }
    let reauthentication = Reauthentication::new(&app, &identities::load(&app, &user).await?.linked);
    let layout = layout.with_title("Sign in again", "account");
    Ok(render_page(&ReauthenticatePage { layout, reauthentication, next }))
}

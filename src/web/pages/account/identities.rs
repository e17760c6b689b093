//! Ways in: which there are, adding one, giving one up, and proving that two accounts are one person's.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};

use crate::domain::activity::{self, Kind};
use crate::domain::identities::{self, Identity, Unlinked, Ways};
use crate::domain::{Caller, sign_in};
use crate::ids::Provider;
use crate::web::error::{AppError, not_found};
use crate::web::extract::current_user::{MaybeUser, SignedIn};
use crate::web::extract::device::Device;
use crate::web::extract::return_to::{NextParam, SafePath, with_next};
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::time::TimeView;

/// A person's ways in, as the account page shows them.
pub(crate) struct Shown {
    pub(crate) linked: Vec<Linked>,
    /// Those that they could add.
    pub(crate) open: Vec<Provider>,
}

/// A way in that somebody has.
pub(crate) struct Linked {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) email: Option<String>,
    pub(crate) since: TimeView,
    pub(crate) last_used: TimeView,
    /// Whether it may be given up.
    pub(crate) can_go: bool,
}

/// The ways in of who is signed in.
pub(crate) async fn shown(app: &State, caller: &Caller) -> Result<Shown, AppError> {
    let ways = identities::of(app, caller).await?;
    let linked = ways.linked.iter().map(|way| Linked::from(way, ways.can_go(app, &way.provider))).collect();
    // Spotify has a button of its own, which connects it as well.
    let open = ways.open.into_iter().filter(|provider| *provider != Provider::Spotify).collect();
    Ok(Shown { linked, open })
}

impl Linked {
    fn from(way: &Identity, can_go: bool) -> Self {
        Self {
            key: way.provider.clone(),
            label: way.label(),
            email: way.email.clone(),
            since: TimeView::day(way.created_at),
            last_used: TimeView::day(way.last_used_at),
            can_go,
        }
    }
}

#[derive(Template)]
#[template(path = "account/unlink.html")]
struct Leaving {
    layout: Layout,
    provider: Provider,
    /// By what one could still sign in; empty: it is the only way, and stays.
    left: Vec<String>,
    /// Whether there is another way that could be linked first.
    more: bool,
}

/// Asks whether to give a way in up, and says what stays.
pub(crate) async fn leaving(
    app: State,
    layout: Layout,
    SignedIn(caller): SignedIn,
    Path(key): Path<String>,
) -> Result<Response, AppError> {
    let provider = named(&key).await?;
    let ways = identities::of(&app, &caller).await?;
    let can_go = ways.can_go(&app, provider.key());
    let Ways { linked, open } = ways;
    if linked.iter().all(|way| way.provider != provider.key()) {
        return Ok(Redirect::to("/account").into_response());
    }
    let others = linked.iter().filter(|way| can_go && way.provider != provider.key());
    let left = others.map(Identity::label).collect();
    let name = provider.label();
    let title = if can_go { format!("Unlink {name}") } else { format!("{name} cannot be unlinked") };
    Ok(render_page(&Leaving { layout: layout.with_title(title, "account"), provider, left, more: !open.is_empty() }))
}

/// The provider of an address, be it set up or not: what leads nowhere any more can be given up too.
async fn named(key: &str) -> Result<Provider, AppError> {
    match Provider::with_key(key) {
        Some(provider) => Ok(provider),
        None => Err(not_found().await),
    }
}

/// Gives a way in up.
pub(crate) async fn unlink(
    app: State,
    Now(now): Now,
    visitor: MaybeUser,
    (SignedIn(caller), Device(device)): (SignedIn, Device),
    Path(key): Path<String>,
) -> Result<Response, AppError> {
    let provider = named(&key).await?;
    if !visitor.has_signed_in_recently(now).await? {
        return Ok(Redirect::to(&with_next(AGAIN, &format!("/account/ways/{key}"))).into_response());
    }
    visitor.reload().await?;
    Ok(match identities::unlink(&app, &caller, provider).await? {
        Unlinked::LastWayIn => flash::redirect("/account", Flash::LastIdentity),
        Unlinked::NotThere => Redirect::to("/account").into_response(),
        Unlinked::Gone => {
            activity::note(&app, caller.person.id, Kind::Unlinked(provider), &device, now).await;
            visitor.cycle_session(provider == Provider::Spotify).await?;
            flash::redirect("/account", Flash::Unlinked(provider))
        }
    })
}

/// The page that asks to sign in again.
pub(crate) const AGAIN: &str = "/account/again";

#[derive(Template)]
#[template(path = "account/reauthenticate.html")]
struct Again {
    layout: Layout,
    ways: Vec<Identity>,
    next: String,
}

/// Asks who is signed in to prove it, before ways in are added or given up.
pub(crate) async fn again(
    app: State,
    Now(now): Now,
    layout: Layout,
    (visitor, SignedIn(caller)): (MaybeUser, SignedIn),
    Query(wanted): Query<NextParam>,
) -> Result<Response, AppError> {
    let next = SafePath::parse_or_playlists(wanted.next.as_deref()).as_str().to_owned();
    if visitor.has_signed_in_recently(now).await? {
        return Ok(Redirect::to(&next).into_response());
    }
    let ways = identities::of(&app, &caller).await?.linked;
    Ok(render_page(&Again { layout: layout.with_title("Sign in again", "account"), ways, next }))
}

#[derive(Template)]
#[template(path = "account/merge.html")]
struct Same {
    layout: Layout,
    /// By which the account that was there before is reached.
    doors: Vec<Provider>,
    next: String,
}

/// Tells a newcomer that an account may be theirs already, and lets them prove it.
pub(crate) async fn same(
    app: State,
    Now(now): Now,
    layout: Layout,
    visitor: MaybeUser,
    Query(wanted): Query<NextParam>,
) -> Result<Response, AppError> {
    let next = SafePath::parse_or_playlists(wanted.next.as_deref());
    let open = visitor.invited_until().await?.is_some_and(|until| now < until);
    let doors = match &visitor.user {
        Some(caller) if open => sign_in::others(&app, caller.person.id).await?,
        _ => Vec::new(),
    };
    if doors.is_empty() {
        return Ok(Redirect::to(next.as_str()).into_response());
    }
    let layout = layout.with_title("Were you here before?", "account");
    Ok(render_page(&Same { layout, doors, next: next.as_str().to_owned() }))
}

//! The doors: signing in, coming back from the provider, signing out.

mod errors;
pub(crate) mod login_cookie;

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::activity::{self, Kind};
use crate::domain::sign_in::{self, Anew, Answer, Arrival, Arrived, Button, Outcome, Refusal};
use crate::ids::{PlaylistId, Provider, Secret};
use crate::web::error::AppError;
use crate::web::extract::current_user::MaybeUser;
use crate::web::extract::device::Device;
use crate::web::extract::provider::Way;
use crate::web::extract::return_to::{NextParam, SafePath, sign_in_path, with_next};
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::account::identities::AGAIN;
use crate::web::views::layout::{Layout, render_page};

#[derive(Template)]
#[template(path = "sign_in/login.html")]
struct SignIn {
    layout: Layout,
    next: String,
    heart: Option<String>,
    /// The button that is offered first.
    main: Provider,
    others: Vec<Provider>,
}

/// The page with the buttons. Who is signed in and connected goes straight on.
pub(crate) async fn page(app: State, visitor: MaybeUser, layout: Layout, Query(wanted): Query<NextParam>) -> Response {
    // Who is signed in lacks nothing but Spotify.
    let others = if visitor.user.is_none() { others(&app) } else { Vec::new() };
    door(visitor, layout, wanted, Provider::Spotify, others)
}

/// The page with the button of one provider: an address alone leads nobody off this site.
pub(crate) async fn offer(
    Way(provider): Way,
    visitor: MaybeUser,
    layout: Layout,
    Query(wanted): Query<NextParam>,
) -> Response {
    door(visitor, layout, wanted, provider, Vec::new())
}

/// The providers beside Spotify, as pages for strangers offer them.
pub(crate) fn others(app: &State) -> Vec<Provider> {
    app.providers().filter(|provider| *provider != Provider::Spotify).collect()
}

fn door(visitor: MaybeUser, layout: Layout, wanted: NextParam, main: Provider, others: Vec<Provider>) -> Response {
    let next = SafePath::parse_or_playlists(wanted.next.as_deref());
    if sign_in::aim(Button::SignIn, main, visitor.user.as_ref(), None).is_none() {
        return Redirect::to(next.as_str()).into_response();
    }
    let heart = wanted.heart.and_then(|id| PlaylistId::parse(&id).ok()).map(String::from);
    render_page(&SignIn {
        layout: layout.with_title("Sign in", ""),
        next: next.as_str().to_owned(),
        heart,
        main,
        others,
    })
}

/// What the buttons that lead to a provider ask for.
#[derive(Default, Deserialize)]
pub(crate) struct StartForm {
    #[serde(flatten)]
    wanted: NextParam,
    /// `now-playing`: a consent that covers that too.
    #[serde(default)]
    also: Option<String>,
    /// The invitation of who may be new.
    #[serde(default)]
    invite: Option<Secret>,
    /// `yes`: a new consent although the old one is still good.
    #[serde(default)]
    again: Option<String>,
    /// `link`: a further way in; `prove`: the account that was there before. Otherwise: to sign in.
    #[serde(default)]
    aim: Option<String>,
}

impl StartForm {
    fn anew(&self) -> Option<Anew> {
        match (self.also.as_deref(), self.again.as_deref()) {
            (Some("now-playing"), _) => Some(Anew::NowPlaying),
            (_, Some("yes")) => Some(Anew::Renew),
            _ => None,
        }
    }

    fn button(&self) -> Button {
        match self.aim.as_deref() {
            Some("link") => Button::Link,
            Some("prove") => Button::Prove,
            _ => Button::SignIn,
        }
    }
}

/// Sends the browser to the provider's consent page, unless there is nothing to go there for.
pub(crate) async fn start(
    app: State,
    Now(now): Now,
    Way(provider): Way,
    (visitor, headers): (MaybeUser, HeaderMap),
    Form(form): Form<StartForm>,
) -> Result<Response, AppError> {
    let (anew, button) = (form.anew(), form.button());
    let next = SafePath::parse_or_playlists(form.wanted.next.as_deref());
    let Some(aim) = sign_in::aim(button, provider, visitor.user.as_ref(), anew) else {
        return Ok(Redirect::to(next.as_str()).into_response());
    };
    let fresh = visitor.has_signed_in_recently(now).await?;
    if !fresh && sign_in::adds_a_way(&app, aim, provider).await? {
        return Ok(Redirect::to(&with_next(AGAIN, next.as_str())).into_response());
    }
    let heart = form.wanted.heart.and_then(|id| PlaylistId::parse(&id).ok());
    let invite = form.invite.filter(|invite| !invite.expose().is_empty());
    let wish = sign_in::Wish { next: next.as_str().to_owned(), heart, anew, invite };
    let browser = login_cookie::read(&app, &headers).unwrap_or_else(Secret::random);
    let start =
        sign_in::Start { provider, browser: browser.clone(), aim, fresh, wish, before: visitor.scopes().await? };
    let consent = sign_in::start(&app, start, now).await?;
    let mut response = Redirect::to(consent.as_str()).into_response();
    login_cookie::set(&app, &mut response, &browser);
    Ok(response)
}

/// Where a provider sends the browser back to; always leads away again, so that no code stays in the address bar.
pub(crate) async fn callback(
    app: State,
    Now(now): Now,
    Way(provider): Way,
    (visitor, headers): (MaybeUser, HeaderMap),
    (Device(device), Query(answer)): (Device, Query<Answer>),
) -> Result<Response, AppError> {
    let signed_in = visitor.user.clone();
    let known = signed_in.is_some();
    let (browser, invited_until) = (login_cookie::read(&app, &headers), visitor.invited_until().await?);
    let arrival = Arrival { provider, browser, visitor: signed_in, invited_until, answer };
    match sign_in::finish(&app, arrival, now).await {
        Ok(arrived) => welcome(&app, &visitor, provider, arrived, (&device, now)).await,
        Err(Refusal::Denied { next }) => Ok(flash::redirect(&after_no(known, next), Flash::Denied)),
        // The second of two tabs: there is nothing left to do.
        Err(Refusal::Used) if known => Ok(flash::redirect("/playlists", Flash::AlreadySignedIn)),
        Err(refusal) => Err(errors::fault(refusal, provider, known)),
    }
}

/// Where to be after a no: back where they were, which a stranger reaches only through the door.
fn after_no(known: bool, next: String) -> String {
    match next.as_str() {
        _ if known => next,
        "/playlists" => "/".into(),
        _ => sign_in_path(&next),
    }
}

async fn welcome(
    app: &App,
    visitor: &MaybeUser,
    provider: Provider,
    arrived: Arrived,
    (device, now): (&str, OffsetDateTime),
) -> Result<Response, AppError> {
    // With a newcomer's account, which became part of another, its session is gone as well.
    if !matches!(arrived.outcome, Outcome::Proven { .. }) {
        visitor.reload().await?;
    }
    // Linking is no proof of being who one says: anybody at an open browser could add a way in of their own.
    let proof = !matches!(arrived.outcome, Outcome::Linked(_));
    visitor.record_device(device, proof.then_some(now)).await?;
    match arrived.outcome.event(provider) {
        // Written together with the session.
        Kind::SignedIn(_) => visitor.sign_in(&arrived, Some(provider)).await?,
        event => {
            activity::note(app, arrived.person.id, event, device, now).await;
            visitor.sign_in(&arrived, None).await?;
        }
    }
    let next = match (arrived.outcome, arrived.invited_until) {
        (Outcome::Joined, Some(_)) => with_next("/account/same", &arrived.wish.next),
        _ => arrived.wish.next.clone(),
    };
    Ok(flash::redirect(&next, greeting(visitor.is_connected(), provider, &arrived)))
}

/// What to say to who arrives; `connected`: Spotify was so before.
fn greeting(connected: bool, provider: Provider, arrived: &Arrived) -> Flash {
    match (arrived.missing, arrived.wish.anew, arrived.outcome) {
        (Some(missing), ..) => Flash::Missing(missing),
        _ if arrived.wish.heart.is_some() => Flash::SignedInAndHearted,
        (None, Some(Anew::NowPlaying), _) => Flash::NowPlayingOn,
        (None, Some(Anew::Renew), _) if provider == Provider::Spotify => Flash::Reconnected,
        // Somebody proved who they are; nothing else has changed.
        (None, Some(Anew::Renew), _) => Flash::SignedIn,
        (None, None, Outcome::AlreadyLinked(_)) if !connected && provider == Provider::Spotify => Flash::Reconnected,
        (None, None, Outcome::AlreadyLinked(_)) => Flash::AlreadySignedIn,
        (None, None, Outcome::Linked(_)) => Flash::Linked(provider),
        (None, None, Outcome::Proven { .. }) => Flash::Merged,
        (None, None, Outcome::SignedIn(_) | Outcome::Joined) => Flash::SignedIn,
    }
}

#[derive(Template)]
#[template(path = "sign_in/logout.html")]
struct SignOut {
    layout: Layout,
}

/// Asks whether to sign out: an address alone must not do it.
pub(crate) async fn leaving(layout: Layout) -> Response {
    match layout.user_name {
        Some(_) => render_page(&SignOut { layout: layout.with_title("Sign out", "") }),
        None => Redirect::to("/").into_response(),
    }
}

/// Signs out.
pub(crate) async fn leave(app: State, visitor: MaybeUser) -> Result<Response, AppError> {
    visitor.sign_out().await?;
    let mut response = flash::redirect("/", Flash::SignedOut);
    login_cookie::remove(&app, &mut response);
    Ok(response)
}

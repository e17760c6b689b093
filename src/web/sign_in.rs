//! The doors: signing in, coming back from the provider, signing out.

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use super::device::Device;
use super::error::Fault;
use super::layout::{Layout, html};
use super::next::{NextParam, SafePath};
use super::notice::{self, Notice};
use super::session::Visitor;
use super::{Now, State, registration};
use crate::app::App;
use crate::domain::activity;
use crate::domain::sign_in::{self, Anew, Answer, Arrival, Arrived, Outcome, Refusal};
use crate::ids::{PlaylistId, Provider, Secret};

#[derive(Template)]
#[template(path = "sign_in/login.html")]
struct SignIn {
    layout: Layout,
    next: String,
    heart: Option<String>,
}

/// The page with the button. Who is signed in and connected goes straight on.
pub(super) async fn page(visitor: Visitor, layout: Layout, Query(wanted): Query<NextParam>) -> Response {
    let next = SafePath::or_playlists(wanted.next.as_deref());
    if visitor.connected() {
        return Redirect::to(next.as_str()).into_response();
    }
    let heart = wanted.heart.and_then(|id| PlaylistId::parse(&id).ok()).map(String::from);
    html(&SignIn { layout: layout.titled("Sign in", ""), next: next.as_str().to_owned(), heart })
}

/// What the buttons that lead to Spotify ask for.
#[derive(Default, Deserialize)]
pub(super) struct StartForm {
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
}

impl StartForm {
    fn anew(&self) -> Option<Anew> {
        match (self.also.as_deref(), self.again.as_deref()) {
            (Some("now-playing"), _) => Some(Anew::NowPlaying),
            (_, Some("yes")) => Some(Anew::Renew),
            _ => None,
        }
    }
}

/// Sends the browser to Spotify's consent page; who is connected, only if it is for a new consent.
pub(super) async fn start(
    app: State,
    Now(now): Now,
    visitor: Visitor,
    Form(form): Form<StartForm>,
) -> Result<Response, Fault> {
    let anew = form.anew();
    let next = SafePath::or_playlists(form.wanted.next.as_deref());
    if visitor.connected() && anew.is_none() {
        return Ok(Redirect::to(next.as_str()).into_response());
    }
    let heart = form.wanted.heart.and_then(|id| PlaylistId::parse(&id).ok());
    let wish = sign_in::Wish {
        next: next.as_str().to_owned(),
        heart,
        anew,
        invite: form.invite.filter(|invite| !invite.expose().is_empty()),
    };
    let (browser, before) = (visitor.named_browser().await?, visitor.scopes().await?);
    let start = sign_in::Start { provider: Provider::Spotify, browser, wish, before };
    let consent = sign_in::start(&app, start, now).await?;
    Ok(Redirect::to(consent.as_str()).into_response())
}

/// Where Spotify sends the browser back to; always leads away again, so that no code stays in the address bar.
pub(super) async fn callback(
    app: State,
    Now(now): Now,
    visitor: Visitor,
    device: Device,
    Query(answer): Query<Answer>,
) -> Result<Response, Fault> {
    let signed_in = visitor.caller.as_ref().map(|caller| caller.person.clone());
    let known = signed_in.is_some();
    let arrival =
        Arrival { provider: Provider::Spotify, browser: visitor.browser().await?, visitor: signed_in, answer };
    match sign_in::finish(&app, arrival, now).await {
        Ok(arrived) => welcome(&app, &visitor, arrived, &device.0, now).await,
        Err(Refusal::Denied { next }) => Ok(notice::redirect(if known { &next } else { "/" }, Notice::Denied)),
        // The second of two tabs: there is nothing left to do.
        Err(Refusal::Used) if known => Ok(notice::redirect("/playlists", Notice::AlreadySignedIn)),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn welcome(
    app: &App,
    visitor: &Visitor,
    arrived: Arrived,
    device: &str,
    now: OffsetDateTime,
) -> Result<Response, Fault> {
    visitor.seen_signing_in(device, now).await?;
    activity::note(app, arrived.person.id, arrived.outcome.event(Provider::Spotify), device, now).await;
    visitor.sign_in(&arrived.person, &arrived.grant).await?;
    Ok(notice::redirect(&arrived.wish.next, greeting(visitor.connected(), &arrived)))
}

/// What to say to who arrives; `connected`: they were so before.
fn greeting(connected: bool, arrived: &Arrived) -> Notice {
    match (arrived.missing, arrived.wish.anew, arrived.outcome) {
        (Some(missing), ..) => Notice::Missing(missing),
        _ if arrived.wish.heart.is_some() => Notice::SignedInAndHearted,
        (None, Some(Anew::NowPlaying), _) => Notice::NowPlayingOn,
        (None, Some(Anew::Renew), _) => Notice::Reconnected,
        (None, None, Outcome::AlreadyLinked(_)) if !connected => Notice::Reconnected,
        (None, None, Outcome::AlreadyLinked(_)) => Notice::AlreadySignedIn,
        (None, None, Outcome::SignedIn(_) | Outcome::Joined | Outcome::Linked(_)) => Notice::SignedIn,
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let bad = |what: &str| {
            Fault::new(StatusCode::BAD_REQUEST, "Sign-in did not finish", what)
                .nothing_saved()
                .or_try_again("/playlists")
        };
        match refusal {
            Refusal::NoCookie => bad(
                "The browser did not bring our cookie back: it refused it, or the sign-in was started in another browser. Allow cookies for this site and try again.",
            ),
            Refusal::Used => bad("This sign-in was already used. If you went back to it, start a new one."),
            Refusal::Old => bad("This sign-in is too old: it waits for ten minutes."),
            Refusal::Unknown => {
                bad("This sign-in was not started in this browser, or too long ago for us to remember.")
            }
            Refusal::Denied { next } | Refusal::Ended { next } => {
                bad("Spotify ended this sign-in without letting you in.").or_try_again(next)
            }
            Refusal::SomebodyElse => Fault::new(
                StatusCode::CONFLICT,
                "That is another listener",
                "You are signed in here, and the Spotify account you chose is another one. Nothing was changed. To switch, sign out first.",
            ),
            Refusal::NotAdmitted(why) => registration::refusal(why),
            Refusal::Failed(error) => {
                let mut fault = Fault::from(error).nothing_saved().or_try_again("/playlists");
                // Who was not let in has no hearts here to look at.
                fault.way_out.clear();
                fault
            }
        }
    }
}

#[derive(Template)]
#[template(path = "sign_in/logout.html")]
struct SignOut {
    layout: Layout,
}

/// Asks whether to sign out: an address alone must not do it.
pub(super) async fn leaving(layout: Layout) -> Response {
    match layout.visitor {
        Some(_) => html(&SignOut { layout: layout.titled("Sign out", "") }),
        None => Redirect::to("/").into_response(),
    }
}

/// Signs out.
pub(super) async fn leave(visitor: Visitor) -> Result<Response, Fault> {
    visitor.sign_out().await?;
    Ok(notice::redirect("/", Notice::SignedOut))
}

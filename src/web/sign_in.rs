//! The doors: signing in, coming back from the provider, signing out.

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::error::Fault;
use super::layout::{Layout, html};
use super::next::{NextParam, SafePath};
use super::notice::{self, Notice};
use super::session::Visitor;
use super::{Now, State};
use crate::domain::sign_in::{self, Answer, Arrival, Arrived, Outcome, Refusal};
use crate::ids::{PlaylistId, Provider};

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
    if visitor.caller.is_some_and(|caller| caller.grant.is_some()) {
        return Redirect::to(next.as_str()).into_response();
    }
    let heart = wanted.heart.and_then(|id| PlaylistId::parse(&id).ok()).map(String::from);
    html(&SignIn { layout: layout.titled("Sign in", ""), next: next.as_str().to_owned(), heart })
}

/// Sends the browser to Spotify's consent page.
pub(super) async fn start(
    app: State,
    Now(now): Now,
    visitor: Visitor,
    Form(wanted): Form<NextParam>,
) -> Result<Response, Fault> {
    let next = SafePath::or_playlists(wanted.next.as_deref());
    if visitor.caller.as_ref().is_some_and(|caller| caller.grant.is_some()) {
        return Ok(Redirect::to(next.as_str()).into_response());
    }
    let heart = wanted.heart.and_then(|id| PlaylistId::parse(&id).ok());
    let browser = visitor.named_browser().await?;
    let wish = sign_in::Wish { next: next.as_str().to_owned(), heart };
    let consent = sign_in::start(&app, Provider::Spotify, &browser, wish, now).await?;
    Ok(Redirect::to(consent.as_str()).into_response())
}

/// Where Spotify sends the browser back to; always leads away again, so that no code stays in the address bar.
pub(super) async fn callback(
    app: State,
    Now(now): Now,
    visitor: Visitor,
    Query(answer): Query<Answer>,
) -> Result<Response, Fault> {
    let signed_in = visitor.caller.as_ref().map(|caller| caller.person.clone());
    let known = signed_in.is_some();
    let arrival =
        Arrival { provider: Provider::Spotify, browser: visitor.browser().await?, visitor: signed_in, answer };
    match sign_in::finish(&app, arrival, now).await {
        Ok(arrived) => welcome(&visitor, arrived).await,
        Err(Refusal::Denied { next }) => Ok(notice::redirect(if known { &next } else { "/" }, Notice::Denied)),
        // The second of two tabs: there is nothing left to do.
        Err(Refusal::Used) if known => Ok(notice::redirect("/playlists", Notice::AlreadySignedIn)),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn welcome(visitor: &Visitor, arrived: Arrived) -> Result<Response, Fault> {
    visitor.sign_in(&arrived.person, &arrived.grant).await?;
    let notice = match arrived.outcome {
        _ if !arrived.missing.is_empty() => Notice::FewerScopes,
        _ if arrived.wish.heart.is_some() => Notice::SignedInAndHearted,
        Outcome::AlreadyLinked(_) => Notice::AlreadySignedIn,
        Outcome::SignedIn(_) | Outcome::Joined | Outcome::Linked(_) => Notice::SignedIn,
    };
    Ok(notice::redirect(&arrived.wish.next, notice))
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
            Refusal::Failed(error) => {
                let mut fault = Fault::from(error).nothing_saved();
                if fault.status.is_server_error() {
                    fault = fault.or_try_again("/playlists");
                }
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

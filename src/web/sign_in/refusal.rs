//! What to say to who was not let in.

use axum::http::StatusCode;

use crate::domain::sign_in::{Conflict, Refusal};
use crate::ids::Provider;
use crate::web::error::{Fault, Link};
use crate::web::registration;

/// The page for a sign-in by `provider` that did not succeed; `known`: somebody is signed in already.
pub(super) fn fault(refusal: Refusal, provider: Provider, known: bool) -> Fault {
    let name = provider.label();
    let fault = match refusal {
        Refusal::NoCookie => bad(
            "The browser did not bring our cookie back: it refused it, or the sign-in was started in another browser. Allow cookies for this site and try again.",
        ),
        Refusal::Used => bad("This sign-in was already used. If you went back to it, start a new one."),
        Refusal::Old => bad("This sign-in is too old: it waits for ten minutes."),
        Refusal::Unknown => bad("This sign-in was not started in this browser, or too long ago for us to remember."),
        Refusal::Denied { next } | Refusal::Ended { next } => {
            bad(format!("{name} ended this sign-in without letting you in.")).or_try_again(next)
        }
        Refusal::Conflict(conflict) => return collision(conflict, name),
        Refusal::NotAdmitted(why) => return registration::refusal(why),
        Refusal::Slow => {
            away(StatusCode::GATEWAY_TIMEOUT, format!("{name} took too long to answer. Try again in a moment."))
        }
        Refusal::Away(cause) => {
            away(StatusCode::BAD_GATEWAY, format!("{name} gave no answer that we can use. Try again in a moment."))
                .caused(cause)
        }
        Refusal::Misconfigured(cause) => Fault::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This way in is not set up right yet",
            format!("{name} refuses this server’s client id or secret. Whoever runs it has to compare them."),
        )
        .nothing_saved()
        .caused(cause),
        Refusal::Failed(error) => {
            let mut fault = Fault::from(error).nothing_saved().or_try_again("/playlists");
            // Who was not let in has no hearts here to look at.
            fault.way_out.clear();
            fault
        }
    };
    // A new try would only sign in; what was to be linked begins on the account page.
    if known && provider != Provider::Spotify { onward(fault) } else { fault.trying(provider) }
}

fn bad(what: impl Into<String>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "Sign-in did not finish", what).nothing_saved().or_try_again("/playlists")
}

fn away(status: StatusCode, what: String) -> Fault {
    Fault::new(status, "Sign-in did not finish", what).nothing_saved().or_try_again("/playlists")
}

const ACCOUNT: Link = Link { href: "/account", text: "My account" };
const SIGN_OUT: Link = Link { href: "/logout", text: "Sign out" };
const AGAIN: Link = Link { href: "/account/again?next=%2Faccount", text: "Sign in again" };
const PROVE: Link = Link { href: "/account/same?next=%2Faccount", text: "Show that both are yours" };

fn onward(mut fault: Fault) -> Fault {
    fault.retry = None;
    fault.way_out.push(ACCOUNT);
    fault
}

fn collision(conflict: Conflict, name: &str) -> Fault {
    let (heading, step) = match conflict {
        Conflict::SomebodyElses | Conflict::AnotherOne => ("That is another account", Some(SIGN_OUT)),
        Conflict::PerhapsTheirs => ("That account may be yours too", Some(PROVE)),
        Conflict::NotAsked => ("You are signed in already", None),
        Conflict::NotFresh => ("Sign in again first", Some(AGAIN)),
        Conflict::Changed => ("This was meant for another session", None),
    };
    let mut fault = Fault::new(StatusCode::CONFLICT, heading, sentences(conflict, name));
    fault.way_out.extend(step);
    onward(fault)
}

/// What happened, that nothing was changed, and what helps.
fn sentences(conflict: Conflict, name: &str) -> String {
    match conflict {
        Conflict::SomebodyElses => format!(
            "You are signed in here, and the {name} account you chose belongs to another account. Nothing was changed. To use that one, sign out first. If both are yours and you want one: download your hearts there, delete that account, then link {name} here and import the file."
        ),
        Conflict::PerhapsTheirs => format!(
            "The {name} account you chose belongs to another account, with the same e-mail address as yours. Nothing was changed. Show that both are yours, and they become one, with all its hearts."
        ),
        Conflict::AnotherOne => format!(
            "You are signed in here, and another {name} account than the one you chose belongs to you. Nothing was changed. To switch, sign out first. To link this one instead, unlink the other on your account page."
        ),
        Conflict::NotAsked => format!(
            "Nobody here signs in with the {name} account you chose. Nothing was changed. To sign in with it too, link it on your account page."
        ),
        Conflict::NotFresh => "A further way in needs a sign-in of the last ten minutes, so that nobody can add one who finds your browser open. Nothing was changed.".into(),
        Conflict::Changed => format!(
            "Since you went to {name}, this browser was signed out or somebody else signed in. Nothing was changed."
        ),
    }
}

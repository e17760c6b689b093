//! What to say to who was not let in.

use axum::http::StatusCode;

use crate::domain::Error;
use crate::domain::sign_in::{Conflict, Refusal};
use crate::ids::Provider;
use crate::web::error::{AppError, Link};
use crate::web::pages::invites;

/// The page for a sign-in by `provider` that did not succeed; `known`: somebody is signed in already.
pub(crate) fn fault(refusal: Refusal, provider: Provider, known: bool) -> AppError {
    let name = provider.label();
    let fault = match refusal {
        Refusal::NoCookie => bad(
            "Your browser refused our cookie, or the sign-in was started in another browser. Allow cookies for this site and try again.",
        ),
        Refusal::Used => bad("This sign-in has already been used. Start a new one."),
        Refusal::Old => bad("This sign-in has expired: it took longer than ten minutes."),
        Refusal::Unknown => bad("This sign-in was not started in this browser, or it was started too long ago."),
        Refusal::Denied { next } | Refusal::Ended { next } => {
            bad(format!("{name} ended this sign-in without letting you in.")).with_retry(next)
        }
        Refusal::Conflict(conflict) => return collision(conflict, name),
        Refusal::NotAdmitted(why) => return invites::refusal(why),
        Refusal::Slow => {
            away(StatusCode::GATEWAY_TIMEOUT, format!("{name} took too long to answer. Try again in a moment."))
        }
        Refusal::Away(cause) => {
            away(StatusCode::BAD_GATEWAY, format!("{name}’s answer could not be used. Try again in a moment."))
                .with_cause(cause)
        }
        Refusal::Misconfigured(cause) => AppError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This way to sign in is not set up correctly",
            format!("{name} rejects this server’s client id or secret. Whoever runs it needs to check them."),
        )
        .nothing_saved()
        .with_cause(cause),
        // What is set wrong is as wrong the next time.
        Refusal::Failed(error @ Error::Misconfigured(_)) => not_let_in(error),
        Refusal::Failed(error) => not_let_in(error).with_retry("/playlists"),
    };
    // A new try would only sign in; what was to be linked begins on the account page.
    if known && provider != Provider::Spotify { onward(fault) } else { fault.with_provider(provider) }
}

fn bad(what: impl Into<String>) -> AppError {
    AppError::new(StatusCode::BAD_REQUEST, "Sign-in did not finish", what).nothing_saved().with_retry("/playlists")
}

fn away(status: StatusCode, what: String) -> AppError {
    AppError::new(status, "Sign-in did not finish", what).nothing_saved().with_retry("/playlists")
}

fn not_let_in(error: Error) -> AppError {
    // They have no hearts here to look at.
    AppError { recovery_links: Vec::new(), ..AppError::from(error).nothing_saved() }
}

const ACCOUNT: Link = Link { href: "/account", text: "My account" };
const SIGN_OUT: Link = Link { href: "/logout", text: "Sign out" };
const AGAIN: Link = Link { href: "/account/again?next=%2Faccount", text: "Sign in again" };
const PROVE: Link = Link { href: "/account/same?next=%2Faccount", text: "Confirm that both are yours" };

fn onward(mut fault: AppError) -> AppError {
    fault.retry_path = None;
    fault.recovery_links.push(ACCOUNT);
    fault
}

fn collision(conflict: Conflict, name: &str) -> AppError {
    let (heading, step) = match conflict {
        Conflict::SomebodyElses | Conflict::AnotherOne => ("That belongs to another account", Some(SIGN_OUT)),
        Conflict::PerhapsTheirs => ("That account may be yours too", Some(PROVE)),
        Conflict::NotAsked => ("You are already signed in", None),
        Conflict::NotFresh => ("Sign in again first", Some(AGAIN)),
        Conflict::Changed => ("This sign-in belongs to another session", None),
    };
    let mut fault = AppError::new(StatusCode::CONFLICT, heading, sentences(conflict, name));
    fault.recovery_links.extend(step);
    onward(fault)
}

/// What happened, that nothing was changed, and what helps.
fn sentences(conflict: Conflict, name: &str) -> String {
    match conflict {
        Conflict::SomebodyElses => format!(
            "The {name} account you chose belongs to another Heartlist account. Nothing was changed. To use that one, sign out first. If both are yours and you want just one, sign in there, export your hearts and delete that account; then link {name} here and import the file."
        ),
        Conflict::PerhapsTheirs => format!(
            "The {name} account you chose belongs to another Heartlist account with the same email address as yours. Nothing was changed. Confirm that both are yours, and they become one account with all the hearts."
        ),
        Conflict::AnotherOne => format!(
            "Your account is linked to a different {name} account. Nothing was changed. To use the one you chose, sign out first. To link it here instead, unlink the other on your account page."
        ),
        Conflict::NotAsked => format!(
            "No account here uses the {name} account you chose. Nothing was changed. To sign in with it too, link it on your account page."
        ),
        Conflict::NotFresh => "To link another way to sign in, you need to have signed in within the last ten minutes, so that nobody who finds your browser open can add their own. Nothing was changed.".into(),
        Conflict::Changed => format!(
            "After you went to {name}, this browser was signed out or somebody else signed in. Nothing was changed."
        ),
    }
}

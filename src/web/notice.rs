//! Notices: one sentence after a redirect, shown once.
//!
//! A notice travels as a short code in a cookie of its own, so that it costs no session and no query. A
//! forged code can only show one of these sentences to the forger.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tower_sessions::cookie::Cookie;

use crate::app::App;
use crate::domain::sign_in::Missing;

const NAME: &str = "heartlist-notice";

/// What a page says once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    SignedIn,
    SignedInAndHearted,
    AlreadySignedIn,
    Missing(Missing),
    Reconnected,
    NowPlayingOn,
    Denied,
    SignedOut,
    Updated,
    JustUpdated,
    NotUpdated,
    Hearted,
    Unhearted,
    HeartedByLink,
    HeartedNameless,
    HeartedBefore,
    Disconnected,
    NotSure,
    NotFresh,
    SessionEnded,
    OthersEnded,
    InviteRevoked,
}

/// Every notice with its code.
const CODES: &[(&str, Notice)] = &[
    ("signed-in", Notice::SignedIn),
    ("signed-in-hearted", Notice::SignedInAndHearted),
    ("already", Notice::AlreadySignedIn),
    ("no-private", Notice::Missing(Missing::Private)),
    ("no-collaborative", Notice::Missing(Missing::Collaborative)),
    ("public-alone", Notice::Missing(Missing::PrivateAndCollaborative)),
    ("no-now-playing", Notice::Missing(Missing::NowPlaying)),
    ("fewer", Notice::Missing(Missing::NowPlayingAndPlaylists)),
    ("reconnected", Notice::Reconnected),
    ("now-playing-on", Notice::NowPlayingOn),
    ("denied", Notice::Denied),
    ("signed-out", Notice::SignedOut),
    ("updated", Notice::Updated),
    ("just-updated", Notice::JustUpdated),
    ("not-updated", Notice::NotUpdated),
    ("hearted", Notice::Hearted),
    ("unhearted", Notice::Unhearted),
    ("hearted-link", Notice::HeartedByLink),
    ("hearted-nameless", Notice::HeartedNameless),
    ("hearted-before", Notice::HeartedBefore),
    ("disconnected", Notice::Disconnected),
    ("not-sure", Notice::NotSure),
    ("not-fresh", Notice::NotFresh),
    ("session-ended", Notice::SessionEnded),
    ("others-ended", Notice::OthersEnded),
    ("invite-revoked", Notice::InviteRevoked),
];

impl Notice {
    /// Whether it interrupts.
    pub(super) fn is_alert(self) -> bool {
        matches!(self, Notice::NotSure | Notice::NotFresh | Notice::Missing(_) | Notice::NotUpdated)
    }

    /// The sentence, for the visitor called `name`.
    pub(super) fn text(self, name: Option<&str>) -> String {
        let name = name.unwrap_or("somebody");
        match self {
            Notice::SignedIn => format!("Signed in as {name}."),
            Notice::SignedInAndHearted => format!("Signed in as {name}, and your heart is kept."),
            Notice::AlreadySignedIn => format!("You are already signed in as {name}."),
            Notice::Missing(missing) => {
                format!("Signed in as {name}. You gave less access than asked: {}.", will_be_missing(missing))
            }
            Notice::Reconnected => "Thank you: Spotify is connected again.".into(),
            Notice::NowPlayingOn => "Now playing is switched on.".into(),
            Notice::Denied => "You did not give access. Nothing was saved.".into(),
            Notice::SignedOut => "You are signed out.".into(),
            Notice::Updated => "Spotify was asked: this is your library now.".into(),
            Notice::JustUpdated => "Spotify was asked a moment ago; ask again in half a minute.".into(),
            Notice::NotUpdated => "Spotify could not be asked just now. This is what we knew last.".into(),
            Notice::Hearted => "Hearted.".into(),
            Notice::Unhearted => "The heart is taken back.".into(),
            Notice::HeartedByLink => "Hearted. It stands at the top.".into(),
            Notice::HeartedNameless => {
                "Hearted. Spotify could not be asked for its name just now: open it later, and the name is kept too."
                    .into()
            }
            Notice::HeartedBefore => "It has your heart already, since the day that stands beside it.".into(),
            Notice::Disconnected => {
                "Spotify is disconnected: its keys are deleted in all your sessions. Your hearts stay.".into()
            }
            Notice::NotSure => "Nothing was deleted: tick the box first to say that you are sure.".into(),
            Notice::NotFresh => "Nothing was deleted: sign in again first.".into(),
            Notice::SessionEnded => "That session has ended.".into(),
            Notice::InviteRevoked => "That invitation lets nobody in any more.".into(),
            Notice::OthersEnded => "You are signed out everywhere but here.".into(),
        }
    }

    fn code(self) -> &'static str {
        CODES.iter().find(|(_, notice)| *notice == self).map_or("", |(code, _)| code)
    }
}

fn will_be_missing(missing: Missing) -> &'static str {
    match missing {
        Missing::Private => "your private playlists will be missing here",
        Missing::Collaborative => "collaborative playlists will be missing here",
        Missing::PrivateAndCollaborative => "private and collaborative playlists will be missing here",
        Missing::NowPlaying => "Now playing stays switched off",
        Missing::NowPlayingAndPlaylists => {
            "Now playing stays switched off, and private or collaborative playlists will be missing here"
        }
    }
}

/// Goes to `path` and says `notice` there.
pub(super) fn redirect(path: &str, notice: Notice) -> Response {
    let mut response = Redirect::to(path).into_response();
    response.extensions_mut().insert(notice);
    response
}

/// The notice that this request should show.
pub(super) fn waiting(headers: &HeaderMap) -> Option<Notice> {
    let cookies =
        headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok()).flat_map(Cookie::split_parse);
    let cookie = cookies.flatten().find(|cookie| cookie.name() == NAME)?;
    CODES.iter().find(|(code, _)| *code == cookie.value()).map(|(_, notice)| *notice)
}

/// Hands a redirect's notice to the browser, and forgets it once a page has shown it.
pub(super) async fn carry(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let shown = waiting(request.headers()).is_some();
    let mut response = next.run(request).await;
    let cookie = match response.extensions().get::<Notice>() {
        Some(notice) => format!("{NAME}={}; Max-Age=60", notice.code()),
        None if shown && !response.status().is_redirection() && is_html(response.headers()) => {
            format!("{NAME}=; Max-Age=0")
        }
        None => return response,
    };
    let secure = if app.config.https() { "; Secure" } else { "" };
    let cookie = format!("{cookie}; Path=/; HttpOnly; SameSite=Lax{secure}");
    let cookie = HeaderValue::from_str(&cookie).expect("codes are letters and hyphens");
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// Whether an answer is a page.
pub(super) fn is_html(headers: &HeaderMap) -> bool {
    headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_has_a_code_of_its_own() {
        for (code, notice) in CODES {
            assert_eq!(notice.code(), *code);
        }
    }
}

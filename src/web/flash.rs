//! Notices: one sentence after a redirect, shown once.
//!
//! A notice travels as a short code in a cookie of its own, with the id of the playlist it is about where it
//! offers to undo something, so that it costs no session, and no query but for that playlist's name. A forged
//! code can only show one of these sentences to the forger.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tower_sessions::cookie::Cookie;

use crate::app::App;
use crate::domain::sign_in::Missing;
use crate::ids::{PlaylistId, Provider};

const NAME: &str = "heartlist-notice";

/// What a page says once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
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
    WordsKept,
    Restored,
    NotRestored,
    ForgottenForGood,
    NotForgotten,
    HeartedByLink,
    HeartedNameless,
    HeartedBefore,
    Disconnected,
    PageOn,
    PageOff,
    LinkOn,
    LinkOff,
    NotSure,
    NotFresh,
    SessionEnded,
    OthersEnded,
    Linked(Provider),
    Unlinked(Provider),
    LastWayIn,
    Proven,
    InviteRevoked,
    NothingChanged,
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
    ("words-kept", Notice::WordsKept),
    ("restored", Notice::Restored),
    ("not-restored", Notice::NotRestored),
    ("forgotten", Notice::ForgottenForGood),
    ("not-forgotten", Notice::NotForgotten),
    ("hearted-link", Notice::HeartedByLink),
    ("hearted-nameless", Notice::HeartedNameless),
    ("hearted-before", Notice::HeartedBefore),
    ("disconnected", Notice::Disconnected),
    ("page-on", Notice::PageOn),
    ("page-off", Notice::PageOff),
    ("link-on", Notice::LinkOn),
    ("link-off", Notice::LinkOff),
    ("not-sure", Notice::NotSure),
    ("not-fresh", Notice::NotFresh),
    ("session-ended", Notice::SessionEnded),
    ("others-ended", Notice::OthersEnded),
    ("linked-spotify", Notice::Linked(Provider::Spotify)),
    ("linked-google", Notice::Linked(Provider::Google)),
    ("linked-github", Notice::Linked(Provider::GitHub)),
    ("linked-facebook", Notice::Linked(Provider::Facebook)),
    ("linked-x", Notice::Linked(Provider::X)),
    ("unlinked-spotify", Notice::Unlinked(Provider::Spotify)),
    ("unlinked-google", Notice::Unlinked(Provider::Google)),
    ("unlinked-github", Notice::Unlinked(Provider::GitHub)),
    ("unlinked-facebook", Notice::Unlinked(Provider::Facebook)),
    ("unlinked-x", Notice::Unlinked(Provider::X)),
    ("last-way-in", Notice::LastWayIn),
    ("proven", Notice::Proven),
    ("invite-revoked", Notice::InviteRevoked),
    ("nothing-changed", Notice::NothingChanged),
];

impl Notice {
    /// Whether it interrupts.
    pub(crate) fn is_alert(self) -> bool {
        matches!(
            self,
            Notice::NotSure
                | Notice::NotFresh
                | Notice::LastWayIn
                | Notice::Missing(_)
                | Notice::NotUpdated
                | Notice::NothingChanged
                | Notice::NotRestored
                | Notice::NotForgotten
        )
    }

    /// The sentence, for the visitor called `name`.
    pub(crate) fn text(self, name: Option<&str>) -> String {
        let name = name.unwrap_or("somebody");
        match self {
            Notice::SignedIn => format!("Signed in as {name}."),
            Notice::SignedInAndHearted => format!("Signed in as {name}. Your heart was saved."),
            Notice::AlreadySignedIn => format!("You are already signed in as {name}."),
            Notice::Missing(missing) => {
                format!("Signed in as {name}, with less access than Heartlist asked for: {}.", will_be_missing(missing))
            }
            Notice::Reconnected => "Spotify is connected again.".into(),
            Notice::NowPlayingOn => "Now playing is on.".into(),
            Notice::Denied => "You did not give access. Nothing was saved.".into(),
            Notice::SignedOut => "You are signed out.".into(),
            Notice::Updated => "Your playlists are up to date.".into(),
            Notice::JustUpdated => "Your playlists were refreshed a moment ago. Try again in half a minute.".into(),
            Notice::NotUpdated => "Spotify could not be reached. These are your playlists as it last showed them.".into(),
            Notice::Hearted => "Hearted.".into(),
            Notice::Unhearted => "Heart removed.".into(),
            Notice::WordsKept => "Note and tags saved.".into(),
            Notice::Restored => "Heart restored, with its date, note and tags.".into(),
            Notice::NotRestored => "Nothing was restored. The heart is already back, was deleted for good, or was removed more than 30 days ago.".into(),
            Notice::ForgottenForGood => "Deleted for good.".into(),
            Notice::NotForgotten => "Nothing was deleted. Tick the box first to confirm.".into(),
            Notice::HeartedByLink => "Hearted. It is at the top.".into(),
            Notice::HeartedNameless => {
                "Hearted. Spotify could not be asked for its name; open it later and the name will be saved too."
                    .into()
            }
            Notice::HeartedBefore => "You have already hearted this playlist. The date beside it is unchanged.".into(),
            Notice::Disconnected => {
                "Spotify is disconnected, and Heartlist’s access to it is deleted wherever you are signed in. Your hearts are safe.".into()
            }
            Notice::PageOn => "Your public page is on.".into(),
            Notice::PageOff => "Your public page is off. Its address no longer shows anything.".into(),
            Notice::LinkOn => "Here is your secret link. Any earlier link no longer works.".into(),
            Notice::LinkOff => "Your secret link is off. It no longer shows anything.".into(),
            Notice::Linked(Provider::Spotify) => {
                "Spotify is connected. You can now sign in with it.".into()
            }
            Notice::Linked(provider) => format!("{} is linked. You can now sign in with it.", provider.label()),
            Notice::Unlinked(Provider::Spotify) => {
                "Spotify is unlinked, and Heartlist’s access to it is deleted wherever you are signed in. Your hearts are safe.".into()
            }
            Notice::Unlinked(provider) => format!("{} is unlinked. Your hearts are safe.", provider.label()),
            Notice::LastWayIn => {
                "Nothing was unlinked. This is your only way to sign in; without it nobody could open this account again."
                    .into()
            }
            Notice::Proven => format!("Welcome back, {name}. You can now sign in both ways, and all your hearts are here."),
            Notice::NotSure => "Nothing was deleted. Tick the box first to confirm.".into(),
            Notice::NotFresh => "Nothing was deleted. Sign in again first.".into(),
            Notice::SessionEnded => "That device is signed out.".into(),
            Notice::InviteRevoked => "The invitation is revoked.".into(),
            Notice::NothingChanged => {
                "You have been signed out, so nothing was changed. Sign in and try again.".into()
            }
            Notice::OthersEnded => "You are signed out everywhere else.".into(),
        }
    }

    fn code(self) -> &'static str {
        CODES.iter().find(|(_, notice)| *notice == self).map_or("", |(code, _)| code)
    }
}

fn will_be_missing(missing: Missing) -> &'static str {
    match missing {
        Missing::Private => "your private playlists will not appear here",
        Missing::Collaborative => "collaborative playlists will not appear here",
        Missing::PrivateAndCollaborative => "private and collaborative playlists will not appear here",
        Missing::NowPlaying => "Now playing stays off",
        Missing::NowPlayingAndPlaylists => {
            "Now playing stays off, and private or collaborative playlists will not appear here"
        }
    }
}

/// A notice on its way.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) notice: Notice,
    /// The playlist it is about, where a page can do something about it.
    pub(crate) about: Option<PlaylistId>,
}

impl Said {
    fn code(&self) -> String {
        let code = self.notice.code();
        self.about.as_ref().map_or_else(|| code.to_owned(), |id| format!("{code}.{id}"))
    }

    fn of_code(code: &str) -> Option<Self> {
        let (code, about) = code.split_once('.').map_or((code, None), |(code, id)| (code, Some(id)));
        let (_, notice) = CODES.iter().find(|(known, _)| *known == code)?;
        Some(Self { notice: *notice, about: about.map(PlaylistId::parse).transpose().ok()? })
    }
}

/// Goes to `path` and says `notice` there.
pub(crate) fn redirect(path: &str, notice: Notice) -> Response {
    say(path, Said { notice, about: None })
}

/// Goes to `path` and says `notice` there, with what can be done about the playlist.
pub(crate) fn redirect_about(path: &str, notice: Notice, playlist: PlaylistId) -> Response {
    say(path, Said { notice, about: Some(playlist) })
}

fn say(path: &str, said: Said) -> Response {
    let mut response = Redirect::to(path).into_response();
    response.extensions_mut().insert(said);
    response
}

/// Says `notice` on the page that follows `response`.
pub(crate) fn on(response: &mut Response, notice: Notice) {
    response.extensions_mut().insert(Said { notice, about: None });
}

/// The notice that this request should show.
pub(crate) fn waiting(headers: &HeaderMap) -> Option<Said> {
    let cookies =
        headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok()).flat_map(Cookie::split_parse);
    let cookie = cookies.flatten().find(|cookie| cookie.name() == NAME)?;
    Said::of_code(cookie.value())
}

/// Hands a redirect's notice to the browser, and forgets it once a page has shown it.
pub(crate) async fn carry(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let shown = waiting(request.headers()).is_some();
    let mut response = next.run(request).await;
    let cookie = match response.extensions().get::<Said>() {
        Some(said) => format!("{NAME}={}; Max-Age=60", said.code()),
        None if shown && !response.status().is_redirection() && is_html(response.headers()) => {
            format!("{NAME}=; Max-Age=0")
        }
        None => return response,
    };
    let secure = if app.config.https() { "; Secure" } else { "" };
    let cookie = format!("{cookie}; Path=/; HttpOnly; SameSite=Lax{secure}");
    let cookie = HeaderValue::from_str(&cookie).expect("codes and ids are letters, digits, hyphens and a dot");
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// Whether an answer is a page.
pub(crate) fn is_html(headers: &HeaderMap) -> bool {
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

    #[test]
    fn a_notice_is_about_a_playlist_or_none() {
        let id = PlaylistId::parse("3cEYpjA9oz9GiPac4AsH4n").unwrap();
        let said = Said::of_code(&Said { notice: Notice::Unhearted, about: Some(id.clone()) }.code()).unwrap();
        assert_eq!((said.notice, said.about), (Notice::Unhearted, Some(id)));
        for forged in ["unhearted.", "unhearted.\"><b>", "unknown", "unknown.3cEYpjA9oz9GiPac4AsH4n"] {
            assert!(Said::of_code(forged).is_none(), "{forged}");
        }
    }
}

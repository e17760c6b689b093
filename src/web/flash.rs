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
pub(crate) enum Flash {
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
    AnnotationSaved,
    Restored,
    NotRestored,
    DeletedForGood,
    NotForgotten,
    HeartedByLink,
    HeartedWithoutName,
    AlreadyHearted,
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
    LastIdentity,
    Merged,
    InviteRevoked,
    NothingChanged,
}

/// Every notice with its code.
const CODES: &[(&str, Flash)] = &[
    ("signed-in", Flash::SignedIn),
    ("signed-in-hearted", Flash::SignedInAndHearted),
    ("already", Flash::AlreadySignedIn),
    ("no-private", Flash::Missing(Missing::Private)),
    ("no-collaborative", Flash::Missing(Missing::Collaborative)),
    ("public-alone", Flash::Missing(Missing::PrivateAndCollaborative)),
    ("no-now-playing", Flash::Missing(Missing::NowPlaying)),
    ("fewer", Flash::Missing(Missing::NowPlayingAndPlaylists)),
    ("reconnected", Flash::Reconnected),
    ("now-playing-on", Flash::NowPlayingOn),
    ("denied", Flash::Denied),
    ("signed-out", Flash::SignedOut),
    ("updated", Flash::Updated),
    ("just-updated", Flash::JustUpdated),
    ("not-updated", Flash::NotUpdated),
    ("hearted", Flash::Hearted),
    ("unhearted", Flash::Unhearted),
    ("words-kept", Flash::AnnotationSaved),
    ("restored", Flash::Restored),
    ("not-restored", Flash::NotRestored),
    ("forgotten", Flash::DeletedForGood),
    ("not-forgotten", Flash::NotForgotten),
    ("hearted-link", Flash::HeartedByLink),
    ("hearted-nameless", Flash::HeartedWithoutName),
    ("hearted-before", Flash::AlreadyHearted),
    ("disconnected", Flash::Disconnected),
    ("page-on", Flash::PageOn),
    ("page-off", Flash::PageOff),
    ("link-on", Flash::LinkOn),
    ("link-off", Flash::LinkOff),
    ("not-sure", Flash::NotSure),
    ("not-fresh", Flash::NotFresh),
    ("session-ended", Flash::SessionEnded),
    ("others-ended", Flash::OthersEnded),
    ("linked-spotify", Flash::Linked(Provider::Spotify)),
    ("linked-google", Flash::Linked(Provider::Google)),
    ("linked-github", Flash::Linked(Provider::GitHub)),
    ("linked-facebook", Flash::Linked(Provider::Facebook)),
    ("linked-x", Flash::Linked(Provider::X)),
    ("unlinked-spotify", Flash::Unlinked(Provider::Spotify)),
    ("unlinked-google", Flash::Unlinked(Provider::Google)),
    ("unlinked-github", Flash::Unlinked(Provider::GitHub)),
    ("unlinked-facebook", Flash::Unlinked(Provider::Facebook)),
    ("unlinked-x", Flash::Unlinked(Provider::X)),
    ("last-way-in", Flash::LastIdentity),
    ("proven", Flash::Merged),
    ("invite-revoked", Flash::InviteRevoked),
    ("nothing-changed", Flash::NothingChanged),
];

impl Flash {
    /// Whether it interrupts.
    pub(crate) fn is_alert(self) -> bool {
        matches!(
            self,
            Flash::NotSure
                | Flash::NotFresh
                | Flash::LastIdentity
                | Flash::Missing(_)
                | Flash::NotUpdated
                | Flash::NothingChanged
                | Flash::NotRestored
                | Flash::NotForgotten
        )
    }

    /// The sentence, for the visitor called `name`.
    pub(crate) fn text(self, name: Option<&str>) -> String {
        let name = name.unwrap_or("somebody");
        match self {
            Flash::SignedIn => format!("Signed in as {name}."),
            Flash::SignedInAndHearted => format!("Signed in as {name}. Your heart was saved."),
            Flash::AlreadySignedIn => format!("You are already signed in as {name}."),
            Flash::Missing(missing) => {
                format!("Signed in as {name}, with less access than Heartlist asked for: {}.", will_be_missing(missing))
            }
            Flash::Reconnected => "Spotify is connected again.".into(),
            Flash::NowPlayingOn => "Now playing is on.".into(),
            Flash::Denied => "You did not give access. Nothing was saved.".into(),
            Flash::SignedOut => "You are signed out.".into(),
            Flash::Updated => "Your playlists are up to date.".into(),
            Flash::JustUpdated => "Your playlists were refreshed a moment ago. Try again in half a minute.".into(),
            Flash::NotUpdated => "Spotify could not be reached. These are your playlists as it last showed them.".into(),
            Flash::Hearted => "Hearted.".into(),
            Flash::Unhearted => "Heart removed.".into(),
            Flash::AnnotationSaved => "Note and tags saved.".into(),
            Flash::Restored => "Heart restored, with its date, note and tags.".into(),
            Flash::NotRestored => "Nothing was restored. The heart is already back, was deleted for good, or was removed more than 30 days ago.".into(),
            Flash::DeletedForGood => "Deleted for good.".into(),
            Flash::NotForgotten => "Nothing was deleted. Tick the box first to confirm.".into(),
            Flash::HeartedByLink => "Hearted. It is at the top.".into(),
            Flash::HeartedWithoutName => {
                "Hearted. Spotify could not be asked for its name; open it later and the name will be saved too."
                    .into()
            }
            Flash::AlreadyHearted => "You have already hearted this playlist. The date beside it is unchanged.".into(),
            Flash::Disconnected => {
                "Spotify is disconnected, and Heartlist’s access to it is deleted wherever you are signed in. Your hearts are safe.".into()
            }
            Flash::PageOn => "Your public page is on.".into(),
            Flash::PageOff => "Your public page is off. Its address no longer shows anything.".into(),
            Flash::LinkOn => "Here is your secret link. Any earlier link no longer works.".into(),
            Flash::LinkOff => "Your secret link is off. It no longer shows anything.".into(),
            Flash::Linked(Provider::Spotify) => {
                "Spotify is connected. You can now sign in with it.".into()
            }
            Flash::Linked(provider) => format!("{} is linked. You can now sign in with it.", provider.label()),
            Flash::Unlinked(Provider::Spotify) => {
                "Spotify is unlinked, and Heartlist’s access to it is deleted wherever you are signed in. Your hearts are safe.".into()
            }
            Flash::Unlinked(provider) => format!("{} is unlinked. Your hearts are safe.", provider.label()),
            Flash::LastIdentity => {
                "Nothing was unlinked. This is your only way to sign in; without it nobody could open this account again."
                    .into()
            }
            Flash::Merged => format!("Welcome back, {name}. You can now sign in both ways, and all your hearts are here."),
            Flash::NotSure => "Nothing was deleted. Tick the box first to confirm.".into(),
            Flash::NotFresh => "Nothing was deleted. Sign in again first.".into(),
            Flash::SessionEnded => "That device is signed out.".into(),
            Flash::InviteRevoked => "The invitation is revoked.".into(),
            Flash::NothingChanged => {
                "You have been signed out, so nothing was changed. Sign in and try again.".into()
            }
            Flash::OthersEnded => "You are signed out everywhere else.".into(),
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
pub(crate) struct FlashMessage {
    pub(crate) flash: Flash,
    /// The playlist it is about, where a page can do something about it.
    pub(crate) playlist: Option<PlaylistId>,
}

impl FlashMessage {
    fn code(&self) -> String {
        let code = self.flash.code();
        self.playlist.as_ref().map_or_else(|| code.to_owned(), |id| format!("{code}.{id}"))
    }

    fn of_code(code: &str) -> Option<Self> {
        let (code, about) = code.split_once('.').map_or((code, None), |(code, id)| (code, Some(id)));
        let (_, notice) = CODES.iter().find(|(known, _)| *known == code)?;
        Some(Self { flash: *notice, playlist: about.map(PlaylistId::parse).transpose().ok()? })
    }
}

/// Goes to `path` and says `notice` there.
pub(crate) fn redirect(path: &str, notice: Flash) -> Response {
    redirect_with(path, FlashMessage { flash: notice, playlist: None })
}

/// Goes to `path` and says `notice` there, with what can be done about the playlist.
pub(crate) fn redirect_with_playlist(path: &str, notice: Flash, playlist: PlaylistId) -> Response {
    redirect_with(path, FlashMessage { flash: notice, playlist: Some(playlist) })
}

fn redirect_with(path: &str, said: FlashMessage) -> Response {
    let mut response = Redirect::to(path).into_response();
    response.extensions_mut().insert(said);
    response
}

/// Says `notice` on the page that follows `response`.
pub(crate) fn attach(response: &mut Response, notice: Flash) {
    response.extensions_mut().insert(FlashMessage { flash: notice, playlist: None });
}

/// The notice that this request should show.
pub(crate) fn take(headers: &HeaderMap) -> Option<FlashMessage> {
    let cookies =
        headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok()).flat_map(Cookie::split_parse);
    let cookie = cookies.flatten().find(|cookie| cookie.name() == NAME)?;
    FlashMessage::of_code(cookie.value())
}

/// Hands a redirect's notice to the browser, and forgets it once a page has shown it.
pub(crate) async fn middleware(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let shown = take(request.headers()).is_some();
    let mut response = next.run(request).await;
    let cookie = match response.extensions().get::<FlashMessage>() {
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
        let said = FlashMessage::of_code(&FlashMessage { flash: Flash::Unhearted, playlist: Some(id.clone()) }.code())
            .unwrap();
        assert_eq!((said.flash, said.playlist), (Flash::Unhearted, Some(id)));
        for forged in ["unhearted.", "unhearted.\"><b>", "unknown", "unknown.3cEYpjA9oz9GiPac4AsH4n"] {
            assert!(FlashMessage::of_code(forged).is_none(), "{forged}");
        }
    }
}

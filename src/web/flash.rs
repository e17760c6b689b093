//! Flash messages: shown once, on the page after a redirect.
//!
//! A flash message is stored in its own cookie, so that it needs no session. A forged cookie can only show one of these
//! messages to its forger.

pub(crate) mod changes;
pub(crate) mod saving;
pub(crate) mod sharing;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use time::Duration;

use self::changes::ChangeFlash;
use self::saving::SavingFlash;
use self::sharing::SharingFlash;
use crate::app::App;
use crate::count::count;
use crate::domain::Scopes;
use crate::domain::account::DeletedCounts;
use crate::domain::hearts::MAX_PINS;
use crate::domain::saving::lacks_saving;
use crate::ids::{PlaylistId, Provider, Secret};
use crate::web::cookies::{self, CookieKind};

/// Lifetime of the cookie, in case no page shows the message.
const COOKIE_TTL: Duration = Duration::seconds(60);

/// A flash message, as the cookie holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Flash {
    SignedIn,
    SignedInAndHearted,
    SignedInWithoutHeart,
    AlreadySignedIn,
    /// The scopes that were refused.
    Missing(Scopes),
    Reconnected,
    NowPlayingOn,
    Denied,
    SignedOut,
    Updated,
    JustUpdated,
    NotUpdated,
    /// Spotify listed fewer playlists than it counts.
    IncompleteLibrary {
        listed: usize,
        total: usize,
    },
    Hearted,
    /// With an undo button for the playlist.
    Unhearted(PlaylistId),
    AnnotationSaved,
    List(ListFlash),
    /// With an undo button.
    TagRenamed(RenamedTag),
    TagsMerged,
    TagDeleted,
    Restored,
    NotRestored,
    DeletedForGood,
    /// There was no such removed heart.
    NothingDeleted,
    HeartedAgain,
    HeartedByLinks {
        new: usize,
        existing: usize,
    },
    HeartedWithoutName,
    AlreadyHearted,
    HeartsRenewed {
        renewed: usize,
        total: usize,
    },
    HeartsNotRenewed,
    Disconnected,
    Sharing(SharingFlash),
    NotConfirmed,
    ReauthRequired,
    SessionEnded,
    OtherSessionsEnded,
    Linked(Provider),
    Unlinked(Provider),
    LastIdentity,
    UnlinkingRefused,
    Merged(JoinedCounts),
    NotMerged,
    /// The token of the invitation, which only the next page shows.
    InviteCreated(Secret),
    InviteRevoked,
    NothingChanged,
    AccountDeleted(DeletedCounts),
    SharingTakenDown,
    Operator(OperatorFlash),
    Change(ChangeFlash),
    Saving(SavingFlash),
}

/// The outcome of a pin, a random choice, or a change of the private feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ListFlash {
    Pinned,
    Unpinned,
    TooManyPins,
    NothingToPick,
    FeedOn,
    FeedOff,
    FeedKept,
}

/// The outcome of a change by an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OperatorFlash {
    Joined,
    Granted,
    Revoked,
    /// The user's own role was revoked.
    GivenUp,
    NotChanged,
    TakenDown,
    SharingAllowed,
    Hidden,
    Shown,
}

const LAST_IDENTITY: &str =
    "Nothing was unlinked. This is your only way to sign in; without it nobody could open this account again.";

const HEARTED_WITHOUT_NAME: &str = "Hearted, but Spotify did not tell its name. Give it a title of your own, or open it later, and Spotify’s name is saved.";
const DISCONNECTED: &str = "Spotify is disconnected, and Heartlist’s access to it is deleted wherever you are signed in. Your hearts are safe.";
const SPOTIFY_UNLINKED: &str =
    "Spotify is unlinked, and Heartlist’s access to it is deleted wherever you are signed in. Your hearts are safe.";
const NOTHING_CHANGED: &str = "You have been signed out, so nothing was changed. Sign in and try again.";

impl Flash {
    /// True for `role=alert`, false for `role=status`.
    pub(crate) fn is_alert(&self) -> bool {
        matches!(
            self,
            Flash::NotConfirmed
                | Flash::ReauthRequired
                | Flash::LastIdentity
                | Flash::UnlinkingRefused
                | Flash::Missing(_)
                | Flash::SignedInWithoutHeart
                | Flash::NotUpdated
                | Flash::HeartsNotRenewed
                | Flash::NotMerged
                | Flash::IncompleteLibrary { .. }
                | Flash::NothingChanged
                | Flash::NotRestored
                | Flash::NothingDeleted
                | Flash::List(ListFlash::TooManyPins)
                | Flash::Operator(OperatorFlash::NotChanged)
                | Flash::SharingTakenDown
                | Flash::Saving(SavingFlash::HeartedOnly(_))
        ) || matches!(self, Flash::Change(flash) if flash.is_alert())
    }

    /// The message, for the user called `name`.
    pub(crate) fn text(&self, name: Option<&str>) -> String {
        let name = name.unwrap_or("somebody");
        match self {
            Flash::SignedIn => format!("Signed in as {name}."),
            Flash::SignedInAndHearted => format!("Signed in as {name}. Your heart was saved."),
            Flash::SignedInWithoutHeart => format!("Signed in as {name}. Your heart was not saved. Press it again."),
            Flash::AlreadySignedIn => format!("You are already signed in as {name}."),
            Flash::Missing(missing) => missing_access(name, missing),
            Flash::Reconnected => "Spotify is connected again.".into(),
            Flash::NowPlayingOn => "Now playing is on.".into(),
            Flash::Denied => "Sign-in cancelled. Nothing was saved.".into(),
            Flash::SignedOut => "You are signed out.".into(),
            Flash::Updated => "Your playlists are up to date.".into(),
            Flash::JustUpdated => "Your playlists were refreshed a moment ago. Try again in half a minute.".into(),
            Flash::NotUpdated => "Spotify could not be reached. These are your playlists as Spotify last showed them.".into(),
            Flash::IncompleteLibrary { listed, total } => {
                let (listed, total) = (count(*listed), count(*total));
                format!("Spotify listed {listed} of {total} playlists, so your list was not changed.")
            }
            Flash::Hearted => "Hearted.".into(),
            Flash::Unhearted(_) => "Heart removed.".into(),
            Flash::List(flash) => flash.text(),
            Flash::AnnotationSaved => "Saved.".into(),
            Flash::TagRenamed(tag) => format!("Tag renamed: “{}” is now “{}”.", tag.old, tag.new),
            Flash::TagsMerged => "Tags merged.".into(),
            Flash::TagDeleted => "Tag deleted. Its hearts stay.".into(),
            Flash::Restored => "Heart restored, with its date, title, note and tags.".into(),
            Flash::NotRestored => "Nothing was restored. The heart is already back, was deleted for good, or was removed more than 30 days ago.".into(),
            Flash::DeletedForGood => "Deleted for good.".into(),
            Flash::NothingDeleted => "Nothing was deleted. It was restored, or is already gone.".into(),
            Flash::HeartedAgain => "Hearted again, with its date, title, note and tags.".into(),
            Flash::HeartedByLinks { new, existing: 0 } => format!("Added {new} hearts."),
            Flash::HeartedByLinks { new, existing } => format!("Added: {new}. Already hearted: {existing}."),
            Flash::HeartedWithoutName => HEARTED_WITHOUT_NAME.into(),
            Flash::AlreadyHearted => "You have already hearted this playlist. Its date is unchanged.".into(),
            Flash::HeartsRenewed { renewed, total } if renewed == total => "Your hearts are up to date.".into(),
            Flash::HeartsRenewed { renewed, total } => format!("{} of {} names renewed.", count(*renewed), count(*total)),
            Flash::HeartsNotRenewed => "Spotify could not be asked right now. These are your hearts as Spotify last showed them.".into(),
            Flash::Disconnected => DISCONNECTED.into(),
            Flash::Sharing(flash) => flash.text(),
            Flash::Linked(provider) => describe_linked(*provider),
            Flash::Unlinked(provider) => describe_unlinked(*provider),
            Flash::LastIdentity => LAST_IDENTITY.into(),
            Flash::UnlinkingRefused => "Nothing was unlinked. The operator took down what you shared. Ask them first.".into(),
            Flash::Merged(counts) => format!("Welcome back, {name}. Your accounts are one: {}.", counts.describe()),
            Flash::NotMerged => "Nothing was joined. Sign in to the other account again, within ten minutes of each other.".into(),
            Flash::NotConfirmed => "Nothing was deleted. Tick the box first to confirm.".into(),
            Flash::ReauthRequired => "Nothing was deleted. Sign in again first.".into(),
            Flash::SessionEnded => "That device is signed out.".into(),
            Flash::InviteCreated(_) => "This link is for one person, within two weeks. Copy it now: it is shown only once.".into(),
            Flash::InviteRevoked => "The invitation is revoked.".into(),
            Flash::NothingChanged => NOTHING_CHANGED.into(),
            Flash::AccountDeleted(counts) => describe_deleted(*counts),
            Flash::SharingTakenDown => "Nothing was turned on.".into(),
            Flash::Operator(flash) => flash.text().into(),
            Flash::Saving(flash) => flash.text(),
            Flash::Change(flash) => flash.text(),
            Flash::OtherSessionsEnded => "You are signed out everywhere else.".into(),
        }
    }
}

fn describe_linked(provider: Provider) -> String {
    let change = if provider == Provider::Spotify { "connected" } else { "linked" };
    format!("{} is {change}. You can now sign in with it.", provider.label())
}

fn describe_unlinked(provider: Provider) -> String {
    match provider {
        Provider::Spotify => SPOTIFY_UNLINKED.into(),
        _ => format!("{} is unlinked. Your hearts are safe.", provider.label()),
    }
}

impl ListFlash {
    fn text(self) -> String {
        let text = match self {
            Self::FeedOn => "Your private feed is on. Its address is below.",
            Self::FeedOff => "Your private feed is off. Its address no longer works.",
            Self::FeedKept => "Your private feed was on already, and keeps its address.",
            Self::Pinned => "Pinned. It comes first now.",
            Self::Unpinned => "Unpinned.",
            Self::TooManyPins => {
                return format!(
                    "Not pinned: {MAX_PINS} hearts are pinned, and that is the most. Open one of them, at the top of Hearts, and press Unpin."
                );
            }
            Self::NothingToPick => "There is nothing to pick from.",
        };
        text.into()
    }
}

impl OperatorFlash {
    fn text(self) -> &'static str {
        match self {
            Self::Joined => "You are an operator now.",
            Self::Granted => "They are an operator now.",
            Self::Revoked => "They are no longer an operator.",
            Self::GivenUp => "You are no longer an operator.",
            Self::NotChanged => {
                "Nothing was changed. The account is gone, the setting OPERATOR names it, or nobody else is operator: make somebody else operator first."
            }
            Self::TakenDown => "Taken down. They cannot share until you allow it again.",
            Self::SharingAllowed => "They can share again.",
            Self::Hidden => "Hidden from the popular list.",
            Self::Shown => "It can be listed again. The list is made anew within a minute.",
        }
    }
}

fn describe_deleted(deleted: DeletedCounts) -> String {
    let counts = [
        ("hearts", deleted.hearts),
        ("hearts with a note or tags", deleted.notes),
        ("removed hearts", deleted.removed_hearts),
        ("playlists from your library", deleted.playlists),
        ("ways to sign in", deleted.identities),
        ("sessions", deleted.sessions),
        ("activity entries", deleted.events),
        ("invitations", deleted.invites),
        ("shared pages and links", deleted.shares),
    ];
    let counts = counts.iter().filter(|(_, number)| *number > 0);
    let counts = counts.map(|(label, number)| format!("{label}: {}", count(*number)));
    format!("Your account is deleted. What was deleted: {}.", counts.collect::<Vec<_>>().join(", "))
}

fn missing_access(name: &str, missing: &Scopes) -> String {
    let lacks = |scope| missing.contains(scope);
    if lacks_saving(missing) {
        return saving::NOT_ALLOWED.into();
    }
    let is_off = lacks("user-read-currently-playing");
    let consequence = match (is_off, lacks("playlist-read-private"), lacks("playlist-read-collaborative")) {
        (true, false, false) => "Now playing stays off",
        (true, ..) => "Now playing stays off, and private or collaborative playlists will not appear here",
        (false, true, true) => "private and collaborative playlists will not appear here",
        (false, true, false) => "your private playlists will not appear here",
        (false, false, _) => "collaborative playlists will not appear here",
    };
    format!("Signed in as {name}, with less access than Heartlist asked for: {consequence}.")
}

/// Counts of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JoinedCounts {
    pub(crate) hearts: i64,
    pub(crate) in_both: i64,
    pub(crate) notes: i64,
    pub(crate) tags: i64,
}

impl JoinedCounts {
    pub(crate) fn describe(self) -> String {
        let [hearts, in_both, notes, tags] = [self.hearts, self.in_both, self.notes, self.tags].map(count);
        format!("hearts that came: {hearts} ({in_both} of them were in both), notes: {notes}, tags: {tags}")
    }
}

/// The names of a tag before and after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RenamedTag {
    pub(crate) old: String,
    pub(crate) new: String,
}

impl Flash {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("an enum of plain data is JSON"))
    }

    fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

pub(crate) fn redirect(path: &str, flash: Flash) -> Response {
    let mut response = Redirect::to(path).into_response();
    attach(&mut response, flash);
    response
}

pub(crate) fn attach(response: &mut Response, flash: Flash) {
    response.extensions_mut().insert(flash);
}

pub(crate) fn take(app: &App, headers: &HeaderMap) -> Option<Flash> {
    cookies::read(headers, &cookies::name(app, CookieKind::Flash)).and_then(Flash::decode)
}

/// Sets the cookie of a new flash message and clears it after a page has shown it.
pub(crate) async fn middleware(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_pending = request.method() != Method::HEAD && take(&app, request.headers()).is_some();
    let mut response = next.run(request).await;
    if let Some(value) = response.extensions().get::<Flash>().map(Flash::encode) {
        cookies::set(&app, &mut response, CookieKind::Flash, &value, COOKIE_TTL);
    } else if is_pending && !response.status().is_redirection() && is_html(response.headers()) {
        cookies::remove(&app, &mut response, CookieKind::Flash);
    }
    response
}

pub(crate) fn is_html(headers: &HeaderMap) -> bool {
    headers.get("content-type").is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flash_message_round_trips_and_forged_cookies_are_ignored() {
        let id = PlaylistId::parse("3cEYpjA9oz9GiPac4AsH4n").unwrap();
        let missing = Flash::Missing(["playlist-read-private".to_owned()].into());
        for flash in [Flash::Unhearted(id), Flash::Linked(Provider::GitHub), missing, Flash::SignedOut] {
            assert_eq!(Flash::decode(&flash.encode()), Some(flash));
        }
        let forged = [r#""unknown""#, r#"{"unhearted":"<b>"}"#].map(|json| URL_SAFE_NO_PAD.encode(json));
        for forged in ["", "unhearted", "%", &forged[0], &forged[1]] {
            assert_eq!(Flash::decode(forged), None, "{forged}");
        }
    }
}

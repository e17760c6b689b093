//! Faults as pages: one exhaustive match from what went wrong to a status, a sentence and a way out.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use crate::domain::Error;
use crate::ids::{PlaylistId, Provider};
use crate::web::extract::return_to::sign_in_address;
use crate::web::flash::{self, Notice};
use crate::web::views::time::Moment;

/// A way out of an error page.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) text: &'static str,
}

/// A fault on its way to its page; [`dress`] draws it.
#[derive(Clone)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) heading: &'static str,
    /// What happened.
    pub(crate) what: String,
    /// Whether anything was saved.
    pub(crate) saved: Option<&'static str>,
    pub(crate) way_out: Vec<Link>,
    /// Where a new try of the sign-in should lead.
    pub(crate) retry: Option<String>,
    /// With whom that new try is made.
    pub(crate) door: Provider,
    /// Whether it is no new try, but the first that connects Spotify.
    pub(crate) connects: bool,
    pub(crate) retry_after: Option<Duration>,
    /// Where to sign in, for who must.
    pub(crate) sign_in: Option<String>,
    /// What to say on the page where they end up instead.
    pub(crate) notice: Option<Notice>,
    /// For the log alone.
    pub(crate) cause: Option<String>,
}

impl Fault {
    /// A fault with a sentence of its own.
    pub(crate) fn new(status: StatusCode, heading: &'static str, what: impl Into<String>) -> Self {
        Self {
            status,
            heading,
            what: what.into(),
            saved: None,
            way_out: Vec::new(),
            retry: None,
            door: Provider::Spotify,
            connects: false,
            retry_after: None,
            sign_in: None,
            notice: None,
            cause: None,
        }
    }

    /// A fault of ours; `cause` is for the log.
    pub(crate) fn internal(cause: impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..of_status(StatusCode::INTERNAL_SERVER_ERROR) }
    }

    /// Nobody is signed in; `path` is where to come back to.
    pub(crate) fn signed_out(path: &str) -> Self {
        let fault = Self::new(StatusCode::UNAUTHORIZED, "Sign in first", "You are signed out. Nothing was changed.");
        Self { sign_in: Some(sign_in_address(path)), ..fault }
    }

    /// The same for who pressed a button, which is not pressed again by a sign-in: says that nothing was changed.
    pub(crate) fn signed_out_meanwhile(path: &str) -> Self {
        Self { notice: Some(Notice::NothingChanged), ..Self::signed_out(path) }
    }

    /// Keeps the heart that was pressed for after the sign-in.
    pub(crate) fn with_heart(mut self, playlist: &PlaylistId) -> Self {
        if let Some(address) = &mut self.sign_in {
            address.push_str("&heart=");
            address.push_str(playlist.as_str());
        }
        self
    }

    /// Offers to sign in once more, towards `next`.
    pub(crate) fn or_try_again(mut self, next: impl Into<String>) -> Self {
        self.retry = Some(next.into());
        self
    }

    /// A new try is made with `provider`.
    pub(crate) fn trying(mut self, provider: Provider) -> Self {
        self.door = provider;
        self
    }

    /// Says that nothing was saved.
    pub(crate) fn nothing_saved(mut self) -> Self {
        self.saved = Some(NOTHING_SAVED);
        self
    }

    pub(crate) fn caused(mut self, cause: impl ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Whether it is our database's, or that of too many at once, for a moment.
    pub(crate) fn passes(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE && self.retry_after.is_some()
    }

    /// Whether the same may succeed at once: neither what is set wrong will, nor what Spotify wants a wait for.
    pub(crate) fn is_worth_another_look(&self) -> bool {
        let at_spotify = matches!(self.status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT);
        self.retry.is_none() && (self.passes() || at_spotify && self.retry_after.is_none())
    }

    fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

pub(crate) const NOTHING_SAVED: &str = "Nothing was saved.";
const HEARTS_STAY: &str = "Your hearts are safe, and you can still see them.";
const HEARTS: Link = Link { href: "/hearts", text: "My hearts" };

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let spotify = |status, heading, what: &str| {
            let mut fault = Fault::new(status, heading, what);
            fault.saved = Some(HEARTS_STAY);
            fault.way_out.push(HEARTS);
            fault
        };
        match error {
            Error::NotFound => Fault::new(
                StatusCode::NOT_FOUND,
                "No such playlist",
                "Spotify does not show this playlist. It may be deleted, private, or one of Spotify’s own.",
            ),
            Error::NotAllowed => spotify(
                StatusCode::FORBIDDEN,
                "You are not on this server’s Spotify list",
                "Spotify lets only a short list of people use this server, and you are not on it yet. Ask whoever runs this server to add you in Spotify’s developer dashboard, under User Management.",
            ),
            Error::Paused => spotify(
                StatusCode::BAD_GATEWAY,
                "This server’s Spotify access is paused",
                "Spotify has paused access for this server. Whoever runs it can find out why in Spotify’s developer dashboard.",
            )
            .after(Duration::from_secs(3600)),
            Error::Reconnect => spotify(
                StatusCode::CONFLICT,
                "Spotify needs you to reconnect",
                "Spotify asks for your consent every six months, and after you remove Heartlist from your Spotify apps.",
            )
            .or_try_again("/playlists"),
            Error::NotConnected => {
                let fault =
                    spotify(StatusCode::CONFLICT, "Spotify is not connected", "Without it, this cannot be read.");
                Fault { connects: true, ..fault }.or_try_again("/playlists")
            }
            Error::SlowDown { wait, .. } => {
                spotify(StatusCode::BAD_GATEWAY, "Spotify asks us to wait", &until_when(&error)).after(wait)
            }
            Error::SpotifySlow => spotify(
                StatusCode::GATEWAY_TIMEOUT,
                "Spotify is not answering",
                "Spotify took too long. Try again in a moment.",
            ),
            Error::SpotifyAway(_) => spotify(
                StatusCode::BAD_GATEWAY,
                "Spotify is having trouble",
                "Spotify’s answer could not be used. Try again in a moment.",
            )
            .caused(&error),
            Error::Misconfigured(_) => spotify(
                StatusCode::SERVICE_UNAVAILABLE,
                "This server is not set up correctly",
                "Spotify rejects its client id or secret. If you run this server, `heartlist doctor` will tell you more.",
            )
            .caused(&error),
            Error::AccountGone => Fault::signed_out("/playlists"),
            Error::DatabaseAway(_) => of_status(StatusCode::SERVICE_UNAVAILABLE).caused(&error),
            Error::Internal(_) => Fault::internal(&error),
        }
    }
}

/// The sentence for a page that shows kept data because Spotify could not be asked, and what the button says
/// that leads to a consent, where one would help.
pub(crate) fn trouble(error: &Error) -> (String, Option<&'static str>) {
    (format!("{} This is what Spotify last showed us.", reason(error)), door(error))
}

/// What the button says that leads to a consent, where one would help.
pub(crate) fn door(error: &Error) -> Option<&'static str> {
    match error {
        Error::Reconnect => Some("Reconnect Spotify"),
        Error::NotConnected => Some("Connect Spotify"),
        _ => None,
    }
}

/// Why Spotify could not be asked, as a sentence.
pub(crate) fn reason(error: &Error) -> String {
    match error {
        Error::Reconnect => {
            "Spotify needs you to reconnect. It asks every six months, and after you remove Heartlist from your Spotify apps.".into()
        }
        Error::NotConnected => "Spotify is not connected.".into(),
        Error::SlowDown { .. } => waiting(error),
        Error::NotAllowed => "Spotify no longer lets you use this server.".into(),
        Error::Paused => "This server’s Spotify access is paused.".into(),
        Error::Misconfigured(_) => "This server is not set up correctly: Spotify rejects its client id or secret.".into(),
        Error::SpotifySlow => "Spotify is not answering.".into(),
        _ => "Spotify is having trouble.".into(),
    }
}

/// Until when nobody asks Spotify, in the visitor's words.
fn waiting(error: &Error) -> String {
    match error {
        Error::SlowDown { until, wait, quota: false } => {
            format!("Spotify asks us to wait until {}.", clock(*until, *wait))
        }
        _ => until_when(error),
    }
}

/// The same below a heading that says that Spotify asks us to wait.
fn until_when(error: &Error) -> String {
    let Error::SlowDown { until, quota, wait } = error else { return String::new() };
    let until = clock(*until, *wait);
    match quota {
        true => format!("Today’s Spotify allowance is used up; it will be back about {until}."),
        false => format!("Try again after {until}."),
    }
}

fn clock(until: OffsetDateTime, wait: Duration) -> String {
    let moment = if wait.as_secs() < 12 * 3600 { Moment::clock(until) } else { Moment::day_and_clock(until) };
    moment.text
}

impl From<tower_sessions::session::Error> for Fault {
    fn from(error: tower_sessions::session::Error) -> Self {
        use tower_sessions::session::Error as Said;
        match error {
            // The store tells no more than a text; in practice it is the database that is away.
            Said::Store(_) => of_status(StatusCode::SERVICE_UNAVAILABLE).caused(error),
            Said::SerdeJson(_) => Fault::internal(error),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(notice) = self.notice {
            flash::on(&mut response, notice);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Any address that is none of ours.
pub(crate) async fn not_found() -> Fault {
    of_status(StatusCode::NOT_FOUND)
}

/// An address of ours, asked in a way that it does not know.
pub(crate) async fn method_not_allowed() -> Fault {
    of_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// The answer beyond the limit of concurrent requests.
pub(crate) async fn overloaded(_: tower::BoxError) -> Fault {
    let mut fault = Fault::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Busy right now",
        "Many people are here at once. Try again in a few seconds.",
    );
    fault.retry_after = Some(Duration::from_secs(5));
    fault.nothing_saved()
}

/// The fault that a status alone tells of.
pub(crate) fn of_status(status: StatusCode) -> Fault {
    let (heading, what) = match status {
        StatusCode::FORBIDDEN => (
            "Refused",
            "This request came from another site, so it was not carried out. Open the page here and try again.",
        ),
        StatusCode::NOT_FOUND => ("Not found", "There is no page at this address."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Not a page", "This address belongs to a button on one of our pages and cannot be opened by itself.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("Too large", "What was sent is larger than anything we ask for."),
        StatusCode::UNPROCESSABLE_ENTITY => {
            ("Something is not right", "Part of what was sent is missing, or is not what we asked for.")
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            ("Back in a moment", "We cannot reach our database right now. Nothing is lost. Try again in a few seconds.")
        }
        status if status.is_client_error() => ("That did not work", "We could not make sense of this request."),
        _ => ("Something broke", "The fault is ours, and it has been logged."),
    };
    let mut fault = Fault::new(status, heading, what);
    if status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE {
        fault = fault.nothing_saved();
    } else {
        fault.saved = Some("If you were changing something, check whether it was saved before you try again.");
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        fault.retry_after = Some(Duration::from_secs(5));
    }
    if matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        fault.saved = None;
    }
    fault
}

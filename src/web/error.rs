//! Faults as pages: one exhaustive match from what went wrong to a status, a sentence and a way out.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use crate::domain::Error;
use crate::ids::{PlaylistId, Provider};
use crate::web::extract::return_to::sign_in_path;
use crate::web::flash::{self, Flash};
use crate::web::views::time::TimeView;

/// A way out of an error page.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) text: &'static str,
}

/// A fault on its way to its page; [`dress`] draws it.
#[derive(Clone)]
pub(crate) struct AppError {
    pub(crate) status: StatusCode,
    pub(crate) heading: &'static str,
    /// What happened.
    pub(crate) message: String,
    /// Whether anything was saved.
    pub(crate) saved: Option<&'static str>,
    pub(crate) recovery_links: Vec<Link>,
    /// Where a new try of the sign-in should lead.
    pub(crate) retry_path: Option<String>,
    /// With whom that new try is made.
    pub(crate) retry_provider: Provider,
    /// Whether it is no new try, but the first that connects Spotify.
    pub(crate) connects: bool,
    pub(crate) retry_after: Option<Duration>,
    /// Where to sign in, for who must.
    pub(crate) sign_in_path: Option<String>,
    /// What to say on the page where they end up instead.
    pub(crate) flash: Option<Flash>,
    /// For the log alone.
    pub(crate) cause: Option<String>,
}

impl AppError {
    /// A fault with a sentence of its own.
    pub(crate) fn new(status: StatusCode, heading: &'static str, what: impl Into<String>) -> Self {
        Self {
            status,
            heading,
            message: what.into(),
            saved: None,
            recovery_links: Vec::new(),
            retry_path: None,
            retry_provider: Provider::Spotify,
            connects: false,
            retry_after: None,
            sign_in_path: None,
            flash: None,
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
        Self { sign_in_path: Some(sign_in_path(path)), ..fault }
    }

    /// The same for who pressed a button, which is not pressed again by a sign-in: says that nothing was changed.
    pub(crate) fn signed_out_nothing_changed(path: &str) -> Self {
        Self { flash: Some(Flash::NothingChanged), ..Self::signed_out(path) }
    }

    /// Keeps the heart that was pressed for after the sign-in.
    pub(crate) fn with_heart(mut self, playlist: &PlaylistId) -> Self {
        if let Some(address) = &mut self.sign_in_path {
            address.push_str("&heart=");
            address.push_str(playlist.as_str());
        }
        self
    }

    /// Offers to sign in once more, towards `next`.
    pub(crate) fn with_retry(mut self, next: impl Into<String>) -> Self {
        self.retry_path = Some(next.into());
        self
    }

    /// A new try is made with `provider`.
    pub(crate) fn with_provider(mut self, provider: Provider) -> Self {
        self.retry_provider = provider;
        self
    }

    /// Says that nothing was saved.
    pub(crate) fn nothing_saved(mut self) -> Self {
        self.saved = Some(NOTHING_SAVED);
        self
    }

    pub(crate) fn with_cause(mut self, cause: impl ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Whether it is our database's, or that of too many at once, for a moment.
    pub(crate) fn is_temporary(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE && self.retry_after.is_some()
    }

    /// Whether the same may succeed at once: neither what is set wrong will, nor what Spotify wants a wait for.
    pub(crate) fn is_retryable(&self) -> bool {
        let at_spotify = matches!(self.status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT);
        self.retry_path.is_none() && (self.is_temporary() || at_spotify && self.retry_after.is_none())
    }

    fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

pub(crate) const NOTHING_SAVED: &str = "Nothing was saved.";
const HEARTS_STAY: &str = "Your hearts are safe, and you can still see them.";
const HEARTS: Link = Link { href: "/hearts", text: "My hearts" };

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        let spotify = |status, heading, what: &str| {
            let mut fault = AppError::new(status, heading, what);
            fault.saved = Some(HEARTS_STAY);
            fault.recovery_links.push(HEARTS);
            fault
        };
        match error {
            Error::NotFound => AppError::new(
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
            .with_retry_after(Duration::from_secs(3600)),
            Error::Reconnect => spotify(
                StatusCode::CONFLICT,
                "Spotify needs you to reconnect",
                "Spotify asks for your consent every six months, and after you remove Heartlist from your Spotify apps.",
            )
            .with_retry("/playlists"),
            Error::NotConnected => {
                let fault =
                    spotify(StatusCode::CONFLICT, "Spotify is not connected", "Without it, this cannot be read.");
                AppError { connects: true, ..fault }.with_retry("/playlists")
            }
            Error::SlowDown { wait, .. } => {
                spotify(StatusCode::BAD_GATEWAY, "Spotify asks us to wait", &retry_message(&error)).with_retry_after(wait)
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
            .with_cause(&error),
            Error::Misconfigured(_) => spotify(
                StatusCode::SERVICE_UNAVAILABLE,
                "This server is not set up correctly",
                "Spotify rejects its client id or secret. If you run this server, `heartlist doctor` will tell you more.",
            )
            .with_cause(&error),
            Error::AccountGone => AppError::signed_out("/playlists"),
            Error::DatabaseAway(_) => of_status(StatusCode::SERVICE_UNAVAILABLE).with_cause(&error),
            Error::Internal(_) => AppError::internal(&error),
        }
    }
}

/// The sentence for a page that shows kept data because Spotify could not be asked, and what the button says
/// that leads to a consent, where one would help.
pub(crate) fn describe_spotify_error(error: &Error) -> (String, Option<&'static str>) {
    (format!("{} This is what Spotify last showed us.", spotify_error_message(error)), consent_button(error))
}

/// What the button says that leads to a consent, where one would help.
pub(crate) fn consent_button(error: &Error) -> Option<&'static str> {
    match error {
        Error::Reconnect => Some("Reconnect Spotify"),
        Error::NotConnected => Some("Connect Spotify"),
        _ => None,
    }
}

/// Why Spotify could not be asked, as a sentence.
pub(crate) fn spotify_error_message(error: &Error) -> String {
    match error {
        Error::Reconnect => {
            "Spotify needs you to reconnect. It asks every six months, and after you remove Heartlist from your Spotify apps.".into()
        }
        Error::NotConnected => "Spotify is not connected.".into(),
        Error::SlowDown { .. } => wait_message(error),
        Error::NotAllowed => "Spotify no longer lets you use this server.".into(),
        Error::Paused => "This server’s Spotify access is paused.".into(),
        Error::Misconfigured(_) => "This server is not set up correctly: Spotify rejects its client id or secret.".into(),
        Error::SpotifySlow => "Spotify is not answering.".into(),
        _ => "Spotify is having trouble.".into(),
    }
}

/// Until when nobody asks Spotify, in the visitor's words.
fn wait_message(error: &Error) -> String {
    match error {
        Error::SlowDown { until, wait, quota: false } => {
            format!("Spotify asks us to wait until {}.", format_until(*until, *wait))
        }
        _ => retry_message(error),
    }
}

/// The same below a heading that says that Spotify asks us to wait.
fn retry_message(error: &Error) -> String {
    let Error::SlowDown { until, quota, wait } = error else { return String::new() };
    let until = format_until(*until, *wait);
    match quota {
        true => format!("Today’s Spotify allowance is used up; it will be back about {until}."),
        false => format!("Try again after {until}."),
    }
}

fn format_until(until: OffsetDateTime, wait: Duration) -> String {
    let moment = if wait.as_secs() < 12 * 3600 { TimeView::time_of_day(until) } else { TimeView::day_and_clock(until) };
    moment.text
}

impl From<tower_sessions::session::Error> for AppError {
    fn from(error: tower_sessions::session::Error) -> Self {
        use tower_sessions::session::Error as Said;
        match error {
            // The store tells no more than a text; in practice it is the database that is away.
            Said::Store(_) => of_status(StatusCode::SERVICE_UNAVAILABLE).with_cause(error),
            Said::SerdeJson(_) => AppError::internal(error),
        }
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(notice) = self.flash {
            flash::attach(&mut response, notice);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Any address that is none of ours.
pub(crate) async fn not_found() -> AppError {
    of_status(StatusCode::NOT_FOUND)
}

/// An address of ours, asked in a way that it does not know.
pub(crate) async fn method_not_allowed() -> AppError {
    of_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// The answer beyond the limit of concurrent requests.
pub(crate) async fn overloaded(_: tower::BoxError) -> AppError {
    let mut fault = AppError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Busy right now",
        "Many people are here at once. Try again in a few seconds.",
    );
    fault.retry_after = Some(Duration::from_secs(5));
    fault.nothing_saved()
}

/// The fault that a status alone tells of.
pub(crate) fn of_status(status: StatusCode) -> AppError {
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
    let mut fault = AppError::new(status, heading, what);
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

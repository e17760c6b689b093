//! The error of every handler, as data: status, heading, message and links. One exhaustive match makes it from a
//! domain error; `middleware::error_pages` renders it.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use crate::domain::Error;
use crate::ids::{PlaylistId, Provider};
use crate::web::extract::return_to::sign_in_path;
use crate::web::flash::{self, Flash};
use crate::web::views::time::TimeView;

/// A recovery link of an error page.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) text: &'static str,
}

/// An error that becomes a page, or JSON for the script.
#[derive(Clone)]
pub(crate) struct AppError {
    pub(crate) status: StatusCode,
    pub(crate) heading: &'static str,
    pub(crate) message: String,
    /// A sentence that says whether anything was saved.
    pub(crate) saved: Option<&'static str>,
    pub(crate) recovery_links: Vec<Link>,
    /// Return path of a new sign-in, if the page offers one.
    pub(crate) retry_path: Option<String>,
    /// Provider of the new sign-in.
    pub(crate) retry_provider: Provider,
    /// True if that sign-in connects Spotify for the first time.
    pub(crate) connects: bool,
    pub(crate) retry_after: Option<Duration>,
    /// Address of the sign-in page, if the request needs a user.
    pub(crate) sign_in_path: Option<String>,
    /// Flash for the page after a redirect to the sign-in.
    pub(crate) flash: Option<Flash>,
    /// Only for the log.
    pub(crate) cause: Option<String>,
}

impl AppError {
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

    /// An internal error. `cause` is only logged.
    pub(crate) fn internal(cause: impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..of_status(StatusCode::INTERNAL_SERVER_ERROR) }
    }

    /// Redirects to the sign-in page, which returns to `path`.
    pub(crate) fn signed_out(path: &str) -> Self {
        let error = Self::new(StatusCode::UNAUTHORIZED, "Sign in first", "You are signed out. Nothing was changed.");
        Self { sign_in_path: Some(sign_in_path(path)), ..error }
    }

    /// The same for a form. A sign-in does not submit it again, so a flash says that nothing was changed.
    pub(crate) fn signed_out_nothing_changed(path: &str) -> Self {
        Self { flash: Some(Flash::NothingChanged), ..Self::signed_out(path) }
    }

    /// Adds the heart after the sign-in.
    pub(crate) fn with_heart(mut self, playlist: &PlaylistId) -> Self {
        if let Some(address) = &mut self.sign_in_path {
            address.push_str("&heart=");
            address.push_str(playlist.as_str());
        }
        self
    }

    /// Offers a new sign-in that returns to `next`.
    pub(crate) fn with_retry(mut self, next: impl Into<String>) -> Self {
        self.retry_path = Some(next.into());
        self
    }

    pub(crate) fn with_provider(mut self, provider: Provider) -> Self {
        self.retry_provider = provider;
        self
    }

    pub(crate) fn nothing_saved(mut self) -> Self {
        self.saved = Some(NOTHING_SAVED);
        self
    }

    pub(crate) fn with_cause(mut self, cause: impl ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// True if the database is down or the server overloaded.
    pub(crate) fn is_temporary(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE && self.retry_after.is_some()
    }

    /// True if the same request may succeed at once: not while Spotify asks for a wait, nor with wrong settings.
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
            let mut error = AppError::new(status, heading, what);
            error.saved = Some(HEARTS_STAY);
            error.recovery_links.push(HEARTS);
            error
        };
        match error {
            Error::NotFound => AppError::new(
                StatusCode::NOT_FOUND,
                "No such playlist",
                "Spotify does not show this playlist. It may be deleted, private, or one of Spotify’s own.",
            ),
            Error::NotAllowed => spotify(
                StatusCode::FORBIDDEN,
                "You are not on the Spotify list",
                "Spotify lets only a short list of people use this Heartlist, and you are not on it yet. Ask its operator to add you in Spotify’s developer dashboard, under User Management.",
            ),
            Error::AppPaused => spotify(
                StatusCode::BAD_GATEWAY,
                "Spotify access is paused",
                "Spotify has paused access for this Heartlist. Its operator can find out why in Spotify’s developer dashboard.",
            )
            .with_retry_after(Duration::from_secs(3600)),
            Error::Reconnect => spotify(
                StatusCode::CONFLICT,
                "Spotify needs you to reconnect",
                "Spotify asks for your consent every six months, and after you remove Heartlist from your Spotify apps.",
            )
            .with_retry("/playlists"),
            Error::NotConnected => {
                let error =
                    spotify(StatusCode::CONFLICT, "Spotify is not connected", "Connect Spotify to open this playlist.");
                AppError { connects: true, ..error }.with_retry("/playlists")
            }
            Error::RateLimited { wait, .. } => {
                spotify(StatusCode::BAD_GATEWAY, "Too many requests to Spotify", &retry_message(&error)).with_retry_after(wait)
            }
            Error::SpotifyTimeout => spotify(
                StatusCode::GATEWAY_TIMEOUT,
                "Spotify is not answering",
                "Spotify took too long. Try again in a moment.",
            ),
            Error::SpotifyUnavailable(_) => spotify(
                StatusCode::BAD_GATEWAY,
                "Spotify is having trouble",
                "Spotify’s answer could not be read. Try again in a moment.",
            )
            .with_cause(&error),
            Error::Misconfigured(_) => spotify(
                StatusCode::SERVICE_UNAVAILABLE,
                "Heartlist is not set up correctly",
                "Spotify rejects its client id or secret. If you are the operator, run `heartlist doctor`.",
            )
            .with_cause(&error),
            Error::AccountDeleted => AppError::signed_out("/playlists"),
            Error::DatabaseUnavailable(_) => of_status(StatusCode::SERVICE_UNAVAILABLE).with_cause(&error),
            Error::Internal(_) => AppError::internal(&error),
        }
    }
}

/// Message for a page that shows stored data because of `error`, and the label of the button that leads to a consent.
pub(crate) fn describe_spotify_error(error: &Error) -> (String, Option<&'static str>) {
    (format!("{} This is what Spotify last showed.", spotify_error_message(error)), consent_button(error))
}

/// Label of the button that leads to a consent, if a consent helps.
pub(crate) fn consent_button(error: &Error) -> Option<&'static str> {
    match error {
        Error::Reconnect => Some("Reconnect Spotify"),
        Error::NotConnected => Some("Connect Spotify"),
        _ => None,
    }
}

/// Why Spotify could not be called, as a sentence.
pub(crate) fn spotify_error_message(error: &Error) -> String {
    match error {
        Error::Reconnect => {
            "Spotify needs you to reconnect. It asks every six months, and after you remove Heartlist from your Spotify apps.".into()
        }
        Error::NotConnected => "Spotify is not connected.".into(),
        Error::RateLimited { .. } => wait_message(error),
        Error::NotAllowed => "Spotify no longer lets you use this Heartlist.".into(),
        Error::AppPaused => "Spotify access is paused.".into(),
        Error::Misconfigured(_) => "Heartlist is not set up correctly: Spotify rejects its client id or secret.".into(),
        Error::SpotifyTimeout => "Spotify is not answering.".into(),
        _ => "Spotify is having trouble.".into(),
    }
}

/// How long Spotify is not called.
fn wait_message(error: &Error) -> String {
    match error {
        Error::RateLimited { until, wait, quota: false } => {
            format!("Too many requests to Spotify. Try again at {}.", format_until(*until, *wait))
        }
        _ => retry_message(error),
    }
}

/// The same below a heading that says so already.
fn retry_message(error: &Error) -> String {
    let Error::RateLimited { until, quota, wait } = error else { return String::new() };
    let until = format_until(*until, *wait);
    match quota {
        true => format!("Today’s Spotify allowance is used up; it will be back about {until}."),
        false => format!("Try again at {until}."),
    }
}

fn format_until(until: OffsetDateTime, wait: Duration) -> String {
    let moment = if wait.as_secs() < 12 * 3600 { TimeView::time_of_day(until) } else { TimeView::day_and_clock(until) };
    moment.text
}

impl From<tower_sessions::session::Error> for AppError {
    fn from(error: tower_sessions::session::Error) -> Self {
        use tower_sessions::session::Error as SessionError;
        match error {
            // The store's error is only a text; in practice the database is down.
            SessionError::Store(_) => of_status(StatusCode::SERVICE_UNAVAILABLE).with_cause(error),
            SessionError::SerdeJson(_) => AppError::internal(error),
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

/// Fallback for unknown paths.
pub(crate) async fn not_found() -> AppError {
    of_status(StatusCode::NOT_FOUND)
}

/// Fallback for unknown methods of known paths.
pub(crate) async fn method_not_allowed() -> AppError {
    of_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// Answer beyond the limit of concurrent requests.
pub(crate) async fn overloaded(_: tower::BoxError) -> AppError {
    let mut error = AppError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Busy right now",
        "Too many people at once. Try again in a few seconds.",
    );
    error.retry_after = Some(Duration::from_secs(5));
    error.nothing_saved()
}

/// The error for a response that has nothing but a status.
pub(crate) fn of_status(status: StatusCode) -> AppError {
    let (heading, what) = match status {
        StatusCode::FORBIDDEN => (
            "Refused",
            "This request came from another site, so nothing was changed. Open the page here and try again.",
        ),
        StatusCode::NOT_FOUND => ("Not found", "There is no page at this address."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Not a page", "This address belongs to a button and cannot be opened by itself.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("Too large", "This is larger than Heartlist accepts."),
        StatusCode::UNPROCESSABLE_ENTITY => ("Something is not right", "Part of the form is missing or invalid."),
        StatusCode::SERVICE_UNAVAILABLE => (
            "Back in a moment",
            "Heartlist can’t reach its database right now. Nothing is lost. Try again in a few seconds.",
        ),
        status if status.is_client_error() => ("That did not work", "Heartlist could not read this request."),
        _ => ("Something went wrong", "The error has been logged."),
    };
    let mut error = AppError::new(status, heading, what);
    if status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE {
        error = error.nothing_saved();
    } else {
        error.saved = Some("If you were changing something, check whether it was saved before you try again.");
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        error.retry_after = Some(Duration::from_secs(5));
    }
    if matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        error.saved = None;
    }
    error
}

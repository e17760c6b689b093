//! The error of all handlers, as data. Domain errors convert into it; `middleware::error_pages` renders it.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use crate::domain::Error;
use crate::domain::login::{AfterLogin, IntentField, LoginRetry, ReauthReason};
use crate::ids::{PlaylistId, Provider};
use crate::web::extract::return_to::{sign_in_path, with_heart};
use crate::web::flash::{self, Flash};
use crate::web::views::{TimeView, count};

/// The result of a handler.
pub(crate) type Result<T = Response, E = AppError> = std::result::Result<T, E>;

#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) text: &'static str,
}

/// A button of an error page that starts a sign-in.
#[derive(Clone)]
pub(crate) struct LoginButton {
    pub(crate) label: &'static str,
    pub(crate) provider: Provider,
    pub(crate) retry: LoginRetry,
}

/// An error to be rendered as a page, or as JSON for the script.
#[derive(Clone, Default)]
pub(crate) struct AppError {
    pub(crate) status: StatusCode,
    pub(crate) heading: &'static str,
    pub(crate) message: String,
    /// Sentence on whether anything was saved.
    pub(crate) save_note: Option<&'static str>,
    pub(crate) recovery_links: Vec<Link>,
    /// In a box, because most errors have none.
    pub(crate) login_button: Option<Box<LoginButton>>,
    pub(crate) retry_after: Option<Duration>,
    /// Path of the sign-in page, if the request needs a user.
    pub(crate) sign_in_path: Option<String>,
    /// Path of the page that is shown instead.
    pub(crate) redirect_path: Option<String>,
    pub(crate) flash: Option<Flash>,
    /// For the log only.
    pub(crate) cause: Option<String>,
}

impl AppError {
    pub(crate) fn new(status: StatusCode, heading: &'static str, message: impl Into<String>) -> Self {
        Self { status, heading, message: message.into(), ..Self::default() }
    }

    /// An internal error. `cause` is only logged.
    pub(crate) fn internal(cause: impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..error_for_status(StatusCode::INTERNAL_SERVER_ERROR) }
    }

    /// Redirects to the sign-in page, which returns to `path`, or from an export to the account page: the browser would
    /// reach a download by a redirect from the provider, and [`refuse_links`] refuses those.
    ///
    /// [`refuse_links`]: crate::web::middleware::fetch_metadata::refuse_links
    pub(crate) fn sign_in_required(path: &str) -> Self {
        let path = if path.starts_with("/hearts/export.") { "/account" } else { path };
        let error = Self::new(StatusCode::UNAUTHORIZED, "Sign in first", "You are signed out. Nothing was changed.");
        Self { sign_in_path: Some(sign_in_path(path)), ..error }
    }

    /// Like [`Self::sign_in_required`], for a form. The sign-in does not submit it again, so a flash message says that
    /// nothing was changed.
    pub(crate) fn sign_in_required_for_form(path: &str) -> Self {
        Self { flash: Some(Flash::NothingChanged), ..Self::sign_in_required(path) }
    }

    pub(crate) fn with_heart(mut self, playlist: &PlaylistId) -> Self {
        self.sign_in_path = self.sign_in_path.map(|path| with_heart(path, playlist));
        self
    }

    fn with_consent_button(self, error: &Error) -> Self {
        let after = AfterLogin { reauth: Some(ReauthReason::RenewConsent), ..AfterLogin::new("/playlists") };
        let retry = LoginRetry { intent: IntentField::SignIn, after };
        let login_button =
            consent_button(error).map(|label| Box::new(LoginButton { label, provider: Provider::Spotify, retry }));
        Self { login_button, ..self }
    }

    pub(crate) fn with_nothing_saved(self) -> Self {
        Self { save_note: Some(NOTHING_SAVED), ..self }
    }

    pub(crate) fn with_cause(self, cause: impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    /// True if the database is down or the server is overloaded.
    pub(crate) fn is_temporary(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE && self.retry_after.is_some()
    }

    /// True if the same request may succeed now. False during a cooldown or if Heartlist is misconfigured.
    pub(crate) fn is_retryable(&self) -> bool {
        let is_spotify_error = matches!(self.status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT);
        self.login_button.is_none() && (self.is_temporary() || is_spotify_error && self.retry_after.is_none())
    }

    pub(crate) fn with_retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    pub(crate) fn with_link(mut self, href: &'static str, text: &'static str) -> Self {
        self.recovery_links.push(Link { href, text });
        self
    }

    pub(crate) fn with_hearts_link(self) -> Self {
        self.with_link("/hearts", "My hearts")
    }
}

const NOTHING_SAVED: &str = "Nothing was saved.";
const MAYBE_SAVED: &str = "If you were changing something, check whether it was saved before you try again.";
pub(crate) const HEARTS_SAFE: &str = "Your hearts are safe, and you can still see them.";

const NOT_SHOWN: &str = "Spotify does not show this playlist. It may be deleted, private, or one of Spotify’s own.";
const NOT_ON_THE_LIST: &str = "Spotify lets only a short list of people use this Heartlist, and you are not on it yet. Ask its operator to add you in Spotify’s developer dashboard, under User Management.";
const PAUSED: &str =
    "Spotify has paused access for this Heartlist. Its operator can find out why in Spotify’s developer dashboard.";
const RECONNECT: &str =
    "Spotify asks for your consent every six months, and after you remove Heartlist from your Spotify apps.";
const MISCONFIGURED: &str = "Spotify rejects its client id or secret. If you are the operator, run `heartlist doctor`.";

/// An error of Spotify's, during which hearts can still be seen.
fn spotify_error(status: StatusCode, heading: &'static str, message: &str) -> AppError {
    let error = AppError::new(status, heading, message).with_hearts_link();
    AppError { save_note: Some(HEARTS_SAFE), ..error }
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        use spotify_error as spotify;
        type Status = StatusCode;
        match error {
            Error::NotFound => AppError::new(Status::NOT_FOUND, "No such playlist", NOT_SHOWN),
            Error::NotAllowed => spotify(Status::FORBIDDEN, "You are not on the Spotify list", NOT_ON_THE_LIST),
            Error::AppPaused => spotify(Status::BAD_GATEWAY, "Spotify access is paused", PAUSED)
                .with_retry_after(Duration::from_secs(3600)),
            Error::Reconnect => {
                spotify(Status::CONFLICT, "Spotify needs you to reconnect", RECONNECT).with_consent_button(&error)
            }
            Error::NotConnected => {
                let message = "Connect Spotify to open this playlist.";
                spotify(Status::CONFLICT, "Spotify is not connected", message).with_consent_button(&error)
            }
            Error::RateLimited { until, wait, quota } => {
                let message = retry_message(until, wait, quota);
                spotify(Status::BAD_GATEWAY, "Too many requests to Spotify", &message).with_retry_after(wait)
            }
            Error::TooManyCalls { wait, .. } => {
                let message = spotify_error_message(&error);
                spotify(Status::TOO_MANY_REQUESTS, "Too many requests to Spotify", &message).with_retry_after(wait)
            }
            Error::SpotifyTimeout => {
                let message = "Spotify took too long. Try again in a moment.";
                spotify(Status::GATEWAY_TIMEOUT, "Spotify is not answering", message)
            }
            Error::SpotifyUnavailable(_) | Error::IncompleteLibrary { .. } => {
                let message = "Spotify’s answer could not be read. Try again in a moment.";
                spotify(Status::BAD_GATEWAY, "Spotify is having trouble", message).with_cause(&error)
            }
            Error::Misconfigured(_) => {
                spotify(Status::SERVICE_UNAVAILABLE, "Heartlist is not set up correctly", MISCONFIGURED)
                    .with_cause(&error)
            }
            Error::SearchTooSlow => {
                let message = "Try again with fewer or longer words, and one search at a time.";
                AppError::new(Status::SERVICE_UNAVAILABLE, "This search took too long", message).with_hearts_link()
            }
            Error::ChangeUnderWay => {
                let message = "Heartlist is still changing your hearts. Try again when it is done.";
                let error = AppError::new(Status::TOO_MANY_REQUESTS, "One change at a time", message);
                error.with_nothing_saved().with_hearts_link().with_retry_after(SHORT_WAIT)
            }
            Error::TagConflict => {
                let message = "They were edited at the same time. Change the tag again.";
                AppError::new(Status::CONFLICT, "Some hearts still have the tag", message).with_link("/tags", "My tags")
            }
            Error::AccountDeleted => AppError::sign_in_required("/playlists"),
            Error::DatabaseUnavailable(_) => error_for_status(Status::SERVICE_UNAVAILABLE).with_cause(&error),
            Error::Internal(_) => AppError::internal(&error),
        }
    }
}

/// Error of a page that counts like a search: the page of [`Error::SearchTooSlow`] speaks of words.
pub(crate) fn counting_error(error: Error) -> AppError {
    match error {
        Error::SearchTooSlow => {
            let message = "Heartlist could not count your hearts and tags in time. Try again in a few seconds.";
            let error = AppError::new(StatusCode::SERVICE_UNAVAILABLE, "Counting took too long", message);
            error.with_nothing_saved().with_hearts_link().with_retry_after(SHORT_WAIT)
        }
        error => error.into(),
    }
}

/// Message for a page that shows stored data because of `error`, and the label of its [`consent_button`].
pub(crate) fn describe_spotify_error(error: &Error) -> (String, Option<&'static str>) {
    (format!("{} This is what Spotify last showed.", spotify_error_message(error)), consent_button(error))
}

/// Label of the button to Spotify's consent page, if a new consent would help.
pub(crate) fn consent_button(error: &Error) -> Option<&'static str> {
    match error {
        Error::Reconnect => Some("Reconnect Spotify"),
        Error::NotConnected => Some("Connect Spotify"),
        _ => None,
    }
}

pub(crate) fn spotify_error_message(error: &Error) -> String {
    match error {
        Error::Reconnect => {
            "Spotify needs you to reconnect. It asks every six months, and after you remove Heartlist from your Spotify apps.".into()
        }
        Error::NotConnected => "Spotify is not connected.".into(),
        Error::RateLimited { until, wait, quota } => {
            let message = retry_message(*until, *wait, *quota);
            if *quota { message } else { format!("Too many requests to Spotify. {message}") }
        }
        Error::TooManyCalls { until, wait } => {
            format!("You have opened a lot from Spotify in a short time. Try again at {}.", format_until(*until, *wait))
        }
        Error::NotAllowed => "Spotify no longer lets you use this Heartlist.".into(),
        Error::AppPaused => "Spotify access is paused.".into(),
        Error::Misconfigured(_) => "Heartlist is not set up correctly: Spotify rejects its client id or secret.".into(),
        Error::SpotifyTimeout => "Spotify is not answering.".into(),
        Error::IncompleteLibrary { listed, total } => {
            format!("Spotify listed {} of {} playlists.", count(*listed), count(*total))
        }
        _ => "Spotify is having trouble.".into(),
    }
}

fn retry_message(until: OffsetDateTime, wait: Duration, quota: bool) -> String {
    let until = format_until(until, wait);
    match quota {
        true => format!("Today’s Spotify allowance is used up; it will be back about {until}."),
        false => format!("Try again at {until}."),
    }
}

fn format_until(until: OffsetDateTime, wait: Duration) -> String {
    let time = if wait.as_secs() < 12 * 3600 { TimeView::time_of_day(until) } else { TimeView::date_and_time(until) };
    time.text
}

impl From<tower_sessions::session::Error> for AppError {
    fn from(error: tower_sessions::session::Error) -> Self {
        use tower_sessions::session::Error as SessionError;
        match error {
            // The store's error is opaque; in practice the database is down.
            SessionError::Store(_) => error_for_status(StatusCode::SERVICE_UNAVAILABLE).with_cause(error),
            SessionError::SerdeJson(_) => AppError::internal(error),
        }
    }
}

impl IntoResponse for AppError {
    fn into_response(mut self) -> Response {
        let mut response = self.status.into_response();
        if let Some(flash) = self.flash.take() {
            flash::attach(&mut response, flash);
        }
        response.extensions_mut().insert(self);
        response
    }
}

pub(crate) async fn not_found() -> AppError {
    error_for_status(StatusCode::NOT_FOUND)
}

pub(crate) async fn method_not_allowed() -> AppError {
    error_for_status(StatusCode::METHOD_NOT_ALLOWED)
}

pub(crate) async fn handle_overload(_: tower::BoxError) -> AppError {
    busy()
}

/// Error for a request beyond a concurrency or memory limit.
pub(crate) fn busy() -> AppError {
    let message = "Too many people at once. Try again in a few seconds.";
    let error = AppError::new(StatusCode::SERVICE_UNAVAILABLE, "Busy right now", message);
    error.with_nothing_saved().with_retry_after(SHORT_WAIT)
}

/// `Retry-After` of a request beyond a concurrency limit.
pub(crate) const SHORT_WAIT: Duration = Duration::from_secs(5);

pub(crate) fn error_for_status(status: StatusCode) -> AppError {
    let (heading, message) = match status {
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
    let error = AppError::new(status, heading, message);
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => error,
        // The database may have failed after the change, or while it answered that the change is stored.
        StatusCode::SERVICE_UNAVAILABLE => {
            AppError { save_note: Some(MAYBE_SAVED), ..error }.with_retry_after(SHORT_WAIT)
        }
        status if status.is_client_error() => error.with_nothing_saved(),
        _ => AppError { save_note: Some(MAYBE_SAVED), ..error },
    }
}

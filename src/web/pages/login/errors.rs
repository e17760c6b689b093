//! Error pages of a failed login.

use axum::http::StatusCode;

use crate::app::App;
use crate::domain::Error;
use crate::domain::login::{AfterLogin, Conflict, FailedLogin, IntentField, LoginError, LoginRetry, ProviderError};
use crate::domain::registration::RegistrationError;
use crate::ids::Provider;
use crate::web::error::{AppError, Link, LoginButton};

pub(crate) fn login_error(app: &App, failed: FailedLogin, provider: Provider, is_signed_in: bool) -> AppError {
    let name = provider.label();
    let error = match failed.error {
        LoginError::NoCookie => incomplete_login(format!(
            "Your browser refused the sign-in cookie, or you started signing in with another browser or at another address than {}. Allow cookies for this site and try again here.",
            app.config.base_url.origin().ascii_serialization()
        )),
        LoginError::Used => incomplete_login("This sign-in link has already been used. Start again."),
        LoginError::Expired => incomplete_login("This sign-in took longer than ten minutes and has expired."),
        LoginError::Unknown => {
            incomplete_login("This sign-in was started in another browser, or more than an hour ago.")
        }
        LoginError::Denied | LoginError::Rejected => incomplete_login(format!("{name} ended the sign-in.")),
        LoginError::Conflict(conflict) => return conflict_error(conflict, name),
        LoginError::Registration(error) => return registration_error(error),
        // A retry does not help.
        LoginError::Provider(error @ ProviderError::Misconfigured(_)) => return misconfigured(error, name),
        LoginError::Provider(error) => provider_error(error, name),
        LoginError::Failed(error @ Error::Misconfigured(_)) => return error_without_links(error),
        LoginError::Failed(error) => error_without_links(error),
    };
    let error = if is_signed_in { error.with_link("/account", "My account") } else { error };
    // Without the parameters of the login, a signed-in user could not repeat it.
    let sign_in = || LoginRetry { intent: IntentField::SignIn, after: AfterLogin::new("/playlists") };
    let retry = failed.retry.or_else(|| (!is_signed_in).then(sign_in));
    AppError { login_button: retry.map(|retry| Box::new(LoginButton { label: "Try again", provider, retry })), ..error }
}

fn incomplete_login(message: impl Into<String>) -> AppError {
    AppError::new(StatusCode::BAD_REQUEST, "Sign-in did not finish", message).with_nothing_saved()
}

fn misconfigured(error: ProviderError, name: &str) -> AppError {
    let message = format!("{name} rejects Heartlist’s client id or secret. The operator needs to check them.");
    let error_page =
        AppError::new(StatusCode::SERVICE_UNAVAILABLE, "This way to sign in is not set up correctly", message);
    error_page.with_nothing_saved().with_cause(error)
}

fn provider_error(error: ProviderError, name: &str) -> AppError {
    match error {
        ProviderError::TimedOut => AppError {
            status: StatusCode::GATEWAY_TIMEOUT,
            ..incomplete_login(format!("{name} took too long to answer. Try again in a moment."))
        },
        _ => AppError {
            status: StatusCode::BAD_GATEWAY,
            ..incomplete_login(format!("{name} sent an unusable answer. Try again in a moment.")).with_cause(error)
        },
    }
}

fn error_without_links(error: Error) -> AppError {
    // Without the links, which lead to pages that require a user.
    AppError { recovery_links: Vec::new(), ..AppError::from(error).with_nothing_saved() }
}

fn registration_error(error: RegistrationError) -> AppError {
    let message = match error {
        RegistrationError::Closed => {
            "Nobody new can join at the moment. If you have an account, sign in the way you did before."
        }
        RegistrationError::NotInvited => {
            "To join, you need a valid invitation: a link from the operator, for one person. If you have an account, sign in the way you did before."
        }
        RegistrationError::TooOften => {
            let message = "You have joined and left several times today. Try again tomorrow.";
            return AppError::new(StatusCode::TOO_MANY_REQUESTS, "Too many new accounts", message).with_nothing_saved();
        }
        RegistrationError::Failed(error) => return error_without_links(error),
    };
    AppError::new(StatusCode::FORBIDDEN, "Closed to new people", message).with_nothing_saved()
}

const SIGN_OUT: Link = Link { href: "/logout", text: "Sign out" };
const REAUTHENTICATE: Link = Link { href: "/account/reauthenticate?next=%2Faccount", text: "Sign in again" };

fn conflict_error(conflict: Conflict, name: &str) -> AppError {
    let (heading, link) = match conflict {
        Conflict::LinkedElsewhere => ("That account is already linked", Some(SIGN_OUT)),
        Conflict::ProviderTaken => ("Another account is already linked", Some(SIGN_OUT)),
        Conflict::LinkNotRequested => ("You are already signed in", None),
        Conflict::ReauthRequired | Conflict::NotSignedInAgain => ("Sign in again first", Some(REAUTHENTICATE)),
        Conflict::SessionChanged => ("This sign-in belongs to another session", None),
    };
    let mut error = AppError::new(StatusCode::CONFLICT, heading, conflict_text(conflict, name));
    error.recovery_links.extend(link);
    error.with_link("/account", "My account")
}

fn conflict_text(conflict: Conflict, name: &str) -> String {
    match conflict {
        Conflict::LinkedElsewhere => format!(
            "The {name} account you chose is linked to another Heartlist account. Nothing was changed. To use that one, sign out first. If both are yours and you want just one: this can join them if each was signed in to within the last ten minutes and they have no provider in common. Otherwise sign in there, export your hearts and delete that account. Then link {name} here and import the file."
        ),
        Conflict::ProviderTaken => format!(
            "Your account is linked to a different {name} account. Nothing was changed. To use the one you chose, sign out first. To link it here instead, unlink the other one on your account page."
        ),
        Conflict::LinkNotRequested => format!(
            "The {name} account you chose is not linked to a Heartlist account. Nothing was changed. To sign in with it too, link it on your account page."
        ),
        Conflict::ReauthRequired => "To link another way to sign in, you need to have signed in again within the last ten minutes, so that nobody who finds your browser open can add their own. Nothing was changed.".into(),
        Conflict::NotSignedInAgain => format!(
            "{name} did not ask you to sign in again, or did not say so. Nothing was changed. Sign in again in another way, or sign out at {name} first."
        ),
        Conflict::SessionChanged => format!(
            "After you went to {name}, this browser was signed out or somebody else signed in. Nothing was changed."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reader may just have signed in.
    #[test]
    fn linking_asks_for_a_sign_in_that_is_not_an_ordinary_one() {
        let text = conflict_text(Conflict::ReauthRequired, "GitHub");
        assert!(text.contains("you need to have signed in again within the last ten minutes"), "{text}");
    }
}

//! Login: choosing a provider, the callback, signing out.

mod errors;
pub(crate) mod login_cookie;

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::activity::{self, EventKind};
use crate::domain::login::{
    self, AfterLogin, CallbackParams, IntentField, LoginError, LoginRequest, LoginResult, Outcome, ReauthReason,
};
use crate::ids::{PlaylistId, Provider, Secret};
use crate::web::error::AppError;
use crate::web::extract::current_user::MaybeUser;
use crate::web::extract::device::Device;
use crate::web::extract::provider::ProviderPath;
use crate::web::extract::return_to::{NextParam, SafePath, sign_in_path, with_next};
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::views::layout::{Layout, render_page};

/// The page that asks users to sign in again.
pub(crate) const REAUTHENTICATE_PATH: &str = "/account/reauthenticate";

#[derive(Template)]
#[template(path = "sign_in/login.html")]
struct LoginPage {
    layout: Layout,
    next: String,
    heart: Option<String>,
    /// The provider of the first button.
    main: Provider,
    others: Vec<Provider>,
}

/// The page with all providers. Redirects users who are signed in and connected.
pub(crate) async fn show(app: State, visitor: MaybeUser, layout: Layout, Query(params): Query<NextParam>) -> Response {
    // A user who is signed in can only connect Spotify here.
    let others = if visitor.user.is_none() { other_providers(&app) } else { Vec::new() };
    login_page(visitor, layout, params, Provider::Spotify, others)
}

/// The page with one provider. A link alone must not send anybody to another site.
pub(crate) async fn show_provider(
    ProviderPath(provider): ProviderPath,
    visitor: MaybeUser,
    layout: Layout,
    Query(params): Query<NextParam>,
) -> Response {
    login_page(visitor, layout, params, provider, Vec::new())
}

/// Returns the configured providers beside Spotify.
pub(crate) fn other_providers(app: &State) -> Vec<Provider> {
    app.oauth.providers().filter(|provider| *provider != Provider::Spotify).collect()
}

fn login_page(
    visitor: MaybeUser,
    layout: Layout,
    params: NextParam,
    main: Provider,
    others: Vec<Provider>,
) -> Response {
    let next = SafePath::parse_or_playlists(params.next.as_deref());
    if login::intent(IntentField::SignIn, main, visitor.user.as_ref(), None).is_none() {
        return Redirect::to(next.as_str()).into_response();
    }
    let heart = params.heart.and_then(|id| PlaylistId::parse(&id).ok()).map(String::from);
    render_page(&LoginPage {
        layout: layout.with_title("Sign in", ""),
        next: next.as_str().to_owned(),
        heart,
        main,
        others,
    })
}

#[derive(Default, Deserialize)]
pub(crate) struct LoginForm {
    #[serde(flatten)]
    params: NextParam,
    invite: Option<Secret>,
    /// `link` or `merge`.
    intent: Option<String>,
    /// `renew-consent` or `now-playing`.
    reason: Option<String>,
}

impl LoginForm {
    fn reauth(&self) -> Option<ReauthReason> {
        match self.reason.as_deref() {
            Some("renew-consent") => Some(ReauthReason::RenewConsent),
            Some("now-playing") => Some(ReauthReason::EnableNowPlaying),
            _ => None,
        }
    }

    fn intent(&self) -> IntentField {
        match self.intent.as_deref() {
            Some("link") => IntentField::Link,
            Some("merge") => IntentField::Merge,
            _ => IntentField::SignIn,
        }
    }
}

/// Redirects to the provider's consent page, unless the user is already signed in.
pub(crate) async fn create(
    app: State,
    Now(now): Now,
    ProviderPath(provider): ProviderPath,
    (visitor, headers): (MaybeUser, HeaderMap),
    Form(form): Form<LoginForm>,
) -> Result<Response, AppError> {
    let reauth = form.reauth();
    let next = SafePath::parse_or_playlists(form.params.next.as_deref());
    let Some(intent) = login::intent(form.intent(), provider, visitor.user.as_ref(), reauth) else {
        return Ok(Redirect::to(next.as_str()).into_response());
    };
    let is_fresh = visitor.has_signed_in_recently(now).await?;
    if !is_fresh && login::adds_identity(&app, intent, provider).await? {
        return Ok(Redirect::to(&with_next(REAUTHENTICATE_PATH, next.as_str())).into_response());
    }
    let heart = form.params.heart.and_then(|id| PlaylistId::parse(&id).ok());
    let invite = form.invite.filter(|invite| !invite.expose().is_empty());
    let after = AfterLogin { next: next.as_str().to_owned(), heart, reauth, invite };
    let browser = login_cookie::read(&app, &headers).unwrap_or_else(Secret::random);
    let granted_scopes = visitor.scopes().await?;
    let request = LoginRequest { provider, browser: browser.clone(), intent, is_fresh, after, granted_scopes };
    let consent = login::start(&app, request, now).await?;
    let mut response = Redirect::to(consent.as_str()).into_response();
    login_cookie::set(&app, &mut response, &browser);
    Ok(response)
}

/// The redirect URI of a provider. Always redirects, so that no code stays in the address bar.
pub(crate) async fn callback(
    app: State,
    Now(now): Now,
    ProviderPath(provider): ProviderPath,
    (visitor, headers): (MaybeUser, HeaderMap),
    (Device(device), Query(params)): (Device, Query<CallbackParams>),
) -> Result<Response, AppError> {
    let is_signed_in = visitor.user.is_some();
    let params = CallbackParams { browser: login_cookie::read(&app, &headers), ..params };
    let signed_in = (visitor.user.clone(), visitor.invited_until().await?);
    match login::complete_login(&app, provider, params, signed_in, now).await {
        Ok(result) => sign_in_response(&app, &visitor, provider, result, (&device, now)).await,
        Err(LoginError::Denied { next }) => Ok(flash::redirect(&path_after_denial(is_signed_in, next), Flash::Denied)),
        // The second of two tabs.
        Err(LoginError::Used) if is_signed_in => Ok(flash::redirect("/playlists", Flash::AlreadySignedIn)),
        Err(error) => Err(errors::login_fault(error, provider, is_signed_in)),
    }
}

/// Returns where to go after a refused consent: back to `next`, which a visitor who is not signed in reaches through the
/// login page.
fn path_after_denial(is_signed_in: bool, next: String) -> String {
    match next.as_str() {
        _ if is_signed_in => next,
        "/playlists" => "/".into(),
        _ => sign_in_path(&next),
    }
}

async fn sign_in_response(
    app: &App,
    visitor: &MaybeUser,
    provider: Provider,
    result: LoginResult,
    (device, now): (&str, OffsetDateTime),
) -> Result<Response, AppError> {
    // A merge has deleted the session of the account that ended.
    if !matches!(result.outcome, Outcome::Merged { .. }) {
        visitor.reload().await?;
    }
    // Linking does not count as signing in: anybody at an open browser could link an identity of their own.
    let proves_user = !matches!(result.outcome, Outcome::Linked(_));
    visitor.record_device(device, proves_user.then_some(now)).await?;
    match result.outcome.event(provider) {
        // Stored together with the session.
        EventKind::SignedIn(_) => visitor.sign_in(&result, Some(provider)).await?,
        event => {
            activity::record(app, result.user.id, event, device, now).await;
            visitor.sign_in(&result, None).await?;
        }
    }
    let next = match (result.outcome, result.merge_until) {
        (Outcome::Joined, Some(_)) => with_next("/account/merge", &result.after.next),
        _ => result.after.next.clone(),
    };
    Ok(flash::redirect(&next, flash_for(visitor.is_connected(), provider, &result)))
}

/// `was_connected` is whether Spotify was connected before.
fn flash_for(was_connected: bool, provider: Provider, result: &LoginResult) -> Flash {
    let is_spotify = provider == Provider::Spotify;
    match (result.missing, result.after.reauth, result.outcome) {
        (Some(missing), ..) => Flash::Missing(missing),
        _ if result.after.heart.is_some() => Flash::SignedInAndHearted,
        (None, Some(ReauthReason::EnableNowPlaying), _) => Flash::NowPlayingOn,
        (None, Some(ReauthReason::RenewConsent), _) if is_spotify => Flash::Reconnected,
        // The user only signed in again.
        (None, Some(ReauthReason::RenewConsent), _) => Flash::SignedIn,
        (None, None, Outcome::AlreadyLinked(_)) if !was_connected && is_spotify => Flash::Reconnected,
        (None, None, Outcome::AlreadyLinked(_)) => Flash::AlreadySignedIn,
        (None, None, Outcome::Linked(_)) => Flash::Linked(provider),
        (None, None, Outcome::Merged { .. }) => Flash::Merged,
        (None, None, Outcome::SignedIn(_) | Outcome::Joined) => Flash::SignedIn,
    }
}

#[derive(Template)]
#[template(path = "sign_in/logout.html")]
struct LogoutPage {
    layout: Layout,
}

/// Asks whether to sign out, because a link alone must not sign anybody out.
pub(crate) async fn show_logout(layout: Layout) -> Response {
    match layout.user_name {
        Some(_) => render_page(&LogoutPage { layout: layout.with_title("Sign out", "") }),
        None => Redirect::to("/").into_response(),
    }
}

pub(crate) async fn sign_out(app: State, visitor: MaybeUser) -> Result<Response, AppError> {
    visitor.sign_out().await?;
    let mut response = flash::redirect("/", Flash::SignedOut);
    login_cookie::remove(&app, &mut response);
    Ok(response)
}

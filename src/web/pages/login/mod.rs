//! Login: choosing a provider, the callback, signing out.

mod errors;
pub(crate) mod login_cookie;

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::OffsetDateTime;
use url::form_urlencoded::byte_serialize;

use crate::app::App;
use crate::domain::account_merge::MergeOffer;
use crate::domain::activity::{self, EventKind};
use crate::domain::login::{
    self, AfterLogin, CallbackParams, FailedLogin, IntentField, LoginError, LoginRequest, LoginResult, Outcome,
    ReauthReason,
};
use crate::domain::{hearts, top};
use crate::ids::{PlaylistId, Provider, Secret};
use crate::web::cookies::{self, CookieKind};
use crate::web::error::Result;
use crate::web::extract::return_to::{sign_in_path, with_heart, with_next};
use crate::web::extract::{Device, MaybeUser, NextParam, Now, ProviderPath, SafePath, State};
use crate::web::flash::saving::SavingFlash;
use crate::web::flash::{self, Flash};
use crate::web::middleware::session::SessionEnded;
use crate::web::views::{Layout, render_page};

/// The value of `Clear-Site-Data` at sign-out. Not `"cookies"`: that would end the sessions of all sites below the same
/// registrable domain and lose the flash message. Not `"cache"`, which takes Chrome seconds; pages are not cached.
const CLEAR_AT_SIGN_OUT: HeaderValue = HeaderValue::from_static("\"storage\"");

pub(crate) const REAUTHENTICATE_PATH: &str = "/account/reauthenticate";

#[derive(Template)]
#[template(path = "sign_in/login.html")]
struct LoginPage {
    layout: Layout,
    next: String,
    /// Playlist that the sign-in hearts, if the visitor leaves the box ticked. Any site can link here with any id.
    heart: Option<String>,
    heart_name: Option<String>,
    primary: Provider,
    others: Vec<Provider>,
}

/// The page with all providers. Redirects users who are signed in and connected.
pub(crate) async fn show(app: State, maybe_user: MaybeUser, layout: Layout, Query(params): Query<NextParam>) -> Result {
    // A user who is signed in can only connect Spotify here.
    let others = if maybe_user.user.is_none() { other_providers(&app) } else { Vec::new() };
    login_page(&app, (maybe_user, layout), params, Provider::Spotify, others).await
}

/// The page with one provider. Not a redirect to the provider, against login CSRF.
pub(crate) async fn show_provider(
    app: State,
    ProviderPath(provider): ProviderPath,
    maybe_user: MaybeUser,
    layout: Layout,
    Query(params): Query<NextParam>,
) -> Result {
    login_page(&app, (maybe_user, layout), params, provider, Vec::new()).await
}

pub(crate) fn other_providers(app: &State) -> Vec<Provider> {
    app.oauth.providers().filter(|provider| *provider != Provider::Spotify).collect()
}

async fn login_page(
    app: &App,
    (maybe_user, layout): (MaybeUser, Layout),
    params: NextParam,
    primary: Provider,
    others: Vec<Provider>,
) -> Result {
    let next = SafePath::parse_or_playlists(params.next.as_deref());
    if login::intent(IntentField::SignIn, primary, maybe_user.user.as_ref(), None).is_none() {
        return Ok(Redirect::to(next.as_str()).into_response());
    }
    let heart = params.heart.and_then(|id| PlaylistId::parse(&id).ok());
    let heart_name = match &heart {
        Some(heart) => top::public_name(app, heart).await?,
        None => None,
    };
    Ok(render_page(&LoginPage {
        layout: layout.with_title("Sign in", ""),
        next: next.as_str().to_owned(),
        heart: heart.map(String::from),
        heart_name,
        primary,
        others,
    }))
}

#[derive(Default, Deserialize)]
pub(crate) struct LoginForm {
    #[serde(flatten)]
    params: NextParam,
    invite: Option<Secret>,
    /// Key of an [`IntentField`].
    intent: Option<String>,
    /// Key of a [`ReauthReason`].
    reason: Option<String>,
}

impl LoginForm {
    fn after_login(self) -> AfterLogin {
        AfterLogin {
            next: SafePath::parse_or_playlists(self.params.next.as_deref()).as_str().to_owned(),
            heart: self.params.heart.and_then(|id| PlaylistId::parse(&id).ok()),
            reauth: self.reason.as_deref().and_then(ReauthReason::from_key),
            invite: self.invite.filter(|invite| !invite.expose().is_empty()),
        }
    }
}

/// Redirects to the provider's consent page, unless the user is already signed in.
pub(crate) async fn create(
    app: State,
    Now(now): Now,
    ProviderPath(provider): ProviderPath,
    (maybe_user, headers): (MaybeUser, HeaderMap),
    Form(form): Form<LoginForm>,
) -> Result {
    let intent = IntentField::from_key(form.intent.as_deref());
    let after = form.after_login();
    let Some(intent) = login::intent(intent, provider, maybe_user.user.as_ref(), after.reauth) else {
        return already_signed_in(&app, &maybe_user, after, now).await;
    };
    let is_fresh = maybe_user.has_reauthenticated_recently(now).await?;
    if !is_fresh && login::adds_identity(&app, intent, provider).await? {
        return Ok(Redirect::to(&with_next(REAUTHENTICATE_PATH, &after.next)).into_response());
    }
    let browser = login_cookie::read(&app, &headers).unwrap_or_else(Secret::random);
    let granted_scopes = maybe_user.scopes().await?;
    let request = LoginRequest { provider, browser: browser.clone(), intent, is_fresh, after, granted_scopes };
    let consent = login::start(&app, request, now).await?;
    let mut response = Redirect::to(consent.as_str()).into_response();
    login_cookie::set(&app, &mut response, &browser);
    Ok(response)
}

/// Does what was to follow the sign-in, because the user has signed in in another tab.
async fn already_signed_in(app: &App, maybe_user: &MaybeUser, after: AfterLogin, now: OffsetDateTime) -> Result {
    match (&maybe_user.user, &after.heart) {
        (Some(user), Some(heart)) => {
            hearts::add(app, user.id, heart, now).await?;
            Ok(flash::redirect(&after.next, Flash::Hearted))
        }
        _ => Ok(Redirect::to(&after.next).into_response()),
    }
}

/// The redirect URI of a provider. Always redirects on success, so that the code does not stay in the address bar.
pub(crate) async fn callback(
    app: State,
    Now(now): Now,
    ProviderPath(provider): ProviderPath,
    (maybe_user, headers): (MaybeUser, HeaderMap),
    (Device(device), Query(params)): (Device, Query<CallbackParams>),
) -> Result {
    let is_signed_in = maybe_user.user.is_some();
    let params = CallbackParams { browser: login_cookie::read(&app, &headers), ..params };
    let signed_in = (maybe_user.user.clone(), maybe_user.merge_until().await?);
    match login::complete_login(&app, provider, params, signed_in, now).await {
        Ok(result) => sign_in_response(&app, &maybe_user, provider, result, (&device, now)).await,
        Err(FailedLogin { error: LoginError::Denied, retry: Some(retry) }) => {
            Ok(flash::redirect(&path_after_denial(is_signed_in, retry.after), Flash::Denied))
        }
        // The callback was loaded twice, for example in two tabs.
        Err(FailedLogin { error: LoginError::Used, .. }) if is_signed_in => {
            Ok(flash::redirect("/playlists", Flash::AlreadySignedIn))
        }
        Err(failed) => Err(errors::login_error(&app, failed, provider, is_signed_in)),
    }
}

/// Returns the path to redirect to after a denied consent: `next`, or the page with the sign-in buttons if the visitor is
/// not signed in.
fn path_after_denial(is_signed_in: bool, after: AfterLogin) -> String {
    let AfterLogin { next, heart, invite, .. } = after;
    match (invite, heart) {
        _ if is_signed_in => next,
        (Some(invite), _) => format!("/invite/{}", byte_serialize(invite.expose().as_bytes()).collect::<String>()),
        (None, Some(heart)) => with_heart(sign_in_path(&next), &heart),
        (None, None) if next == "/playlists" => "/".into(),
        (None, None) => sign_in_path(&next),
    }
}

async fn sign_in_response(
    app: &App,
    maybe_user: &MaybeUser,
    provider: Provider,
    result: LoginResult,
    (device, now): (&str, OffsetDateTime),
) -> Result {
    maybe_user.reload().await?;
    if let Outcome::MergeOffered { other, .. } = result.outcome {
        maybe_user.offer_merge(MergeOffer::new(other, now)).await?;
        return Ok(Redirect::to(&with_next("/account/merge/confirm", &result.after.next)).into_response());
    }
    maybe_user.record_device(device, &result, now).await?;
    match result.outcome.event(provider) {
        // Recorded when the session is saved.
        Some(EventKind::SignedIn(_)) | None => maybe_user.sign_in(&result, Some(provider)).await?,
        Some(event) => {
            activity::record(app, result.user.id, event, device, now).await;
            maybe_user.sign_in(&result, None).await?;
        }
    }
    // Without Spotify there are no playlists.
    let has_playlists = result.grant.is_some() || maybe_user.is_connected();
    let next = match (result.after.next.as_str(), result.outcome) {
        ("/playlists", Outcome::Joined) if !has_playlists => "/add",
        ("/playlists", Outcome::SignedIn(_)) if !has_playlists => "/hearts",
        (next, _) => next,
    };
    let next = match (result.outcome, result.merge_until) {
        (Outcome::Joined, Some(_)) => with_next("/account/merge", next),
        _ => next.to_owned(),
    };
    Ok(flash::redirect(&next, flash_for(maybe_user.is_connected(), provider, &result)))
}

fn flash_for(was_connected: bool, provider: Provider, result: &LoginResult) -> Flash {
    let is_spotify = provider == Provider::Spotify;
    match (result.after.reauth, result.outcome) {
        _ if !result.missing.is_empty() => Flash::Missing(result.missing.clone()),
        _ if result.is_hearted => Flash::SignedInAndHearted,
        _ if result.after.heart.is_some() => Flash::SignedInWithoutHeart,
        (Some(ReauthReason::EnableNowPlaying), _) => Flash::NowPlayingOn,
        (Some(ReauthReason::EnableSaving), _) => Flash::Saving(SavingFlash::On),
        (Some(ReauthReason::RenewConsent), _) if is_spotify => Flash::Reconnected,
        (Some(ReauthReason::RenewConsent | ReauthReason::SignInAgain), _) => Flash::SignedIn,
        (None, Outcome::AlreadyLinked(_)) if !was_connected && is_spotify => Flash::Reconnected,
        (None, Outcome::AlreadyLinked(_)) => Flash::AlreadySignedIn,
        (None, Outcome::Linked(_)) => Flash::Linked(provider),
        (None, Outcome::SignedIn(_) | Outcome::Joined | Outcome::MergeOffered { .. }) => Flash::SignedIn,
    }
}

#[derive(Template)]
#[template(path = "sign_in/logout.html")]
struct LogoutPage {
    layout: Layout,
}

/// The confirmation page for signing out, against logout CSRF.
pub(crate) async fn show_logout(layout: Layout) -> Response {
    match layout.user_name {
        Some(_) => render_page(&LogoutPage { layout: layout.with_title("Sign out", "") }),
        None => Redirect::to("/").into_response(),
    }
}

pub(crate) async fn sign_out(app: State, maybe_user: MaybeUser) -> Result {
    end_session(&app, &maybe_user, flash::redirect("/", Flash::SignedOut)).await
}

/// Ends the session, and makes `response` remove what the browser stored.
pub(crate) async fn end_session(app: &App, maybe_user: &MaybeUser, mut response: Response) -> Result {
    maybe_user.sign_out().await?;
    // Pending logins end with the session.
    cookies::remove(app, &mut response, CookieKind::Login);
    response.headers_mut().insert("clear-site-data", CLEAR_AT_SIGN_OUT);
    response.extensions_mut().insert(SessionEnded);
    Ok(response)
}

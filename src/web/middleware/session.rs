//! The session cookie and its layer.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::Response;
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use crate::app::App;
use crate::web::cookies::{self, CookieKind, SAME_SITE};

/// Name of the cookie over http in release 0.1.0.
const FORMER_NAME: &str = "heartlist";

pub(crate) fn layer(app: &App) -> SessionManagerLayer<impl SessionStore + Clone> {
    SessionManagerLayer::new(app.sessions())
        .with_name(cookies::name(app, CookieKind::Session))
        .with_secure(app.config.is_https())
        .with_http_only(true)
        .with_same_site(SAME_SITE)
        .with_expiry(Expiry::OnInactivity(app.config.access.session_ttl))
}

/// Marks the response that ends the browser's session.
#[derive(Clone)]
pub(crate) struct SessionEnded;

/// Removes the cookie with its attributes if the response ends the session. tower-sessions removes it, with a path alone,
/// whenever its session is gone, too: if another tab has got a new one meanwhile, a late response would end that.
pub(crate) fn remove_cookie_if_ended(app: &Arc<App>) -> impl Fn(Response) -> Response + Clone + use<> {
    let app = app.clone();
    let removal = format!("{}=; ", cookies::name(&app, CookieKind::Session));
    move |mut response| {
        let set: Vec<_> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
        let is_removal = |cookie: &HeaderValue| cookie.as_bytes().starts_with(removal.as_bytes());
        if set.iter().any(is_removal) {
            response.headers_mut().remove(SET_COOKIE);
            for cookie in set.into_iter().filter(|cookie| !is_removal(cookie)) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
        }
        if response.extensions().get::<SessionEnded>().is_some() {
            cookies::remove(&app, &mut response, CookieKind::Session);
        }
        response
    }
}

/// Accepts the former name over http, so that sessions of release 0.1.0 stay valid until the next sign-in.
pub(crate) fn accept_former_name(app: &App) -> impl Fn(Request) -> Request + Clone + use<> {
    let name = cookies::name(app, CookieKind::Session);
    let is_https = app.config.is_https();
    move |mut request| {
        if !is_https
            && cookies::read(request.headers(), &name).is_none()
            && let Some(value) = cookies::read(request.headers(), FORMER_NAME)
            && let Ok(cookie) = HeaderValue::try_from(format!("{name}={value}"))
        {
            request.headers_mut().append(COOKIE, cookie);
        }
        request
    }
}

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

/// Adds the cookie's attributes to its removal, which tower-sessions sends with a path alone.
pub(crate) fn complete_removal(app: &Arc<App>) -> impl Fn(Response) -> Response + Clone + use<> {
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

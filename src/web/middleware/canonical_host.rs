//! Redirects to the host of `BASE_URL`, the only one that providers know.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::http::{Method, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::App;

/// Redirects before a cookie is set on the wrong host.
pub(crate) async fn redirect_to_canonical_host(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match canonical_redirect(&app, &request) {
        Some(redirect) => redirect.into_response(),
        None => next.run(request).await,
    }
}

fn canonical_redirect(app: &App, request: &Request) -> Option<Redirect> {
    // Health checks come by internal addresses, and `*` is not a path.
    if matches!(request.uri().path(), "/healthz" | "/readyz" | "*") {
        return None;
    }
    let plain = app.config.dyno && app.config.is_https() && is_plain_http(request);
    let lost = matches!(*request.method(), Method::GET | Method::HEAD) && is_localhost(request);
    if !plain && !lost {
        return None;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let ours = format!("{}{path}", app.config.base_url.origin().ascii_serialization());
    Some(if plain { Redirect::permanent(&ours) } else { Redirect::temporary(&ours) })
}

/// True if the client used plain http. Only meaningful on Heroku, whose router sets `X-Forwarded-Proto`: behind a proxy
/// that sets nothing, the redirect would loop.
fn is_plain_http(request: &Request) -> bool {
    // The router appends its value; clients can make up all before it.
    let said = request.headers().get_all("x-forwarded-proto").iter().next_back().and_then(|said| said.to_str().ok());
    said.and_then(|said| said.rsplit(',').next()).is_some_and(|scheme| scheme.trim() == "http")
}

/// True if the Host header is `localhost`, which Spotify refuses as a redirect address.
fn is_localhost(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    host.is_some_and(|host| host.host().eq_ignore_ascii_case("localhost"))
}

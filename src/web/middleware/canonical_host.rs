//! Redirects to the host of `BASE_URL`, the only one registered with the providers.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::http::{Method, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::App;

/// Redirects requests to `localhost`, and on Heroku also requests over plain http, before a cookie is set there.
pub(crate) async fn redirect_to_canonical_host(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match canonical_redirect(&app, &request) {
        Some(redirect) => redirect.into_response(),
        None => next.run(request).await,
    }
}

fn canonical_redirect(app: &App, request: &Request) -> Option<Redirect> {
    // Health checks use internal addresses, and `*` (OPTIONS) is not a path.
    if matches!(request.uri().path(), "/healthz" | "/readyz" | "*") {
        return None;
    }
    let is_plain = app.config.dyno && app.config.is_https() && is_plain_http(request);
    let is_local = matches!(*request.method(), Method::GET | Method::HEAD) && is_localhost(request);
    if !is_plain && !is_local {
        return None;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", app.config.base_url.origin().ascii_serialization());
    Some(if is_plain { Redirect::permanent(&url) } else { Redirect::temporary(&url) })
}

/// True if the client used plain http. Only reliable on Heroku, whose router sets `X-Forwarded-Proto`; behind a proxy
/// that does not set it, the redirect would loop.
fn is_plain_http(request: &Request) -> bool {
    // Heroku's router appends its value; clients can forge the values before it.
    let header =
        request.headers().get_all("x-forwarded-proto").iter().next_back().and_then(|value| value.to_str().ok());
    header.and_then(|value| value.rsplit(',').next()).is_some_and(|scheme| scheme.trim() == "http")
}

/// True if the Host header is `localhost`, which Spotify rejects in a redirect URI.
fn is_localhost(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    host.is_some_and(|host| host.host().eq_ignore_ascii_case("localhost"))
}

//! What guards every page: headers, the refusal of cross-site writes, one host name.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Method, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tower_http::csrf::CsrfLayer;

use super::REQUEST_ID;
use crate::app::App;

/// Refuses changes that another site's page asks for, by what browsers say of a request's origin.
pub(super) fn cross_site(app: &App) -> CsrfLayer {
    let origin = app.config.base_url.origin().ascii_serialization();
    CsrfLayer::new().add_trusted_origin(origin).expect("BASE_URL is an http address, without a path")
}

/// Adds the headers that every answer bears, unless it brings its own.
pub(super) fn headers(app: &App) -> impl Fn(Response) -> Response + Clone + use<> {
    let fixed = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
    let policy = HeaderValue::from_str(&content_policy(app)).expect("origins are plain text");
    let mut all = vec![
        (header::CONTENT_SECURITY_POLICY, policy),
        fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // For browsers that do not know frame-ancestors.
        fixed(header::X_FRAME_OPTIONS, "DENY"),
        // Addresses hold playlist ids, which are nobody else's business.
        fixed(header::REFERRER_POLICY, "same-origin"),
        fixed(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        fixed(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        fixed(
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        // Pages are a person's own; static files bring a policy of their own.
        fixed(header::CACHE_CONTROL, "no-store"),
    ];
    if app.config.https() {
        all.push(fixed(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"));
    }
    // Shared, because every request has its own copy of the layers.
    let all: Arc<[_]> = all.into();
    move |mut response| {
        // Once, in place of growing twice on the way.
        response.headers_mut().reserve(all.len());
        for (name, value) in all.iter() {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        response
    }
}

/// Starts at nothing; each permission has its reason.
fn content_policy(app: &App) -> String {
    let accounts = app.config.consent_origins().join(" ");
    let api = app.config.spotify.api_url.origin().ascii_serialization();
    [
        "default-src 'none'".into(),
        // Our two scripts and our stylesheet; nothing inline.
        "script-src 'self'".into(),
        "style-src 'self'".into(),
        // Covers: ours for the blank ones, Spotify's hosts for the others, or those of what stands in for it.
        format!("img-src 'self' https://*.scdn.co https://*.spotifycdn.com {api}"),
        // The heart button's requests.
        "connect-src 'self'".into(),
        // Forms, and the redirect from the sign-in form to a consent page, which browsers hold to the same rule.
        format!("form-action 'self' {accounts}"),
        "base-uri 'none'".into(),
        "frame-ancestors 'none'".into(),
    ]
    .join("; ")
}

/// Sends visitors who came by another address on to ours, before a cookie is set on the wrong one.
pub(super) async fn one_address(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match better(&app, &request) {
        Some(redirect) => redirect.into_response(),
        None => next.run(request).await,
    }
}

fn better(app: &App, request: &Request) -> Option<Redirect> {
    // What asks whether we live has its own ways in, and `*` is no page.
    if matches!(request.uri().path(), "/healthz" | "/readyz" | "*") {
        return None;
    }
    let plain = app.config.dyno && app.config.https() && came_plain(request);
    let lost = matches!(*request.method(), Method::GET | Method::HEAD) && came_by_localhost(request);
    if !plain && !lost {
        return None;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let ours = format!("{}{path}", app.config.base_url.origin().ascii_serialization());
    Some(if plain { Redirect::permanent(&ours) } else { Redirect::temporary(&ours) })
}

/// Whether a visitor came over http. Asked only on Heroku, whose router says how they came: elsewhere the proxy that
/// ends TLS may say nothing, or something else, and they would be sent to the same place again and again.
fn came_plain(request: &Request) -> bool {
    // The router's own word comes last, after what a visitor may have made up.
    let said = request.headers().get_all("x-forwarded-proto").iter().next_back().and_then(|said| said.to_str().ok());
    said.and_then(|said| said.rsplit(',').next()).is_some_and(|scheme| scheme.trim() == "http")
}

/// Whether a visitor called us by a name that Spotify does not know.
fn came_by_localhost(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    host.is_some_and(|host| host.host().eq_ignore_ascii_case("localhost"))
}

/// Drops a request id that could not be one: it goes into the log and onto error pages. Heroku's router lets through,
/// and makes, 20 to 200 letters, digits and these four signs (devcenter.heroku.com/articles/http-request-id).
pub(super) fn sane_request_id(mut request: Request) -> Request {
    let sign = |b: &u8| b.is_ascii_alphanumeric() || b"+/=-".contains(b);
    let sane = |id: &HeaderValue| (20..=200).contains(&id.len()) && id.as_bytes().iter().all(sign);
    if !request.headers().get(&REQUEST_ID).is_some_and(sane) {
        request.headers_mut().remove(&REQUEST_ID);
    }
    request
}

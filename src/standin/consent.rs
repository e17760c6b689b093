//! The pages a person sees: who are you, and may this app look?

use super::accounts::AuthorizeRequest;
use super::form::Params;
use super::grants::Approval;
use super::{Listener, World};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;
use url::{Host, Url};

#[derive(Template)]
#[template(path = "standin/consent.html")]
struct ConsentPage<'a> {
    prefix: &'a str,
    request: &'a AuthorizeRequest,
    goes_to: String,
    wishes: Vec<&'static str>,
    listeners: Vec<Arc<Listener>>,
}

#[derive(Template)]
#[template(path = "standin/error.html")]
struct ErrorPage<'a> {
    prefix: &'a str,
    what: &'a str,
}

/// `GET /authorize`: the consent page, or why there is none.
pub(super) async fn authorize(State(world): State<World>, RawQuery(query): RawQuery) -> Response {
    match read(&world, &query.unwrap_or_default()) {
        Ok((request, _)) => consent(&world, &request),
        Err(what) => refused(&world, what),
    }
}

/// `POST /authorize/decision`: back to the app with a code, or with a no. The request is checked
/// again as if it had never been seen: it came through a browser.
pub(super) async fn decide(State(world): State<World>, headers: HeaderMap, body: String) -> Response {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if matches!(site, Some(b"cross-site" | b"same-site")) {
        return refused(&world, "This form was sent from another page.");
    }
    let (request, params) = match read(&world, &body) {
        Ok(read) => read,
        Err(what) => return refused(&world, what),
    };
    let answer = match params.get("decision") {
        Some("deny") => ("error", "access_denied".to_owned()),
        Some("approve") => match approve(&world, &request, params.get("listener")) {
            Some(code) => ("code", code),
            None => return refused(&world, "Nobody of this name lives here."),
        },
        _ => return refused(&world, "Please approve or deny."),
    };
    match request.redirect() {
        Some(back) => send_back(back, answer, request.state.as_deref()),
        None => refused(&world, "INVALID_CLIENT: Invalid redirect URI"),
    }
}

/// `GET /standin.css`: the one style sheet of these pages.
pub(super) async fn stylesheet() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("../../templates/standin/standin.css"))
}

fn read(world: &World, text: &str) -> Result<(AuthorizeRequest, Params), &'static str> {
    let params = Params::read(text).map_err(|_| "A parameter came more than once.")?;
    let switches = world.state().switches.clone();
    let request = AuthorizeRequest::check(&params, world.settings(), &switches)?;
    Ok((request, params))
}

fn approve(world: &World, request: &AuthorizeRequest, listener: Option<&str>) -> Option<String> {
    let mut state = world.state();
    let listener = state.listener(listener?)?;
    let approval = Approval {
        listener: listener.key.clone(),
        redirect_uri: request.redirect_uri.clone(),
        scope: request.scope.clone(),
        challenge: request.challenge.clone(),
    };
    let now = state.now();
    Some(state.grants.issue_code(approval, now))
}

fn send_back(mut to: Url, answer: (&str, String), state: Option<&str>) -> Response {
    to.query_pairs_mut().append_pair(answer.0, &answer.1);
    if let Some(state) = state {
        to.query_pairs_mut().append_pair("state", state);
    }
    let headers = [
        (header::LOCATION, to.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn consent(world: &World, request: &AuthorizeRequest) -> Response {
    let back = request.redirect();
    let page = ConsentPage {
        prefix: world.settings().prefix(),
        request,
        goes_to: back.as_ref().map_or_else(String::new, named),
        wishes: request.wishes(),
        listeners: world.state().listeners.clone(),
    };
    let target = back.as_ref().map_or_else(String::new, form_target);
    page_response(StatusCode::OK, &page, &target)
}

fn refused(world: &World, what: &str) -> Response {
    let prefix = world.settings().prefix();
    page_response(StatusCode::BAD_REQUEST, &ErrorPage { prefix, what }, "")
}

fn page_response(status: StatusCode, page: &impl Template, target: &str) -> Response {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // The browser holds the redirect after the form to `form-action` too, hence the target.
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'self' {target}; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        // Not `no-referrer`: the form would then be sent with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(html)).into_response()
}

/// A redirect address as a source of a content policy. That grammar knows no IPv6 addresses and
/// no hosts of custom schemes, so for those the scheme alone has to do.
fn form_target(to: &Url) -> String {
    match (to.scheme(), to.host()) {
        ("http" | "https", Some(Host::Domain(_) | Host::Ipv4(_))) => to.origin().ascii_serialization(),
        (scheme, _) => format!("{scheme}:"),
    }
}

/// How the page names the place it leads back to.
fn named(to: &Url) -> String {
    let port = to.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}{port}", to.host_str().unwrap_or(to.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_place_to_go_back_to() {
        let target = |url| form_target(&Url::parse(url).unwrap());
        assert_eq!(target("http://127.0.0.1:8080/cb?a=b"), "http://127.0.0.1:8080");
        assert_eq!(target("https://a.test/cb;x"), "https://a.test");
        assert_eq!(target("http://[::1]:8080/cb"), "http:");
        assert_eq!(target("my-app://cb"), "my-app:");
    }
}

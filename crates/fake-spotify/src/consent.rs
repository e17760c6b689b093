//! The pages a person sees: who are you, and may this app look?

use super::accounts::AuthorizeRequest;
use super::form::Params;
use super::grants::Approval;
use super::pages::{self, from_elsewhere, refused};
use super::{Listener, World, panel};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use url::{Host, Url};

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    prefix: &'a str,
    request: &'a AuthorizeRequest,
    goes_to: String,
    wishes: Vec<&'static str>,
    listeners: Vec<Arc<Listener>>,
    /// Whether the panel has changed anything.
    astray: bool,
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
    if let Some(refusal) = from_elsewhere(&world, &headers) {
        return refusal;
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
    // Before the literal below, which holds the state locked to its end.
    let astray = panel::astray(world);
    let page = ConsentPage {
        prefix: world.settings().prefix(),
        request,
        goes_to: back.as_ref().map_or_else(String::new, named),
        wishes: request.wishes(),
        listeners: world.state().listeners.clone(),
        astray,
    };
    let target = back.as_ref().map_or_else(String::new, form_target);
    pages::page(StatusCode::OK, &page, &target)
}

/// A redirect address as a source of a content policy. That grammar knows no IPv6 addresses and
/// no hosts of custom schemes, so for those the scheme alone has to do.
pub(super) fn form_target(to: &Url) -> String {
    match (to.scheme(), to.host()) {
        ("http" | "https", Some(Host::Domain(_) | Host::Ipv4(_))) => to.origin().ascii_serialization(),
        (scheme, _) => format!("{scheme}:"),
    }
}

/// How the page names the place it leads back to.
pub(super) fn named(to: &Url) -> String {
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

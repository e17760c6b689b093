//! The consent page of Spotify.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::authorization_request::AuthorizationRequest;
use crate::controls;
use crate::grants::Authorization;
use crate::html::{error_page, reject_cross_site, render};
use crate::params::Params;
use crate::redirect_uri::{display_host, form_action_source, redirect_to_app};
use crate::state::FakeSpotify;
use crate::user::User;

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    mount_path: &'a str,
    app_name: &'a str,
    app_host: String,
    request: &'a AuthorizationRequest,
    scopes: Vec<&'static str>,
    users: Vec<Arc<User>>,
    has_overrides: bool,
}

/// `GET /authorize`: the consent page, or an error page.
pub(crate) async fn authorize(State(fake): State<FakeSpotify>, RawQuery(query): RawQuery) -> Response {
    match parse(&fake, &query.unwrap_or_default()) {
        Ok((request, _)) => consent_page(&fake, &request),
        Err(message) => error_page(&fake, message),
    }
}

/// `POST /authorize/decision`: back to the app with a code or an error. The request is validated again, because it came
/// through a browser.
pub(crate) async fn decide(State(fake): State<FakeSpotify>, headers: HeaderMap, body: String) -> Response {
    if let Some(rejection) = reject_cross_site(&fake, &headers) {
        return rejection;
    }
    let (request, params) = match parse(&fake, &body) {
        Ok(parsed) => parsed,
        Err(message) => return error_page(&fake, message),
    };
    let (name, value) = match params.get("decision") {
        Some("deny") => ("error", "access_denied".to_owned()),
        Some("approve") => match issue_code(&fake, &request, params.get("user")) {
            Some(code) => ("code", code),
            None => return error_page(&fake, "There is no such user."),
        },
        _ => return error_page(&fake, "Please approve or deny."),
    };
    let mut to = request.redirect_url;
    to.query_pairs_mut().append_pair(name, &value);
    if let Some(state) = &request.state {
        to.query_pairs_mut().append_pair("state", state);
    }
    redirect_to_app(&to)
}

fn parse(fake: &FakeSpotify, text: &str) -> Result<(AuthorizationRequest, Params), &'static str> {
    let params = Params::parse(text).map_err(|_| "A parameter was sent twice, or there is too much.")?;
    let request = AuthorizationRequest::parse(&params, fake.settings())?;
    Ok((request, params))
}

/// Issues a code for a user; `None` if there is no user with this key.
fn issue_code(fake: &FakeSpotify, request: &AuthorizationRequest, user_key: Option<&str>) -> Option<String> {
    let mut state = fake.state();
    let authorization = Authorization {
        user_key: state.user(user_key?)?.key.clone(),
        redirect_uri: request.redirect_uri.clone(),
        scope: request.scope.clone(),
        code_challenge: request.code_challenge.clone(),
    };
    let now = state.now();
    Some(state.grants.issue_code(authorization, now))
}

fn consent_page(fake: &FakeSpotify, request: &AuthorizationRequest) -> Response {
    let users = fake.state().users.clone();
    let page = ConsentPage {
        mount_path: fake.settings().mount_path(),
        app_name: &fake.settings().app_name,
        app_host: display_host(&request.redirect_url),
        request,
        scopes: request.scope_descriptions(),
        users,
        has_overrides: controls::has_overrides(fake),
    };
    render(StatusCode::OK, &page, &form_action_source(&request.redirect_url))
}

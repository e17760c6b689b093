//! The pages on which the others ask who somebody is, and whether the app may know.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::{Account, Approval, Service};
use crate::World;
use crate::consent::{form_target, named};
use crate::form::Params;
use crate::pages::{self, from_elsewhere, refused};

#[derive(Template)]
#[template(path = "elsewhere.html")]
struct Page<'a> {
    prefix: &'a str,
    service: Service,
    goes_to: String,
    /// The request, to be sent back with the answer.
    fields: Vec<(&'static str, String)>,
    accounts: Vec<Account>,
}

/// A request that passed every check.
struct Asked {
    redirect: Url,
    state: String,
    scope: String,
    challenge: Option<String>,
    fields: Vec<(&'static str, String)>,
}

const FIELDS: [&str; 7] =
    ["client_id", "response_type", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"];

/// The consent page, or why there is none.
pub(super) async fn authorize(service: Service, State(world): State<World>, RawQuery(query): RawQuery) -> Response {
    let asked = match read(&world, service, &query.unwrap_or_default()) {
        Ok((asked, _)) => asked,
        Err(what) => return refused(&world, &what),
    };
    let accounts = world.accounts(service);
    let prefix = world.settings().prefix();
    let page = Page { prefix, service, goes_to: named(&asked.redirect), fields: asked.fields, accounts };
    pages::page(StatusCode::OK, &page, &form_target(&asked.redirect))
}

/// Back to the app with a code, or with a no.
pub(super) async fn decide(service: Service, State(world): State<World>, headers: HeaderMap, body: String) -> Response {
    if let Some(refusal) = from_elsewhere(&world, &headers) {
        return refusal;
    }
    let (asked, params) = match read(&world, service, &body) {
        Ok(read) => read,
        Err(what) => return refused(&world, &what),
    };
    match (params.get("decision"), params.get("account")) {
        (Some("deny"), _) => back(&world, service, asked, None),
        (Some("approve"), Some(id)) => match approve(&world, service, &asked, id) {
            Some(code) => back(&world, service, asked, Some(code)),
            None => refused(&world, "Nobody has this account."),
        },
        _ => refused(&world, "Please approve or deny."),
    }
}

fn read(world: &World, service: Service, text: &str) -> Result<(Asked, Params), String> {
    let params = Params::read(text).map_err(|_| "A parameter came more than once.")?;
    let app = world.registered(service).ok_or("No app is registered here.")?;
    if params.get("client_id") != Some(&app.client_id) {
        return Err("The app is not known here (invalid_client).".into());
    }
    if params.get("redirect_uri") != Some(&app.redirect_uri) {
        return Err("The redirect address is not the registered one (redirect_uri_mismatch).".into());
    }
    if params.get("response_type") != Some("code") {
        return Err("response_type must be code.".into());
    }
    let challenge = params.owned("code_challenge");
    if challenge.is_some() != (params.get("code_challenge_method") == Some("S256")) {
        return Err("code_challenge_method must be S256, and stand beside a code_challenge.".into());
    }
    if service == Service::X && challenge.is_none() {
        return Err("X takes no request without code_challenge.".into());
    }
    let redirect = Url::parse(&app.redirect_uri).map_err(|_| "The redirect address is none.")?;
    let fields = FIELDS.iter().filter_map(|name| Some((*name, params.owned(name)?))).collect();
    let scope = params.owned("scope").unwrap_or_default();
    let state = params.owned("state").ok_or("state is missing.")?;
    Ok((Asked { redirect, state, scope, challenge, fields }, params))
}

fn approve(world: &World, service: Service, asked: &Asked, id: &str) -> Option<String> {
    let mut state = world.state();
    let approval =
        Approval { service, id: id.to_owned(), scope: asked.scope.clone(), challenge: asked.challenge.clone() };
    state.elsewhere.account(&approval)?;
    let code = state.elsewhere.secret("c-");
    state.elsewhere.codes.insert(code.clone(), approval);
    Some(code)
}

/// With what each of them adds to an answer.
fn back(world: &World, service: Service, asked: Asked, code: Option<String>) -> Response {
    let mut to = asked.redirect;
    {
        let mut query = to.query_pairs_mut();
        match (&code, service) {
            (Some(code), _) => query.append_pair("code", code),
            (None, Service::Facebook) => query
                .append_pair("error", "access_denied")
                .append_pair("error_code", "200")
                .append_pair("error_description", "Permissions error")
                .append_pair("error_reason", "user_denied"),
            (None, Service::GitHub) => query
                .append_pair("error", "access_denied")
                .append_pair("error_description", "The user has denied your application access."),
            (None, _) => query.append_pair("error", "access_denied"),
        };
        query.append_pair("state", &asked.state);
        if service == Service::Google {
            let issuer = format!("{}/google", world.settings().base());
            query.append_pair("iss", &issuer).append_pair("scope", &asked.scope).append_pair("prompt", "consent");
        }
    }
    if service == Service::Facebook {
        to.set_fragment(Some("_=_"));
    }
    let headers = [
        (header::LOCATION, to.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

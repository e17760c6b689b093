//! Who a token stands for.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Account, Service, refused};
use crate::World;
use crate::form::Params;

/// The handler.
pub(super) async fn answer(
    service: Service,
    State(world): State<World>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match asked(service, &world, &headers) {
        Err(refusal) => refusal,
        Ok((account, scope)) => told(service, &account, &scope, &query.unwrap_or_default()),
    }
}

/// GitHub's list of addresses.
pub(super) async fn emails(State(world): State<World>, headers: HeaderMap) -> Response {
    match asked(Service::GitHub, &world, &headers) {
        Err(refusal) => refusal,
        Ok((_, scope)) if !has(&scope, "user:email") => {
            refused::answer(404, json!({"message": "Not Found", "status": "404"}))
        }
        Ok((account, _)) => {
            let first = json!({"email": "kept-for-notifications@example.net", "primary": false, "verified": true, "visibility": null});
            let own = account.email.map(
                |email| json!({"email": email, "primary": true, "verified": account.verified, "visibility": "private"}),
            );
            Json([first].into_iter().chain(own).collect::<Vec<_>>()).into_response()
        }
    }
}

/// Whose token the question bears, and what it covers.
fn asked(service: Service, world: &World, headers: &HeaderMap) -> Result<(Account, String), Response> {
    if service == Service::GitHub && !headers.contains_key(header::USER_AGENT) {
        let what = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.";
        return Err(refused::answer(403, json!({ "message": what })));
    }
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let state = world.state();
    let approval = bearer.and_then(|token| state.elsewhere.tokens.get(token)).filter(|told| told.service == service);
    let account =
        approval.and_then(|approval| Some((state.elsewhere.account(approval)?.clone(), approval.scope.clone())));
    account.ok_or_else(|| refused::stranger(service))
}

fn has(scope: &str, wanted: &str) -> bool {
    scope.split([' ', ',']).any(|scope| scope == wanted)
}

fn told(service: Service, account: &Account, scope: &str, query: &str) -> Response {
    match service {
        Service::Google => Json(google(account, scope)).into_response(),
        Service::GitHub => {
            let id: u64 = account.id.parse().unwrap_or_default();
            // The public address, which most people do not show and nobody has verified.
            Json(json!({"login": account.login, "id": id, "name": account.name, "email": null, "type": "User"}))
                .into_response()
        }
        Service::Facebook => Json(facebook(account, scope, query)).into_response(),
        Service::X if has(scope, "users.read") && has(scope, "tweet.read") => {
            let data = json!({"id": account.id, "name": account.name, "username": account.login});
            Json(json!({ "data": data })).into_response()
        }
        Service::X => refused::answer(
            403,
            json!({"title": "Forbidden", "type": "about:blank", "status": 403, "detail": "Forbidden"}),
        ),
    }
}

fn google(account: &Account, scope: &str) -> Value {
    let mut told = json!({"sub": account.id});
    if has(scope, "profile") {
        told["name"] = json!(account.name);
    }
    if let Some(email) = account.email.as_ref().filter(|_| has(scope, "email")) {
        (told["email"], told["email_verified"]) = (json!(email), json!(account.verified));
    }
    told
}

/// Only the fields that are asked for, and of those only what there is.
fn facebook(account: &Account, scope: &str, query: &str) -> Value {
    let params = Params::read(query).ok();
    let fields = params.and_then(|params| params.owned("fields")).unwrap_or_else(|| "id,name".into());
    let asked = |field: &str| fields.split(',').any(|asked| asked == field);
    let mut told = json!({"id": account.id});
    if asked("name") {
        told["name"] = json!(account.name);
    }
    if let Some(email) = account.email.as_ref().filter(|_| asked("email") && has(scope, "email")) {
        told["email"] = json!(email);
    }
    told
}

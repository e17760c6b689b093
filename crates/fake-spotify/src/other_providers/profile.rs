//! The userinfo endpoints of the other providers.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::accounts::Account;
use super::errors;
use super::provider::OtherProvider;
use crate::params::Params;
use crate::state::FakeSpotify;

/// Shows the account of the access token.
pub(super) async fn show(
    provider: OtherProvider,
    State(fake): State<FakeSpotify>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match authorized_account(provider, &fake, &headers) {
        Err(error) => error,
        Ok((account, scope)) => profile_response(provider, &account, &scope, &query.unwrap_or_default()),
    }
}

/// `GET /github/user/emails`.
pub(super) async fn list_github_emails(State(fake): State<FakeSpotify>, headers: HeaderMap) -> Response {
    match authorized_account(OtherProvider::GitHub, &fake, &headers) {
        Err(error) => error,
        Ok((_, scope)) if !has_scope(&scope, "user:email") => {
            errors::json_response(404, json!({"message": "Not Found", "status": "404"}))
        }
        Ok((account, _)) => {
            let secondary = json!({"email": "kept-for-notifications@example.net", "primary": false, "verified": true, "visibility": null});
            let primary = account.email.map(
                |email| json!({"email": email, "primary": true, "verified": account.is_email_verified, "visibility": "private"}),
            );
            Json([secondary].into_iter().chain(primary).collect::<Vec<_>>()).into_response()
        }
    }
}

/// The account and the scope of the access token, or an error response.
fn authorized_account(
    provider: OtherProvider,
    fake: &FakeSpotify,
    headers: &HeaderMap,
) -> Result<(Account, String), Response> {
    if provider == OtherProvider::GitHub && !headers.contains_key(header::USER_AGENT) {
        let message =
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.";
        return Err(errors::json_response(403, json!({ "message": message })));
    }
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let providers = &fake.state().other_providers;
    let authorization = bearer.and_then(|token| providers.access_tokens.get(token));
    let authorization = authorization.filter(|found| found.provider == provider);
    let account = authorization.and_then(|found| Some((providers.account(found)?.clone(), found.scope.clone())));
    account.ok_or_else(|| errors::invalid_token(provider))
}

fn has_scope(scope: &str, required: &str) -> bool {
    scope.split([' ', ',']).any(|scope| scope == required)
}

fn profile_response(provider: OtherProvider, account: &Account, scope: &str, query: &str) -> Response {
    match provider {
        OtherProvider::Google => Json(google(account, scope)).into_response(),
        OtherProvider::GitHub => {
            let id: u64 = account.id.parse().unwrap_or_default();
            // `email` is the public address, which is unverified and hidden by default.
            Json(json!({"login": account.login, "id": id, "name": account.name, "email": null, "type": "User"}))
                .into_response()
        }
        OtherProvider::Facebook => Json(facebook(account, scope, query)).into_response(),
        OtherProvider::X if has_scope(scope, "users.read") && has_scope(scope, "tweet.read") => {
            let data = json!({"id": account.id, "name": account.name, "username": account.login});
            Json(json!({ "data": data })).into_response()
        }
        OtherProvider::X => errors::json_response(
            403,
            json!({"title": "Forbidden", "type": "about:blank", "status": 403, "detail": "Forbidden"}),
        ),
    }
}

fn google(account: &Account, scope: &str) -> Value {
    let mut profile = json!({"sub": account.id});
    if has_scope(scope, "profile") {
        profile["name"] = json!(account.name);
    }
    if let Some(email) = account.email.as_ref().filter(|_| has_scope(scope, "email")) {
        (profile["email"], profile["email_verified"]) = (json!(email), json!(account.is_email_verified));
    }
    profile
}

/// The requested fields that have a value.
fn facebook(account: &Account, scope: &str, query: &str) -> Value {
    let params = Params::parse(query).ok();
    let fields = params.and_then(|params| params.get_owned("fields")).unwrap_or_else(|| "id,name".into());
    let is_requested = |field: &str| fields.split(',').any(|requested| requested == field);
    let mut profile = json!({"id": account.id});
    if is_requested("name") {
        profile["name"] = json!(account.name);
    }
    if let Some(email) = account.email.as_ref().filter(|_| is_requested("email") && has_scope(scope, "email")) {
        profile["email"] = json!(email);
    }
    profile
}

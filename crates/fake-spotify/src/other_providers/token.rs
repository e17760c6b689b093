//! The token endpoints of the other providers.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::errors::{self, Rejection};
use super::provider::{OtherProvider, RegisteredClient};
use super::state::Authorization;
use crate::params::Params;
use crate::pkce;
use crate::scenario::Scenario;
use crate::state::FakeSpotify;

const MAX_BODY_BYTES: usize = 64 * 1024;

/// Exchanges an authorization code for an access token.
pub(super) async fn exchange(provider: OtherProvider, State(fake): State<FakeSpotify>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default();
    let text = match parts.method {
        Method::GET => parts.uri.query().unwrap_or_default().to_owned(),
        _ => String::from_utf8_lossy(&body).into_owned(),
    };
    let tokens = Params::parse(&text).map_err(|_| Rejection::InvalidCode).and_then(|params| {
        let client = fake.settings().client_of(provider).ok_or(Rejection::InvalidClient)?;
        authenticate_client(client, &parts.headers, &params)?;
        exchange_code(&fake, client, &params)
    });
    match tokens {
        Err(rejection) => errors::token_error(provider, rejection),
        Ok(tokens) => token_response(provider, &parts.headers, tokens),
    }
}

/// `POST /revoke` of Google and X (RFC 7009), and GitHub's `DELETE /applications/{client_id}/token`.
pub(super) async fn revoke(provider: OtherProvider, State(fake): State<FakeSpotify>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default();
    let Some(client) = fake.settings().client_of(provider) else {
        return errors::token_error(provider, Rejection::InvalidClient);
    };
    let params = Params::parse(&String::from_utf8_lossy(&body)).unwrap_or_default();
    let is_authenticated = match provider {
        OtherProvider::GitHub => is_authenticated_by_header(client, &parts.headers),
        // Whoever has a token may revoke it.
        OtherProvider::Google => true,
        _ => authenticate_client(client, &parts.headers, &params).is_ok(),
    };
    let json = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let token = params.get("token").or(json["access_token"].as_str()).unwrap_or_default();
    let revoked = is_authenticated.then(|| fake.state().other_providers.access_tokens.remove(token)).flatten();
    match (revoked, provider) {
        (None, _) => errors::invalid_token(provider),
        (Some(_), OtherProvider::GitHub) => StatusCode::NO_CONTENT.into_response(),
        (Some(_), OtherProvider::X) => Json(json!({"revoked": true})).into_response(),
        (Some(_), _) => Json(json!({})).into_response(),
    }
}

/// GitHub sends a form unless the client accepts JSON.
fn token_response(provider: OtherProvider, headers: &HeaderMap, tokens: Value) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if provider != OtherProvider::GitHub || accept.contains("json") {
        return Json(tokens).into_response();
    }
    let fields = tokens.as_object().into_iter().flatten().map(|(name, value)| (name, value.as_str().unwrap_or("")));
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    ([(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")], form).into_response()
}

/// X expects the secret in the header, Facebook and GitHub in the form; Google accepts both.
fn authenticate_client(client: &RegisteredClient, headers: &HeaderMap, params: &Params) -> Result<(), Rejection> {
    let by_header = is_authenticated_by_header(client, headers);
    let by_form = params.get("client_id") == Some(client.client_id.as_str())
        && params.get("client_secret") == Some(client.client_secret.as_str());
    let is_authenticated = match client.provider {
        OtherProvider::X => by_header,
        OtherProvider::Google => by_header || by_form,
        OtherProvider::GitHub | OtherProvider::Facebook => by_form,
    };
    is_authenticated.then_some(()).ok_or(Rejection::InvalidClient)
}

fn is_authenticated_by_header(client: &RegisteredClient, headers: &HeaderMap) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(format!("{}:{}", client.client_id, client.client_secret)));
    headers.get(header::AUTHORIZATION).is_some_and(|sent| sent.as_bytes() == expected.as_bytes())
}

fn exchange_code(fake: &FakeSpotify, client: &RegisteredClient, params: &Params) -> Result<Value, Rejection> {
    let mut state = fake.state();
    if state.request_log.scenarios.contains(&Scenario::RejectedCodes) {
        return Err(Rejection::InvalidCode);
    }
    let code = params.get("code").ok_or(Rejection::InvalidCode)?;
    let authorization = state.other_providers.codes.remove(code).filter(|found| found.provider == client.provider);
    let authorization = authorization.ok_or(Rejection::InvalidCode)?;
    let same_redirect_uri = params.get("redirect_uri") == Some(client.redirect_uri.as_str());
    if !same_redirect_uri || !verifier_is_valid(&authorization, params.get("code_verifier")) {
        return Err(Rejection::InvalidCode);
    }
    let access_token = state.other_providers.issued_secrets.issue("t-", 30);
    let mut tokens = json!({"access_token": access_token, "token_type": "bearer"});
    match client.provider {
        // Comma-separated scopes and no expiry.
        OtherProvider::GitHub => tokens["scope"] = authorization.scope.replace(' ', ",").into(),
        OtherProvider::Facebook => tokens["expires_in"] = 5_183_944.into(),
        OtherProvider::Google => {
            tokens["expires_in"] = 3599.into();
            tokens["scope"] = authorization.scope.as_str().into();
            let claims = match authorization.has_max_age {
                true => json!({"sub": authorization.account_id, "auth_time": state.now().unix_timestamp()}),
                false => json!({"sub": authorization.account_id}),
            };
            tokens["id_token"] = format!("e30.{}.made-up", URL_SAFE_NO_PAD.encode(claims.to_string())).into();
        }
        OtherProvider::X => {
            tokens["expires_in"] = 7200.into();
            tokens["scope"] = authorization.scope.as_str().into();
        }
    }
    state.other_providers.access_tokens.insert(access_token, authorization);
    Ok(tokens)
}

fn verifier_is_valid(authorization: &Authorization, verifier: Option<&str>) -> bool {
    match (&authorization.code_challenge, verifier) {
        (Some(challenge), Some(verifier)) => pkce::verifier_matches(challenge, verifier),
        (None, None) => true,
        _ => false,
    }
}

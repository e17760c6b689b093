//! The token endpoint, with the grant types authorization code, refresh token and client credentials.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::grants::{Authorization, TokenError, Tokens};
use crate::params::Params;
use crate::pkce;
use crate::settings::Settings;
use crate::state::{self, FakeSpotify};

/// `POST /api/token`. Spotify answers 415 to anything but a form, and 400 to every other error.
pub(crate) async fn issue(State(fake): State<FakeSpotify>, headers: HeaderMap, body: String) -> Response {
    if !is_form(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    match grant_tokens(&fake, &headers, &body) {
        Ok(tokens) => (no_store, Json(tokens)).into_response(),
        Err(TokenError(error, description)) => {
            let mut body = json!({ "error": error });
            if let Some(description) = description {
                body["error_description"] = description.into();
            }
            (StatusCode::BAD_REQUEST, no_store, Json(body)).into_response()
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = content_type.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn token_response(tokens: &Tokens) -> Value {
    let mut body = json!({
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in.as_secs(),
        "scope": tokens.scope,
    });
    if let Some(refresh) = &tokens.refresh_token {
        body["refresh_token"] = refresh.as_str().into();
    }
    body
}

fn grant_tokens(fake: &FakeSpotify, headers: &HeaderMap, body: &str) -> Result<Value, TokenError> {
    let params = Params::parse(body).map_err(|_| TokenError::invalid_request("A parameter was sent twice"))?;
    let authorization = headers.get(header::AUTHORIZATION);
    let basic = authorization.map(|value| value.to_str().unwrap_or(""));
    authenticate_client(basic, &params, fake.settings())?;
    let mut state = fake.state();
    match params.get("grant_type") {
        Some("authorization_code") => exchange_code(&mut state, &params).map(|tokens| token_response(&tokens)),
        Some("refresh_token") => refresh_tokens(&mut state, &params).map(|tokens| token_response(&tokens)),
        Some("client_credentials") => Ok(issue_client_token(&mut state)),
        Some(_) => Err(TokenError(
            "unsupported_grant_type",
            Some("grant_type must be client_credentials, authorization_code or refresh_token"),
        )),
        None => Err(TokenError("unsupported_grant_type", Some("grant_type parameter is missing"))),
    }
}

/// Authenticates the client by HTTP Basic or by the body, but not by both (RFC 6749 §2.3).
fn authenticate_client(basic: Option<&str>, params: &Params, settings: &Settings) -> Result<(), TokenError> {
    const INVALID: TokenError = TokenError::invalid_client("Invalid client");
    let id = params.get("client_id");
    let secret = params.get("client_secret");
    if id.is_some_and(|id| id != settings.client_id) {
        return Err(INVALID);
    }
    match (basic, id, secret) {
        (Some(_), _, Some(_)) => Err(TokenError::invalid_request("More than one client authentication method")),
        (Some(header), _, None) => {
            let expected = format!("{}:{}", settings.client_id, settings.client_secret);
            let sent = header.strip_prefix("Basic ").map(str::trim);
            let sent = sent.and_then(|sent| STANDARD.decode(sent).ok());
            if sent.as_deref() == Some(expected.as_bytes()) { Ok(()) } else { Err(INVALID) }
        }
        (None, Some(_), Some(secret)) if secret == settings.client_secret => Ok(()),
        (None, Some(_), _) => Err(INVALID),
        (None, None, _) => Err(TokenError("invalid_client", None)),
    }
}

fn exchange_code(state: &mut state::State, params: &Params) -> Result<Tokens, TokenError> {
    let code = params.get("code").ok_or(TokenError::invalid_request("code must be supplied"))?;
    let now = state.now();
    let authorization = state.grants.take_code(code, now)?;
    let redirect_uri = params.get("redirect_uri");
    let redirect_uri = redirect_uri.ok_or(TokenError::invalid_request("redirect_uri must be supplied"))?;
    if redirect_uri != authorization.redirect_uri {
        return Err(TokenError::invalid_grant("Invalid redirect URI"));
    }
    check_verifier(&authorization, params.get("code_verifier"))?;
    let lifetime = state.switches.access_token_lifetime;
    Ok(state.grants.issue_tokens(&authorization, now, lifetime))
}

/// A verifier is required exactly if there was a challenge (RFC 9700 §2.1.1).
fn check_verifier(authorization: &Authorization, verifier: Option<&str>) -> Result<(), TokenError> {
    match (&authorization.code_challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(TokenError::invalid_request("code_verifier without code_challenge")),
        (Some(_), None) => Err(TokenError::invalid_request("code_verifier required")),
        (Some(challenge), Some(verifier)) if pkce::verifier_matches(challenge, verifier) => Ok(()),
        (Some(_), Some(_)) => Err(TokenError::invalid_grant("code_verifier was incorrect")),
    }
}

fn refresh_tokens(state: &mut state::State, params: &Params) -> Result<Tokens, TokenError> {
    let token = params.get("refresh_token");
    let token = token.ok_or(TokenError::invalid_request("refresh_token must be supplied"))?;
    let (now, switches) = (state.now(), state.switches.clone());
    state.grants.refresh(token, now, &switches)
}

/// Issues a token for the app itself, which has no scope and no refresh token (RFC 6749 §4.4).
fn issue_client_token(state: &mut state::State) -> Value {
    let (now, lifetime) = (state.now(), state.switches.access_token_lifetime);
    let access_token = state.grants.issue_client_token(now, lifetime);
    json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": lifetime.as_secs() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            base_url: url::Url::parse("http://127.0.0.1:1/").unwrap(),
            app_name: "App".into(),
            client_id: "app".into(),
            client_secret: "shh".into(),
            redirect_uris: Vec::new(),
            other_clients: Vec::new(),
        }
    }

    fn authenticate(basic: Option<&str>, body: &str) -> Result<(), TokenError> {
        authenticate_client(basic, &Params::parse(body).ok().unwrap(), &settings())
    }

    #[test]
    fn the_client_authenticates_by_one_method() {
        let invalid = Err(TokenError::invalid_client("Invalid client"));
        let basic = "Basic YXBwOnNoaA==";
        assert_eq!(authenticate(Some(basic), ""), Ok(()));
        assert_eq!(authenticate(Some(basic), "client_id=app"), Ok(()));
        assert_eq!(authenticate(None, "client_id=app&client_secret=shh"), Ok(()));
        assert_eq!(authenticate(None, "client_id=app"), invalid);
        assert_eq!(authenticate(Some("Basic YXBwOm5v"), ""), invalid);
        assert_eq!(authenticate(Some("Bearer YXBwOnNoaA=="), ""), invalid);
        assert_eq!(authenticate(Some(basic), "client_id=other"), invalid);
        assert_eq!(authenticate(None, "client_id=app&client_secret=no"), invalid);
        assert_eq!(authenticate(None, ""), Err(TokenError("invalid_client", None)));
        assert!(authenticate(Some(basic), "client_id=app&client_secret=shh").is_err());
    }
}

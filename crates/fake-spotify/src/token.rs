//! `POST /api/token`: codes into tokens, refresh tokens into tokens, the app's secret into a token of its own.

use super::World;
use super::form::Params;
use super::grants::{Approval, Refusal, Tokens};
use super::world::{Settings, State as WorldState};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Who calls: the app with its secret, or with nothing but its name (PKCE's public client).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Secret,
    Public,
}

/// The handler. Anything but a form is 415; every refusal is 400 with the words of OAuth.
pub(super) async fn answer(State(world): State<World>, headers: HeaderMap, body: String) -> Response {
    if !is_form(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    match tokens(&world, &headers, &body) {
        Ok(tokens) => (no_store, Json(tokens)).into_response(),
        Err(Refusal(error, description)) => {
            let mut body = json!({ "error": error });
            if let Some(description) = description {
                body["error_description"] = description.into();
            }
            (StatusCode::BAD_REQUEST, no_store, Json(body)).into_response()
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn granted(tokens: &Tokens) -> Value {
    let mut body = json!({
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": tokens.life.as_secs(),
        "scope": tokens.scope,
    });
    if let Some(refresh) = &tokens.refresh {
        body["refresh_token"] = refresh.as_str().into();
    }
    body
}

fn tokens(world: &World, headers: &HeaderMap, body: &str) -> Result<Value, Refusal> {
    let params = Params::read(body).map_err(|_| invalid("A parameter came more than once"))?;
    let authorization = headers.get(header::AUTHORIZATION);
    let basic = authorization.map(|value| value.to_str().unwrap_or(""));
    let caller = caller(basic, &params, world.settings())?;
    let mut state = world.state();
    match params.get("grant_type") {
        Some("authorization_code") => exchange(&mut state, &params, caller).map(|tokens| granted(&tokens)),
        Some("refresh_token") => refresh(&mut state, &params, caller).map(|tokens| granted(&tokens)),
        Some("client_credentials") => introduce(&mut state, caller),
        Some(_) => Err(Refusal(
            "unsupported_grant_type",
            Some("grant_type must be client_credentials, authorization_code or refresh_token"),
        )),
        None => Err(Refusal("unsupported_grant_type", Some("grant_type parameter is missing"))),
    }
}

/// Basic credentials or those of the body, but not a secret in both (RFC 6749 §2.3).
fn caller(basic: Option<&str>, params: &Params, app: &Settings) -> Result<Caller, Refusal> {
    const WRONG: Refusal = Refusal("invalid_client", Some("Invalid client"));
    let id = params.get("client_id");
    let secret = params.get("client_secret");
    if id.is_some_and(|id| id != app.client_id) {
        return Err(WRONG);
    }
    match (basic, id, secret) {
        (Some(_), _, Some(_)) => Err(invalid("More than one way to name the client")),
        (Some(header), _, None) => {
            let right = format!("{}:{}", app.client_id, app.client_secret);
            let shown = header.strip_prefix("Basic ").map(str::trim);
            let shown = shown.and_then(|shown| STANDARD.decode(shown).ok());
            if shown.as_deref() == Some(right.as_bytes()) { Ok(Caller::Secret) } else { Err(WRONG) }
        }
        (None, Some(_), Some(secret)) if secret == app.client_secret => Ok(Caller::Secret),
        (None, Some(_), Some(_)) => Err(WRONG),
        (None, Some(_), None) => Ok(Caller::Public),
        (None, None, _) => Err(Refusal("invalid_client", None)),
    }
}

fn exchange(state: &mut WorldState, params: &Params, caller: Caller) -> Result<Tokens, Refusal> {
    let code = params.get("code").ok_or(invalid("code must be supplied"))?;
    let now = state.now();
    let approval = state.grants.take_code(code, now)?;
    let redirect_uri = params.get("redirect_uri");
    let redirect_uri = redirect_uri.ok_or(invalid("redirect_uri must be supplied"))?;
    if redirect_uri != approval.redirect_uri {
        return Err(Refusal::grant("Invalid redirect URI"));
    }
    check_verifier(&approval, params.get("code_verifier"))?;
    let public = caller == Caller::Public;
    if public && approval.challenge.is_none() {
        return Err(Refusal("invalid_client", Some("Invalid client")));
    }
    let life = state.switches.access_token_life;
    Ok(state.grants.exchange(&approval, public, now, life))
}

/// A verifier is demanded exactly when a challenge was given (RFC 9700 §2.1.1).
fn check_verifier(approval: &Approval, verifier: Option<&str>) -> Result<(), Refusal> {
    match (&approval.challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(invalid("code_verifier without code_challenge")),
        (Some(_), None) => Err(invalid("code_verifier required")),
        (Some(challenge), Some(verifier)) if matches(challenge, verifier) => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::grant("code_verifier was incorrect")),
    }
}

/// RFC 7636 §4.1 and §4.6.
pub(super) fn matches(challenge: &str, verifier: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

fn refresh(state: &mut WorldState, params: &Params, caller: Caller) -> Result<Tokens, Refusal> {
    let token = params.get("refresh_token");
    let token = token.ok_or(invalid("refresh_token must be supplied"))?;
    let (now, switches) = (state.now(), state.switches.clone());
    let public = caller == Caller::Public;
    state.grants.refresh(token, public, now, &switches)
}

/// A token for the app itself: no scope, no refresh token, and never without the secret.
fn introduce(state: &mut WorldState, caller: Caller) -> Result<Value, Refusal> {
    if caller == Caller::Public {
        return Err(Refusal("invalid_client", Some("Invalid client secret")));
    }
    let (now, life) = (state.now(), state.switches.access_token_life);
    let access = state.grants.app_token(now, life);
    Ok(json!({ "access_token": access, "token_type": "Bearer", "expires_in": life.as_secs() }))
}

const fn invalid(description: &'static str) -> Refusal {
    Refusal("invalid_request", Some(description))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> Settings {
        Settings {
            base: url::Url::parse("http://127.0.0.1:1/").unwrap(),
            client_id: "app".into(),
            client_secret: "shh".into(),
            redirect_uris: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    fn who(basic: Option<&str>, body: &str) -> Result<Caller, Refusal> {
        caller(basic, &Params::read(body).ok().unwrap(), &app())
    }

    #[test]
    fn the_app_names_itself_in_one_way() {
        let wrong = Err(Refusal("invalid_client", Some("Invalid client")));
        let right = "Basic YXBwOnNoaA==";
        assert_eq!(who(Some(right), ""), Ok(Caller::Secret));
        assert_eq!(who(Some(right), "client_id=app"), Ok(Caller::Secret));
        assert_eq!(who(None, "client_id=app&client_secret=shh"), Ok(Caller::Secret));
        assert_eq!(who(None, "client_id=app"), Ok(Caller::Public));
        assert_eq!(who(Some("Basic YXBwOm5v"), ""), wrong);
        assert_eq!(who(Some("Bearer YXBwOnNoaA=="), ""), wrong);
        assert_eq!(who(Some(right), "client_id=other"), wrong);
        assert_eq!(who(None, "client_id=app&client_secret=no"), wrong);
        assert_eq!(who(None, ""), Err(Refusal("invalid_client", None)));
        assert!(who(Some(right), "client_id=app&client_secret=shh").is_err());
    }

    #[test]
    fn the_example_of_rfc_7636_matches() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(matches(challenge, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!matches(challenge, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"));
        assert!(!matches(challenge, "short"));
    }
}

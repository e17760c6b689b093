//! Codes into tokens.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::refused::{self, No};
use super::{Approval, Registered, Service};
use crate::World;
use crate::form::Params;
use crate::token::matches;

/// The handler.
pub(super) async fn answer(service: Service, State(world): State<World>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 64 * 1024).await.unwrap_or_default();
    let text = match parts.method {
        Method::GET => parts.uri.query().unwrap_or_default().to_owned(),
        _ => String::from_utf8_lossy(&body).into_owned(),
    };
    let tokens = Params::read(&text).map_err(|_| No::Code).and_then(|params| {
        let app = world.registered(service).ok_or(No::App)?;
        known(service, app, &parts.headers, &params)?;
        redeem(&world, service, app, &params)
    });
    match tokens {
        Err(no) => refused::token(service, no),
        Ok(tokens) => dialect(service, &parts.headers, tokens),
    }
}

/// GitHub answers with a form to who does not ask for JSON.
fn dialect(service: Service, headers: &HeaderMap, tokens: Value) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if service != Service::GitHub || accept.contains("json") {
        return Json(tokens).into_response();
    }
    let fields = tokens.as_object().into_iter().flatten().map(|(name, value)| (name, value.as_str().unwrap_or("")));
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    ([(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")], form).into_response()
}

/// X wants the secret in the header; Facebook and GitHub look for it in the form; Google takes both.
fn known(service: Service, app: &Registered, headers: &HeaderMap, params: &Params) -> Result<(), No> {
    let right = format!("Basic {}", STANDARD.encode(format!("{}:{}", app.client_id, app.client_secret)));
    let header = headers.get(header::AUTHORIZATION).is_some_and(|shown| shown.as_bytes() == right.as_bytes());
    let form = params.get("client_id") == Some(app.client_id.as_str())
        && params.get("client_secret") == Some(app.client_secret.as_str());
    let known = match service {
        Service::X => header,
        Service::Google => header || form,
        Service::GitHub | Service::Facebook => form,
    };
    known.then_some(()).ok_or(No::App)
}

fn redeem(world: &World, service: Service, app: &Registered, params: &Params) -> Result<Value, No> {
    let mut state = world.state();
    if state.journal.codes_are_refused() {
        return Err(No::Code);
    }
    let code = params.get("code").ok_or(No::Code)?;
    let approval = state.elsewhere.codes.remove(code).filter(|approval| approval.service == service).ok_or(No::Code)?;
    let same_place = params.get("redirect_uri") == Some(app.redirect_uri.as_str());
    if !same_place || !proven(&approval, params.get("code_verifier")) {
        return Err(No::Code);
    }
    let access = state.elsewhere.secret("t-");
    let mut tokens = json!({"access_token": access, "token_type": "bearer"});
    match service {
        // Separated by commas, and never over.
        Service::GitHub => tokens["scope"] = approval.scope.replace(' ', ",").into(),
        Service::Facebook => tokens["expires_in"] = 5_183_944.into(),
        Service::Google => {
            tokens["expires_in"] = 3599.into();
            tokens["scope"] = approval.scope.as_str().into();
            tokens["id_token"] = "e30.e30.made-up".into();
        }
        Service::X => {
            tokens["expires_in"] = 7200.into();
            tokens["scope"] = approval.scope.as_str().into();
        }
    }
    state.elsewhere.tokens.insert(access, approval);
    Ok(tokens)
}

fn proven(approval: &Approval, verifier: Option<&str>) -> bool {
    match (&approval.challenge, verifier) {
        (Some(challenge), Some(verifier)) => matches(challenge, verifier),
        (None, None) => true,
        _ => false,
    }
}

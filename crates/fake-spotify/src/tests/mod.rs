//! The stand-in, asked over its router as a client would ask it.

mod api;
mod oddities;
mod panel;
mod signing_in;

use super::{Endpoint, Settings, World, router};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tower::ServiceExt as _;

const REDIRECT: &str = "http://127.0.0.1:8080/auth/spotify/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const SCOPES: &str = "playlist-read-private playlist-read-collaborative";

fn world() -> World {
    World::new(Settings {
        base: url::Url::parse("http://127.0.0.1:8080/fake-spotify").unwrap(),
        client_id: "app".into(),
        client_secret: "shh".into(),
        redirect_uris: vec![REDIRECT.into(), "https://app.test/cb?x=1".into()],
        elsewhere: Vec::new(),
    })
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

async fn send(world: &World, request: Request<Body>) -> Answer {
    let response = router(world.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

async fn get(world: &World, path: &str) -> Answer {
    send(world, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn get_as(world: &World, token: &str, path: &str) -> Answer {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    send(world, request.body(Body::empty()).unwrap()).await
}

async fn post(world: &World, path: &str, form: &[(&str, &str)], basic: bool) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if basic {
        let credentials = format!("Basic {}", STANDARD.encode("app:shh"));
        request = request.header(header::AUTHORIZATION, credentials);
    }
    send(world, request.body(Body::from(body)).unwrap()).await
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// The parameters of a good authorization request, `(name, value)` replaced or, if empty, left out.
fn asking<'a>(challenge: &'a str, changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut params = vec![
        ("client_id", "app"),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", SCOPES),
        ("state", "st&te"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ];
    for change in changed {
        params.retain(|(name, _)| *name != change.0);
        params.push(*change);
    }
    params.retain(|(_, value)| !value.is_empty());
    params
}

async fn authorize(world: &World, changed: &[(&str, &str)]) -> Answer {
    let challenge = challenge();
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(asking(&challenge, changed)).finish();
    get(world, &format!("/authorize?{query}")).await
}

/// The answer to the form of the consent page.
async fn decide(world: &World, changed: &[(&str, &str)]) -> Answer {
    let challenge = challenge();
    let mut form = vec![("listener", "mira"), ("decision", "approve")];
    form.retain(|(name, _)| changed.iter().all(|(changed, _)| changed != name));
    form.extend(asking(&challenge, changed));
    post(world, "/authorize/decision", &form, false).await
}

fn query_of(answer: &Answer, name: &str) -> Option<String> {
    let url = url::Url::parse(answer.header("location")).unwrap();
    let mut pairs = url.query_pairs();
    pairs.find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
}

async fn code_for(world: &World, listener: &str) -> String {
    let answer = decide(world, &[("listener", listener)]).await;
    query_of(&answer, "code").unwrap()
}

async fn exchange(world: &World, code: &str, changed: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    form.retain(|(name, _)| changed.iter().all(|(changed, _)| changed != name));
    form.extend(changed.iter().filter(|(_, value)| !value.is_empty()));
    post(world, "/api/token", &form, true).await
}

async fn refresh(world: &World, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    post(world, "/api/token", &form, true).await
}

fn assert_refused(answer: &Answer, error: &str, description: &str) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.json()["error"], error);
    assert_eq!(answer.json()["error_description"], description);
}

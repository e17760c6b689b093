//! Tests that send requests to the router.

mod api;
mod messy_data;
mod panel;
mod sign_in;

use super::{Endpoint, FakeSpotify, Settings, router};
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

fn server() -> FakeSpotify {
    FakeSpotify::new(Settings {
        base_url: url::Url::parse("http://127.0.0.1:8080/fake-spotify").unwrap(),
        app_name: "App".into(),
        client_id: "app".into(),
        client_secret: "shh".into(),
        redirect_uris: vec![REDIRECT.into(), "https://app.test/cb?x=1".into()],
        other_clients: Vec::new(),
    })
}

struct TestResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl TestResponse {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

async fn send(fake: &FakeSpotify, request: Request<Body>) -> TestResponse {
    let response = router(fake.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    TestResponse { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

async fn get(fake: &FakeSpotify, path: &str) -> TestResponse {
    send(fake, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn get_as(fake: &FakeSpotify, token: &str, path: &str) -> TestResponse {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    send(fake, request.body(Body::empty()).unwrap()).await
}

async fn post(fake: &FakeSpotify, path: &str, form: &[(&str, &str)], basic: bool) -> TestResponse {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if basic {
        let credentials = format!("Basic {}", STANDARD.encode("app:shh"));
        request = request.header(header::AUTHORIZATION, credentials);
    }
    send(fake, request.body(Body::from(body)).unwrap()).await
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// Parameters of a valid authorization request, with some replaced or, if empty, omitted.
fn authorization_params<'a>(challenge: &'a str, changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
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

async fn authorize(fake: &FakeSpotify, changed: &[(&str, &str)]) -> TestResponse {
    let challenge = challenge();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(authorization_params(&challenge, changed))
        .finish();
    get(fake, &format!("/authorize?{query}")).await
}

/// Submits the form of the consent page.
async fn decide(fake: &FakeSpotify, changed: &[(&str, &str)]) -> TestResponse {
    let challenge = challenge();
    let mut form = vec![("user", "mira"), ("decision", "approve")];
    form.retain(|(name, _)| changed.iter().all(|(changed, _)| changed != name));
    form.extend(authorization_params(&challenge, changed));
    post(fake, "/authorize/decision", &form, false).await
}

fn query_of(response: &TestResponse, name: &str) -> Option<String> {
    let url = url::Url::parse(response.header("location")).unwrap();
    let mut pairs = url.query_pairs();
    pairs.find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
}

async fn code_for(fake: &FakeSpotify, user: &str) -> String {
    let response = decide(fake, &[("user", user)]).await;
    query_of(&response, "code").unwrap()
}

async fn exchange(fake: &FakeSpotify, code: &str, changed: &[(&str, &str)]) -> TestResponse {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    form.retain(|(name, _)| changed.iter().all(|(changed, _)| changed != name));
    form.extend(changed.iter().filter(|(_, value)| !value.is_empty()));
    post(fake, "/api/token", &form, true).await
}

async fn refresh(fake: &FakeSpotify, token: &str) -> TestResponse {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    post(fake, "/api/token", &form, true).await
}

fn assert_token_error(response: &TestResponse, error: &str, description: &str) {
    assert_eq!(response.status, 400, "{}", response.body);
    assert_eq!(response.json()["error"], error);
    assert_eq!(response.json()["error_description"], description);
}

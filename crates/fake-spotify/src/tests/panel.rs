//! The panel.

use super::*;
use axum::http::Method;
use std::time::{Duration, Instant};

async fn submit(fake: &FakeSpotify, form: &str, name: &str, value: &str) -> TestResponse {
    let response = post(fake, &format!("/panel/{form}"), &[(name, value)], false).await;
    assert_eq!(response.status, 303, "{form} {name} {value}: {}", response.body);
    assert!(response.header("location").starts_with("/fake-spotify/panel#"));
    response
}

async fn turn(fake: &FakeSpotify, name: &str, value: &str) {
    submit(fake, "controls", name, value).await;
}

fn signed_in(fake: &FakeSpotify, key: &str) -> (String, String) {
    let tokens = fake.issue_tokens(key, SCOPES);
    (tokens.access_token, tokens.refresh_token.unwrap())
}

#[tokio::test]
async fn an_outage_lasts_until_it_is_turned_off() {
    let fake = server();
    let (access, fresh) = signed_in(&fake, "ada");
    turn(&fake, "outage", "on").await;
    for _ in 0..3 {
        assert_eq!(get_as(&fake, &access, "/v1/me").await.status, 502);
        assert_eq!(refresh(&fake, &fresh).await.status, 502);
    }
    let consent = authorize(&fake, &[]).await;
    assert!(consent.status == 200 && consent.body.contains("Some requests will fail"));
    turn(&fake, "outage", "off").await;
    assert_eq!(get_as(&fake, &access, "/v1/me").await.status, 200);
    assert!(!authorize(&fake, &[]).await.body.contains("Some requests will fail"));
}

#[tokio::test]
async fn the_token_endpoint_alone_can_be_down() {
    let fake = server();
    let (access, fresh) = signed_in(&fake, "ada");
    turn(&fake, "token-outage", "on").await;
    assert_eq!(refresh(&fake, &fresh).await.status, 502);
    assert_eq!(get_as(&fake, &access, "/v1/me").await.status, 200);
}

#[tokio::test]
async fn rate_limit_and_quota_have_different_responses() {
    let fake = server();
    let (access, _) = signed_in(&fake, "ada");
    let id = fake.user("ada").unwrap().playlists()[0].id.clone();
    turn(&fake, "quota-exceeded", "on").await;
    let one = get_as(&fake, &access, &format!("/v1/playlists/{id}")).await;
    assert_eq!((one.status.as_u16(), &one.json()["error"]["reason"]), (429, &"QUOTA_EXCEEDED".into()));
    assert_eq!(get_as(&fake, &access, "/v1/me/playlists").await.status, 200);
    turn(&fake, "rate-limit", "on").await;
    let me = get_as(&fake, &access, "/v1/me").await;
    assert_eq!((me.status.as_u16(), me.header("retry-after")), (429, "60"));
}

#[tokio::test]
async fn an_incomplete_library_fails_after_its_first_page() {
    let fake = server();
    let (access, _) = signed_in(&fake, "mira");
    turn(&fake, "incomplete-library", "on").await;
    let page = async |offset: &str| get_as(&fake, &access, &format!("/v1/me/playlists?limit=50{offset}")).await.status;
    assert_eq!(
        (page("").await, page("&offset=0").await, page("&offset=50").await),
        (StatusCode::OK, StatusCode::OK, StatusCode::BAD_GATEWAY)
    );
}

#[tokio::test]
async fn slow_responses_are_correct_and_three_seconds_late() {
    let fake = server();
    let (access, _) = signed_in(&fake, "ada");
    turn(&fake, "slow-responses", "on").await;
    let started = Instant::now();
    assert_eq!(get_as(&fake, &access, "/v1/me").await.status, 200);
    assert!(started.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn switches_can_be_turned_on_and_reset() {
    let fake = server();
    let (access, fresh) = signed_in(&fake, "ada");
    turn(&fake, "legacy-api", "on").await;
    assert_eq!(get_as(&fake, &access, "/v1/me").await.json()["product"], "premium");
    turn(&fake, "no-premium", "on").await;
    assert_eq!(get_as(&fake, &access, "/v1/me").await.status, 403);
    turn(&fake, "no-premium", "off").await;
    turn(&fake, "short-lived-tokens", "on").await;
    turn(&fake, "rotate-refresh-tokens", "on").await;
    let renewed = refresh(&fake, &fresh).await.json();
    assert!(renewed["expires_in"] == 20 && renewed["refresh_token"].is_string());
    assert_eq!(refresh(&fake, &fresh).await.status, 400);
    submit(&fake, "reset", "", "").await;
    let renewed = refresh(&fake, renewed["refresh_token"].as_str().unwrap()).await.json();
    assert!(renewed["expires_in"] == 3600 && renewed["refresh_token"].is_null());
    assert!(get_as(&fake, &access, "/v1/me").await.json()["product"].is_null());
}

#[tokio::test]
async fn the_clock_can_be_advanced_any_number_of_times() {
    let fake = server();
    let (access, fresh) = signed_in(&fake, "ada");
    submit(&fake, "clock", "advance", "hour").await;
    assert_eq!(get_as(&fake, &access, "/v1/me").await.status, 401);
    assert_eq!(refresh(&fake, &fresh).await.status, 200);
    submit(&fake, "clock", "advance", "six-months").await;
    assert_token_error(&refresh(&fake, &fresh).await, "invalid_grant", "Refresh token expired");
    (0..10).for_each(|_| fake.advance(Duration::MAX));
    assert_eq!(get(&fake, "/panel").await.status, 200);
}

#[tokio::test]
async fn the_panel_shows_controls_and_requests_without_secrets() {
    let fake = server();
    let (access, _) = signed_in(&fake, "ada");
    authorize(&fake, &[]).await;
    for offset in 0..40 {
        get_as(&fake, &access, &format!("/v1/me/playlists?limit=50&offset={offset}")).await;
    }
    get(&fake, "/covers/x").await;
    turn(&fake, "quota-exceeded", "on").await;
    let page = get(&fake, "/panel").await;
    assert!(page.body.contains("Turn off: Daily quota") && page.body.contains("Turn on: Outage"));
    assert!(
        page.body.contains("List of playlists <strong>40</strong>")
            && page.body.contains("Consent page <strong>1</strong>")
    );
    assert_eq!(page.body.matches("<code>").count(), 30);
    assert!(page.body.contains("offset=39") && !page.body.contains("offset=5<"));
    assert!(!page.body.contains("code_challenge") && !page.body.contains("/covers/x<"));
    assert!(page.body.contains(r#"<a href="http://127.0.0.1:8080/">"#), "the way back");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(fake.request_count(Endpoint::Authorize), 1, "the panel counts nothing of its own");
}

#[tokio::test]
async fn cross_site_and_invalid_forms_are_rejected() {
    let fake = server();
    for (act, body) in [("controls", "outage=on"), ("clock", "advance=hour"), ("reset", "")] {
        for site in ["cross-site", "same-site"] {
            let request = Request::post(format!("/panel/{act}")).header("sec-fetch-site", site);
            assert_eq!(send(&fake, request.body(Body::from(body)).unwrap()).await.status, 400, "{act} {site}");
        }
        let request = Request::builder().method(Method::GET).uri(format!("/panel/{act}?{body}"));
        assert_eq!(send(&fake, request.body(Body::empty()).unwrap()).await.status, 405);
    }
    for (act, body) in
        [("controls", "nothing=on"), ("controls", "outage=maybe"), ("controls", ""), ("clock", "advance=decade")]
    {
        let response = send(&fake, Request::post(format!("/panel/{act}")).body(Body::from(body)).unwrap()).await;
        assert_eq!(response.status, 400, "{act} {body}");
    }
    assert!(fake.state().request_log.scenarios.is_empty());
}

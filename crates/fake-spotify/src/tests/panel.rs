//! The panel: what its buttons change, and who may press them.

use super::*;
use axum::http::Method;
use std::time::{Duration, Instant};

async fn press(world: &World, act: &str, name: &str, value: &str) -> Answer {
    let answer = post(world, &format!("/panel/{act}"), &[(name, value)], false).await;
    assert_eq!(answer.status, 303, "{act} {name} {value}: {}", answer.body);
    assert!(answer.header("location").starts_with("/fake-spotify/panel#"));
    answer
}

async fn turn(world: &World, name: &str, to: &str) {
    press(world, "set", name, to).await;
}

fn signed_in(world: &World, key: &str) -> (String, String) {
    let tokens = world.sign_in(key, SCOPES);
    (tokens.access, tokens.refresh.unwrap())
}

#[tokio::test]
async fn an_outage_lasts_until_it_is_mended() {
    let world = world();
    let (access, fresh) = signed_in(&world, "ada");
    turn(&world, "outage", "on").await;
    for _ in 0..3 {
        assert_eq!(get_as(&world, &access, "/v1/me").await.status, 502);
        assert_eq!(refresh(&world, &fresh).await.status, 502);
    }
    let consent = authorize(&world, &[]).await;
    assert!(consent.status == 200 && consent.body.contains("set to go wrong"));
    turn(&world, "outage", "off").await;
    assert_eq!(get_as(&world, &access, "/v1/me").await.status, 200);
    assert!(!authorize(&world, &[]).await.body.contains("set to go wrong"));
}

#[tokio::test]
async fn tokens_alone_can_be_down() {
    let world = world();
    let (access, fresh) = signed_in(&world, "ada");
    turn(&world, "tokens", "on").await;
    assert_eq!(refresh(&world, &fresh).await.status, 502);
    assert_eq!(get_as(&world, &access, "/v1/me").await.status, 200);
}

#[tokio::test]
async fn limits_are_told_in_two_ways() {
    let world = world();
    let (access, _) = signed_in(&world, "ada");
    let id = world.listener("ada").unwrap().playlists()[0].id.clone();
    turn(&world, "quota", "on").await;
    let one = get_as(&world, &access, &format!("/v1/playlists/{id}")).await;
    assert_eq!((one.status.as_u16(), &one.json()["error"]["reason"]), (429, &"QUOTA_EXCEEDED".into()));
    assert_eq!(get_as(&world, &access, "/v1/me/playlists").await.status, 200);
    turn(&world, "rate", "on").await;
    let me = get_as(&world, &access, "/v1/me").await;
    assert_eq!((me.status.as_u16(), me.header("retry-after")), (429, "60"));
}

#[tokio::test]
async fn a_library_breaks_off_after_its_first_page() {
    let world = world();
    let (access, _) = signed_in(&world, "mira");
    turn(&world, "half", "on").await;
    let page = async |offset: &str| get_as(&world, &access, &format!("/v1/me/playlists?limit=50{offset}")).await.status;
    assert_eq!(
        (page("").await, page("&offset=0").await, page("&offset=50").await),
        (StatusCode::OK, StatusCode::OK, StatusCode::BAD_GATEWAY)
    );
}

#[tokio::test]
async fn slow_answers_are_right_and_late() {
    let world = world();
    let (access, _) = signed_in(&world, "ada");
    turn(&world, "slow", "on").await;
    let asked = Instant::now();
    assert_eq!(get_as(&world, &access, "/v1/me").await.status, 200);
    assert!(asked.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn the_rules_can_be_changed_and_changed_back() {
    let world = world();
    let (access, fresh) = signed_in(&world, "ada");
    turn(&world, "legacy", "on").await;
    assert_eq!(get_as(&world, &access, "/v1/me").await.json()["product"], "premium");
    turn(&world, "unpaid", "on").await;
    assert_eq!(get_as(&world, &access, "/v1/me").await.status, 403);
    turn(&world, "unpaid", "off").await;
    turn(&world, "short", "on").await;
    turn(&world, "rotate", "on").await;
    let renewed = refresh(&world, &fresh).await.json();
    assert!(renewed["expires_in"] == 20 && renewed["refresh_token"].is_string());
    assert_eq!(refresh(&world, &fresh).await.status, 400);
    press(&world, "mend", "", "").await;
    let renewed = refresh(&world, renewed["refresh_token"].as_str().unwrap()).await.json();
    assert!(renewed["expires_in"] == 3600 && renewed["refresh_token"].is_null());
    assert!(get_as(&world, &access, "/v1/me").await.json()["product"].is_null());
}

#[tokio::test]
async fn time_passes_however_often_it_is_asked_to() {
    let world = world();
    let (access, fresh) = signed_in(&world, "ada");
    press(&world, "clock", "pass", "hour").await;
    assert_eq!(get_as(&world, &access, "/v1/me").await.status, 401);
    assert_eq!(refresh(&world, &fresh).await.status, 200);
    press(&world, "clock", "pass", "months").await;
    assert_refused(&refresh(&world, &fresh).await, "invalid_grant", "Refresh token expired");
    (0..10).for_each(|_| world.advance(Duration::MAX));
    assert_eq!(get(&world, "/panel").await.status, 200);
}

#[tokio::test]
async fn the_page_shows_what_is_on_and_what_was_asked_but_no_secret() {
    let world = world();
    let (access, _) = signed_in(&world, "ada");
    authorize(&world, &[]).await;
    for offset in 0..40 {
        get_as(&world, &access, &format!("/v1/me/playlists?limit=50&offset={offset}")).await;
    }
    get(&world, "/covers/x").await;
    turn(&world, "quota", "on").await;
    let page = get(&world, "/panel").await;
    assert!(page.body.contains("Turn off: Today’s quota") && page.body.contains("Turn on: Outage"));
    assert!(
        page.body.contains("playlists <strong>40</strong>") && page.body.contains("Consent page <strong>1</strong>")
    );
    assert_eq!(page.body.matches("<code>").count(), 30);
    assert!(page.body.contains("offset=39") && !page.body.contains("offset=5<"));
    assert!(!page.body.contains("code_challenge") && !page.body.contains("/covers/x<"));
    assert!(page.body.contains(r#"<a href="http://127.0.0.1:8080/">"#), "the way back");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(world.count(Endpoint::Authorize), 1, "the panel counts nothing of its own");
}

#[tokio::test]
async fn other_sites_press_no_button() {
    let world = world();
    for (act, body) in [("set", "outage=on"), ("clock", "pass=hour"), ("mend", "")] {
        for site in ["cross-site", "same-site"] {
            let request = Request::post(format!("/panel/{act}")).header("sec-fetch-site", site);
            assert_eq!(send(&world, request.body(Body::from(body)).unwrap()).await.status, 400, "{act} {site}");
        }
        let request = Request::builder().method(Method::GET).uri(format!("/panel/{act}?{body}"));
        assert_eq!(send(&world, request.body(Body::empty()).unwrap()).await.status, 405);
    }
    for (act, body) in [("set", "nothing=on"), ("set", "outage=maybe"), ("set", ""), ("clock", "pass=decade")] {
        let answer = send(&world, Request::post(format!("/panel/{act}")).body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, 400, "{act} {body}");
    }
    assert!(world.troubles().is_empty());
}

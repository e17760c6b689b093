//! `/authorize`, the consent page, `/api/token`.

use super::*;
use std::time::Duration;

const DAY: u64 = 24 * 3600;

#[tokio::test]
async fn the_code_flow_ends_in_tokens_that_work() {
    let world = world();
    let back = decide(&world, &[("listener", "ada")]).await;
    assert_eq!(back.status, 303);
    assert!(back.header("location").starts_with(REDIRECT));
    assert_eq!(query_of(&back, "state").as_deref(), Some("st&te"));
    let tokens = exchange(&world, &query_of(&back, "code").unwrap(), &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.header("cache-control"), "no-store");
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], SCOPES);
    assert!(tokens["refresh_token"].is_string());
    let me = get_as(&world, tokens["access_token"].as_str().unwrap(), "/v1/me").await;
    assert_eq!(me.json()["display_name"], "Ada");
    assert_eq!(me.json()["account_id"].as_str().unwrap().len(), 10);
    assert!(me.json().get("email").is_none() && me.json().get("product").is_none());
}

#[tokio::test]
async fn the_consent_page_can_be_filled_in_and_is_tightly_wrapped() {
    let page = authorize(&world(), &[("state", "\"><script>alert(1)</script>")]).await;
    assert_eq!(page.status, 200);
    let html = scraper::Html::parse_document(&page.body);
    let found = |css: &str| html.select(&scraper::Selector::parse(css).unwrap()).count();
    assert_eq!(found("form[method=post][action='/fake-spotify/authorize/decision']"), 1);
    assert_eq!(found("button[name=decision][value=approve]"), 1);
    assert_eq!(found("button[name=decision][value=deny]"), 1);
    assert_eq!(found("label input[type=radio][name=listener][value=mira][checked]"), 1);
    assert_eq!(found("input[name=listener]"), 4);
    assert_eq!(found(".wishes li"), 2);
    assert_eq!(found("script"), 0);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:8080;"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("cache-control"), "no-store");
}

#[tokio::test]
async fn denial_goes_back_without_a_code() {
    let back = decide(&world(), &[("decision", "deny")]).await;
    assert_eq!(back.status, 303);
    assert_eq!(query_of(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(query_of(&back, "state").as_deref(), Some("st&te"));
    assert_eq!(query_of(&back, "code"), None);
    let kept = decide(&world(), &[("redirect_uri", "https://app.test/cb?x=1")]).await;
    assert!(kept.header("location").starts_with("https://app.test/cb?x=1&code="));
}

#[tokio::test]
async fn bad_requests_get_a_page_and_lead_nowhere() {
    let world = world();
    let wrong = [
        ("client_id", "other"),
        ("client_id", ""),
        ("redirect_uri", "https://evil.test/"),
        ("redirect_uri", "http://127.0.0.1:8080/auth/spotify/callback/"),
        ("redirect_uri", ""),
        ("response_type", "token"),
        ("response_type", ""),
        ("code_challenge_method", "plain"),
        ("code_challenge_method", ""),
        ("code_challenge", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk="),
        ("code_challenge", ""),
        ("scope", "playlist-read-everything"),
        ("show_dialog", "yes"),
    ];
    for change in wrong {
        for answer in [authorize(&world, &[change]).await, decide(&world, &[change]).await] {
            assert_eq!(answer.status, 400, "{change:?}");
            assert!(answer.headers.get("location").is_none());
            assert!(answer.body.contains("made-up Spotify"));
        }
    }
    for change in [("decision", "maybe"), ("listener", "nobody"), ("listener", "")] {
        assert_eq!(decide(&world, &[change]).await.status, 400, "{change:?}");
    }
    let twice = get(&world, "/authorize?client_id=app&client_id=app").await;
    assert_eq!(twice.status, 400);
    world.switch(|s| s.require_pkce = true);
    let bare = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(authorize(&world, &bare).await.status, 400);
}

#[tokio::test]
async fn a_decision_from_another_site_is_refused() {
    let world = world();
    let request = Request::post("/authorize/decision")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from("decision=approve"))
        .unwrap();
    assert_eq!(send(&world, request).await.status, 400);
    assert!(world.secrets().is_empty());
}

#[tokio::test]
async fn a_code_works_once_and_for_ten_minutes() {
    let world = world();
    let code = code_for(&world, "ada").await;
    assert_eq!(exchange(&world, &code, &[]).await.status, 200);
    let again = exchange(&world, &code, &[]).await;
    assert_refused(&again, "invalid_grant", "Invalid authorization code");
    let late = code_for(&world, "ada").await;
    world.advance(Duration::from_secs(601));
    let late = exchange(&world, &late, &[]).await;
    assert_refused(&late, "invalid_grant", "Authorization code expired");
}

#[tokio::test]
async fn every_check_of_the_exchange_uses_the_code_up() {
    let world = world();
    let (grant, request) = ("invalid_grant", "invalid_request");
    let other = "x".repeat(43);
    for (change, error, description) in [
        (("code_verifier", other.as_str()), grant, "code_verifier was incorrect"),
        (("code_verifier", ""), request, "code_verifier required"),
        (("redirect_uri", "https://app.test/cb?x=1"), grant, "Invalid redirect URI"),
        (("redirect_uri", ""), request, "redirect_uri must be supplied"),
    ] {
        let code = code_for(&world, "ada").await;
        assert_refused(&exchange(&world, &code, &[change]).await, error, description);
        let again = exchange(&world, &code, &[]).await;
        assert_refused(&again, grant, "Invalid authorization code");
    }
}

#[tokio::test]
async fn a_verifier_nobody_announced_is_refused() {
    let world = world();
    let bare = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = query_of(&decide(&world, &bare).await, "code").unwrap();
    let answer = exchange(&world, &code, &[]).await;
    assert_refused(&answer, "invalid_request", "code_verifier without code_challenge");
    let code = query_of(&decide(&world, &bare).await, "code").unwrap();
    assert_eq!(exchange(&world, &code, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test]
async fn the_token_endpoint_takes_forms_only() {
    let world = world();
    let json = Request::post("/api/token").header("content-type", "application/json").body(Body::from("{}")).unwrap();
    assert_eq!(send(&world, json).await.status, 415);
    assert_eq!(get(&world, "/api/token").await.status, 405);
    let nobody = post(&world, "/api/token", &[("grant_type", "refresh_token")], false).await;
    assert_eq!(nobody.status, 400);
    assert_eq!(nobody.body, r#"{"error":"invalid_client"}"#);
    let odd = post(&world, "/api/token", &[("grant_type", "password")], true).await;
    assert_eq!(odd.json()["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn refreshing_keeps_or_rotates_the_refresh_token() {
    let world = world();
    let kept = world.sign_in("ada", SCOPES).refresh.unwrap();
    let answer = refresh(&world, &kept).await.json();
    assert!(answer.get("refresh_token").is_none());
    let access = answer["access_token"].as_str().unwrap();
    assert_eq!(get_as(&world, access, "/v1/me").await.status, 200);

    world.switch(|s| s.rotate_refresh_tokens = true);
    let next = refresh(&world, &kept).await.json();
    let next = next["refresh_token"].as_str().unwrap();
    assert_ne!(next, kept);
    let old = refresh(&world, &kept).await;
    assert_refused(&old, "invalid_grant", "Refresh token revoked");
    assert_eq!(refresh(&world, next).await.status, 200);
    let wild = refresh(&world, "AQwild").await;
    assert_refused(&wild, "invalid_grant", "Invalid refresh token");
}

#[tokio::test]
async fn refresh_tokens_end_six_months_after_the_approval() {
    let world = world();
    world.switch(|s| s.rotate_refresh_tokens = true);
    let first = world.sign_in("ada", SCOPES).refresh.unwrap();
    world.advance(Duration::from_secs(180 * DAY));
    let next = refresh(&world, &first).await.json();
    world.advance(Duration::from_secs(3 * DAY));
    let late = refresh(&world, next["refresh_token"].as_str().unwrap()).await;
    assert_refused(&late, "invalid_grant", "Refresh token expired");
}

#[tokio::test]
async fn removing_the_app_ends_refresh_tokens_only() {
    let world = world();
    let tokens = world.sign_in("ada", SCOPES);
    world.disconnect("ada");
    let gone = refresh(&world, &tokens.refresh.unwrap()).await;
    assert_refused(&gone, "invalid_grant", "Refresh token revoked");
    assert_eq!(get_as(&world, &tokens.access, "/v1/me").await.status, 200);
}

#[tokio::test]
async fn a_client_without_its_secret_needs_pkce_from_start_to_end() {
    let world = world();
    let code = code_for(&world, "ada").await;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let tokens = post(&world, "/api/token", &form, false).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let confidential = world.sign_in("ada", SCOPES).refresh.unwrap();
    form = vec![("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", &confidential)];
    let refused = post(&world, "/api/token", &form, false).await;
    assert_refused(&refused, "invalid_client", "Invalid client");
}

#[tokio::test]
async fn the_app_itself_gets_a_token_that_stands_for_nobody() {
    let world = world();
    let answer = post(&world, "/api/token", &[("grant_type", "client_credentials")], true).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let token = answer.json();
    assert_eq!((token["token_type"].as_str(), token["expires_in"].as_u64()), (Some("Bearer"), Some(3600)));
    assert!(token.get("refresh_token").is_none() && token.get("scope").is_none());
    let access = token["access_token"].as_str().unwrap();
    assert!(world.secrets().contains(&access.to_owned()));
    assert_eq!(get_as(&world, access, "/v1/me").await.status, 403);
    world.switch(|switches| switches.owner_premium = false);
    assert!(get_as(&world, access, "/v1/me").await.body.starts_with("Active premium subscription required"));
}

#[tokio::test]
async fn the_app_without_its_secret_gets_none() {
    let world = world();
    let public = [("grant_type", "client_credentials"), ("client_id", "app")];
    assert_refused(&post(&world, "/api/token", &public, false).await, "invalid_client", "Invalid client secret");
    let wrong = [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "no")];
    assert_refused(&post(&world, "/api/token", &wrong, false).await, "invalid_client", "Invalid client");
    let nobody = post(&world, "/api/token", &[("grant_type", "client_credentials")], false).await;
    assert_eq!((nobody.status.as_u16(), nobody.body.as_str()), (400, r#"{"error":"invalid_client"}"#));
}

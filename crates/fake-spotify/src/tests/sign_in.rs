//! The consent page and the token endpoint.

use super::*;
use std::time::Duration;

const DAY: u64 = 24 * 3600;

#[tokio::test]
async fn the_code_flow_returns_working_tokens() {
    let fake = server();
    let back = decide(&fake, &[("user", "ada")]).await;
    assert_eq!(back.status, 303);
    assert!(back.header("location").starts_with(REDIRECT));
    assert_eq!(query_of(&back, "state").as_deref(), Some("st&te"));
    let tokens = exchange(&fake, &query_of(&back, "code").unwrap(), &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.header("cache-control"), "no-store");
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], SCOPES);
    assert!(tokens["refresh_token"].is_string());
    let me = get_as(&fake, tokens["access_token"].as_str().unwrap(), "/v1/me").await;
    assert_eq!(me.json()["display_name"], "Ada");
    assert_eq!(me.json()["account_id"], "made-up-ada");
    assert!(me.json().get("email").is_none() && me.json().get("product").is_none());
}

#[tokio::test]
async fn the_consent_page_has_a_form_and_a_strict_content_policy() {
    let page = authorize(&server(), &[("state", "\"><script>alert(1)</script>")]).await;
    assert_eq!(page.status, 200);
    let html = scraper::Html::parse_document(&page.body);
    let found = |css: &str| html.select(&scraper::Selector::parse(css).unwrap()).count();
    assert_eq!(found("form[method=post][action='/fake-spotify/authorize/decision']"), 1);
    assert_eq!(found("button[name=decision][value=approve]"), 1);
    assert_eq!(found("button[name=decision][value=deny]"), 1);
    assert_eq!(found("label input[type=radio][name=user][value=mira][checked]"), 1);
    assert_eq!(found("input[name=user]"), 4);
    assert_eq!(found(".scopes li"), 2);
    assert_eq!(found("script"), 0);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:8080;"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("cache-control"), "no-store");
}

#[tokio::test]
async fn denying_redirects_without_a_code() {
    let back = decide(&server(), &[("decision", "deny")]).await;
    assert_eq!(back.status, 303);
    assert_eq!(query_of(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(query_of(&back, "state").as_deref(), Some("st&te"));
    assert_eq!(query_of(&back, "code"), None);
    let kept = decide(&server(), &[("redirect_uri", "https://app.test/cb?x=1")]).await;
    assert!(kept.header("location").starts_with("https://app.test/cb?x=1&code="));
}

#[tokio::test]
async fn invalid_authorization_requests_get_an_error_page_and_no_redirect() {
    let fake = server();
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
        for response in [authorize(&fake, &[change]).await, decide(&fake, &[change]).await] {
            assert_eq!(response.status, 400, "{change:?}");
            assert!(response.headers.get("location").is_none());
            assert!(response.body.contains("made-up Spotify"));
        }
    }
    for change in [("decision", "maybe"), ("user", "nobody"), ("user", "")] {
        assert_eq!(decide(&fake, &[change]).await.status, 400, "{change:?}");
    }
    let twice = get(&fake, "/authorize?client_id=app&client_id=app").await;
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn a_cross_site_decision_is_rejected() {
    let fake = server();
    let request = Request::post("/authorize/decision")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from("decision=approve"))
        .unwrap();
    assert_eq!(send(&fake, request).await.status, 400);
    assert!(fake.issued_secrets().is_empty());
}

#[tokio::test]
async fn a_code_works_once_and_for_ten_minutes() {
    let fake = server();
    let code = code_for(&fake, "ada").await;
    assert_eq!(exchange(&fake, &code, &[]).await.status, 200);
    let again = exchange(&fake, &code, &[]).await;
    assert_token_error(&again, "invalid_grant", "Invalid authorization code");
    let late = code_for(&fake, "ada").await;
    fake.advance(Duration::from_secs(601));
    let late = exchange(&fake, &late, &[]).await;
    assert_token_error(&late, "invalid_grant", "Authorization code expired");
}

#[tokio::test]
async fn a_code_is_used_up_by_a_failed_exchange() {
    let fake = server();
    let (grant, request) = ("invalid_grant", "invalid_request");
    let other = "x".repeat(43);
    for (change, error, description) in [
        (("code_verifier", other.as_str()), grant, "code_verifier was incorrect"),
        (("code_verifier", ""), request, "code_verifier required"),
        (("redirect_uri", "https://app.test/cb?x=1"), grant, "Invalid redirect URI"),
        (("redirect_uri", ""), request, "redirect_uri must be supplied"),
    ] {
        let code = code_for(&fake, "ada").await;
        assert_token_error(&exchange(&fake, &code, &[change]).await, error, description);
        let again = exchange(&fake, &code, &[]).await;
        assert_token_error(&again, grant, "Invalid authorization code");
    }
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_rejected() {
    let fake = server();
    let bare = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = query_of(&decide(&fake, &bare).await, "code").unwrap();
    let response = exchange(&fake, &code, &[]).await;
    assert_token_error(&response, "invalid_request", "code_verifier without code_challenge");
    let code = query_of(&decide(&fake, &bare).await, "code").unwrap();
    assert_eq!(exchange(&fake, &code, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test]
async fn the_token_endpoint_accepts_forms_only() {
    let fake = server();
    let json = Request::post("/api/token").header("content-type", "application/json").body(Body::from("{}")).unwrap();
    assert_eq!(send(&fake, json).await.status, 415);
    assert_eq!(get(&fake, "/api/token").await.status, 405);
    let nobody = post(&fake, "/api/token", &[("grant_type", "refresh_token")], false).await;
    assert_eq!(nobody.status, 400);
    assert_eq!(nobody.body, r#"{"error":"invalid_client"}"#);
    let response = post(&fake, "/api/token", &[("grant_type", "password")], true).await;
    assert_eq!(response.json()["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn refresh_keeps_or_rotates_the_refresh_token() {
    let fake = server();
    let kept = fake.issue_tokens("ada", SCOPES).refresh_token.unwrap();
    let response = refresh(&fake, &kept).await.json();
    assert!(response.get("refresh_token").is_none());
    let access = response["access_token"].as_str().unwrap();
    assert_eq!(get_as(&fake, access, "/v1/me").await.status, 200);

    fake.update_switches(|s| s.rotate_refresh_tokens = true);
    let next = refresh(&fake, &kept).await.json();
    let next = next["refresh_token"].as_str().unwrap();
    assert_ne!(next, kept);
    let old = refresh(&fake, &kept).await;
    assert_token_error(&old, "invalid_grant", "Refresh token revoked");
    assert_eq!(refresh(&fake, next).await.status, 200);
    let wild = refresh(&fake, "AQwild").await;
    assert_token_error(&wild, "invalid_grant", "Invalid refresh token");
}

#[tokio::test]
async fn refresh_tokens_expire_six_months_after_the_consent() {
    let fake = server();
    fake.update_switches(|s| s.rotate_refresh_tokens = true);
    let first = fake.issue_tokens("ada", SCOPES).refresh_token.unwrap();
    fake.advance(Duration::from_secs(180 * DAY));
    let next = refresh(&fake, &first).await.json();
    fake.advance(Duration::from_secs(3 * DAY));
    let late = refresh(&fake, next["refresh_token"].as_str().unwrap()).await;
    assert_token_error(&late, "invalid_grant", "Refresh token expired");
}

#[tokio::test]
async fn revoking_access_ends_refresh_tokens_only() {
    let fake = server();
    let tokens = fake.issue_tokens("ada", SCOPES);
    fake.revoke_access("ada");
    let revoked = refresh(&fake, &tokens.refresh_token.unwrap()).await;
    assert_token_error(&revoked, "invalid_grant", "Refresh token revoked");
    assert_eq!(get_as(&fake, &tokens.access_token, "/v1/me").await.status, 200);
}

#[tokio::test]
async fn client_credentials_return_a_token_without_a_user() {
    let fake = server();
    let response = post(&fake, "/api/token", &[("grant_type", "client_credentials")], true).await;
    assert_eq!((response.status.as_u16(), response.header("cache-control")), (200, "no-store"));
    let token = response.json();
    assert_eq!((token["token_type"].as_str(), token["expires_in"].as_u64()), (Some("Bearer"), Some(3600)));
    assert!(token.get("refresh_token").is_none() && token.get("scope").is_none());
    let access = token["access_token"].as_str().unwrap();
    assert!(fake.issued_secrets().contains(&access.to_owned()));
    assert_eq!(get_as(&fake, access, "/v1/me").await.status, 403);
    fake.update_switches(|switches| switches.owner_has_premium = false);
    assert!(get_as(&fake, access, "/v1/me").await.body.starts_with("Active premium subscription required"));
}

#[tokio::test]
async fn client_credentials_need_the_secret() {
    let fake = server();
    let missing = [("grant_type", "client_credentials"), ("client_id", "app")];
    assert_token_error(&post(&fake, "/api/token", &missing, false).await, "invalid_client", "Invalid client");
    let wrong = [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "no")];
    assert_token_error(&post(&fake, "/api/token", &wrong, false).await, "invalid_client", "Invalid client");
    let nobody = post(&fake, "/api/token", &[("grant_type", "client_credentials")], false).await;
    assert_eq!((nobody.status.as_u16(), nobody.body.as_str()), (400, r#"{"error":"invalid_client"}"#));
}

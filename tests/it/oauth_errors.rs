//! Errors of OAuth and callbacks without a code: whom the page blames.

use fake_spotify::{Endpoint, Fault};

use crate::support::Site;
use crate::support::visitor::{approve, deny};

/// RFC 6749 section 3.1: a parameter without a value counts as omitted.
#[tokio::test]
async fn empty_callback_parameters_count_as_missing() {
    let site = Site::open().await;
    for query in ["code=", "code=%20", "", "error=&code=", "iss="] {
        let visitor = site.visitor();
        let consent = visitor.start_spotify_sign_in("/login?next=/hearts").await;
        let callback = visitor.send_form(approve(&consent, "ada")).await.header("location").to_owned();
        let state =
            url::Url::parse(&callback).unwrap().query_pairs().find(|(k, _)| k == "state").unwrap().1.to_string();
        let page = visitor.open(&format!("/auth/spotify/callback?state={state}&{query}")).await;
        assert_eq!((page.status, page.text("h1").as_str()), (400, "Sign-in did not finish"), "{query}");
        assert_eq!(page.form("form[action='/auth/spotify']").fields["next"], "/hearts", "{query}");
    }
    assert_eq!(site.spotify.request_count(Endpoint::Token), 0);
    let visitor = site.visitor();
    let consent = visitor.start_spotify_sign_in("/login").await;
    let callback = visitor.send_form(approve(&consent, "ada")).await.header("location").to_owned();
    let page = visitor.open(&format!("{callback}&error=&iss=")).await;
    assert_eq!((page.status, page.url.path()), (200, "/playlists"), "empty ones beside a code");
}

/// Error codes of the token endpoint (RFC 6749 section 5.2), and some that are no standard.
#[tokio::test]
async fn only_client_errors_of_token_endpoint_blame_configuration() {
    let site = Site::open().await;
    for (code, status) in [
        ("invalid_request", 400),
        ("invalid_grant", 400),
        ("unsupported_grant_type", 400),
        ("invalid_scope", 400),
        ("slow_down", 400),
        ("server_error", 502),
        ("invalid_client", 503),
        ("unauthorized_client", 503),
    ] {
        let body = format!(r#"{{"error":"{code}","error_description":"as asked"}}"#);
        site.spotify.inject_fault(Endpoint::Token, Fault::Status(400, body, "application/json"), 1);
        let page = site.visitor().sign_in("ada").await;
        assert_eq!(page.status, status, "{code}: {}", page.text("main"));
        assert_eq!(page.text("main").contains("client id or secret"), status == 503, "{code}");
        assert_eq!(page.has("form[action='/auth/spotify']"), status != 503, "{code}: a retry");
    }
    assert_eq!(site.count_users().await, 0);
}

/// Error codes of the callback (RFC 6749 section 4.1.2.1).
#[tokio::test]
async fn error_codes_of_callback_have_the_page_that_fits_them() {
    let site = Site::open().await;
    for (code, status) in [
        ("invalid_request", 400),
        ("unsupported_response_type", 400),
        ("invalid_scope", 400),
        ("made_up", 400),
        ("invalid_client", 400),
        ("incorrect_client_credentials", 400),
        ("server_error", 502),
        ("temporarily_unavailable", 502),
        ("unauthorized_client", 503),
    ] {
        let visitor = site.visitor();
        let consent = visitor.start_spotify_sign_in("/login?next=/hearts").await;
        let denial = visitor.send_form(deny(&consent)).await.header("location").to_owned();
        let page = visitor.open(&denial.replace("access_denied", code)).await;
        assert_eq!(page.status, status, "{code}: {}", page.text("main"));
        assert!(page.text("main").contains("Nothing was saved"), "{code}");
    }
    assert_eq!(site.spotify.request_count(Endpoint::Token), 0);
}

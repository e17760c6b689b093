//! Sign-in with Google, GitHub, Facebook and X.

use std::collections::HashMap;
use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider, Scenario};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::{Visitor, deny};

const WRONG_SECRET: &str = "not-the-secret-of-this-app";

/// Approves at `provider`; returns the callback address without opening it.
async fn approve_and_get_callback(site: &Site, visitor: &Visitor, provider: OtherProvider) -> String {
    let consent = visitor.start_sign_in_with(provider, &visitor.open("/login").await).await;
    visitor.send_form(consent.approve_as(&site.spotify.account(provider, "ada"))).await.header("location").to_owned()
}

#[tokio::test]
async fn each_provider_signs_in_and_recognizes_returning_user() {
    let site = Site::open().await;
    for (at, provider) in OtherProvider::ALL.into_iter().enumerate() {
        let account = site.spotify.account(provider, "mira");
        let page = site.visitor().sign_in_with(&site.spotify, provider, "mira").await;
        assert_eq!((page.status, page.url.path()), (200, "/add"), "{provider:?} {}", page.text("main"));
        assert_eq!(page.flash().unwrap(), format!("Signed in as {}.", account.name.unwrap()));
        site.visitor().sign_in_with(&site.spotify, provider, "mira").await;
        assert_eq!(site.count_users().await, at as i64 + 1, "{provider:?}");
        let known: Vec<(String, String)> =
            sqlx::query_as("select provider, subject from identities order by created_at desc limit 1")
                .fetch_all(&site.db)
                .await
                .unwrap();
        assert_eq!(known, [(provider.key().to_owned(), account.id)]);
    }
}

#[tokio::test]
async fn user_without_name_is_greeted_by_login() {
    let site = Site::open().await;
    let page = site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "noor").await;
    assert_eq!(page.flash().unwrap(), "Signed in as noor.");
}

#[tokio::test]
async fn sign_in_needs_no_permission_for_email_addresses() {
    let site = Site::open().await;
    for (status, finishes) in [(403, true), (404, true), (401, false), (500, false)] {
        let refusal = Fault::Status(status, r#"{"message":"Not accessible"}"#.into(), "application/json");
        site.spotify.inject_fault(Endpoint::OtherProfile, Fault::Slow(Duration::ZERO), 1);
        site.spotify.inject_fault(Endpoint::OtherProfile, refusal, 1);
        let page = site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
        assert_eq!(page.status, if finishes { 200 } else { 502 }, "{status}: {}", page.text("main"));
        assert_eq!(site.count("select count(email) from identities").await, 0, "{status}");
    }
    let refusal = Fault::Status(403, "{}".into(), "application/json");
    site.spotify.inject_fault(Endpoint::OtherProfile, refusal, 1);
    let page = site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "mira").await;
    assert_eq!((page.status, site.count_users().await), (502, 1), "without a profile");
}

#[tokio::test]
async fn each_provider_is_asked_with_pkce_and_least_scopes() {
    let site = Site::open().await;
    let scopes = ["openid email profile", "user:email", "public_profile email", "users.read tweet.read"];
    for (provider, scope) in OtherProvider::ALL.into_iter().zip(scopes) {
        let visitor = site.visitor();
        let page = visitor.open(&format!("/auth/{}", provider.key())).await;
        let sent = visitor.send_form(page.form("main form[method=post]")).await;
        let url = Url::parse(sent.header("location")).unwrap();
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(query["redirect_uri"], format!("{}/auth/{}/callback", site.base, provider.key()));
        assert_eq!((query["scope"].as_str(), query["code_challenge_method"].as_str()), (scope, "S256"));
        assert!(query["state"].len() >= 20 && query["code_challenge"].len() == 43);
    }
}

#[tokio::test]
async fn unconfigured_provider_is_hidden_and_404() {
    let site = Site::open_with(&[("X_CLIENT_ID", ""), ("X_CLIENT_SECRET", "")]).await;
    let visitor = site.visitor();
    for path in ["/", "/login"] {
        let page = visitor.open(path).await;
        assert!(page.has("button[formaction='/auth/github']") && !page.html.contains("/auth/x"), "{path}");
    }
    for path in ["/auth/x", "/auth/x/callback?code=a&state=b", "/auth/nobody", "/account/identities/x"] {
        let status = visitor.get(path).await.status;
        assert!(status == 404 || path.starts_with("/account") && status == 303, "{path} {status}");
    }
    assert_eq!(visitor.post("/auth/x", "").await.status, 404);
}

fn assert_error_page(page: &Page, status: u16, words: &str) {
    assert_eq!(page.status, status, "{}", page.text("main"));
    assert!(page.text("main").contains(words) && page.text("main").contains("Nothing was saved"), "{}", page.html);
}

#[tokio::test]
async fn rejected_code_from_any_provider_offers_retry() {
    let site = Site::open().await;
    site.spotify.set_scenario(Scenario::RejectedCodes, true);
    for provider in OtherProvider::ALL {
        let page = site.visitor().sign_in_with(&site.spotify, provider, "ada").await;
        assert_error_page(&page, 400, "ended the sign-in");
        assert!(page.has(&format!("form[action='/auth/{}']", provider.key())));
    }
    assert_eq!(site.count_users().await, 0);
}

#[tokio::test]
async fn rejected_client_secret_of_any_provider_blames_configuration() {
    let wrong = [
        ("GOOGLE_CLIENT_SECRET", WRONG_SECRET),
        ("GITHUB_CLIENT_SECRET", WRONG_SECRET),
        ("FACEBOOK_CLIENT_SECRET", WRONG_SECRET),
        ("X_CLIENT_SECRET", WRONG_SECRET),
    ];
    let site = Site::open_with(&wrong).await;
    for provider in OtherProvider::ALL {
        let page = site.visitor().sign_in_with(&site.spotify, provider, "ada").await;
        assert_error_page(&page, 503, "rejects Heartlist’s client id or secret");
        assert!(!page.text("main").contains("Try again"), "{}", page.html);
    }
}

#[tokio::test]
async fn provider_outage_saves_nothing_and_offers_retry() {
    let site = Site::open().await;
    site.spotify.set_scenario(Scenario::OtherProvidersOutage, true);
    for provider in OtherProvider::ALL {
        let page = site.visitor().sign_in_with(&site.spotify, provider, "ada").await;
        assert_error_page(&page, 502, "sent an unusable answer");
    }
    site.spotify.reset();
    for fault in [Fault::Empty, Fault::NotJson, Fault::Status(200, "[]".into(), "application/json")] {
        site.spotify.inject_fault(Endpoint::OtherProfile, fault, 1);
        let page = site.visitor().sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
        assert_error_page(&page, 502, "Google sent an unusable answer");
    }
    assert_eq!(site.count_users().await, 0);
}

#[tokio::test]
async fn loose_token_answers_of_all_providers_are_read() {
    let site = Site::open_with(&[("SIGN_INS_PER_ADDRESS", "100")]).await;
    let loose: [fn(&mut Value); 6] = [
        |token| token["expires_in"] = "3600".into(),
        |token| token["expires_in"] = 3599.5.into(),
        |token| token["expires_in"] = Value::Null,
        |token| drop(token.as_object_mut().unwrap().remove("token_type")),
        |token| token["scope"] = json!(["playlist-read-private", "playlist-read-collaborative"]),
        |token| {
            token["scope"] = "playlist-read-private,playlist-read-collaborative".into();
            token["expires_in"] = u64::MAX.into();
            token["refresh_token"] = "".into();
        },
    ];
    for (at, change) in loose.into_iter().enumerate() {
        site.spotify.inject_fault(Endpoint::Token, Fault::Rewritten(change), 1);
        let page = site.visitor().sign_in("ada").await;
        assert!(
            page.status == 200 && page.flash().unwrap().starts_with("Signed in as Ada"),
            "{at} {}",
            page.text("main")
        );
        for provider in OtherProvider::ALL {
            site.spotify.inject_fault(Endpoint::OtherToken, Fault::Rewritten(change), 1);
            let page = site.visitor().sign_in_with(&site.spotify, provider, "ada").await;
            assert_eq!(page.status, 200, "{provider:?} {at}: {}", page.text("main"));
        }
    }
    for useless in ["", "{}", "[]", r#"{"access_token":""}"#, r#"{"access_token":7}"#] {
        let body = Fault::Status(200, useless.into(), "application/json");
        site.spotify.inject_fault(Endpoint::OtherToken, body, 1);
        let page = site.visitor().sign_in_with(&site.spotify, OtherProvider::X, "ada").await;
        assert_error_page(&page, 502, "X sent an unusable answer");
    }
}

#[tokio::test]
async fn provider_redirects_are_not_followed_with_codes_or_tokens() {
    for endpoint in [Endpoint::OtherToken, Endpoint::OtherProfile] {
        let site = Site::open().await;
        for (at, provider) in OtherProvider::ALL.into_iter().enumerate() {
            site.spotify.inject_fault(endpoint, Fault::Redirect(format!("{}/covers/trap", site.spotify_url())), 1);
            let page = site.visitor().sign_in_with(&site.spotify, provider, "ada").await;
            let asked = (site.spotify.request_count(Endpoint::Cover), site.spotify.request_count(endpoint));
            assert_eq!((page.status, asked), (502, (0, at + 1)), "{provider:?} {endpoint:?}");
        }
    }
}

#[tokio::test]
async fn denial_at_any_provider_keeps_return_path() {
    let site = Site::open().await;
    for provider in OtherProvider::ALL {
        let visitor = site.visitor();
        let consent = visitor.start_sign_in_with(provider, &visitor.open("/login?next=/hearts").await).await;
        let page = visitor.submit(deny(&consent)).await;
        assert_eq!(page.flash().unwrap(), "Sign-in cancelled. Nothing was saved.");
        assert_eq!(page.form("form[action='/auth/spotify']").fields["next"], "/hearts", "{provider:?}");
    }
}

#[tokio::test]
async fn code_is_accepted_only_on_its_providers_callback() {
    let site = Site::open().await;
    let paths = ["/auth/spotify/callback", "/auth/google/callback", "/auth/facebook/callback", "/auth/github/callback"];
    for (provider, path) in OtherProvider::ALL.into_iter().rev().zip(paths) {
        let visitor = site.visitor();
        let back = approve_and_get_callback(&site, &visitor, provider).await;
        let query = back.split_once('?').unwrap().1;
        let page = visitor.open(&format!("{path}?{query}")).await;
        assert_eq!(page.status, 400, "{provider:?} on {path}");
        assert_eq!(visitor.open(&back).await.status, 400, "it is spent all the same");
    }
    let asked = site.spotify.request_count(Endpoint::OtherToken) + site.spotify.request_count(Endpoint::Token);
    assert_eq!((asked, site.count_users().await), (0, 0));
}

#[tokio::test]
async fn old_google_and_github_callbacks_still_work() {
    for (provider, alias) in [(OtherProvider::Google, "/oauth2callback"), (OtherProvider::GitHub, "/github/callback")] {
        let site = Site::open().await;
        let visitor = site.visitor();
        let back = approve_and_get_callback(&site, &visitor, provider).await;
        let page = visitor.open(&format!("{alias}?{}", back.split_once('?').unwrap().1)).await;
        assert_eq!((page.status, page.url.path()), (200, "/add"));
        let other = approve_and_get_callback(&site, &site.visitor(), OtherProvider::Facebook).await;
        let page = visitor.open(&format!("{alias}?{}", other.split_once('?').unwrap().1)).await;
        assert_eq!(page.status, 400);
    }
}

#[tokio::test]
async fn state_is_bound_to_browser_single_use_and_expires() {
    let site = Site::open().await;
    for provider in OtherProvider::ALL {
        let visitor = site.visitor();
        let back = approve_and_get_callback(&site, &visitor, provider).await;
        let stranger = site.visitor();
        stranger.start_spotify_sign_in("/login").await;
        assert_eq!(stranger.open(&back).await.status, 400, "another session's");
        assert_eq!(site.visitor().open(&back).await.status, 400, "no session's");
        assert_eq!(visitor.open(&back).await.status, 200);
        let again = visitor.open(&back).await;
        assert!(again.flash().unwrap().contains("already signed in"), "{provider:?}");
        let late = site.visitor();
        let back = approve_and_get_callback(&site, &late, provider).await;
        site.advance(Duration::from_secs(601));
        let page = late.open(&back).await;
        assert!(page.status == 400 && page.text("main").contains("expired"));
    }
    let forged = site.visitor().open("/auth/google/callback?error=access_denied&state=guessed").await;
    assert_eq!(forged.status, 400);
}

#[tokio::test]
async fn issuer_must_match_the_asked_provider() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let back = approve_and_get_callback(&site, &visitor, OtherProvider::Google).await;
    assert!(back.contains("iss="), "Google says who answers");
    let page = visitor.open(&back.replace("google&scope", "github&scope")).await;
    assert_eq!((page.status, site.spotify.request_count(Endpoint::OtherToken)), (400, 0));
    let visitor = site.visitor();
    let back = approve_and_get_callback(&site, &visitor, OtherProvider::GitHub).await;
    let page = visitor.open(&format!("{back}&iss=https://evil.example")).await;
    assert_eq!((page.status, site.spotify.request_count(Endpoint::OtherToken)), (400, 0));
}

#[tokio::test]
async fn session_id_changes_at_sign_in_with_each_provider() {
    let site = Site::open().await;
    for provider in OtherProvider::ALL {
        let visitor = site.visitor();
        let page = visitor.open(&format!("/auth/{}", provider.key())).await;
        let sent = visitor.send_form(page.form("main form[method=post]")).await;
        let cookie = sent.header("set-cookie").split(';').next().unwrap().to_owned();
        let consent = visitor.open(sent.header("location")).await;
        visitor.submit(consent.approve_as(&site.spotify.account(provider, "ada"))).await;
        assert_eq!(visitor.get("/hearts").await.status, 200);
        let old = site.visitor().request(Method::GET, "/hearts", &[("cookie", &cookie)], None).await;
        assert_eq!(old.status, 303, "{provider:?}");
    }
}

#[tokio::test]
async fn tokens_of_other_providers_are_not_stored() {
    let site = Site::open().await;
    let ada = site.visitor();
    for provider in OtherProvider::ALL {
        site.visitor().sign_in_with(&site.spotify, provider, "mira").await;
    }
    ada.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    let page = ada.open("/account").await;
    assert!(!page.has("a[href='/account/disconnect']"), "nothing that could be disconnected");
    let page = ada.sign_in_at("/login?next=/account", "ada").await;
    assert!(page.flash().unwrap().starts_with("Spotify is connected") && page.has("a[href='/account/disconnect']"));
}

#[tokio::test]
async fn user_without_spotify_sees_what_works_and_one_connect_button() {
    let site = Site::open().await;
    let ada = site.visitor();
    ada.sign_in_with(&site.spotify, OtherProvider::GitHub, "mira").await;
    let page = ada.open("/playlists").await;
    assert_eq!(page.texts("main button").iter().filter(|text| *text == "Connect Spotify").count(), 1);
    assert!(page.text("main").contains("heart any playlist by its link") && page.has("main a[href='/hearts']"));
    assert!(!page.html.contains("econnect Spotify") && page.texts("title")[0].contains("not connected"));

    let link =
        page.form("form[action='/add']").with("link", "https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4n");
    let hearts = ada.submit(link).await;
    assert_eq!((hearts.status, hearts.count("li.card")), (200, 1), "{}", hearts.text("main"));
    let one = ada.open("/playlists/3cEYpjA9oz9GiPac4AsH4n").await;
    assert!(one.status == 200 && one.text(".items").contains("Spotify is not connected"));
    let other = ada.open("/playlists/37i9dQZF1DXcBWIGoYBM5M").await;
    assert!(other.status == 409 && other.has("form[action='/auth/spotify']"), "{}", other.text("main"));
    for page in [one, other, ada.open("/now-playing").await, ada.open("/account").await] {
        assert!(page.html.contains("Connect Spotify") && !page.html.contains("econnect Spotify"), "{}", page.url);
        assert!(!page.html.contains("six months"), "{}", page.url);
    }
    assert_eq!(
        site.spotify.request_count(Endpoint::Me) + site.spotify.request_count(Endpoint::Token),
        0,
        "Spotify was never asked"
    );
}

#[tokio::test]
async fn doctor_shows_redirect_uri_of_each_configured_provider() {
    let site = Site::open_with(&[("X_CLIENT_ID", ""), ("X_CLIENT_SECRET", "")]).await;
    let setup = site.visitor().open("/setup").await;
    for provider in [OtherProvider::Google, OtherProvider::GitHub, OtherProvider::Facebook] {
        let address = format!("{}/auth/{}/callback", site.base, provider.key());
        assert!(setup.texts("code.copy-value").contains(&address), "{address}");
    }
    assert!(!setup.html.contains("/auth/x/") && !setup.html.contains(crate::support::CLIENT_ID));
}

#[tokio::test]
async fn addresses_of_earlier_releases_redirect_permanently() {
    let site = Site::open().await;
    for (old, new) in [
        ("/account/same?next=%2Fhearts", "/account/merge?next=%2Fhearts"),
        ("/account/again", "/account/reauthenticate"),
        ("/account/ways/github", "/account/identities/github"),
        ("/hearts/3cEYpjA9oz9GiPac4AsH4n/words", "/hearts/3cEYpjA9oz9GiPac4AsH4n/annotation"),
        (
            "/hearts/wordsAAAAAAAAAAAAAAAAA/words?from=%2Fwords",
            "/hearts/wordsAAAAAAAAAAAAAAAAA/annotation?from=%2Fwords",
        ),
    ] {
        for method in [Method::GET, Method::POST] {
            let moved = site.visitor().request(method, old, &[], None).await;
            assert_eq!((moved.status, moved.header("location")), (308, new));
        }
    }
}

#[tokio::test]
async fn sign_in_without_spotify_leads_to_adding_by_link() {
    let site = Site::open().await;
    let ada = site.visitor();
    let page = ada.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert_eq!((page.url.path(), page.text("h1").as_str()), ("/add", "Add by link"));
    assert_eq!(ada.open("/").await.url.path(), "/hearts");
    let again = site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert_eq!(again.url.path(), "/hearts");
    let other_browser = site.visitor();
    let consent =
        other_browser.start_sign_in_with(OtherProvider::GitHub, &other_browser.open("/login?next=/top").await).await;
    let page = other_browser.submit(consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "ada"))).await;
    assert_eq!(page.url.path(), "/top", "a page that was asked for comes first");
}

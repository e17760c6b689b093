//! “Sign in again”: the provider is asked for a real new sign-in.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider};
use url::Url;

use crate::support::Site;
use crate::support::page::{Form, Page};
use crate::support::visitor::{Visitor, approve};

const CONFIRM_FORM: &str = "form[action='/account/delete']";

/// Parameters of the consent page that a form leads to.
async fn consent_params(visitor: &Visitor, form: Form) -> Vec<(String, String)> {
    let sent = visitor.send_form(form).await;
    assert_eq!(sent.status, 303, "{}", sent.html);
    let url = Url::parse(sent.header("location")).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn has(params: &[(String, String)], name: &str, value: &str) -> bool {
    params.iter().any(|(n, v)| n == name && v == value)
}

fn sign_in_again(page: &Page, provider: &str) -> Form {
    page.form(&format!("form[action='/auth/{provider}']:has([name=reason])"))
}

#[tokio::test]
async fn sign_in_again_asks_each_provider_for_a_new_sign_in() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for provider in OtherProvider::ALL {
        ada.link_identity(&site.spotify, provider, "ada").await;
    }
    site.advance(Duration::from_secs(601));
    for (provider, expected) in [
        ("spotify", vec![("show_dialog", "true")]),
        ("google", vec![("prompt", "select_account"), ("max_age", "0")]),
        ("github", vec![("prompt", "select_account")]),
        ("facebook", vec![("auth_type", "reauthenticate")]),
    ] {
        let page = ada.open("/account/delete").await;
        let again = consent_params(&ada, sign_in_again(&page, provider)).await;
        let visitor = site.visitor();
        let form = visitor.open("/login").await.form("form[action='/auth/spotify']");
        let action = page.url.join(&format!("/auth/{provider}")).unwrap();
        let first = consent_params(&visitor, Form { action, ..form }).await;
        for (name, value) in expected {
            assert!(has(&again, name, value), "{provider}: {again:?}");
            assert!(!has(&first, name, value), "{provider}, first sign-in: {first:?}");
        }
    }
}

/// X cannot be asked.
#[tokio::test]
async fn person_with_x_alone_proves_it_by_a_new_session() {
    let site = Site::open().await;
    let ada = site.visitor();
    ada.sign_in_with(&site.spotify, OtherProvider::X, "ada").await;
    site.advance(Duration::from_secs(601));
    for path in ["/account/delete", "/account/reauthenticate?next=/account"] {
        let page = ada.open(path).await;
        assert!(!page.has("main form") && page.has("main a[href='/logout']"), "{}", page.text("main"));
    }
    let sent = ada.post("/auth/x", "reason=sign-in-again").await;
    let consent = ada.open(sent.header("location")).await;
    assert_eq!(ada.submit(consent.approve_as(&site.spotify.account(OtherProvider::X, "ada"))).await.status, 409);
    assert!(!ada.open("/account/delete").await.has(CONFIRM_FORM));
    ada.submit(ada.open("/logout").await.form("main form")).await;
    ada.sign_in_with(&site.spotify, OtherProvider::X, "ada").await;
    assert!(ada.open("/account/delete").await.has(CONFIRM_FORM));

    // With another identity, that one is asked for.
    ada.link_identity(&site.spotify, OtherProvider::GitHub, "ada").await;
    let visitor = site.visitor();
    visitor.sign_in_with(&site.spotify, OtherProvider::X, "ada").await;
    let page = visitor.open("/account/delete").await;
    assert!(!page.has(CONFIRM_FORM) && page.has("form[action='/auth/github']"), "{}", page.html);
    assert!(!page.has("form[action='/auth/x']") && !page.has("main a[href='/logout']"), "{}", page.html);
}

/// Attack: somebody at an unlocked browser signs out and in again, by providers that are signed in there.
#[tokio::test]
async fn ordinary_sign_in_is_no_proof() {
    let site = Site::open().await;
    site.sign_in("ada").await;
    let ada = site.sign_in("ada").await;
    assert!(!ada.open("/account/delete").await.has(CONFIRM_FORM));
    let link = ada.open("/account").await.form("form[action='/auth/google']");
    assert_eq!(ada.submit(link).await.url.path(), "/account/reauthenticate");
    let consent = ada.submit(sign_in_again(&ada.open("/account/delete").await, "spotify")).await;
    assert!(ada.submit(approve(&consent, "ada")).await.has(CONFIRM_FORM));
    ada.link_identity(&site.spotify, OtherProvider::Google, "ada").await;
    let visitor = site.visitor();
    visitor.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    assert!(!visitor.open("/account/delete").await.has(CONFIRM_FORM));
}

#[tokio::test]
async fn google_counts_only_if_it_says_when() {
    let site = Site::open().await;
    let ada = site.visitor();
    ada.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    site.advance(Duration::from_secs(601));
    let without_time: [fn(&mut serde_json::Value); 2] = [
        |token| token["id_token"] = "e30.e30.x".into(),
        |token| drop(token.as_object_mut().unwrap().remove("id_token")),
    ];
    for change in without_time {
        let page = ada.open("/account/delete").await;
        assert!(page.has("main a[href='/logout']"), "{}", page.html);
        let consent = ada.submit(sign_in_again(&page, "google")).await;
        site.spotify.inject_fault(Endpoint::OtherToken, Fault::Rewritten(change), 1);
        let refused = ada.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
        assert_eq!(refused.status, 409, "{}", refused.html);
        assert!(!ada.open("/account/delete").await.has(CONFIRM_FORM));
    }
    ada.submit(ada.open("/logout").await.form("main form")).await;
    ada.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    assert!(ada.open("/account/delete").await.has(CONFIRM_FORM), "nothing else could prove it");
}

/// Attack: somebody at an unlocked browser goes through a provider that is signed in there and does not ask again.
#[tokio::test]
async fn login_that_does_not_ask_again_is_no_recent_sign_in() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.link_identity(&site.spotify, OtherProvider::GitHub, "ada").await;
    site.advance(Duration::from_secs(601));
    for (provider, body) in [
        ("spotify", "intent=link&next=/account"),
        ("spotify", "reason=renew-consent&next=/account"),
        ("spotify", "reason=now-playing&next=/account"),
        ("github", "intent=link&next=/account"),
    ] {
        let sent = ada.post(&format!("/auth/{provider}"), body).await;
        let consent = ada.open(sent.header("location")).await;
        let form = match provider {
            "spotify" => approve(&consent, "ada"),
            _ => consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "ada")),
        };
        assert_eq!(ada.submit(form).await.status, 200, "{provider} {body}");
        assert!(!ada.open("/account/delete").await.has(CONFIRM_FORM), "{provider} {body}");
    }
    let consent = ada.submit(sign_in_again(&ada.open("/account/delete").await, "spotify")).await;
    let back = ada.submit(approve(&consent, "ada")).await;
    assert!(back.has(CONFIRM_FORM) && back.flash().unwrap().starts_with("Signed in as Ada"), "{}", back.html);
}

#[tokio::test]
async fn provider_that_reports_an_older_sign_in_is_refused() {
    let site = Site::open().await;
    let ada = site.visitor();
    ada.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    site.advance(Duration::from_secs(601));
    let start = async || {
        let consent = ada.submit(sign_in_again(&ada.open("/account/delete").await, "google")).await;
        consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))
    };
    // {"auth_time":1}, {"auth_time":1790000000}
    let old: [fn(&mut serde_json::Value); 2] = [
        |token| token["id_token"] = "e30.eyJhdXRoX3RpbWUiOjF9.x".into(),
        |token| token["id_token"] = "e30.eyJhdXRoX3RpbWUiOjE3OTAwMDAwMDB9.x".into(),
    ];
    for change in old {
        let form = start().await;
        site.spotify.inject_fault(Endpoint::OtherToken, Fault::Rewritten(change), 1);
        let refused = ada.submit(form).await;
        assert_eq!(refused.status, 409);
        assert!(refused.text("main").contains("Google did not ask you to sign in again"), "{}", refused.text("main"));
        assert!(!ada.open("/account/delete").await.has(CONFIRM_FORM));
    }
    let back = ada.submit(start().await).await;
    assert!(back.has(CONFIRM_FORM), "{}", back.html);
}

/// Not those of Google and Facebook, whose endpoints would withdraw the consent.
#[tokio::test]
async fn tokens_of_other_providers_are_revoked_after_use() {
    let site = Site::open().await;
    for provider in OtherProvider::ALL {
        site.visitor().sign_in_with(&site.spotify, provider, "ada").await;
        if matches!(provider, OtherProvider::Google | OtherProvider::Facebook) {
            assert_eq!(site.spotify.count_access_tokens(provider), 1);
            continue;
        }
        let revoked = async || site.spotify.count_access_tokens(provider) == 0;
        crate::support::wait_until("the token is revoked", revoked).await;
    }
    // One that fails is only logged.
    for fault in [Fault::Html502, Fault::Empty, Fault::Hang] {
        site.spotify.inject_fault(Endpoint::OtherRevocation, fault, 1);
        let page = site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "mira").await;
        assert!(page.flash().unwrap().starts_with("Signed in as Mira"), "{}", page.html);
    }
    // Used in vain, and revoked all the same.
    let before = site.spotify.request_count(Endpoint::OtherRevocation);
    for (sent, (fault, status)) in [(Fault::NotJson, 502), (Fault::Hang, 504)].into_iter().enumerate() {
        site.spotify.inject_fault(Endpoint::OtherProfile, fault, 1);
        assert_eq!(site.visitor().sign_in_with(&site.spotify, OtherProvider::X, "ada").await.status, status);
        let is_sent = async || site.spotify.request_count(Endpoint::OtherRevocation) > before + sent;
        crate::support::wait_until("the revocation is sent", is_sent).await;
    }
}

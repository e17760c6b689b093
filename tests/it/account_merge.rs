//! Merging two accounts with the same verified e-mail address: only after a sign-in to both.

use std::time::Duration;

use fake_spotify::OtherProvider;
use reqwest::Method;

use crate::support::page::{Form, Page};
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site};

const MERGE_HEADING: &str = "Were you here before?";

/// A first account by Google and a second by GitHub, with the same verified address; the page is the merge offer.
async fn sign_in_twice() -> (Site, Visitor, Visitor, Page) {
    let site = Site::open().await;
    let (first, second) = (site.visitor(), site.visitor());
    first.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    first.fetch(Method::PUT, HEART).await;
    let page = second.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    (site, first, second, page)
}

async fn sign_in_to_merge(site: &Site, visitor: &Visitor, door: &Page, key: &str) -> Page {
    let consent = visitor.start_sign_in_with(OtherProvider::Google, door).await;
    visitor.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, key))).await
}

#[tokio::test]
async fn same_verified_email_makes_two_accounts_until_merged() {
    let (site, first, second, page) = sign_in_twice().await;
    assert_eq!((page.text("h1").as_str(), page.url.path()), (MERGE_HEADING, "/account/merge"));
    assert!(page.flash().unwrap().starts_with("Signed in as"));
    assert_eq!((site.count_users().await, second.open("/hearts").await.count("li.card")), (2, 0));
    let proven = sign_in_to_merge(&site, &second, &page, "ada").await;
    assert_eq!((proven.url.path(), site.count_users().await), ("/playlists", 1));
    assert!(proven.flash().unwrap().starts_with("Welcome back, Ada Example"));
    for visitor in [&first, &second] {
        assert_eq!(visitor.open("/hearts").await.count("li.card"), 1);
        assert_eq!(visitor.open("/account").await.texts(".identities h3"), ["Google", "GitHub"]);
    }
    let again = site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert_eq!((again.url.path(), site.count_users().await), ("/playlists", 1));
}

#[tokio::test]
async fn linking_own_other_account_offers_merge() {
    let (site, _, second, _) = sign_in_twice().await;
    let page = second.link_identity(&site.spotify, OtherProvider::Google, "ada").await;
    assert_eq!((page.status, page.text("h1").as_str()), (409, "That account may be yours too"));
    assert!(page.text("main").contains("Nothing was changed"));
    assert_eq!(site.count_users().await, 2);
    let question = second.open(&page.attribute("main li:first-child a", "href")).await;
    assert_eq!(question.text("h1"), MERGE_HEADING);
    let proven = sign_in_to_merge(&site, &second, &question, "ada").await;
    assert_eq!((proven.url.path(), site.count_users().await), ("/account", 1));

    // After 15 minutes the merge is no longer offered.
    let (site, _, second, _) = sign_in_twice().await;
    site.advance(Duration::from_secs(16 * 60));
    let again = second.open("/account/reauthenticate?next=/account").await;
    let consent = second.start_sign_in_with(OtherProvider::GitHub, &again).await;
    second.submit(consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "ada"))).await;
    let page = second.link_identity(&site.spotify, OtherProvider::Google, "ada").await;
    assert_eq!((page.status, page.text("h1").as_str()), (409, "That account is already linked"));
    assert_eq!(page.attributes("main a", "href"), ["/logout", "/account", "/playlists"]);
    assert_eq!(site.count_users().await, 2);
}

#[tokio::test]
async fn return_path_survives_merge() {
    let site = Site::open().await;
    site.visitor().sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    let visitor = site.visitor();
    let consent = visitor.start_sign_in_with(OtherProvider::GitHub, &visitor.open("/login?next=/hearts").await).await;
    let page = visitor.submit(consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "ada"))).await;
    assert!(page.has("main a[href='/hearts']"));
    assert_eq!(sign_in_to_merge(&site, &visitor, &page, "ada").await.url.path(), "/hearts");
}

#[tokio::test]
async fn unverified_email_never_offers_merge() {
    let site = Site::open().await;
    // Mira's address is verified at Google but not at GitHub, Noor's at neither; Facebook does not report it.
    for (provider, key) in [
        (OtherProvider::Google, "mira"),
        (OtherProvider::GitHub, "mira"),
        (OtherProvider::Facebook, "ada"),
        (OtherProvider::Google, "ada"),
        (OtherProvider::Google, "noor"),
    ] {
        let visitor = site.visitor();
        let page = visitor.sign_in_with(&site.spotify, provider, key).await;
        assert_eq!((page.url.path(), page.html.contains(MERGE_HEADING)), ("/playlists", false), "{provider:?} {key}");
        assert_eq!(visitor.open("/account/merge").await.url.path(), "/playlists");
    }
    assert_eq!(site.count_users().await, 5);
    site.spotify
        .update_account(OtherProvider::GitHub, "ada", |account| account.email = Some("noor@example.org".into()));
    let page = site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert_eq!(page.url.path(), "/playlists", "verified here, but not by the other side");
}

#[tokio::test]
async fn merge_needs_sign_in_to_the_other_account() {
    let (site, _first, second, page) = sign_in_twice().await;
    site.visitor().sign_in_with(&site.spotify, OtherProvider::Google, "mira").await;
    let wrong = sign_in_to_merge(&site, &second, &page, "mira").await;
    assert_eq!((wrong.status, site.count_users().await), (409, 3));
    let unknown = sign_in_to_merge(&site, &second, &page, "noor").await;
    assert_eq!((unknown.status, site.count_users().await), (409, 3));
}

#[tokio::test]
async fn merge_needs_same_session_within_fifteen_minutes() {
    let (site, _first, second, page) = sign_in_twice().await;
    let elsewhere = site.visitor();
    elsewhere.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert_eq!(elsewhere.open("/account/merge").await.url.path(), "/playlists");
    let same = [("sec-fetch-site", "same-origin")];
    let sent = elsewhere.request(Method::POST, "/auth/google", &same, Some("intent=merge".into())).await;
    let consent = elsewhere.open(sent.header("location")).await;
    let refused = elsewhere.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    assert_eq!((refused.status, site.count_users().await), (409, 2), "another session of the same newcomer");
    site.advance(Duration::from_secs(14 * 60 + 50));
    let consent = second.start_sign_in_with(OtherProvider::Google, &page).await;
    site.advance(Duration::from_secs(11));
    let late = second.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    assert_eq!((late.status, site.count_users().await), (409, 2), "too late");
    assert_eq!(second.open("/account/merge").await.url.path(), "/playlists");
}

#[tokio::test]
async fn accounts_never_merge_without_being_asked() {
    let (site, _first, second, page) = sign_in_twice().await;
    let form = page.form("form[action='/auth/google']");
    for intent in ["link", "", "sign-in"] {
        let form = Form {
            fields: form.fields.clone(),
            action: form.action.clone(),
            method: form.method.clone(),
            page: form.page.clone(),
        };
        let sent = second.submit(form.with("intent", intent)).await;
        if sent.has("button[value=approve]") {
            let end = second.submit(sent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
            assert_eq!(end.status, 409, "{intent}");
        }
        assert_eq!(site.count_users().await, 2, "{intent}");
    }
}

#[tokio::test]
async fn accounts_with_the_same_provider_are_not_merged() {
    let (site, first, second, page) = sign_in_twice().await;
    first.link_identity(&site.spotify, OtherProvider::X, "ada").await;
    second.link_identity(&site.spotify, OtherProvider::X, "mira").await;
    let kept = sign_in_to_merge(&site, &second, &page, "ada").await;
    assert_eq!((kept.status, site.count_users().await), (409, 2));
    assert!(kept.text("main").contains("Nothing was changed"));
    assert_eq!(first.open("/hearts").await.count("li.card"), 1);
}

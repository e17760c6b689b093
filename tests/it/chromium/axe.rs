//! What axe-core, the checker of accessibility, says of every page: nothing, in light and dark, on a phone and
//! on a desk.

use fake_spotify::OtherProvider;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::Executor as _;

use super::{FIRST_HEART, ada_with_a_heart, sign_in, until_saved};
use crate::support::Site;
use crate::support::browser::Browser;
use crate::support::browser::axe::{check, look, violations};
use crate::support::browser::sizes::{pages_for_all, pages_of_mira};
use crate::support::rows::strangers;

#[tokio::test]
async fn axe_finds_no_violation_on_any_page() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    for path in pages_for_all() {
        check(&browser, path).await;
    }
    sign_in(&browser, "mira").await;
    browser.click(FIRST_HEART).await;
    until_saved(&site, &browser, 1).await;
    furnish(&site).await;
    for path in pages_of_mira(&site) {
        check(&browser, &path).await;
    }
}

#[tokio::test]
async fn axe_finds_no_violation_in_messages_and_help() {
    let site = Site::open().await;
    let browser = ada_with_a_heart(&site).await;
    browser.click(FIRST_HEART).await;
    browser.find("#live .undo").await;
    look(&browser, "a message").await;
    browser.click(".foot button").await;
    browser.find("#keys[open]").await;
    look(&browser, "the help").await;
}

#[tokio::test]
async fn axe_finds_no_violation_without_spotify() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/login").await;
    browser.click("button[formaction='/auth/github']").await;
    browser.click("label:has(input[name=account])").await;
    browser.click("button[value=approve]").await;
    browser.arrive("/playlists").await;
    for path in ["/playlists", "/now-playing", "/account"] {
        check(&browser, path).await;
    }
}

/// Gives mira's heart words, her account a further way in, and the page of most hearted playlists some rows.
async fn furnish(site: &Site) {
    let words = "update user_hearts set note = 'For the rain', tags = array['wet', 'late night']";
    site.db.execute(words).await.unwrap();
    let mira = site.signed_in("mira").await;
    mira.link(&site.spotify, OtherProvider::GitHub, "mira").await;
    for id in &mira.open("/playlists").await.playlist_ids()[..12] {
        strangers(site, id, 3).await;
    }
    site.refresh_top().await;
}

#[tokio::test]
async fn axe_detects_a_missing_alt_text() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/").await;
    browser
        .ask::<()>("document.querySelector('main').append(Object.assign(new Image(), { src: '/favicon.svg' }))")
        .await;
    let violations = violations(&browser).await;
    assert_eq!(violations.iter().map(|broken| broken.id.as_str()).collect::<Vec<_>>(), ["image-alt"]);
}

//! axe-core finds no accessibility violation on any page, in light and dark, on small and large screens.

use fake_spotify::OtherProvider;
use sqlx::Executor as _;

use super::{FIRST_HEART, open_as_ada_with_heart, sign_in, wait_for_heart_count};
use crate::support::Site;
use crate::support::browser::Browser;
use crate::support::browser::axe::{assert_accessible, assert_accessible_page, violations};
use crate::support::browser::sizes::{pages_for_all, pages_of_mira};
use crate::support::rows::add_hearts_of_strangers;
use crate::support::visitor::Visitor;

#[tokio::test]
async fn axe_finds_no_violation_on_any_page() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    mira.link_identity(&site.spotify, OtherProvider::GitHub, "mira").await;
    let browser = Browser::open(&site).await;
    for path in pages_for_all() {
        assert_accessible_page(&browser, path).await;
    }
    sign_in(&browser, "mira").await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(&site, &browser, 1).await;
    add_sample_data(&site, &mira).await;
    site.make_everybody_operator().await;
    for path in pages_of_mira(&site) {
        assert_accessible_page(&browser, &path).await;
    }
}

#[tokio::test]
async fn axe_finds_no_violation_in_messages_and_help() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.click(FIRST_HEART).await;
    browser.find("#live .undo").await;
    assert_accessible(&browser, "a message").await;
    browser.click(".site-footer button").await;
    browser.find("#keyboard-help[open]").await;
    assert_accessible(&browser, "the help").await;
}

#[tokio::test]
async fn axe_finds_no_violation_without_spotify() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/login").await;
    browser.click("button[formaction='/auth/github']").await;
    browser.click("label:has(input[name=account])").await;
    browser.click("button[value=approve]").await;
    browser.wait_for_location("/add").await;
    for path in ["/add", "/playlists", "/now-playing", "/account"] {
        assert_accessible_page(&browser, path).await;
    }
}

/// Adds a note and tags, and rows of the top list.
async fn add_sample_data(site: &Site, mira: &Visitor) {
    let words = "update user_hearts set note = 'For the rain', tags = array['wet', 'late night']";
    site.db.execute(words).await.unwrap();
    for id in &mira.open("/playlists").await.playlist_ids()[..12] {
        add_hearts_of_strangers(site, id, 3).await;
    }
    site.force_top_refresh().await;
}

#[tokio::test]
async fn axe_detects_a_missing_alt_text() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/").await;
    browser
        .eval::<()>("document.querySelector('main').append(Object.assign(new Image(), { src: '/favicon.svg' }))")
        .await;
    let violations = violations(&browser).await;
    assert_eq!(violations.iter().map(|broken| broken.id.as_str()).collect::<Vec<_>>(), ["image-alt"]);
}

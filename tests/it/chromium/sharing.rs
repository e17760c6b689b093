//! Shared pages and their settings.

use std::collections::HashSet;

use reqwest::Method;

use super::sign_in;
use crate::support::Site;
use crate::support::browser::Browser;
use crate::support::browser::axe::assert_accessible_page;
use crate::support::browser::sizes::assert_page_fits;
use crate::support::sharing::{SETTINGS, create_secret_link, publish_page_at};

#[tokio::test]
async fn shared_pages_fit_every_screen_and_pass_axe() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    // Mira's library holds every kind of messy data.
    for page in 1..=3 {
        for id in mira.open(&format!("/playlists?page={page}")).await.playlist_ids() {
            mira.fetch(Method::PUT, &format!("/heart/{id}")).await;
        }
    }
    publish_page_at(&mira, "mira-with-the-longest-address1").await;
    let link = create_secret_link(&mira).await;
    let browser = Browser::open(&site).await;
    let shown = ["/u/mira-with-the-longest-address1", link.as_str(), "/u/nobody"];
    for path in shown {
        assert_accessible_page(&browser, path).await;
        assert_page_fits(&browser, path, &mut HashSet::new()).await;
    }
    sign_in(&browser, "mira").await;
    assert_accessible_page(&browser, SETTINGS).await;
    assert_page_fits(&browser, SETTINGS, &mut HashSet::new()).await;
    let complaints = browser.console_errors().await;
    let others =
        complaints.iter().filter(|line| !line.contains("/covers/") && !line.contains("/u/nobody")).collect::<Vec<_>>();
    assert!(others.is_empty(), "{others:#?}");
}

#[tokio::test]
async fn public_page_is_turned_on_and_off_without_script() {
    let site = Site::open().await;
    let browser = Browser::without_script(&site).await;
    sign_in(&browser, "ada").await;
    browser.click(super::FIRST_HEART).await;
    browser.wait_for_text("main [role=status]", "Hearted.").await;
    browser.go("/account").await;
    browser.click("a[href='/account/sharing']").await;
    browser.find("#slug").await.send_keys("a").await.unwrap();
    browser.click("#slug ~ button").await;
    browser.wait_for_text("#slug-error", "3 to 30 characters").await;
    assert!(browser.eval::<bool>("document.activeElement.id === 'slug'").await, "the focus is where the trouble is");
    browser.find("#slug").await.clear().await.unwrap();
    browser.find("#slug").await.send_keys("ada").await.unwrap();
    browser.click("#slug ~ button").await;
    browser.click("a.copy-value[href='/u/ada']").await;
    browser.wait_for_text("h1", "Ada’s hearts").await;
    browser.back().await;
    browser.click("form[action='/account/sharing/page']:has([value=false]) button").await;
    browser.wait_for_text("main [role=status]", "is off").await;
    browser.go("/u/ada").await;
    browser.wait_for_text("h1", "Nothing is shared here").await;
}

//! Shared pages and their settings.

use std::collections::HashSet;

use reqwest::Method;

use super::{open_as_ada, sign_in};
use crate::support::Site;
use crate::support::browser::Browser;
use crate::support::browser::axe::assert_accessible_page;
use crate::support::browser::sizes::assert_page_fits;
use crate::support::sharing::{SETTINGS, create_secret_link, publish_page_at, set_option, share_tag};

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
    let first = mira.open("/hearts").await.playlist_ids().remove(0);
    mira.annotate(&first, &"note ".repeat(40), "a tag of twenty-nine letters, ليل").await;
    for tag in ["a tag of twenty-nine letters", "ليل"] {
        assert_eq!(share_tag(&mira, tag).await.status, 200);
    }
    for option in ["notes", "embed"] {
        set_option(&mira, option).await;
    }
    let browser = Browser::open(&site).await;
    let tag = format!("{link}/tags/a%20tag%20of%20twenty-nine%20letters");
    let embed = "/u/mira-with-the-longest-address1/embed";
    let shown = ["/u/mira-with-the-longest-address1", link.as_str(), tag.as_str(), embed, "/u/nobody"];
    for path in shown {
        assert_accessible_page(&browser, path).await;
        assert_page_fits(&browser, path, &mut HashSet::new()).await;
    }
    sign_in(&browser, "mira").await;
    for path in [SETTINGS, "/account/sharing/link"] {
        assert_accessible_page(&browser, path).await;
        assert_page_fits(&browser, path, &mut HashSet::new()).await;
    }
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
    assert_eq!(browser.eval::<String>("document.querySelector('#slug').value").await, "ada");
    browser.find("#slug").await.clear().await.unwrap();
    browser.type_text("#slug", "a").await;
    browser.click("#slug ~ button").await;
    browser.wait_for_text("#slug-error", "3 to 30 characters").await;
    assert!(browser.eval::<bool>("document.activeElement.id === 'slug'").await, "the focus is where the trouble is");
    browser.find("#slug").await.clear().await.unwrap();
    browser.type_text("#slug", "ada").await;
    browser.click("#slug ~ button").await;
    browser.click("a.copy-value[href='/u/ada']").await;
    browser.wait_for_text("h1", "Ada’s hearts").await;
    browser.back().await;
    browser.click("form[action='/account/sharing/page']:has([value=false]) button").await;
    browser.wait_for_text("main [role=status]", "is off").await;
    browser.go("/u/ada").await;
    browser.wait_for_text("h1", "Nothing is shared here").await;
}

#[tokio::test]
async fn addresses_are_copied_and_shared_by_buttons_that_need_the_script() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    publish_page_at(&ada, "ada").await;
    let link = create_secret_link(&ada).await;
    let playlist = format!("/playlists/{}", ada.open("/playlists").await.playlist_ids()[0]);
    let browser = open_as_ada(&site).await;
    let url = |path: &str| format!("{}{path}", site.base);
    let open = format!("https://open.spotify.com{}", playlist.replace("playlists", "playlist"));
    for (path, urls) in [
        (SETTINGS, vec![url("/u/ada"), url(&link)]),
        ("/u/ada", vec![url("/u/ada"), url("/u/ada/atom.xml"), url("/u/ada/feed.json")]),
        (&playlist, vec![open]),
    ] {
        browser.go(path).await;
        let shared: Vec<String> =
            browser.eval("[...document.querySelectorAll('[data-share]')].map((b) => b.dataset.share)").await;
        assert!(shared.is_empty() || browser.eval::<bool>("!!navigator.share").await, "no dead button on {path}");
        browser
            .run_script("window.copied = []; navigator.clipboard.writeText = async (text) => copied.push(text)")
            .await;
        for index in 0..urls.len() {
            browser.run_script(&format!("document.querySelectorAll('[data-copy]')[{index}].click()")).await;
            browser.wait_for_text("#live span", "Copied.").await;
        }
        assert_eq!(browser.eval::<Vec<String>>("copied").await, urls, "{path}");
        browser.run_script("navigator.clipboard.writeText = () => Promise.reject(new Error())").await;
        browser.click("[data-copy]").await;
        browser.wait_for_text("#live span", "Not copied").await;
    }
    drop(browser);
    let browser = Browser::without_script(&site).await;
    browser.go("/u/ada").await;
    let buttons = "[...document.querySelectorAll('[data-copy], [data-share]')].filter(b => b.offsetHeight).length";
    let buttons: usize = browser.eval(buttons).await;
    assert_eq!(buttons, 0, "nothing that does nothing");
}

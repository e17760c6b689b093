//! Print styles.

use serde_json::json;
use sqlx::Executor as _;

use super::{open_as_ada, open_as_ada_with_heart};
use crate::support::Site;
use crate::support::rows::SIXTY_HEARTS;

/// Visible controls and images, which are of no use in print.
const VISIBLE_CONTROLS: &str = "[...document.querySelectorAll('button, input, summary, img, nav')].filter(e => e.checkVisibility()).map(e => e.outerHTML)";

#[tokio::test]
async fn printed_hearts_are_a_plain_list() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts").await;
    browser.click(".edit-link").await;
    browser.type_text(".annotation [name=note]", "For the rain").await;
    browser.type_text(".annotation input[name=tags]", "wet").await;
    browser.click(".annotation form button").await;
    browser.wait_for_text(".card .note", "For the rain").await;
    browser.go("/hearts?q=rain").await;
    browser.wait_for_text("#search-status", "1 of 1 ").await;
    let dark = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
    browser.devtools("Emulation.setEmulatedMedia", json!({ "media": "print", "features": dark })).await;
    assert_eq!(browser.eval::<Vec<String>>(VISIBLE_CONTROLS).await, [""; 0]);
    assert!(
        !browser.eval::<bool>("document.querySelector('#search-status').checkVisibility()").await,
        "how they were found"
    );
    let card = browser.text(".card").await;
    assert!(["Hearted ", "For the rain", "wet"].iter().all(|words| card.contains(words)), "{card}");
    let address = "getComputedStyle(document.querySelector('.card .spotify-link'), '::after').content";
    assert!(browser.eval::<String>(address).await.contains("https://open.spotify.com/playlist/"));
    let colours = "['color', 'backgroundColor'].map(part => getComputedStyle(document.body)[part])";
    assert_eq!(browser.eval::<Vec<String>>(colours).await, ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]);
}

#[tokio::test]
async fn print_shows_page_number() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    site.db.execute(SIXTY_HEARTS).await.unwrap();
    browser.go("/hearts?page=2").await;
    browser.devtools("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
    assert_eq!(browser.text(".pager").await, "Page 2 of 2", "and no link to the other");
}

//! Pages on paper.

use serde_json::json;

use super::{FIRST_HEART, ada, until_saved};
use crate::support::Site;

/// What is seen of the page though it is of no use on paper.
const USELESS: &str = "[...document.querySelectorAll('button, input, summary, img, nav')].filter(e => e.checkVisibility()).map(e => e.outerHTML)";

#[tokio::test]
async fn h9_on_paper_the_hearts_are_a_plain_list() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    browser.click(FIRST_HEART).await;
    until_saved(&site, &browser, 1).await;
    browser.go("/hearts").await;
    browser.click(".words summary").await;
    browser.find(".words input[name=note]").await.send_keys("For the rain").await.unwrap();
    browser.find(".words input[name=tags]").await.send_keys("wet").await.unwrap();
    browser.click(".words form button").await;
    browser.reads(".card .note", "For the rain").await;
    let dark = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
    browser.devtools("Emulation.setEmulatedMedia", json!({ "media": "print", "features": dark })).await;
    assert_eq!(browser.ask::<Vec<String>>(USELESS).await, [""; 0]);
    let card = browser.text(".card").await;
    assert!(["by ", "Hearted ", "For the rain", "wet"].iter().all(|words| card.contains(words)), "{card}");
    let address = "getComputedStyle(document.querySelector('.card .out'), '::after').content";
    assert!(browser.ask::<String>(address).await.contains("https://open.spotify.com/playlist/"));
    let colours = "['color', 'backgroundColor'].map(part => getComputedStyle(document.body)[part])";
    assert_eq!(browser.ask::<Vec<String>>(colours).await, ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]);
}

//! What only a real browser shows: the script, the keyboard, the layout, the content policy.

mod axe;
mod error_pages;
mod hearts;
mod keyboard;
mod layout;
mod page_weight;
mod print;
mod progress;
mod screenshots;
mod search;
mod sharing;
mod sign_in;
mod stale_pages;
mod undo;
mod without_script;

use crate::support::Site;
use crate::support::browser::Browser;

/// The first playlist on a page, by its heart button.
const FIRST_HEART: &str = ".card:first-child form.heart button";

/// Goes from the sign-in page through the consent page, by mouse.
async fn sign_in(browser: &Browser, user: &str) {
    browser.go("/login").await;
    browser.click("form[action='/auth/spotify'] button").await;
    consent(browser, user).await;
    browser.arrive("/playlists").await;
}

/// Says yes on the consent page as `user`.
async fn consent(browser: &Browser, user: &str) {
    browser.click(&format!("input[name=user][value={user}]")).await;
    browser.click("button[value=approve]").await;
}

/// Somebody with a browser who looks at ada's playlists.
async fn open_as_ada(site: &Site) -> Browser {
    let browser = Browser::open(site).await;
    sign_in(&browser, "ada").await;
    browser
}

/// The same, once her first playlist has her heart.
async fn open_as_ada_with_heart(site: &Site) -> Browser {
    let browser = open_as_ada(site).await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(site, &browser, 1).await;
    browser
}

/// Whether a heart button is pressed.
async fn is_hearted(browser: &Browser, button: &str) -> bool {
    browser.find(button).await.attr("aria-pressed").await.unwrap().unwrap() == "true"
}

/// Waits until a heart button is pressed, or is not.
async fn wait_for_hearted(browser: &Browser, button: &str, pressed: bool) {
    browser.find(&format!("{button}[aria-pressed={pressed}]")).await;
}

/// Waits until there are so many hearts in the database.
async fn wait_for_heart_count(site: &Site, browser: &Browser, hearts: i64) {
    let saved = async || site.count_hearts().await == hearts;
    browser.wait_until(&format!("{hearts} hearts saved"), saved).await;
}

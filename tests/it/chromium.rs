//! Tests in Chromium: script, keyboard, layout, content policy.

mod axe;
mod design;
mod double_submit;
mod error_pages;
mod filters;
mod hearts;
mod install;
mod keyboard;
mod layout;
mod page_weight;
mod print;
mod progress;
mod renewal;
mod replaced_results;
mod screenshots;
mod search;
mod selecting;
mod sharing;
mod sign_in;
mod songs;
mod stale_pages;
mod times;
mod undo;
mod view_transitions;
mod without_script;

use crate::support::Site;
use crate::support::browser::Browser;

/// Heart button of the first playlist on a page.
const FIRST_HEART: &str = ".card:first-child form.heart button";

/// Signs in by mouse.
async fn sign_in(browser: &Browser, user: &str) {
    browser.go("/login").await;
    browser.click("form[action='/auth/spotify'] button").await;
    approve_consent(browser, user).await;
    browser.wait_for_location("/playlists").await;
}

/// Approves the consent page as `user`.
async fn approve_consent(browser: &Browser, user: &str) {
    browser.click(&format!("input[name=user][value={user}]")).await;
    browser.click("button[value=approve]").await;
}

/// Opens a browser on the playlists page, signed in as `user`.
async fn open_as(site: &Site, user: &str) -> Browser {
    let browser = Browser::open(site).await;
    sign_in(&browser, user).await;
    browser
}

async fn open_as_ada(site: &Site) -> Browser {
    open_as(site, "ada").await
}

/// Opens a browser as Ada and hearts her first playlist.
async fn open_as_ada_with_heart(site: &Site) -> Browser {
    let browser = open_as_ada(site).await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(site, &browser, 1).await;
    browser
}

/// True if the heart button is pressed.
async fn is_hearted(browser: &Browser, button: &str) -> bool {
    browser.find(button).await.attr("aria-pressed").await.unwrap().unwrap() == "true"
}

/// Waits until the heart button's state is `pressed`.
async fn wait_for_hearted(browser: &Browser, button: &str, pressed: bool) {
    browser.find(&format!("{button}[aria-pressed={pressed}]")).await;
}

/// Waits until the database holds `hearts` hearts.
async fn wait_for_heart_count(site: &Site, browser: &Browser, hearts: i64) {
    let saved = async || site.count_hearts().await == hearts;
    browser.wait_until(&format!("{hearts} hearts saved"), saved).await;
}

//! A visit without JavaScript.

use super::{FIRST_HEART, is_hearted, sign_in};
use crate::support::Site;
use crate::support::browser::Browser;

#[tokio::test]
async fn sign_in_hearts_and_sign_out_work_without_script() {
    let site = Site::open().await;
    let browser = Browser::without_script(&site).await;
    sign_in(&browser, "ada").await;
    assert_eq!(browser.eval::<String>("typeof jQuery").await, "undefined", "script runs");

    let card: String = browser.eval("document.querySelector('.card').id").await;
    browser.click(FIRST_HEART).await;
    browser.wait_for_location(&format!("/playlists#{card}")).await;
    browser.wait_for_text("main [role=status]", "Hearted.").await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
    assert_eq!(site.count_hearts().await, 1);
    let last = ".card:last-child form.heart button";
    browser.click(last).await;
    browser.find(&format!("{last}[aria-pressed=true]")).await;
    let in_sight = "(flash => scrollY > 200 && Boolean(document.elementFromPoint(flash.left + 9, flash.top + 9)?.closest('.flash'))) \
        (document.querySelector('.flash').getBoundingClientRect())";
    assert!(browser.eval::<bool>(in_sight).await, "what was done is read where the page returns to");
    browser.click(last).await;
    browser.find(&format!("{last}[aria-pressed=false]")).await;

    browser.go("/hearts").await;
    browser.click(FIRST_HEART).await;
    browser.wait_for_text("main [role=status]", "Heart removed: ").await;
    assert_eq!(site.count_hearts().await, 0);

    browser.click("a[href='/logout']").await;
    browser.click("form[action='/logout'] button").await;
    browser.wait_for_text("main [role=status]", "You are signed out.").await;
    browser.go("/playlists").await;
    assert_eq!(browser.location().await, "/login?next=%2Fplaylists");
}

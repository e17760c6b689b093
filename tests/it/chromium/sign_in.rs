//! Signing in and out by mouse, and ending an account.

use super::{FIRST_HEART, ada, ada_with_a_heart, consent, pressed, sign_in, until_saved};
use crate::support::Site;
use crate::support::browser::Browser;

#[tokio::test]
async fn a3_two_clicks_and_a_consent_lead_to_the_playlists() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/").await;
    browser.click("main form[action='/auth/spotify'] button").await;
    consent(&browser, "ada").await;
    browser.arrive("/playlists").await;
    browser.reads("main [role=status]", "Signed in as Ada").await;
    browser.reload().await;
    assert!(!browser.ask::<bool>("Boolean(document.querySelector('main .notice'))").await, "g9 shown again");
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn a4_a_no_by_mouse_leads_back_and_saves_nothing() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/login").await;
    browser.click("form[action='/auth/spotify'] button").await;
    browser.click("button[value=deny]").await;
    browser.arrive("/").await;
    browser.reads("main [role=status]", "Sign-in cancelled. Nothing was saved.").await;
    assert_eq!(site.count("select count(*) from users").await, 0);
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
async fn a14_after_a_failed_sign_in_the_heading_has_the_focus() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/auth/spotify/callback?code=x&state=forged").await;
    browser.becomes("document.activeElement.matches('h1')").await;
}

#[tokio::test]
async fn b7_a_heart_pressed_after_the_session_ended_is_kept_by_signing_in() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    sqlx::query("delete from sessions").execute(&site.db).await.unwrap();
    browser.click(FIRST_HEART).await;
    browser.find("form[action='/auth/spotify'] input[name=heart]").await;
    browser.click("form[action='/auth/spotify'] button").await;
    consent(&browser, "ada").await;
    browser.arrive("/playlists").await;
    assert!(pressed(&browser, FIRST_HEART).await);
    until_saved(&site, &browser, 1).await;
}

#[tokio::test]
async fn b7_a_heart_taken_back_after_the_session_ended_stays_and_that_is_said() {
    let site = Site::open().await;
    let browser = ada_with_a_heart(&site).await;
    sqlx::query("delete from sessions").execute(&site.db).await.unwrap();
    browser.click(FIRST_HEART).await;
    browser.reads("main [role=alert]", "You have been signed out, so nothing was changed.").await;
    browser.click("form[action='/auth/spotify'] button").await;
    consent(&browser, "ada").await;
    browser.arrive("/playlists").await;
    assert!(pressed(&browser, FIRST_HEART).await);
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is null").await, 1);
}

#[tokio::test]
async fn links_a_second_way_in_by_pressing() {
    let site = Site::open().await;
    let browser = ada_with_a_heart(&site).await;
    browser.click("a[href='/account']").await;
    browser.click("button[formaction='/auth/github']").await;
    browser.reads(".disclaimer", "GitHub").await;
    browser.click("label:has(input[name=account])").await;
    browser.click("button[value=approve]").await;
    browser.arrive("/account").await;
    browser.reads("main [role=status]", "GitHub is linked. You can now sign in with it.").await;
    browser.reads(".identities", "GitHub").await;
    assert!(browser.ask::<bool>("!document.querySelector(\"button[formaction='/auth/github']\")").await);
    assert_eq!(browser.complaints().await, [""; 0]);

    // And it leads to the same hearts.
    browser.click("a[href='/logout']").await;
    browser.click("form[action='/logout'] button").await;
    browser.go("/login").await;
    browser.click("button[formaction='/auth/github']").await;
    browser.click("label:has(input[name=account])").await;
    browser.click("button[value=approve]").await;
    browser.arrive("/playlists").await;
    browser.find("form.heart [aria-pressed=true]").await;
    assert_eq!(site.count("select count(*) from users").await, 1);
}

#[tokio::test]
async fn c7_after_signing_out_back_shows_no_data() {
    let site = Site::open().await;
    let browser = ada(&site).await;
    browser.click("a[href='/logout']").await;
    browser.click("form[action='/logout'] button").await;
    browser.arrive("/").await;
    browser.reads("main [role=status]", "You are signed out.").await;
    browser.back().await;
    browser.back().await;
    browser.find("form[action='/auth/spotify']").await;
    assert!(!browser.ask::<bool>("Boolean(document.querySelector('.card'))").await, "{}", browser.place().await);
}

#[tokio::test]
async fn c3_an_account_is_deleted_only_after_the_box_is_ticked() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    sign_in(&browser, "ada").await;
    browser.click(FIRST_HEART).await;
    until_saved(&site, &browser, 1).await;
    browser.click("a[href='/account']").await;
    browser.click("a[href='/account/delete']").await;
    browser.click("form[action='/account/delete'] button").await;
    assert_eq!((browser.place().await, site.count("select count(*) from users").await), ("/account/delete".into(), 1));
    browser.click("form[action='/account/delete'] input[name=sure]").await;
    browser.click("form[action='/account/delete'] button").await;
    browser.reads("h1", "Your account is deleted").await;
    assert_eq!(
        site.count("select count(*) from users").await
            + site.count("select count(*) from user_hearts where removed_at is null").await,
        0
    );
    assert_eq!(browser.complaints().await, [""; 0]);
}

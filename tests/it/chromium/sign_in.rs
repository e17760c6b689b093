//! Signing in and out by mouse, and ending an account.

use super::{FIRST_HEART, ada, ada_with_a_heart, consent, pressed, sign_in, until_saved};
use crate::support::Site;
use crate::support::browser::Browser;

#[tokio::test]
async fn sign_in_takes_two_clicks_and_a_consent() {
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
async fn denied_consent_returns_with_message() {
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
async fn failed_sign_in_focuses_heading() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/auth/spotify/callback?code=x&state=forged").await;
    browser.becomes("document.activeElement.matches('h1')").await;
}

#[tokio::test]
async fn heart_after_session_end_is_saved_by_signing_in() {
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
async fn heart_removed_after_session_end_stays_with_message() {
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
async fn second_identity_is_linked_by_mouse() {
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
async fn back_after_sign_out_shows_no_data() {
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
async fn account_deletion_needs_ticked_box() {
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

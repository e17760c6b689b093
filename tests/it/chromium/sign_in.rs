//! Signing in, signing out and deleting the account by mouse.

use super::{FIRST_HEART, approve_consent, is_hearted, open_as_ada, open_as_ada_with_heart, wait_for_heart_count};
use crate::support::Site;
use crate::support::browser::Browser;

#[tokio::test]
async fn sign_in_takes_two_clicks_and_a_consent() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/").await;
    browser.click("main form[action='/auth/spotify'] button").await;
    approve_consent(&browser, "ada").await;
    browser.wait_for_location("/playlists").await;
    browser.wait_for_text("main [role=status]", "Signed in as Ada").await;
    browser.reload().await;
    assert!(!browser.eval::<bool>("Boolean(document.querySelector('main .callout'))").await, "g9 shown again");
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn denied_consent_returns_with_message() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/login").await;
    browser.click("form[action='/auth/spotify'] button").await;
    browser.click("button[value=deny]").await;
    browser.wait_for_location("/").await;
    browser.wait_for_text("main [role=status]", "Sign-in cancelled. Nothing was saved.").await;
    assert_eq!(site.count_users().await, 0);
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn failed_sign_in_focuses_heading() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    browser.go("/auth/spotify/callback?code=x&state=forged").await;
    browser.wait_for("document.activeElement.matches('h1')").await;
}

#[tokio::test]
async fn heart_after_session_end_is_saved_by_signing_in() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    sqlx::query("delete from sessions").execute(&site.db).await.unwrap();
    browser.click(FIRST_HEART).await;
    browser.find("form[action='/auth/spotify'] input[name=heart]").await;
    browser.click("form[action='/auth/spotify'] button").await;
    approve_consent(&browser, "ada").await;
    browser.wait_for_location("/playlists").await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
    wait_for_heart_count(&site, &browser, 1).await;
}

#[tokio::test]
async fn heart_removed_after_session_end_stays_with_message() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    sqlx::query("delete from sessions").execute(&site.db).await.unwrap();
    browser.click(FIRST_HEART).await;
    browser.wait_for_text("main [role=alert]", "You have been signed out, so nothing was changed.").await;
    browser.click("form[action='/auth/spotify'] button").await;
    approve_consent(&browser, "ada").await;
    browser.wait_for_location("/playlists").await;
    assert!(is_hearted(&browser, FIRST_HEART).await);
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn second_identity_is_linked_by_mouse() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.click("a[href='/account']").await;
    browser.click("button[formaction='/auth/github']").await;
    browser.wait_for_text(".disclaimer", "GitHub").await;
    browser.click("label:has(input[name=account])").await;
    browser.click("button[value=approve]").await;
    browser.wait_for_location("/account").await;
    browser.wait_for_text("main [role=status]", "GitHub is linked. You can now sign in with it.").await;
    browser.wait_for_text(".identities", "GitHub").await;
    assert!(browser.eval::<bool>("!document.querySelector(\"button[formaction='/auth/github']\")").await);
    assert_eq!(browser.console_errors().await, [""; 0]);

    // The new identity signs in to the same hearts.
    browser.click("a[href='/logout']").await;
    browser.click("form[action='/logout'] button").await;
    browser.go("/login").await;
    browser.click("button[formaction='/auth/github']").await;
    browser.click("label:has(input[name=account])").await;
    browser.click("button[value=approve]").await;
    browser.wait_for_location("/hearts").await;
    browser.find("form.heart [aria-pressed=true]").await;
    assert_eq!(site.count_users().await, 1);
}

#[tokio::test]
async fn back_after_sign_out_shows_no_data() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.click("a[href='/logout']").await;
    browser.click("form[action='/logout'] button").await;
    browser.wait_for_location("/").await;
    browser.wait_for_text("main [role=status]", "You are signed out.").await;
    browser.back().await;
    browser.back().await;
    browser.find("form[action='/auth/spotify']").await;
    assert!(!browser.eval::<bool>("Boolean(document.querySelector('.card'))").await, "{}", browser.location().await);
}

#[tokio::test]
async fn account_deletion_needs_ticked_box() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(&site, &browser, 1).await;
    browser.click("a[href='/account']").await;
    browser.click("a[href='/account/delete']").await;
    browser.click("form[action='/account/delete'] button").await;
    assert_eq!((browser.location().await, site.count_users().await), ("/account/delete".into(), 1));
    browser.click("form[action='/account/delete'] input[name=confirm]").await;
    browser.click("form[action='/account/delete'] button").await;
    browser.wait_for_text("h1", "After an account is deleted").await;
    assert_eq!(site.count_users().await + site.count_hearts().await, 0);
    assert_eq!(browser.console_errors().await, [""; 0]);
}

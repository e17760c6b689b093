//! Saving hearted playlists in the library at Spotify: off until its own consent, and never at the cost of a heart.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, User};
use reqwest::Method;

use crate::support::Site;
use crate::support::visitor::{Visitor, approve, deny};

const SCOPES: &str = "playlist-read-private playlist-read-collaborative user-library-modify playlist-modify-public";
const TURN_ON: &str = "form:has([value=save-hearts])";

/// Ada, and the path of a heart for a playlist of Kim's.
async fn sign_in_with_heart_path(site: &Site) -> (Visitor, String) {
    site.spotify.add_user(User::with_library("kim", 3));
    let id = site.spotify.user("kim").unwrap().playlists()[0].id.clone();
    (site.sign_in("ada").await, format!("/heart/{id}"))
}

async fn turn_on(ada: &Visitor) {
    let consent = ada.submit(ada.open("/account").await.form(TURN_ON)).await;
    assert_eq!(consent.form("button[value=approve]").fields["scope"], SCOPES);
    let page = ada.submit(approve(&consent, "ada")).await;
    assert_eq!(page.flash().unwrap(), "Playlists that you heart here are now saved in your Spotify library too.");
    assert!(page.text("[aria-labelledby=saving]").contains("On in this browser"));
}

fn library(site: &Site) -> Vec<String> {
    site.spotify.user("ada").unwrap().playlists().iter().map(|playlist| playlist.id.clone()).collect()
}

#[tokio::test]
async fn hearts_are_saved_at_spotify_from_consent_to_switch_off_and_never_removed() {
    let site = Site::open().await;
    let (ada, heart) = sign_in_with_heart_path(&site).await;
    let id = heart.rsplit('/').next().unwrap().to_owned();
    assert_eq!(ada.fetch(Method::PUT, &heart).await.json()["hearted"], true);
    let consent = ada.submit(ada.open("/account").await.form(TURN_ON)).await;
    ada.submit(deny(&consent)).await;
    ada.fetch(Method::PUT, &heart).await;
    assert_eq!(site.spotify.request_count(Endpoint::SaveToLibrary), 0, "it is off");

    turn_on(&ada).await;
    let response = ada.fetch(Method::PUT, &heart).await;
    assert_eq!((response.status, response.json().get("not_saved")), (200, None));
    assert!(library(&site).contains(&id));
    ada.fetch(Method::DELETE, &heart).await;
    assert!(library(&site).contains(&id), "nothing is removed there");
    assert_eq!(site.spotify.request_count(Endpoint::SaveToLibrary), 1);

    // Without script.
    let page = ada.open("/playlists").await;
    let page = ada.submit(page.form("form.heart")).await;
    assert_eq!(page.flash().unwrap(), "Hearted, and saved in your Spotify library.");

    // Switched off, the scopes are no longer asked for.
    let off = ada.submit(ada.open("/account").await.form("form[action='/account/saving']")).await;
    assert_eq!(off.flash().unwrap(), "Hearts are no longer saved at Spotify. What is in your library there stays.");
    ada.fetch(Method::PUT, &heart).await;
    assert_eq!(site.spotify.request_count(Endpoint::SaveToLibrary), 2);
    let consent = ada.submit(ada.open("/now-playing").await.form("main form")).await;
    assert!(!consent.form("button[value=approve]").fields["scope"].contains("modify"));
    assert!(library(&site).contains(&id));
}

#[tokio::test]
async fn each_failure_at_spotify_is_told_and_loses_no_heart() {
    let missing_scope = r#"{"error":{"status":403,"message":"Insufficient client scope"}}"#;
    for (fault, reason) in [
        (Fault::Status(403, missing_scope.into(), "application/json"), "Spotify does not allow it."),
        (Fault::Status(404, String::new(), "text/plain"), "Spotify does not show this playlist."),
        (Fault::Status(400, "{}".into(), "application/json"), "Spotify does not show this playlist."),
        (Fault::RateLimited { retry_after: 120 }, "too many requests to Spotify. It works again in about "),
        (Fault::QuotaExceeded, "too many requests to Spotify. It works again in about "),
        (Fault::Html502, "Spotify is having trouble."),
        (Fault::Redirect("https://evil.example/".into()), "Spotify is having trouble."),
        (Fault::Hang, "Spotify has not answered yet, and it may still appear."),
    ] {
        let site = Site::open().await;
        let (ada, heart) = sign_in_with_heart_path(&site).await;
        turn_on(&ada).await;
        site.spotify.inject_fault(Endpoint::SaveToLibrary, fault.clone(), 9);
        let response = ada.fetch(Method::PUT, &heart).await;
        let message = response.json()["not_saved"].as_str().unwrap_or_default().to_owned();
        assert_eq!((response.status, site.count_hearts().await), (200, 1), "{fault:?}");
        assert!(
            message.starts_with("Hearted, but not saved in your Spotify library: ") && message.contains(reason),
            "{message}"
        );
        let page = ada.open("/hearts").await;
        ada.submit(page.form("form.heart")).await;
        let page = ada.submit(ada.open("/playlists").await.form("form.heart")).await;
        assert!(page.flash().unwrap().contains(reason), "{fault:?}: {:?}", page.flash());
        assert_eq!(site.count_hearts().await, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn cooldown_of_spotify_holds_back_saving_and_ends() {
    let site = Site::open().await;
    let (ada, heart) = sign_in_with_heart_path(&site).await;
    turn_on(&ada).await;
    site.spotify.inject_fault(Endpoint::SaveToLibrary, Fault::RateLimited { retry_after: 120 }, 1);
    for _ in 0..3 {
        assert!(ada.fetch(Method::PUT, &heart).await.json()["not_saved"].is_string());
    }
    assert_eq!(site.spotify.request_count(Endpoint::SaveToLibrary), 1);
    site.advance(Duration::from_secs(121));
    assert!(ada.fetch(Method::PUT, &heart).await.json().get("not_saved").is_none());
    assert_eq!(site.spotify.request_count(Endpoint::SaveToLibrary), 2);
}

#[tokio::test]
async fn partly_allowed_saving_stays_off_and_disconnecting_ends_it() {
    let site = Site::open().await;
    let (ada, heart) = sign_in_with_heart_path(&site).await;
    let consent = ada.submit(ada.open("/account").await.form(TURN_ON)).await;
    let form =
        approve(&consent, "ada").with("scope", "playlist-read-private playlist-read-collaborative user-library-modify");
    let page = ada.submit(form).await;
    assert_eq!(page.flash().unwrap(), "Spotify did not allow Heartlist to save playlists in your library there.");
    assert!(ada.fetch(Method::PUT, &heart).await.json().get("not_saved").is_none());

    turn_on(&ada).await;
    ada.submit(ada.open("/account/disconnect").await.form("main form")).await;
    assert!(!ada.open("/account").await.has("#saving"));
    assert!(ada.fetch(Method::PUT, &heart).await.json().get("not_saved").is_none());
    assert_eq!(site.spotify.request_count(Endpoint::SaveToLibrary), 0);
}

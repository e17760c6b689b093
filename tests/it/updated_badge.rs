//! The badge of playlists that changed since they were hearted.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault};
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::Visitor;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn add_heart(visitor: &Visitor, id: &str) {
    assert_eq!(visitor.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200);
}

/// The badge on a playlist's card.
fn badge_text(page: &Page, id: &str) -> Option<String> {
    assert!(page.has(&format!("#p-{id}")), "{}", page.html);
    page.texts(&format!("#p-{id} .updated-label")).pop()
}

/// The badge on both list pages, after the library was fetched.
async fn badges_after_fetch(visitor: &Visitor, id: &str) -> [Option<String>; 2] {
    let playlists = visitor.open("/playlists").await;
    [badge_text(&playlists, id), badge_text(&visitor.open("/hearts").await, id)]
}

#[tokio::test]
async fn updated_badge_shows_date_until_playlist_is_opened() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let ids = ada.open("/playlists").await.playlist_ids();
    let (id, other, unhearted) = (&ids[0], &ids[1], &ids[2]);
    add_heart(&ada, id).await;
    add_heart(&ada, other).await;
    site.advance(DAY);
    assert_eq!(badges_after_fetch(&ada, id).await, [None, None], "seen again, and nothing changed");

    site.spotify.add_song(id);
    site.spotify.add_song(unhearted);
    assert_eq!(badges_after_fetch(&ada, id).await, [None, None], "nobody has asked Spotify yet");
    site.advance(DAY);
    ada.open("/playlists").await;
    let seen: time::OffsetDateTime = sqlx::query_scalar("select snapshot_seen_at from playlists where id = $1")
        .bind(id)
        .fetch_one(&site.db)
        .await
        .unwrap();
    site.advance(DAY);
    for badge in badges_after_fetch(&ada, id).await {
        assert_eq!(badge.unwrap(), "Updated yesterday", "the first day it was seen");
    }
    let page = ada.open("/playlists").await;
    let date = page.attribute(&format!("#p-{id} .updated-label time"), "datetime");
    assert!(date.starts_with(&seen.date().to_string()), "{date}");
    assert_eq!((badge_text(&page, other), badge_text(&page, unhearted)), (None, None));

    assert_eq!(ada.open(&format!("/playlists/{id}")).await.status, 200);
    assert_eq!(badges_after_fetch(&ada, id).await, [None, None]);
    site.spotify.add_song(id);
    site.advance(DAY);
    assert!(badges_after_fetch(&ada, id).await.iter().all(Option::is_some), "and once more");
}

#[tokio::test]
async fn opening_songs_of_a_moment_ago_keeps_badge() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.freeze_clock();
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    let path = format!("/playlists/{id}");
    add_heart(&ada, &id).await;
    site.advance(DAY);
    let songs = ada.open(&path).await.count("tbody tr");
    site.spotify.add_song(&id);
    ada.open("/playlists").await;
    assert_eq!(ada.open(&path).await.count("tbody tr"), songs, "from memory");
    assert!(badges_after_fetch(&ada, &id).await.iter().all(Option::is_some));
    site.advance(Duration::from_secs(61));
    assert_eq!(ada.open(&path).await.count("tbody tr"), songs + 1);
    assert_eq!(badges_after_fetch(&ada, &id).await, [None, None]);
}

#[tokio::test]
async fn opening_during_spotify_outage_keeps_badge() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    add_heart(&ada, &id).await;
    site.spotify.add_song(&id);
    site.advance(DAY);
    ada.open("/playlists").await;
    site.spotify.inject_fault(Endpoint::Playlist, Fault::Html502, 10);
    assert_eq!(ada.open(&format!("/playlists/{id}")).await.status, 200);
    assert!(badges_after_fetch(&ada, &id).await.iter().all(Option::is_some));
}

#[tokio::test]
async fn heart_without_known_snapshot_takes_first_version_seen() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let noor = site.sign_in("noor").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    add_heart(&noor, &id).await;
    assert_eq!(noor.open(&format!("/playlists/{id}")).await.status, 200);
    assert_eq!(badge_text(&noor.open("/hearts").await, &id), None);
    site.spotify.add_song(&id);
    let by_link = noor.open("/hearts").await.form("#link").with("link", &id);
    site.advance(DAY);
    // Its answer leads to the page of the playlist, which would be seen by that.
    assert_eq!(noor.send_form(by_link).await.status, 303);
    assert!(badge_text(&noor.open("/hearts").await, &id).is_some());
    assert_eq!(
        site.count("select count(*) from user_hearts where removed_at is null and snapshot_id is null").await,
        0
    );
}

#[tokio::test]
async fn hearting_again_resets_snapshot() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    add_heart(&ada, &id).await;
    site.spotify.add_song(&id);
    site.advance(DAY);
    assert!(badges_after_fetch(&ada, &id).await[0].is_some());
    ada.fetch(Method::DELETE, &format!("/heart/{id}")).await;
    assert_eq!(badge_text(&ada.open("/playlists").await, &id), None);
    add_heart(&ada, &id).await;
    assert_eq!(badges_after_fetch(&ada, &id).await, [None, None]);
}

#[tokio::test]
async fn playlists_made_by_spotify_never_get_badge() {
    let site = Site::open().await;
    let id = "37i9dQZF1DXcBWIGoYBM5M";
    site.spotify.update_user("ada", |ada| ada.library[0].as_mut().unwrap().id = id.into());
    let ada = site.sign_in("ada").await;
    add_heart(&ada, id).await;
    for _ in 0..3 {
        site.spotify.add_song(id);
        site.advance(DAY);
        assert_eq!(badges_after_fetch(&ada, id).await, [None, None]);
        assert_eq!(ada.open(&format!("/playlists/{id}")).await.status, 200);
    }
}

#[tokio::test]
async fn badge_is_cleared_per_user() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    let theirs = site.spotify.user("mira").unwrap();
    let shared = ada.open("/playlists").await.playlist_ids();
    let id = shared.iter().find(|id| theirs.playlists().iter().any(|p| p.id == **id)).expect("one they both list");
    add_heart(&ada, id).await;
    site.spotify.add_song(id);
    add_heart(&mira, id).await;
    site.advance(DAY);
    assert!(badges_after_fetch(&ada, id).await.iter().all(Option::is_some));
    ada.open(&format!("/playlists/{id}")).await;
    site.advance(Duration::from_secs(60));
    mira.open("/playlists").await;
    assert!(badge_text(&mira.open("/hearts").await, id).is_some(), "ada's look is not mira's");
}

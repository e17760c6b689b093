//! Removed hearts: undo, the list of 30 days, permanent deletion.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use time::OffsetDateTime;

use crate::support::page::Page;
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
const COUNT_REMOVED: &str = "select count(*) from user_hearts where removed_at is not null";

/// Ada with a heart that has a note and tags.
async fn sign_in_with_annotated_heart(site: &Site) -> Visitor {
    let ada = site.sign_in("ada").await;
    ada.fetch(Method::PUT, HEART).await;
    let form =
        ada.edit_first_heart().await.form(".annotation form").with("note", "For the rain").with("tags", "wet, late");
    assert_eq!(ada.submit(form).await.status, 200);
    ada
}

/// Date, note and tags of the only heart.
async fn read_heart(site: &Site) -> (OffsetDateTime, Option<String>, Vec<String>) {
    sqlx::query_as("select hearted_at, note, tags from user_hearts where removed_at is null")
        .fetch_one(&site.db)
        .await
        .unwrap()
}

async fn remove_first_heart(visitor: &Visitor) -> Page {
    let page = visitor.open("/hearts").await;
    visitor.submit(page.form("form.heart")).await
}

#[tokio::test]
async fn undo_restores_date_note_and_tags_without_script() {
    let site = Site::open().await;
    let ada = sign_in_with_annotated_heart(&site).await;
    let before = read_heart(&site).await;
    site.advance(60 * MINUTE);
    let page = remove_first_heart(&ada).await;
    let flash = page.flash().unwrap();
    assert!(flash.starts_with("Heart removed: ") && flash.len() > "Heart removed: .".len(), "{flash}");
    assert_eq!(page.text(".callout button"), "Undo");
    assert!(!page.has("li.card"));
    let page = ada.submit(page.form(".callout form")).await;
    assert_eq!(page.flash().unwrap(), "Heart restored, with its date, title, note and tags.");
    assert_eq!(
        (page.text(".card .note").as_str(), page.texts(".tags a")),
        ("For the rain", vec!["wet".into(), "late".into()])
    );
    assert_eq!((read_heart(&site).await, site.count(COUNT_REMOVED).await), (before, 0));
    assert!(!ada.open("/hearts").await.has(".flash"), "it is offered once");
}

#[tokio::test]
async fn heart_readded_within_undo_window_keeps_its_date() {
    let site = Site::open().await;
    let ada = sign_in_with_annotated_heart(&site).await;
    let before = read_heart(&site).await;
    site.advance(DAY);
    for method in [Method::DELETE, Method::PUT, Method::DELETE, Method::PUT] {
        ada.fetch(method, HEART).await;
        site.advance(9 * MINUTE);
    }
    assert_eq!(read_heart(&site).await, before);
    ada.fetch(Method::DELETE, HEART).await;
    site.advance(11 * MINUTE);
    ada.fetch(Method::PUT, HEART).await;
    let after = read_heart(&site).await;
    assert!(after.0 > before.0, "a new heart has a new date");
    assert_eq!((after.1, after.2), (before.1, before.2), "nobody's words are lost");
    assert_eq!(site.count(COUNT_REMOVED).await, 0);
}

#[tokio::test]
async fn recently_removed_lists_thirty_days_and_restores() {
    let site = Site::open().await;
    let ada = sign_in_with_annotated_heart(&site).await;
    let before = read_heart(&site).await;
    assert!(ada.open("/hearts").await.has("a[href='/hearts/removed']"));
    remove_first_heart(&ada).await;
    site.advance(29 * DAY);
    ada.fetch(Method::PUT, "/heart/1111111111111111111111").await;
    ada.fetch(Method::DELETE, "/heart/1111111111111111111111").await;
    let page = ada.open("/hearts/removed").await;
    assert_eq!(page.playlist_ids(), ["1111111111111111111111", "3cEYpjA9oz9GiPac4AsH4n"], "the latest first");
    let row = page.text("#p-3cEYpjA9oz9GiPac4AsH4n");
    assert!(["Hearted", "Removed", "For the rain", "wet"].iter().all(|words| row.contains(words)), "{row}");
    let page = ada.submit(page.form("#p-3cEYpjA9oz9GiPac4AsH4n button[value=restore]")).await;
    assert_eq!((page.url.path(), page.playlist_ids().len()), ("/hearts/removed", 1));
    assert_eq!(read_heart(&site).await, before);
}

#[tokio::test]
async fn removed_hearts_expire_after_thirty_days() {
    let site = Site::open().await;
    let ada = sign_in_with_annotated_heart(&site).await;
    remove_first_heart(&ada).await;
    let form = ada.open("/hearts/removed").await.form("button[value=restore]");
    site.advance(30 * DAY + MINUTE);
    assert!(!ada.open("/hearts/removed").await.has(".removed-list li"), "gone before it is swept");
    let page = ada.submit(form).await;
    assert!(page.flash().unwrap().starts_with("Nothing was restored"));
    site.run_cleanup().await;
    assert_eq!((site.count(COUNT_REMOVED).await, site.count_hearts().await), (0, 0));
}

#[tokio::test]
async fn undo_after_hearting_again_changes_nothing() {
    let site = Site::open().await;
    let ada = sign_in_with_annotated_heart(&site).await;
    let form = remove_first_heart(&ada).await.form(".callout form");
    ada.fetch(Method::PUT, HEART).await;
    let again = read_heart(&site).await;
    let page = ada.submit(form).await;
    assert!(page.flash().unwrap().starts_with("Nothing was restored"));
    assert_eq!((read_heart(&site).await, site.count(COUNT_REMOVED).await), (again, 0));
}

#[tokio::test]
async fn permanent_deletion_removes_one_or_all_removed_hearts() {
    let site = Site::open().await;
    let ada = sign_in_with_annotated_heart(&site).await;
    for n in 0..3 {
        ada.fetch(Method::PUT, &format!("/heart/{n:022}")).await;
        ada.fetch(Method::DELETE, &format!("/heart/{n:022}")).await;
    }
    let page = ada.open("/hearts/removed").await;
    let one = page.form("#p-0000000000000000000001 button[value=delete]").with("action", "delete");
    let again = page.form("#p-0000000000000000000001 button[value=delete]").with("action", "delete");
    let page = ada.submit(one).await;
    assert_eq!((page.flash().unwrap().as_str(), page.playlist_ids().len()), ("Deleted for good.", 2));
    let page = ada.submit(again).await;
    assert!(page.flash().unwrap().starts_with("Nothing was deleted. It was restored"), "as in another tab");
    let page = ada.submit(page.form("form[action='/hearts/removed']")).await;
    assert!(page.flash().unwrap().starts_with("Nothing was deleted") && site.count(COUNT_REMOVED).await == 2);
    let page = ada.submit(page.form("form[action='/hearts/removed']").with("confirm", "yes")).await;
    assert_eq!((page.text(".empty-state h2").as_str(), site.count(COUNT_REMOVED).await), ("Nothing here", 0));
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn removed_hearts_belong_to_one_user_and_are_paginated() {
    let site = Site::open().await;
    let (ada, mira) = (sign_in_with_annotated_heart(&site).await, site.sign_in("mira").await);
    remove_first_heart(&ada).await;
    let form = ada.open("/hearts/removed").await.form("button[value=restore]");
    let page = mira.submit(form).await;
    assert!(page.flash().unwrap().starts_with("Nothing was restored"));
    assert_eq!(
        (mira.open("/hearts/removed").await.has(".removed-list li"), site.count(COUNT_REMOVED).await),
        (false, 1)
    );
    let many = "insert into user_hearts (user_id, playlist_id, hearted_at, removed_at) select user_id, lpad(n::text, 22, '0'), hearted_at, removed_at from user_hearts, generate_series(1, 50) n";
    sqlx::raw_sql(many).execute(&site.db).await.unwrap();
    let page = ada.open("/hearts/removed").await;
    assert_eq!((page.count(".removed-list > li"), page.has("a[rel=next][href='/hearts/removed?page=2']")), (50, true));
    assert_eq!(ada.open("/hearts/removed?page=2").await.count(".removed-list > li"), 1);
    ada.get("/hearts/removed?page=3").await.assert_redirect("/hearts/removed?page=2");
    assert_eq!(ada.open("/account").await.text("#your-data + p b"), "0", "it is counted nowhere");
}

#[tokio::test]
async fn concurrent_removals_lose_no_note() {
    let site = Site::open().await;
    let ada = sign_in_with_annotated_heart(&site).await;
    let clicks = (0..30).map(|n| ada.fetch(if n % 2 == 0 { Method::DELETE } else { Method::PUT }, HEART));
    assert!(join_all(clicks).await.iter().all(|page| page.status == 200));
    ada.fetch(Method::DELETE, HEART).await;
    assert_eq!(site.count(COUNT_REMOVED).await, 1);
    let form = ada.open("/hearts/removed").await.form("button[value=restore]");
    ada.submit(form).await;
    let (_, note, tags) = read_heart(&site).await;
    assert_eq!((note.as_deref(), tags.len()), (Some("For the rain"), 2));
}

#[tokio::test]
async fn removed_heart_shows_its_cover() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let page = ada.open("/playlists").await;
    let ids = page.playlist_ids();
    let cover = |page: &Page, id: &str| page.attributes(&format!("#p-{id} .cover img"), "src").pop();
    let id = ids.iter().find(|id| cover(&page, id).is_some()).unwrap();
    for method in [Method::PUT, Method::DELETE] {
        ada.fetch(method, &format!("/heart/{id}")).await;
    }
    let removed = ada.open("/hearts/removed").await;
    assert_eq!(cover(&removed, id), cover(&page, id));
}

#[tokio::test]
async fn heart_response_names_the_date_that_the_heart_has() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let read_date = async |method| ada.fetch(method, HEART).await.json()["hearted_at"].as_str().map(str::to_owned);
    assert!(read_date(Method::PUT).await.unwrap().ends_with(">today</time>"));
    site.advance(3 * DAY);
    assert!(read_date(Method::PUT).await.unwrap().ends_with(">3 days ago</time>"), "hearted already");
    assert_eq!(read_date(Method::DELETE).await, None);
    assert!(read_date(Method::PUT).await.unwrap().ends_with(">3 days ago</time>"), "within ten minutes");
    read_date(Method::DELETE).await;
    site.advance(60 * MINUTE);
    assert!(read_date(Method::PUT).await.unwrap().ends_with(">today</time>"), "anew");
}

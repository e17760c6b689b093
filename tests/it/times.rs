//! Times in the reader's zone.

use std::time::Duration;

use reqwest::Method;

use crate::support::page::Page;
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site};

/// Opens a page in a browser that has stored `zone`.
async fn open_in(visitor: &Visitor, site: &Site, zone: &str, path: &str) -> Page {
    let cookies = format!("{}; {}-zone={zone}", visitor.cookie(), site.session_cookie());
    visitor.request(Method::GET, path, &[("cookie", &cookies)], None).await
}

const SIGNED_IN_AT: &str = "update sessions set signed_in_at = '2026-07-01 23:30+00'";

#[tokio::test]
async fn pages_show_times_in_the_zone_of_the_cookie() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    sqlx::query(SIGNED_IN_AT).execute(&site.db).await.unwrap();
    for (zone, shown, text) in [
        ("", "UTC", "1 Jul 2026, 23:30 UTC"),
        ("Europe/Berlin", "Europe/Berlin", "2 Jul 2026, 01:30"),
        ("America/St_Johns", "America/St_Johns", "1 Jul 2026, 21:00"),
        ("Asia/Kathmandu", "Asia/Kathmandu", "2 Jul 2026, 05:15"),
        ("europe/berlin", "UTC", "1 Jul 2026, 23:30 UTC"),
        ("Mars/Olympus%22%3E", "UTC", "1 Jul 2026, 23:30 UTC"),
        ("\"Europe/Berlin\"", "UTC", "1 Jul 2026, 23:30 UTC"),
    ] {
        let page = open_in(&ada, &site, zone, "/account").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.attribute("html", "data-zone"), shown, "{zone}");
        let texts = page.texts("main time[datetime='2026-07-01T23:30:00Z']");
        assert_eq!(texts, [text], "{zone}");
        let missing = open_in(&ada, &site, zone, "/nope").await;
        assert_eq!((missing.status, missing.attribute("html", "data-zone").as_str()), (404, shown));
    }
}

#[tokio::test]
async fn dates_of_cards_are_instants_in_utc_with_relative_dates() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.fetch(Method::PUT, HEART).await;
    let relative = async || ada.open("/hearts").await.text("li.card .hearted-at time, li.card .facts time");
    assert_eq!(relative().await, "today");
    let page = ada.open("/hearts").await;
    for instant in page.attributes("li.card time", "datetime") {
        assert!(instant.len() == 17 && instant.ends_with('Z') && instant.contains('T'), "{instant}");
    }
    site.advance(Duration::from_secs(24 * 3600));
    assert_eq!(relative().await, "yesterday");
    site.advance(Duration::from_secs(3 * 24 * 3600));
    assert_eq!(relative().await, "4 days ago");
    site.advance(Duration::from_secs(4 * 24 * 3600));
    assert!(!relative().await.contains("ago"));
}

#[tokio::test]
async fn exports_stay_in_utc_and_only_signed_in_pages_name_the_cookie() {
    let site = Site::open().await;
    site.freeze_clock();
    let ada = site.sign_in("ada").await;
    ada.fetch(Method::PUT, HEART).await;
    for path in ["/hearts/export.csv", "/hearts/export.json"] {
        let there = open_in(&ada, &site, "Asia/Tokyo", path).await;
        assert_eq!(there.html, ada.open(path).await.html);
    }
    let name = format!("{}-zone", site.session_cookie());
    assert_eq!(ada.open("/hearts").await.attribute("html", "data-zone-cookie"), name);
    assert!(ada.open("/privacy").await.text("main").contains(&name));
    assert!(!site.visitor().open("/").await.has("html[data-zone-cookie]"));
}

//! Times with script.

use serde_json::json;

use super::open_as_ada_with_heart;
use crate::support::Site;

const SIGNED_IN: &str = "main time[datetime='2026-07-01T23:30:00Z']";

#[tokio::test]
async fn script_shows_local_times_and_remembers_the_zone_for_the_server() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    sqlx::query("update sessions set signed_in_at = '2026-07-01 23:30+00'").execute(&site.db).await.unwrap();
    browser.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": "Asia/Tokyo" })).await;
    browser.go("/account").await;
    let zone = async || browser.eval::<String>("document.documentElement.dataset.zone").await;
    assert_ne!(zone().await, "Asia/Tokyo", "the server does not know it yet");
    assert_eq!(browser.text(SIGNED_IN).await, "2 Jul 2026, 08:30", "the script does");
    browser.reload().await;
    assert_eq!(zone().await, "Asia/Tokyo");
    assert_eq!(browser.text(SIGNED_IN).await, "2 Jul 2026, 08:30", "the same text from the server");
    browser
        .run_script(
            "document.querySelector('main time').dispatchEvent(new PointerEvent('pointerover', {bubbles: true}))",
        )
        .await;
    browser.wait_for("document.querySelector('main time').title.includes(' at ')").await;
    assert_eq!(browser.console_errors().await, [""; 0]);
}

/// The texts of the script for every form of text, and those of the server.
#[tokio::test]
async fn script_and_server_write_the_same_texts() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": "Europe/Berlin" })).await;
    for (iso, text, local) in [
        ("2026-07-01T23:30Z", "1 Jul 2026", "2 Jul 2026"),
        ("2026-07-01T23:30:00Z", "1 Jul 2026, 23:30 UTC", "2 Jul 2026, 01:30"),
        ("2026-12-01T23:30:00Z", "23:30 UTC", "00:30"),
        ("2020-09-30T22:30Z", "30 Sep 2020", "1 Oct 2020"),
    ] {
        let script = format!("localText(new Date('{iso}'), '{text}')");
        assert_eq!(browser.eval::<String>(&script).await, local, "{text}");
    }
    for (days, text) in [(0, "today"), (1, "yesterday"), (2, "2 days ago"), (6, "6 days ago")] {
        let script = format!("localText(new Date(new Date().setHours(12) - {days} * DAY), '9 Sep')");
        assert_eq!(browser.eval::<String>(&script).await, text);
    }
    let week = browser.eval::<String>("localText(new Date(new Date().setHours(12) - 7 * DAY), 'today')").await;
    assert!(week.split(' ').count() == 2 && week.starts_with(|c: char| c.is_ascii_digit()), "{week}");
}

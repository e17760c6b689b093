//! Screenshots for the README. `script/pictures` keeps them, other runs only take them.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sqlx::Executor as _;

use super::open_as_ada;
use crate::support::Site;
use crate::support::browser::Browser;

/// Positions of the hearted playlists. None of their names needs an extra font.
const HEARTED_POSITIONS: [usize; 6] = [1, 3, 4, 7, 8, 10];
/// Notes and fixed dates, so that screenshots do not differ by the day.
const ANNOTATE_HEARTS: &str = "\
    with placed as (select playlist_id, row_number() over (order by playlist_id) n from user_hearts where removed_at is null),
         words (n, note, tags) as (values
             (1, 'For the first warm evening on the balcony', array['summer', 'balcony']),
             (2, 'Nadia played this at the wedding', array['wedding']))
    update user_hearts set hearted_at = timestamptz '2026-11-20 20:00Z' - placed.n * placed.n * interval '5 days',
        note = words.note, tags = coalesce(words.tags, '{}')
    from placed left join words using (n) where user_hearts.playlist_id = placed.playlist_id";

/// Takes a screenshot in light and in dark.
async fn take_screenshots(browser: &Browser, folder: &Path, name: &str) {
    browser.eval::<()>("void document.activeElement.blur()").await;
    for scheme in ["light", "dark"] {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.devtools("Emulation.setEmulatedMedia", features).await;
        browser.wait_for("[...document.images].every(i => i.complete || i.loading === 'lazy')").await;
        let picture = browser.devtools("Page.captureScreenshot", json!({ "format": "webp", "quality": 82 })).await;
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}-{scheme}.webp")), bytes).unwrap();
    }
}

/// Takes the link preview image. Its flat colours keep the PNG small.
async fn take_preview_image(browser: &Browser, file: &Path) {
    browser.set_window_size(1200, 630).await;
    let font = STANDARD.encode(include_bytes!("../../../static/newsreader.woff2"));
    let page = format!("data:text/html;base64,{}", STANDARD.encode(include_str!("card.html").replace("FONT", &font)));
    browser.devtools("Page.navigate", json!({ "url": page })).await;
    browser.wait_for("document.readyState === 'complete' && document.fonts.status === 'loaded'").await;
    let picture = browser.devtools("Page.captureScreenshot", json!({ "format": "png" })).await;
    let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
    assert!(bytes.len() < 60_000, "{} bytes", bytes.len());
    std::fs::write(file, bytes).unwrap();
}

async fn emulate_device(browser: &Browser, width: u32, height: u32, mobile: bool) {
    browser.emulate_screen(width, height, 2, mobile).await;
    browser.devtools("Emulation.setScrollbarsHidden", json!({ "hidden": true })).await;
}

#[tokio::test]
async fn readme_screenshots() {
    // `script/pictures` names the folder and provides the fonts.
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("HEARTLIST_PICTURES").map_or(scratch.path().to_owned(), PathBuf::from);
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    for position in HEARTED_POSITIONS {
        browser.click(&format!(".card:nth-child({position}) form.heart button")).await;
        browser.find(&format!(".card:nth-child({position}) form.heart button[aria-pressed=true]")).await;
    }
    super::wait_for_heart_count(&site, &browser, HEARTED_POSITIONS.len() as i64).await;
    site.db.execute(ANNOTATE_HEARTS).await.unwrap();
    emulate_device(&browser, 390, 800, true).await;
    browser.go("/hearts").await;
    take_screenshots(&browser, &folder, "hearts").await;
    // In the grid, notes would leave gaps between cards.
    site.db.execute("update user_hearts set note = null, tags = '{}'").await.unwrap();
    emulate_device(&browser, 1200, 800, false).await;
    browser.go("/playlists").await;
    take_screenshots(&browser, &folder, "playlists").await;
    take_preview_image(&browser, &folder.join("card.png")).await;
}

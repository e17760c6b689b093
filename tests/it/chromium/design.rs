//! Measurements of the design: what stands in one line, at one height, within reach of a thumb.

use serde_json::json;

use super::{open_as, open_as_ada};
use crate::support::Site;
use crate::support::browser::sizes::pages_of_mira;
use crate::support::rows::add_hearts_of_strangers;

/// For each card: its top and height, the tops of facts and link to Spotify.
const CAPTIONS: &str = "[...document.querySelectorAll('.card')].map(card => { const box = card.getBoundingClientRect(); \
    const top = part => card.querySelector(part).getBoundingClientRect().top; \
    return [box.top, box.height, top('.facts'), top('.spotify-link')]; })";

#[tokio::test]
async fn captions_of_a_line_share_their_rows() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    let note = "update user_hearts set note = repeat('A long note. ', 10), \
        tags = '{headphones,late night,dinner,d,e}', tags_folded = '{headphones,late night,dinner,d,e}'";
    // At the right edge of a phone.
    browser.click(".card:nth-child(2) form.heart button").await;
    super::wait_for_heart_count(&site, &browser, 1).await;
    sqlx::query(note).execute(&site.db).await.unwrap();
    for width in [360, 1280] {
        browser.set_window_size(width, 780).await;
        browser.go("/playlists").await;
        let cards: Vec<[f64; 4]> = browser.eval(CAPTIONS).await;
        for line in cards.chunk_by(|a, b| a[0] == b[0]) {
            let is_even = |card: &[f64; 4]| card.iter().zip(line[0]).all(|(a, b)| (a - b).abs() < 1.0);
            assert!(line.iter().all(is_even), "{width} px: {line:?}");
        }
        assert_eq!(browser.text(".card .tags .more").await, "+2", "tags have one line");
        assert!(browser.eval::<bool>("document.documentElement.scrollWidth <= innerWidth").await, "and no more room");
    }
    browser.go("/playlists?view=list&page=2").await;
    let rows: Vec<[f64; 4]> = browser.eval(CAPTIONS).await;
    assert!(
        rows.iter().all(|row| (row[1] - 64.0).abs() < 1.5 && row[3] - row[0] == rows[0][3] - rows[0][0]),
        "{rows:?}"
    );
}

/// Lines of facts that are wider than their cards.
const CUT_FACTS: &str =
    "[...document.querySelectorAll('.card .facts')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)";

#[tokio::test]
async fn phone_cuts_no_line_of_facts() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    let hearts = "insert into user_hearts (user_id, playlist_id, hearted_at, pin) \
        select user_id, id, now() - interval '2 years', row_number() over () \
        from (select user_id, id from playlists order by collaborative desc limit 4) pinned";
    sqlx::query(hearts).execute(&site.db).await.unwrap();
    add_hearts_of_strangers(&site, "AAAAAAAAAAAAAAAAAAAAAA", 2).await;
    sqlx::query("update playlists set owner_name = 'A rather long name'").execute(&site.db).await.unwrap();
    site.force_top_refresh().await;
    browser.emulate_screen(360, 780, 2, true).await;
    for path in ["/hearts", "/hearts?view=list", "/top", "/top?when=ever"] {
        browser.go(path).await;
        browser.find(".card .facts").await;
        assert_eq!(browser.eval::<Vec<String>>(CUT_FACTS).await, [""; 0], "{path}");
    }
}

#[tokio::test]
async fn rows_of_hearts_have_both_links_on_a_phone() {
    let site = Site::open().await;
    let browser = super::open_as_ada_with_heart(&site).await;
    browser.emulate_screen(360, 780, 2, true).await;
    browser.go("/hearts?view=list").await;
    let boxes = "['.card', '.spotify-link', '.edit-link', '.heart'].map(part => document.querySelector(part).getBoundingClientRect()) \
        .map(({ left, top, right, bottom }) => [left, top, right, bottom])";
    let [card, spotify, edit, heart] = browser.eval::<[[f64; 4]; 4]>(boxes).await;
    assert!((card[3] - card[1] - 64.0).abs() < 1.5, "{card:?}");
    for link in [spotify, edit] {
        assert!(link[2] - link[0] >= 44.0 && link[3] - link[1] >= 24.0 && link[2] <= heart[0], "{link:?} {heart:?}");
        assert!(link[1] >= card[1] && link[3] <= card[3], "{link:?} in {card:?}");
    }
    assert!(spotify[3] <= edit[1], "{spotify:?} above {edit:?}");
    browser.click(".edit-link").await;
    browser.find(".annotation [name=note]").await;
    let widths = "['.cover', '.annotation [name=note]'].map(part => document.querySelector(part).offsetWidth)";
    assert_eq!(browser.eval::<[u32; 2]>(widths).await, [48, 328], "the cover stays, and the form has all the room");
}

#[tokio::test]
async fn titles_begin_at_the_same_height() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    site.make_everybody_operator().await;
    let pages = pages_of_mira(&site);
    for width in [360, 1280] {
        browser.set_window_size(width, 780).await;
        let mut expected = None;
        // A playlist's page begins with its cover.
        for path in pages.iter().filter(|path| !path.starts_with("/playlists/")) {
            browser.go(path).await;
            let center = "(h => scrollY + h.top + parseFloat(getComputedStyle(document.querySelector('h1')).lineHeight) / 2) \
                (document.querySelector('h1').getBoundingClientRect())";
            let top: f64 = browser.eval(center).await;
            let first: f64 = *expected.get_or_insert(top);
            // Buttons beside a title are higher than its line.
            assert!((top - first).abs() <= 8.0, "{path} at {width} px: {top}, not {first}");
        }
    }
}

/// The tops of the parts of a page that the first screen shows, with their names.
const TOPS: &str = "[...document.querySelectorAll('main > *, main > * > *, .card')].filter(part => part.offsetHeight) \
    .filter(part => part.getBoundingClientRect().top < innerHeight) \
    .map(part => [`${part.tagName}.${part.className}#${part.id}`, Math.round(scrollY + part.getBoundingClientRect().top)])";

#[tokio::test]
async fn script_moves_nothing_when_it_comes() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    site.make_everybody_operator().await;
    let pages = pages_of_mira(&site);
    let mut moved = Vec::new();
    for width in [360, 1280] {
        browser.set_window_size(width, 780).await;
        for path in &pages {
            let mut tops: [Vec<(String, i64)>; 2] = Default::default();
            for (tops, blocked) in tops.iter_mut().zip([&["*.js*"][..], &[]]) {
                browser.devtools("Network.enable", json!({})).await;
                browser.devtools("Network.setBlockedURLs", json!({ "urls": blocked })).await;
                browser.go(path).await;
                *tops = browser.eval(TOPS).await;
            }
            let [before, after] = tops;
            let is_moved = |(name, top): &&(String, i64)| after.iter().all(|(other, new)| other != name || new != top);
            if let Some(first) = before.iter().find(is_moved) {
                moved.push((path, width, first.clone(), after.iter().find(|(name, _)| *name == first.0).cloned()));
            }
        }
    }
    assert!(moved.is_empty(), "{moved:#?}");
}

#[tokio::test]
async fn phone_menu_is_at_the_thumb_and_covers_nothing() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.emulate_screen(360, 780, 2, true).await;
    for path in ["/playlists", "/hearts", "/account"] {
        browser.go(path).await;
        let entries = "[...document.querySelectorAll('.main-menu a')].map(a => [a.getBoundingClientRect(), a.querySelector('svg')]) \
            .map(([r, icon]) => [r.width, r.height, r.bottom, icon.getBoundingClientRect().width])";
        let entries: Vec<[f64; 4]> = browser.eval(entries).await;
        assert!(entries.len() >= 4, "{entries:?}");
        for [width, height, bottom, icon] in entries {
            assert!(width >= 44.0 && height >= 44.0 && bottom > 770.0 && icon == 24.0, "{path}: {width} by {height}");
        }
        let ends = "(scrollTo(0, document.body.scrollHeight), ['.site-footer > :last-child', '.main-menu'] \
            .map(s => document.querySelector(s).getBoundingClientRect()).map(r => [r.bottom, r.top]))";
        let [footer, menu] = browser.eval::<[[f64; 2]; 2]>(ends).await;
        assert!(footer[0] <= menu[1], "{path}: the page ends at {footer:?}, above the menu at {menu:?}");
    }
    browser.go("/playlists").await;
    browser.eval::<()>("void dispatchEvent(new Event('offline'))").await;
    let gap = "document.querySelector('.main-menu').getBoundingClientRect().top - document.querySelector('#live').getBoundingClientRect().bottom";
    assert!(browser.eval::<f64>(gap).await > 0.0, "messages are above the menu");
}

#[tokio::test]
async fn search_stays_in_sight_while_the_list_scrolls() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    for (width, height) in [(360, 780), (1280, 780)] {
        browser.set_window_size(width, height).await;
        browser.go("/playlists").await;
        browser.eval::<()>("void scrollTo(0, 600)").await;
        let seen = "(r => document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2).id)(q.getBoundingClientRect())";
        assert_eq!(browser.eval::<String>(seen).await, "q", "{width} px");
        // What gets the focus is not under it.
        browser
            .eval::<()>("scrollTo(0, document.body.scrollHeight), document.querySelectorAll('.name')[5].focus()")
            .await;
        let clear = "document.activeElement.getBoundingClientRect().top - q.getBoundingClientRect().bottom";
        assert!(browser.eval::<f64>(clear).await >= 0.0, "{width} px");
    }
}

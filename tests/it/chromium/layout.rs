//! Layout on small screens, with large text, and under the user's display preferences.

use std::collections::HashSet;

use fake_spotify::OtherProvider;
use serde_json::json;
use thirtyfour::Key;

use super::{FIRST_HEART, open_as, open_as_ada, open_as_ada_with_heart, sign_in, wait_for_heart_count};
use crate::support::Site;
use crate::support::account_merge::{sign_in_to_merge, sign_in_twice};
use crate::support::browser::Browser;
use crate::support::browser::sizes::{UNKNOWN_PATH, assert_fits, assert_page_fits, pages_for_all, pages_of_mira};
use crate::support::rows::add_hearts_of_strangers;
use crate::support::sharing::publish_page_at;

/// Adds a heart for each playlist, with the longest words and labels that a card can have.
async fn add_widest_hearts(site: &Site) {
    let hearts = "insert into user_hearts (user_id, playlist_id, hearted_at, snapshot_id, gone_at, own_title, note, tags, tags_folded, pin)
                  select user_id, id, '2025-11-22', 'an older one', case position % 2 when 0 then timestamptz '2025-11-22' end,
                         case position % 3 when 0 then repeat('W', 100) end, case position % 5 when 0 then repeat('M', 280) end,
                         array[repeat('W', 30), 'two words'], array[repeat('w', 30), 'two words'],
                         case when position < 4 then position + 1 end
                  from playlists where position is not null";
    sqlx::query(hearts).execute(&site.db).await.unwrap();
}

#[tokio::test]
async fn no_page_scrolls_sideways_in_light_or_dark() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    let mut grounds = HashSet::new();
    for path in pages_for_all() {
        assert_page_fits(&browser, path, &mut grounds).await;
    }
    sign_in(&browser, "mira").await;
    site.make_everybody_operator().await;
    add_widest_hearts(&site).await;
    let lists = ["/hearts?page=2", "/hearts?view=list", "/hearts?view=list&select=1"].map(String::from);
    for path in pages_of_mira(&site).into_iter().chain(lists) {
        assert_page_fits(&browser, &path, &mut grounds).await;
    }
    assert_eq!(grounds.len(), 2, "g7 light and dark differ, and pages agree: {grounds:?}");
}

#[tokio::test]
async fn no_page_logs_browser_errors() {
    let site = Site::open().await;
    let browser = Browser::open(&site).await;
    for path in pages_for_all() {
        browser.go(path).await;
    }
    sign_in(&browser, "mira").await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(&site, &browser, 1).await;
    site.make_everybody_operator().await;
    for path in pages_of_mira(&site) {
        browser.go(&path).await;
        // Covers load lazily.
        browser.eval::<()>("document.querySelectorAll('img').forEach(i => { i.loading = 'eager'; })").await;
        browser.wait_for("[...document.images].every(i => i.complete)").await;
    }
    let complaints = browser.console_errors().await;
    let expected = |line: &&String| line.contains("/covers/") || line.contains(UNKNOWN_PATH);
    let (expected, others): (Vec<_>, Vec<_>) = complaints.iter().partition(expected);
    assert!(others.is_empty(), "{others:#?}");
    assert_eq!(expected.len(), 3, "one expired cover and, twice, a page that is not: {expected:#?}");
}

#[tokio::test]
async fn skip_link_is_first_focus_and_leads_to_main() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.go("/playlists").await;
    browser.press_key(Key::Tab).await;
    browser.wait_for("document.activeElement.matches('a.skip-link')").await;
    browser.wait_for("document.activeElement.getBoundingClientRect().top >= 0").await;
    browser.press_key(Key::Enter).await;
    browser.wait_for("document.activeElement.id === 'main'").await;
}

#[tokio::test]
async fn annotation_fields_are_as_wide_as_the_card() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts").await;
    browser.click(".edit-link").await;
    browser.find(".annotation [name=note]").await;
    for width in [360, 768, 1280] {
        browser.set_window_size(width, 780).await;
        let wide =
            "['.card', '.annotation [name=note]'].map(s => document.querySelector(s).getBoundingClientRect().width)";
        let [card, field] = browser.eval::<[f64; 2]>(wide).await;
        assert!(card > 180.0 && field == card, "a field of {field} in a card of {card} at {width} px");
    }
}

/// Left edge of each card, and its heart's width, height and distance from the right edge, in px.
const CARD_GEOMETRY: &str = "[...document.querySelectorAll('.card')].slice(0, 12).map(card => { \
    const heart = card.querySelector('.heart button').getBoundingClientRect(); \
    return [card.getBoundingClientRect().left, heart.width, heart.height, innerWidth - heart.right]; })";
/// Number of elements in cards that are visible only while hovering.
const HOVER_ONLY_COUNT: &str = "[...document.querySelectorAll('.card :is(a, li, p, button)')] \
    .filter(e => !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !e.closest('details')).length";

#[tokio::test]
async fn phone_layout_has_two_columns_and_44px_hearts() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.emulate_screen(360, 780, 2, true).await;
    for (path, columns, edge) in [("/playlists", 2, 240.0), ("/playlists?view=list", 1, 60.0)] {
        browser.go(path).await;
        let cards: Vec<[f64; 4]> = browser.eval(CARD_GEOMETRY).await;
        for (n, [left, width, height, from_edge]) in cards.iter().enumerate() {
            assert_eq!(*left, cards[n % columns][0], "{columns} to a line on {path}");
            assert!(*width >= 44.0 && *height >= 44.0, "a heart of {width} by {height} on {path}");
            assert!(*from_edge < edge, "{from_edge} px from the thumb's edge on {path}");
        }
        assert_eq!(cards[0][0] == cards[1][0], columns == 1, "{path}");
        let cover = "(c => [c.width, c.height])(document.querySelector('.cover').getBoundingClientRect())";
        let [width, height] = browser.eval::<[f64; 2]>(cover).await;
        assert_eq!(width, height, "square on {path}");
        assert_eq!(browser.eval::<u32>(HOVER_ONLY_COUNT).await, 0, "hidden until something hovers on {path}");
    }
}

#[tokio::test]
async fn phone_shows_first_playlist_in_upper_half() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.emulate_screen(360, 780, 2, true).await;
    for path in ["/playlists", "/playlists?view=list", "/hearts"] {
        browser.go(path).await;
        let top: f64 = browser.eval("document.querySelector('.card').getBoundingClientRect().top").await;
        assert!(top < 390.0, "{path} begins at {top}");
        let line =
            "['.sort-field select', '.view-toggle'].map(s => document.querySelector(s).getBoundingClientRect().top)";
        let [order, views] = browser.eval::<[f64; 2]>(line).await;
        assert!((order - views).abs() < 2.0, "{path}: the order at {order}, the views at {views}");
        let widths = "['#q', '#sort'].map(s => document.querySelector(s).getBoundingClientRect().width)";
        let [search, order] = browser.eval::<[f64; 2]>(widths).await;
        assert!(search > 300.0 && order > 120.0, "{path}: {search} px for the search, {order} px for the order's name");
    }
}

#[tokio::test]
async fn phone_shows_the_owner_with_a_heart_and_the_songs_without() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.emulate_screen(360, 780, 2, true).await;
    for path in ["/playlists?view=grid", "/playlists?view=list"] {
        browser.go(path).await;
        browser.wait_for("document.querySelector('.card .facts').innerText.startsWith('You')").await;
        browser.click(".card .heart button").await;
        browser.wait_for("/^You.+today/s.test(document.querySelector('.card .facts').innerText)").await;
        browser.click(".card .heart button").await;
        browser.wait_for("/^You.+songs/s.test(document.querySelector('.card .facts').innerText)").await;
        // Until the removal is saved, the next page may show the heart.
        browser.wait_for("document.querySelector('#live .undo')").await;
    }
}

#[tokio::test]
async fn double_text_size_overlaps_nothing_in_cards() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.set_window_size(320, 640).await;
    for path in ["/hearts", "/hearts?view=list"] {
        browser.go(path).await;
        browser.eval::<()>("void (document.documentElement.style.fontSize = '200%')").await;
        let parts = "[...document.querySelector('.card').children].map(e => e.getBoundingClientRect()).map(r => [r.top, r.bottom])";
        let parts: Vec<[f64; 2]> = browser.eval(parts).await;
        assert_eq!(parts.len(), 6, "cover, name, facts, Open Spotify, Edit, heart");
        assert!(parts.windows(2).all(|two| two[0][1] <= two[1][0]), "one below the other on {path}: {parts:?}");
    }
}

/// Names that overlap their heart, and ids of cards with right-to-left names.
const OVERLAPPING_NAMES: &str = "(cards => [cards.filter(card => { \
    const [name, heart] = ['.name', '.heart button'].map(s => card.querySelector(s).getBoundingClientRect()); \
    return name.right > heart.left && name.bottom > heart.top && name.left < heart.right && name.top < heart.bottom; \
    }).map(card => card.querySelector('.name').textContent), \
    cards.filter(card => getComputedStyle(card.querySelector('.name')).direction === 'rtl').map(card => card.id)]) \
    ([...document.querySelectorAll('.card')])";

#[tokio::test]
async fn playlist_names_never_overlap_heart() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    browser.set_window_size(360, 780).await;
    let mut from_the_right = 0;
    for page in 1..=3 {
        browser.go(&format!("/playlists?page={page}")).await;
        let [under, rtl]: [Vec<String>; 2] = browser.eval(OVERLAPPING_NAMES).await;
        assert_eq!(under, [""; 0], "page {page}");
        from_the_right += rtl.len();
    }
    assert!(from_the_right > 0, "there is a name that reads from the right");
}

#[tokio::test]
async fn card_names_are_aligned() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    let tops = "[...document.querySelectorAll('.card')].map(card => card.querySelector('.name').getBoundingClientRect().top \
        - card.querySelector('.heart').getBoundingClientRect().top)";
    let tops: Vec<f64> = browser.eval(tops).await;
    assert!(tops.len() > 12 && tops.iter().all(|top| (top - tops[0]).abs() < 1.0), "{tops:?}");
}

#[tokio::test]
async fn more_contrast_preference_strengthens_lines_and_text() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let seen = "(s => [getComputedStyle(s('.subtitle')).color, getComputedStyle(s('.view-toggle')).borderTopColor])(s => document.querySelector(s))";
    for scheme in ["light", "dark"] {
        let look = async |contrast: &str| -> Vec<String> {
            let features = json!({ "features": [
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-contrast", "value": contrast },
            ] });
            browser.devtools("Emulation.setEmulatedMedia", features).await;
            browser.eval(seen).await
        };
        let (usual, more) = (look("no-preference").await, look("more").await);
        assert!(usual[0] != more[0] && usual[1] != more[1], "{scheme}: {usual:?} {more:?}");
        assert_eq!(more[1], browser.eval::<String>("getComputedStyle(document.body).color").await, "{scheme}");
    }
}

/// Elements with an animation, a transition or smooth scrolling; pseudo-elements are not looked at.
const ANIMATED_ELEMENTS: &str = "[...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e); \
    return s.scrollBehavior === 'smooth' || s.transitionDuration.split(',').some(t => parseFloat(t) > 0) \
        || s.animationName !== 'none' && s.animationDuration.split(',').some(t => parseFloat(t) > 0); \
    }).map(e => e.tagName + '.' + e.className)";

#[tokio::test]
async fn reduced_motion_preference_stops_every_animation() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let prefer = async |motion: &str| {
        let features = json!({ "features": [{ "name": "prefers-reduced-motion", "value": motion }] });
        browser.devtools("Emulation.setEmulatedMedia", features).await;
    };
    prefer("no-preference").await;
    assert!(!browser.eval::<Vec<String>>(ANIMATED_ELEMENTS).await.is_empty(), "something moves otherwise");
    prefer("reduce").await;
    for path in ["/playlists", "/hearts", "/account", "/"] {
        browser.go(path).await;
        assert_eq!(browser.eval::<Vec<String>>(ANIMATED_ELEMENTS).await, [""; 0], "{path}");
    }
}

#[tokio::test]
async fn forced_colors_mark_the_current_tab() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let media = json!({ "features": [{ "name": "forced-colors", "value": "active" }] });
    browser.devtools("Emulation.setEmulatedMedia", media).await;
    for (page, part, [on, off]) in [
        ("/playlists", ".view-toggle button", ["[aria-pressed=true]", "[aria-pressed=false]"]),
        ("/top", ".tabs a", ["[aria-current]", ":not([aria-current])"]),
    ] {
        browser.go(page).await;
        let border = |which: &str| {
            format!(
                "(s => s.borderTopWidth + s.borderTopColor)(getComputedStyle(document.querySelector('{part}{which}')))"
            )
        };
        let chosen: String = browser.eval(&border(on)).await;
        assert!(chosen.starts_with("2px"), "{page}: {chosen}");
        assert_ne!(chosen, browser.eval::<String>(&border(off)).await, "{page}");
    }
}

#[tokio::test]
async fn page_headings_have_space_below() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.click(FIRST_HEART).await;
    wait_for_heart_count(&site, &browser, 0).await;
    for width in [360, 1280] {
        browser.set_window_size(width, 780).await;
        for path in ["/hearts/removed", "/hearts/import", "/account/activity", UNKNOWN_PATH] {
            browser.go(path).await;
            let gap = "(([above, below]) => below.getBoundingClientRect().top - above.getBoundingClientRect().bottom)(document.querySelector('.narrow-page > .page-header').children)";
            assert!(browser.eval::<f64>(gap).await >= 8.0, "{path} at {width} px");
        }
    }
}

#[tokio::test]
async fn double_text_size_menu_takes_at_most_three_lines() {
    let site = Site::open().await;
    // With the tab of the popular list, which has something.
    add_hearts_of_strangers(&site, "AAAAAAAAAAAAAAAAAAAAAA", 2).await;
    site.force_top_refresh().await;
    site.visitor().open("/top").await;
    let browser = open_as_ada(&site).await;
    browser.set_window_size(320, 640).await;
    browser.go("/playlists").await;
    browser.eval::<()>("void (document.documentElement.style.fontSize = '200%')").await;
    let links: Vec<[f64; 2]> = browser
        .eval("[...document.querySelectorAll('.nav a')].map(a => a.getBoundingClientRect()).map(r => [(r.top + r.bottom) / 2, r.height])")
        .await;
    let lines = 1 + links.windows(2).filter(|two| two[1][0] - two[0][0] > 20.0).count();
    assert!(links.len() == 6 && lines <= 3, "{links:?}");
    assert!(links.iter().skip(1).all(|[_, height]| *height >= 44.0), "{links:?}");
}

#[tokio::test]
async fn question_before_a_merge_fits_a_phone() {
    let (site, first, second, page) = sign_in_twice().await;
    for provider in [OtherProvider::Facebook, OtherProvider::X] {
        first.link_identity(&site.spotify, provider, "ada").await;
    }
    publish_page_at(&second, &"w".repeat(30)).await;
    let question = sign_in_to_merge(&site, &second, &page, "ada").await;
    let browser = Browser::open(&site).await;
    browser.show_page(&question).await;
    assert_fits(&browser, "/account/merge/confirm", &mut HashSet::new()).await;
}

#[tokio::test]
async fn empty_invite_list_has_space_below_button() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.go("/invites").await;
    browser.wait_for_text("main form + .text-muted", "None yet.").await;
    let gap = "(at => at('main form + .text-muted').top - at('main form button').bottom)(s => document.querySelector(s).getBoundingClientRect())";
    assert!(browser.eval::<f64>(gap).await >= 16.0);
}

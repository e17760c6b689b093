//! Lists that Spotify hands out in other pages than requested, or that contradict themselves.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, PagingQuirk, User};
use serde_json::{Value, json};

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::Visitor;

const MINUTE: Duration = Duration::from_secs(60);

fn set_quirk(site: &Site, quirk: Option<PagingQuirk>) {
    site.spotify.update_switches(|switches| switches.paging_quirk = quirk);
}

/// Signs in with a library of `count`, of which Spotify sends pages with `quirk` from the start.
async fn sign_in_during(site: &Site, count: usize, quirk: PagingQuirk) -> (Visitor, Page) {
    site.spotify.add_user(User::with_library("lena", count));
    set_quirk(site, Some(quirk));
    let lena = site.visitor();
    let page = lena.sign_in("lena").await;
    (lena, page)
}

/// Signs in with a library of `count`, then refreshes it while Spotify sends pages with `quirk`.
async fn refresh_during(site: &Site, count: usize, quirk: PagingQuirk) -> (Visitor, Page) {
    site.spotify.add_user(User::with_library("lena", count));
    let lena = site.visitor();
    let page = lena.sign_in("lena").await;
    site.advance(MINUTE);
    set_quirk(site, Some(quirk));
    let page = lena.submit(page.form("button[value=refresh]").with("action", "refresh")).await;
    (lena, page)
}

fn subtitle(page: &Page) -> String {
    page.text(".refresh-bar .subtitle")
}

#[tokio::test]
async fn smaller_pages_than_requested_lose_no_playlist() {
    for quirk in [
        PagingQuirk::LowerLimit(3),
        PagingQuirk::LowerLimit(7),
        PagingQuirk::UnstatedLimit(4),
        PagingQuirk::OverstatedLimit(6),
        PagingQuirk::NoNext(6),
        PagingQuirk::NextIsSelf,
    ] {
        let site = Site::open().await;
        let (lena, page) = sign_in_during(&site, 20, quirk).await;
        assert!(subtitle(&page).starts_with("20 playlists, as of"), "{quirk:?}: {}", subtitle(&page));
        assert_eq!((page.count("li.card"), page.has("button[value=continue]")), (20, false), "{quirk:?}");
        let ids: Vec<_> = site.spotify.user("lena").unwrap().playlists().iter().map(|p| p.id.clone()).collect();
        assert_eq!(lena.open("/playlists").await.playlist_ids(), ids, "{quirk:?}: in Spotify's order");
    }
}

#[tokio::test]
async fn contradictory_answer_does_not_replace_library() {
    for quirk in
        [PagingQuirk::Empty, PagingQuirk::FirstEntryOnly, PagingQuirk::FirstPageAgain, PagingQuirk::FirstPageUnnoticed]
    {
        let site = Site::open().await;
        let (lena, page) = refresh_during(&site, 60, quirk).await;
        assert!(subtitle(&page).starts_with("60 playlists, as of"), "{quirk:?}: {}", page.html);
        assert!(page.text("main").contains("This is what Spotify last showed."), "{quirk:?}: {}", page.html);
        assert!(!page.html.contains("up to date"), "{quirk:?}");
        assert_eq!(lena.open("/playlists?page=2").await.count("li.card"), 10, "{quirk:?}");
        set_quirk(&site, None);
        let page = lena.submit(page.form("button[value=refresh]").with("action", "refresh")).await;
        assert!(page.flash().unwrap().contains("up to date"), "{quirk:?}");
    }
}

#[tokio::test]
async fn shorter_list_than_counted_does_not_replace_a_longer_one() {
    for (quirk, count, message) in [
        (PagingQuirk::Truncated(31), 60, "31 of 60 playlists"),
        (PagingQuirk::Truncated(59), 60, "59 of 60 playlists"),
        (PagingQuirk::Truncated(3), 5, "3 of 5 playlists"),
        (PagingQuirk::EmptyAfterFirst, 60, "50 of 60 playlists"),
        (PagingQuirk::NullAfterFirst, 60, "Spotify is having trouble"),
        (PagingQuirk::Empty, 60, "0 of 60 playlists"),
    ] {
        let site = Site::open().await;
        let (lena, page) = refresh_during(&site, count, quirk).await;
        assert!(subtitle(&page).starts_with(&format!("{count} playlists, as of")), "{quirk:?}: {}", page.html);
        assert!(page.text("main").contains(message), "{quirk:?}: {}", page.html);
        assert!(!page.html.contains("up to date"), "{quirk:?}");
        site.advance(11 * MINUTE);
        let page = lena.open("/playlists").await;
        assert!(subtitle(&page).starts_with(&format!("{count} playlists, as of")), "{quirk:?}: {}", page.html);
        assert!(page.text("main [role=alert]").contains(message), "{quirk:?}: {}", page.html);
        set_quirk(&site, None);
        site.advance(MINUTE);
        assert!(!lena.open("/playlists").await.has("main [role=alert]"), "{quirk:?}");
    }
}

#[tokio::test]
async fn unreadable_or_refused_list_does_not_replace_library() {
    fn set_entries(page: &mut Value, entry: &Value) {
        page["items"] = std::iter::repeat_n(entry.clone(), page["items"].as_array().unwrap().len()).collect();
    }
    let refusal = |status| Fault::Status(status, r#"{"error":{"message":"Invalid limit"}}"#.into(), "application/json");
    for fault in [
        Fault::Rewritten(|page| set_entries(page, &Value::Null)),
        Fault::Rewritten(|page| set_entries(page, &json!({"playlist": {"id": "3cEYpjA9oz9GiPac4AsH4n"}}))),
        Fault::Rewritten(|page| set_entries(page, &json!({"id": "", "name": "Nameless"}))),
        Fault::Rewritten(|page| {
            page["items"].as_array_mut().unwrap().truncate(3);
            (page["total"], page["next"]) = (json!("60"), Value::Null);
        }),
        Fault::Rewritten(|page| {
            page["items"].as_array_mut().unwrap().truncate(3);
            (page["total"], page["next"]) = (json!(60.0), Value::Null);
        }),
        refusal(400),
        refusal(404),
    ] {
        let site = Site::open().await;
        site.spotify.add_user(User::with_library("lena", 60));
        let lena = site.visitor();
        let page = lena.sign_in("lena").await;
        site.advance(MINUTE);
        site.spotify.inject_fault(Endpoint::MyPlaylists, fault.clone(), 9);
        let page = lena.submit(page.form("button[value=refresh]").with("action", "refresh")).await;
        assert!(subtitle(&page).starts_with("60 playlists, as of"), "{fault:?}: {}", page.html);
        assert!(!page.html.contains("up to date"), "{fault:?}");
        site.advance(11 * MINUTE);
        let page = lena.open("/playlists").await;
        assert_eq!((page.status, page.count("li.card")), (200, 50), "{fault:?}: {}", page.html);
    }
}

#[tokio::test]
async fn shorter_list_replaces_one_from_which_spotify_withheld_as_much() {
    let site = Site::open().await;
    let mut lena = User::with_library("lena", 20);
    lena.total_excess = 2;
    site.spotify.add_user(lena);
    let lena = site.sign_in("lena").await;
    site.spotify.update_user("lena", |lena| lena.library.truncate(19));
    site.advance(11 * MINUTE);
    let page = lena.open("/playlists").await;
    assert!(subtitle(&page).starts_with("19 playlists, as of") && !page.has("main [role=alert]"), "{}", page.html);
    site.spotify.update_user("lena", |lena| lena.library.truncate(12));
    site.spotify.update_user("lena", |lena| lena.total_excess = 9);
    site.advance(11 * MINUTE);
    let page = lena.open("/playlists").await;
    assert!(subtitle(&page).starts_with("19 playlists") && page.text("main").contains("12 of 21"), "{}", page.html);
}

/// Spotify goes on counting playlists that were deleted.
#[tokio::test]
async fn shorter_list_that_spotify_keeps_sending_replaces_one_of_the_day_before() {
    for (listed, is_replaced) in [(59, true), (20, true), (0, false)] {
        let site = Site::open().await;
        let (lena, page) = refresh_during(&site, 60, PagingQuirk::Truncated(listed)).await;
        assert!(page.text("main").contains(&format!("{listed} of 60 playlists")), "{}", page.html);
        for (wait, is_replaced) in [(23 * 60 * MINUTE, false), (2 * 60 * MINUTE, is_replaced)] {
            site.advance(wait);
            let page = lena.open("/playlists").await;
            let count = if is_replaced { listed } else { 60 };
            assert!(subtitle(&page).starts_with(&format!("{count} playlists, as of")), "{listed}: {}", page.html);
            assert_eq!(page.has("main [role=alert]"), !is_replaced, "{listed}: {}", page.html);
            let unlisted = format!("Spotify counts 60 and did not list {} of them.", 60 - listed);
            assert_eq!(page.html.contains(&unlisted), is_replaced, "{listed}: {}", page.html);
        }
    }
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 60));
    let lena = site.sign_in("lena").await;
    site.advance(50 * 60 * MINUTE);
    set_quirk(&site, Some(PagingQuirk::Truncated(59)));
    let page = lena.open("/playlists").await;
    assert!(subtitle(&page).starts_with("60 playlists") && page.has("main [role=alert]"), "not one answer alone");
}

#[tokio::test]
async fn first_view_of_contradictory_answer_counts_what_is_missing() {
    for (quirk, shown, message) in [
        (PagingQuirk::Empty, 0, "0 of up to 60 loaded"),
        (PagingQuirk::FirstEntryOnly, 1, "1 of up to 60 loaded"),
        (PagingQuirk::FirstPageAgain, 50, "50 of up to 60 loaded"),
        (PagingQuirk::FirstPageUnnoticed, 50, "50 of up to 60 loaded"),
    ] {
        let site = Site::open().await;
        let (lena, page) = sign_in_during(&site, 60, quirk).await;
        assert!(page.text("#library-incomplete").contains(message), "{quirk:?}: {}", page.html);
        assert!(page.count("li.card") == shown && !page.html.contains("No playlists yet"), "{quirk:?}");
        set_quirk(&site, None);
        let page = lena.submit(page.form("button[value=continue]").with("action", "continue")).await;
        assert!(subtitle(&page).starts_with("60 playlists, as of"), "{quirk:?}: {}", page.html);
    }
}

#[tokio::test]
async fn growing_total_ends_and_is_told() {
    let site = Site::open().await;
    let (_, page) = sign_in_during(&site, 60, PagingQuirk::GrowingTotal).await;
    assert_eq!(page.count("li.card"), 50);
    assert!(page.text("main").contains("60 of "), "{}", page.html);
    assert!(site.spotify.request_count(Endpoint::MyPlaylists) < 12);
}

#[tokio::test]
async fn count_of_playlists_that_spotify_does_not_list_is_told() {
    let site = Site::open().await;
    let mut lena = User::with_library("lena", 20);
    lena.total_excess = 2;
    site.spotify.add_user(lena);
    let page = site.sign_in("lena").await.open("/playlists").await;
    assert!(subtitle(&page).starts_with("20 playlists, as of") && !page.has("button[value=continue]"));
    assert!(page.text("#library-unlisted").contains("Spotify counts 22 and did not list 2 of them."), "{}", page.html);
    let whole = site.sign_in("ada").await.open("/playlists").await;
    assert!(!whole.has("#library-unlisted"));
}

#[tokio::test]
async fn smaller_pages_than_requested_lose_no_song() {
    for quirk in [PagingQuirk::LowerLimit(20), PagingQuirk::UnstatedLimit(13), PagingQuirk::NoNext(30)] {
        let site = Site::open().await;
        let mut lena = User::with_library("lena", 1);
        lena.library[0].as_mut().unwrap().length = 120;
        site.spotify.add_user(lena);
        let lena = site.sign_in("lena").await;
        let id = lena.open("/playlists").await.playlist_ids().remove(0);
        let positions =
            async |page: usize| lena.open(&format!("/playlists/{id}?page={page}")).await.texts("tbody td:first-child");
        let before = [positions(1).await, positions(2).await, positions(3).await];
        assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
        set_quirk(&site, Some(quirk));
        assert_eq!([positions(1).await, positions(2).await, positions(3).await], before, "{quirk:?}");
    }
}

#[tokio::test]
async fn songs_that_spotify_counts_but_does_not_list_are_told() {
    for (quirk, rows) in [(PagingQuirk::Empty, 0), (PagingQuirk::LowerLimit(1), 6), (PagingQuirk::LowerLimit(3), 18)] {
        let site = Site::open().await;
        site.spotify.add_user(User::with_library("lena", 1));
        let lena = site.sign_in("lena").await;
        let id = lena.open("/playlists").await.playlist_ids().remove(0);
        site.spotify.update_user("lena", |lena| lena.library[0].as_mut().unwrap().length = 40);
        set_quirk(&site, Some(quirk));
        let page = lena.open(&format!("/playlists/{id}")).await;
        assert_eq!((page.status, page.count("tbody tr")), (200, rows), "{quirk:?}");
        assert!(page.text(".items").contains(&format!("{rows} of the 40 songs")), "{quirk:?}: {}", page.text(".items"));
        assert!(!page.text(".items").contains("Nothing in this playlist"), "{quirk:?}");
    }
}

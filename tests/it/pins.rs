//! Pins: up to four hearts that come first.

use std::time::Duration;

use fake_spotify::{OtherProvider, User};
use futures_util::future::join_all;
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::sharing::{publish_page_at, sign_in_with_hearts};
use crate::support::visitor::Visitor;

const COUNT_PINS: &str = "select count(*) from user_hearts where pin is not null and removed_at is null";

async fn set_pin(visitor: &Visitor, id: &str, pinned: bool) -> Page {
    visitor.post(&format!("/hearts/{id}/pin"), &format!("pinned={pinned}&from=/hearts")).await
}

/// Lena with 120 hearts; returns their ids, newest first.
async fn sign_in_with_many_hearts(site: &Site) -> (Visitor, Vec<String>) {
    let lena = User::with_library("lena", 120);
    let ids: Vec<String> = lena.playlists().iter().map(|playlist| playlist.id.clone()).collect();
    site.spotify.add_user(lena);
    let visitor = site.sign_in("lena").await;
    visitor.open("/playlists").await;
    let hearts = "insert into user_hearts (user_id, playlist_id, hearted_at)
                  select 1, l.id, now() - l.n * interval '1 minute' from unnest($1::text[]) with ordinality l(id, n)";
    sqlx::query(hearts).bind(&ids).execute(&site.db).await.unwrap();
    (visitor, ids)
}

#[tokio::test]
async fn pinned_hearts_come_first_on_every_page_and_in_every_order() {
    let site = Site::open().await;
    let (lena, ids) = sign_in_with_many_hearts(&site).await;
    for pins in [vec![], vec![119], vec![119, 3, 60], vec![119, 3, 60, 50]] {
        for position in &pins {
            assert_eq!(set_pin(&lena, &ids[*position], true).await.status, 303);
        }
        let mut expected: Vec<usize> = pins.clone();
        expected.sort_unstable();
        expected.extend((0..120).filter(|position| !pins.contains(position)));
        let expected: Vec<_> = expected.into_iter().map(|position| ids[position].clone()).collect();
        for (path, rows) in [
            ("/hearts", 0..50),
            ("/hearts?page=2", 50..100),
            ("/hearts?page=3", 100..120),
            ("/hearts?page=2-3", 50..120),
            ("/hearts?q=song", 0..50),
            ("/hearts?q=-nowhere&page=2", 50..100),
        ] {
            let page = lena.get(path).await;
            if page.status == 200 && page.count("li.card") > 0 {
                assert_eq!(page.playlist_ids(), expected[rows], "{path} with {pins:?}");
            } else {
                assert_eq!(path, "/hearts?q=song", "{}", page.html);
            }
        }
        for path in ["/hearts?dir=reverse", "/hearts?sort=name", "/hearts?sort=owner&dir=reverse&q=-nowhere"] {
            let page = lena.open(path).await;
            let mut first = page.playlist_ids()[..pins.len()].to_vec();
            first.sort();
            let mut pinned = expected[..pins.len()].to_vec();
            pinned.sort();
            assert_eq!((first, page.count(".facts .pinned")), (pinned, pins.len()), "{path}");
        }
    }
    lena.get("/hearts?page=4").await.assert_redirect("/hearts?page=3");
}

#[tokio::test]
async fn fifth_pin_is_refused_and_says_how_to_unpin() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, "ada").await;
    let edited = ada.edit_first_heart().await;
    assert_eq!(edited.text(".pin-form button").split(' ').next(), Some("Pin"));
    let pinned = ada.submit(edited.form(".pin-form")).await;
    assert_eq!(pinned.flash().unwrap(), "Pinned. It comes first now.");
    assert_eq!((pinned.count(".pinned"), pinned.text("li.card:first-child .pinned")), (1, "Pinned".into()));
    let rest: Vec<_> = ids.iter().filter(|id| **id != pinned.playlist_ids()[0]).collect();
    for id in &rest[..3] {
        assert_eq!(set_pin(&ada, id, true).await.status, 303);
    }
    let fifth = ada.open(&format!("/playlists/{}?from=/hearts", rest[3])).await;
    let refused = ada.submit(fifth.form(".pin-form")).await;
    assert!(refused.flash().unwrap().contains("press Unpin"), "{:?}", refused.flash());
    assert!(refused.has("main [role=alert]"));
    assert_eq!(site.count(COUNT_PINS).await, 4);
    assert_eq!(set_pin(&ada, rest[0], true).await.status, 303, "a pinned heart stays pinned");
    let unpinned = ada.submit(ada.open(&format!("/playlists/{}", rest[0])).await.form(".pin-form")).await;
    assert_eq!((unpinned.flash().unwrap().as_str(), site.count(COUNT_PINS).await), ("Unpinned.", 3));
    assert_eq!(set_pin(&ada, "1111111111111111111111", true).await.status, 404);
    assert_eq!(set_pin(&ada, "nonsense", true).await.status, 422);
}

/// Attack: many requests at once, against the limit.
#[tokio::test]
async fn concurrent_pins_and_returns_never_exceed_four() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, "ada").await;
    let mira = site.sign_in("mira").await;
    mira.fetch(Method::PUT, &format!("/heart/{}", ids[0])).await;
    assert_eq!(set_pin(&mira, &ids[0], true).await.status, 303, "others have their own");
    for round in 0..5 {
        let responses = join_all(ids[..10].iter().map(|id| set_pin(&ada, id, true))).await;
        assert!(responses.iter().all(|page| page.status == 303), "{round}");
        assert_eq!(site.count(COUNT_PINS).await, 5, "{round}");
        let pinned = ada.open("/hearts").await.playlist_ids()[..4].to_vec();
        // Removed, replaced and brought back, all at the same time.
        join_all(pinned.iter().map(async |id| ada.fetch(Method::DELETE, &format!("/heart/{id}")).await)).await;
        assert_eq!(site.count(COUNT_PINS).await, 1);
        let back = pinned.iter().map(async |id| ada.fetch(Method::PUT, &format!("/heart/{id}")).await.status);
        let others = ids[10..12].iter().map(async |id| set_pin(&ada, id, true).await.status);
        let (back, others) = tokio::join!(join_all(back), join_all(others));
        assert!(back.iter().all(|status| *status == 200) && others.iter().all(|status| *status == 303));
        assert_eq!(site.count(COUNT_PINS).await, 5, "{round}");
        join_all(ids.iter().map(|id| set_pin(&ada, id, false))).await;
        assert_eq!(site.count(COUNT_PINS).await, 1);
    }
}

#[tokio::test]
async fn removed_heart_returns_pinned_while_there_is_room() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, "ada").await;
    let heart = format!("/heart/{}", ids[5]);
    let is_pinned = async || ada.open("/hearts").await.playlist_ids()[0] == ids[5];
    set_pin(&ada, &ids[5], true).await;
    ada.fetch(Method::DELETE, &heart).await;
    assert_eq!(site.count(COUNT_PINS).await, 0);
    ada.fetch(Method::PUT, &heart).await;
    assert!(is_pinned().await, "an undo brings the pin back");
    ada.fetch(Method::DELETE, &heart).await;
    set_pin(&ada, &ids[6], true).await;
    let removed = ada.open("/hearts/removed").await;
    ada.submit(removed.form(".removed-list form").with("action", "restore")).await;
    assert_eq!(site.count(COUNT_PINS).await, 2, "another has its number, but there is room");
    ada.fetch(Method::DELETE, &heart).await;
    for id in &ids[7..10] {
        set_pin(&ada, id, true).await;
    }
    assert_eq!(ada.fetch(Method::PUT, &heart).await.status, 200);
    assert_eq!((site.count(COUNT_PINS).await, is_pinned().await), (4, false), "no room");
    set_pin(&ada, &ids[6], false).await;
    set_pin(&ada, &ids[5], true).await;
    ada.fetch(Method::DELETE, &heart).await;
    site.advance(Duration::from_secs(11 * 60));
    ada.fetch(Method::PUT, &heart).await;
    assert_eq!(site.count(COUNT_PINS).await, 3, "a new heart is not pinned");
}

#[tokio::test]
async fn shared_page_shows_pins_first_and_feeds_stay_by_date() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada-hearts").await;
    let before = site.visitor().open("/u/ada-hearts").await.playlist_ids();
    let feed = site.visitor().get("/u/ada-hearts/feed.json").await.html;
    let last = before.last().unwrap();
    set_pin(&ada, last, true).await;
    let page = site.visitor().open("/u/ada-hearts").await;
    assert_eq!((&page.playlist_ids()[0], page.text(".card:first-child .pinned")), (last, "Pinned".into()));
    assert_eq!(page.playlist_ids()[1..], before[..before.len() - 1]);
    assert_eq!(site.visitor().get("/u/ada-hearts/feed.json").await.html, feed);
}

#[tokio::test]
async fn merged_account_keeps_at_most_four_pins() {
    let site = Site::open().await;
    let (first, second) = (site.visitor(), site.visitor());
    first.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    let offer = second.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    let id = |n: usize| format!("{n:022}");
    for (visitor, hearts) in [(&first, 0..3), (&second, 2..6)] {
        for n in hearts {
            visitor.fetch(Method::PUT, &format!("/heart/{}", id(n))).await;
            assert_eq!(set_pin(visitor, &id(n), true).await.status, 303);
        }
    }
    let consent = second.start_sign_in_with(OtherProvider::Google, &offer).await;
    let question = second.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    second.submit(question.form("form[action='/account/merge']")).await;
    assert_eq!((site.count_users().await, site.count_hearts().await, site.count(COUNT_PINS).await), (1, 6, 4));
}

async fn list_pins(site: &Site) -> Vec<String> {
    let query =
        "select ltrim(playlist_id, '0') from user_hearts where pin is not null and removed_at is null order by pin";
    sqlx::query_scalar(query).fetch_all(&site.db).await.unwrap()
}

#[tokio::test]
async fn exported_pins_import_in_their_order_as_long_as_there_is_room() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = |n: usize| format!("{n:022}");
    for n in 1..=9 {
        ada.fetch(Method::PUT, &format!("/heart/{}", id(n))).await;
    }
    for n in [7, 3, 9, 5] {
        assert_eq!(set_pin(&ada, &id(n), true).await.status, 303);
    }
    let files = [ada.open("/hearts/export.csv").await.html, ada.open("/hearts/export.json").await.html];
    for file in files {
        for (kept, left_unpinned, pins) in [(None, 0, ["7", "3", "9", "5"]), (Some([8, 2]), 2, ["8", "2", "7", "3"])] {
            let form = ada.open("/hearts/import").await.form("form.import-form");
            sqlx::raw_sql("delete from user_hearts").execute(&site.db).await.unwrap();
            let existing = kept.map_or(0, |kept| kept.len() as i64);
            for n in kept.into_iter().flatten() {
                ada.fetch(Method::PUT, &format!("/heart/{}", id(n))).await;
                assert_eq!(set_pin(&ada, &id(n), true).await.status, 303);
            }
            let page = ada.upload(form.clone(), file.as_bytes()).await;
            assert_eq!(page.import_report(), [9 - existing, existing, 0]);
            assert_eq!(
                page.html.contains(&format!("{left_unpinned} of them are pinned in the file")),
                left_unpinned > 0
            );
            assert_eq!(list_pins(&site).await, pins, "{file}");
        }
    }
}

#[tokio::test]
async fn pins_of_other_tables_pin_nothing_and_lose_no_heart() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let pins = ["", "0", "5", "-1", "true", "99999999999999999999", "pinned", " 2 ", "1", "2", "3", "4"];
    let lines: String = pins.iter().enumerate().map(|(n, pin)| format!("{n:022},{pin}\n")).collect();
    let form = ada.open("/hearts/import").await.form("form.import-form");
    let page = ada.upload(form, format!("playlist_id,pin\n{lines}").as_bytes()).await;
    assert_eq!(page.import_report(), [12, 0, 0]);
    assert!(page.html.contains("1 of them is pinned in the file"), "{}", page.html);
    assert_eq!(list_pins(&site).await, ["8", "7", "9", "10"]);
}

#[tokio::test]
async fn import_whose_pins_fail_keeps_its_hearts_and_says_so() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let form = ada.open("/hearts/import").await.form("form.import-form");
    sqlx::raw_sql("alter table user_hearts add constraint broken check (pin is null)").execute(&site.db).await.unwrap();
    let page = ada.upload(form, format!("playlist_id,pin\n{:022},1\n{:022},\n", 1, 2).as_bytes()).await;
    assert_eq!((page.import_report(), site.count_hearts().await), ([2, 0, 0], 2));
    assert!(page.html.contains("1 of them is pinned in the file and not here"), "{}", page.html);
}

//! Order, direction and view of the lists, remembered for each user; and a playlist at random.

use std::collections::HashSet;

use fake_spotify::{OtherProvider, User};
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::search::{add_heart, first_words, search, sign_in_wren};

const COUNT_STORED: &str = "select count(*) from users where displays is not null";

fn selected(page: &Page) -> (String, String, bool) {
    (page.text("#sort option[selected]"), page.text(".direction .label"), page.has(".cards.card-rows"))
}

#[tokio::test]
async fn every_order_can_be_reversed() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let plain = wren.open("/playlists").await;
    for position in [2, 0, 3] {
        add_heart(&wren, &plain, position).await;
        site.advance(std::time::Duration::from_secs(60));
    }
    for (sort, order) in [
        ("usual", ["Untitled", "Trains", "The", "Måneskinn", "Mañana", "Slow"]),
        ("name", ["Trains", "The", "Slow", "Måneskinn", "Mañana", "Untitled"]),
        ("owner", ["Trains", "Slow", "Måneskinn", "Untitled", "The", "Mañana"]),
        ("hearted", ["Måneskinn", "Slow", "The", "Mañana", "Trains", "Untitled"]),
        ("size", ["Untitled", "Trains", "Måneskinn", "Slow", "Mañana", "The"]),
    ] {
        let page = wren.open(&format!("/playlists?sort={sort}&dir=reverse")).await;
        assert_eq!(first_words(&page), order, "{sort}");
    }
    for (query, order) in [
        ("sort=usual&dir=reverse", ["Måneskinn", "Slow", "The"]),
        ("sort=oldest", ["Måneskinn", "Slow", "The"]),
        ("sort=name&dir=reverse", ["The", "Slow", "Måneskinn"]),
        ("sort=owner&dir=reverse", ["Slow", "Måneskinn", "The"]),
    ] {
        assert_eq!(first_words(&wren.open(&format!("/hearts?{query}")).await), order, "{query}");
    }
}

#[tokio::test]
async fn reversed_pages_hold_every_entry_once() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 120));
    let lena = site.sign_in("lena").await;
    let mut path = "/playlists?sort=name&dir=reverse&view=list".to_owned();
    let mut ids = HashSet::new();
    for page_number in 1..=3 {
        let page = lena.open(&path).await;
        ids.extend(page.playlist_ids());
        if page_number < 3 {
            path = page.attribute("a[rel=next]", "href");
            assert!(path.starts_with("/playlists?sort=name&dir=reverse&view=list&page="), "{path}");
        }
    }
    assert_eq!(ids.len(), 120);
}

#[tokio::test]
async fn chosen_order_and_view_are_remembered_on_all_devices() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    add_heart(&wren, &wren.open("/playlists").await, 0).await;
    assert_eq!(selected(&wren.open("/hearts").await), ("Date hearted".into(), label("Newest first"), false));
    let by_name = wren.submit(wren.open("/playlists?q=r").await.form(".display").with("sort", "name")).await;
    assert_eq!((by_name.url.path(), by_name.url.query()), ("/playlists", Some("q=r")), "the search stays");
    let reversed = wren.submit(by_name.form("button[name=dir]")).await;
    assert_eq!(selected(&reversed), ("Name".into(), label("Z–A"), false));
    wren.submit(reversed.form("button[value=list]")).await;
    let phone = site.sign_in("wren").await;
    for visitor in [&wren, &phone] {
        let page = visitor.open("/playlists").await;
        assert_eq!(selected(&page), ("Name".into(), label("Z–A"), true));
        assert_eq!(first_words(&page)[0], "Trains");
        assert!(!visitor.open("/hearts").await.has(".cards.card-rows"), "each list has its own");
    }
    // An address with parameters wins, and its links keep them.
    let page = phone.open("/playlists?sort=usual&view=grid").await;
    assert_eq!(selected(&page), ("Spotify’s order".into(), label("From the top"), false));
    let found = search(&phone, "/playlists?sort=usual&view=grid", "trains").await;
    assert_eq!(found.url.query(), Some("q=trains&sort=usual&view=grid"));
    assert!(selected(&phone.open("/playlists").await).2, "a link changes nothing");
    // Another order is not reversed, and the usual display is stored as none.
    let usual = phone.submit(phone.open("/playlists").await.form(".display").with("sort", "usual")).await;
    assert_eq!(selected(&usual), ("Spotify’s order".into(), label("From the top"), true));
    assert_eq!(site.count(COUNT_STORED).await, 1);
    phone.submit(usual.form("button[value=grid]")).await;
    assert_eq!(site.count(COUNT_STORED).await, 0);
}

fn label(direction: &str) -> String {
    format!("{direction}, reverse the order")
}

/// Attack: another site's form, and values that no form sends.
#[tokio::test]
async fn display_is_stored_from_own_forms_only() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    wren.open("/playlists").await;
    let cross_site = [("sec-fetch-site", "cross-site")];
    let refused = wren.request(Method::POST, "/display/playlists", &cross_site, Some("sort=name".into())).await;
    assert_eq!(refused.status, 403);
    for (path, form, status) in [
        ("/display/tags", "sort=name", 404),
        ("/display/playlists", "sort=nonsense&dir=up&view=tree&from=%00//e", 303),
        ("/display/playlists", "sort=random", 303),
        ("/display/hearts", "sort=size", 303),
        ("/display/hearts", "", 303),
    ] {
        let response = wren.post(path, form).await;
        assert_eq!(response.status, status, "{path} {form}");
        assert!(status != 303 || ["/playlists", "/hearts"].contains(&response.header("location")));
    }
    assert_eq!(site.count(COUNT_STORED).await, 0);
    // What a later release stores.
    sqlx::query(r#"update users set displays = '{"playlists": {"order": "loudness"}, "x": 1}'"#)
        .execute(&site.db)
        .await
        .unwrap();
    assert_eq!(selected(&wren.open("/playlists").await).0, "Spotify’s order");
    let saved = wren.submit(wren.open("/playlists").await.form(".display").with("sort", "size")).await;
    assert_eq!(selected(&saved).0, "Size");
}

#[tokio::test]
async fn surprise_opens_another_matching_playlist_each_time() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let library = wren.open("/playlists").await;
    let ids = [0, 1, 3].map(|position| library.playlist_ids()[position].clone());
    for position in [0, 1, 3] {
        add_heart(&wren, &library, position).await;
    }
    let hearts = wren.open("/hearts?q=-tag:rain&sort=name").await;
    let link = hearts.attribute("a.surprise", "href");
    assert_eq!(link, "/hearts/random?q=-tag%3Arain");
    let calls = site.spotify.requests().len();
    let (mut last, mut seen) = (String::new(), HashSet::new());
    for _ in 0..40 {
        let response = wren.get(&link).await;
        assert_eq!((response.status, response.header("cache-control")), (303, "no-store"));
        let id = response.header("location")["/playlists/".len()..][..22].to_owned();
        assert!(ids.contains(&id) && id != last, "{id} after {last}");
        assert!(response.header("location").ends_with("?from=%2Fhearts%3Fq%3D-tag%253Arain"));
        seen.insert(id.clone());
        last = id;
    }
    assert_eq!((seen.len(), site.spotify.requests().len()), (3, calls));
    let one = wren.get("/playlists/random?q=slow").await;
    assert_eq!(one.header("location"), format!("/playlists/{}?from=%2Fplaylists%3Fq%3Dslow", ids[0]));
    assert_eq!(wren.get("/playlists/random?q=slow").await.header("location"), one.header("location"), "the only one");
    for list in ["/hearts", "/playlists"] {
        let none = wren.open(&format!("{list}/random?q=nowhere")).await;
        assert_eq!((none.url.path(), none.url.query()), (list, Some("q=nowhere")));
        assert_eq!(none.flash().unwrap(), "There is nothing to pick from.");
    }
    assert!(
        site.visitor().get("/hearts/random").await.header("location").starts_with("/login?next=%2Fhearts%2Frandom")
    );
    let newcomer = site.visitor();
    newcomer.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    newcomer.get("/playlists/random").await.assert_redirect("/playlists");
}

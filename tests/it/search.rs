//! Search, sort and views of playlists and hearts.

use std::time::Duration;

use fake_spotify::{OtherProvider, User};

use crate::support::Site;
use crate::support::search::{add_heart, first_words, search, sign_in_wren, write_annotation};

#[tokio::test]
async fn search_ignores_case_accents_and_word_order() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    for (text, found) in [
        ("trains", vec!["Slow", "Trains"]),
        ("SEATS slow", vec!["Slow"]),
        ("manana OTRO", vec!["Mañana"]),
        ("maneskinn kjokken", vec!["Måneskinn"]),
        ("MAÑANA", vec!["Mañana"]),
        ("sofia", vec!["Mañana", "The"]),
        ("garden sofía", vec!["The"]),
        ("\"soft seats\"", vec!["Slow"]),
        ("\"seats soft\"", vec![]),
        ("100%", vec!["Trains"]),
        ("o_t", vec![]),
        ("time_table", vec!["Trains"]),
        ("' or 1=1 --", vec![]),
        ("\\", vec![]),
    ] {
        let page = search(&wren, "/playlists", text).await;
        assert_eq!((page.status, first_words(&page)), (200, found.iter().map(|s| (*s).to_owned()).collect()), "{text}");
        assert_eq!(page.attribute("#q", "value"), text, "what was typed stays");
        assert!(
            page.text("#search-status[role=status]").starts_with(&format!("{} of 6 playlists found.", found.len())),
            "{text}"
        );
        assert!(page.text("title").contains(text));
        assert!(page.text(".page-header").contains("6 playlists"), "how many there are in all");
    }
    let plain = wren.open("/playlists").await;
    assert_eq!((plain.text("#search-status").as_str(), plain.text("title").as_str()), ("", "Playlists – Heartlist"));
    assert_eq!(plain.text("label[for=q]"), "Search playlists");
}

#[tokio::test]
async fn search_operators_work_and_are_listed_in_help() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let plain = wren.open("/playlists").await;
    let id = add_heart(&wren, &plain, 1).await;
    write_annotation(&site, &id, "", &["été", "rainy day"]).await;
    for (text, found) in [
        ("owner:me", vec!["Slow", "Måneskinn", "Trains", "Untitled"]),
        ("owner:SOFIA", vec!["Mañana", "The"]),
        ("owner:\"sofía m.\" collaborative:true", vec!["The"]),
        ("public:true", vec!["Slow", "Mañana", "Untitled"]),
        ("public:false", vec!["Måneskinn", "The"]),
        ("collaborative:true owner:me", vec!["Trains"]),
        ("collaborative:false public:false", vec!["Måneskinn"]),
        ("is:hearted", vec!["Mañana"]),
        ("tag:ÉTÉ", vec!["Mañana"]),
        ("tag:\"Rainy Day\"", vec!["Mañana"]),
        ("tag:rainy", vec![]),
    ] {
        let page = search(&wren, "/playlists", text).await;
        assert_eq!(first_words(&page), found, "{text}");
    }
    let help = plain.text("details.search-help");
    for operator in [
        "owner:me", "public:false", "collaborative:true", "is:hearted", "is:updated", "is:unavailable", "is:untagged",
        "-tag:rain", "tag:",
    ] {
        assert!(help.contains(operator), "{operator}");
    }
}

#[tokio::test]
async fn unknown_operator_and_pasted_link_are_explained() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let page = search(&wren, "/playlists", "foo:bar").await;
    assert!(page.text("#search-status").starts_with("0 of 6 playlists found."));
    assert!(
        page.text("#search-status").contains("There is no filter called “foo:”"),
        "{}",
        page.text("#search-status")
    );
    let page = search(&wren, "/playlists", "https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4n?si=1").await;
    let link = page.attribute("#search-status a", "href");
    assert!(wren.open(&link).await.text("#link").contains("3cEYpjA9oz9GiPac4AsH4n"), "{link}");
}

#[tokio::test]
async fn owner_me_matches_spotify_id_not_display_name() {
    let site = Site::open().await;
    let mut wren = User::with_library("wren", 2);
    let namesake = User { display_name: wren.display_name.clone(), ..User::new("another") }.to_owner();
    wren.library[0].as_mut().unwrap().owner = namesake;
    site.spotify.add_user(wren);
    let wren = site.sign_in("wren").await;
    let all = wren.open("/playlists").await.playlist_ids();
    assert_eq!(search(&wren, "/playlists", "owner:me").await.playlist_ids(), all[1..]);
    assert_eq!(search(&wren, "/playlists", "owner:wren").await.playlist_ids(), all);
    wren.link_identity(&site.spotify, OtherProvider::GitHub, "ada").await;
    let without_spotify = site.visitor();
    without_spotify.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert_eq!(search(&without_spotify, "/playlists", "owner:me").await.playlist_ids(), all[1..]);
}

#[tokio::test]
async fn owner_me_follows_changed_spotify_id() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let own = search(&ada, "/playlists", "owner:me").await.playlist_ids();
    site.spotify.change_user_id("ada", "ada.renamed");
    site.advance(Duration::from_secs(11 * 60));
    let again = site.sign_in("ada").await;
    assert_eq!(search(&again, "/playlists", "owner:me").await.playlist_ids(), own);
    assert!(!own.is_empty());
}

#[tokio::test]
async fn invalid_operator_is_reported_and_ignored() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let page = search(&wren, "/playlists", "trains public:maybe <b>").await;
    assert!(page.text("#search-status").contains("“public:maybe” was ignored: “public:” takes “true” or “false”."));
    assert_eq!(page.attribute("#q", "value"), "trains public:maybe <b>");
    let page = search(&wren, "/playlists", "trains public:maybe").await;
    assert_eq!(first_words(&page), ["Slow", "Trains"]);
    let page = search(&wren, "/playlists", "is:loved").await;
    assert!(page.count("li.card") == 6 && page.text("#search-status").contains("“is:” takes “hearted”"));
    for query in ["?q=%00%ff&sort=%00", "?sort=nonsense&view=tree&page=x", "?q=%22", "?q=", "?q"] {
        let page = wren.open(&format!("/playlists{query}")).await;
        assert_eq!((page.status, page.text("option[selected]").as_str()), (200, "Spotify’s order"), "{query}");
    }
    let long = "ä".repeat(5000);
    let page = wren.open(&format!("/playlists?q={long}")).await;
    assert_eq!((page.status, page.attribute("#q", "value").chars().count()), (200, 100));
}

#[tokio::test]
async fn empty_search_result_names_filters_and_clears_them_in_one_click() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let page = search(&wren, "/playlists?sort=name&view=list", "rain owner:me public:false tag:x").await;
    assert_eq!((page.status, page.count("li.card")), (200, 0));
    let text = page.text("main .empty-state");
    let one = wren.open("/playlists?q=is%3Aunavailable").await;
    assert_eq!(one.text(".empty-state p:first-of-type"), "No playlists match: unavailable on Spotify.");
    for part in ["No playlists match all of: “rain”", "your own", "not public", "tag “x”"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(page.text("#search-status").contains("0 of 6 playlists found."));
    let clear = page.attribute(".empty-state a.button", "href");
    assert_eq!(clear, "/playlists?sort=name&view=list", "order and view stay");
    assert_eq!(wren.open(&clear).await.count("li.card"), 6);
    assert!(page.has("#q") && page.has("#link"), "another try, and the form for a link");
}

#[tokio::test]
async fn spotify_order_is_kept_until_user_sorts() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let usual = ["Slow", "Mañana", "Måneskinn", "The", "Trains", "Untitled"];
    let plain = wren.open("/playlists").await;
    assert_eq!(first_words(&plain), usual);
    for position in [2, 0] {
        add_heart(&wren, &plain, position).await;
        site.advance(Duration::from_secs(60));
    }
    for (sort, order) in [
        ("name", ["Mañana", "Måneskinn", "Slow", "The", "Trains", "Untitled"]),
        ("owner", ["Mañana", "The", "Måneskinn", "Slow", "Trains", "Untitled"]),
        ("hearted", ["Slow", "Måneskinn", "Mañana", "The", "Trains", "Untitled"]),
        ("size", ["The", "Mañana", "Slow", "Måneskinn", "Trains", "Untitled"]),
        ("oldest", usual),
        ("nonsense", usual),
        ("", usual),
    ] {
        let page = wren.open(&format!("/playlists?sort={sort}")).await;
        assert_eq!(first_words(&page), order, "{sort}");
        assert_eq!(page.count("#sort option[selected]"), 1);
    }
    let labels = plain.texts("#sort option");
    assert_eq!(labels, ["Spotify’s order", "Name", "Owner", "Recently hearted", "Size"]);
}

#[tokio::test]
async fn hearts_are_searchable_by_note_and_tag_and_sortable() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let plain = wren.open("/playlists").await;
    let mut ids = Vec::new();
    for position in [0, 1, 3] {
        ids.push(add_heart(&wren, &plain, position).await);
        site.advance(Duration::from_secs(60));
    }
    write_annotation(&site, &ids[0], "For the NIGHT bus", &["night", "bus"]).await;
    write_annotation(&site, &ids[1], "dancing", &["night"]).await;
    for (text, found) in [
        ("night", vec!["Mañana", "Slow"]),
        ("bus soft", vec!["Slow"]),
        ("tag:night", vec!["Mañana", "Slow"]),
        ("tag:night tag:bus", vec!["Slow"]),
        ("owner:me", vec!["Slow"]),
        ("is:hearted", vec!["The", "Mañana", "Slow"]),
        ("collaborative:true", vec!["The"]),
        ("nowhere", vec![]),
    ] {
        let page = search(&wren, "/hearts", text).await;
        assert_eq!((page.status, first_words(&page)), (200, found.iter().map(|s| (*s).to_owned()).collect()), "{text}");
        assert!(page.text("#search-status").contains(&format!("{} of 3 hearts found.", found.len())));
        assert_eq!(page.text("[data-my-heart-count]"), "3", "the total is said, whatever was found");
    }
    for (sort, order) in [
        ("", ["The", "Mañana", "Slow"]),
        ("oldest", ["Slow", "Mañana", "The"]),
        ("name", ["Mañana", "Slow", "The"]),
        ("owner", ["Mañana", "The", "Slow"]),
        ("size", ["The", "Mañana", "Slow"]),
    ] {
        assert_eq!(first_words(&wren.open(&format!("/hearts?sort={sort}")).await), order, "{sort}");
    }
}

#[tokio::test]
async fn hearts_without_metadata_are_found_by_note() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let id = add_heart(&wren, &wren.open("/playlists").await, 0).await;
    write_annotation(&site, &id, "Für die STRASSENbahn", &[]).await;
    sqlx::query("delete from playlists").execute(&site.db).await.unwrap();
    let page = search(&wren, "/hearts", "straßenbahn fur").await;
    assert_eq!(page.playlist_ids(), [id]);
    assert_eq!(search(&wren, "/hearts", "slow").await.count("li.card"), 0);
    assert_eq!(search(&wren, "/hearts", "public:false").await.count("li.card"), 0);
    assert_eq!(wren.open("/hearts?sort=name").await.count("li.card"), 1);
}

#[tokio::test]
async fn rows_without_folded_columns_are_found_in_lower_case() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let id = add_heart(&wren, &wren.open("/playlists").await, 0).await;
    write_annotation(&site, &id, "Night Bus", &["rain"]).await;
    sqlx::query("update user_hearts set note_folded = null, tags_folded = null").execute(&site.db).await.unwrap();
    sqlx::query("update playlists set name_folded = null, owner_folded = null, owner_id = null")
        .execute(&site.db)
        .await
        .unwrap();
    assert_eq!(first_words(&search(&wren, "/playlists", "SLOW").await), ["Slow"]);
    assert_eq!(first_words(&search(&wren, "/hearts", "NIGHT tag:rain").await), ["Slow"]);
    assert_eq!(search(&wren, "/playlists", "owner:me").await.count("li.card"), 4, "by the name they share");
    assert_eq!(wren.open("/playlists?sort=name").await.count("li.card"), 6);
}

#[tokio::test]
async fn result_pages_keep_query_sort_and_view() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 120));
    let lena = site.sign_in("lena").await;
    let first = search(&lena, "/playlists?sort=name&view=list", "owner:me").await;
    assert_eq!((first.count("li.card"), first.text(".pager p").as_str()), (50, "Page 1 of 3"));
    let next = first.attribute("a[rel=next]", "href");
    assert_eq!(next, "/playlists?q=owner%3Ame&sort=name&view=list&page=2");
    let second = lena.open(&next).await;
    assert_eq!(second.attribute("a[rel=prev]", "href"), "/playlists?q=owner%3Ame&sort=name&view=list");
    let third = lena.open(&second.attribute("a[rel=next]", "href")).await;
    assert_eq!((third.count("li.card"), third.has("a[rel=next]"), third.has(".cards.card-rows")), (20, false, true));
    let mut ids: Vec<_> = [&first, &second, &third].iter().flat_map(|page| page.playlist_ids()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 120);
    lena.get("/playlists?q=owner%3Ame&page=4").await.assert_redirect("/playlists?q=owner%3Ame");
    lena.get("/playlists?q=nowhere&page=2").await.assert_redirect("/playlists?q=nowhere");
}

#[tokio::test]
async fn heart_refresh_and_rejected_link_return_to_search_results() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let path = "/playlists?q=trains+%22%2C%22+owner%3Ame&sort=name&view=list";
    let page = wren.open(path).await;
    assert_eq!(first_words(&page), ["Slow"]);
    let id = page.playlist_ids().remove(0);
    let pressed = wren.send_form(page.form("li.card form.heart")).await;
    assert_eq!(pressed.header("location"), format!("{path}#p-{id}"));
    let refreshed = wren.send_form(page.form("button[value=refresh]").with("action", "refresh")).await;
    assert_eq!(refreshed.header("location"), path);
    let refused = wren.submit(page.form("#link").with("link", "nonsense")).await;
    assert_eq!((refused.status, refused.attribute(".back-link a", "href")), (422, path.to_owned()));
    let hearts = wren.open("/hearts?q=slow&sort=oldest").await;
    let taken_back = wren.send_form(hearts.form("li.card form.heart")).await;
    assert_eq!(taken_back.header("location"), format!("/hearts?q=slow&sort=oldest#p-{id}"));
}

#[tokio::test]
async fn sign_in_returns_to_search() {
    let site = Site::open().await;
    let ada = site.visitor();
    let path = "/playlists?q=rain+%C3%A9t%C3%A9+tag%3A%22a%2Fb%22&sort=name&view=list&page=1";
    let sent = ada.get(path).await;
    assert_eq!(sent.status, 303);
    let page = ada.sign_in_at(sent.header("location"), "ada").await;
    assert_eq!((page.status, page.attribute("#q", "value").as_str()), (200, "rain été tag:\"a/b\""));
    assert_eq!(&page.url[url::Position::BeforePath..], path);
    let emoji = format!("/hearts?q={}", "%F0%9F%8C%8A".repeat(100));
    let sent = site.visitor().get(&emoji).await;
    assert!(sent.header("location").len() > emoji.len(), "the longest search fits");
}

#[tokio::test]
async fn view_switch_keeps_query_and_sort() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let grid = wren.open("/playlists?q=trains&sort=name&page=1").await;
    assert!(!grid.has(".cards.card-rows") && grid.text(".view-toggle [aria-pressed=true]") == "Grid");
    let list = wren.submit(grid.form(".display").with("view", "list")).await;
    assert!(list.has(".cards.card-rows") && list.text(".view-toggle [aria-pressed=true]") == "List");
    assert_eq!((first_words(&list), list.url.query()), (first_words(&grid), Some("q=trains")));
    let again = search(&wren, "/playlists?view=grid", "slow").await;
    assert!(!again.has(".cards.card-rows"), "a search stays in its view");
}

#[tokio::test]
async fn empty_list_has_no_search_form() {
    let site = Site::open().await;
    let noor = site.sign_in("noor").await;
    for path in ["/playlists?q=x", "/hearts?q=x"] {
        let page = noor.open(path).await;
        assert!(page.status == 200 && !page.has("#q") && page.has(".empty-state"), "{path}");
    }
}

#[tokio::test]
async fn search_makes_no_spotify_call() {
    let site = Site::open().await;
    let wren = sign_in_wren(&site).await;
    let before = site.spotify.requests().len();
    for path in ["/playlists?q=trains", "/playlists?sort=size", "/hearts?q=owner:me", "/hearts?sort=name"] {
        assert_eq!(wren.open(path).await.status, 200);
    }
    assert_eq!(site.spotify.requests().len(), before);
}

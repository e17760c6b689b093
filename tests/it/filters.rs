//! Filters of both lists: links that write the query, and the operators behind them.

use std::time::Duration;

use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::search::{add_heart, first_words, search, sign_in_wren, write_annotation};
use crate::support::visitor::Visitor;

/// Wren with three hearts, one of an untitled playlist: one updated, one unavailable, one with tags and a note.
async fn sign_in_with_hearts(site: &Site) -> Visitor {
    let wren = sign_in_wren(site).await;
    let plain = wren.open("/playlists").await;
    let (slow, manana) = (add_heart(&wren, &plain, 0).await, add_heart(&wren, &plain, 1).await);
    let untitled = add_heart(&wren, &plain, 5).await;
    write_annotation(site, &slow, "For the Night Bus", &["Rainy Day", "été"]).await;
    for (change, id) in [("snapshot_id = 'older'", &manana), ("gone_at = now()", &untitled)] {
        let change = sqlx::AssertSqlSafe(format!("update user_hearts set {change} where playlist_id = $1"));
        sqlx::query(change).bind(id).execute(&site.db).await.unwrap();
    }
    site.advance(Duration::from_secs(310)); // tags are suggested as they were within five minutes
    wren
}

/// The path of the filter with this label.
fn path_of(page: &Page, label: &str) -> String {
    let position = page.texts(".filters a").iter().position(|text| text == label);
    page.attributes(".filters a", "href").remove(position.unwrap_or_else(|| panic!("no {label} on {}", page.url)))
}

fn filters_on(page: &Page) -> Vec<String> {
    page.texts(".filters [aria-current=true]")
}

#[tokio::test]
async fn plain_words_search_names_owners_notes_and_tags_of_both_lists() {
    let site = Site::open().await;
    let wren = sign_in_with_hearts(&site).await;
    for (text, found) in [
        ("night", vec!["Slow"]),
        ("RAINY", vec!["Slow"]),
        ("ETE bus soft", vec!["Slow"]),
        ("untitled", vec!["Untitled"]),
        ("\"untitled playlist\" wren", vec!["Untitled"]),
        ("sofia", vec!["Mañana"]),
        ("day été", vec!["Slow"]),
        ("\"day été\"", vec![]),
    ] {
        for list in ["/playlists", "/hearts"] {
            let page = search(&wren, list, &format!("{text} is:hearted")).await;
            assert_eq!(first_words(&page), found, "{text} in {list}");
        }
    }
    sqlx::query("delete from playlists").execute(&site.db).await.unwrap();
    sqlx::query("update user_hearts set title = null, title_folded = null").execute(&site.db).await.unwrap();
    assert_eq!(search(&wren, "/hearts", "untitled").await.count("li.card"), 0, "their names are not known");
}

#[tokio::test]
async fn state_of_a_heart_can_be_filtered_by() {
    let site = Site::open().await;
    let wren = sign_in_with_hearts(&site).await;
    let all = ["Slow", "Mañana", "Måneskinn", "The", "Trains", "Untitled"];
    let without = |left_out: &[&str]| all.iter().copied().filter(|name| !left_out.contains(name)).collect::<Vec<_>>();
    for (text, found) in [
        ("is:changed", vec!["Mañana"]),
        ("is:UPDATED", vec!["Mañana"]),
        ("is:gone", vec!["Untitled"]),
        ("is:unavailable", vec!["Untitled"]),
        ("is:untagged", vec!["Mañana", "Untitled"]),
        ("is:hearted -is:untagged", vec!["Slow"]),
        ("-is:changed", without(&["Mañana"])),
        ("-is:gone", without(&["Untitled"])),
        ("-is:hearted", vec!["Måneskinn", "The", "Trains"]),
        ("-trains", without(&["Slow", "Trains"])),
        ("-\"night bus\"", without(&["Slow"])),
        ("-tag:ete", without(&["Slow"])),
        ("-untitled", without(&["Untitled"])),
        ("-owner:me", vec!["Mañana", "The"]),
        ("-owner:sofia", without(&["Mañana", "The"])),
        ("-public:true", vec!["Måneskinn", "The"]),
        ("-collaborative:true", without(&["The", "Trains"])),
        ("trains -slow", vec!["Trains"]),
    ] {
        assert_eq!(first_words(&search(&wren, "/playlists", text).await), found, "{text}");
    }
    for (text, found) in [
        ("is:changed", vec!["Mañana"]),
        ("is:gone", vec!["Untitled"]),
        ("is:untagged", vec!["Untitled", "Mañana"]),
        ("-is:untagged", vec!["Slow"]),
        ("-is:hearted", vec![]),
        ("-tag:\"rainy day\"", vec!["Untitled", "Mañana"]),
        ("-bus", vec!["Untitled", "Mañana"]),
        ("-owner:me", vec!["Mañana"]),
    ] {
        assert_eq!(first_words(&search(&wren, "/hearts?sort=oldest", text).await).len(), found.len(), "{text}");
        let mut names = first_words(&search(&wren, "/hearts", text).await);
        let mut found = found;
        names.sort();
        found.sort_unstable();
        assert_eq!(names, found, "{text}");
    }
    let empty = search(&wren, "/hearts", "-slow -is:untagged").await;
    let sentence = empty.text("main .empty-state");
    assert!(sentence.contains("not “slow”, not without tags"), "{sentence}");
}

#[tokio::test]
async fn filters_are_links_that_write_the_query_and_show_what_is_on() {
    let site = Site::open().await;
    let wren = sign_in_with_hearts(&site).await;
    let library = wren.open("/playlists?q=s&sort=name&view=list").await;
    let labels = ["Mine", "Public", "Private", "Collaborative", "Hearted", "Updated", "Untagged"];
    assert_eq!(library.texts(".filters a")[..7], labels);
    assert!(filters_on(&library).is_empty());
    let page = wren.open(&path_of(&library, "Private")).await;
    assert_eq!(page.url.query(), Some("q=s+public%3Afalse&sort=name&view=list"), "the rest stays");
    assert_eq!(
        (filters_on(&page), first_words(&page)),
        (vec!["Private".into()], vec!["Måneskinn".into(), "The".into()])
    );
    assert_eq!(page.texts(".filters a")[0], "Private", "what is on comes first");
    let page = wren.open(&path_of(&page, "Mine")).await;
    assert_eq!(page.attribute("#q", "value"), "s public:false owner:me");
    let page = wren.open(&path_of(&page, "Public")).await;
    assert_eq!(page.attribute("#q", "value"), "s owner:me public:true", "the opposite goes");
    let page = wren.open(&path_of(&page, "Mine")).await;
    assert_eq!((page.attribute("#q", "value").as_str(), filters_on(&page)), ("s public:true", vec!["Public".into()]));

    let hearts = wren.open("/hearts").await;
    let labels = ["Updated", "Unavailable", "Untagged", "Mine", "Public", "Private", "Collaborative"];
    assert_eq!(hearts.texts(".filters a")[..7], labels);
    assert_eq!(hearts.texts(".filters .is-tag"), ["été", "rainy day"]);
    assert_eq!(hearts.attribute(".filters .all-tags", "href"), "/tags");
    for (label, count) in [("Updated", 1), ("Unavailable", 1), ("Untagged", 2), ("été", 1), ("rainy day", 1)] {
        let page = wren.open(&path_of(&hearts, label)).await;
        assert_eq!((page.count("li.card"), filters_on(&page)), (count, vec![label.to_owned()]), "{label}");
        assert_eq!(wren.open(&path_of(&page, label)).await.url.query(), None, "pressed again it is off");
    }
    let rare = wren.open("/hearts?q=tag%3Arare").await;
    assert_eq!(filters_on(&rare), ["rare"], "a tag that is searched for is among them");
}

#[tokio::test]
async fn tags_on_cards_filter_the_list_and_keep_the_rest_of_the_query() {
    let site = Site::open().await;
    let wren = sign_in_with_hearts(&site).await;
    for (path, link) in [
        ("/hearts", "/hearts?q=tag%3A%22rainy+day%22"),
        ("/playlists", "/playlists?q=tag%3A%22rainy+day%22"),
        (
            "/hearts?q=%22slow+tr&sort=name&view=list",
            "/hearts?q=%22slow+tr%22+tag%3A%22rainy+day%22&sort=name&view=list",
        ),
        ("/playlists?q=is%3Ahearted&page=1", "/playlists?q=is%3Ahearted+tag%3A%22rainy+day%22"),
    ] {
        let page = wren.open(path).await;
        assert_eq!(page.attributes(".card .tags a", "href")[0], link, "{path}");
        assert_eq!(first_words(&wren.open(link).await), ["Slow"], "{link}");
    }
    let long = format!("/hearts?q={}", "slow+".repeat(9));
    assert_eq!(wren.open(&long).await.attributes(".card .tags a", "href")[1], format!("{long}tag%3A%C3%A9t%C3%A9"));
    let page = wren.open("/hearts?q=tag%3AETE").await;
    assert_eq!(page.texts(".card .tags a"), ["rainy day"], "the other is searched for already");
    assert_eq!(page.texts(".card .tags span"), ["été"]);
    let ten = wren.open("/hearts?q=s+l+o+w+t+r+a+i+n+e").await;
    let narrow = wren.open(&format!("/hearts?q={}", "slow+".repeat(18))).await;
    for (page, tags) in [(ten, &[][..]), (narrow, &["été"])] {
        assert_eq!(first_words(&page), ["Slow"]);
        assert_eq!(page.texts(".card .tags a"), tags, "without room it is no link");
        assert!(page.has(".filters a:not([href])") && page.has(".filters .all-tags"));
    }
}

#[tokio::test]
async fn tags_are_completed_in_the_form_without_script() {
    let site = Site::open().await;
    let wren = sign_in_with_hearts(&site).await;
    let id = add_heart(&wren, &wren.open("/playlists").await, 2).await;
    for path in [format!("/hearts?edit={id}"), format!("/hearts/{id}/annotation"), format!("/playlists/{id}")] {
        let page = wren.open(&path).await;
        assert_eq!(page.attribute("[name=tags]", "list"), page.attribute("datalist", "id"));
        assert_eq!(page.attributes("datalist option", "value"), ["été", "rainy day"], "{path}");
    }
    wren.annotate(&id, "", "ÉTÉ, sun").await;
    let page = wren.open(&format!("/hearts/{id}/annotation")).await;
    let label = page.attributes("datalist option", "label");
    assert_eq!(
        (label, page.attributes("datalist option", "value")),
        (vec!["rainy day".into()], vec!["ÉTÉ, sun, rainy day".into()])
    );
    let other = wren.open("/playlists").await.playlist_ids().remove(3);
    wren.fetch(Method::PUT, &format!("/heart/{other}")).await;
    let page = wren.open(&format!("/hearts/{other}/annotation")).await;
    assert_eq!(page.attributes("datalist option", "value").len(), 3, "a new tag is suggested at once");
}

//! Changes of several hearts at once, and their undo.

use std::time::Duration;

use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::rows::{read_hearts, without_removal_times};
use crate::support::visitor::Visitor;

/// Presses a button of the form of `path`, with these playlists selected, as a browser without script does.
async fn submit_selection(visitor: &Visitor, path: &str, action: &str, tags: &str, ids: &[String]) -> Page {
    let join = if path.contains('?') { '&' } else { '?' };
    let page = visitor.open(&format!("{path}{join}select=1")).await;
    let offered = page.attributes("#bulk button[name=action]", "value");
    assert!(offered.contains(&action.to_owned()), "{offered:?}");
    assert_eq!(offered.first().unwrap(), "tag", "Enter in the field for tags presses the first button");
    let boxes = page.attributes(".card > input[type=checkbox][form=bulk][name=id]", "value");
    assert!(ids.iter().all(|id| boxes.contains(id)), "{boxes:?}");
    let from = page.attribute("#bulk input[name=from]", "value");
    send(visitor, action, tags, ids, &from).await
}

async fn send(visitor: &Visitor, action: &str, tags: &str, ids: &[String], from: &str) -> Page {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair("from", from).append_pair("tags", tags).append_pair("action", action);
    let body = body.extend_pairs(ids.iter().map(|id| ("id", id))).finish();
    let sent = visitor.post("/hearts/bulk", &body).await;
    if sent.status == 303 { visitor.open(sent.header("location")).await } else { sent }
}

async fn undo(visitor: &Visitor, page: &Page) -> Page {
    visitor.submit(page.form(".flash form")).await
}

/// Ada with hearts for the first playlists of her library; the first two have a note and tags.
async fn sign_in_with_hearts(site: &Site, count: usize) -> (Visitor, Vec<String>) {
    let ada = site.sign_in("ada").await;
    let ids = ada.open("/playlists").await.playlist_ids();
    for id in &ids[..count] {
        ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    for id in &ids[..count.min(2)] {
        ada.annotate(id, "For the rain", "wet, Été").await;
    }
    (ada, ids)
}

#[tokio::test]
async fn selected_playlists_are_hearted_and_undo_removes_only_the_new_hearts() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 4).await;
    ada.fetch(Method::DELETE, &format!("/heart/{}", ids[1])).await;
    site.advance(Duration::from_secs(3600));
    let before = read_hearts(&site, "true").await;
    let page = submit_selection(&ada, "/playlists?sort=name", "heart", "", &ids[..4]).await;
    assert_eq!(page.flash().unwrap(), "1 heart added.");
    assert_eq!((page.url.path(), page.url.query()), ("/playlists", Some("sort=name")));
    let back = undo(&ada, &page).await;
    assert_eq!(back.flash().unwrap(), "Undone for 1 heart.");
    let after = without_removal_times(read_hearts(&site, "true").await);
    assert_eq!(after, without_removal_times(before), "the removed one has its date, note and tags");

    ada.fetch(Method::DELETE, &format!("/heart/{}", ids[3])).await;
    sqlx::query("delete from user_hearts where removed_at is not null").execute(&site.db).await.unwrap();
    let page = submit_selection(&ada, "/playlists", "heart", "", &ids[..4]).await;
    assert_eq!(page.flash().unwrap(), "2 hearts added.");
    ada.annotate(&ids[1], "Mine now", "").await;
    let page = ada.open("/hearts").await;
    assert!(!page.has(".flash"));
    let change =
        sqlx::query_scalar::<_, i64>("select (extract(epoch from changed_at) * 1000000)::bigint from heart_changes")
            .fetch_all(&site.db)
            .await
            .unwrap()[0];
    let response = ada.post("/hearts/undo", &format!("change={change}&from=/hearts")).await;
    assert_eq!(response.header("location"), "/hearts");
    let flash = ada.open("/hearts").await.flash().unwrap();
    assert_eq!(flash, "Undone for 1 heart. 1 heart was changed since, and stays as it is.");
    assert_eq!(site.count_hearts().await, 3);
}

/// A press while several are hearted is not part of that change, which meets it only when it adds the heart.
#[tokio::test]
async fn heart_that_is_pressed_meanwhile_outlives_the_undo() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 0).await;
    let mut press = site.db.begin().await.unwrap();
    let add = "insert into user_hearts (user_id, playlist_id, hearted_at) select id, $1, now() from users";
    sqlx::query(add).bind(&ids[1]).execute(&mut *press).await.unwrap();
    let commit = async {
        site.wait_for_blocked_query().await;
        press.commit().await.unwrap();
    };
    let (page, ()) = tokio::join!(submit_selection(&ada, "/playlists", "heart", "", &ids[..3]), commit);
    assert_eq!(page.flash().unwrap(), "2 hearts added.");
    assert_eq!(undo(&ada, &page).await.flash().unwrap(), "Undone for 2 hearts.");
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn selected_hearts_are_removed_and_come_back_as_they_were() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 5).await;
    let before = read_hearts(&site, "true").await;
    let page = submit_selection(&ada, "/hearts", "remove", "", &ids[..3]).await;
    assert_eq!((page.flash().unwrap().as_str(), site.count_hearts().await), ("3 hearts removed.", 2));
    assert_eq!(ada.open("/hearts/removed").await.count(".removed-list > li"), 3);
    let back = undo(&ada, &page).await;
    assert_eq!(back.flash().unwrap(), "Undone for 3 hearts.");
    assert_eq!(read_hearts(&site, "true").await, before);
    let again = undo(&ada, &page).await;
    assert_eq!(again.flash().unwrap().split('.').next().unwrap(), "Nothing was undone");
    assert_eq!(read_hearts(&site, "true").await, before);
    let removed = submit_selection(&ada, "/hearts?q=tag%3Awet", "remove", "", &ids[..2]).await;
    assert_eq!(removed.flash().unwrap(), "2 hearts removed.", "on results of a search too");
    let none = send(&ada, "remove", "", &ids[..2], "/hearts").await;
    assert_eq!(
        (none.flash().unwrap().as_str(), none.has(".flash form")),
        ("None of them was hearted any more.", false)
    );
}

#[tokio::test]
async fn tags_are_added_to_and_removed_from_selected_hearts_and_undo_restores_them_exactly() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 4).await;
    ada.annotate(&ids[2], "", "1,2,3,4,5,6,7,8,9,10").await;
    let before = read_hearts(&site, "true").await;
    let full = ada.open(&format!("/playlists/{}", ids[2])).await.text("h1");
    let page = send(&ada, "tag", "ÉTÉ, Late  Night", &ids[..5], "/hearts").await;
    let expected = format!(
        "Tags added to 3 hearts. Left as they are, because a heart can have up to 10 tags: {full}. \
         1 of 5 has no heart, so it has no tags."
    );
    assert_eq!(page.flash().unwrap(), expected);
    assert_eq!(ada.open("/hearts?q=tag%3A%22late+night%22").await.count("li.card"), 3);
    let tags = "select tags from user_hearts where playlist_id = $1";
    let first: Vec<String> = sqlx::query_scalar(tags).bind(&ids[0]).fetch_one(&site.db).await.unwrap();
    assert_eq!(first, ["wet", "Été", "Late Night"], "no second spelling of a tag");
    assert_eq!(undo(&ada, &page).await.flash().unwrap(), "Undone for 3 hearts.");
    assert_eq!(read_hearts(&site, "true").await, before);

    let page = submit_selection(&ada, "/hearts", "untag", "ete, 10", &ids[..3]).await;
    assert_eq!(page.flash().unwrap(), "Tags removed from 3 hearts.");
    assert_eq!(ada.open("/hearts?q=tag%3Aete").await.count("li.card"), 0);
    undo(&ada, &page).await;
    assert_eq!(read_hearts(&site, "true").await, before);
}

#[tokio::test]
async fn change_of_a_selection_leads_back_to_its_first_card() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 4).await;
    for (action, from, fragment) in [
        ("heart", "/playlists?q=a&page=1-2#p-x", format!("/playlists?q=a&page=1-2#p-{}", ids[1])),
        ("tag", "/hearts", format!("/hearts#p-{}", ids[1])),
        ("remove", "/playlists", format!("/playlists#p-{}", ids[1])),
        ("remove", "/hearts?q=a", "/hearts?q=a#results".into()),
    ] {
        let body = format!("action={action}&tags=x&id={}&id={}&from={}", ids[1], ids[2], from.replace('&', "%26"));
        let sent = ada.post("/hearts/bulk", &body).await;
        sent.assert_redirect(&fragment);
        assert!(ada.open(&fragment).await.flash().is_some());
    }
}

#[tokio::test]
async fn selected_playlists_without_hearts_are_counted_when_the_others_are_tagged() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 2).await;
    let page = submit_selection(&ada, "/playlists", "tag", "night", &ids[..5]).await;
    assert_eq!(page.flash().unwrap(), "Tags added to 2 hearts. 3 of 5 have no heart, so they have no tags.");
    assert_eq!(ada.open("/playlists?q=tag%3Anight").await.count("li.card"), 2);
    assert_eq!(undo(&ada, &page).await.flash().unwrap(), "Undone for 2 hearts.");
    let page = submit_selection(&ada, "/playlists", "untag", "wet", &ids[1..3]).await;
    assert_eq!(page.flash().unwrap(), "Tags removed from 1 heart. 1 of 2 has no heart, so it has no tags.");
    let page = submit_selection(&ada, "/playlists", "tag", "night", &ids[3..5]).await;
    let told = "Only hearts have tags, and none of the selected playlists has yours.";
    assert_eq!((page.flash().unwrap().as_str(), page.has(".flash form")), (told, false));
    assert_eq!(site.count_hearts().await, 2);
    let file = submit_selection(&ada, "/playlists", "export-csv", "", &ids[..5]).await;
    assert_eq!((file.status, file.html.lines().count()), (200, 3), "{}", file.html);
}

#[tokio::test]
async fn selection_is_exported_like_all_hearts() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 5).await;
    let all = ada.open("/hearts/export.json").await.json();
    let (mut one, mut other) = (ids[0].clone(), ids[3].clone());
    if one > other {
        std::mem::swap(&mut one, &mut other);
    }
    let file = submit_selection(&ada, "/hearts", "export-json", "", &[one.clone(), other.clone()]).await;
    assert_eq!((file.status, file.header("content-type")), (200, "application/json"));
    assert!(file.header("content-disposition").ends_with(".json\""));
    let expected = all["hearts"].as_array().unwrap().iter();
    let expected: Vec<_> = expected.filter(|h| h["playlist_id"] == one || h["playlist_id"] == other).cloned().collect();
    assert_eq!((file.json()["hearts"].as_array().unwrap(), expected.len()), (&expected, 2));
    let csv = send(&ada, "export-csv", "", &ids[..6], "/hearts").await;
    assert_eq!((csv.status, csv.html.lines().count()), (200, 6), "{}", csv.html);
    let none = send(&ada, "export-csv", "", &ids[5..6], "/playlists").await;
    assert!(none.flash().unwrap().starts_with("Nothing was exported."));
    assert_eq!(site.count("select count(*) from events where kind = 'exported'").await, 3, "all, and two selections");
}

#[tokio::test]
async fn wrong_selection_changes_nothing_and_says_why() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 3).await;
    let before = read_hearts(&site, "true").await;
    let with = |id: &str| [&ids[..2], &[id.to_owned()]].concat();
    let many: Vec<_> = (0..101).map(|n| format!("{n:022}")).collect();
    for (action, tags, selected, message) in [
        ("remove", "", with("short"), "This is not a playlist id"),
        ("remove", "", with("3cEYpjA9oz9GiPac4AsH4!"), "This is not a playlist id"),
        ("heart", "", many, "Select up to 100 playlists at a time."),
        ("tag", " , ", with(&ids[2]), "Type the tags first"),
        ("tag", &"x".repeat(31), with(&ids[2]), "up to 30 characters"),
        ("untag", "a\nb", with(&ids[2]), "plain text"),
        ("tag", "1,2,3,4,5,6,7,8,9,10,11", with(&ids[2]), "up to 10 tags"),
        ("explode", "", with(&ids[2]), "no such button"),
    ] {
        let page = send(&ada, action, tags, &selected, "/hearts").await;
        let text = page.text("main");
        assert_eq!((page.status, text.contains(message)), (422, true), "{action} {tags}: {text}");
        assert!(text.contains("Nothing was saved."), "{text}");
        let kept = page.attributes("main form input[name=id]", "value");
        assert_eq!(kept, if action.contains("tag") { selected } else { vec![] }, "{action}");
    }
    assert!(send(&ada, "remove", "", &[], "/hearts").await.flash().unwrap().contains("Select at least one"));
    let away = send(&ada, "remove", "", &[], "//elsewhere.example").await;
    assert_eq!(away.url.path(), "/playlists");
    assert_eq!(read_hearts(&site, "true").await, before);
    let body = format!("action=remove&id={}", ids[0]);
    let foreign = [("sec-fetch-site", "cross-site")];
    for path in ["/hearts/bulk", "/hearts/undo"] {
        assert_eq!(ada.request(Method::POST, path, &foreign, Some(body.clone())).await.status, 403);
        let stranger = site.visitor().request(Method::POST, path, &[], Some(body.clone())).await;
        assert!(stranger.header("location").starts_with("/login?next="), "{}", stranger.status);
    }
    assert_eq!(read_hearts(&site, "true").await, before);
}

#[tokio::test]
async fn selection_is_kept_while_its_tags_are_corrected() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 3).await;
    let path = "/hearts?view=list";
    for (action, wrong, right, done) in [
        ("tag", "say \"late\"", "late", "Tags added to 3 hearts."),
        ("untag", &*"x".repeat(31), "late", "Tags removed from 3 hearts."),
    ] {
        let page = submit_selection(&ada, path, action, wrong, &ids[..3]).await;
        assert_eq!((page.status, page.text(".subtitle").as_str()), (422, "3 playlists selected"));
        assert_eq!(page.attribute("#tags[aria-invalid=true]", "value"), wrong);
        let kept = page.attributes("input[type=hidden][name=id]", "value");
        let [action, from] = ["button[name=action]", "input[name=from]"]
            .map(|field| page.attribute(&format!("main form {field}"), "value"));
        let page = send(&ada, &action, right, &kept, &from).await;
        assert_eq!((page.flash().unwrap().as_str(), page.url.query()), (done, Some("view=list")));
    }
    ada.get("/hearts/bulk").await.assert_redirect("/hearts");
}

#[tokio::test]
async fn selection_stops_at_the_limit_of_hearts_and_says_how_many_are_missing() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 1).await;
    let fill = "insert into user_hearts (user_id, playlist_id, hearted_at)
                select user_id, lpad(n::text, 22, '0'), now() - interval '1 day' from user_hearts, generate_series(1, 99997) n";
    sqlx::query(fill).execute(&site.db).await.unwrap();
    let page = submit_selection(&ada, "/playlists", "heart", "", &ids[..6]).await;
    assert_eq!(page.flash().unwrap(), "2 hearts added. Not added: 3, because 100,000 hearts is the limit.");
    assert_eq!(site.count_hearts().await, 100_000);
}

#[tokio::test]
async fn selections_are_limited_by_the_number_of_their_playlists() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let ids: Vec<_> = (0..100).map(|n| format!("{n:022}")).collect();
    for _ in 0..10 {
        assert_eq!(send(&ada, "remove", "", &ids, "/hearts").await.status, 200);
    }
    let refused = send(&ada, "heart", "", &ids, "/hearts").await;
    assert_eq!((refused.status, site.count_hearts().await), (429, 0));
    assert!(refused.text("main").contains("1,000 in ten minutes"), "{}", refused.text("main"));
}

#[tokio::test]
async fn nobody_else_can_undo_a_change() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 3).await;
    let mira = site.sign_in("mira").await;
    let page = submit_selection(&ada, "/hearts", "remove", "", &ids[..3]).await;
    let mira_page = undo(&mira, &page).await;
    assert!(mira_page.flash().unwrap().starts_with("Nothing was undone."));
    assert_eq!(site.count_hearts().await, 0);
    undo(&ada, &page).await;
    assert_eq!(site.count_hearts().await, 3);
}

#[tokio::test]
async fn cleared_note_comes_back_with_undo() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 2).await;
    let before = read_hearts(&site, "true").await;
    let page = ada.annotate(&ids[0], " ", "wet").await;
    assert_eq!(page.flash().unwrap(), "Note cleared.");
    assert_eq!(undo(&ada, &page).await.flash().unwrap(), "Undone for 1 heart.");
    assert_eq!(read_hearts(&site, "true").await, before);
    for (note, tags) in [("Another", ""), ("", "x"), ("", "y")] {
        let page = ada.annotate(&ids[1], note, tags).await;
        assert_eq!(page.has(".flash form"), note.is_empty() && tags == "x", "{note} {tags}");
    }
}

/// A double click sends the form twice, and the page shows the answer to the second.
#[tokio::test]
async fn change_of_nothing_keeps_the_undo_of_the_last_one() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 4).await;
    let page = send(&ada, "remove", "", &ids[..3], "/hearts").await;
    for (action, tags, selected) in
        [("remove", "", &ids[..3]), ("heart", "", &ids[3..4]), ("tag", "x", &ids[..2]), ("untag", "x", &ids[3..4])]
    {
        assert_eq!(send(&ada, action, tags, selected, "/hearts").await.status, 200);
    }
    assert_eq!(annotate_raw(&ada, &ids[0]).await, 404, "a heart that is not there");
    assert_eq!(undo(&ada, &page).await.flash().unwrap(), "Undone for 3 hearts.");
    assert_eq!(site.count_hearts().await, 4);
}

async fn annotate_raw(visitor: &Visitor, id: &str) -> u16 {
    visitor.post(&format!("/hearts/{id}/annotation"), "title=&note=&tags=").await.status
}

#[tokio::test]
async fn concurrent_changes_and_undos_count_once() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 5).await;
    let (one, other) =
        tokio::join!(send(&ada, "remove", "", &ids[..3], "/hearts"), send(&ada, "remove", "", &ids[..3], "/hearts"));
    assert_eq!((one.status, other.status, site.count_hearts().await), (200, 200, 2));
    let change = site.count("select (extract(epoch from max(changed_at)) * 1000000)::bigint from heart_changes").await;
    let undo = async || ada.post("/hearts/undo", &format!("change={change}&from=/hearts")).await.status;
    assert_eq!((tokio::join!(undo(), undo(), undo()), site.count_hearts().await), ((303, 303, 303), 5));
}

#[tokio::test]
async fn copies_of_hearts_end_when_they_are_deleted_for_good() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 4).await;
    send(&ada, "remove", "", &ids[..3], "/hearts").await;
    let copies = async || site.count("select count(*) from heart_changes where note is not null").await;
    let removed = ada.open("/hearts/removed").await;
    let delete = async |id: &str| {
        let form = removed.form(&format!("form[action='/hearts/removed/{id}']:has([value=delete])"));
        ada.submit(form.with("action", "delete")).await
    };
    assert_eq!(copies().await, 2);
    delete(&ids[0]).await;
    assert_eq!((copies().await, site.count("select count(*) from heart_changes").await), (1, 2));
    let all = ada.open("/hearts/removed").await.form("form[action='/hearts/removed']");
    ada.submit(all.with("confirm", "yes")).await;
    assert_eq!(site.count("select count(*) from heart_changes").await, 0);
}

#[tokio::test]
async fn full_heart_is_named_by_its_own_title() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 1).await;
    let form = ada.open(&format!("/hearts/{}/annotation", ids[0])).await.form(".annotation form");
    ada.submit(form.with("title", "Kitchen").with("tags", "1,2,3,4,5,6,7,8,9,10")).await;
    let flash = send(&ada, "tag", "11", &ids[..1], "/hearts").await.flash().unwrap();
    assert!(flash.contains(": Kitchen."), "{flash}");
}

/// Each export is an event of the account, of which a person could write a thousand.
#[tokio::test]
async fn exports_of_selections_are_limited_like_those_of_all_hearts() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, 1).await;
    let mut exported = 0;
    while send(&ada, "export-json", "", &ids[..1], "/hearts").await.status == 200 {
        exported += 1;
        assert!(exported <= 30);
    }
    assert!(exported >= 20, "{exported}");
}

//! Notes and tags of hearts.

use std::time::Duration;

use reqwest::Method;
use sqlx::Executor as _;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::Visitor;

/// Ada with one heart, and its playlist's id.
async fn sign_in_with_heart(site: &Site) -> (Visitor, String) {
    let ada = site.sign_in("ada").await;
    let page = ada.open("/playlists").await;
    let id = page.playlist_ids().remove(0);
    ada.submit(page.form(&format!("form[action='/heart/{id}']"))).await;
    (ada, id)
}

async fn save_annotation(visitor: &Visitor, page: &Page, note: &str, tags: &str) -> Page {
    visitor.submit(page.form(".annotation form").with("note", note).with("tags", tags)).await
}

#[tokio::test]
async fn note_and_tags_are_shown_wherever_the_heart_is() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    let page =
        save_annotation(&ada, &ada.edit_first_heart().await, " For <b>rain</b> ", "Late Night,été, late  night").await;
    assert_eq!(page.flash().unwrap(), "Saved.");
    for path in ["/hearts".to_owned(), "/playlists".into(), format!("/playlists/{id}")] {
        let page = ada.open(&path).await;
        let card = format!("#p-{id}");
        assert_eq!(page.text(&format!("{card} .note")), "For <b>rain</b>", "{path}");
        assert_eq!(page.texts(&format!("{card} .tags a")), ["Late Night", "été"], "{path}: as they were typed");
        let links = page.attributes(&format!("{card} .tags a"), "href");
        let list = if path == "/playlists" { "/playlists" } else { "/hearts" };
        assert_eq!(links, ["tag%3A%22Late+Night%22", "tag%3A%C3%A9t%C3%A9"].map(|tag| format!("{list}?q={tag}")));
    }
    for search in ["tag%3A%22Late+Night%22", "tag%3A%22late+night%22", "tag%3AETE"] {
        assert_eq!(ada.open(&format!("/hearts?q={search}")).await.count("li.card"), 1, "{search}");
    }
    let fields = ada.edit_first_heart().await.form(".annotation form").fields;
    assert_eq!((fields["note"].as_str(), fields["tags"].as_str()), ("For <b>rain</b>", "Late Night, été"));

    let page = save_annotation(&ada, &ada.open(&format!("/playlists/{id}")).await, "", "").await;
    assert_eq!(page.url.path(), format!("/playlists/{id}"), "back to where it was written");
    assert!(!page.has(".note") && !page.has(".tags"));
}

#[tokio::test]
async fn invalid_annotation_is_shown_again_with_reason() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    save_annotation(&ada, &ada.edit_first_heart().await, "Before", "before").await;
    for path in [format!("/hearts?edit={id}"), format!("/playlists/{id}")] {
        let page = save_annotation(&ada, &ada.open(&path).await, &"x".repeat(281), "Kept As Typed").await;
        assert_eq!((page.status, page.has("main .annotation form")), (422, true), "{path}");
        assert_eq!(
            page.attribute("[name=note][aria-invalid]", "aria-describedby"),
            format!("note-error note-limit-{id}")
        );
        let why = page.text("#note-error");
        assert_eq!(why, "A note can have up to 280 characters; this one has 281. Nothing was saved.");
        assert_eq!(page.text(".annotation [name=note]"), "x".repeat(281));
        assert_eq!(page.attribute(".annotation input[name=tags]", "value"), "Kept As Typed");
        assert!(page.text("title").contains("not saved") && !page.has("#tags-error"));
    }
    let tags = (0..11).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let page = save_annotation(&ada, &ada.edit_first_heart().await, "fine", &tags).await;
    assert!(page.status == 422 && page.text("#tags-error").contains("up to 10 tags"));
    let page = save_annotation(&ada, &ada.edit_first_heart().await, "nul\0", "nul\0").await;
    assert!(page.status == 422 && page.has("#note-error") && page.has("#tags-error"));
    assert_eq!(ada.open("/hearts").await.text(".note"), "Before", "nothing was saved");
}

#[tokio::test]
async fn words_saved_since_the_form_was_opened_are_not_overwritten() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    let outdated = [ada.edit_first_heart().await, ada.open(&format!("/playlists/{id}")).await];
    let saved = save_annotation(&ada, &ada.edit_first_heart().await, "First <i>note</i>", "rain, sea").await;
    assert_eq!(saved.flash().unwrap(), "Saved.");
    for page in &outdated {
        let same = save_annotation(&ada, page, "First <i>note</i>", " rain,sea ").await;
        assert_eq!(same.flash().unwrap(), "Saved.", "a form that is sent twice");
        let refused = save_annotation(&ada, page, "Second", "wind").await;
        assert_eq!(refused.status, 409);
        let stored = refused.texts("[role=alert] p");
        assert!(stored[0].starts_with("Nothing was saved"), "{stored:?}");
        assert_eq!(stored[1..], ["Title: none", "Note: First <i>note</i>", "Tags: rain, sea"]);
        assert_eq!(refused.text(".annotation [name=note]"), "Second");
        assert_eq!(refused.attribute(".annotation [name=tags]", "value"), "wind");
        assert_eq!(ada.open("/hearts").await.text(".note"), "First <i>note</i>");

        let invalid = save_annotation(&ada, page, &"x".repeat(281), "wind").await;
        assert!(invalid.status == 409 && invalid.has("#note-error") && invalid.has("[role=alert]"));
        assert_eq!(save_annotation(&ada, &invalid, "Second", "wind").await.flash().unwrap(), "Saved.", "known by now");
        save_annotation(&ada, &ada.edit_first_heart().await, "First <i>note</i>", "rain, sea").await;
    }
    site.db.execute("update user_hearts set tags = '{Rain}', tags_folded = '{rain}'").await.unwrap();
    let page = save_annotation(&ada, &outdated[0], "First <i>note</i>", "rain").await;
    assert_eq!(page.texts("[role=alert] p").last().unwrap(), "Tags: Rain", "a tag was renamed meanwhile");
    let mut of_earlier_release = outdated[1].form(".annotation form").with("note", "Third");
    of_earlier_release.fields.remove("version");
    assert_eq!(ada.submit(of_earlier_release).await.flash().unwrap(), "Saved.");
}

/// The other change has begun before the form is saved, and ends after.
#[tokio::test]
async fn change_that_a_form_waits_for_is_not_overwritten() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_heart(&site).await;
    save_annotation(&ada, &ada.edit_first_heart().await, "First", "rain").await;
    for (note, change) in [
        ("Second", "update user_hearts set tags = '{storm}', tags_folded = '{storm}'"),
        ("Second", "update user_hearts set own_title = 'Title', own_title_folded = 'title'"),
        ("", "update user_hearts set note = 'Other', note_folded = 'other'"),
    ] {
        let form = ada.edit_first_heart().await;
        let mut other = site.db.begin().await.unwrap();
        other.execute(change).await.unwrap();
        let commit = async {
            site.wait_for_blocked_query().await;
            other.commit().await.unwrap();
        };
        let (page, ()) = tokio::join!(save_annotation(&ada, &form, note, "rain"), commit);
        assert_eq!((page.status, page.has("[role=alert]")), (409, true), "{change}");
    }
    let page = ada.open("/hearts").await;
    assert_eq!((page.text(".note"), page.texts(".tags a")), ("Other".to_owned(), vec!["storm".to_owned()]));
}

#[tokio::test]
async fn note_is_a_line_whatever_line_breaks_were_pasted() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_heart(&site).await;
    let note = "\r\none\r\ntwo\nthree\rfour\u{2028}five\u{85}six\tseven\u{b}eight\u{3000}\n";
    let page = save_annotation(&ada, &ada.edit_first_heart().await, note, "").await;
    assert_eq!(page.text(".note"), "one two three four five six seven eight");
    let note: String = sqlx::query_scalar("select note from user_hearts").fetch_one(&site.db).await.unwrap();
    assert_eq!(note, "one two three four five six seven eight");
    let page = save_annotation(&ada, &ada.edit_first_heart().await, &"a\r\n".repeat(140), "").await;
    assert_eq!((page.status, page.text(".note").len()), (200, 279), "a line break is one character");
    assert_eq!(save_annotation(&ada, &ada.edit_first_heart().await, &"a\r\n".repeat(141), "").await.status, 422);
}

#[tokio::test]
async fn form_with_thousands_of_tags_is_refused_unparsed() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_heart(&site).await;
    save_annotation(&ada, &ada.edit_first_heart().await, "", "rain, sea").await;
    let numbers = (0..7000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for tags in [numbers, "١".repeat(10_000), "a,".repeat(15_000)] {
        let page = save_annotation(&ada, &ada.edit_first_heart().await, "", &tags).await;
        let why = page.text("#tags-error");
        assert!(page.status == 422 && why.contains("up to 10 tags of 30 characters"), "{why}");
        assert!(!page.has("datalist"), "each suggestion would repeat the field");
    }
}

#[tokio::test]
async fn nothing_typed_is_cut_and_the_limit_is_counted_in_characters() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    for (note, is_saved) in [("🌊".repeat(280), true), ("🌊".repeat(281), false), ("e\u{301}".repeat(141), false)] {
        let form = ada.open(&format!("/playlists/{id}")).await;
        assert!(!form.has("[maxlength]"), "a browser counts other units and cuts without a word");
        let hint = form.attribute("[name=note]", "aria-describedby");
        assert!(form.text(&format!("#{hint}")).contains("280 characters"));
        assert!(form.text(&format!("#{}", form.attribute("input[name=tags]", "aria-describedby"))).contains("10"));
        let page = save_annotation(&ada, &form, &note, "🌊").await;
        assert_eq!((page.status == 200, page.has("#note-error")), (is_saved, !is_saved));
        assert!(is_saved || page.text("[name=note]") == note);
    }
    for path in ["/playlists", "/hearts", "/account/sharing", "/hearts/import"] {
        assert!(!ada.open(path).await.has("[maxlength]"), "{path}");
    }
    let search = ada.open(&format!("/playlists?q={}", "%F0%9F%8C%8A".repeat(101))).await;
    assert!(search.text("#search-status").contains("first 100 characters"), "{}", search.text("#search-status"));
    assert!(!ada.open("/playlists?q=rain").await.text("#search-status").contains("characters"));
}

#[tokio::test]
async fn tags_are_the_same_by_form_csv_and_json() {
    let site = Site::open().await;
    let (ada, first) = sign_in_with_heart(&site).await;
    for typed in ["雨，夜", "Rain、Été, ete", "🄂，#loud"] {
        let ids = ["A", "B"].map(|letter| letter.repeat(22));
        save_annotation(&ada, &ada.open(&format!("/hearts/{first}/annotation")).await, "", typed).await;
        let csv = format!("id,tags\n{},\"{typed}\"", ids[0]);
        let json = serde_json::json!({"hearts": [{"playlist_id": ids[1], "tags": [typed]}]}).to_string();
        for file in [csv, json] {
            let form = ada.open("/hearts/import").await.form("form.import-form");
            assert_eq!(ada.upload(form, file.as_bytes()).await.import_report(), [1, 0, 0]);
        }
        let rows = "select count(*), count(distinct (tags, tags_folded)), min(cardinality(tags)), max(cardinality(tags_folded))
                    from user_hearts where removed_at is null";
        let rows: (i64, i64, i32, i32) = sqlx::query_as(rows).fetch_one(&site.db).await.unwrap();
        assert_eq!(rows, (3, 1, 2, 2), "{typed}");
        let tags = ada.open("/hearts").await.attributes(".tags a", "href");
        assert_eq!(tags.len(), 6);
        for path in tags {
            assert_eq!(ada.open(&path).await.count("li.card"), 3, "{path}");
        }
        for id in &ids {
            sqlx::query("delete from user_hearts where playlist_id = $1").bind(id).execute(&site.db).await.unwrap();
        }
    }
}

#[tokio::test]
async fn annotation_page_edits_a_heart_whose_playlist_is_unknown() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = "3cEYpjA9oz9GiPac4AsH4n";
    let path = format!("/hearts/{id}/annotation?from=%2Fhearts%3Fsort%3Doldest");
    assert_eq!(ada.get(&path).await.status, 404, "without a heart");
    ada.fetch(reqwest::Method::PUT, &format!("/heart/{id}")).await;
    let page = ada.open(&path).await;
    assert_eq!(
        (page.text("h1").as_str(), page.attribute(".back-link a", "href")),
        ("Title, note and tags", format!("/hearts?sort=oldest#p-{id}"))
    );
    for foreign in ["%2F%2Fevil.example", "javascript:alert(1)", "%00"] {
        let page = ada.open(&format!("/hearts/{id}/annotation?from={foreign}")).await;
        let paths = (page.attribute(".back-link a", "href"), page.attribute("main input[name=from]", "value"));
        assert_eq!(paths, (format!("/hearts#p-{id}"), "/hearts".to_owned()), "{foreign}");
    }
    let refused = ada.submit(page.form(".annotation form").with("note", &"x".repeat(281))).await;
    assert_eq!((refused.status, refused.has("#note-error")), (422, true));
    assert!(refused.has(".annotation form[data-unsaved]") && !page.has("[data-unsaved]"), "asks before it is left");
    let saved = ada.submit(refused.form(".annotation form").with("note", "short")).await;
    assert_eq!((saved.url.query(), saved.text(".note").as_str()), (Some("sort=oldest"), "short"));
}

#[tokio::test]
async fn form_of_a_removed_heart_holds_what_it_has_when_it_is_added_again() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    let path = format!("/playlists/{id}");
    let form = ada.open(&path).await.form(".annotation form");
    ada.submit(form.with("title", "Sunday").with("note", "For the rain").with("tags", "slow, late")).await;
    ada.fetch(Method::DELETE, &format!("/heart/{id}")).await;
    let page = ada.open(&path).await;
    assert!(!page.has(".detail .note, .detail .tags a") && page.text("h1") != "Sunday", "it has no heart now");
    let form = page.form(".annotation form");
    let values = ["title", "note", "tags"].map(|name| form.fields[name].clone());
    assert_eq!(values, ["Sunday", "For the rain", "slow, late"]);
    ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    let page = ada.submit(form.with("tags", "slow, late, third")).await;
    assert_eq!(page.texts(".detail .tags a"), ["slow", "late", "third"]);
    assert_eq!((page.text("h1").as_str(), page.text(".detail .note").as_str()), ("Sunday", "For the rain"));
}

#[tokio::test]
async fn annotations_belong_to_one_user_and_need_a_heart() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    let mira = site.sign_in("mira").await;
    let form = || async { ada.edit_first_heart().await.form(".annotation form").with("note", "mine") };
    let page = mira.send_form(form().await).await;
    assert_eq!((page.status, page.text("h1").as_str()), (404, "Not hearted any more"));
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is null and note is not null").await, 0);
    assert!(page.text("main").contains("Nothing was saved"));
    // The playlist page holds the form even without a heart, hidden until the script shows it.
    let page = mira
        .send_form(mira.open(&format!("/playlists/{id}")).await.form(".annotation form").with("note", "mine"))
        .await;
    assert_eq!((page.status, page.text("h1").as_str()), (404, "Not hearted any more"));
    assert!(page.text("main").contains("Nothing was saved"));
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is null and note is not null").await, 0);
    let stranger = site.visitor().send_form(form().await).await;
    assert_eq!(
        (
            stranger.status,
            site.count("select count(*) from user_hearts where removed_at is null and note is not null").await
        ),
        (303, 0)
    );
    ada.submit(form().await).await;
    mira.request(reqwest::Method::PUT, &format!("/heart/{id}"), &[], None).await;
    assert!(!mira.open("/hearts").await.has(".note"));
}

#[tokio::test]
async fn annotation_outlives_playlist_metadata() {
    let site = Site::open().await;
    let (ada, id) = sign_in_with_heart(&site).await;
    save_annotation(&ada, &ada.edit_first_heart().await, "Still here", "kept").await;
    let name = ada.open("/hearts").await.text("h2 .name");
    site.advance(Duration::from_secs(31 * 24 * 3600));
    site.run_cleanup().await;
    site.spotify.inject_fault(fake_spotify::Endpoint::Playlist, fake_spotify::Fault::Hang, 9);
    let page = ada.open("/hearts").await;
    assert_eq!((page.text(".note").as_str(), page.text("h2 .name")), ("Still here", name));
    let page = ada.open(&format!("/playlists/{id}")).await;
    assert_eq!((page.text(".note").as_str(), page.texts(".tags a")), ("Still here", vec!["kept".to_owned()]));
}

#[tokio::test]
async fn redisplayed_input_has_no_control_characters() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_heart(&site).await;
    let text = "two\u{0}\u{b}\u{85}three";
    let hearts = ada.edit_first_heart().await;
    let words = save_annotation(&ada, &hearts, text, text).await;
    let link = ada.send_form(hearts.form("form.link-form").with("link", text)).await;
    let slug = ada.send_form(ada.open("/account/sharing").await.form("#slug").with("slug", text)).await;
    for (page, field) in [(&words, "note"), (&words, "tags"), (&link, "link"), (&slug, "slug")] {
        let form = page.form(&format!("[name={field}]"));
        assert_eq!((page.status, form.fields[field].as_str()), (422, "two   three"));
    }
    let search = url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    assert_eq!(ada.open(&format!("/hearts?q={search}")).await.attribute("#q", "value"), "two   three");
}

//! The page of all tags: counts, renaming, merging, deleting.

use std::time::Duration;

use futures_util::future::join_all;
use heartlist::domain::text::fold;
use reqwest::Method;

use crate::support::page::{Form, Page};
use crate::support::visitor::Visitor;
use crate::support::{Site, wait_until};

/// Number of statements that wait for the test's lock.
const WAITING: &str =
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

/// Ada with a heart for each list of tags, and the ids of the playlists.
async fn sign_in_with_tags(site: &Site, tags: &[&str]) -> (Visitor, Vec<String>) {
    let ada = site.sign_in("ada").await;
    let mut ids = ada.open("/playlists").await.playlist_ids();
    ids.truncate(tags.len());
    for (id, tags) in ids.iter().zip(tags) {
        add_heart(&ada, id, tags).await;
    }
    (ada, ids)
}

async fn add_heart(visitor: &Visitor, id: &str, tags: &str) {
    visitor.fetch(Method::PUT, &format!("/heart/{id}")).await;
    assert_eq!(visitor.annotate(id, "", tags).await.status, 200);
}

/// The listed tags with their counts, as "rain 3 hearts".
async fn listed(visitor: &Visitor, path: &str) -> Vec<String> {
    let page = visitor.open(path).await;
    page.texts(".tag-list li").into_iter().map(|row| row.split(" Edit ").next().unwrap().to_owned()).collect()
}

/// The form that renames a tag.
async fn rename_form(visitor: &Visitor, tag: &str, to: &str) -> Form {
    edit_page(visitor, tag).await.form("form.link-form").with("to", to)
}

async fn edit_page(visitor: &Visitor, tag: &str) -> Page {
    let tag: String = url::form_urlencoded::byte_serialize(tag.as_bytes()).collect();
    visitor.open(&format!("/tags/edit?tag={tag}")).await
}

/// Tags of a heart, as the database has them; fails if their folded forms differ.
async fn stored_tags(site: &Site, id: &str) -> Vec<String> {
    let row = sqlx::query_as("select tags, tags_folded from user_hearts where playlist_id = $1").bind(id);
    let (tags, folded): (Vec<String>, Vec<String>) = row.fetch_one(&site.db).await.unwrap();
    assert_eq!(tags.iter().map(|tag| fold(tag)).collect::<Vec<_>>(), folded);
    tags
}

#[tokio::test]
async fn tags_are_listed_with_counts_and_as_links() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    assert!(ada.open("/tags").await.has(".empty-state"), "without tags");
    let (ada, ids) = sign_in_with_tags(&site, &["été, Rain", "rain, Late Night", "ETE, rain", "rain", "", ""]).await;
    ada.fetch(Method::DELETE, &format!("/heart/{}", ids[3])).await;
    assert_eq!(listed(&ada, "/tags").await, ["rain 3 hearts", "ETE 2 hearts", "Late Night 1 heart"]);
    assert_eq!(listed(&ada, "/tags?sort=name").await, ["ETE 2 hearts", "Late Night 1 heart", "rain 3 hearts"]);
    let page = ada.open("/tags").await;
    assert_eq!(page.text(".subtitle"), "3 tags, 2 hearts without tags");
    for (link, hearts) in page.attributes(".tag-list .tags a", "href").iter().zip([3, 2, 1]) {
        assert_eq!(ada.open(link).await.count("li.card"), hearts, "{link}");
    }
    assert_eq!(ada.open("/hearts").await.attributes(".import-export a", "href")[0], "/tags");
    site.visitor().get("/tags").await.assert_redirect("/login?next=%2Ftags");
}

#[tokio::test]
async fn renaming_a_tag_changes_every_spelling_and_can_be_undone() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_tags(&site, &["a, Été, b", "ete", "x", "ÉTÉ, y"]).await;
    ada.fetch(Method::DELETE, &format!("/heart/{}", ids[3])).await;
    let page = ada.submit(rename_form(&ada, "ETE", " #Summer  Nights ").await).await;
    assert_eq!((page.url.path(), page.status), ("/tags", 200));
    assert_eq!(page.flash().unwrap(), "Tag renamed: “ete” is now “Summer Nights”.");
    assert_eq!(stored_tags(&site, &ids[0]).await, ["a", "Summer Nights", "b"], "in its place");
    assert_eq!(stored_tags(&site, &ids[1]).await, ["Summer Nights"]);
    assert_eq!(stored_tags(&site, &ids[2]).await, ["x"]);
    assert_eq!(stored_tags(&site, &ids[3]).await, ["Summer Nights", "y"], "a removed heart may come back");
    assert_eq!(ada.open("/hearts?q=tag%3A%22SUMMER+nights%22").await.count("li.card"), 2);
    assert_eq!(ada.open("/hearts?q=tag%3Aete").await.count("li.card"), 0);

    let page = ada.submit(page.form(".flash form")).await;
    assert_eq!(page.flash().unwrap(), "Tag renamed: “Summer Nights” is now “ete”.");
    assert_eq!(stored_tags(&site, &ids[0]).await, ["a", "ete", "b"]);
    assert!(!ada.open("/tags").await.has(".flash"), "shown once");

    let page = ada.submit(rename_form(&ada, "ete", "ÉTÉ").await).await;
    assert_eq!(page.flash().unwrap(), "Tag renamed: “ete” is now “ÉTÉ”.", "another spelling is no other tag");
    assert_eq!(stored_tags(&site, &ids[1]).await, ["ÉTÉ"]);
}

#[tokio::test]
async fn renaming_to_an_existing_tag_asks_before_it_merges() {
    let site = Site::open().await;
    let ten = "rain, weather, 3, 4, 5, 6, 7, 8, 9, 10";
    let (ada, ids) = sign_in_with_tags(&site, &["rain", "Weather", ten]).await;
    let question = ada.submit(rename_form(&ada, "rain", "WEATHER").await).await;
    assert_eq!((question.status, question.text("h1").as_str()), (200, "Merge tags?"));
    let text = question.text("form.stack");
    assert!(text.contains("on 2 hearts") && text.contains("cannot be undone"), "{text}");
    assert_eq!(listed(&ada, "/tags").await[..2], ["rain 2 hearts", "Weather 2 hearts"], "nothing is done yet");

    let merged = ada.submit(question.form("form.stack")).await;
    assert_eq!((merged.flash().unwrap().as_str(), merged.has(".flash form")), ("Tags merged.", false));
    assert_eq!(stored_tags(&site, &ids[0]).await, ["Weather"], "the spelling of the tag that stays");
    assert_eq!(stored_tags(&site, &ids[1]).await, ["Weather"]);
    assert_eq!(stored_tags(&site, &ids[2]).await, ["Weather", "3", "4", "5", "6", "7", "8", "9", "10"]);
    assert_eq!(listed(&ada, "/tags").await[0], "Weather 3 hearts");
}

#[tokio::test]
async fn tag_of_removed_hearts_alone_is_merged_with_after_asking() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_tags(&site, &["rain", "Weather"]).await;
    ada.fetch(Method::DELETE, &format!("/heart/{}", ids[1])).await;
    let question = ada.submit(rename_form(&ada, "rain", "weather").await).await;
    assert_eq!(question.text("h1"), "Merge tags?");
    assert!(question.text("form.stack").contains("“Weather” already, on removed hearts."));
    let merged = ada.submit(question.form("form.stack")).await;
    assert_eq!((merged.flash().unwrap().as_str(), merged.has(".flash form")), ("Tags merged.", false));
    for id in &ids {
        assert_eq!(stored_tags(&site, id).await, ["Weather"]);
    }
}

/// Each update of a heart loses, as against another tab that saves first.
const LOSE_UPDATES: &str = "
    create function lose() returns trigger language plpgsql as 'begin return null; end';
    create trigger lose before update on user_hearts for each row execute function lose()";

#[tokio::test]
async fn change_that_leaves_a_tag_behind_is_an_error() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_tags(&site, &["rain"]).await;
    let rename = rename_form(&ada, "rain", "snow").await;
    let delete = edit_page(&ada, "rain").await.form(".danger-zone form").with("confirm", "yes");
    sqlx::raw_sql(LOSE_UPDATES).execute(&site.db).await.unwrap();
    for form in [rename, delete] {
        let page = ada.send_form(form).await;
        assert_eq!((page.status, page.text("h1").as_str()), (409, "Some hearts still have the tag"));
    }
    assert_eq!(stored_tags(&site, &ids[0]).await, ["rain"]);
}

#[tokio::test]
async fn deleting_a_tag_needs_a_tick_and_keeps_its_hearts() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_tags(&site, &["a, Été, b", "ete"]).await;
    let form = edit_page(&ada, "été").await.form(".danger-zone form");
    let page = ada.submit(form.clone()).await;
    assert!(page.flash().unwrap().starts_with("Nothing was deleted."), "without the tick");
    assert_eq!(stored_tags(&site, &ids[1]).await, ["ete"]);
    let page = ada.submit(form.clone().with("confirm", "yes")).await;
    assert_eq!(page.flash().unwrap(), "Tag deleted. Its hearts stay.");
    assert_eq!(stored_tags(&site, &ids[0]).await, ["a", "b"]);
    assert_eq!((stored_tags(&site, &ids[1]).await.len(), site.count_hearts().await), (0, 2));
    let again = ada.submit(form.with("confirm", "yes")).await;
    assert_eq!((again.status, again.text("h1").as_str()), (404, "No such tag"));
}

#[tokio::test]
async fn invalid_names_are_shown_again_with_the_reason() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_tags(&site, &["rain"]).await;
    let long = "x".repeat(31);
    for (name, reason) in [
        ("", "Type a name"),
        ("a, b", "no comma"),
        (long.as_str(), "up to 30 characters"),
        ("a \"b\"", "without quotation marks"),
    ] {
        let page = ada.submit(rename_form(&ada, "rain", name).await).await;
        assert_eq!((page.status, page.attribute("#name", "value").as_str()), (422, name));
        let error = page.text("#name-error");
        assert!(error.contains(reason) && error.ends_with("Nothing was saved."), "{error}");
        assert!(page.text("title").contains("not renamed"));
    }
    assert_eq!(stored_tags(&site, &ids[0]).await, ["rain"]);
    let missing = ada.send_form(rename_form(&ada, "rain", "x").await.with("tag", "snow")).await;
    assert_eq!((missing.status, missing.text("main").contains("Nothing was saved")), (404, true));
    assert_eq!(ada.get("/tags/edit?tag=snow").await.status, 404);
}

#[tokio::test]
async fn changes_of_tags_touch_own_hearts_alone() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_tags(&site, &["rain"]).await;
    let mira = site.sign_in("mira").await;
    add_heart(&mira, &ids[0], "rain, sun").await;
    ada.submit(rename_form(&ada, "rain", "snow").await).await;
    assert_eq!(listed(&mira, "/tags").await, ["rain 1 heart", "sun 1 heart"]);
    let form = edit_page(&mira, "rain").await.form(".danger-zone form").with("confirm", "yes");
    mira.submit(form.clone()).await;
    assert_eq!(listed(&ada, "/tags").await, ["snow 1 heart"]);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let forged = ada.request(Method::POST, "/tags/delete", &[("sec-fetch-site", "cross-site")], Some(body)).await;
    assert_eq!(forged.status, 403);
    let stranger = site.visitor().send_form(form.with("tag", "snow")).await;
    assert_eq!(stranger.status, 303);
    assert_eq!(listed(&ada, "/tags").await, ["snow 1 heart"]);
}

/// Copies the only heart to that many other playlists; a third of the copies are removed hearts.
async fn multiply_heart(site: &Site, hearts: u32) {
    let more = "insert into user_hearts (user_id, playlist_id, hearted_at, removed_at, tags, tags_folded)
                select user_id, lpad(n::text, 22, '0'), hearted_at, case when n % 3 = 0 then hearted_at end, tags, tags_folded
                from user_hearts, generate_series(1, $1) n";
    sqlx::query(more).bind(hearts as i32).execute(&site.db).await.unwrap();
}

#[tokio::test]
async fn tag_is_changed_on_hundreds_of_hearts_at_once() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_tags(&site, &["a, Rain, b"]).await;
    multiply_heart(&site, 999).await;
    for name in ["RAIN", "sun"] {
        ada.submit(rename_form(&ada, "rain", name).await).await;
        let all: Vec<(Vec<String>, Vec<String>, i64)> =
            sqlx::query_as("select tags, tags_folded, count(*) from user_hearts group by 1, 2")
                .fetch_all(&site.db)
                .await
                .unwrap();
        let [tags, folded] = [["a", name, "b"], ["a", &fold(name), "b"]].map(|tags| tags.map(str::to_owned).to_vec());
        assert_eq!(all, [(tags, folded, 1000)]);
    }
}

/// Attack: one account that changes a tag of many hearts as often as it can.
#[tokio::test]
async fn changes_of_many_hearts_run_one_at_a_time() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_tags(&site, &["rain"]).await;
    let form = rename_form(&ada, "rain", "RAIN").await;
    let mut holding = site.db.begin().await.unwrap();
    sqlx::query("select from user_hearts for update").execute(&mut *holding).await.unwrap();
    let (mut statuses, ()) = tokio::join!(join_all((0..8).map(|_| ada.send_form(form.clone()))), async {
        wait_until("one changes the tag", async || site.count(WAITING).await == 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(site.count(WAITING).await, 1, "the others wait without a connection");
        assert_eq!(ada.get("/account").await.status, 200);
        holding.rollback().await.unwrap();
    });
    statuses.sort_unstable_by_key(|page| page.status);
    let refused = statuses.split_off(4);
    assert!(statuses.iter().all(|page| page.status == 303), "four may run and wait");
    for page in refused {
        assert_eq!((page.status, page.text("h1").as_str()), (429, "One change at a time"));
        assert!(page.text("main").contains("Nothing was saved"), "{}", page.text("main"));
    }
}

/// Attack: one account that changes hearts while others of its changes hold them.
#[tokio::test]
async fn changes_of_a_heart_wait_without_a_connection() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_tags(&site, &["rain"]).await;
    let mut holding = site.db.begin().await.unwrap();
    sqlx::query("select from user_hearts for update").execute(&mut *holding).await.unwrap();
    let path = format!("/heart/{}", ids[0]);
    let (responses, ()) = tokio::join!(join_all((0..12).map(|_| ada.fetch(Method::DELETE, &path))), async {
        wait_until("one removes the heart", async || site.count(WAITING).await == 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(site.count(WAITING).await, 1, "the others wait");
        assert_eq!(ada.get("/account").await.status, 200);
        holding.rollback().await.unwrap();
    });
    assert!(responses.iter().all(|response| response.status == 200));
}

/// Attack: one account with many tags that opens their page as often as it can.
#[tokio::test]
async fn tags_of_one_person_are_counted_one_page_at_a_time() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_tags(&site, &["rain"]).await;
    for path in ["/tags", "/tags/edit?tag=rain"] {
        let mut holding = site.db.begin().await.unwrap();
        sqlx::query("lock table user_hearts").execute(&mut *holding).await.unwrap();
        let (mut pages, ()) = tokio::join!(join_all((0..8).map(|_| ada.get(path))), async {
            wait_until("tags are counted", async || site.count(WAITING).await == 1).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(site.count(WAITING).await, 1, "the others wait without a connection");
            holding.rollback().await.unwrap();
        });
        pages.sort_unstable_by_key(|page| page.status);
        let refused = pages.split_off(4);
        assert!(pages.iter().all(|page| page.status == 200), "four may run and wait: {path}");
        assert!(refused.iter().all(|page| page.status == 503), "{path}");
        assert_eq!(refused[0].text("h1"), "Counting took too long");
    }
}

/// Hearts that searches read slowly, and all other statements as ever.
const SLOW_SEARCHES: &str = "
    alter table user_hearts rename to stored_hearts;
    create view user_hearts as select * from stored_hearts
        where current_setting('statement_timeout') <> '2s' or pg_sleep(3) is not null";

#[tokio::test]
async fn pages_open_without_tags_that_take_too_long_to_count() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_tags(&site, &["rain"]).await;
    assert_eq!(ada.get("/hearts").await.texts(".filters .is-tag"), ["rain"]);
    sqlx::raw_sql("update user_hearts set tags = '{sun}', tags_folded = '{sun}'").execute(&site.db).await.unwrap();
    site.advance(Duration::from_secs(8 * 86400));
    sqlx::raw_sql(SLOW_SEARCHES).execute(&site.db).await.unwrap();
    let page = ada.get("/hearts").await;
    assert_eq!((page.status, page.count("li.card")), (200, 1), "it counts neither tags nor stale hearts");
    assert!(!page.has(".filters .is-tag"));
    let page = ada.get("/tags").await;
    assert_eq!((page.status, page.text("h1").as_str()), (503, "Counting took too long"));
}

#[tokio::test]
async fn changes_of_tags_are_limited() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_tags(&site, &["rain"]).await;
    site.freeze_clock();
    let form = rename_form(&ada, "rain", "rain").await;
    for _ in 0..30 {
        assert_eq!(ada.send_form(form.clone()).await.status, 303);
    }
    let page = ada.send_form(form).await;
    assert_eq!((page.status, page.text("main").contains("changes of tags")), (429, true), "{}", page.text("main"));
}

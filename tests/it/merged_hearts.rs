//! What a heart keeps of two accounts that are merged.

use fake_spotify::OtherProvider;
use reqwest::Method;
use time::OffsetDateTime;

use crate::support::account_merge::merge_ids;
use crate::support::page::Page;
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site};

async fn create_account(site: &Site) -> i64 {
    let query = "insert into users (display_name, created_at) values ('', now()) returning id";
    sqlx::query_scalar(query).fetch_one(&site.db).await.unwrap()
}

/// A heart of which all texts are the same.
struct HeartOf {
    text: Option<&'static str>,
    is_removed: bool,
}

const ADD_HEART: &str = "
    insert into user_hearts (user_id, playlist_id, hearted_at, title, title_folded, own_title, own_title_folded, note,
                             note_folded, snapshot_id, removed_at, gone_at)
    values ($1, '3cEYpjA9oz9GiPac4AsH4n', now(), $2, $2, $2, $2, $2, $2, $2, case when $3 then now() end,
            case when $3 then now() end)
    on conflict (user_id, playlist_id) do update
    set title = $2, title_folded = $2, own_title = $2, own_title_folded = $2, note = $2, note_folded = $2,
        snapshot_id = $2, removed_at = excluded.removed_at, gone_at = excluded.gone_at";

const READ_HEART: &str = "
    select array[title, title_folded, own_title, own_title_folded, note, note_folded], snapshot_id,
           gone_at is not null from user_hearts";

#[tokio::test]
async fn texts_of_a_standing_heart_replace_those_of_a_removed_one() {
    let standing = |text| HeartOf { text, is_removed: false };
    let removed = |text| HeartOf { text, is_removed: true };
    let (older, newer) = (Some("older"), Some("newer"));
    let site = Site::open().await;
    let into = create_account(&site).await;
    for (name, hearts, texts, snapshot, is_gone) in [
        ("both stand", [standing(older), standing(newer)], older, older, false),
        ("older removed", [removed(older), standing(newer)], newer, newer, false),
        ("newer removed", [standing(older), removed(newer)], older, older, false),
        ("both removed", [removed(older), removed(newer)], older, older, true),
        ("older removed, newer without texts", [removed(older), standing(None)], older, None, false),
        ("older without texts, newer removed", [standing(None), removed(newer)], newer, None, false),
    ] {
        let from = create_account(&site).await;
        for (user, heart) in [into, from].into_iter().zip(hearts) {
            let query = sqlx::query(ADD_HEART).bind(user).bind(heart.text).bind(heart.is_removed);
            query.execute(&site.db).await.unwrap();
        }
        merge_ids(&site, [into, from]).await;
        let row: (Vec<Option<String>>, Option<String>, bool) =
            sqlx::query_as(READ_HEART).fetch_one(&site.db).await.unwrap();
        let expected = (vec![texts.map(str::to_owned); 6], snapshot.map(str::to_owned), is_gone);
        assert_eq!(row, expected, "{name}");
    }
}

async fn annotate(visitor: &Visitor, note: &str, tags: &[String]) -> Page {
    visitor.annotate(HEART.trim_start_matches("/heart/"), note, &tags.join(", ")).await
}

/// A merge keeps all tags, which can be more than anybody types at once.
#[tokio::test]
async fn heart_with_the_tags_of_both_is_edited_exported_and_imported() {
    let site = Site::open().await;
    let tags: Vec<_> = (10..30).map(|number| format!("{number}{}", "😀".repeat(28))).collect();
    let ada = site.visitor();
    for (visitor, provider, tags) in
        [(&ada, OtherProvider::Google, &tags[..10]), (&site.visitor(), OtherProvider::GitHub, &tags[10..])]
    {
        visitor.sign_in_with(&site.spotify, provider, "ada").await;
        visitor.fetch(Method::PUT, HEART).await;
        assert_eq!(annotate(visitor, "", tags).await.status, 200);
    }
    let users: Vec<i64> = sqlx::query_scalar("select id from users order by id").fetch_all(&site.db).await.unwrap();
    merge_ids(&site, [users[0], users[1]]).await;

    let stored = async || -> (Option<String>, Vec<String>, OffsetDateTime) {
        sqlx::query_as("select note, tags, hearted_at from user_hearts").fetch_one(&site.db).await.unwrap()
    };
    assert_eq!(annotate(&ada, "edited", &tags).await.status, 200);
    let heart = stored().await;
    assert_eq!((heart.0.as_deref(), &heart.1), (Some("edited"), &tags));
    for format in ["csv", "json"] {
        let file = ada.open(&format!("/hearts/export.{format}")).await.html;
        sqlx::query("delete from user_hearts").execute(&site.db).await.unwrap();
        let form = ada.open("/hearts/import").await.form("form.import-form");
        assert_eq!(ada.upload(form, file.as_bytes()).await.import_report(), [1, 0, 0], "{format}");
        assert_eq!(stored().await, heart, "{format}");
    }

    let more = [&tags[..], &["more".to_owned()]].concat();
    let refused = annotate(&ada, "", &more).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text("main").contains("A heart can have up to 20 tags"), "{}", refused.text("main"));
    assert_eq!(annotate(&ada, "", &tags[1..]).await.status, 200);
    assert_eq!(annotate(&ada, "", &tags).await.status, 422, "it can lose some, but not get them again");
}

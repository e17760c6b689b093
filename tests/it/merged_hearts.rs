//! What a heart keeps of two accounts that are merged.

use heartlist::db::account_merge::{Merge, merge};
use heartlist::ids::UserId;
use time::OffsetDateTime;

use crate::support::Site;

async fn create_account(site: &Site) -> i64 {
    let query = "insert into users (display_name, created_at) values ('', now()) returning id";
    sqlx::query_scalar(query).fetch_one(&site.db).await.unwrap()
}

async fn merge_accounts(site: &Site, [into, from]: [i64; 2]) {
    let accounts = Merge { from: UserId(from), into: UserId(into), reseal: &|_| None };
    assert!(merge(&site.pool(1), accounts, OffsetDateTime::UNIX_EPOCH).await.unwrap());
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
        merge_accounts(&site, [into, from]).await;
        let row: (Vec<Option<String>>, Option<String>, bool) =
            sqlx::query_as(READ_HEART).fetch_one(&site.db).await.unwrap();
        let expected = (vec![texts.map(str::to_owned); 6], snapshot.map(str::to_owned), is_gone);
        assert_eq!(row, expected, "{name}");
    }
}

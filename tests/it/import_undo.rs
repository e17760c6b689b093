//! Taking the last import back.

use std::time::Duration;

use fake_spotify::OtherProvider;
use reqwest::Method;

use crate::support::Site;
use crate::support::account_merge::merge_ids;
use crate::support::page::{Form, Page};
use crate::support::rows::{read_hearts, without_removal_times};
use crate::support::visitor::Visitor;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn id(n: usize) -> String {
    format!("{n:022}")
}

async fn import(visitor: &Visitor, ids: impl Iterator<Item = usize>, more: &str) -> Page {
    let lines: String = ids.map(|n| format!("{},2020-01-02,{more}\n", id(n))).collect();
    let form = visitor.open("/hearts/import").await.form("form.import-form");
    let page = visitor.upload(form, format!("playlist_id,hearted_at,note,tags\n{lines}").as_bytes()).await;
    assert_eq!(page.status, 200, "{}", page.html);
    page
}

async fn undo_form(visitor: &Visitor) -> Form {
    visitor.open("/hearts/import").await.form("form[action='/hearts/import/undo']")
}

#[tokio::test]
async fn import_is_taken_back_but_for_what_was_changed_since() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    assert!(!ada.open("/hearts/import").await.has("#last-import"));
    for n in [1, 2] {
        ada.fetch(Method::PUT, &format!("/heart/{}", id(n))).await;
        assert_eq!(ada.annotate(&id(n), "Mine", "own, Été").await.status, 200);
    }
    ada.fetch(Method::DELETE, &format!("/heart/{}", id(2))).await;
    let before = read_hearts(&site, "true").await;
    assert_eq!(import(&ada, 1..=8, "From the file,\"ÉTÉ, new\"").await.import_report(), [7, 1, 0]);
    let [imported] = &read_hearts(&site, "playlist_id like '%02'").await[..] else { panic!() };
    assert_eq!(
        (imported.2.as_deref(), imported.3.as_deref()),
        (None, Some("From the file")),
        "it replaced a removed one"
    );
    // What the owner did since, each in another way.
    assert_eq!(ada.annotate(&id(3), "Mine", "ÉTÉ, new").await.status, 200);
    assert_eq!(ada.annotate(&id(4), "From the file", "ÉTÉ").await.status, 200);
    ada.fetch(Method::DELETE, &format!("/heart/{}", id(5))).await;
    site.advance(29 * DAY);
    let changed = read_hearts(&site, "playlist_id ~ '0[345]$'").await;
    let page = ada.open("/hearts/import").await;
    assert!(
        page.text("section.last-import > p").contains(": 7 hearts added."),
        "{}",
        page.text("section.last-import > p")
    );
    let page = ada.submit(page.form("form[action='/hearts/import/undo']")).await;
    assert_eq!(
        page.flash().unwrap(),
        "The import is taken back: 4 hearts. What it added is under Recently removed for 30 days. \
         3 hearts were changed since, and stay as they are."
    );
    assert!(!page.has("#last-import"), "only once");
    let after = read_hearts(&site, "playlist_id ~ '0[12]$'").await;
    assert_eq!(without_removal_times(after), without_removal_times(before), "with date, note and tags of before");
    assert_eq!(read_hearts(&site, "playlist_id ~ '0[345]$'").await, changed);
    let removed = read_hearts(&site, "playlist_id ~ '0[678]$'").await;
    assert!(removed.len() == 3 && removed.iter().all(|heart| heart.2.is_some()));
    assert_eq!(import(&ada, 6..=8, ",").await.import_report(), [3, 0, 0], "and it can be imported again");
    site.advance(29 * DAY);
    site.run_cleanup().await;
    let removed = ada.open("/hearts/removed").await;
    assert!(removed.playlist_ids().contains(&id(2)), "removed before the import, and again by the undo");
    assert_eq!(ada.submit(removed.form(&format!("form[action='/hearts/removed/{}']", id(2)))).await.status, 200);
    assert_eq!(read_hearts(&site, "playlist_id ~ '02$' and note = 'Mine' and removed_at is null").await.len(), 1);
}

/// A press while a file is imported is not the import's, which meets it only when it adds the heart.
#[tokio::test]
async fn heart_that_is_pressed_during_an_import_outlives_its_undo() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mut press = site.db.begin().await.unwrap();
    let add = "insert into user_hearts (user_id, playlist_id, hearted_at) select id, $1, now() from users";
    sqlx::query(add).bind(id(2)).execute(&mut *press).await.unwrap();
    let commit = async {
        site.wait_for_blocked_query().await;
        press.commit().await.unwrap();
    };
    let (page, ()) = tokio::join!(import(&ada, 1..=3, "From the file,"), commit);
    assert_eq!(page.import_report()[0], 2);
    let undone = ada.submit(undo_form(&ada).await).await.flash().unwrap();
    assert!(undone.starts_with("The import is taken back: 2 hearts."), "{undone}");
    assert_eq!(read_hearts(&site, "removed_at is null and playlist_id ~ '02$' and note is null").await.len(), 1);
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn import_can_be_taken_back_for_thirty_days() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    import(&ada, 1..=3, ",").await;
    let form = undo_form(&ada).await;
    site.advance(31 * DAY);
    assert!(!ada.open("/hearts/import").await.has("#last-import"));
    assert!(ada.submit(form).await.flash().unwrap().starts_with("Nothing was undone."));
    assert_eq!(site.count_hearts().await, 3);
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from heart_changes").await, 0);
}

#[tokio::test]
async fn import_that_adds_nothing_leaves_the_last_one() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    import(&ada, 1..=3, ",").await;
    let first = undo_form(&ada).await;
    assert_eq!(import(&ada, 1..=3, ",").await.import_report(), [0, 3, 0]);
    ada.post("/hearts/bulk", &format!("action=remove&id={}", id(9))).await;
    assert_eq!(undo_form(&ada).await.fields, first.fields);
    assert_eq!(import(&ada, 3..=5, ",").await.import_report(), [2, 1, 0]);
    assert!(ada.submit(first).await.flash().unwrap().starts_with("Nothing was undone."), "a form of before");
    let mira = site.sign_in("mira").await;
    let form = undo_form(&ada).await;
    assert!(mira.submit(form.clone()).await.flash().unwrap().starts_with("Nothing was undone."), "somebody else's");
    ada.submit(form).await;
    assert_eq!(site.count_hearts().await, 3, "the last import alone");
}

/// The hearts of both accounts are one afterwards: an import of before must not take away what the other one had.
#[tokio::test]
async fn import_is_final_once_accounts_are_merged() {
    let site = Site::open().await;
    let [ada, other] = [site.visitor(), site.visitor()];
    ada.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    other.sign_in_with(&site.spotify, OtherProvider::GitHub, "mira").await;
    import(&ada, 1..=3, ",").await;
    import(&other, 3..=4, ",").await;
    let form = undo_form(&ada).await;
    let ids: Vec<i64> = sqlx::query_scalar("select id from users order by id").fetch_all(&site.db).await.unwrap();
    merge_ids(&site, [ids[0], ids[1]]).await;
    assert_eq!((site.count_hearts().await, site.count("select count(*) from heart_changes").await), (4, 0));
    assert!(ada.submit(form).await.flash().unwrap().starts_with("Nothing was undone."));
    assert_eq!(site.count_hearts().await, 4);
}

#[tokio::test]
async fn largest_import_is_taken_back_and_its_record_ends_with_the_account() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    assert_eq!(import(&ada, 1..=50_000, "A note,\"rain, late night\"").await.import_report(), [50_000, 0, 0]);
    let flash = ada.submit(undo_form(&ada).await).await.flash().unwrap();
    assert!(flash.starts_with("The import is taken back: 50,000 hearts."), "{flash}");
    assert_eq!(site.count_hearts().await, 0);
    import(&ada, 1..=10, ",").await;
    ada.submit(ada.open("/account/delete").await.form("form[action='/account/delete']").with("confirm", "yes")).await;
    assert_eq!((site.count_users().await, site.count("select count(*) from heart_changes").await), (0, 0));
}

#[tokio::test]
async fn refused_file_leaves_the_last_import_to_be_taken_back() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    import(&ada, 1..=3, ",").await;
    let form = ada.open("/hearts/import").await.form("form.import-form");
    let refused = ada.upload(form, b"nothing of this is a playlist").await;
    assert_eq!((refused.status, refused.text("title").as_str()), (422, "Import – not imported – Heartlist"));
    let undone = ada.submit(refused.form("form[action='/hearts/import/undo']")).await;
    assert!(undone.flash().unwrap().starts_with("The import is taken back: 3 hearts."));
}

/// Attack: what is taken back stays for 30 days, so importing and taking back by turns fills the disk.
#[tokio::test]
async fn removed_hearts_count_when_a_file_is_imported() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let fill = "insert into user_hearts (user_id, playlist_id, hearted_at, removed_at)
                select id, lpad((n + 1000)::text, 22, '0'), now(), now() from users, generate_series(1, 199997) n";
    sqlx::raw_sql(fill).execute(&site.db).await.unwrap();
    let form = ada.open("/hearts/import").await.form("form.import-form");
    let lines: String = (1..=4).map(|n| format!("{}\n", id(n))).collect();
    let refused = ada.upload(form, lines.as_bytes()).await;
    assert_eq!((refused.status, site.count_hearts().await), (422, 0));
    assert!(refused.text("main").contains("Recently removed"), "{}", refused.text("main"));
    assert_eq!(import(&ada, 1..=3, ",").await.import_report(), [3, 0, 0]);
    assert_eq!(import(&ada, 1001..=1002, ",").await.import_report(), [2, 0, 0], "what is restored takes no room");
}

//! The activity list of an account.

use std::time::Duration;

use fake_spotify::OtherProvider;

use crate::support::Site;

#[tokio::test]
async fn account_page_lists_own_events_newest_first() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.advance(Duration::from_secs(60));
    let _other_browser = site.sign_in("ada").await;
    site.advance(Duration::from_secs(60));
    ada.submit(ada.open("/account").await.form("#sessions > form")).await;
    let mira = site.sign_in("mira").await;
    let lines = ada.open("/account").await.texts("#activity li");
    let begins = ["Signed out everywhere else", "Signed in with Spotify", "Joined with Spotify"];
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin) && line.contains("UTC"), "{lines:?}");
    }
    assert_eq!(mira.open("/account").await.count("#activity li"), 1, "Mira sees hers alone");
}

#[tokio::test]
async fn exports_imports_and_identity_changes_are_recorded() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.link_identity(&site.spotify, OtherProvider::GitHub, "ada").await;
    ada.open("/hearts/export.csv").await;
    let file = format!("id\n{}", "1".repeat(22));
    ada.open("/hearts/export.json").await;
    let form = ada.open("/hearts/import").await.form("form.import-form");
    ada.upload(form, file.as_bytes()).await;
    ada.submit(ada.open("/account/identities/github").await.form("main form")).await;
    let kinds: Vec<String> =
        sqlx::query_scalar("select kind from events order by id").fetch_all(&site.db).await.unwrap();
    assert_eq!(kinds, ["joined", "linked", "exported", "exported", "imported", "unlinked"]);
    let lines = ada.open("/account").await.texts("#activity li");
    assert!(lines[0].starts_with("Unlinked GitHub") && lines[4].starts_with("Linked GitHub"), "{lines:?}");
}

#[tokio::test]
async fn activity_shows_twenty_events_then_pages_of_fifty() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    assert!(!ada.open("/account").await.has("a[href='/account/activity']"));
    sqlx::query(
        "insert into events (user_id, at, kind, device)
         select u.id, now() - n * interval '1 hour', 'exported', 'Device ' || n from users u, generate_series(1, 60) n",
    )
    .execute(&site.db)
    .await
    .unwrap();
    let account = ada.open("/account").await;
    assert_eq!((account.count("#activity li"), account.count("a[href='/account/activity']")), (20, 1));
    let first = ada.open("/account/activity").await;
    let second = ada.open(&first.attribute("a[rel=next]", "href")).await;
    assert_eq!((first.count("main ol li"), second.count("main ol li")), (50, 11));
    assert!(second.texts("main ol li").last().unwrap().contains("Device 60"));
    assert_eq!(site.visitor().get("/account/activity").await.status, 303);
}

#[tokio::test]
async fn events_are_deleted_after_a_year() {
    let site = Site::open().await;
    site.sign_in("ada").await;
    site.advance(Duration::from_secs(364 * 86400));
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from events").await, 1);
    site.advance(Duration::from_secs(2 * 86400));
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from events").await, 0);
}

//! Every kind of statement on a Citus cluster. Runs only if TEST_DATABASE_URL names the cluster's coordinator; any
//! other test can be run there by name.

use std::time::Duration;

use fake_spotify::OtherProvider;
use heartlist::db::distribution;
use reqwest::Method;
use sqlx::AssertSqlSafe;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::postgres::find_cluster;
use crate::support::rows::USER_ID_COLUMNS;
use crate::support::sharing::{create_secret_link, publish_page_at, set_option, share_tag};
use crate::support::statements::read_statements;
use crate::support::visitor::{Visitor, approve};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// True if the tests run on a cluster; prints a line otherwise.
async fn has_cluster() -> bool {
    let found = find_cluster().await.is_some();
    if !found {
        eprintln!("skipped: TEST_DATABASE_URL does not name the coordinator of a Citus cluster");
    }
    found
}

#[tokio::test]
async fn whole_visit_works_on_citus_cluster() {
    if !has_cluster().await {
        return;
    }
    let site = Site::open_with(&[("TITLE_DAYS", "30")]).await;
    let ada = site.sign_in("ada").await;
    use_hearts(&site, &ada).await;
    use_annotations_and_search(&site, &ada).await;
    use_own_titles_and_renewal(&site, &ada).await;
    use_pins_and_displays(&site, &ada).await;
    use_selections(&site, &ada).await;
    use_top_list(&site, &ada).await;
    use_news(&site, &ada).await;
    use_sharing(&site, &ada).await;
    use_import_and_export(&site, &ada).await;
    undo_import(&site, &ada).await;
    use_sessions(&site).await;
    merge_accounts(&site).await;
    clean_up(&site).await;
    let ada = site.sign_in("ada").await;
    sqlx::raw_sql("update shares set taken_down_at = now()").execute(&site.db).await.unwrap();
    let form = sign_in_again(&ada).await.form("form[action='/account/delete']").with("confirm", "yes");
    let deleted = ada.submit(form).await;
    assert_eq!((deleted.status, deleted.text("h1").as_str()), (200, "After an account is deleted"));
    assert_no_orphaned_rows(&site).await;
    assert_eq!(site.count("select count(*) from sharing_bans").await, 2, "of both identities");
    site.sign_in("ada").await;
    assert_eq!(site.count("select count(*) from shares where taken_down_at is not null").await, 1);
}

/// Returns the page that asked for it.
async fn sign_in_again(visitor: &Visitor) -> Page {
    let form = visitor.open("/account/delete").await.form("form[action='/auth/spotify']:has([name=reason])");
    visitor.submit(approve(&visitor.submit(form).await, "ada")).await
}

/// On the cluster, local tables of the coordinator have no foreign keys to `users`, so nothing cascades.
async fn assert_no_orphaned_rows(site: &Site) {
    let columns: Vec<String> = sqlx::query_scalar(USER_ID_COLUMNS).fetch_all(&site.db).await.unwrap();
    assert!(columns.len() >= 9, "{columns:?}");
    for column in columns {
        let (table, name) = column.split_once('.').unwrap();
        let query = AssertSqlSafe(format!("select count(*) from {table} where {name} not in (select id from users)"));
        let left: i64 = sqlx::query_scalar(query).fetch_one(&site.db).await.unwrap();
        assert_eq!(left, 0, "{column}");
    }
}

async fn use_hearts(site: &Site, ada: &Visitor) {
    let ids = ada.open("/playlists").await.playlist_ids();
    for id in &ids[..3] {
        assert_eq!(ada.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200);
        assert_eq!(ada.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200);
    }
    assert_eq!(ada.open("/playlists").await.count(".heart [aria-pressed=true]"), 3);
    assert_eq!(ada.fetch(Method::DELETE, &format!("/heart/{}", ids[0])).await.status, 200);
    assert_eq!(ada.open("/hearts").await.count("li.card"), 2);
    let removed = ada.open("/hearts/removed").await;
    assert_eq!(removed.playlist_ids(), [ids[0].clone()]);
    ada.submit(removed.form("button[value=restore]")).await;
    assert_eq!(ada.open("/hearts").await.count("li.card"), 3);
    ada.fetch(Method::DELETE, &format!("/heart/{}", ids[2])).await;
    ada.submit(ada.open("/hearts/removed").await.form("button[value=delete]").with("action", "delete")).await;
    assert_eq!(site.count("select count(*) from user_hearts").await, 2);
    assert_eq!(ada.open(&format!("/playlists/{}", ids[0])).await.status, 200);
    let link = ada.open("/hearts").await.form("form.link-form").with("link", "3cEYpjA9oz9GiPac4AsH4n");
    assert!([200, 422].contains(&ada.submit(link).await.status));
}

async fn use_annotations_and_search(site: &Site, ada: &Visitor) {
    let form =
        ada.edit_first_heart().await.form(".annotation form").with("note", "For the rain").with("tags", "wet, late");
    assert_eq!(ada.submit(form).await.flash().unwrap(), "Saved.");
    for path in ["/hearts?q=rain", "/hearts?q=tag%3Awet&sort=name", "/playlists?q=is%3Ahearted+tag%3Alate&sort=size"] {
        assert_eq!(ada.open(path).await.count("li.card"), 1, "{path}");
    }
    let rename = ada.open("/tags/edit?tag=wet").await.form("form.link-form").with("to", "damp");
    assert!(ada.submit(rename).await.flash().unwrap().starts_with("Tag renamed"));
    for path in ["/hearts?q=damp+-tag%3Awet+-is%3Auntagged", "/playlists?q=damp+-is%3Agone+-is%3Achanged&sort=name"] {
        assert_eq!(ada.open(path).await.count("li.card"), 1, "{path}");
    }
    for path in ["/playlists?q=owner%3Ame", "/hearts?q=public%3Atrue&sort=oldest", "/playlists?sort=owner&page=1-2"] {
        assert_eq!(ada.open(path).await.status, 200, "{path}");
    }
    site.advance(Duration::from_secs(700));
    assert_eq!(ada.open("/playlists").await.status, 200, "the library is fetched again");
    assert_eq!(site.count("select count(*) from user_hearts where title is null").await, 0, "hearts have titles");
}

async fn use_own_titles_and_renewal(site: &Site, ada: &Visitor) {
    let title = async |title: &str| {
        let form = ada.edit_first_heart().await.form(".annotation form").with("title", title);
        assert_eq!(ada.submit(form).await.flash().unwrap(), "Saved.");
        ada.open("/hearts?q=k%C3%BCche&sort=name").await.count("li.card")
    };
    assert_eq!((title("Küche").await, title("").await), (1, 0));
    let body = "max_age=day&from=/hearts";
    sqlx::raw_sql("update playlists set seen_at = timestamptz '2026-01-01'").execute(&site.db).await.unwrap();
    assert_eq!(ada.post("/hearts/renew", body).await.status, 303);
    let flash = ada.open("/hearts").await.flash().unwrap();
    assert!(flash.contains("renewed") || flash.contains("up to date"), "{flash}");
}

async fn use_pins_and_displays(site: &Site, ada: &Visitor) {
    let ids = ada.open("/hearts").await.playlist_ids();
    let set_pin = async |id: &str, pinned: bool| {
        let body = format!("pinned={pinned}&from=/hearts");
        ada.post(&format!("/hearts/{id}/pin"), &body).await.status
    };
    let last = ids.last().unwrap();
    assert_eq!((set_pin(last, true).await, &ada.open("/hearts").await.playlist_ids()[0]), (303, last));
    let removed = "insert into user_hearts (user_id, playlist_id, hearted_at, removed_at, pin)
                   select user_id, lpad(n::text, 22, '9'), now(), now(), n
                   from user_hearts, generate_series(2, 4) n where pin = 1";
    sqlx::raw_sql(removed).execute(&site.db).await.unwrap();
    assert_eq!(set_pin(&ids[0], true).await, 303, "a removed one gives its pin up");
    assert_eq!(ada.open("/hearts?sort=name&dir=reverse").await.count(".facts .pinned"), 2);
    for id in [last, &ids[0]] {
        assert_eq!(set_pin(id, false).await, 303);
    }
    let displays = async || site.count("select count(*) from users where displays is not null").await;
    for (choice, remembered) in [("sort=name&dir=reverse&view=list", 1), ("sort=usual&dir=usual&view=grid", 0)] {
        let body = format!("from=/hearts&{choice}");
        assert_eq!(ada.post("/display/hearts", &body).await.status, 303);
        assert_eq!(displays().await, remembered, "{choice}");
    }
    for path in ["/hearts/random", "/playlists/random?q=-nowhere"] {
        assert!(ada.get(path).await.header("location").starts_with("/playlists/"), "{path}");
    }
}

async fn use_selections(site: &Site, ada: &Visitor) {
    let hearts = ada.open("/hearts").await.playlist_ids();
    let mut others = ada.open("/playlists").await.playlist_ids();
    others.retain(|id| !hearts.contains(id));
    let send = async |action: &str, ids: &[String]| {
        let ids: String = ids.iter().map(|id| format!("&id={id}")).collect();
        let body = format!("from=/hearts&tags=bulk&action={action}{ids}");
        ada.post("/hearts/bulk", &body).await.status
    };
    let count = async || site.count("select count(*) from user_hearts where removed_at is null").await;
    let before = count().await;
    for (action, ids, after) in
        [("heart", &others[..2], before + 2), ("tag", &hearts[..], before), ("remove", &hearts[..2], before - 2)]
    {
        // Twice at once, as by a double click.
        assert_eq!(tokio::join!(send(action, ids), send(action, ids)), (303, 303), "{action}");
        assert_eq!(count().await, after, "{action}");
        let change = "select (extract(epoch from max(changed_at)) * 1000000)::bigint from heart_changes";
        let body = format!("change={}&from=/hearts", site.count(change).await);
        let undo = async || ada.post("/hearts/undo", &body).await.status;
        assert_eq!((tokio::join!(undo(), undo()), count().await), ((303, 303), before), "{action}");
    }
    assert_eq!(ada.open("/hearts?q=tag%3Abulk").await.count("li.card"), 0);
    send("remove", &hearts[..1]).await;
    ada.submit(ada.open("/hearts/removed").await.form("button[value=restore]")).await;
    send("remove", &others[..1]).await;
    delete_for_good(site, ada).await;
    assert_eq!(count().await, before);
}

async fn delete_for_good(site: &Site, ada: &Visitor) {
    let form = ada.open("/hearts/removed").await.form("form[action='/hearts/removed']").with("confirm", "yes");
    ada.submit(form).await;
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is not null").await, 0);
}

async fn use_top_list(site: &Site, ada: &Visitor) {
    let public = ada.open("/playlists?q=public%3Atrue").await.playlist_ids().remove(0);
    for key in ["ada", "mira", "noor"] {
        site.sign_in(key).await.fetch(Method::PUT, &format!("/heart/{public}")).await;
    }
    site.force_top_refresh().await;
    for visitor in [&site.visitor(), ada] {
        assert_eq!(visitor.get("/top").await.playlist_ids(), *std::slice::from_ref(&public));
    }
    assert_eq!(ada.open(&format!("/playlists/{public}")).await.text("[data-heart-count]"), "3");
    assert!(site.visitor().get("/metrics").await.html.contains("heartlist_hearts "));
}

async fn use_news(site: &Site, ada: &Visitor) {
    let id = ada.open("/playlists?q=is%3Ahearted").await.playlist_ids().remove(0);
    for _ in 0..2 {
        site.spotify.add_song(&id);
        site.advance(DAY);
        ada.open("/playlists").await;
    }
    assert!(ada.open("/hearts/news").await.texts(".events li").iter().any(|news| news.contains("Updated")));
    ada.submit(ada.open("/hearts/news/feed").await.form("form:has([name=on][value=true])")).await;
    let feed = ada.open("/hearts/news/feed").await.attribute("a.copy-value[href$='atom.xml']", "href");
    assert_eq!(site.visitor().get(&feed[feed.find("/n/").unwrap()..]).await.status, 200);
}

async fn use_sharing(site: &Site, ada: &Visitor) {
    publish_page_at(ada, "ada").await;
    let page = site.visitor().get("/u/ada").await;
    assert!(page.status == 200 && page.count("li.card") > 0);
    for feed in ["/u/ada/atom.xml", "/u/ada/feed.json"] {
        assert_eq!(site.visitor().get(feed).await.status, 200);
    }
    let link = create_secret_link(ada).await;
    assert_eq!(site.visitor().get(&link).await.status, 200);
    share_tag(ada, "late").await;
    for option in ["notes", "embed"] {
        set_option(ada, option).await;
    }
    for path in ["/u/ada/tags/late", "/u/ada/tags/late/feed.json", "/u/ada/preview.png", "/u/ada/embed"] {
        assert_eq!(site.visitor().get(path).await.status, 200, "{path}");
    }
}

async fn use_import_and_export(site: &Site, ada: &Visitor) {
    let before = site.count("select count(*) from user_hearts").await;
    let hers = ada.open("/hearts").await.count("li.card") as i64;
    for path in ["/hearts/export.csv", "/hearts/export.json"] {
        let file = ada.open(path).await.html;
        assert!(file.contains("For the rain"), "{file}");
        let form = ada.open("/hearts/import").await.form("form.import-form");
        assert_eq!(ada.upload(form, file.as_bytes()).await.import_report(), [0, hers, 0]);
        assert_eq!(site.count("select count(*) from user_hearts").await, before);
    }
    let form = ada.open("/hearts/import").await.form("form.import-form");
    let file = "id,note\n0000000000000000000001,new\n0000000000000000000002,\n";
    assert_eq!(ada.upload(form, file.as_bytes()).await.import_report(), [2, 0, 0]);
    let form = ada.open("/hearts/import").await.form("form.import-form");
    let file = "id\n0000000000000000000001\n0000000000000000000005\n";
    assert_eq!(ada.upload(form, file.as_bytes()).await.import_report(), [1, 1, 0]);
    assert_eq!(site.count("select count(*) from user_hearts").await, before + 3);
}

async fn undo_import(site: &Site, ada: &Visitor) {
    let form = ada.open("/hearts/import").await.form("form.import-form");
    let file = "id,note,own_title\n0000000000000000000011,new,Mine\n0000000000000000000012,,\n";
    assert_eq!(ada.upload(form, file.as_bytes()).await.import_report(), [2, 0, 0]);
    let form = ada.open("/hearts/import").await.form("form[action='/hearts/import/undo']");
    let flash = ada.submit(form).await.flash().unwrap();
    assert!(flash.starts_with("The import is taken back: 2 hearts."), "{flash}");
    delete_for_good(site, ada).await;
}

async fn use_sessions(site: &Site) {
    let ada = site.sign_in("ada").await;
    sign_in_again(&ada).await;
    let linked = ada.link_identity(&site.spotify, OtherProvider::X, "ada").await;
    assert!(linked.flash().unwrap().contains("X is linked"), "{}", linked.text("main"));
    let other_browser = site.sign_in("ada").await;
    ada.submit(ada.open("/account").await.form("#sessions > form")).await;
    assert_eq!(other_browser.get("/account").await.status, 303);
    assert!(ada.open("/account/activity").await.status == 200);
    ada.submit(ada.open("/account/disconnect").await.form("form[action='/account/disconnect']")).await;
    ada.submit(ada.open("/account").await.form("form[action='/auth/spotify']")).await;
    ada.submit(ada.open("/invites").await.form("form[action='/invites']")).await;
}

async fn merge_accounts(site: &Site) {
    let (old, new) = (site.visitor(), site.visitor());
    old.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    old.fetch(Method::PUT, "/heart/0000000000000000000003").await;
    new.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    new.fetch(Method::PUT, "/heart/0000000000000000000003").await;
    new.fetch(Method::PUT, "/heart/0000000000000000000004").await;
    for (visitor, tags) in [(&old, "Été, zoo"), (&new, "ete, b")] {
        visitor.annotate("0000000000000000000003", "A note", tags).await;
        visitor.post("/hearts/0000000000000000000003/pin", "pinned=true").await;
    }
    let consent = new.start_sign_in_with(OtherProvider::Google, &new.open("/account/merge").await).await;
    let page = new.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    let page = new.submit(page.form("form[action='/account/merge']")).await;
    assert!(page.flash().unwrap().starts_with("Welcome back"), "{}", page.text("main"));
    assert!(page.flash().unwrap().contains("hearts that came: 2 (1 of them were in both), notes: 1, tags: 2"));
    let hearts = new.open("/hearts").await;
    assert_eq!((hearts.count("li.card"), hearts.count(".facts .pinned")), (2, 1));
    assert_eq!(hearts.texts("#p-0000000000000000000003 .tags a"), ["b", "Été", "zoo"]);
    assert_no_orphaned_rows(site).await;
}

async fn clean_up(site: &Site) {
    let app = site.pool(2);
    let cluster = distribution::examine(&app).await.unwrap().unwrap();
    assert!(!cluster.nodes.is_empty() && cluster.down.is_empty() && cluster.undistributed.is_empty(), "{cluster:?}");
    distribution::distribute(&app).await.expect("once more changes nothing");
    heartlist::db::migrate(&app).await.expect("and so do the migrations");
    // On a copy of the time, so that the sessions of this walk stay.
    sqlx::raw_sql("update playlists set seen_at = timestamptz '2026-01-01'").execute(&site.db).await.unwrap();
    let removed =
        "update user_hearts set removed_at = timestamptz '2026-01-01' where playlist_id = '0000000000000000000004'";
    sqlx::raw_sql(removed).execute(&site.db).await.unwrap();
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from playlists").await, 0);
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is not null").await, 0);
    site.advance(DAY / 24 / 30);
}

/// What a statement does is tested elsewhere. Citus refuses some only when they run, with values.
#[tokio::test]
async fn every_statement_is_supported_by_citus() {
    if !has_cluster().await {
        return;
    }
    let site = Site::open().await;
    site.sign_in("ada").await;
    let mut connection = site.db.acquire().await.unwrap();
    let mut refused = Vec::new();
    for (query, types) in read_statements() {
        let values: Vec<_> = types.iter().map(|kind| sample(kind)).collect();
        let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
        for sql in ["begin".into(), format!("prepare sample as {query}"), format!("execute sample{values}")] {
            let code = match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await {
                Err(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
                _ => continue,
            };
            // 0A: not supported. 42: no such function or type. Others are about the sample values.
            if ["0A", "42"].iter().any(|class| code.starts_with(class)) {
                refused.push((code, query.clone()));
            }
        }
        sqlx::raw_sql("rollback; deallocate all").execute(&mut *connection).await.unwrap();
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

/// A value of a parameter's type.
fn sample(kind: &str) -> &'static str {
    match kind {
        "Int2" | "Int4" | "Int8" => "1",
        "Float8" => "1.5",
        "Bool" => "true",
        "Text" => "'x'",
        "Bytea" => "'\\x00'",
        "Timestamptz" => "now()",
        "TextArray" => "'{0000000000000000000001,0000000000000000000002}'",
        "TimestamptzArray" => "array[now(), now()]",
        _ => "null",
    }
}

//! Titles of hearts: people's own, and Spotify's.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider};
use reqwest::Method;

use crate::support::page::Page;
use crate::support::search::{first_words, sign_in_wren};
use crate::support::sharing::publish_page_at;
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Signs in as Wren with a heart for each playlist; returns the id of "Slow Trains, Soft Seats", which is public.
async fn sign_in_with_hearts(site: &Site) -> (Visitor, String) {
    let wren = sign_in_wren(site).await;
    let ids = wren.open("/playlists").await.playlist_ids();
    for id in &ids {
        assert_eq!(wren.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200);
    }
    // Fetched again, so that the hearts know the names.
    site.advance(Duration::from_secs(700));
    wren.open("/playlists").await;
    (wren, ids[0].clone())
}

async fn save_title(visitor: &Visitor, id: &str, title: &str) -> Page {
    let page = visitor.open(&format!("/hearts?edit={id}")).await;
    visitor.submit(page.form(".annotation form").with("title", title)).await
}

#[tokio::test]
async fn own_title_stands_wherever_its_owner_sees_the_heart() {
    let site = Site::open().await;
    let (wren, id) = sign_in_with_hearts(&site).await;
    publish_page_at(&wren, "wrens-hearts").await;
    let form = wren.open(&format!("/hearts?edit={id}")).await.form(".annotation form");
    assert_eq!(form.fields["title"], "", "Spotify's name is not taken for the owner's");
    let placeholder = async || wren.open(&format!("/playlists/{id}")).await.attribute("[name=title]", "placeholder");
    assert_eq!(placeholder().await, "Slow Trains, Soft Seats", "what it is called without one");
    let page = save_title(&wren, &id, "  Night <i>trains</i> ").await;
    assert_eq!((page.status, page.flash().unwrap().as_str()), (200, "Saved."));
    let paths = ["/hearts".to_owned(), "/playlists".into(), format!("/playlists/{id}"), format!("/add?link={id}")];
    for path in &paths {
        let page = wren.open(path).await;
        assert!(page.texts("h1, h2, .link-preview b").contains(&"Night <i>trains</i>".to_owned()), "{path}");
        let facts = page.texts(&format!("#p-{id}")).join("");
        assert!(path.starts_with("/add") || facts.contains("Spotify: Slow Trains, Soft Seats"), "{path}: {facts}");
    }
    assert!(wren.open("/playlists").await.html.contains("aria-label=\"Heart Night &#60;i&#62;trains"));
    for public in ["/u/wrens-hearts", "/u/wrens-hearts/atom.xml", "/u/wrens-hearts/feed.json"] {
        let page = site.visitor().get(public).await;
        assert!(page.html.contains("Slow Trains") && !page.html.contains("Night"), "{public}");
    }
    let form = wren.open(&format!("/hearts?edit={id}")).await.form(".annotation form");
    assert_eq!(form.fields["title"], "Night <i>trains</i>");
    assert_eq!(placeholder().await, "Slow Trains, Soft Seats");
    let page = save_title(&wren, &id, "Slow Trains, Soft Seats").await;
    assert!(!page.text(&format!("#p-{id}")).contains("Spotify:"), "the same name is not repeated");
    let page = save_title(&wren, &id, " \u{200b} ").await;
    assert_eq!(page.text(&format!("#p-{id} h2")), "Slow Trains, Soft Seats", "without one it is Spotify's again");
    assert!(!page.html.contains("Spotify: "));
}

#[tokio::test]
async fn search_and_sort_use_the_own_title_and_find_spotifys_name() {
    let site = Site::open().await;
    let (wren, id) = sign_in_with_hearts(&site).await;
    save_title(&wren, &id, "Zürich by night").await;
    for list in ["/hearts", "/playlists"] {
        for (query, found) in [("zurich", 1), ("soft+seats", 1), ("-zurich", 5), ("-seats", 5), ("untitled", 1)] {
            assert_eq!(wren.open(&format!("{list}?q={query}")).await.count("li.card"), found, "{list} {query}");
        }
        let sorted = first_words(&wren.open(&format!("{list}?sort=name")).await);
        assert_eq!(sorted, ["Mañana", "Måneskinn", "The", "Trains", "Zürich", "Untitled"], "{list}");
    }
    let untitled = wren.open("/hearts?q=untitled").await.playlist_ids().remove(0);
    save_title(&wren, &untitled, "Scraps").await;
    for (query, found) in [("untitled", 0), ("scraps", 1)] {
        assert_eq!(wren.open(&format!("/hearts?q={query}")).await.count("li.card"), found, "{query}");
    }
}

#[tokio::test]
async fn invalid_title_is_shown_again_with_reason_and_nothing_is_saved() {
    let site = Site::open().await;
    let (wren, id) = sign_in_with_hearts(&site).await;
    for (title, reason) in
        [("é".repeat(101), "up to 100 characters; this one has 101"), ("a\u{7}b".into(), "single line")]
    {
        let page = wren.open(&format!("/hearts?edit={id}")).await;
        let page = wren.submit(page.form(".annotation form").with("title", &title).with("note", "kept")).await;
        assert_eq!((page.status, page.count("[autofocus]")), (422, 1), "{title}");
        assert!(page.text("#title-error").contains(reason) && page.has("#title-error + label"));
        let described = page.attribute("input[name=title][aria-invalid]", "aria-describedby");
        assert!(described.split(' ').all(|id| page.has(&format!("#{id}"))), "{described}");
        let form = page.form(".annotation form");
        assert_eq!((form.fields["title"].replace(' ', "\u{7}"), form.fields["note"].as_str()), (title, "kept"));
    }
    assert_eq!(site.count("select count(*) from user_hearts where own_title is not null or note is not null").await, 0);
    assert_eq!(save_title(&wren, &id, &"é".repeat(100)).await.status, 200);
    // A form of an earlier release has no such field.
    let mut form = wren.open(&format!("/hearts?edit={id}")).await.form(".annotation form").with("note", "new");
    form.fields.remove("title");
    assert_eq!(wren.submit(form).await.text(".note"), "new");
    assert_eq!(site.count("select count(*) from user_hearts where length(own_title) = 100").await, 1);
}

#[tokio::test]
async fn own_title_outlives_playlist_data_removal_and_export() {
    let site = Site::open().await;
    let (wren, id) = sign_in_with_hearts(&site).await;
    save_title(&wren, &id, "=Night, \"trains\"").await;
    site.advance(31 * DAY);
    site.run_cleanup().await;
    let page = wren.open("/hearts?q=night").await;
    assert_eq!((page.count("li.card"), page.text("li.card h2")), (1, "=Night, \"trains\"".into()));
    assert!(page.text("li.card").contains("Spotify: Slow Trains"), "the title of the heart is still known");
    wren.fetch(Method::DELETE, &format!("/heart/{id}")).await;
    let page = wren.open("/hearts/removed").await;
    assert_eq!(page.text(".removed-list h2"), "=Night, \"trains\"");
    assert!(page.text(".facts").contains("Spotify: Slow Trains, Soft Seats"));
    wren.submit(page.form(".removed-list form")).await;
    for file in ["/hearts/export.csv", "/hearts/export.json"] {
        let exported = wren.open(file).await.html;
        sqlx::query("delete from user_hearts").execute(&site.db).await.unwrap();
        let form = wren.open("/hearts/import").await.form("form.import-form");
        assert_eq!(wren.upload(form, exported.as_bytes()).await.import_report(), [6, 0, 0], "{file}");
        assert_eq!(wren.open("/hearts?q=night").await.text("li.card h2"), "=Night, \"trains\"", "{file}");
    }
    // An import restores a removed heart with its own title, unless the file has another one.
    wren.fetch(Method::DELETE, &format!("/heart/{id}")).await;
    let form = wren.open("/hearts/import").await.form("form.import-form");
    wren.upload(form, id.as_bytes()).await;
    assert_eq!(wren.open("/hearts?q=night").await.count("li.card"), 1);
}

#[tokio::test]
async fn own_title_survives_a_merge_and_is_folded_again() {
    let site = Site::open().await;
    let (first, second) = (site.visitor(), site.visitor());
    first.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    first.fetch(Method::PUT, HEART).await;
    let id = HEART.trim_start_matches("/heart/");
    save_title(&first, id, "Été à Łódź").await;
    let page = second.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    second.fetch(Method::PUT, HEART).await;
    let consent = second.start_sign_in_with(OtherProvider::Google, &page).await;
    let google = site.spotify.account(OtherProvider::Google, "ada");
    let question = second.submit(consent.approve_as(&google)).await;
    second.submit(question.form("form[action='/account/merge']")).await;
    assert_eq!((site.count_users().await, second.open("/hearts").await.text("li.card h2").as_str()), (1, "Été à Łódź"));
    sqlx::query("update user_hearts set own_title_folded = 'x'").execute(&site.db).await.unwrap();
    sqlx::query("delete from text_folding").execute(&site.db).await.unwrap();
    site.refold().await;
    assert_eq!(second.open("/hearts?q=ete").await.count("li.card"), 1);
}

/// Signs in with Google, without Spotify.
async fn sign_in_without_spotify(site: &Site) -> Visitor {
    let visitor = site.visitor();
    visitor.sign_in_with(&site.spotify, OtherProvider::Google, "noor").await;
    visitor
}

async fn add_links(visitor: &Visitor, links: &str) -> Page {
    visitor.submit(visitor.open("/add").await.form("form.link-form").with("link", links)).await
}

/// A public playlist with a name.
fn find_public_playlist(site: &Site) -> (String, String) {
    let ada = site.spotify.user("ada").unwrap();
    let found = ada.playlists().into_iter().find(|p| p.public == Some(true) && !p.name.trim().is_empty()).unwrap();
    (found.id.clone(), found.name.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn link_of_somebody_without_spotify_is_named_with_one_call_and_no_token() {
    let site = Site::open().await;
    let (id, name) = find_public_playlist(&site);
    let noor = sign_in_without_spotify(&site).await;
    let page = add_links(&noor, &format!("https://open.spotify.com/playlist/{id}?si=1")).await;
    assert_eq!(page.flash().unwrap(), "Hearted.");
    assert_eq!((page.text("li.card h2"), page.url.query()), (name.clone(), None));
    assert_eq!((site.spotify.request_count(Endpoint::OEmbed), site.spotify.request_count(Endpoint::Playlist)), (1, 0));
    let word = name.split(' ').next().unwrap();
    assert_eq!(noor.open(&format!("/hearts?q={word}")).await.count("li.card"), 1, "it can be searched for");
    // An operator can switch it off.
    let site = Site::open_with(&[("OEMBED", "off")]).await;
    let noor = sign_in_without_spotify(&site).await;
    assert!(add_links(&noor, &id).await.flash().unwrap().contains("did not tell its name"));
    assert_eq!(site.spotify.request_count(Endpoint::OEmbed), 0);
}

#[tokio::test]
async fn link_is_named_while_the_web_api_limits_requests() {
    let site = Site::open().await;
    let (id, name) = find_public_playlist(&site);
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::RateLimited { retry_after: 120 }, 1);
    let ada = site.visitor();
    assert!(ada.sign_in("ada").await.text("main").contains("Try again at"));
    let noor = sign_in_without_spotify(&site).await;
    assert_eq!(add_links(&noor, &id).await.text("li.card h2"), name);
    site.spotify.inject_fault(Endpoint::OEmbed, Fault::RateLimited { retry_after: 120 }, 1);
    for id in ["0000000000000000000001", "0000000000000000000002"] {
        assert!(add_links(&noor, id).await.flash().unwrap().contains("did not tell its name"));
    }
    assert_eq!(site.spotify.request_count(Endpoint::OEmbed), 2, "its own limit counts");
}

#[tokio::test]
async fn heart_stays_added_if_its_name_cannot_be_stored() {
    let site = Site::open().await;
    let (id, _) = find_public_playlist(&site);
    let noor = sign_in_without_spotify(&site).await;
    let broken = "alter table user_hearts add constraint broken check (title is null)";
    sqlx::raw_sql(broken).execute(&site.db).await.unwrap();
    let page = add_links(&noor, &id).await;
    assert!(page.flash().unwrap().starts_with("Hearted, but"));
    assert_eq!((page.count("li.card"), site.count_hearts().await), (1, 1));
}

#[tokio::test]
async fn heart_without_name_is_kept_and_asks_for_a_title() {
    let site = Site::open().await;
    let noor = sign_in_without_spotify(&site).await;
    let json = "application/json";
    let faults = [
        None,
        Some(Fault::Html502),
        Some(Fault::NotJson),
        Some(Fault::Status(200, "{\"title\":\" \\u200b\"}".into(), json)),
        Some(Fault::Status(200, "{\"title\":7}".into(), json)),
        Some(Fault::Redirect("http://127.0.0.1/".into())),
        Some(Fault::CutOff),
        Some(Fault::Hang),
        Some(Fault::RateLimited { retry_after: 30 }),
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let _ = fault.clone().map(|fault| site.spotify.inject_fault(Endpoint::OEmbed, fault, 1));
        let page = add_links(&noor, &format!("{n:022}")).await;
        assert!(page.flash().unwrap().contains("Give it a title of your own"), "{fault:?}");
        let form = page.form(&format!("#p-{n:022} form[action$=annotation]"));
        let page = noor.submit(form.with("title", &format!("Mine {n}"))).await;
        assert_eq!(page.text(&format!("#p-{n:022} h2")), format!("Mine {n}"), "{fault:?}");
    }
    assert_eq!(site.spotify.request_count(Endpoint::OEmbed), 9);
    add_links(&noor, &format!("{:022}", 9)).await;
    assert_eq!(site.spotify.request_count(Endpoint::OEmbed), 9, "it is left alone for as long as it said");
    let ada = site.sign_in("ada").await;
    assert!(ada.open("/playlists").await.count("li.card") > 0, "the Web API is another service");
    let twenty = (100..120).map(|n| format!("{n:022}")).collect::<Vec<_>>().join("\n");
    site.advance(Duration::from_secs(40));
    site.spotify.inject_fault(Endpoint::OEmbed, Fault::Hang, 20);
    assert_eq!(add_links(&noor, &twenty).await.flash().unwrap(), "Added 20 hearts.");
}

#[tokio::test]
async fn spotifys_titles_can_be_dropped_after_days_unseen_and_own_titles_stay() {
    let long = [("SESSION_DAYS", "400"), ("SESSION_IDLE_DAYS", "400")];
    for (settings, kept) in [(&[][..], "Mañana"), (&[("TITLE_DAYS", "60")], "Playlist")] {
        let site = Site::open_with(&[&long, settings].concat()).await;
        let (wren, id) = sign_in_with_hearts(&site).await;
        save_title(&wren, &id, "My trains").await;
        site.advance(59 * DAY);
        site.run_cleanup().await;
        assert_eq!(first_words(&wren.open("/hearts?q=my+trains").await), ["My"]);
        assert_eq!(wren.open("/hearts?q=manana").await.count("li.card"), 1, "not yet");
        site.advance(2 * DAY);
        site.run_cleanup().await;
        let words = first_words(&wren.open("/hearts?sort=name").await);
        assert!(words.contains(&"My".to_owned()) && words.contains(&kept.to_owned()), "{words:?}");
        // What Spotify shows again has its name again.
        wren.open("/playlists").await;
        site.run_cleanup().await;
        assert_eq!(wren.open("/hearts?q=manana").await.count("li.card"), 1);
    }
}

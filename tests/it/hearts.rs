//! Adding, removing and listing hearts.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault};
use futures_util::future::join_all;
use heartlist::ids::Secret;
use heartlist::vault::{Purpose, Vault};
use reqwest::Method;

use crate::support::{HEART, SESSION_SECRET, Site};

#[tokio::test]
async fn heart_response_confirms_state() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for (method, hearted) in
        [(Method::PUT, true), (Method::PUT, true), (Method::DELETE, false), (Method::DELETE, false)]
    {
        let page = ada.fetch(method, HEART).await;
        let mut state = page.json();
        let date = state.as_object_mut().unwrap().remove("hearted_at");
        let expected = serde_json::json!({"playlist_id": "3cEYpjA9oz9GiPac4AsH4n", "hearted": hearted});
        assert_eq!((page.status, state), (200, expected));
        let is_date = |date: serde_json::Value| date.as_str().unwrap().starts_with("<time datetime=20");
        assert_eq!(date.map(is_date), hearted.then_some(true), "as cards show it");
    }
}

#[tokio::test]
async fn hearting_twice_keeps_one_row_and_first_date() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.fetch(Method::PUT, HEART).await;
    let first: time::OffsetDateTime = hearted_at(&site).await;
    site.advance(Duration::from_secs(3600));
    let again = ada.fetch(Method::PUT, HEART).await;
    assert_eq!(again.status, 200);
    assert_eq!((hearted_at(&site).await, site.count_hearts().await), (first, 1));
    ada.fetch(Method::DELETE, HEART).await;
    let response = ada.fetch(Method::DELETE, HEART).await;
    assert_eq!((response.status, site.count_hearts().await), (200, 0));
}

async fn hearted_at(site: &Site) -> time::OffsetDateTime {
    sqlx::query_scalar("select hearted_at from user_hearts where removed_at is null").fetch_one(&site.db).await.unwrap()
}

#[tokio::test]
async fn heart_form_works_without_script_and_returns_to_card() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let page = ada.open("/playlists").await;
    let id = page.playlist_ids().remove(0);
    let button = format!("form[action='/heart/{id}'] > button[aria-pressed=false]");
    let name = page.attribute(&button, "aria-label");
    assert!(name.starts_with("Heart "), "{name}");

    let back = ada.send_form(page.form(&button)).await;
    back.assert_redirect(&format!("/playlists#p-{id}"));
    let page = ada.open("/playlists").await;
    assert_eq!(page.flash().unwrap(), "Hearted.");
    let pressed = format!("form[action='/heart/{id}'] > button[aria-pressed=true]");
    assert_eq!(page.attribute(&pressed, "aria-label"), name, "b2: the name is fixed");

    let page = ada.submit(page.form(&pressed)).await;
    assert_eq!(
        (page.flash().unwrap().as_str(), site.count_hearts().await),
        (format!("Heart removed: {}.", &name["Heart ".len()..]).as_str(), 0)
    );
}

#[tokio::test]
async fn heart_form_returns_to_referring_list() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for (page, target) in
        [("/hearts?page=2", "/hearts?page=2"), ("/logout", "/playlists"), ("/top?when=ever", "/top?when=ever")]
    {
        let referer = format!("{}{page}", site.base);
        let body = Some("hearted=true".to_owned());
        let sent = ada.request(Method::POST, HEART, &[("referer", &referer)], body).await;
        sent.assert_redirect(&format!("{target}#p-3cEYpjA9oz9GiPac4AsH4n"));
    }
    let body = Some("hearted=true".to_owned());
    let sent = ada.request(Method::POST, HEART, &[("referer", "https://evil.example/hearts")], body).await;
    assert_eq!(sent.header("location"), "/playlists#p-3cEYpjA9oz9GiPac4AsH4n");
}

#[tokio::test]
async fn concurrent_heart_requests_leave_consistent_rows_and_counts() {
    let site = Site::open().await;
    let visitors = [site.sign_in("ada").await, site.sign_in("mira").await, site.sign_in("noor").await];
    for last in [Method::PUT, Method::DELETE] {
        let clicks = (0..30).map(|n| {
            let method = if n % 2 == 0 { Method::PUT } else { Method::DELETE };
            visitors[n % 3].fetch(method, HEART)
        });
        assert!(join_all(clicks).await.iter().all(|page| page.status == 200));
        for visitor in &visitors {
            visitor.fetch(last.clone(), HEART).await;
        }
        let rows = if last == Method::PUT { 3 } else { 0 };
        assert_eq!(site.count_hearts().await, rows);
        site.force_top_refresh().await;
        assert_eq!(site.count("select coalesce(sum(hearts), 0)::bigint from heart_counts").await, rows);
    }
}

#[tokio::test]
async fn concurrent_users_leave_correct_heart_counts() {
    let site = Site::open_with(&[("HEARTS_PER_MINUTE", "1000"), ("DATABASE_CONNECTIONS", "64")]).await;
    site.sign_in("ada").await;
    let writers = join_all((0..64).map(|_| insert_user_with_session(&site))).await;
    let playlists = ["A", "B", "C"].map(|letter| format!("{}/heart/{}", site.base, letter.repeat(22)));
    let client = reqwest::Client::new();
    let write_hearts = async |number: usize| {
        // Everybody starts at another playlist; every second user's last request adds a heart.
        for turn in number..number + 9 {
            let method = if (turn - number) / 3 % 2 == number % 2 { Method::PUT } else { Method::DELETE };
            let request = client.request(method, &playlists[turn % 3]).header("sec-fetch-site", "same-origin");
            assert_eq!(request.header("cookie", &writers[number]).send().await.unwrap().status(), 200);
        }
    };
    join_all((0..64).map(write_hearts)).await;
    assert_eq!(site.count_hearts().await, 3 * 32);
    site.force_top_refresh().await;
    assert_eq!(site.count("select count(*) from heart_counts where hearts = 32 and week = 32").await, 3);
}

/// Inserts a user with a session and returns the session's cookie.
async fn insert_user_with_session(site: &Site) -> String {
    let new = "insert into users (display_name, created_at) values ('Somebody', now()) returning id";
    let user: i64 = sqlx::query_scalar(new).fetch_one(&site.db).await.unwrap();
    let id = tower_sessions::session::Id::default();
    let key = heartlist::domain::session_key(id);
    let data = serde_json::json!({ "user_id": user, "name": "Somebody" }).to_string();
    let vault = Vault::new(&Secret::new(SESSION_SECRET));
    let session = "insert into sessions (id_hash, user_id, sealed, created_at, expires_at, last_seen_at)
                   values ($1, $2, $3, now(), now() + interval '1 day', now())";
    let sealed = vault.seal(Purpose::Session, key.as_bytes(), data.as_bytes());
    sqlx::query(session).bind(key.as_bytes()).bind(user).bind(sealed).execute(&site.db).await.unwrap();
    format!("{}={id}", site.session_cookie())
}

#[tokio::test]
async fn signed_out_fetch_gets_401_with_sign_in_address() {
    let site = Site::open().await;
    let page = site.visitor().fetch(Method::PUT, HEART).await;
    assert_eq!((page.status, page.header("content-type")), (401, "application/json"));
    assert_eq!(page.json()["error"]["sign_in"], "/login?next=%2Fplaylists&heart=3cEYpjA9oz9GiPac4AsH4n");
    // The sign-in address leads back to the page of the heart.
    let on = format!("{}/hearts?sort=name", site.base);
    let headers = [("sec-fetch-site", "same-origin"), ("referer", on.as_str())];
    let page = site.visitor().request(Method::DELETE, HEART, &headers, None).await;
    assert_eq!(page.json()["error"]["sign_in"], "/login?next=%2Fhearts%3Fsort%3Dname");
    assert_eq!(site.count_hearts().await, 0);
}

#[tokio::test]
async fn invalid_playlist_id_is_rejected_with_422() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for bad in ["abc", "3cEYpjA9oz9GiPac4AsH4n0", "3cEYpjA9oz9GiPac4AsH4-", "%27%20or%201=1--", "%00"] {
        let page = ada.fetch(Method::PUT, &format!("/heart/{bad}")).await;
        assert_eq!(page.status, 422, "{bad}");
        assert!(page.json()["error"]["message"].as_str().unwrap().contains("22 letters and digits"));
    }
    assert_eq!(site.count_hearts().await, 0);
}

#[tokio::test]
async fn heart_form_without_valid_field_changes_nothing() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for body in ["", "hearted=maybe", "heart=true"] {
        let page = ada.request(Method::POST, HEART, &[], Some(body.into())).await;
        assert_eq!((page.status, page.text("h1").as_str()), (422, "Something is not right"));
    }
    assert_eq!(site.count_hearts().await, 0);
}

#[tokio::test]
async fn hearts_belong_to_one_user() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    ada.fetch(Method::PUT, HEART).await;
    mira.fetch(Method::DELETE, HEART).await;
    assert_eq!(site.count_hearts().await, 1);
    assert_eq!(mira.open("/hearts").await.playlist_ids(), Vec::<String>::new());
}

#[tokio::test]
async fn hearts_page_is_newest_first_and_makes_no_spotify_call() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let page = ada.open("/playlists").await;
    let ids = page.playlist_ids();
    for id in &ids[..3] {
        ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
        site.advance(Duration::from_secs(60));
    }
    let requests = site.spotify.requests().len();
    let hearts = ada.open("/hearts").await;
    assert_eq!(hearts.playlist_ids(), [&ids[2], &ids[1], &ids[0]].map(String::clone));
    assert_eq!(hearts.text(&format!("#p-{} h2", ids[0])), page.text(&format!("#p-{} h2", ids[0])));
    assert!(hearts.has("time[datetime]"));
    assert_eq!(site.spotify.requests().len(), requests);
}

#[tokio::test]
async fn empty_hearts_page_links_to_playlists() {
    let site = Site::open().await;
    let page = site.sign_in("ada").await.open("/hearts").await;
    assert!(page.has("main a[href='/playlists']") && !page.has("li.card"));
}

#[tokio::test]
async fn heart_without_name_shows_link() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.fetch(Method::PUT, HEART).await;
    let page = ada.open("/hearts").await;
    assert_eq!(page.text("li.card h2"), "Playlist 3cEY…sH4n");
    assert_eq!(
        page.attribute("li.card a.spotify-link", "href"),
        "https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4n"
    );
}

#[tokio::test]
async fn playlist_name_older_than_a_day_shows_its_age() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    assert!(!ada.open("/hearts").await.text("li.card").contains("Name as of"));
    site.advance(Duration::from_secs(25 * 3600));
    assert!(ada.open("/hearts").await.text("li.card").contains("Name as of"));
}

#[tokio::test]
async fn unavailable_playlist_is_marked_until_it_returns() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    let not_found =
        Fault::Status(404, r#"{"error":{"status":404,"message":"Resource not found"}}"#.into(), "application/json");
    site.spotify.inject_fault(Endpoint::Playlist, not_found, 1);
    ada.open(&format!("/playlists/{id}")).await;
    let marked = ada.open("/hearts").await;
    assert!(marked.text("li.card .is-unavailable") == "Unavailable since today");
    ada.open(&format!("/playlists/{id}")).await;
    assert!(!ada.open("/hearts").await.text("li.card").contains("Not shown by Spotify"));
}

#[tokio::test]
async fn private_playlist_name_is_hidden_from_other_users() {
    let site = Site::open().await;
    let (ada, noor) = (site.sign_in("ada").await, site.sign_in("noor").await);
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    noor.fetch(Method::PUT, &format!("/heart/{id}")).await;
    assert_eq!(noor.open("/hearts").await.text("li.card h2"), format!("Playlist {}…{}", &id[..4], &id[18..]));
}

#[tokio::test]
async fn hearts_page_holds_fifty() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for n in 0..51 {
        ada.fetch(Method::PUT, &format!("/heart/{n:022}")).await;
    }
    let page = ada.open("/hearts").await;
    assert_eq!((page.count("li.card"), page.has("a[rel=prev]")), (50, false));
    let next = page.url.join(&page.attribute("a[rel=next]", "href")).unwrap();
    assert_eq!(ada.open(next.as_str()).await.count("li.card"), 1);
    ada.get("/hearts?page=3").await.assert_redirect("/hearts?page=2");
}

#[tokio::test]
async fn hearts_work_during_spotify_outage() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for endpoint in [Endpoint::Token, Endpoint::Me, Endpoint::MyPlaylists, Endpoint::Playlist] {
        site.spotify.inject_fault(endpoint, Fault::Hang, 100);
    }
    let requests = site.spotify.requests().len();
    assert_eq!(ada.fetch(Method::PUT, HEART).await.status, 200);
    assert_eq!(ada.open("/hearts").await.count("li.card"), 1);
    assert_eq!(site.spotify.requests().len(), requests);
}

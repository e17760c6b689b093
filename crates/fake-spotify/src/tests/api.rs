//! The Web API, and faults on demand.

use super::super::{Endpoint, Fault, Playing, User};
use super::*;
use std::time::Duration;

#[tokio::test]
async fn access_tokens_expire_after_an_hour() {
    let fake = server();
    let token = fake.issue_tokens("ada", SCOPES).access_token;
    fake.advance(Duration::from_secs(3590));
    assert_eq!(get_as(&fake, &token, "/v1/me").await.status, 200);
    fake.advance(Duration::from_secs(11));
    let old = get_as(&fake, &token, "/v1/me").await;
    assert_eq!(old.status, 401);
    assert_eq!(old.json()["error"]["message"], "Missing/invalid/expired access token");
    let expected = r#"Bearer realm="spotify", error="invalid_token""#;
    assert!(old.header("www-authenticate").starts_with(expected));
}

#[tokio::test]
async fn oembed_names_public_playlists_without_a_token() {
    let fake = server();
    let ada = fake.user("ada").unwrap();
    let playlists = ada.playlists();
    for (is_public, status) in [(Some(true), 200), (Some(false), 404)] {
        let playlist = playlists.iter().find(|playlist| playlist.public == is_public).unwrap();
        let url = format!("/oembed?url=https%3A%2F%2Fopen.spotify.com%2Fplaylist%2F{}", playlist.id);
        let response = get(&fake, &url).await;
        assert_eq!(response.status, status);
        assert!(status == 404 && response.body.is_empty() || response.json()["title"] == playlist.name.as_str());
    }
    assert_eq!(get(&fake, "/oembed").await.status, 404);
}

#[tokio::test]
async fn the_token_is_read_from_the_header_only() {
    let fake = server();
    let token = fake.issue_tokens("ada", SCOPES).access_token;
    let none = get(&fake, &format!("/v1/me?access_token={token}")).await;
    assert_eq!(none.status, 401);
    assert!(none.header("www-authenticate").contains("missing_token"));
    let basic = Request::get("/v1/me").header("authorization", format!("Basic {token}"));
    let basic = send(&fake, basic.body(Body::empty()).unwrap()).await;
    assert_eq!(basic.status, 400);
}

#[tokio::test]
async fn users_off_the_allow_list_sign_in_and_get_403_in_plain_text() {
    let fake = server();
    let code = code_for(&fake, "tom").await;
    let tokens = exchange(&fake, &code, &[]).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    for path in ["/v1/me", "/v1/me/playlists", "/v1/me/player/currently-playing"] {
        let refused = get_as(&fake, token, path).await;
        assert_eq!(refused.status, 403);
        assert!(refused.header("content-type").starts_with("text/plain"));
        assert!(refused.body.contains("may not be registered"));
    }
    fake.update_user("tom", |tom| tom.is_allow_listed = true);
    assert_eq!(get_as(&fake, token, "/v1/me").await.status, 200);
    fake.update_switches(|s| s.owner_has_premium = false);
    let unpaid = get_as(&fake, token, "/v1/me").await;
    assert!(unpaid.status == 403 && unpaid.body.starts_with("Active premium"));
}

#[tokio::test]
async fn the_user_id_can_change_and_the_account_id_stays() {
    let fake = server();
    let token = fake.issue_tokens("ada", SCOPES).access_token;
    let before = get_as(&fake, &token, "/v1/me").await.json();
    fake.change_user_id("ada", "ada lovelace/2");
    let after = get_as(&fake, &token, "/v1/me").await.json();
    assert_eq!(before["account_id"], after["account_id"]);
    assert_eq!(after["id"], "ada lovelace/2");
    assert_eq!(after["uri"], "spotify:user:ada%20lovelace%2F2");
    fake.update_user("ada", |ada| ada.account_id = None);
    let bare = get_as(&fake, &token, "/v1/me").await.json();
    assert!(bare.get("account_id").is_none());
}

#[tokio::test]
async fn items_are_shown_for_own_playlists_only() {
    let fake = server();
    let token = fake.issue_tokens("ada", SCOPES).access_token;
    let ada = fake.user("ada").unwrap();
    let (own, followed) = (ada.playlists()[0], ada.playlists()[5]);

    let path = format!("/v1/playlists/{}", own.id);
    let whole = get_as(&fake, &token, &path).await.json();
    assert_eq!(whole["items"]["total"], own.length);
    assert!(whole.get("tracks").is_none());
    let items = get_as(&fake, &token, &format!("{path}/items?limit=3")).await.json();
    assert_eq!(items["items"].as_array().unwrap().len(), 3);
    assert!(items["items"][0]["item"]["artists"][0]["name"].is_string());
    assert_eq!(get_as(&fake, &token, &format!("{path}/tracks")).await.status, 403);

    let path = format!("/v1/playlists/{}", followed.id);
    let whole = get_as(&fake, &token, &path).await.json();
    assert_eq!(whole["name"], followed.name);
    assert!(whole.get("items").is_none());
    let items = get_as(&fake, &token, &format!("{path}/items")).await;
    assert_eq!(items.status, 403);
    assert_eq!(items.json()["error"]["message"], "Forbidden");

    fake.update_switches(|s| s.legacy_api = true);
    let whole = get_as(&fake, &token, &path).await.json();
    assert_eq!(whole["tracks"], whole["items"]);
    assert!(whole["tracks"]["items"][0].get("track").is_some());
    assert_eq!(get_as(&fake, &token, &format!("{path}/tracks")).await.status, 200);
}

#[tokio::test]
async fn unknown_playlists_return_404() {
    let fake = server();
    let token = fake.issue_tokens("ada", SCOPES).access_token;
    for id in ["0000000000000000000000", "37i9dQZF1DXcBWIGoYBM5M", "nonsense", "%20"] {
        for tail in ["", "/items"] {
            let path = format!("/v1/playlists/{id}{tail}");
            let response = get_as(&fake, &token, &path).await;
            assert_eq!(response.status, 404, "{path}");
            assert_eq!(response.json()["error"]["message"], "Resource not found");
        }
    }
    assert_eq!(get_as(&fake, &token, "/v1/nothing").await.status, 404);
}

#[tokio::test]
async fn private_playlists_are_hidden_without_the_scopes() {
    let fake = server();
    let token = fake.issue_tokens("ada", "").access_token;
    let list = get_as(&fake, &token, "/v1/me/playlists").await.json();
    assert_eq!(list["total"], 10);
    let ada = fake.user("ada").unwrap();
    let private = ada.playlists()[6];
    let path = format!("/v1/playlists/{}", private.id);
    assert_eq!(get_as(&fake, &token, &path).await.status, 404);
    let player = get_as(&fake, &token, "/v1/me/player/currently-playing").await;
    assert_eq!(player.status, 401);
    assert_eq!(player.json()["error"]["message"], "Permissions missing");
}

#[tokio::test]
async fn currently_playing_returns_every_kind_of_item() {
    let fake = server();
    let token = fake.issue_tokens("ada", "user-read-currently-playing").access_token;
    let path = "/v1/me/player/currently-playing";
    let nothing = get_as(&fake, &token, path).await;
    assert_eq!((nothing.status.as_u16(), nothing.body.as_str()), (204, ""));
    let id = "37i9dQZF1DXcBWIGoYBM5M";
    fake.update_user("ada", |ada| ada.playing = Playing::Playlist(id.into()));
    let song = get_as(&fake, &token, path).await.json();
    assert_eq!(song["context"]["uri"], format!("spotify:playlist:{id}"));
    assert_eq!(song["item"]["type"], "track");
    fake.update_user("ada", |ada| ada.playing = Playing::NoContext);
    assert!(get_as(&fake, &token, path).await.json()["context"].is_null());
    fake.update_user("ada", |ada| ada.playing = Playing::Ad);
    assert_eq!(get_as(&fake, &token, path).await.json()["currently_playing_type"], "ad");
    fake.update_user("ada", |ada| ada.playing = Playing::Episode);
    assert!(get_as(&fake, &token, path).await.json()["item"].is_null());
    let with_episodes = format!("{path}?additional_types=track,episode");
    assert_eq!(get_as(&fake, &token, &with_episodes).await.json()["item"]["type"], "episode");
}

#[tokio::test]
async fn faults_are_injected_and_requests_counted() {
    let fake = server();
    let token = fake.issue_tokens("ada", SCOPES).access_token;
    fake.inject_fault(Endpoint::Me, Fault::RateLimited { retry_after: 80_000 }, 1);
    fake.inject_fault(Endpoint::Me, Fault::QuotaExceeded, 1);
    fake.inject_fault(Endpoint::Me, Fault::Html502, 1);
    fake.inject_fault(Endpoint::Me, Fault::Truncated, 1);
    fake.inject_fault(Endpoint::Me, Fault::Unauthorized, 1);
    let slow = get_as(&fake, &token, "/v1/me").await;
    assert_eq!((slow.status.as_u16(), slow.header("retry-after")), (429, "80000"));
    let quota = get_as(&fake, &token, "/v1/me?x=1").await;
    assert_eq!(quota.json()["error"]["reason"], "QUOTA_EXCEEDED");
    assert!(quota.headers.get("retry-after").is_none());
    let html = get_as(&fake, &token, "/v1/me").await;
    assert!(html.status == 502 && html.header("content-type").starts_with("text/html"));
    let half = get_as(&fake, &token, "/v1/me").await;
    assert!(half.status == 200 && serde_json::from_str::<Value>(&half.body).is_err());
    assert_eq!(get_as(&fake, &token, "/v1/me").await.status, 401);
    assert_eq!(get_as(&fake, &token, "/v1/me").await.status, 200);
    assert_eq!(fake.request_count(Endpoint::Me), 6);
    assert_eq!(fake.requests()[1].path_and_query, "/v1/me?x=1");
    assert_eq!(fake.request_count(Endpoint::Token), 0);
}

#[tokio::test]
async fn libraries_can_have_2000_playlists() {
    let fake = server().with_library("nina", 2000);
    fake.add_user(User::new("ivo"));
    let token = fake.issue_tokens("nina", SCOPES).access_token;
    let path = "/v1/me/playlists?limit=50&offset=1950";
    let last = get_as(&fake, &token, path).await.json();
    assert_eq!(last["items"].as_array().unwrap().len(), 50);
    assert!(last["next"].is_null() && last["total"] == 2000);
    let none = fake.issue_tokens("ivo", SCOPES).access_token;
    let none = get_as(&fake, &none, "/v1/me/playlists").await.json();
    assert_eq!((&none["total"], none["items"].as_array().map(Vec::len)), (&0.into(), Some(0)));
}

#[tokio::test]
async fn covers_are_images_that_cannot_run_scripts() {
    let cover = get(&server(), "/covers/abc?size=60").await;
    assert_eq!(cover.status, 200);
    assert_eq!(cover.header("content-type"), "image/svg+xml");
    assert_eq!(cover.header("x-content-type-options"), "nosniff");
    assert!(cover.header("content-security-policy").contains("default-src 'none'"));
    assert!(cover.header("cache-control").contains("max-age"));
    assert!(cover.body.contains("width=\"60\""));
    assert_eq!(get(&server(), "/covers/expired-abc").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_off_response_ends_before_its_content_length() {
    let fake = server();
    let token = fake.issue_tokens("ada", SCOPES).access_token;
    fake.inject_fault(Endpoint::Me, Fault::CutOff, 1);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router(fake)).await });
    let request =
        format!("GET /v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
    let read = move || {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        String::from_utf8_lossy(&response).into_owned()
    };
    let response = tokio::task::spawn_blocking(read).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
    assert!(length.unwrap().parse::<usize>().unwrap() > body.len());
}

#[tokio::test]
async fn other_faults_have_the_documented_responses() {
    let fake = server();
    for (fault, status, body) in [
        (Fault::Empty, 200, ""),
        (Fault::Status(503, "busy".into(), "text/plain"), 503, "busy"),
        (Fault::Redirect("https://evil.test/".into()), 302, ""),
    ] {
        fake.inject_fault(Endpoint::Token, fault, 1);
        let response = refresh(&fake, "AQ").await;
        assert_eq!((response.status.as_u16(), response.body.as_str()), (status, body));
    }
    fake.inject_fault(Endpoint::Token, Fault::Empty, u32::MAX);
    fake.reset();
    assert_eq!(refresh(&fake, "AQ").await.status, 400);
    fake.inject_fault(Endpoint::Token, Fault::Hang, 1);
    let waited = tokio::time::timeout(Duration::from_millis(50), refresh(&fake, "AQ")).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn the_router_can_be_nested_below_a_path() {
    let fake = server();
    let mounted = axum::Router::new().nest("/fake-spotify", router(fake.clone()));
    for (path, status) in
        [("/fake-spotify/v1/me", 401), ("/fake-spotify/v1/nothing", 404), ("/fake-spotify/style.css", 200)]
    {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = mounted.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
    assert_eq!(fake.requests()[0].path_and_query, "/fake-spotify/v1/me");
}

#[tokio::test]
async fn collaborators_add_a_song_after_each_list_if_they_are_active() {
    let fake = server();
    let token = fake.issue_tokens("ada", SCOPES).access_token;
    let snapshots = async || {
        let list = get_as(&fake, &token, "/v1/me/playlists?limit=50").await.json();
        let items = list["items"].as_array().unwrap().clone();
        items.into_iter().map(|item| (item["collaborative"].clone(), item["snapshot_id"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(snapshots().await, snapshots().await, "not by themselves");
    fake.update_switches(|switches| switches.active_collaborators = true);
    let (before, after) = (snapshots().await, snapshots().await);
    let changed: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    assert_eq!((changed.len(), &changed[0].0.0), (1, &serde_json::json!(true)));
}

#[tokio::test]
async fn saving_in_the_library_needs_its_scopes_and_follows_the_playlist() {
    let fake = server();
    let kim = User::with_library("kim", 2);
    let ids: Vec<_> = kim.playlists().iter().map(|playlist| playlist.id.clone()).collect();
    fake.add_user(kim);
    let put = async |scope: &str, uris: &str| {
        let token = fake.issue_tokens("ada", scope).access_token;
        let request =
            Request::put(format!("/v1/me/library?uris={uris}")).header("authorization", format!("Bearer {token}"));
        send(&fake, request.body(Body::empty()).unwrap()).await.status
    };
    let uri = |id: &str| format!("spotify:playlist:{id}");
    let scopes = "user-library-modify playlist-modify-public";
    assert_eq!(put("user-library-modify", &uri(&ids[0])).await, 403);
    for bad in ["", "spotify:track:1111111111111111111111", &vec![uri(&ids[0]); 41].join(",")] {
        assert_eq!(put(scopes, bad).await, 400, "{bad}");
    }
    assert_eq!(put(scopes, &format!("{},{}", uri(&ids[0]), uri("1111111111111111111111"))).await, 404);
    assert!(!fake.user("ada").unwrap().has_in_library(&ids[0]), "all or none");
    for _ in 0..2 {
        assert_eq!(put(scopes, &format!("{},{}", uri(&ids[0]), uri(&ids[1]))).await, 200);
    }
    let library = fake.user("ada").unwrap().playlists().iter().filter(|p| ids.contains(&p.id)).count();
    assert_eq!(library, 2);
}

//! `/v1`: who gets in, what they get, what goes wrong on demand.

use super::super::{Endpoint, Fault, Listener, Playing};
use super::*;
use std::time::Duration;

#[tokio::test]
async fn a_token_is_good_for_an_hour() {
    let world = world();
    let token = world.sign_in("ada", SCOPES).access;
    world.advance(Duration::from_secs(3590));
    assert_eq!(get_as(&world, &token, "/v1/me").await.status, 200);
    world.advance(Duration::from_secs(11));
    let old = get_as(&world, &token, "/v1/me").await;
    assert_eq!(old.status, 401);
    assert_eq!(old.json()["error"]["message"], "Missing/invalid/expired access token");
    let expected = r#"Bearer realm="spotify", error="invalid_token""#;
    assert!(old.header("www-authenticate").starts_with(expected));
}

#[tokio::test]
async fn the_token_stands_in_the_header_or_nowhere() {
    let world = world();
    let token = world.sign_in("ada", SCOPES).access;
    let none = get(&world, &format!("/v1/me?access_token={token}")).await;
    assert_eq!(none.status, 401);
    assert!(none.header("www-authenticate").contains("missing_token"));
    let basic = Request::get("/v1/me").header("authorization", format!("Basic {token}"));
    let basic = send(&world, basic.body(Body::empty()).unwrap()).await;
    assert_eq!(basic.status, 400);
}

#[tokio::test]
async fn who_is_not_on_the_list_signs_in_and_is_refused_in_plain_text() {
    let world = world();
    let code = code_for(&world, "tom").await;
    let tokens = exchange(&world, &code, &[]).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    for path in ["/v1/me", "/v1/me/playlists", "/v1/me/player/currently-playing"] {
        let refused = get_as(&world, token, path).await;
        assert_eq!(refused.status, 403);
        assert!(refused.header("content-type").starts_with("text/plain"));
        assert!(refused.body.contains("may not be registered"));
    }
    world.change("tom", |tom| tom.allow_listed = true);
    assert_eq!(get_as(&world, token, "/v1/me").await.status, 200);
    world.switch(|s| s.owner_premium = false);
    let unpaid = get_as(&world, token, "/v1/me").await;
    assert!(unpaid.status == 403 && unpaid.body.starts_with("Active premium"));
}

#[tokio::test]
async fn a_person_may_change_id_but_not_account() {
    let world = world();
    let token = world.sign_in("ada", SCOPES).access;
    let before = get_as(&world, &token, "/v1/me").await.json();
    world.rename("ada", "ada lovelace/2");
    let after = get_as(&world, &token, "/v1/me").await.json();
    assert_eq!(before["account_id"], after["account_id"]);
    assert_eq!(after["id"], "ada lovelace/2");
    assert_eq!(after["uri"], "spotify:user:ada%20lovelace%2F2");
    world.change("ada", |ada| ada.account_id = None);
    let bare = get_as(&world, &token, "/v1/me").await.json();
    assert!(bare.get("account_id").is_none());
}

#[tokio::test]
async fn own_contents_are_shown_and_foreign_ones_are_not() {
    let world = world();
    let token = world.sign_in("ada", SCOPES).access;
    let ada = world.listener("ada").unwrap();
    let (own, followed) = (ada.playlists()[0], ada.playlists()[5]);

    let path = format!("/v1/playlists/{}", own.id);
    let whole = get_as(&world, &token, &path).await.json();
    assert_eq!(whole["items"]["total"], own.length);
    assert!(whole.get("tracks").is_none());
    let items = get_as(&world, &token, &format!("{path}/items?limit=3")).await.json();
    assert_eq!(items["items"].as_array().unwrap().len(), 3);
    assert!(items["items"][0]["item"]["artists"][0]["name"].is_string());
    assert_eq!(get_as(&world, &token, &format!("{path}/tracks")).await.status, 403);

    let path = format!("/v1/playlists/{}", followed.id);
    let whole = get_as(&world, &token, &path).await.json();
    assert_eq!(whole["name"], followed.name);
    assert!(whole.get("items").is_none());
    let items = get_as(&world, &token, &format!("{path}/items")).await;
    assert_eq!(items.status, 403);
    assert_eq!(items.json()["error"]["message"], "Forbidden");

    world.switch(|s| s.legacy_regime = true);
    let whole = get_as(&world, &token, &path).await.json();
    assert_eq!(whole["tracks"], whole["items"]);
    assert!(whole["tracks"]["items"][0].get("track").is_some());
    assert_eq!(get_as(&world, &token, &format!("{path}/tracks")).await.status, 200);
}

#[tokio::test]
async fn unknown_playlists_are_not_found() {
    let world = world();
    let token = world.sign_in("ada", SCOPES).access;
    for id in ["0000000000000000000000", "37i9dQZF1DXcBWIGoYBM5M", "nonsense", "%20"] {
        for tail in ["", "/items"] {
            let path = format!("/v1/playlists/{id}{tail}");
            let answer = get_as(&world, &token, &path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(answer.json()["error"]["message"], "Resource not found");
        }
    }
    assert_eq!(get_as(&world, &token, "/v1/nothing").await.status, 404);
}

#[tokio::test]
async fn without_the_scopes_private_lists_stay_hidden() {
    let world = world();
    let token = world.sign_in("ada", "").access;
    let list = get_as(&world, &token, "/v1/me/playlists").await.json();
    assert_eq!(list["total"], 10);
    let ada = world.listener("ada").unwrap();
    let private = ada.playlists()[6];
    let path = format!("/v1/playlists/{}", private.id);
    assert_eq!(get_as(&world, &token, &path).await.status, 404);
    let player = get_as(&world, &token, "/v1/me/player/currently-playing").await;
    assert_eq!(player.status, 401);
    assert_eq!(player.json()["error"]["message"], "Permissions missing");
}

#[tokio::test]
async fn what_is_playing_takes_every_form() {
    let world = world();
    let token = world.sign_in("ada", "user-read-currently-playing").access;
    let path = "/v1/me/player/currently-playing";
    let nothing = get_as(&world, &token, path).await;
    assert_eq!((nothing.status.as_u16(), nothing.body.as_str()), (204, ""));
    let id = "37i9dQZF1DXcBWIGoYBM5M";
    world.change("ada", |ada| ada.playing = Playing::Playlist(id.into()));
    let song = get_as(&world, &token, path).await.json();
    assert_eq!(song["context"]["uri"], format!("spotify:playlist:{id}"));
    assert_eq!(song["item"]["type"], "track");
    world.change("ada", |ada| ada.playing = Playing::NoContext);
    assert!(get_as(&world, &token, path).await.json()["context"].is_null());
    world.change("ada", |ada| ada.playing = Playing::Ad);
    assert_eq!(get_as(&world, &token, path).await.json()["currently_playing_type"], "ad");
    world.change("ada", |ada| ada.playing = Playing::Episode);
    assert!(get_as(&world, &token, path).await.json()["item"].is_null());
    let asked = format!("{path}?additional_types=track,episode");
    assert_eq!(get_as(&world, &token, &asked).await.json()["item"]["type"], "episode");
}

#[tokio::test]
async fn faults_come_on_demand_and_calls_are_counted() {
    let world = world();
    let token = world.sign_in("ada", SCOPES).access;
    world.fault(Endpoint::Me, Fault::RateLimited { retry_after: 80_000 }, 1);
    world.fault(Endpoint::Me, Fault::QuotaExceeded, 1);
    world.fault(Endpoint::Me, Fault::Html502, 1);
    world.fault(Endpoint::Me, Fault::Truncated, 1);
    world.fault(Endpoint::Me, Fault::Unauthorized, 1);
    let slow = get_as(&world, &token, "/v1/me").await;
    assert_eq!((slow.status.as_u16(), slow.header("retry-after")), (429, "80000"));
    let quota = get_as(&world, &token, "/v1/me?x=1").await;
    assert_eq!(quota.json()["error"]["reason"], "QUOTA_EXCEEDED");
    assert!(quota.headers.get("retry-after").is_none());
    let html = get_as(&world, &token, "/v1/me").await;
    assert!(html.status == 502 && html.header("content-type").starts_with("text/html"));
    let half = get_as(&world, &token, "/v1/me").await;
    assert!(half.status == 200 && serde_json::from_str::<Value>(&half.body).is_err());
    assert_eq!(get_as(&world, &token, "/v1/me").await.status, 401);
    assert_eq!(get_as(&world, &token, "/v1/me").await.status, 200);
    assert_eq!(world.count(Endpoint::Me), 6);
    assert_eq!(world.requests()[1].path_and_query, "/v1/me?x=1");
    assert_eq!(world.count(Endpoint::Token), 0);
}

#[tokio::test]
async fn libraries_can_be_large() {
    let world = world().with_library("nina", 2000);
    world.add_listener(Listener::new("ivo"));
    let token = world.sign_in("nina", SCOPES).access;
    let path = "/v1/me/playlists?limit=50&offset=1950";
    let last = get_as(&world, &token, path).await.json();
    assert_eq!(last["items"].as_array().unwrap().len(), 50);
    assert!(last["next"].is_null() && last["total"] == 2000);
    let none = world.sign_in("ivo", SCOPES).access;
    let none = get_as(&world, &none, "/v1/me/playlists").await.json();
    assert_eq!((&none["total"], none["items"].as_array().map(Vec::len)), (&0.into(), Some(0)));
}

#[tokio::test]
async fn covers_are_pictures_that_cannot_do_anything() {
    let cover = get(&world(), "/covers/abc?size=60").await;
    assert_eq!(cover.status, 200);
    assert_eq!(cover.header("content-type"), "image/svg+xml");
    assert_eq!(cover.header("x-content-type-options"), "nosniff");
    assert!(cover.header("content-security-policy").contains("default-src 'none'"));
    assert!(cover.header("cache-control").contains("max-age"));
    assert!(cover.body.contains("width=\"60\""));
    assert_eq!(get(&world(), "/covers/expired-abc").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_ends_before_the_body_does() {
    let world = world();
    let token = world.sign_in("ada", SCOPES).access;
    world.fault(Endpoint::Me, Fault::CutOff, 1);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router(world)).await });
    let request =
        format!("GET /v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
    let read = move || {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = tokio::task::spawn_blocking(read).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
    assert!(length.unwrap().parse::<usize>().unwrap() > body.len());
}

#[tokio::test]
async fn other_faults_look_as_they_should() {
    let world = world();
    for (fault, status, body) in [
        (Fault::Empty, 200, ""),
        (Fault::Status(503, "busy".into(), "text/plain"), 503, "busy"),
        (Fault::Redirect("https://evil.test/".into()), 302, ""),
    ] {
        world.fault(Endpoint::Token, fault, 1);
        let answer = refresh(&world, "AQ").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body));
    }
    world.fault(Endpoint::Token, Fault::Empty, u32::MAX);
    world.mend();
    assert_eq!(refresh(&world, "AQ").await.status, 400);
    world.fault(Endpoint::Token, Fault::Hang, 1);
    let waited = tokio::time::timeout(Duration::from_millis(50), refresh(&world, "AQ")).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn it_can_be_mounted_below_a_path() {
    let world = world();
    let mounted = axum::Router::new().nest("/fake-spotify", router(world.clone()));
    for (path, status) in
        [("/fake-spotify/v1/me", 401), ("/fake-spotify/v1/nothing", 404), ("/fake-spotify/style.css", 200)]
    {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = mounted.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    assert_eq!(world.requests()[0].path_and_query, "/fake-spotify/v1/me");
}

//! Mira's library has every irregularity of real libraries.

use super::*;

type Kind<'a> = (&'a str, &'a dyn Fn(&Value) -> bool);

async fn miras_library(fake: &FakeSpotify) -> Vec<Value> {
    let token = fake.issue_tokens("mira", SCOPES).access_token;
    let mut entries = Vec::new();
    for offset in (0..).step_by(50) {
        let path = format!("/v1/me/playlists?limit=50&offset={offset}");
        let page = get_as(fake, &token, &path).await.json();
        assert_eq!(page["total"], 130);
        entries.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => assert!(next.contains("/v1/users/mira.test/playlists?"), "{next}"),
            None => return entries,
        }
        assert_eq!(entries.len(), offset + 50);
    }
    entries
}

#[tokio::test]
async fn the_messy_library_has_every_irregularity() {
    let library = miras_library(&server()).await;
    assert_eq!(library.len(), 127);
    let has = |test: &dyn Fn(&Value) -> bool| library.iter().any(test);
    let has_field = |e: &Value, field: &str| e.get(field).is_some();
    let text = |e: &Value, field: &str| e[field].as_str().unwrap_or("").to_owned();
    let own = |e: &Value| e["owner"]["id"] == "mira.test";
    let kinds: [Kind; 20] = [
        ("null entry", &|e| e.is_null()),
        ("images null", &|e| has_field(e, "images") && e["images"].is_null()),
        ("images empty", &|e| e["images"] == serde_json::json!([])),
        ("three sizes", &|e| e["images"].as_array().is_some_and(|i| i.len() == 3)),
        ("height null", &|e| has_field(&e["images"][0], "height") && e["images"][0]["height"].is_null()),
        ("expired", &|e| text(&e["images"][0], "url").contains("/covers/expired-")),
        ("nameless owner", &|e| e.is_object() && e["owner"]["display_name"].is_null()),
        ("description null", &|e| e.is_object() && e["description"].is_null()),
        ("entities", &|e| text(e, "description").contains("&amp;")),
        ("link", &|e| text(e, "description").contains("<a href=\"spotify:playlist:")),
        ("followed, no count", &|e| e.is_object() && !own(e) && !has_field(e, "items") && !has_field(e, "tracks")),
        ("tracks only", &|e| has_field(e, "tracks") && !has_field(e, "items")),
        ("both", &|e| has_field(e, "tracks") && has_field(e, "items")),
        ("empty playlist", &|e| e["items"]["total"] == 0),
        ("empty name", &|e| e["name"] == ""),
        ("hundred characters", &|e| text(e, "name").chars().count() == 100),
        ("right to left", &|e| text(e, "name").contains('أ')),
        ("collaborative", &|e| e["collaborative"] == true),
        ("public null", &|e| e.is_object() && e["public"].is_null()),
        ("unknown field", &|e| has_field(e, "vibe") && has_field(e, "primary_color")),
    ];
    for (kind, test) in kinds {
        assert!(has(test), "no {kind}");
    }
    assert_eq!(library[49]["id"], library[50]["id"]);
}

#[tokio::test]
async fn next_links_to_a_path_that_returns_403() {
    let fake = server();
    let token = fake.issue_tokens("mira", SCOPES).access_token;
    let page = get_as(&fake, &token, "/v1/me/playlists").await.json();
    let next = page["next"].as_str().unwrap();
    let path = next.strip_prefix("http://127.0.0.1:8080/fake-spotify").unwrap();
    assert_eq!(get_as(&fake, &token, path).await.status, 403);
}

#[tokio::test]
async fn every_playlist_of_the_messy_library_can_be_opened() {
    let fake = server();
    let token = fake.issue_tokens("mira", SCOPES).access_token;
    for playlist in fake.user("mira").unwrap().playlists() {
        let path = format!("/v1/playlists/{}", playlist.id);
        let whole = get_as(&fake, &token, &path).await;
        assert_eq!(whole.status, 200);
        assert!(whole.json()["images"].is_array());
        let inside = whole.json().get("items").is_some();
        let items = get_as(&fake, &token, &format!("{path}/items")).await.status;
        assert_eq!(items == 200, inside);
    }
}

#[tokio::test]
async fn items_include_local_files_episodes_and_nulls() {
    let fake = server();
    let token = fake.issue_tokens("mira", SCOPES).access_token;
    let mira = fake.user("mira").unwrap();
    let long = mira.playlists().into_iter().find(|p| p.length == 1234).unwrap().id.clone();
    let path = format!("/v1/playlists/{long}/items?limit=50");
    let page = get_as(&fake, &token, &path).await.json();
    let items = page["items"].as_array().unwrap();
    assert!(items.iter().any(|i| i["item"].is_null()));
    assert!(items.iter().any(|i| i["is_local"] == true && i["item"]["id"].is_null()));
    assert!(items.iter().any(|i| i["item"]["type"] == "episode"));
    assert!(items.iter().any(|i| i["added_at"].is_null()));
    assert_eq!(page["total"], 1234);
    let last = get_as(&fake, &token, &format!("{path}&offset=1200")).await.json();
    assert_eq!(last["items"].as_array().unwrap().len(), 34);
}

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn page(json: &str) -> Page<Playlist> {
    serde_json::from_str(json).unwrap()
}

#[test]
fn null_and_invalid_entries_keep_their_positions() {
    let page = page(
        r#"{"items":[null,{"id":"3cEYpjA9oz9GiPac4AsH4n","name":7,"images":null,"owner":null,"new":{}},{"id":"short"},5],"total":"many"}"#,
    );
    let items = page.items.unwrap();
    assert_eq!(items.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(items[1].as_ref().unwrap().name, None);
    assert_eq!(page.total, None);
}

#[test]
fn a_lone_surrogate_is_replaced() {
    let json = r#"{"items":[{"id":"3cEYpjA9oz9GiPac4AsH4n","name":"a\ud83d b\ud83d\ude00 \\ud83d \"\udc00"}]}"#;
    let page: Page<Playlist> = parse(json.as_bytes()).unwrap();
    let name = page.items.unwrap().remove(0).unwrap().name.unwrap();
    assert_eq!(name, "a\u{fffd} b\u{1f600} \\ud83d \"\u{fffd}");
}

#[test]
fn characters_that_html_forbids_are_replaced() {
    let json = r#"{"items":[{"id":"3cEYpjA9oz9GiPac4AsH4n","name":"a\u0000\u000b\u0085\uffff\ud83f\udffe\n é🎧"}]}"#;
    let page: Page<Playlist> = parse(json.as_bytes()).unwrap();
    let name = page.items.unwrap().remove(0).unwrap().name.unwrap();
    assert_eq!(name, "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\n é🎧");
}

#[test]
fn items_and_tracks_are_both_read() {
    for key in ["items", "tracks"] {
        let json = format!(
            r#"{{"id":"3cEYpjA9oz9GiPac4AsH4n","{key}":{{"total":3,"items":[{{"item":{{"name":"a"}}}},{{"track":{{"name":"b"}}}},{{"item":null}}]}}}}"#
        );
        let playlist: Playlist = serde_json::from_str(&json).unwrap();
        assert_eq!(playlist.item_count(), Some(3));
        let items = playlist.into_items().unwrap().items.unwrap();
        let names: Vec<_> = items
            .iter()
            .map(|entry| entry.as_ref().unwrap().track_or_episode().and_then(|item| item.name.as_deref()))
            .collect();
        assert_eq!(names, [Some("a"), Some("b"), None]);
    }
}

fn hosts() -> PictureHosts {
    PictureHosts::new(&url::Url::parse("https://api.spotify.com/v1").unwrap())
}

#[test]
fn the_cover_is_the_smallest_large_enough_image() {
    let cover = |images: &str| {
        let json = format!(r#"{{"id":"3cEYpjA9oz9GiPac4AsH4n","images":{images}}}"#);
        serde_json::from_str::<Playlist>(&json).unwrap().cover(&hosts()).map(str::to_owned)
    };
    let sizes = r#"[{"url":"https://i.scdn.co/640","width":640},{"url":"https://i.scdn.co/300","width":300},{"url":"https://i.scdn.co/60","width":60}]"#;
    assert_eq!(cover(sizes).unwrap(), "https://i.scdn.co/300");
    assert_eq!(cover(r#"[{"url":"https://i.scdn.co/up","width":null}]"#).unwrap(), "https://i.scdn.co/up");
    assert_eq!(cover(r#"[{"url":"javascript:1","width":300}]"#), None);
    assert_eq!(cover("null"), None);
    assert_eq!(cover("[]"), None);
}

/// Any JSON, often with field names that the parser reads.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "items", "tracks", "item", "track", "id", "name", "next", "total", "images", "url", "width", "owner",
            "display_name", "account_id", "artists", "duration_ms", "type", "public", "collaborative", "is_local",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
        "[0-9A-Za-z]{22}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn parse_all(body: &[u8]) {
    let _ = parse::<Me>(body);
    let _ = parse::<Page<PlaylistItem>>(body);
    if let Ok(page) = parse::<Page<Playlist>>(body) {
        for playlist in page.items.into_iter().flatten().flatten() {
            let _ = (playlist.cover(&hosts()).map(str::len), playlist.item_count());
            let items = playlist.into_items().and_then(|page| page.items).unwrap_or_default();
            let _ = items
                .iter()
                .flatten()
                .filter_map(PlaylistItem::track_or_episode)
                .filter_map(|item| item.artists.as_ref())
                .count();
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_input_does_not_panic(json in any_json(), bytes in any::<Vec<u8>>()) {
        parse_all(json.to_string().as_bytes());
        parse_all(&bytes);
    }

    #[test]
    fn an_invalid_entry_does_not_affect_its_neighbours(invalid in any_json()) {
        let good = json!({"id": "3cEYpjA9oz9GiPac4AsH4n", "name": "kept"});
        let body = json!({"items": [invalid, good], "total": invalid, "next": invalid}).to_string();
        let items = parse::<Page<Playlist>>(body.as_bytes()).unwrap().items.unwrap();
        prop_assert_eq!(items.len(), 2);
        prop_assert_eq!(items[1].as_ref().unwrap().name.as_deref(), Some("kept"));
    }

    #[test]
    fn valid_text_is_unchanged(text in any::<String>()) {
        let json = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(serde_json::from_str::<String>(&replace_lone_surrogates(&json)).unwrap(), text);
    }
}

#[test]
fn a_deeply_nested_response_is_rejected() {
    let deep = format!("{}{}", r#"{"items":["#.repeat(100_000), "]}".repeat(100_000));
    assert!(matches!(parse::<Page<Playlist>>(deep.as_bytes()), Err(Error::InvalidResponse(_))));
}

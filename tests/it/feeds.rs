//! Feeds of shared hearts: Atom (RFC 4287) and JSON Feed 1.1.

use fake_spotify::User;
use reqwest::Method;
use roxmltree::{Document, Node};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::Site;
use crate::support::raw_http::get_raw;
use crate::support::sharing::{create_secret_link, publish_page_at, sign_in_with_hearts};
use crate::support::visitor::Visitor;

const ATOM_NAMESPACE: &str = "http://www.w3.org/2005/Atom";
const DISPLAY_NAME: &str = "Lena & \"<Co>\"";
/// A playlist name full of characters that XML escapes or forbids.
const PLAYLIST_NAME: &str = "<b>R&B</b> \"é\" ]]> 🎧 \u{b}\u{fffe}";

fn only_child<'a>(node: Node<'a, 'a>, name: &str) -> Node<'a, 'a> {
    let mut found = node.children().filter(|child| child.has_tag_name((ATOM_NAMESPACE, name)));
    let first = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(found.next().is_none(), "{name} twice");
    first
}

fn child_text<'a>(node: Node<'a, 'a>, name: &str) -> &'a str {
    only_child(node, name).text().unwrap_or_default()
}

/// Address of the link with this relation.
fn link_href<'a>(node: Node<'a, 'a>, relation: &str) -> &'a str {
    let mut links = node.children().filter(|child| child.has_tag_name((ATOM_NAMESPACE, "link")));
    links.find(|link| link.attribute("rel") == Some(relation)).and_then(|link| link.attribute("href")).unwrap()
}

fn parse_date(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap_or_else(|error| panic!("{text}: {error}"))
}

async fn add_listener_with_special_characters(site: &Site) {
    let mut lena = User::with_library("lena", 60);
    lena.display_name = Some(DISPLAY_NAME.into());
    lena.library[49].as_mut().unwrap().name = PLAYLIST_NAME.into();
    site.spotify.add_user(lena);
}

#[tokio::test]
async fn atom_feed_follows_rfc_4287() {
    let site = Site::open().await;
    add_listener_with_special_characters(&site).await;
    let (lena, ids) = sign_in_with_hearts(&site, "lena").await;
    publish_page_at(&lena, "lena").await;
    let page = site.visitor().get("/u/lena").await;
    for meta in ["meta[name=description]", "meta[property='og:description']"] {
        assert_eq!(page.attribute(meta, "content"), format!("50 playlists hearted by {DISPLAY_NAME}."));
    }
    let feed = page.attribute("link[rel=alternate][type='application/atom+xml']", "href");
    let response = site.visitor().get(&feed).await;
    assert_eq!((response.status, response.header("content-type")), (200, "application/atom+xml; charset=utf-8"));
    let document = Document::parse(&response.html).unwrap();
    let root = document.root_element();
    assert!(root.has_tag_name((ATOM_NAMESPACE, "feed")));
    assert_eq!(child_text(root, "title"), format!("{DISPLAY_NAME}’s hearts"));
    assert_eq!(child_text(only_child(root, "author"), "name"), DISPLAY_NAME);
    assert!(child_text(root, "subtitle").contains("not affiliated with Spotify"));
    assert_eq!(link_href(root, "self"), format!("{}/u/lena/atom.xml", site.base));
    assert_eq!(link_href(root, "alternate"), format!("{}/u/lena", site.base));
    assert!(child_text(root, "id").starts_with("tag:127.0.0.1,") && !child_text(root, "id").contains("lena"));

    let entries: Vec<_> = root.children().filter(|child| child.has_tag_name((ATOM_NAMESPACE, "entry"))).collect();
    assert_eq!(entries.len(), 50);
    assert_eq!(
        child_text(entries[0], "title"),
        "<b>R&B</b> \"é\" ]]> 🎧 \u{fffd}\u{fffd}",
        "the newest, without what XML cannot hold"
    );
    for (entry, id) in entries.iter().zip(ids.iter().rev()) {
        assert_eq!(child_text(*entry, "id"), format!("{}/{id}", child_text(root, "id")));
        assert_eq!(link_href(*entry, "alternate"), format!("https://open.spotify.com/playlist/{id}"));
        assert_eq!(parse_date(child_text(*entry, "updated")), parse_date(child_text(*entry, "published")));
        assert!(parse_date(child_text(*entry, "updated")) <= parse_date(child_text(root, "updated")));
        assert!(child_text(*entry, "summary").starts_with("A playlist"));
    }
}

#[tokio::test]
async fn json_feed_follows_version_1_1() {
    let site = Site::open().await;
    add_listener_with_special_characters(&site).await;
    let (lena, ids) = sign_in_with_hearts(&site, "lena").await;
    publish_page_at(&lena, "lena").await;
    let page = site.visitor().get("/u/lena").await;
    let feed = page.attribute("link[rel=alternate][type='application/feed+json']", "href");
    let response = site.visitor().get(&feed).await;
    assert_eq!((response.status, response.header("content-type")), (200, "application/feed+json"));
    let feed = response.json();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(feed["title"], format!("{DISPLAY_NAME}’s hearts"));
    assert_eq!(feed["feed_url"], format!("{}/u/lena/feed.json", site.base));
    assert_eq!(feed["home_page_url"], format!("{}/u/lena", site.base));
    assert_eq!(feed["authors"], serde_json::json!([{ "name": DISPLAY_NAME }]));
    assert!(feed["description"].as_str().unwrap().contains("not affiliated with Spotify"));
    let known = ["version", "title", "description", "home_page_url", "feed_url", "authors", "items"];
    assert!(feed.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{feed}");
    let items = feed["items"].as_array().unwrap();
    assert_eq!(items.len(), 50);
    for (item, id) in items.iter().zip(ids.iter().rev()) {
        assert_eq!(item["url"], format!("https://open.spotify.com/playlist/{id}"));
        assert!(item["id"].as_str().unwrap().ends_with(id.as_str()));
        assert!(item["title"].is_string() && item["content_text"].as_str().unwrap().starts_with("A playlist"));
        parse_date(item["date_published"].as_str().unwrap());
    }
}

fn entry_ids(feed: &Value) -> Vec<String> {
    feed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn feed_ids_are_stable_per_address() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada").await;
    let link = create_secret_link(&ada).await;
    let visitor = site.visitor();
    let before = visitor.get("/u/ada/feed.json").await;
    let secret = entry_ids(&visitor.get(&format!("{link}/feed.json")).await.json());
    assert!(secret.iter().all(|id| !id.contains(&link[3..])), "who quotes an entry does not give the link away");
    assert!(entry_ids(&before.json()).iter().all(|id| !secret.contains(id)));
    site.advance(std::time::Duration::from_secs(3 * 24 * 3600));
    let again = [("if-none-match", before.header("etag"))];
    assert_eq!(visitor.request(Method::GET, "/u/ada/feed.json", &again, None).await.status, 304);
    ada.fetch(Method::PUT, "/heart/3cEYpjA9oz9GiPac4AsH4n").await;
    publish_page_at(&ada, "ada").await;
    assert_eq!(entry_ids(&visitor.get("/u/ada/feed.json").await.json()), entry_ids(&before.json()));
    publish_page_at(&ada, "ada-two").await;
    let moved = entry_ids(&visitor.get("/u/ada-two/feed.json").await.json());
    assert!(moved.iter().all(|id| !entry_ids(&before.json()).contains(id)));
}

/// All ids in a feed of each kind, of the page and the link.
async fn all_ids(visitor: &Visitor, base: &str, host: &str, paths: [&str; 2]) -> Vec<String> {
    let mut ids = Vec::new();
    for path in paths {
        let get = async |file: &str| {
            visitor.request(Method::GET, &format!("{base}{path}/{file}"), &[("host", host)], None).await
        };
        let (atom, json) = (get("atom.xml").await, get("feed.json").await);
        let document = Document::parse(&atom.html).unwrap();
        ids.extend(
            document
                .descendants()
                .filter(|node| node.has_tag_name((ATOM_NAMESPACE, "id")))
                .map(|id| id.text().unwrap().to_owned()),
        );
        ids.extend(entry_ids(&json.json()));
    }
    ids
}

#[tokio::test]
async fn feed_ids_survive_change_of_domain() {
    let mut site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada").await;
    let link = create_secret_link(&ada).await;
    for is_old in [false, true] {
        if is_old {
            // As published by the release before.
            let query = "update shares set page_feed_id = null, link_feed_id = null";
            sqlx::query(query).execute(&site.db).await.unwrap();
        }
        let visitor = site.visitor();
        let here = site.base.clone();
        let before = all_ids(&visitor, &here, here.strip_prefix("http://").unwrap(), ["/u/ada", &link]).await;
        site.backfill_feed_ids().await;
        for (domain, host) in
            [("https://hearts.example", "hearts.example"), ("https://other.example:8443", "other.example:8443")]
        {
            let there = site.start_process_at(domain).await;
            assert_eq!(all_ids(&visitor, &there, host, ["/u/ada", &link]).await, before, "{domain}, old: {is_old}");
        }
    }
}

#[tokio::test]
async fn empty_feed_is_valid() {
    let site = Site::open().await;
    let noor = site.sign_in("noor").await;
    publish_page_at(&noor, "noor").await;
    let atom = site.visitor().get("/u/noor/atom.xml").await;
    let document = Document::parse(&atom.html).unwrap();
    parse_date(child_text(document.root_element(), "updated"));
    assert_eq!(site.visitor().get("/u/noor/feed.json").await.json()["items"], serde_json::json!([]));
}

#[tokio::test]
async fn if_none_match_ignores_strength_of_tag() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada").await;
    let link = create_secret_link(&ada).await;
    for path in ["/u/ada", "/u/ada/atom.xml", "/u/ada/feed.json", &link, "/robots.txt", "/favicon.svg"] {
        let (_, headers, _) = get_raw(&site, path, &[]).await;
        let opaque = headers["etag"].to_str().unwrap().trim_start_matches("W/").to_owned();
        for known in [opaque.clone(), format!("W/{opaque}"), format!("\"other\", {opaque}"), "*".into()] {
            let (status, _, body) = get_raw(&site, path, &[("if-none-match", &known)]).await;
            assert_eq!((status, body.len()), (304, 0), "{path} {known}");
        }
        // As Apache changes the tag of a compressed response.
        if path.starts_with("/u/") || path == link {
            for coding in ["gzip", "br"] {
                let known = format!("W/{}-{coding}\"", opaque.trim_end_matches('"'));
                assert_eq!(get_raw(&site, path, &[("if-none-match", &known)]).await.0, 304, "{path} {known}");
            }
        }
        let (status, ..) = get_raw(&site, path, &[("if-none-match", "W/\"other\"")]).await;
        assert_eq!(status, 200, "{path}");
    }
}

//! Transferred size of the first view of the playlists.

use serde::Deserialize;
use serde_json::json;

use super::open_as;
use crate::support::Site;
use crate::support::browser::Browser;
use crate::support::raw_http::{get_raw, gzipped_size};

/// Maximum size without images and the font, in compressed bytes.
const MAX_BYTES: usize = 60_000;
/// The page and every resource that it loaded.
const LOADED_RESOURCES: &str = "['navigation', 'resource'].flatMap(type => performance.getEntriesByType(type)) \
    .map(entry => ({ address: entry.name, picture: entry.initiatorType === 'img' \
        || /[.](woff2|svg)$/.test(entry.name) }))";

#[derive(Debug, Deserialize)]
struct Resource {
    address: String,
    picture: bool,
}

/// The browser's `Cookie` header, for a request outside of it.
async fn cookie_header(browser: &Browser) -> String {
    let response = browser.devtools("Network.getCookies", json!({})).await;
    let cookies = response["cookies"].as_array().unwrap().iter();
    let pair = |cookie: &serde_json::Value| {
        format!("{}={}", cookie["name"].as_str().unwrap(), cookie["value"].as_str().unwrap())
    };
    cookies.map(pair).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn first_view_weighs_less_than_60_kb_from_one_host() {
    let site = Site::open().await;
    let browser = open_as(&site, "mira").await;
    browser.devtools("Network.clearBrowserCache", json!({})).await;
    browser.go("/playlists").await;
    browser.wait_for("document.readyState === 'complete'").await;
    let (pictures, others): (Vec<Resource>, Vec<_>) =
        browser.eval::<Vec<Resource>>(LOADED_RESOURCES).await.into_iter().partition(|fetched| fetched.picture);
    assert!(!pictures.is_empty() && others.len() >= 4, "the page, the stylesheet, two scripts: {others:#?}");

    let headers = [("accept-encoding", "gzip"), ("cookie", &*cookie_header(&browser).await)];
    let mut weight = 0;
    for Resource { address, .. } in &others {
        let path = address.strip_prefix(&site.base).unwrap_or_else(|| panic!("{address} is at another host"));
        let (status, headers, body) = get_raw(&site, path, &headers).await;
        assert_eq!(status, 200, "{path}");
        weight += if headers.contains_key("content-encoding") { body.len() } else { gzipped_size(body).await };
    }
    assert!(weight < MAX_BYTES, "{weight} bytes");
}

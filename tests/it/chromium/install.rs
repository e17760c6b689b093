//! What Chromium makes of the web manifest, and adding links from elsewhere.

use serde_json::{Value, json};

use super::{open_as_ada, sign_in};
use crate::support::Site;
use crate::support::browser::Browser;

async fn read_manifest(browser: &Browser) -> Value {
    let manifest = browser.devtools("Page.getAppManifest", json!({})).await;
    assert_eq!(manifest["errors"], json!([]));
    serde_json::from_str(manifest["data"].as_str().unwrap()).unwrap()
}

/// Ids of the reasons for which Chromium would not install the page. The tests' profile is not an incognito one, so
/// there is no `in-incognito`.
async fn installability_errors(browser: &Browser) -> Vec<String> {
    let answer = browser.devtools("Page.getInstallabilityErrors", json!({})).await;
    let errors = answer["installabilityErrors"].as_array().unwrap();
    errors.iter().map(|error| error["errorId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn chromium_reads_the_manifest_without_errors_and_would_install_the_app() {
    let site = Site::open().await;
    let browser = match Browser::open_whole(&site).await {
        Some(browser) => {
            browser.open_url(site.spotify_url()).await;
            assert_eq!(installability_errors(&browser).await, ["no-manifest"], "this browser judges");
            browser
        }
        // Which installs nothing, and finds no error anywhere.
        None => Browser::open(&site).await,
    };
    sign_in(&browser, "ada").await;
    for path in ["/playlists", "/hearts", "/add"] {
        browser.go(path).await;
        let manifest = read_manifest(&browser).await;
        assert_eq!(installability_errors(&browser).await, [""; 0], "{path}");
        let is_large = |icon: &Value| icon["sizes"] == "512x512" && icon.get("purpose").is_none();
        assert!(manifest["icons"].as_array().unwrap().iter().any(is_large), "which it needs for its splash screen");
    }
}

#[tokio::test]
async fn share_target_of_the_manifest_opens_the_form_with_the_playlist() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    let name = browser.text(".card:first-child .name").await;
    let id: String = browser.eval("document.querySelector('.card').id.slice(2)").await;
    let target = read_manifest(&browser).await["share_target"].take();
    assert_eq!(target["method"], "GET");
    // As Chromium on Android opens it for Spotify: the link is in the text, and there is no URL.
    let text = format!("Listen!\nhttps://open.spotify.com/playlist/{id}?si=1");
    let fields = [("title", "A playlist"), ("text", &text)]
        .map(|(field, value)| (target["params"][field].as_str().unwrap(), value));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    browser.go(&format!("{}?{query}", target["action"].as_str().unwrap())).await;
    assert_eq!(browser.text(".link-preview b").await, name);
    browser.click(".link-form .button-primary").await;
    browser.wait_for_text("main [role=status]", "Hearted.").await;
    assert_eq!(site.count_hearts().await, 1);
}

#[tokio::test]
async fn bookmark_leads_from_another_site_to_the_form() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    browser.go("/add").await;
    let bookmark: String = browser.eval("document.querySelector('[data-copy^=javascript]').dataset.copy").await;
    // By another name it is another site, so that the session's cookie comes with navigations alone.
    let elsewhere = site.spotify_url().replace("127.0.0.1", "localhost") + "/playlist/x?si=1&b=ü#top";
    browser.open_url(&elsewhere).await;
    let url: String = browser.eval("location.href").await;
    let script = bookmark.strip_prefix("javascript:").unwrap();
    browser.devtools("Runtime.evaluate", json!({ "expression": script })).await;
    browser.find("#link").await;
    assert_eq!(browser.eval::<String>("document.querySelector('#link').value").await, url);
    let query: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    assert_eq!(browser.location().await, format!("/add?link={query}"));
}

//! The sharing settings, and the pages that they publish.

use reqwest::Method;

use super::Site;
use super::page::Page;
use super::raw_http::get_raw;
use super::visitor::Visitor;

pub(crate) const SETTINGS: &str = "/account/sharing";

/// Signs in and hearts the first page of the library; returns the ids.
pub(crate) async fn sign_in_with_hearts(site: &Site, user: &str) -> (Visitor, Vec<String>) {
    let visitor = site.sign_in(user).await;
    let ids = visitor.open("/playlists").await.playlist_ids();
    for id in &ids {
        visitor.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    (visitor, ids)
}

/// Publishes the visitor's page at `slug`; returns the next page.
pub(crate) async fn publish_page_at(visitor: &Visitor, slug: &str) -> Page {
    visitor.submit(visitor.open(SETTINGS).await.form("#slug").with("slug", slug)).await
}

/// Turns the public `page` or the secret `link` on or off.
pub(crate) async fn set_sharing(visitor: &Visitor, part: &str, on: &str) -> Page {
    let form = format!("form[action='/account/sharing/{part}']:has(input[value={on}])");
    visitor.submit(visitor.open(SETTINGS).await.form(&form)).await
}

/// Turns `notes` or the `embed` card on or off.
pub(crate) async fn set_option(visitor: &Visitor, option: &str) -> Page {
    let form = format!("form:has(input[name=option][value={option}])");
    visitor.submit(visitor.open(SETTINGS).await.form(&form)).await
}

/// Gives a tag a page of its own; returns the next page.
pub(crate) async fn share_tag(visitor: &Visitor, tag: &str) -> Page {
    visitor.submit(visitor.open(SETTINGS).await.form("#shared-tag").with("tag", tag)).await
}

/// Creates a secret link, or confirms that it replaces an earlier one. Returns its path.
pub(crate) async fn create_secret_link(visitor: &Visitor) -> String {
    let page = match visitor.open(SETTINGS).await.has("a[href='/account/sharing/link']") {
        true => {
            visitor
                .submit(visitor.open("/account/sharing/link").await.form("form[action='/account/sharing/link']"))
                .await
        }
        false => set_sharing(visitor, "link", "true").await,
    };
    let path = page.attribute("a.copy-value[href*='/s/']", "href");
    path.split_once("/s/").map(|(_, token)| format!("/s/{token}")).unwrap()
}

/// Fails unless `page` has a valid link preview image. Returns its pixels.
pub(crate) async fn assert_preview_image(site: &Site, page: &Page) -> Vec<u8> {
    let meta = |property: &str| page.attribute(&format!("meta[property='og:image{property}']"), "content");
    assert_eq!(
        (meta(":width").as_str(), meta(":height").as_str(), meta(":type").as_str()),
        ("1200", "630", "image/png")
    );
    assert!(meta(":alt").contains("Heartlist"));
    assert_eq!(page.attribute("meta[name='twitter:card']", "content"), "summary_large_image");
    let address = meta("");
    let path = address.strip_prefix(&site.base).expect("a whole address of ours");
    let (status, headers, picture) = get_raw(site, path, &[]).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "image/png"));
    assert!(picture.len() < 60_000, "light");
    let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.width, frame.height), (1200, 630));
    assert!(pixels.iter().any(|pixel| *pixel != pixels[0]), "not blank");
    pixels
}

//! Preview images of shared pages.

use std::time::Duration;

use fake_spotify::User;
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::raw_http::get_raw;
use crate::support::sharing::{
    assert_preview_image, create_secret_link, publish_page_at, set_sharing, share_tag, sign_in_with_hearts,
};
use crate::support::visitor::Visitor;

/// Lena's public page at `/u/lena`, with three hearts, of which the first has the tag.
async fn open_tagged(tag: &str) -> (Site, Visitor, Vec<String>) {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 3));
    let (lena, ids) = sign_in_with_hearts(&site, "lena").await;
    lena.annotate(&ids[0], "", tag).await;
    publish_page_at(&lena, "lena").await;
    (site, lena, ids)
}

/// Pixels and description of a page's preview image.
async fn preview(site: &Site, path: &str) -> (Vec<u8>, String) {
    let page = site.visitor().get(path).await;
    let meta = |property: &str| page.attribute(&format!("meta[property='og:image{property}']"), "content");
    assert_eq!(meta(""), format!("{}{path}/preview.png", site.base));
    (assert_preview_image(site, &page).await, meta(":alt"))
}

async fn rename(site: &Site, name: &str) {
    site.spotify.update_user("lena", |lena| lena.display_name = Some(name.into()));
    site.advance(Duration::from_secs(1));
    site.sign_in("lena").await;
}

#[tokio::test]
async fn preview_image_of_a_shared_page_has_name_count_and_tag() {
    let (site, lena, ids) = open_tagged("Late Night").await;
    let link = create_secret_link(&lena).await;
    share_tag(&lena, "late night").await;
    let (all, alt) = preview(&site, "/u/lena").await;
    assert_eq!(alt, "Lena’s hearts, 3 playlists on Heartlist");
    assert_eq!(preview(&site, &link).await, (all.clone(), alt));
    let (tagged, alt) = preview(&site, "/u/lena/tags/late%20night").await;
    assert_eq!(alt, "Lena’s hearts: Late Night, 1 playlist on Heartlist");
    assert!(tagged != all && tagged == preview(&site, &format!("{link}/tags/late%20night")).await.0);
    lena.fetch(Method::DELETE, &format!("/heart/{}", ids[2])).await;
    let (fewer, alt) = preview(&site, "/u/lena").await;
    assert!(fewer != all && alt == "Lena’s hearts, 2 playlists on Heartlist", "{alt}");
    rename(&site, "Ada").await;
    assert!(preview(&site, "/u/lena").await.0 != fewer);
    // Scripts that the font lacks: the same picture without a name.
    rename(&site, "雨の音").await;
    let (nameless, alt) = preview(&site, "/u/lena").await;
    assert_eq!(alt, "雨の音’s hearts, 2 playlists on Heartlist");
    rename(&site, "🎧").await;
    assert!(nameless != fewer && preview(&site, "/u/lena").await.0 == nameless);
}

#[tokio::test]
async fn preview_image_is_revalidated_and_may_be_shown_by_other_sites() {
    let (site, lena, ids) = open_tagged("rain").await;
    let get = async |path: &str, known: &str| get_raw(&site, path, &[("if-none-match", known)]).await;
    let (_, headers, _) = get("/u/lena/preview.png", "").await;
    assert_eq!(headers["cache-control"], "public, no-cache");
    assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
    assert!(!headers.contains_key("set-cookie"));
    let etag = headers["etag"].to_str().unwrap();
    let (status, _, body) = get("/u/lena/preview.png", etag).await;
    assert_eq!((status, body.len()), (304, 0));
    lena.fetch(Method::DELETE, &format!("/heart/{}", ids[0])).await;
    assert_eq!(get("/u/lena/preview.png", etag).await.0, 200);
}

#[tokio::test]
async fn preview_image_ends_with_its_page() {
    let (site, lena, _) = open_tagged("rain").await;
    let link = create_secret_link(&lena).await;
    let visitor = site.visitor();
    let get = async |root: &str, page: &str| visitor.get(&format!("{root}{page}/preview.png")).await;
    let is_gone = |page: &Page| page.status == 410 && page.text("h1") == "Nothing is shared here";
    for root in ["/u/lena", &link] {
        assert!(is_gone(&get(root, "/tags/rain").await), "not shared so far");
    }
    share_tag(&lena, "rain").await;
    for root in ["/u/lena", &link] {
        assert_eq!([get(root, "").await.status, get(root, "/tags/rain").await.status], [200, 200]);
    }
    let renewed = create_secret_link(&lena).await;
    assert!(is_gone(&get(&link, "").await) && is_gone(&get(&link, "/tags/rain").await));
    for (part, root) in [("page", "/u/lena"), ("link", &renewed)] {
        assert_eq!(get(root, "").await.status, 200);
        set_sharing(&lena, part, "false").await;
        assert!(is_gone(&get(root, "").await) && is_gone(&get(root, "/tags/rain").await));
    }
    publish_page_at(&lena, "lena").await;
    sqlx::query("update shares set taken_down_at = now()").execute(&site.db).await.unwrap();
    assert!(is_gone(&get("/u/lena", "").await), "taken down by an operator");
}

#[tokio::test]
async fn preview_images_are_limited_to_sixty_a_minute() {
    let site = Site::open().await;
    site.freeze_clock();
    for n in 0..60 {
        assert_eq!(site.visitor().get("/u/nobody/preview.png").await.status, 410, "{n}");
    }
    assert_eq!(site.visitor().get("/u/nobody/tags/rain/preview.png").await.status, 429);
    assert_eq!(site.visitor().get("/u/nobody").await.status, 410);
}

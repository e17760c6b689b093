//! Rules for every page and every error page.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use scraper::{ElementRef, Html, Selector};

use crate::support::every_page::visit_every_page;
use crate::support::page::Page;
use crate::support::raw_http::get_raw;
use crate::support::rows::set_database_available;
use crate::support::{Site, wait_until};

#[tokio::test]
async fn every_page_has_title_heading_main_skip_link_and_way_home() {
    let site = Site::open().await;
    for (page, status) in visit_every_page(&site).await {
        let about = format!("{} {}:\n{}", page.status, page.url, page.html);
        assert_eq!(page.status, status, "{about}");
        assert!(page.header("content-type").starts_with("text/html"), "{about}");
        for one in ["h1", "main", "title", "html[lang=en]", "body > a.skip-link[href='#main']:first-child", "main#main"]
        {
            assert_eq!(page.count(one), 1, "{one} on {about}");
        }
        assert!(
            page.text("title").len() > "– Heartlist".len() && page.text("title").ends_with("– Heartlist"),
            "{about}"
        );
        assert!(!page.text("h1").is_empty(), "{about}");
        assert!(!page.has("details.demo-banner"), "the demo's banner on {about}");
        let home = page.attributes("a", "href");
        assert!(home.iter().any(|href| href == "/" || href == "/playlists"), "no way home on {about}");
    }
}

/// Headers checked by MDN's HTTP Observatory, except for the content policy; and no caching.
const SECURITY_HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

#[tokio::test]
async fn every_page_sends_security_headers_and_has_no_inline_code() {
    let site = Site::open().await;
    for (page, _) in visit_every_page(&site).await {
        let about = format!("{} {}", page.status, page.url);
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{about} {policy}"
        );
        assert!(
            !policy.contains("unsafe-") && !policy.contains("data:") && !policy.contains(" *;"),
            "{about} {policy}"
        );
        for (name, value) in SECURITY_HEADERS {
            assert_eq!(page.header(name), value, "{name} of {about}");
        }
        assert!(!page.has("style, [style], script:not([src]), base, iframe, object"), "inline on {about}");
        let document = Html::parse_document(&page.html);
        let every = all_elements();
        let handlers =
            document.select(&every).flat_map(|e| e.value().attrs()).filter(|(name, _)| name.starts_with("on"));
        assert_eq!(handlers.count(), 0, "a handler in an attribute on {about}");
        let addresses = ["href", "src", "action"].map(|name| page.attributes(&format!("[{name}]"), name)).concat();
        assert!(!addresses.iter().any(|address| address.starts_with("javascript:")), "{about}");
    }
}

fn all_elements() -> Selector {
    Selector::parse("*").unwrap()
}

#[tokio::test]
async fn every_control_and_image_has_accessible_name() {
    let site = Site::open().await;
    for (page, _) in visit_every_page(&site).await {
        let document = Html::parse_document(&page.html);
        assert!(!page.has("img:not([alt])"), "a picture without alt on {}", page.url);
        let controls = Selector::parse("button, summary, a[href], input:not([type=hidden]), select, textarea").unwrap();
        for control in document.select(&controls) {
            assert!(has_accessible_name(&page, control), "{} on {}", control.html(), page.url);
        }
    }
}

/// True if a control has an accessible name: its text, its aria-label or a label element.
fn has_accessible_name(page: &Page, control: ElementRef<'_>) -> bool {
    if control.attr("id").is_some_and(|id| page.has(&format!("label[for='{id}']"))) {
        return true;
    }
    let says = |element: ElementRef<'_>| element.text().any(|text| !text.trim().is_empty());
    let mut around =
        control.ancestors().filter_map(ElementRef::wrap).filter(|element| element.value().name() == "label");
    control.attr("aria-label").is_some_and(|name| !name.trim().is_empty()) || says(control) || around.any(says)
}

#[tokio::test]
async fn every_form_posts_to_an_existing_route() {
    let site = Site::open().await;
    let mut seen = HashSet::new();
    for (page, _) in visit_every_page(&site).await {
        let posts = page.attributes("form[method=post]", "action");
        // Only the search form and the field for a page are GETs.
        let gets = page.count("search form[method=get], .pager form");
        assert_eq!(posts.len() + gets, page.count("form"), "a form that is no post on {}", page.url);
        seen.extend(posts);
    }
    assert!(seen.len() >= 4, "{seen:?}");
    for action in seen {
        // The cross-site refusal (403) shows that the route exists, and changes nothing.
        let cross_site = [("sec-fetch-site", "cross-site")];
        let page = site.visitor().request(Method::POST, &action, &cross_site, Some(String::new())).await;
        assert_eq!(page.status, 403, "{action}");
        let allowed = site.visitor().request(Method::PATCH, &action, &[("sec-fetch-site", "same-origin")], None).await;
        assert!(allowed.header("allow").contains("POST"), "{action} takes {}", allowed.header("allow"));
    }
}

#[tokio::test]
async fn error_page_shows_request_id_where_the_fault_is_ours() {
    let site = Site::open().await;
    for (page, status) in visit_every_page(&site).await {
        let id = page.header("x-request-id");
        assert!(id.len() >= 16 && (status < 400 || !page.text("main").contains(id)), "{}", page.url);
        assert!(status < 400 || page.has("main .status-code") == (status == 404), "{}", page.url);
    }
    site.spotify.reset();
    let ada = site.sign_in("ada").await;
    sqlx::query("alter table user_hearts rename to lost").execute(&site.db).await.unwrap();
    let bearing = async |id: &str| ada.request(Method::GET, "/hearts", &[("x-request-id", id)], None).await;
    // Request ids that Heroku's router accepts.
    for mine in ["0123456789+/=-abcdEF".to_owned(), "x".repeat(65), "y".repeat(200)] {
        let page = bearing(&mine).await;
        assert_eq!((page.header("x-request-id"), page.text("main code")), (mine.as_str(), mine.clone()));
    }
    for bad in ["0123456789abcdefghi".to_owned(), "z".repeat(201), "<b>0123456789abcdef0".into(), "a b".repeat(9)] {
        let page = bearing(&bad).await;
        assert!(!page.html.contains(&bad) && page.header("x-request-id").len() == 36, "{bad}");
        assert_eq!(page.text("main .status-code"), "Error 500");
    }
}

#[tokio::test]
async fn server_error_page_shows_no_internals_and_says_if_anything_was_saved() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    sqlx::query("alter table user_hearts rename to lost").execute(&site.db).await.unwrap();
    let read = ada.get("/hearts").await;
    let written = ada.post("/heart/3cEYpjA9oz9GiPac4AsH4n", "hearted=true").await;
    for page in [&read, &written] {
        assert_eq!(
            (page.status, page.has("header nav"), page.has("main .recovery-links a")),
            (500, true, true),
            "{}",
            page.html
        );
        assert_eq!(page.text("main code"), page.header("x-request-id"));
        let html = page.html.to_lowercase();
        assert!(["user_hearts", "relation", "sqlx", "sqlstate"].iter().all(|word| !html.contains(word)), "{html}");
    }
    assert!(written.text("main").contains("saved"), "{}", written.text("main"));
}

#[tokio::test]
async fn unknown_path_is_404_page_with_way_home() {
    let site = Site::open().await;
    let page = site.visitor().get("/nope").await;
    assert_eq!((page.status, page.attribute("main .recovery-links a", "href").as_str()), (404, "/"));
    assert!(page.has("nav a[href='/login?next=%2Fplaylists']"), "{}", page.html);
    let inside = site.sign_in("mira").await.get("/nope").await;
    assert_eq!(inside.attribute("main .recovery-links a", "href"), "/playlists");
    assert!(inside.text("footer").contains("Signed in as"));
}

#[tokio::test]
async fn wrong_method_is_405_with_allow_header() {
    let site = Site::open().await;
    let page = site.visitor().get("/theme").await;
    assert_eq!((page.status, page.header("allow")), (405, "POST"));
    let heart = site.visitor().get("/heart/3cEYpjA9oz9GiPac4AsH4n").await;
    let mut allowed: Vec<_> = heart.header("allow").split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!((heart.status, allowed), (405, vec!["DELETE", "POST", "PUT"]));
}

/// A debug build reads static files from disk, does not compress them, and caches them for less long.
const IS_COMPRESSED: bool = !cfg!(debug_assertions);

#[tokio::test]
async fn static_files_are_hashed_compressed_and_cached() {
    let site = Site::open().await;
    let page = site.visitor().get("/").await;
    let mut files = page.attributes("script", "src");
    files.extend(page.attributes("link[rel=stylesheet], link[rel=icon], link[rel=preload]", "href"));
    assert_eq!(files.len(), 5);
    let kept =
        if IS_COMPRESSED { "max-age=31536000, immutable" } else { "max-age=604800, stale-while-revalidate=86400" };
    for file in files {
        let hash = file.rsplit('.').nth(1).unwrap();
        assert!(hash.len() >= 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{file}");
        let mut sizes = Vec::new();
        for encoding in ["identity", "gzip", "br"] {
            let (status, headers, body) = get_raw(&site, &file, &[("accept-encoding", encoding)]).await;
            assert_eq!((status, headers["cache-control"].to_str().unwrap()), (200, kept), "{file}");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            // A woff2 is compressed in itself.
            let is_compressed = IS_COMPRESSED && !file.ends_with(".woff2");
            if encoding != "identity" && is_compressed {
                assert_eq!(headers["content-encoding"], encoding, "{file}");
                assert!(headers["vary"].to_str().unwrap().to_lowercase().contains("accept-encoding"), "{file}");
            }
            let again = get_raw(&site, &file, &[("if-none-match", headers["etag"].to_str().unwrap())]).await;
            assert_eq!((again.0, again.2.len()), (304, 0), "{file}");
            sizes.push(body.len());
        }
        let is_smaller = sizes[1] < sizes[0] && sizes[2] < sizes[0];
        assert!(!IS_COMPRESSED || is_smaller || file.ends_with(".woff2"), "{file} {sizes:?}");
    }
}

#[tokio::test]
async fn stylesheet_names_its_files_as_pages_do() {
    let site = Site::open().await;
    let page = site.visitor().get("/").await;
    let css = site.visitor().get(&page.attribute("link[rel=stylesheet]", "href")).await.html;
    let font = page.attribute("link[rel=preload][as=font]", "href");
    assert!(css.contains(&format!("url(\"{font}\")")), "the font is loaded once: {font}");
    let files: Vec<&str> = css.split("url(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    for file in &files {
        assert_eq!(get_raw(&site, file, &[]).await.0, 200, "{file}");
    }
    assert!(files.len() >= 2 && get_raw(&site, &font, &[]).await.2.len() <= 40_000);
    assert!(page.header("content-security-policy").contains("font-src 'self'"));
}

#[tokio::test]
async fn chosen_theme_is_remembered_signed_in_or_not() {
    let site = Site::open().await;
    for (visitor, path) in [(site.visitor(), "/privacy"), (site.sign_in("ada").await, "/hearts?view=list")] {
        let theme = async |page: &Page| {
            let on = page.attributes(".theme [aria-pressed=true]", "value");
            (page.attributes("html", "data-theme"), page.attribute("meta[name=color-scheme]", "content"), on)
        };
        let mut page = visitor.open(path).await;
        let system = (vec![], "light dark".to_owned(), vec!["system".to_owned()]);
        assert_eq!(theme(&page).await, system);
        for key in ["dark", "light"] {
            let body = Some(format!("theme={key}"));
            let referer = page.url.to_string();
            let headers = [("sec-fetch-site", "same-origin"), ("referer", referer.as_str())];
            let response = visitor.request(Method::POST, "/theme", &headers, body).await;
            page = visitor.open(response.header("location")).await;
            assert_eq!(page.url.to_string(), referer, "back where it was chosen");
            assert_eq!(theme(&page).await, (vec![key.into()], key.into(), vec![key.into()]));
            assert_eq!(visitor.get("/nope").await.attributes("html", "data-theme"), [key]);
        }
        visitor.post("/theme", "theme=system").await;
        assert_eq!(theme(&visitor.open(path).await).await, system);
    }
}

#[tokio::test]
async fn address_of_every_form_that_may_be_returned_to_opens_a_page() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mut actions = HashSet::new();
    for (page, _) in visit_every_page(&site).await {
        actions.extend(page.attributes("form[method=post]", "action"));
    }
    let returned_to = ["hearts", "tags", "account", "operator", "invites", "add", "logout"];
    actions.retain(|action| returned_to.contains(&action.split('/').nth(1).unwrap()));
    assert!(actions.len() > 15, "{actions:?}");
    for action in actions {
        let page = ada.open(&action).await;
        assert!([200, 404].contains(&page.status), "{action}: {}", page.status);
    }

    for (path, body, back) in [
        ("/account/sharing/page", "on=true&slug=a", "/account/sharing"),
        ("/account/sharing/tags", "on=true&tag=nowhere", "/account/sharing"),
        ("/tags/delete", "tag=nowhere&confirm=yes", "/tags"),
        ("/hearts/3cEYpjA9oz9GiPac4AsH4n/pin", "pinned=true", "/hearts"),
    ] {
        let refused = ada.post(path, body).await;
        assert!([404, 422].contains(&refused.status), "{path}: {}", refused.status);
        let page = ada.submit(refused.form(".theme").with("theme", "dark")).await;
        assert_eq!((page.status, page.url.path()), (200, back), "{path}");
    }
}

#[tokio::test]
async fn robots_txt_and_favicon_exist() {
    let site = Site::open().await;
    let robots = site.visitor().get("/robots.txt").await;
    assert!(robots.status == 200 && robots.header("content-type").starts_with("text/plain"));
    let icon = site.visitor().get("/favicon.svg").await;
    assert_eq!((icon.status, icon.header("content-type")), (200, "image/svg+xml"));
}

#[tokio::test]
async fn missing_database_gives_503_with_retry_after_and_recovers() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    set_database_available(&site, false).await;
    for path in ["/playlists", "/hearts", "/now-playing", "/account"] {
        let start = Instant::now();
        let page = mira.get(path).await;
        // The pool waits 3 s for a connection; sqlx's default is 30 s.
        assert!(start.elapsed() < Duration::from_secs(15), "{path} took {:?}", start.elapsed());
        assert_eq!(page.status, 503, "{path} {}", page.html);
        assert!(page.header("retry-after").parse::<u64>().unwrap() > 0);
        assert!(page.count("h1") == 1 && page.has("body > a.skip-link") && page.has("main a.button"), "{}", page.html);
        assert!(!page.text("main").to_lowercase().contains("sql"), "{}", page.text("main"));
    }
    let stranger = site.visitor();
    assert_eq!(stranger.get("/").await.status, 200);
    assert_eq!(stranger.get("/healthz").await.status, 200);
    let door = stranger.get("/login").await.form("form[action='/auth/spotify']");
    assert_eq!(stranger.send_form(door).await.status, 503);
    set_database_available(&site, true).await;
    // A connection opened and closed within a second may fail one more request.
    wait_until("it is back", async || mira.get("/playlists").await.status == 200).await;
    let page = stranger.sign_in("ada").await;
    assert_eq!(page.status, 200, "{} {}", page.url, page.html);
}

//! Addresses as people type them, and the icons that browsers request unasked.

use reqwest::Method;

use crate::support::Site;
use crate::support::raw_http::get_raw;
use crate::support::sharing::{create_secret_link, publish_page_at, sign_in_with_hearts};

#[tokio::test]
async fn typed_address_redirects_once_to_canonical_form() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada-loves").await;
    let link = create_secret_link(&ada).await;
    let (link_slash, link_upper) = (format!("{link}/"), link.replacen("/s/", "/S/", 1));
    for (typed, canonical) in [
        ("/u/Ada-Loves", "/u/ada-loves"),
        ("/u/ada-loves/", "/u/ada-loves"),
        ("/u/ADA-LOVES/?page=1", "/u/ada-loves?page=1"),
        ("/u/ada-loves/atom.xml/", "/u/ada-loves/atom.xml"),
        ("/U//Ada-Loves//Feed.json", "/u/ada-loves/feed.json"),
        ("/hearts/", "/hearts"),
        ("/hearts//?q=a%2Fb&sort=name", "/hearts?q=a%2Fb&sort=name"),
        ("/Hearts/removed/", "/hearts/removed"),
        ("//hearts", "/hearts"),
        ("/Account/Sharing/", "/account/sharing"),
        ("/about/", "/about"),
        ("/healthz/", "/healthz"),
        ("/HEARTS/Import", "/hearts/import"),
        ("/hearts/Export.csv", "/hearts/export.csv"),
        ("/u/ada%2Dloves", "/u/ada-loves"),
        ("/u/%41da-loves/Atom.xml", "/u/ada-loves/atom.xml"),
        (&link_slash, &link),
        (&link_upper, &link),
    ] {
        for method in [Method::GET, Method::HEAD] {
            // The whole address, because a relative one would name a host with `//`.
            let typed = format!("{}{typed}", site.base);
            let moved = ada.request(method, &typed, &[], None).await;
            assert_eq!((moved.status, moved.header("location")), (308, canonical), "{typed}");
        }
        assert_eq!(ada.get(canonical).await.status, 200, "{canonical}");
    }
}

#[tokio::test]
async fn typed_address_never_redirects_to_another_site() {
    let site = Site::open().await;
    let visitor = site.visitor();
    for typed in ["//evil.example/", "///evil.example//", "/\\evil.example/", "/.//evil.example/", "/%2f/evil.example/"]
    {
        let (status, location) = raw_get(&site, typed).await;
        let location = location.unwrap_or_default();
        let target = site.base.parse::<url::Url>().unwrap().join(&location).unwrap();
        assert_eq!(target.origin().ascii_serialization(), site.base, "{typed} leads to {location}");
        assert!(status == 308 || status == 404, "{typed}: {status}");
    }
    // Ids and tokens keep their case.
    let id = "/invite/ABCdef";
    assert_eq!(visitor.get(id).await.status, 404);
    let posted = visitor.request(Method::POST, "/logout/", &[("sec-fetch-site", "same-origin")], None).await;
    assert_eq!(posted.status, 404, "only addresses that people type");
}

/// Sends the request target as it is; URL libraries would normalize it.
async fn raw_get(site: &Site, target: &str) -> (u16, Option<String>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let host = site.base.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    let response = String::from_utf8_lossy(&response).into_owned();
    let status = response[9..12].parse().unwrap();
    let location = response.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned);
    (status, location)
}

#[tokio::test]
async fn icons_that_browsers_request_unasked_exist() {
    let site = Site::open().await;
    for (path, kind, magic) in [
        ("/favicon.ico", "image/", &b"\0\0\x01\0"[..]),
        ("/apple-touch-icon.png", "image/png", b"\x89PNG"),
        ("/apple-touch-icon-precomposed.png", "image/png", b"\x89PNG"),
    ] {
        let (status, headers, body) = get_raw(&site, path, &[]).await;
        assert_eq!(status, 200, "{path}");
        assert!(headers["content-type"].to_str().unwrap().starts_with(kind) && body.starts_with(magic), "{path}");
    }
}

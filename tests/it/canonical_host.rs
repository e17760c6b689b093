//! The host of BASE_URL, and visitors who come by another one.

use reqwest::Method;
use rustix::process::Signal;

use crate::support::page::Page;
use crate::support::program::start_program;
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site};

const SECOND_HOST: &str = "second.example";

async fn get(visitor: &Visitor, path: &str, headers: &[(&str, &str)]) -> Page {
    visitor.request(Method::GET, path, headers, None).await
}

#[tokio::test]
async fn other_hosts_redirect_to_base_url() {
    let site = Site::open().await;
    let port = site.base.rsplit(':').next().unwrap();
    let target = format!("{}/login?next=/hearts", site.base);
    assert_eq!(site.visitor().get("/about").await.status, 200);
    for host in ["second.example", "SECOND.example:443", "127.0.0.2", "[::1]:8080", "localhost", "second.example."] {
        for method in [Method::GET, Method::HEAD] {
            let page = site.visitor().request(method, "/login?next=/hearts", &[("host", host)], None).await;
            assert_eq!((page.status, page.header("location")), (307, target.as_str()), "{host}");
            assert_eq!(page.header("set-cookie"), "", "{host}");
        }
    }
    let page = site.visitor().get(&format!("http://localhost:{port}/login?next=/hearts")).await;
    assert_eq!((page.status, page.header("location")), (307, target.as_str()));
    let published = get(&site.visitor(), "/u/lena/atom.xml", &[("host", SECOND_HOST)]).await;
    assert_eq!(
        (published.status, published.header("location")),
        (307, format!("{}/u/lena/atom.xml", site.base).as_str())
    );
}

#[tokio::test]
async fn own_host_is_recognized_in_every_spelling() {
    let site = Site::open_with(&[("BASE_URL", "https://hearts.example"), ("TRUSTED_PROXY", "1")]).await;
    for host in ["hearts.example", "HEARTS.Example", "hearts.example:443", "hearts.example:8080"] {
        assert_eq!(get(&site.visitor(), "/about", &[("host", host)]).await.status, 200, "{host}");
    }
    // A proxy that rewrites Host and says so.
    for forwarded in ["hearts.example", "hearts.example:443", "edge.internal, hearts.example"] {
        let headers = [("host", "app:8080"), ("x-forwarded-host", forwarded)];
        assert_eq!(get(&site.visitor(), "/about", &headers).await.status, 200, "{forwarded}");
    }
    let page = get(&site.visitor(), "/about", &[("host", "app:8080"), ("x-forwarded-host", SECOND_HOST)]).await;
    assert_eq!((page.status, page.header("location")), (307, "https://hearts.example/about"));
}

#[tokio::test]
async fn visitors_are_redirected_however_many_requests_had_another_host() {
    let site = Site::open_with(&[("BASE_URL", "https://hearts.example")]).await;
    let status = async |host: &str| get(&site.visitor(), "/about", &[("host", host)]).await.status;
    assert_eq!(status("hearts.example").await, 200);
    // A monitor that follows no redirects.
    for _ in 0..12 {
        assert_eq!(status("10.0.0.7:8080").await, 307);
    }
    assert_eq!(status(SECOND_HOST).await, 307);
    let form = [("sec-fetch-site", "same-origin"), ("host", SECOND_HOST)];
    assert_eq!(site.visitor().request(Method::POST, "/auth/spotify", &form, Some(String::new())).await.status, 421);
}

#[tokio::test]
async fn redirects_end_behind_a_proxy_that_rewrites_host_whatever_clients_send() {
    let site = Site::open_with(&[("BASE_URL", "https://hearts.example"), ("TRUSTED_PROXY", "1")]).await;
    let untrusting = Site::open_with(&[("BASE_URL", "https://hearts.example")]).await;
    for site in [&site, &untrusting] {
        for at in 0..20 {
            let forged = [("host", "app:8080"), ("x-forwarded-host", "hearts.example")];
            get(&site.visitor(), "/about", &forged).await;
            // Two networks of the proxy.
            let host = if at % 2 == 0 { "app:8080" } else { "app.internal" };
            let page = get(&site.visitor(), "/about", &[("host", host)]).await;
            assert!(at < 8 || page.status == 200, "{at}");
        }
    }
}

#[tokio::test]
async fn probes_and_operator_pages_open_on_every_host() {
    let site = Site::open().await;
    for path in ["/healthz", "/readyz", "/metrics", "/setup"] {
        let page = get(&site.visitor(), path, &[("host", "10.0.0.7:8080")]).await;
        assert_ne!(page.status, 307, "{path}");
    }
}

/// Every request of a visitor then has the proxy's Host, the one after a redirect too.
#[tokio::test]
async fn proxy_that_rewrites_host_causes_no_redirect_loop() {
    let site = Site::open_with(&[("BASE_URL", "https://hearts.example")]).await;
    for host in ["app:8080", "127.0.0.1:8080"] {
        let visitor = site.visitor();
        let mut redirects = 0;
        while get(&visitor, "/about", &[("host", host)]).await.status == 307 {
            redirects += 1;
            assert!(redirects < 10, "browsers give up after 20, feed readers after 10");
        }
        for path in ["/about", "/login", "/privacy"] {
            assert_eq!(get(&site.visitor(), path, &[("host", host)]).await.status, 200, "{host} {path}");
        }
        let headers = [("sec-fetch-site", "same-origin"), ("host", host)];
        let start = site.visitor().request(Method::POST, "/auth/spotify", &headers, Some(String::new())).await;
        assert_eq!(start.status, 303, "signing in works");
    }
    // Once a request has the right host, redirects are safe.
    assert_eq!(get(&site.visitor(), "/about", &[("host", "hearts.example")]).await.status, 200);
    for _ in 0..5 {
        assert_eq!(get(&site.visitor(), "/about", &[("host", SECOND_HOST)]).await.status, 307);
    }
}

#[tokio::test]
async fn form_on_another_host_is_refused_with_the_right_address() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let headers = [("sec-fetch-site", "same-origin"), ("host", SECOND_HOST)];
    for path in ["/auth/spotify", HEART, "/logout", "/no-such-page"] {
        let page = ada.request(Method::POST, path, &headers, Some(String::new())).await;
        let text = page.text("main");
        assert_eq!((page.status, page.text("h1").as_str()), (421, "Wrong address"), "{path}");
        assert!(
            text.contains(SECOND_HOST) && text.contains(&site.base) && text.contains("Nothing was saved"),
            "{text}"
        );
        assert_eq!(page.header("set-cookie"), "");
        let css = page.attribute("link[rel=stylesheet]", "href");
        assert_eq!(get(&ada, &css, &headers[1..]).await.status, 200, "the page is styled");
    }
    let response =
        ada.request(Method::PUT, HEART, &[headers[0], headers[1], ("accept", "application/json")], None).await;
    assert!(response.status == 421 && response.json()["error"]["message"].as_str().unwrap().contains(&site.base));
    let own = ada.request(Method::POST, HEART, &headers[..1], Some("hearted=true".into())).await;
    assert_eq!(own.status, 303);
}

/// HTTP/1.0 and some probes send no Host.
#[tokio::test]
async fn request_without_readable_host_is_served() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let site = Site::open().await;
    for head in ["GET /about HTTP/1.0\r\n\r\n", "GET /about HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(site.base.trim_start_matches("http://")).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut response = [0; 12];
        stream.read_exact(&mut response).await.unwrap();
        assert!(response.ends_with(b" 200"), "{head} {}", String::from_utf8_lossy(&response));
    }
}

#[tokio::test]
async fn demo_on_loopback_is_reached_by_every_name() {
    let site = Site::open().await;
    let (mut program, base) = start_program(&site, &[]).await;
    let port = base.rsplit(':').next().unwrap();
    let visitor = Visitor::new(&base);
    let page = visitor.open(&format!("http://localhost:{port}/login")).await;
    assert_eq!((page.status, page.url.as_str()), (200, format!("{base}/login").as_str()));
    program.signal(Signal::TERM);
    program.wait_for_exit().await;
}

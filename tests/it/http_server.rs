//! The HTTP server: overload, incomplete requests, plain HTTP, shutdown.

use std::time::Duration;

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::program::start_program;
use crate::support::visitor::Visitor;
use crate::support::{Site, wait_until};

/// The app's limit of concurrent requests (src/web/middleware/mod.rs).
const MAX_CONCURRENT_REQUESTS: usize = 200;
/// A request whose body is never completed.
const INCOMPLETE_REQUEST: &[u8] = b"POST /hearts HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 9\r\n\r\nli";

/// The same with a session, to a route without a rate limit.
fn incomplete_request_of(visitor: &Visitor) -> String {
    let half = String::from_utf8_lossy(INCOMPLETE_REQUEST).replace("/hearts", "/library");
    half.replacen("\r\n", &format!("\r\ncookie: {}\r\n", visitor.cookie()), 1)
}

async fn connect(base: &str) -> TcpStream {
    TcpStream::connect(base.trim_start_matches("http://")).await.unwrap()
}

#[tokio::test]
async fn overload_gives_503_and_recovers() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mut stuck = Vec::new();
    for _ in 0..MAX_CONCURRENT_REQUESTS {
        let mut stream = connect(&site.base).await;
        stream.write_all(incomplete_request_of(&ada).as_bytes()).await.unwrap();
        stuck.push(stream);
    }
    let refused = async {
        loop {
            let page = ada.get("/hearts").await;
            if page.status == 503 {
                break page;
            }
        }
    };
    let page = tokio::time::timeout(Duration::from_secs(20), refused).await.expect("refused");
    assert_eq!((page.text("h1").as_str(), page.header("retry-after")), ("Busy right now", "5"));
    assert!(!page.text("main").contains("Nothing was saved."), "it was only read");
    assert_eq!(ada.fetch(Method::PUT, "/heart/3cEYpjA9oz9GiPac4AsH4n").await.status, 503);
    assert_eq!(ada.get("/healthz").await.status, 200, "the process lives");
    drop(stuck);
    wait_until("it passes by itself", async || ada.get("/hearts").await.status == 200).await;
}

#[tokio::test]
async fn stalled_upload_is_408_and_imports_nothing() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mut stream = connect(&site.base).await;
    let request = format!(
        "POST /hearts/import HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {}\r\ncontent-length: 1000\r\n\
         content-type: multipart/form-data; boundary=b\r\n\r\n\
         --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"hearts.csv\"\r\n\r\nid\n3cEYpjA9oz9GiPac4AsH4n\n",
        ada.cookie()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = [0; 12];
    stream.read_exact(&mut response).await.unwrap();
    assert_eq!(&response, b"HTTP/1.1 408");
    assert_eq!(site.count_hearts().await, 0);
}

#[tokio::test]
async fn oversized_request_head_is_431() {
    let site = Site::open().await;
    let mut stream = connect(&site.base).await;
    let head = format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-long: {}\r\n\r\n", "x".repeat(400_000));
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 431");
}

#[tokio::test]
async fn keep_alive_connection_is_reused() {
    let site = Site::open().await;
    let mut stream = connect(&site.base).await;
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{}", String::from_utf8_lossy(&answer));
        }
        assert!(!String::from_utf8_lossy(&answer).to_lowercase().contains("connection: close"));
    }
}

#[tokio::test]
async fn stuck_connections_do_not_delay_shutdown() {
    let site = Site::open().await;
    let (mut program, base) = start_program(&site, &[]).await;
    let silent = connect(&base).await;
    let (mut head, mut body) = (connect(&base).await, connect(&base).await);
    head.write_all(b"GET /hearts HTTP/1.1\r\nhost: 127.").await.unwrap();
    body.write_all(INCOMPLETE_REQUEST).await.unwrap();
    let mut used = connect(&base).await;
    used.write_all(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.unwrap();
    assert!(used.read(&mut [0; 1000]).await.unwrap() > 0);
    for _ in 0..3 {
        program.signal("-TERM");
    }
    // Heroku kills after 30 seconds; the app's own limit is shorter.
    let (code, log) = tokio::time::timeout(Duration::from_secs(29), program.wait_for_exit()).await.expect("it ends");
    assert_eq!(code, Some(0), "{log}");
    drop((silent, head, body, used));
}

#[tokio::test]
async fn http_on_heroku_redirects_to_https() {
    let own = [("DYNO", "web.1"), ("BASE_URL", "https://hearts.example")];
    let site = Site::open_with(&own).await;
    let visitor = site.visitor();
    for (said, status) in [("http", 308), ("https, http", 308), ("http, https", 200), ("https", 200)] {
        let headers = [("host", "hearts.example"), ("x-forwarded-proto", said)];
        let page = visitor.request(Method::GET, "/login?next=/hearts", &headers, None).await;
        assert_eq!(page.status, status, "{said}");
        if status == 308 {
            assert_eq!(page.header("location"), "https://hearts.example/login?next=/hearts");
        }
        assert!(page.header("strict-transport-security").contains("max-age="), "{said}");
    }
    // Health checks may use plain HTTP.
    for path in ["/healthz", "/readyz"] {
        let page = visitor.request(Method::GET, path, &[("x-forwarded-proto", "http")], None).await;
        assert_eq!(page.status, 200, "{path}");
    }
    let elsewhere = Site::open().await;
    let page = elsewhere.visitor().request(Method::GET, "/", &[("x-forwarded-proto", "http")], None).await;
    assert_eq!(page.status, 200);
}

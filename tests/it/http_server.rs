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

async fn connect(base: &str) -> TcpStream {
    TcpStream::connect(base.trim_start_matches("http://")).await.unwrap()
}

#[tokio::test]
async fn overload_gives_503_and_recovers() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mut stuck = Vec::new();
    // Requests wait for this lock.
    let mut lock = site.db.begin().await.unwrap();
    sqlx::query("lock table sessions").execute(&mut *lock).await.unwrap();
    for _ in 0..MAX_CONCURRENT_REQUESTS {
        let mut stream = connect(&site.base).await;
        let request = format!("GET /hearts HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {}\r\n\r\n", ada.cookie());
        stream.write_all(request.as_bytes()).await.unwrap();
        stuck.push(stream);
    }
    let refused = async {
        loop {
            let page = ada.get("/hearts").await;
            if page.status == 503 && page.text("h1") == "Busy right now" {
                break page;
            }
        }
    };
    let page = tokio::time::timeout(Duration::from_secs(20), refused).await.expect("refused");
    assert_eq!((page.text("h1").as_str(), page.header("retry-after")), ("Busy right now", "5"));
    assert!(!page.text("main").contains("Nothing was saved."), "it was only read");
    assert_eq!(ada.fetch(Method::PUT, "/heart/3cEYpjA9oz9GiPac4AsH4n").await.status, 503);
    assert_eq!(ada.get("/healthz").await.status, 200, "the process lives");
    lock.rollback().await.unwrap();
    drop(stuck);
    wait_until("it passes by itself", async || ada.get("/hearts").await.status == 200).await;
}

/// Returns the status of the response that `stream` receives within `seconds`.
async fn read_status(stream: &mut TcpStream, seconds: u64) -> Option<String> {
    let mut start = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(seconds), stream.read_exact(&mut start)).await;
    read.ok()?.ok().map(|_| String::from_utf8_lossy(&start[9..]).into_owned())
}

/// The resident memory of a process in megabytes.
#[cfg(target_os = "linux")]
fn resident_megabytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn dripped_requests_keep_nobody_waiting() {
    let site = Site::open().await;
    let (program, base) = start_program(&site, &[]).await;
    let (ada, mira) = (Visitor::new(&base), Visitor::new(&base));
    ada.sign_in("ada").await;
    mira.sign_in("mira").await;
    let mut dripped = Vec::new();
    let import = format!(
        "POST /hearts/import HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {}\r\ncontent-length: 5000000\r\n\
         content-type: multipart/form-data; boundary=b\r\n\r\n{}",
        ada.cookie(),
        "x".repeat(2_000_000)
    );
    for request in std::iter::repeat_n(import.as_bytes(), 8).chain(std::iter::repeat_n(INCOMPLETE_REQUEST, 300)) {
        let mut stream = connect(&base).await;
        // The server may have refused it already.
        let _ = stream.write_all(request).await;
        dripped.push(stream);
    }
    let refused = read_status(dripped.last_mut().unwrap(), 5).await;
    assert_eq!(refused.as_deref(), Some("429"), "one address has few unfinished requests");
    for _ in 0..3 {
        assert_eq!(mira.get("/hearts").await.status, 200, "a page of somebody else");
    }
    #[cfg(target_os = "linux")]
    assert!(resident_megabytes(program.pid()) < 100, "{} MB", resident_megabytes(program.pid()));
    drop((program, dripped));
}

#[tokio::test]
async fn stalled_form_is_408_and_says_so() {
    let site = Site::open().await;
    let mut stream = connect(&site.base).await;
    stream.write_all(INCOMPLETE_REQUEST).await.unwrap();
    let mut response = vec![0; 4000];
    let length = stream.read(&mut response).await.unwrap();
    let response = String::from_utf8_lossy(&response[..length]);
    assert!(response.starts_with("HTTP/1.1 408"), "{response}");
}

#[tokio::test]
async fn connection_without_a_request_is_closed() {
    let site = Site::open().await;
    let (mut silent, mut half) = (connect(&site.base).await, connect(&site.base).await);
    half.write_all(b"GET /hearts HTTP/1.1\r\nhost: 127.").await.unwrap();
    let closed = async |stream: &mut TcpStream| stream.read(&mut [0; 100]).await.unwrap_or_default();
    // Well below the 95 seconds of a connection that had a request.
    let both = async { (closed(&mut silent).await, closed(&mut half).await) };
    assert_eq!(tokio::time::timeout(Duration::from_secs(30), both).await.expect("closed"), (0, 0));
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

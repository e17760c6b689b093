//! The HTTP server: overload, incomplete requests, plain HTTP, shutdown.

use std::time::Duration;

use reqwest::Method;
use rustix::process::Signal;
use sqlx::AssertSqlSafe;
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
    // Shared pages count too.
    for (table, path) in [("sessions", "/hearts"), ("shares", "/u/somebody")] {
        let site = Site::open().await;
        let ada = site.sign_in("ada").await;
        let mut stuck = Vec::new();
        // Requests wait for this lock.
        let mut lock = site.db.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("lock table {table}"))).execute(&mut *lock).await.unwrap();
        for _ in 0..MAX_CONCURRENT_REQUESTS {
            let mut stream = connect(&site.base).await;
            let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {}\r\n\r\n", ada.cookie());
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
}

/// Returns the status of the response that `stream` receives within `seconds`.
async fn read_status(stream: &mut TcpStream, seconds: u64) -> Option<String> {
    let mut start = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(seconds), stream.read_exact(&mut start)).await;
    read.ok()?.ok().map(|_| String::from_utf8_lossy(&start[9..]).into_owned())
}

/// The resident memory of a process (`VmRSS`), or the most it ever was (`VmHWM`), in megabytes.
#[cfg(target_os = "linux")]
fn megabytes(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
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
    assert!(megabytes(program.pid(), "VmRSS") < 100, "{} MB", megabytes(program.pid(), "VmRSS"));
    drop((program, dripped));
}

/// Sends a request except for its last byte.
async fn send_part(base: &str, path: &str, address: &str, (cookie, length): (&str, usize)) -> TcpStream {
    let mut stream = connect(base).await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-forwarded-for: {address}\r\ncookie: {cookie}\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server may have refused it already.
    let _ = stream.write_all(&vec![b'x'; length - 1]).await;
    stream
}

/// Attack: an upload that began before the session was ended on another device.
#[tokio::test]
async fn slow_body_of_a_session_that_has_ended_changes_nothing() {
    let site = Site::open().await;
    let file = "--b\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n0000000000000000000001\r\n--b--\r\n";
    let form = format!("on=true&slug=ada&more={}", "x".repeat(5000));
    let requests = [
        ("/hearts/import", "multipart/form-data; boundary=b", file),
        ("/account/sharing/page", "application/x-www-form-urlencoded", &form),
    ];
    for (ends, status) in [(false, ["200", "303"]), (true, ["303", "303"])] {
        let (here, there) = (site.sign_in("ada").await, site.sign_in("ada").await);
        let mut streams = Vec::new();
        for (path, kind, body) in requests {
            let mut stream = connect(&site.base).await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
                there.cookie(),
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&body.as_bytes()[..body.len() - 1]).await.unwrap();
            streams.push((stream, body.as_bytes().last().unwrap()));
        }
        // Bodies that take longer than two seconds are slow.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        if ends {
            sqlx::raw_sql("delete from user_hearts; delete from shares").execute(&site.db).await.unwrap();
            here.submit(here.open("/account").await.form("#sessions > form")).await;
        }
        for ((mut stream, end), expected) in streams.into_iter().zip(status) {
            stream.write_all(&[*end]).await.unwrap();
            assert_eq!(read_status(&mut stream, 10).await.as_deref(), Some(expected));
        }
        let stored = (site.count_hearts().await, site.count("select count(slug) from shares").await);
        assert_eq!(stored, if ends { (0, 0) } else { (1, 1) });
    }
}

/// Attack: many large forms that never end, from a few addresses and without an account.
#[tokio::test]
async fn unfinished_forms_of_some_keep_nobody_out() {
    let site = Site::open_with(&[("TRUSTED_PROXY", "1")]).await;
    let mut unfinished = Vec::new();
    for n in 0..150 {
        let address = if n % 2 == 0 { format!("203.0.113.{}", n / 20) } else { format!("2001:db8:0:{}::1", n / 20) };
        unfinished.push(send_part(&site.base, "/hearts", &address, ("", 64 * 1024)).await);
    }
    for _ in 0..40 {
        unfinished.push(send_part(&site.base, "/hearts", "198.51.100.9", ("", 100)).await);
    }
    let refused = read_status(unfinished.last_mut().unwrap(), 10).await;
    assert_eq!(refused.as_deref(), Some("429"), "one address has few unfinished requests");
    for address in ["198.51.100.7", "198.51.100.9", "203.0.113.0", "2001:db8:0:1::1"] {
        let headers = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", address)];
        let form = site.visitor().request(Method::POST, "/auth/spotify", &headers, Some(String::new())).await;
        assert_eq!(form.status, 303, "also a neighbour with the same address: {address}");
        let form = site.visitor().request(Method::POST, "/hearts", &headers, Some("link=x".into())).await;
        assert_eq!(form.header("location"), "/login?next=%2Fhearts", "{address}");
        let large = site.visitor().request(Method::POST, "/hearts", &headers, Some("x".repeat(60_000))).await;
        assert!(large.header("location").starts_with("/login?next="), "a signed-out visitor sends nothing large");
    }
    let ada = site.sign_in("ada").await;
    let large = ada.post("/hearts", &format!("link={}", "x".repeat(60_000))).await;
    assert_ne!(large.status, 503);
    drop(unfinished);
}

/// Attack: one account with several browsers and addresses, whose files never end.
#[tokio::test]
async fn unfinished_uploads_of_one_person_keep_nobody_out() {
    let site = Site::open_with(&[("TRUSTED_PROXY", "1")]).await;
    let browsers = [site.sign_in("ada").await, site.sign_in("ada").await, site.sign_in("ada").await];
    let mut unfinished = Vec::new();
    for n in 0..6 {
        let cookie = browsers[n % 3].cookie();
        let address = format!("203.0.113.{n}");
        unfinished.push(send_part(&site.base, "/hearts/import", &address, (&cookie, 5_000_000)).await);
    }
    let noor = site.sign_in("noor").await;
    let form = noor.open("/hearts/import").await.form("form.import-form");
    let file = format!("playlist_id,extra\n3cEYpjA9oz9GiPac4AsH4n,{}\n", "x".repeat(1_000_000));
    assert_eq!(noor.upload(form, file.as_bytes()).await.status, 200);
    drop(unfinished);
}

/// Attack: files that take much more memory than their size.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn imports_take_little_memory() {
    let site = Site::open().await;
    let line = |n: usize| format!("{n:022},2020-01-01,{},\"one, two\"\n", "a note ".repeat(6));
    let hearts = format!("id,hearted_at,note,tags\n{}", (0..20_000).map(line).collect::<String>());
    let one_line = "spotify:pl, ".repeat(399_000);
    let [many_entries, one_cell] = [format!("[0{}]", ",0".repeat(399_000)), "x".repeat(5_000_000)];
    let tags: String = ('a'..='z').chain('0'..='9').map(|tag| format!("{tag},")).collect();
    let many_tags: String = (0..25_000).map(|n| format!("{n:022}|{tags}\n")).collect();
    for file in [hearts, one_line, many_entries, one_cell, format!("sep=|\nid|tags\n{many_tags}")] {
        let (program, base) = start_program(&site, &[]).await;
        let ada = Visitor::new(&base);
        ada.sign_in("ada").await;
        let form = ada.open("/hearts/import").await.form("form.import-form");
        let before = megabytes(program.pid(), "VmHWM");
        // On a slow machine reading ends early.
        assert!([200, 422].contains(&ada.upload(form, file.as_bytes()).await.status), "{}", &file[..40]);
        let used = megabytes(program.pid(), "VmHWM") - before;
        assert!(used < 40, "{used} MB for {}", &file[..40]);
    }
}

/// Attack: a tag of many hearts, which have many tags.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn changes_of_tags_take_little_memory() {
    let site = Site::open().await;
    let (program, base) = start_program(&site, &[]).await;
    let ada = Visitor::new(&base);
    ada.sign_in("ada").await;
    let hearts = "insert into user_hearts (user_id, playlist_id, hearted_at, tags, tags_folded)
                  select id, lpad(n::text, 22, '0'), now(), tags, tags
                  from users, generate_series(1, 5000) n,
                       (select array_agg('a tag with the number ' || n order by n) as tags from generate_series(1, 40) n) t";
    sqlx::raw_sql(hearts).execute(&site.db).await.unwrap();
    let path = "/tags/edit?tag=a+tag+with+the+number+1";
    let form = ada.open(path).await.form("form.link-form").with("to", "another tag");
    let before = megabytes(program.pid(), "VmHWM");
    assert_eq!(ada.send_form(form).await.status, 303);
    let used = megabytes(program.pid(), "VmHWM") - before;
    assert!(used < 15, "{used} MB");
    assert_eq!(site.count("select count(*) from user_hearts where tags[1] = 'another tag'").await, 5000);
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
    let mut response = [0; 12];
    stream.read_exact(&mut response).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&response), "HTTP/1.1 431");
}

#[tokio::test]
async fn keep_alive_connection_is_reused() {
    let site = Site::open().await;
    let mut stream = connect(&site.base).await;
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.unwrap();
        let mut response = Vec::new();
        while !response.ends_with(b"ok\n") {
            assert!(stream.read_buf(&mut response).await.unwrap() > 0, "{}", String::from_utf8_lossy(&response));
        }
        assert!(!String::from_utf8_lossy(&response).to_lowercase().contains("connection: close"));
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
        program.signal(Signal::TERM);
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
    for (proto, status) in [("http", 308), ("https, http", 308), ("http, https", 200), ("https", 200)] {
        let headers = [("host", "hearts.example"), ("x-forwarded-proto", proto)];
        let page = visitor.request(Method::GET, "/login?next=/hearts", &headers, None).await;
        assert_eq!(page.status, status, "{proto}");
        if status == 308 {
            assert_eq!(page.header("location"), "https://hearts.example/login?next=/hearts");
        }
        // RFC 6797 forbids the header over plain http.
        assert_eq!(page.header("strict-transport-security").contains("max-age="), status == 200, "{proto}");
    }
    // Health checks may use plain HTTP.
    for path in ["/healthz", "/readyz"] {
        let page = visitor.request(Method::GET, path, &[("x-forwarded-proto", "http")], None).await;
        assert_eq!((page.status, page.header("strict-transport-security")), (200, ""), "{path}");
    }
    let http_site = Site::open().await;
    let page = http_site.visitor().request(Method::GET, "/", &[("x-forwarded-proto", "http")], None).await;
    assert_eq!(page.status, 200);
}

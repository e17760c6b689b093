//! A visit while `script/rehearse` acts as the platform, up to the end of the process.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::HEART;
use crate::support::program::{env_var, send_signal};
use crate::support::visitor::Visitor;

/// Clients that send requests until shutdown.
const CLIENTS: usize = 20;
/// Less than the limit of one address (src/web/middleware/request_body.rs).
const UNFINISHED: usize = 8;

#[tokio::test]
#[ignore = "started by script/rehearse, beside the program"]
async fn visitor_is_answered_until_shutdown() {
    heartlist::cli::install_tls();
    let given = |name: &str| env_var(name).unwrap_or_else(|| panic!("script/rehearse sets {name}"));
    let (base, pid) = (given("HEARTLIST_REHEARSED"), given("HEARTLIST_REHEARSED_PID"));
    let mira = Visitor::new(&base);
    assert!(mira.sign_in("mira").await.has("li.card"));
    assert_eq!(mira.fetch(Method::PUT, HEART).await.status, 200);
    assert_eq!(mira.open("/hearts").await.count("li.card"), 1);
    // Files of a debug build have no hash in their names and cannot be found here.
    let built_in = mira.open("/").await.attributes("link[rel=stylesheet]", "href");
    for asset in built_in.iter().filter(|asset| asset.split('.').count() > 2) {
        assert_eq!(mira.get(asset).await.status, 200, "{asset}");
    }

    let begun = join_all((0..UNFINISHED).map(|_| send_incomplete_request(&base, &mira))).await;
    let busy = join_all((0..CLIENTS).map(|_| send_until_refused(&base, &mira)));
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for _ in 0..2 {
            send_signal(pid.parse().unwrap(), Signal::TERM);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        join_all(begun.into_iter().map(complete_request)).await
    };
    let (answered, finished) = tokio::join!(busy, stop);
    assert!(finished.iter().all(|response| response.starts_with("HTTP/1.1 303")), "{finished:?}");
    println!("{} requests, and {} that were under way at the signal", answered.iter().sum::<usize>(), finished.len());
}

/// Sends a heart form except for its last byte.
async fn send_incomplete_request(base: &str, visitor: &Visitor) -> TcpStream {
    let host = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST {HEART} HTTP/1.1\r\nhost: {host}\r\ncookie: {}\r\nsec-fetch-site: same-origin\r\ncontent-length: 12\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\nhearted=tru",
        visitor.cookie()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn complete_request(mut stream: TcpStream) -> String {
    stream.write_all(b"e").await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

/// Sends requests until connections are refused, on one connection as long as it is kept. Never sends a request twice.
/// Returns how many were answered.
async fn send_until_refused(base: &str, visitor: &Visitor) -> usize {
    let host = base.trim_start_matches("http://");
    let request = format!("GET /hearts HTTP/1.1\r\nhost: {host}\r\ncookie: {}\r\n\r\n", visitor.cookie());
    let mut answered = 0;
    while let Ok(stream) = TcpStream::connect(host).await {
        let mut stream = BufReader::new(stream);
        loop {
            stream.write_all(request.as_bytes()).await.expect("request on an open connection");
            let head = read_head(&mut stream).await;
            assert!(head.starts_with("http/1.1 200"), "after {answered} answers: {head:?}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).await.expect("a whole answer");
            answered += 1;
            if head.contains("connection: close") {
                break;
            }
        }
    }
    answered
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).await.unwrap(), 0, "closed without an answer: {head:?}");
    }
    head.to_ascii_lowercase()
}

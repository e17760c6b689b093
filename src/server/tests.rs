use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

const RESPONSE_BYTES: usize = 100_000;

fn open() -> watch::Receiver<Phase> {
    watch::channel(Phase::Open).1
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

async fn read_response(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    while !response.ends_with(b"ok") && stream.read_buf(&mut response).await.unwrap() > 0 {}
    String::from_utf8(response).unwrap()
}

/// Fault: clients that do not send a request again lose the one that crosses the end of their connection.
#[tokio::test]
async fn open_connections_are_served_once_more_after_the_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(async || "ok"));
    let limits = ConnectionLimits { first_request_timeout: Duration::MAX, max: 100, is_behind_proxy: true };
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, router, limits, async { drop(stopped.await) }));
    let mut kept = TcpStream::connect(address).await.unwrap();
    kept.write_all(REQUEST).await.unwrap();
    assert!(!read_response(&mut kept).await.contains("connection: close"));
    drop(stop);
    tokio::time::sleep(Duration::from_millis(300)).await;
    for mut stream in [kept, TcpStream::connect(address).await.unwrap()] {
        stream.write_all(REQUEST).await.unwrap();
        assert!(read_response(&mut stream).await.contains("connection: close"));
        assert_eq!(stream.read(&mut [0; 10]).await.unwrap(), 0, "closed");
    }
    let mut idle = TcpStream::connect(address).await.unwrap();
    serving.await.unwrap().unwrap();
    assert_eq!(idle.read(&mut [0; 10]).await.unwrap(), 0, "closed");
    assert!(TcpStream::connect(address).await.is_err());
}

/// Fault: behind a proxy, connections that had just been accepted were closed before their first request came.
#[tokio::test]
async fn request_that_comes_after_the_last_connection_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(async || "ok"));
    let limits = ConnectionLimits { first_request_timeout: Duration::MAX, max: 100, is_behind_proxy: true };
    let serving = tokio::spawn(serve(listener, router, limits, async {}));
    let mut waiting = TcpStream::connect(address).await.unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    waiting.write_all(REQUEST).await.unwrap();
    assert!(read_response(&mut waiting).await.contains("connection: close"));
    serving.await.unwrap().unwrap();
}

/// Somebody who stops the program in a terminal does not wait for nothing.
#[tokio::test(start_paused = true)]
async fn a_server_without_connections_stops_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = ConnectionLimits { first_request_timeout: Duration::MAX, max: 100, is_behind_proxy: false };
    let start = tokio::time::Instant::now();
    serve(listener, Router::new(), limits, async {}).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// Sends a request whose response does not fit in the stream's buffer.
async fn send_request(write_timeout: Duration) -> (impl AsyncRead + Unpin, impl Future<Output = hyper::Result<()>>) {
    let (mut client, server) = duplex(1000);
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let router = Router::new().route("/", get(async || "x".repeat(RESPONSE_BYTES)));
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    (
        client,
        http(KEEP_ALIVE_TIMEOUT).serve_connection(
            TokioIo::new(with_write_timeout(server, write_timeout)),
            handler(router, peer, oneshot::channel().0, open()),
        ),
    )
}

/// Heroku's router keeps a connection for 90 seconds and may send the next request just before that.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_later_than_by_a_router() {
    let (mut client, server) = duplex(10_000);
    let router = Router::new().route("/", get(async || "ok"));
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    let served = http(PROXY_KEEP_ALIVE_TIMEOUT).serve_connection(
        TokioIo::new(with_write_timeout(server, WRITE_TIMEOUT)),
        handler(router, peer, oneshot::channel().0, open()),
    );
    let requests = async {
        for idle in [0, 91, 91] {
            tokio::time::sleep(Duration::from_secs(idle)).await;
            client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut response = Vec::new();
            while !response.ends_with(b"\r\n\r\nok") {
                assert!(client.read_buf(&mut response).await.unwrap() > 0, "closed after {idle} seconds");
            }
        }
        client.read(&mut [0; 10]).await.unwrap()
    };
    assert_eq!(tokio::join!(served, requests).1, 0, "closed in the end");
}

/// Attack: idle connections that take all places.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(async || "ok"));
    let limits = ConnectionLimits { first_request_timeout: Duration::MAX, max: 32, is_behind_proxy: false };
    let serving = tokio::spawn(serve(listener, router, limits, std::future::pending()));
    let request = async |last: u8, text: &str| {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
        let mut stream = socket.connect(server).await.unwrap();
        let _ = stream.write_all(text.as_bytes()).await;
        let length = if text.is_empty() { 0 } else { stream.read(&mut [0; 12]).await.unwrap_or_default() };
        (stream, length == 12)
    };
    let mut idle = Vec::new();
    for n in 0..200 {
        let text = if n % 2 == 0 { "GET / HTTP/1.1\r\nhost: x\r\n\r\n" } else { "" };
        idle.push(request(1 + n % 40, text).await.0);
    }
    for n in 0..20 {
        let (stream, is_answered) = request(50 + n, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(is_answered, "visitor {n}");
        idle.push(stream);
    }
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_disconnected() {
    let (_client, served) = send_request(Duration::from_millis(50)).await;
    assert!(served.await.is_err());
}

/// With a small send buffer, progress of a slow client is visible soon and restarts the write timeout.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_send_buffer_is_small() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let reader = tokio::net::TcpSocket::new_v4().unwrap();
    reader.set_recv_buffer_size(64 * 1024).unwrap();
    let (reader, accepted) = tokio::join!(reader.connect(listener.local_addr().unwrap()), listener.accept());
    let (reader, stream) = (reader.unwrap(), configure_socket(accepted.unwrap().0));
    let mut written = 0;
    // Bytes in flight are acknowledged after a while, which makes room for more.
    while let Ok(ready) = tokio::time::timeout(Duration::from_millis(300), stream.writable()).await {
        ready.unwrap();
        written += stream.try_write(&[0; RESPONSE_BYTES]).unwrap_or_default();
        assert!(written < 1_000_000, "{written}");
    }
    assert!(written > MAX_UNSENT_BYTES as usize);
    drop(reader);
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_gets_the_whole_response() {
    let (mut client, served) = send_request(Duration::from_secs(1)).await;
    let reading = async {
        let mut read = Vec::new();
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            client.read_buf(&mut read).await.unwrap();
        }
        client.read_to_end(&mut read).await.unwrap();
        read.len()
    };
    let (served, read) = tokio::join!(served, reading);
    assert!(served.is_ok() && read > RESPONSE_BYTES, "{read}");
}

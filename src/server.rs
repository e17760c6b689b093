//! The HTTP server: keep-alive, write timeout, graceful shutdown.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::connections::Connections;
use crate::network::ByNetwork;

/// Limit on the time between requests on a connection, and on the time in which a later request head must arrive: hyper
/// has one timer for both.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(15);
/// Idle timeout of connections from a proxy. Must be longer than the 90 seconds for which Heroku's router keeps connections: if the app
/// closed first, a request already on its way would be lost (error H13 or H18).
const PROXY_KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(95);
const _: () = assert!(PROXY_KEEP_ALIVE_TIMEOUT.as_secs() > 90, "the router must close first");
/// Write timeout. A client that never reads would otherwise hold the connection and the response's memory forever. Any
/// progress restarts it, so a response may take as long as a slow connection needs. Heroku's router allows 55 seconds.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// Limit on unsent bytes in the kernel's send buffer. By default it holds megabytes and reports progress only after a
/// third of them, which on a slow connection takes longer than the write timeout.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 64 * 1024;
/// Limit on the size of a request head. Browsers and routers stay below 16 KB.
const MAX_HEAD_BYTES: usize = 32 * 1024;
const MAX_HEADERS: usize = 100;
/// How long running requests may take to finish after SIGTERM. Heroku kills the process after 30 s, and a private
/// Postgres needs some of that to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(18);
/// Pause after a failed accept, for example when no file descriptors are left.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Limit on the time until the first request of a connection: idle connections take no descriptors (slow-loris
/// protection). Heroku's router opens connections ahead of requests, and is their only client.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// File descriptors left to the database, calls to providers and the program itself.
const RESERVED_DESCRIPTORS: u64 = 100;
/// Limit on connections where the descriptors allow more.
const MAX_CONNECTIONS: u64 = 20_000;

#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    first_request_timeout: Duration,
    max: usize,
    /// Behind a proxy all connections come from its address.
    is_behind_proxy: bool,
}

impl ConnectionLimits {
    /// Returns limits below the number of file descriptors that the process may open, which is raised as far as it can be.
    pub(crate) fn new(is_dyno: bool, is_behind_proxy: bool) -> Self {
        let descriptors = raise_descriptor_limit();
        let max = descriptors.saturating_sub(RESERVED_DESCRIPTORS).clamp(16, MAX_CONNECTIONS) as usize;
        let first_request_timeout = if is_dyno { Duration::MAX } else { FIRST_REQUEST_TIMEOUT };
        Self { first_request_timeout, max, is_behind_proxy }
    }

    /// The limit of an address is an eighth of all, that of wider networks a quarter.
    fn by_network(self) -> ByNetwork<Connections<IpAddr>> {
        ByNetwork::new(|factor| match (self.is_behind_proxy, factor) {
            (true, _) => Connections::new(self.max),
            (false, 1) => Connections::new(self.max / 8),
            (false, _) => Connections::new(self.max / 4),
        })
    }

    fn keep_alive_timeout(self) -> Duration {
        if self.is_behind_proxy { PROXY_KEEP_ALIVE_TIMEOUT } else { KEEP_ALIVE_TIMEOUT }
    }
}

/// Raises the soft limit on file descriptors to the hard one. Returns it.
fn raise_descriptor_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(_) => current.unwrap_or(u64::MAX),
    }
}

/// Serves `router` on `listener` until `stop`, then lets running requests finish.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let http = http(limits.keep_alive_timeout());
    let (all, by_network) = (Connections::new(limits.max), limits.by_network());
    let (stopping, stopped) = watch::channel(());
    let mut tasks = JoinSet::new();
    let mut stop = pin!(stop);
    for number in 0.. {
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            },
        };
        let end = Arc::new(Notify::new());
        // The narrowest network first: a connection that it refuses ends none of the wider ones.
        let networks = by_network.iter(peer.ip()).rev();
        let places = networks.map(|(connections, network)| connections.try_open(network, number, &end));
        // Beyond the limits a connection is closed at once.
        let Some(places) = places.collect::<Option<Vec<_>>>() else { continue };
        let Some(place) = all.try_open((), number, &end) else { continue };
        let (http, router, mut stopped) = (http.clone(), router.clone(), stopped.clone());
        tasks.spawn(async move {
            let _places = (places, place);
            let stream = TokioIo::new(with_write_timeout(configure_socket(stream), WRITE_TIMEOUT));
            let (first_request, requested) = oneshot::channel();
            let mut connection = pin!(http.serve_connection(stream, handler(router, peer, first_request)));
            let mut requested = pin!(tokio::time::timeout(limits.first_request_timeout, requested));
            let mut has_request = false;
            loop {
                tokio::select! {
                    // In this order, so that no request is lost that has just come.
                    biased;
                    // Browsers often close connections early, so errors are not logged.
                    _ = connection.as_mut() => break,
                    in_time = requested.as_mut(), if !has_request => {
                        has_request = in_time.is_ok();
                        if has_request {
                            continue;
                        }
                    }
                    () = end.notified() => {}
                    Ok(()) = stopped.changed() => {}
                }
                if !has_request {
                    break;
                }
                connection.as_mut().graceful_shutdown();
            }
        });
    }
    drop((listener, stopped));
    let _ = stopping.send(());
    let finished = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN_GRACE, finished).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    Ok(())
}

fn http(keep_alive_timeout: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(keep_alive_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS);
    http
}

/// Makes writes fail after `timeout` without progress.
fn with_write_timeout<S: AsyncRead + AsyncWrite>(stream: S, timeout: Duration) -> Pin<Box<TimeoutStream<S>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(timeout));
    Box::pin(stream)
}

fn configure_socket(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(MAX_UNSENT_BYTES);
    stream
}

/// Returns the service for one connection, which adds the peer address to requests and reports the first one.
fn handler(
    router: Router,
    peer: SocketAddr,
    first_request: oneshot::Sender<()>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    let first_request = Mutex::new(Some(first_request));
    service_fn(move |mut request: Request<Incoming>| {
        if let Some(first_request) = first_request.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = first_request.send(());
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(axum::body::Body::new))
    })
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const RESPONSE_BYTES: usize = 100_000;

    /// Sends a request whose response does not fit in the stream's buffer.
    async fn send_request(
        write_timeout: Duration,
    ) -> (impl AsyncRead + Unpin, impl Future<Output = hyper::Result<()>>) {
        let (mut client, server) = duplex(1000);
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let router = Router::new().route("/", get(async || "x".repeat(RESPONSE_BYTES)));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        (
            client,
            http(KEEP_ALIVE_TIMEOUT).serve_connection(
                TokioIo::new(with_write_timeout(server, write_timeout)),
                handler(router, peer, oneshot::channel().0),
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
            handler(router, peer, oneshot::channel().0),
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
}

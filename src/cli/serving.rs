//! The listener: takes connections, keeps them open longer than the router before us, ends those on which nobody
//! reads, and ends itself in time.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

/// How long a connection may rest between requests, and how long the head of a request may take: one clock measures
/// both. Heroku's router keeps its connections for 90 seconds; whoever closes first loses the request that is just on
/// its way (its error H13, or H18).
const REST: Duration = Duration::from_secs(95);
const _: () = assert!(REST.as_secs() > 90, "the router must be the one that closes");
/// How long nothing of an answer may be taken before its connection is closed: who never reads would keep the answer
/// in memory, and the connection, for ever. Whatever is taken begins it anew, so that an answer may take as long as its
/// line needs. Heroku's router is stricter by a little (55 seconds).
const UNREAD: Duration = Duration::from_secs(60);
/// How many bytes of an answer the system may hold that are not sent yet. By itself it holds some megabytes, and says
/// that it has sent something when a third of them is gone: on a slow line, long after.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 * 1024;
/// The longest head of a request, in bytes; browsers and routers stay below 16 KB.
const LONGEST_HEAD: usize = 32 * 1024;
/// The most header lines.
const MOST_HEADERS: usize = 100;
/// How long running requests may take to finish once the process is asked to stop; Heroku kills after 30 s, and the
/// database is to be left in peace within 20.
const FAREWELL: Duration = Duration::from_secs(18);
/// How long to wait when the system has no more connections to give.
const BREATH: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `stop`, takes nothing new then, and lets running requests finish.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> Result<()> {
    let http = Arc::new(http());
    let open = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            },
        };
        let connection = open.watcher();
        let (http, router) = (http.clone(), router.clone());
        tokio::spawn(async move {
            let stream = TokioIo::new(heeded(prompt(stream), UNREAD));
            let served = connection.watch(http.serve_connection(stream, handler(router, peer)));
            // Browsers leave in the middle of things; that is no event.
            let _ = served.await;
        });
    }
    drop(listener);
    // A request that is never finished must not hold the process past the platform's patience.
    if tokio::time::timeout(FAREWELL, open.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    Ok(())
}

fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(REST).max_buf_size(LONGEST_HEAD).max_headers(MOST_HEADERS);
    http
}

/// The same stream, which fails once nobody took a byte of what is written for so long.
fn heeded<S: AsyncRead + AsyncWrite>(stream: S, unread: Duration) -> Pin<Box<TimeoutStream<S>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(unread));
    Box::pin(stream)
}

/// Small answers are sent at once, and large ones as they are taken.
fn prompt(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
    stream
}

/// The router for one connection; the operator's page opens by where it comes from.
fn handler(
    router: Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(axum::body::Body::new))
    })
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const LONG: usize = 100_000;

    /// A request whose answer does not fit into what lies between the two ends; the second end serves it.
    async fn asked(unread: Duration) -> (impl AsyncRead + Unpin, impl Future<Output = hyper::Result<()>>) {
        let (mut ours, theirs) = duplex(1000);
        ours.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let router = Router::new().route("/", get(async || "x".repeat(LONG)));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        (ours, http().serve_connection(TokioIo::new(heeded(theirs, unread)), handler(router, peer)))
    }

    /// Heroku's router keeps a connection for 90 seconds and sends the next request on it, at the last moment perhaps.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_rests_is_kept_for_longer_than_the_router_does_and_not_for_ever() {
        let (mut ours, theirs) = duplex(10_000);
        let router = Router::new().route("/", get(async || "ok"));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let served = http().serve_connection(TokioIo::new(heeded(theirs, UNREAD)), handler(router, peer));
        let asking = async {
            for rest in [0, 91, 91] {
                tokio::time::sleep(Duration::from_secs(rest)).await;
                ours.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
                let mut answer = Vec::new();
                while !answer.ends_with(b"\r\n\r\nok") {
                    assert!(ours.read_buf(&mut answer).await.unwrap() > 0, "closed after {rest} seconds");
                }
            }
            ours.read(&mut [0; 10]).await.unwrap()
        };
        assert_eq!(tokio::join!(served, asking).1, 0, "closed at last");
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_reads_an_answer_is_hung_up_on() {
        let (_ours, served) = asked(Duration::from_millis(50)).await;
        assert!(served.await.is_err());
    }

    /// Little of an answer lies between us and who does not read: so whatever is read shows soon, and begins the time anew.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_system_takes_no_more_of_an_answer_than_it_soon_sends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let reader = tokio::net::TcpSocket::new_v4().unwrap();
        reader.set_recv_buffer_size(64 * 1024).unwrap();
        let (reader, accepted) = tokio::join!(reader.connect(listener.local_addr().unwrap()), listener.accept());
        let (reader, stream) = (reader.unwrap(), prompt(accepted.unwrap().0));
        let mut taken = 0;
        // Some of it is on its way, so that the system may take some more in a while.
        while let Ok(ready) = tokio::time::timeout(Duration::from_millis(300), stream.writable()).await {
            ready.unwrap();
            taken += stream.try_write(&[0; LONG]).unwrap_or_default();
            assert!(taken < 1_000_000, "{taken}");
        }
        assert!(taken > UNSENT as usize);
        drop(reader);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_has_the_whole_answer() {
        let (mut ours, served) = asked(Duration::from_secs(1)).await;
        let reading = async {
            let mut read = Vec::new();
            for _ in 0..6 {
                tokio::time::sleep(Duration::from_millis(200)).await;
                ours.read_buf(&mut read).await.unwrap();
            }
            ours.read_to_end(&mut read).await.unwrap();
            read.len()
        };
        let (served, read) = tokio::join!(served, reading);
        assert!(served.is_ok() && read > LONG, "{read}");
    }
}

//! The listener: takes connections, keeps them open longer than the router before us, and ends in time.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
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
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

/// How long a connection may rest between requests, and how long the head of a request may take: one clock measures
/// both. Heroku's router keeps its connections for 90 seconds; whoever closes first loses the request that is just on
/// its way (its error H13, or H18).
const REST: Duration = Duration::from_secs(95);
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
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(REST).max_buf_size(LONGEST_HEAD).max_headers(MOST_HEADERS);
    let http = Arc::new(http);
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
            let served = connection.watch(http.serve_connection(TokioIo::new(prompt(stream)), handler(router, peer)));
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

/// Small answers are sent at once.
fn prompt(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
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

//! The HTTP server: keep-alive, write timeout, graceful shutdown on SIGTERM.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Timeout;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::connections::Connections;
use crate::network::ByNetwork;

/// Limit on the time between requests on a connection, and on the time in which a later request head must arrive: hyper
/// has one timer for both.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(15);
/// Idle timeout of connections from a proxy. Must be longer than the 90 seconds for which Heroku's router keeps
/// connections: if the app closed first, a request already on its way would be lost (error H13 or H18).
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
/// How long clients have to learn from a response that its connection closes. A request on an idle connection would be
/// lost if it crossed the end of that connection, and not all clients may send it again.
const CLOSING_PERIOD: Duration = Duration::from_secs(2);
/// How long connections stay open after no more are accepted: a proxy on a busy machine may have opened one, or taken
/// one from its pool, and be about to send a request.
const LAST_REQUEST_PERIOD: Duration = Duration::from_millis(500);
/// How long running requests may take to finish after that. Heroku kills the process 30 s after SIGTERM, and a private
/// Postgres needs some of that to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(16);
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
    /// Returns limits below the number of file descriptors that the process may open, which is raised as far as it can
    /// be.
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

/// Serves `router` on `listener` until `stop`. Then for [`CLOSING_PERIOD`] each response closes its connection, and
/// running requests finish.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let (phase, phases) = watch::channel(Phase::Open);
    let mut server = Server::new(router, limits, phases);
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = server.tasks.join_next() => {}
            accepted = listener.accept() => server.handle(accepted).await,
        }
    }
    phase.send_replace(Phase::Closing);
    let mut end = pin!(tokio::time::sleep(CLOSING_PERIOD));
    // A proxy sends requests until it notices.
    while limits.is_behind_proxy || !server.tasks.is_empty() {
        tokio::select! {
            () = &mut end => break,
            Some(_) = server.tasks.join_next() => {}
            accepted = listener.accept() => server.handle(accepted).await,
        }
    }
    // The kernel would reset connections that wait to be accepted.
    while let Some(accepted) = listener.accept().now_or_never() {
        server.handle(accepted).await;
    }
    drop(listener);
    phase.send_replace(Phase::Closed);
    let finished = async { while server.tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN_GRACE, finished).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Requests are served, but each response closes its connection.
    Closing,
    /// Idle connections are closed.
    Closed,
}

/// The open connections, and what new ones need.
struct Server {
    http: http1::Builder,
    router: Router,
    limits: ConnectionLimits,
    phases: watch::Receiver<Phase>,
    all: Connections<()>,
    by_network: ByNetwork<Connections<IpAddr>>,
    accepted: u64,
    tasks: JoinSet<()>,
}

impl Server {
    fn new(router: Router, limits: ConnectionLimits, phases: watch::Receiver<Phase>) -> Self {
        let (all, by_network) = (Connections::new(limits.max), limits.by_network());
        let http = http(limits.keep_alive_timeout());
        Self { http, router, limits, phases, all, by_network, accepted: 0, tasks: JoinSet::new() }
    }

    /// Serves a connection in a task. Beyond the limits it is closed at once.
    async fn handle(&mut self, accepted: std::io::Result<(TcpStream, SocketAddr)>) {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                return tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        };
        self.accepted += 1;
        let end = Arc::new(Notify::new());
        // The narrowest network first: a connection that it refuses ends none of the wider ones.
        let networks = self.by_network.iter(peer.ip()).rev();
        let network_slots = networks.map(|(connections, network)| connections.try_open(network, self.accepted, &end));
        let Some(network_slots) = network_slots.collect::<Option<Vec<_>>>() else { return };
        let Some(global_slot) = self.all.try_open((), self.accepted, &end) else { return };
        let stream = TokioIo::new(with_write_timeout(configure_socket(stream), WRITE_TIMEOUT));
        let (first_request, requested) = oneshot::channel();
        let handler = handler(self.router.clone(), peer, first_request, self.phases.clone());
        let connection = self.http.serve_connection(stream, handler);
        let requested = tokio::time::timeout(self.limits.first_request_timeout, requested);
        let phases = self.phases.clone();
        self.tasks.spawn(async move {
            let _slots = (network_slots, global_slot);
            serve_connection(connection, requested, &end, phases).await;
        });
    }
}

/// Serves a connection until it ends, no first request comes in time, `end` is notified or the server closes.
async fn serve_connection<I, S>(
    connection: http1::Connection<I, S>,
    requested: Timeout<oneshot::Receiver<()>>,
    end: &Notify,
    mut phases: watch::Receiver<Phase>,
) where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut connection, mut requested) = (pin!(connection), pin!(requested));
    let mut has_request = false;
    let mut closed = pin!(async move {
        drop(phases.wait_for(|phase| *phase == Phase::Closed).await);
        tokio::time::sleep(LAST_REQUEST_PERIOD).await;
    });
    let mut is_closed = false;
    loop {
        tokio::select! {
            // In this order, so that a request that has just arrived is not lost.
            biased;
            // Browsers often close connections early, so errors are not logged.
            _ = connection.as_mut() => return,
            in_time = requested.as_mut(), if !has_request => {
                has_request = in_time.is_ok();
                if has_request {
                    continue;
                }
            }
            () = end.notified() => {}
            () = closed.as_mut(), if !is_closed => is_closed = true,
        }
        if !has_request {
            return;
        }
        connection.as_mut().graceful_shutdown();
    }
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
    phases: watch::Receiver<Phase>,
) -> impl HttpService<Incoming, ResBody = Body, Error = Infallible, Future: Send> {
    let first_request = Mutex::new(Some(first_request));
    service_fn(move |mut request: Request<Incoming>| {
        if let Some(first_request) = first_request.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = first_request.send(());
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = router.clone().oneshot(request.map(Body::new));
        let phases = phases.clone();
        async move {
            let mut response = response.await?;
            if *phases.borrow() != Phase::Open {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    })
}

#[cfg(test)]
mod tests;

//! The host of `BASE_URL`, the only one registered with the providers. Cookies belong to one host, so a sign-in that starts
//! on another one cannot finish.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, Method, StatusCode, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use url::Host;

use crate::app::App;
use crate::web::assets::ASSETS;
use crate::web::error::AppError;

/// Redirects from one host in a row that lead no request to the canonical host. Then a proxy probably rewrites Host, and
/// more redirects would be a loop. Browsers follow 20 redirects, feed readers 10.
const MAX_FUTILE_REDIRECTS: u32 = 8;
/// Health checks use internal addresses, metrics too, and /setup shows what is wrong with the host. `*` (OPTIONS) is not
/// a path.
const ON_EVERY_HOST: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/setup", "*"];

/// What the requests so far say about the way from `BASE_URL` to this process.
#[derive(Default)]
struct Arrivals {
    /// True if a request had the canonical host, so that no proxy rewrites it.
    is_reachable: bool,
    /// The host of the last redirect, and how many there were in a row.
    redirected: (String, u32),
}

#[derive(Clone)]
pub(crate) struct CanonicalHost {
    app: Arc<App>,
    arrivals: Arc<Mutex<Arrivals>>,
}

/// A request's host that is not the canonical one; forms on it are refused.
#[derive(Clone)]
struct OtherHost(String);

impl CanonicalHost {
    pub(crate) fn new(app: &Arc<App>) -> Self {
        Self { app: app.clone(), arrivals: Arc::default() }
    }

    /// Returns the response for a request to `host`: a redirect, or `None` if the request is to be served.
    fn redirect(&self, request: &mut Request) -> Option<Redirect> {
        let path = request.uri().path();
        // The page that refuses a form needs its stylesheet, which the content policy forbids to come from another host.
        if ON_EVERY_HOST.contains(&path) || ASSETS.contains(path) {
            return None;
        }
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let url = format!("{}{path}", self.app.config.base_url.origin().ascii_serialization());
        if self.app.config.dyno && self.app.config.is_https() && is_plain_http(request.headers()) {
            return Some(Redirect::permanent(&url));
        }
        let host = self.other_host(request)?;
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            if arrivals.is_reachable {
                request.extensions_mut().insert(OtherHost(host));
            }
            return None;
        }
        if arrivals.redirected.0 != host {
            arrivals.redirected = (host, 0);
        }
        arrivals.redirected.1 = arrivals.redirected.1.saturating_add(1);
        if arrivals.redirected.1 > MAX_FUTILE_REDIRECTS {
            if arrivals.redirected.1 == MAX_FUTILE_REDIRECTS + 1 {
                let host = arrivals.redirected.0.as_str();
                tracing::warn!(host, "all requests have this host, none that of BASE_URL: does a proxy rewrite Host?");
            }
            arrivals.is_reachable = false;
            return None;
        }
        Some(Redirect::temporary(&url))
    }

    /// Returns the request's host if it can be told and is not the canonical one. Ports do not matter, as for cookies.
    fn other_host(&self, request: &Request) -> Option<String> {
        let base = self.app.config.base_url.host()?.to_owned();
        let hosts = request_hosts(request);
        if hosts.iter().any(|(_, host)| *host == base) {
            let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
            *arrivals = Arrivals { is_reachable: true, ..Arrivals::default() };
            return None;
        }
        let (name, host) = hosts.into_iter().next()?;
        // Another computer could not follow a redirect to a loopback address.
        let is_followed = !is_loopback(&base) || is_loopback(&host) || is_loopback_peer(request);
        is_followed.then_some(name)
    }
}

/// Redirects requests on other hosts before a cookie is set there; on Heroku also requests over plain http.
pub(crate) async fn redirect_to_canonical_host(
    State(canonical): State<CanonicalHost>,
    mut request: Request,
    next: Next,
) -> Response {
    match canonical.redirect(&mut request) {
        Some(redirect) => redirect.into_response(),
        None => next.run(request).await,
    }
}

/// Refuses forms on other hosts: a redirect would lose their fields.
pub(crate) async fn refuse_forms_on_other_hosts(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(OtherHost(host)) = request.extensions().get() else { return next.run(request).await };
    let origin = app.config.base_url.origin().ascii_serialization();
    let message = format!(
        "This Heartlist is at {origin}, but your browser used {host}. Signing in and saving work only there. Open {origin} and try again."
    );
    AppError::new(StatusCode::MISDIRECTED_REQUEST, "Wrong address", message).with_nothing_saved().into_response()
}

/// The hosts that a request names, as text and parsed: what a proxy received, then what this server did.
fn request_hosts(request: &Request) -> Vec<(String, Host)> {
    let headers = request.headers();
    let texts = |name| headers.get_all(name).iter().filter_map(|value: &axum::http::HeaderValue| value.to_str().ok());
    let forwarded = texts("x-forwarded-host").flat_map(|hosts| hosts.split(','));
    let own = texts(HOST.as_str()).chain(request.uri().authority().map(Authority::as_str));
    let parse = |text: &str| {
        let authority: Authority = text.trim().parse().ok()?;
        Some((authority.host().to_owned(), Host::parse(authority.host()).ok()?))
    };
    forwarded.chain(own).filter_map(parse).collect()
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_loopback_peer(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
}

/// True if the client used plain http. Only reliable on Heroku, whose router sets `X-Forwarded-Proto`; behind a proxy
/// that does not set it, the redirect would loop.
fn is_plain_http(headers: &HeaderMap) -> bool {
    // Heroku's router appends its value; clients can forge the values before it.
    let header = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|value| value.to_str().ok());
    header.and_then(|value| value.rsplit(',').next()).is_some_and(|scheme| scheme.trim() == "http")
}

//! The host of `BASE_URL`, the only one registered with the providers. Cookies belong to one host, so a sign-in that
//! starts on another one cannot finish.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::HOST;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use url::Host;

use crate::app::{App, is_loopback_host};
use crate::web::assets::ASSETS;
use crate::web::error::AppError;

/// Consecutive redirects after which no request reached the canonical host; beyond this a proxy probably rewrites Host.
/// Browsers follow 20 redirects, feed readers 10.
const MAX_FUTILE_REDIRECTS: u32 = 8;
/// Health checks use internal addresses, metrics too, and /setup shows what is wrong with the host. `*` (OPTIONS) is
/// not a path.
const ON_EVERY_HOST: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/setup", "*"];

/// Whether requests to `BASE_URL` arrive with its host.
#[derive(Default)]
struct HostEvidence {
    /// True once a request had the canonical host, so that no proxy rewrites it.
    is_reachable: bool,
    /// Redirects before that.
    redirects: u32,
}

#[derive(Clone)]
pub(crate) struct CanonicalHost {
    app: Arc<App>,
    /// For requests without and with `X-Forwarded-Host`. A proxy that rewrites Host may pass on the header of a client,
    /// which then decides about requests with that header only.
    evidence: Arc<[Mutex<HostEvidence>; 2]>,
}

/// Marks a response that the client gets over plain http although `BASE_URL` is https.
#[derive(Clone)]
pub(super) struct PlainHttp;

/// A request's host that is not the canonical one; forms on it are refused.
#[derive(Clone)]
struct OtherHost(String);

impl CanonicalHost {
    pub(crate) fn new(app: &Arc<App>) -> Self {
        Self { app: app.clone(), evidence: Arc::default() }
    }

    /// Returns the response for a request to `host`: a redirect, or `None` if the request is to be served.
    fn redirect(&self, request: &mut Request) -> Option<Redirect> {
        let path = request.uri().path();
        // The page that refuses a form needs its stylesheet, which the content policy forbids to come from another
        // host.
        if ON_EVERY_HOST.contains(&path) || ASSETS.contains(path) {
            return None;
        }
        if self.is_plain_http(request.headers()) {
            return Some(Redirect::permanent(&self.canonical_url(request)));
        }
        let base = self.app.config.base_url.host()?.to_owned();
        let forwarded = self.forwarded_hosts(request);
        // Most requests write the host as `BASE_URL` does, which needs no parsing.
        let has_same_text =
            request.headers().get(HOST).is_some_and(|host| host == self.app.config.base_url.authority());
        let own = if has_same_text { Vec::new() } else { own_hosts(request) };
        let evidence = &self.evidence[usize::from(!forwarded.is_empty())];
        let mut evidence = evidence.lock().unwrap_or_else(PoisonError::into_inner);
        // Ports do not matter, as for cookies.
        if has_same_text || own.iter().chain(&forwarded).any(|(_, host)| *host == base) {
            evidence.is_reachable = true;
            return None;
        }
        let (name, host) = forwarded.into_iter().chain(own).next()?;
        // Another computer could not follow a redirect to a loopback address.
        if is_loopback_host(&base) && !is_loopback_host(&host) && !is_loopback_peer(request.extensions()) {
            return None;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            if evidence.is_reachable {
                request.extensions_mut().insert(OtherHost(name));
            }
            return None;
        }
        if !evidence.is_reachable {
            evidence.redirects = evidence.redirects.saturating_add(1);
            if evidence.redirects > MAX_FUTILE_REDIRECTS {
                if evidence.redirects == MAX_FUTILE_REDIRECTS + 1 {
                    tracing::warn!(host = name, "no request has the host of BASE_URL: does a proxy rewrite Host?");
                }
                return None;
            }
        }
        Some(Redirect::temporary(&self.canonical_url(request)))
    }

    /// Returns the request's URL on the canonical host.
    fn canonical_url(&self, request: &Request) -> String {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        format!("{}{path}", self.app.config.base_url.origin().ascii_serialization())
    }

    /// True if the client used plain http on Heroku, whose router sets `X-Forwarded-Proto`. Behind a proxy that does
    /// not set it, the redirect would loop.
    fn is_plain_http(&self, headers: &HeaderMap) -> bool {
        self.app.config.dyno && self.app.config.is_https() && is_forwarded_from_http(headers)
    }

    /// The hosts that a trusted proxy received, as text and parsed.
    fn forwarded_hosts(&self, request: &Request) -> Vec<(String, Host)> {
        let is_trusted = self.app.config.access.trusted_proxies > 0;
        let headers = request.headers().get_all("x-forwarded-host").iter().filter(|_| is_trusted);
        headers
            .filter_map(|value| value.to_str().ok())
            .flat_map(|hosts| hosts.split(','))
            .filter_map(parse_host)
            .collect()
    }
}

/// Redirects requests on other hosts before a cookie is set there; on Heroku also requests over plain http.
pub(crate) async fn redirect_to_canonical_host(
    State(canonical): State<CanonicalHost>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_plain_http = canonical.is_plain_http(request.headers());
    let mut response = match canonical.redirect(&mut request) {
        Some(redirect) => redirect.into_response(),
        None => next.run(request).await,
    };
    if is_plain_http {
        response.extensions_mut().insert(PlainHttp);
    }
    response
}

/// Refuses forms on other hosts: a redirect would lose their fields.
pub(crate) async fn refuse_forms_on_other_hosts(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(OtherHost(host)) = request.extensions().get() else { return next.run(request).await };
    let origin = app.config.base_url.origin().ascii_serialization();
    let message = format!("Sign in and save at {origin}; this page was opened at {host}.");
    AppError::new(StatusCode::MISDIRECTED_REQUEST, "Wrong address", message).with_nothing_saved().into_response()
}

/// The hosts that this server received, as text and parsed.
fn own_hosts(request: &Request) -> Vec<(String, Host)> {
    let headers = request.headers().get_all(HOST).iter().filter_map(|value| value.to_str().ok());
    headers.chain(request.uri().authority().map(Authority::as_str)).filter_map(parse_host).collect()
}

fn parse_host(text: &str) -> Option<(String, Host)> {
    let authority: Authority = text.trim().parse().ok()?;
    Some((authority.host().to_owned(), Host::parse(authority.host()).ok()?))
}

/// True if the connection comes from this computer: from a browser or a proxy.
pub(crate) fn is_loopback_peer(extensions: &Extensions) -> bool {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
}

fn is_forwarded_from_http(headers: &HeaderMap) -> bool {
    // Heroku's router appends its value; clients can forge the values before it.
    let header = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|value| value.to_str().ok());
    header.and_then(|value| value.rsplit(',').next()).is_some_and(|scheme| scheme.trim() == "http")
}

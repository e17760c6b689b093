//! Rate limits by user, by address, or by the state of a callback. The router sets them at each route.
//!
//! Counts are kept in memory, so that no heart costs a second write; N processes allow N times as many requests.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::FORWARDED;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use url::form_urlencoded;

use crate::app::{App, Clock};
use crate::count::count;
use crate::ids::{TokenHash, UserId};
use crate::network::ByNetwork;
use crate::rate_limiter::{RateLimiter, retry_seconds};
use crate::web::error::{AppError, Result};
use crate::web::extract::MaybeUser;
use crate::web::middleware::fetch_metadata::is_cross_origin;
use crate::web::middleware::from_fn::from_fn_with_state;

/// The kind of key that a limit counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The client's IP address and its networks.
    Address,
    /// The signed-in user; otherwise the address. Loads the session, which the handler needs anyway.
    User,
    /// The callback's state; otherwise the address. Callbacks that another site makes up use up nobody's limit.
    State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum RateLimitKey {
    User(UserId),
    State(TokenHash),
    Address(IpAddr),
}

/// A limit for each key: a burst of `max` requests, replenished over `period`.
pub(crate) struct RateLimit {
    key: Key,
    max: NonZeroU32,
    period: Duration,
    /// Plural noun for the requests, for the error page.
    label: &'static str,
    trusted_proxies: usize,
    clock: Clock,
    by_address: ByNetwork<RateLimiter<IpAddr>>,
    by_user: RateLimiter<UserId>,
    by_state: RateLimiter<TokenHash>,
}

impl RateLimit {
    pub(crate) fn new(app: &App, key: Key, max: NonZeroU32, period: Duration, label: &'static str) -> Arc<Self> {
        Arc::new(Self {
            key,
            max,
            period,
            label,
            trusted_proxies: app.config.access.trusted_proxies,
            clock: app.clock.clone(),
            by_address: ByNetwork::new(|factor| RateLimiter::new(multiply(max, factor), period)),
            by_user: RateLimiter::new(max, period),
            by_state: RateLimiter::new(max, period),
        })
    }

    /// Counts a request. Fails with the time to wait if the limit is exceeded.
    fn count(&self, key: RateLimitKey) -> Result<(), Duration> {
        let now = (self.clock)();
        match key {
            RateLimitKey::User(user) => self.by_user.count(user, now),
            RateLimitKey::State(state) => self.by_state.count(state, now),
            RateLimitKey::Address(address) => self.by_address.count(address, now),
        }
    }

    /// Counts further requests of a user beside the one that the layer has counted. Fails with the time to wait.
    pub(crate) fn count_more(&self, user: UserId, count: u32) -> Result<(), Duration> {
        self.by_user.count_many(user, count, (self.clock)())
    }

    pub(crate) fn error(&self, wait: Duration) -> AppError {
        let seconds = retry_seconds(wait);
        let period = if self.period == Duration::from_secs(60) { "a minute" } else { "ten minutes" };
        let message = format!(
            "Too many {} at once: the limit is {} in {period}. Try again in {}.",
            self.label,
            count(self.max.get()),
            if seconds == 1 { "a second".into() } else { format!("{seconds} seconds") }
        );
        let error = AppError::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", message);
        error.with_nothing_saved().with_retry_after(Duration::from_secs(seconds))
    }

    async fn key(&self, request: &mut Parts) -> Result<RateLimitKey> {
        let key = match self.key {
            Key::User => MaybeUser::load_once(request).await?.user.map(|user| RateLimitKey::User(user.id)),
            Key::State => state(request).map(RateLimitKey::State),
            Key::Address => None,
        };
        Ok(key.unwrap_or_else(|| RateLimitKey::Address(address(request, self.trusted_proxies))))
    }
}

fn state(request: &Parts) -> Option<TokenHash> {
    let mut parameters = form_urlencoded::parse(request.uri.query()?.as_bytes());
    parameters.find(|(name, _)| name == "state").map(|(_, state)| TokenHash::new(state.as_bytes()))
}

pub(crate) fn multiply(count: NonZeroU32, factor: u32) -> NonZeroU32 {
    count.saturating_mul(NonZeroU32::new(factor).expect("not zero"))
}

pub(crate) fn with_rate_limit(routes: MethodRouter<Arc<App>>, limit: &Arc<RateLimit>) -> MethodRouter<Arc<App>> {
    with_rate_limits(routes, [limit.clone()])
}

/// Applies `limits` to `routes`, in this order.
pub(crate) fn with_rate_limits(
    routes: MethodRouter<Arc<App>>,
    limits: impl Into<Arc<[Arc<RateLimit>]>>,
) -> MethodRouter<Arc<App>> {
    // Around the methods of the route only, so that wrong methods do not count.
    routes.route_layer(from_fn_with_state(limits.into(), enforce))
}

pub(crate) async fn enforce(State(limits): State<Arc<[Arc<RateLimit>]>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    for limit in limits.iter() {
        match limit.key(&mut parts).await.map(|key| limit.count(key)) {
            Ok(Ok(())) => {}
            Ok(Err(wait)) => return limit.error(wait).into_response(),
            Err(error) => return error.into_response(),
        }
    }
    next.run(Request::from_parts(parts, body)).await
}

/// Limits only requests that another site caused.
pub(crate) async fn enforce_for_links(limits: State<Arc<[Arc<RateLimit>]>>, request: Request, next: Next) -> Response {
    if is_cross_origin(request.headers()) { enforce(limits, request, next).await } else { next.run(request).await }
}

/// The client's IP address.
pub(crate) fn address(request: &Parts, trusted_proxies: usize) -> IpAddr {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    forwarded_address(&request.headers, trusted_proxies).unwrap_or(peer)
}

/// The address that the outermost of `proxies` added to `X-Forwarded-For`: the one at this position from the end, over
/// all headers. Clients can forge those before it. With fewer entries, the request came by fewer proxies, and the first
/// counts. `None` if there is no header, or if the entry is not an address, which is logged once.
fn forwarded_address(headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    static UNREADABLE: Once = Once::new();
    if proxies == 0 {
        return None;
    }
    let headers = headers.get_all("x-forwarded-for").iter().rev();
    let entries = headers.flat_map(|header| header.as_bytes().rsplit(|byte| *byte == b','));
    // Empty elements of a list do not count (RFC 9110 section 5.6.1).
    let entry = entries.filter(|entry| !entry.trim_ascii().is_empty()).take(proxies).last()?;
    let address = str::from_utf8(entry).ok().and_then(parse_forwarded);
    if address.is_none() {
        // The entry is not logged, because it may be a person's address.
        UNREADABLE.call_once(|| {
            tracing::warn!("an entry of X-Forwarded-For is not an IP address: visitors share their rate limits");
        });
    }
    address
}

/// Logs once that a proxy adds its header, if the server does not know of a proxy.
pub(crate) fn warn_of_unknown_proxy(app: &App) -> impl Fn(Request) -> Request + Clone + use<> {
    let trusts_proxy = app.config.access.trusted_proxies > 0;
    move |request| {
        static WARNED: Once = Once::new();
        if !trusts_proxy && is_forwarded(request.headers()) {
            WARNED.call_once(|| {
                tracing::warn!(
                    "a request came through a proxy, but TRUSTED_PROXY is not set: visitors share their rate limits"
                );
            });
        }
        request
    }
}

/// True if a proxy added its header to the request.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key("x-forwarded-for") || headers.contains_key(FORWARDED)
}

/// Parses an entry of `X-Forwarded-For`: an address, which proxies also write with a port, in brackets or in quotes,
/// and for IPv6 with a zone.
fn parse_forwarded(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim().trim_matches('"');
    let host = match entry.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']')?;
            (port.is_empty() || is_port(port.strip_prefix(':')?)).then_some(host)?
        }
        None => match entry.split_once(':') {
            Some((host, port)) if is_port(port) => host,
            _ => entry,
        },
    };
    host.split('%').next()?.parse().ok()
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_address_is_the_one_that_the_outermost_proxy_added() {
        let [first, second, third] =
            [[203, 0, 113, 9], [198, 51, 100, 7], [192, 0, 2, 1]].map(|address| Some(IpAddr::from(address)));
        let two = [None, second, first, first];
        for (values, by_proxies) in [
            (&["203.0.113.9, 198.51.100.7"][..], two),
            (&["203.0.113.9, 198.51.100.7", "192.0.2.1"], [None, third, second, first]),
            (&["203.0.113.9, 198.51.100.7", "192.0.2.1", "unknown"], [None, None, third, second]),
            // Empty elements do not count.
            (&["203.0.113.9, 198.51.100.7,"], two),
            (&["203.0.113.9,, 198.51.100.7", ""], two),
            (&["203.0.113.9", " , ", "198.51.100.7 ,\t,"], two),
            (&[","], [None; 4]),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            for (proxies, expected) in by_proxies.into_iter().enumerate() {
                assert_eq!(forwarded_address(&headers, proxies), expected, "{values:?} {proxies}");
            }
        }
    }

    #[test]
    fn entries_are_read_with_ports_brackets_quotes_and_zones() {
        let (v4, v6) = (IpAddr::from([198, 51, 100, 7]), "2001:db8::1".parse().unwrap());
        for entry in ["198.51.100.7", "198.51.100.7:", " 198.51.100.7:41234", "\"198.51.100.7\"", "[198.51.100.7]:80"] {
            assert_eq!(parse_forwarded(entry), Some(v4), "{entry}");
        }
        for entry in [
            "2001:db8::1", "[2001:db8::1]", "[2001:DB8:0::1]:443", "[2001:db8::1]:", "\"[2001:db8::1]:443\"",
            "2001:db8::1%eth0",
        ] {
            assert_eq!(parse_forwarded(entry), Some(v6), "{entry}");
        }
        assert_eq!(parse_forwarded("::ffff:198.51.100.7").map(|address| address.to_canonical()), Some(v4));
        for entry in
            ["", "unknown", "_hidden", "198.51.100", "198.51.100.7:99999", "[2001:db8::1", "[2001:db8::1]x", "[]"]
        {
            assert_eq!(parse_forwarded(entry), None, "{entry}");
        }
    }
}

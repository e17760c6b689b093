//! Rate limits by user, session or address, set at routes in the router.
//!
//! The counts live in the process, so that no heart costs a second write: N processes allow N times as much.
//! tower_governor finds its key without waiting, so it cannot ask the session store for the user.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tower_sessions::Session;

use crate::app::{App, Clock};
use crate::domain::session_key;
use crate::ids::{TokenHash, UserId};
use crate::web::error::AppError;
use crate::web::extract::current_user::MaybeUser;

/// Keys that one limit remembers. Idle ones are forgotten first; beyond that, new ones are counted together.
const MAX_KEYS: usize = 10_000;

/// What a limit counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The address, IPv6 by its network.
    Address,
    /// The session that the cookie names, without reading it; else the address.
    Session,
    /// The signed-in user, else the address.
    User,
}

/// A value of a [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum RateLimitKey {
    User(UserId),
    Session(TokenHash),
    Address(IpAddr),
    /// Everybody beyond [`MAX_KEYS`].
    Overflow,
}

/// The app's clock as governor reads it: the time since 1970.
#[derive(Clone)]
struct UnixClock(Clock);

impl governor::clock::Clock for UnixClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(u64::try_from((self.0)().unix_timestamp_nanos()).unwrap_or_default())
    }
}

/// A limit of `max` requests at once for each key; after that, one more for each `max`-th part of the period.
pub(crate) struct RateLimit {
    key: Key,
    max: NonZeroU32,
    period: Duration,
    /// What is counted, in the plural, for the error page.
    label: &'static str,
    behind_proxy: bool,
    limiter: RateLimiter<RateLimitKey, HashMapStateStore<RateLimitKey>, UnixClock, NoOpMiddleware<Duration>>,
}

impl RateLimit {
    pub(crate) fn new(app: &App, key: Key, max: NonZeroU32, period: Duration, label: &'static str) -> Arc<Self> {
        let quota = Quota::with_period(period / max.get()).expect("a period is not zero").allow_burst(max);
        let limiter = RateLimiter::hashmap_with_clock(quota, UnixClock(app.clock.clone()));
        Arc::new(Self { key, max, period, label, behind_proxy: app.config.access.is_behind_proxy, limiter })
    }

    /// Counts a request. Fails with the time to wait if there were too many.
    fn count(&self, key: RateLimitKey) -> Result<(), Duration> {
        let mut key = key;
        if self.limiter.len() >= MAX_KEYS {
            self.limiter.retain_recent();
            if self.limiter.len() >= MAX_KEYS {
                key = RateLimitKey::Overflow;
            }
        }
        let now = self.limiter.clock().now();
        self.limiter.check_key(&key).map_err(|not_until| not_until.wait_time_from(now))
    }

    fn error(&self, wait: Duration) -> AppError {
        let seconds = wait.as_secs() + 1;
        let period = if self.period == Duration::from_secs(60) { "a minute" } else { "ten minutes" };
        let message = format!(
            "Too many {} at once: the limit is {} in {period}. Try again in {}.",
            self.label,
            self.max,
            if seconds == 1 { "a second".into() } else { format!("{seconds} seconds") }
        );
        let error = AppError::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", message).nothing_saved();
        AppError { retry_after: Some(Duration::from_secs(seconds)), ..error }
    }

    /// The key of a request.
    async fn key(&self, address: IpAddr, session: Option<Session>) -> Result<RateLimitKey, AppError> {
        let known = match (self.key, session) {
            (Key::Session, Some(session)) => session.id().map(|id| RateLimitKey::Session(session_key(id))),
            (Key::User, Some(session)) => MaybeUser::load(session).await?.user.map(|user| RateLimitKey::User(user.id)),
            (Key::Address, _) | (_, None) => None,
        };
        Ok(known.unwrap_or(RateLimitKey::Address(address)))
    }
}

/// Puts `limit` around `routes`.
pub(crate) fn limited(routes: MethodRouter<Arc<App>>, limit: &Arc<RateLimit>) -> MethodRouter<Arc<App>> {
    routes.layer(from_fn_with_state(limit.clone(), enforce))
}

async fn enforce(State(limit): State<Arc<RateLimit>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let (address, session) = (address(&parts, limit.behind_proxy), parts.extensions.get().cloned());
    match limit.key(address, session).await.map(|key| limit.count(key)) {
        Ok(Ok(())) => next.run(Request::from_parts(parts, body)).await,
        Ok(Err(wait)) => limit.error(wait).into_response(),
        Err(error) => error.into_response(),
    }
}

/// The client's address; of IPv6 the /64 network, from which a household can choose any address.
fn address(request: &Parts, behind_proxy: bool) -> IpAddr {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let told = behind_proxy.then(|| last_hop(&request.headers)).flatten();
    match told.unwrap_or(peer).to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

/// The address that the proxy saw: the last of the last `X-Forwarded-For` line. Clients can make up all before it.
fn last_hop(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_hop_of_the_last_line_counts() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().unwrap());
        assert_eq!(last_hop(&headers), Some(IpAddr::from([198, 51, 100, 7])));
        headers.append("x-forwarded-for", "192.0.2.1".parse().unwrap());
        assert_eq!(last_hop(&headers), Some(IpAddr::from([192, 0, 2, 1])));
        headers.append("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(last_hop(&headers), None);
    }
}

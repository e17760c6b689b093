//! How often one person or one address may ask for what costs us or others something.
//!
//! A first line of defence: it lives in the process, so that no heart costs a second write, and N processes
//! allow N times as much. What two processes must agree on stands in rows, and this is nothing of the kind.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock as Ticking;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tower_sessions::Session;

use super::error::Fault;
use super::session::Visitor;
use crate::app::{App, Clock};
use crate::domain::session_key;
use crate::ids::{Digested, UserId};

/// How many askers a rule remembers. Who has not asked for a while is forgotten first; if all have, the rest
/// is counted as one.
const MOST_ASKERS: usize = 10_000;

const MINUTE: Duration = Duration::from_secs(60);
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Asker {
    Person(UserId),
    Session(Digested),
    Address(IpAddr),
    /// Everybody for whom there is no place of their own.
    Rest,
}

/// The app's clock, as the counting wants it: the time since 1970.
#[derive(Clone)]
struct Since1970(Clock);

impl Ticking for Since1970 {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(u64::try_from((self.0)().unix_timestamp_nanos()).unwrap_or_default())
    }
}

type Counted = RateLimiter<Asker, HashMapStateStore<Asker>, Since1970, NoOpMiddleware<Duration>>;

/// By what a rule tells askers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Address,
    /// Whoever is signed in, wherever they are; others by their address.
    Person,
    /// The session as the cookie names it, which need not be opened for that.
    Session,
}

/// A rule: so many times at once; then one more each time that its share of the period has passed.
struct Rule {
    applies: fn(&Method, &str) -> bool,
    by: By,
    times: NonZeroU32,
    period: Duration,
    /// What there was too much of.
    what: &'static str,
    counted: Counted,
}

/// All rules.
pub(super) struct Limits {
    rules: Vec<Rule>,
    behind_proxy: bool,
}

impl Limits {
    pub(super) fn new(app: &App) -> Arc<Self> {
        let (sign_ins, hearts) = (app.config.people.sign_ins, app.config.people.hearts);
        let some = |times| NonZeroU32::new(times).expect("not zero");
        let by = |by, applies, times, period, what| Rule { by, ..rule(&app.clock, applies, times, period, what) };
        let address = |applies, times, what| by(By::Address, applies, times, TEN_MINUTES, what);
        let person = |applies, times, period, what| by(By::Person, applies, times, period, what);
        let rules = vec![
            address(starts_sign_in, sign_ins, "sign-ins from one address"),
            address(ends_sign_in, sign_ins.saturating_mul(some(2)), "sign-ins from one address"),
            // First: who invents a cookie for each request has one address all the same.
            by(By::Address, presses_heart, hearts.saturating_mul(some(10)), MINUTE, "hearts from one address"),
            by(By::Session, presses_heart, hearts, MINUTE, "hearts"),
            person(sends_heart, hearts, MINUTE, "hearts"),
            person(hearts_by_link, some(20), MINUTE, "hearts by link"),
            person(moves_hearts, some(30), TEN_MINUTES, "exports and imports"),
            person(deletes, some(10), TEN_MINUTES, "attempts to delete the account"),
        ];
        Arc::new(Self { rules, behind_proxy: app.config.people.behind_proxy })
    }
}

fn rule(
    clock: &Clock,
    applies: fn(&Method, &str) -> bool,
    times: NonZeroU32,
    period: Duration,
    what: &'static str,
) -> Rule {
    let quota = Quota::with_period(period / times.get()).expect("some time passes").allow_burst(times);
    let counted = RateLimiter::hashmap_with_clock(quota, Since1970(clock.clone()));
    Rule { applies, by: By::Address, times, period, what, counted }
}

fn starts_sign_in(method: &Method, path: &str) -> bool {
    method == Method::POST && path.starts_with("/auth/")
}

fn ends_sign_in(_: &Method, path: &str) -> bool {
    path.ends_with("/callback") || path == "/oauth2callback"
}

/// Without a body: nothing is to be waited for.
fn presses_heart(method: &Method, path: &str) -> bool {
    matches!(*method, Method::PUT | Method::DELETE) && path.starts_with("/heart/")
}

fn sends_heart(method: &Method, path: &str) -> bool {
    method == Method::POST && path.starts_with("/heart/")
}

fn hearts_by_link(method: &Method, path: &str) -> bool {
    method == Method::POST && path == "/hearts"
}

fn moves_hearts(_: &Method, path: &str) -> bool {
    path.starts_with("/hearts/export") || path.starts_with("/hearts/import")
}

fn deletes(method: &Method, path: &str) -> bool {
    method == Method::POST && path == "/account/delete"
}

impl Rule {
    /// Counts; gives how long to wait when it was too often.
    fn count(&self, asker: Asker) -> Result<(), Duration> {
        let mut asker = asker;
        if self.counted.len() >= MOST_ASKERS {
            self.counted.retain_recent();
            if self.counted.len() >= MOST_ASKERS {
                asker = Asker::Rest;
            }
        }
        let now = self.counted.clock().now();
        self.counted.check_key(&asker).map_err(|not_until| not_until.wait_time_from(now))
    }

    fn broken(&self, wait: Duration) -> Fault {
        let seconds = wait.as_secs() + 1;
        let period = if self.period == MINUTE { "a minute" } else { "ten minutes" };
        let what = format!(
            "That was more than {} {} in {period}, so this one was not carried out. Try again in {}.",
            self.times,
            self.what,
            if seconds == 1 { "a second".into() } else { format!("{seconds} seconds") }
        );
        let fault = Fault::new(StatusCode::TOO_MANY_REQUESTS, "A little too fast", what).nothing_saved();
        Fault { retry_after: Some(Duration::from_secs(seconds)), ..fault }
    }
}

/// Refuses what comes too often.
pub(super) async fn hold(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    for rule in limits.rules.iter().filter(|rule| (rule.applies)(&parts.method, parts.uri.path())) {
        let (address, session) = (address(&parts, limits.behind_proxy), parts.extensions.get().cloned());
        let asker = match asker(rule.by, address, session).await {
            Ok(asker) => asker,
            Err(fault) => return fault.into_response(),
        };
        if let Err(wait) = rule.count(asker) {
            return rule.broken(wait).into_response();
        }
    }
    next.run(Request::from_parts(parts, body)).await
}

/// Who asks, as far as a rule needs to know it.
async fn asker(by: By, address: IpAddr, session: Option<Session>) -> Result<Asker, Fault> {
    let known = match (by, session) {
        (By::Session, Some(session)) => session.id().map(|id| Asker::Session(session_key(id))),
        (By::Person, Some(session)) => Visitor::of(session).await?.caller.map(|caller| Asker::Person(caller.person.id)),
        (By::Address, _) | (_, None) => None,
    };
    Ok(known.unwrap_or(Asker::Address(address)))
}

/// Where a request comes from, as far as addresses tell people apart.
fn address(request: &Parts, behind_proxy: bool) -> IpAddr {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let told = behind_proxy.then(|| last_hop(&request.headers)).flatten();
    match told.unwrap_or(peer).to_canonical() {
        // A household has a whole network of these to choose from.
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

/// Who asked the proxy: the last of all addresses in the last of all lines, which the proxy wrote. What stands
/// before it, anybody may have.
fn last_hop(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;

    fn always(_: &Method, _: &str) -> bool {
        true
    }

    #[test]
    fn memory_is_bounded_and_those_without_a_place_are_one() {
        let clock: Clock = Arc::new(|| OffsetDateTime::UNIX_EPOCH + time::Duration::days(1));
        let rule = rule(&clock, always, NonZeroU32::new(3).unwrap(), MINUTE, "tests");
        for person in 0..MOST_ASKERS as i64 + 3 {
            assert!(rule.count(Asker::Person(UserId(person))).is_ok(), "{person}");
        }
        assert!(rule.count(Asker::Person(UserId(-1))).is_err(), "the rest has asked three times");
        assert_eq!(rule.counted.len(), MOST_ASKERS + 1);
    }

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

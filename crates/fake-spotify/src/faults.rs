//! What was called, and what shall go wrong the next time it is.

use super::World;
use super::refused::Refused;
use super::troubles::Trouble;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::time::Duration;
use time::OffsetDateTime;

/// The doors of the stand-in, as faults and counts name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `GET /authorize`, the consent page.
    Authorize,
    /// `POST /authorize/decision`, the answer given on the consent page.
    Decision,
    /// `POST /api/token`, code exchange and refresh alike.
    Token,
    /// `GET /v1/me`.
    Me,
    /// `GET /v1/me/playlists`.
    MyPlaylists,
    /// `GET /v1/playlists/{id}`.
    Playlist,
    /// `GET /v1/playlists/{id}/items`.
    Items,
    /// `GET /v1/me/player/currently-playing`.
    CurrentlyPlaying,
    /// Paths Spotify took away from development-mode apps: `/playlists/{id}/tracks`, `/users/…`.
    Removed,
    /// `GET /covers/{seed}`.
    Cover,
    /// The consent pages of the other providers, and the answers given there.
    OtherConsent,
    /// Where the other providers redeem codes.
    OtherToken,
    /// Where the other providers say who somebody is.
    OtherProfile,
}

impl Endpoint {
    /// Whether it is another provider's.
    pub(super) fn is_elsewhere(self) -> bool {
        matches!(self, Self::OtherConsent | Self::OtherToken | Self::OtherProfile)
    }
}

/// A way to go wrong. Except for [`Fault::Slow`], [`Fault::Truncated`] and [`Fault::CutOff`] the
/// real handler is not reached: no code is used up, no token made.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Any answer: status, body, content type.
    Status(u16, String, &'static str),
    /// 401 as for a token that is no longer good.
    Unauthorized,
    /// 429 with `Retry-After` in seconds and the message of the rolling 30-second limit.
    RateLimited {
        /// Seconds; Spotify has been seen to ask for more than 80,000.
        retry_after: u64,
    },
    /// 429 with the reason `QUOTA_EXCEEDED` (July 2026) and no `Retry-After`.
    QuotaExceeded,
    /// 502 with the page of a proxy.
    Html502,
    /// The right answer, this much later.
    Slow(Duration),
    /// The right status and headers, but only the first half of the body.
    Truncated,
    /// The right status, headers and first half; then the connection breaks.
    CutOff,
    /// 200 and nothing else.
    Empty,
    /// 200 that says JSON and is not.
    NotJson,
    /// No answer at all, until the caller gives up.
    Hang,
    /// 302 to this address, where a careful client does not go.
    Redirect(String),
}

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The door it came to.
    pub endpoint: Endpoint,
    /// Its method.
    pub method: Method,
    /// Path and query as sent, with the mount point.
    pub path_and_query: String,
    /// When, by the clock of this world.
    pub at: OffsetDateTime,
}

/// How many requests [`World::requests`] remembers, so that a long demo does not grow.
const REMEMBERED: usize = 10_000;

#[derive(Default)]
pub(super) struct Journal {
    seen: VecDeque<Seen>,
    counts: HashMap<Endpoint, usize>,
    faults: HashMap<Endpoint, VecDeque<(Fault, u32)>>,
    pub(super) troubles: BTreeSet<Trouble>,
}

impl Journal {
    fn note(&mut self, seen: Seen) {
        *self.counts.entry(seen.endpoint).or_default() += 1;
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(seen);
    }

    /// What was remembered, oldest first.
    pub(super) fn seen(&self) -> impl DoubleEndedIterator<Item = &Seen> {
        self.seen.iter()
    }

    /// How this request goes wrong: as was asked for once, or as all do at the moment.
    fn fault(&mut self, endpoint: Endpoint, query: &str) -> Option<Fault> {
        let standing = |troubles: &BTreeSet<Trouble>| troubles.iter().find_map(|t| t.fault(endpoint, query));
        self.next_fault(endpoint).or_else(|| standing(&self.troubles))
    }

    /// Whether the other providers refuse every code at the moment.
    pub(super) fn codes_are_refused(&self) -> bool {
        self.troubles.contains(&Trouble::CodesRefused)
    }

    fn next_fault(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let queue = self.faults.get_mut(&endpoint)?;
        let (fault, times) = queue.front_mut()?;
        let fault = fault.clone();
        *times -= 1;
        if *times == 0 {
            queue.pop_front();
        }
        Some(fault)
    }
}

impl World {
    /// Lets the next `times` requests to `endpoint` go wrong this way. Faults asked for earlier
    /// come first; `u32::MAX` is as good as for ever.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        if times > 0 {
            let mut state = self.state();
            let queue = state.journal.faults.entry(endpoint).or_default();
            queue.push_back((fault, times));
        }
    }

    /// Takes back every fault that has not happened yet, and ends every [`Trouble`].
    pub fn mend(&self) {
        let mut state = self.state();
        state.journal.faults.clear();
        state.journal.troubles.clear();
    }

    /// The last 10,000 requests, oldest first.
    pub fn requests(&self) -> Vec<Seen> {
        self.state().journal.seen.iter().cloned().collect()
    }

    /// How many requests came to `endpoint` since the world began, faulty ones too.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        let state = self.state();
        state.journal.counts.get(&endpoint).copied().unwrap_or(0)
    }
}

/// Notes the request, and lets it go wrong if that was asked for.
pub(super) async fn gate(
    State((world, endpoint)): State<(World, Endpoint)>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let path_and_query = uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let fault = {
        let mut state = world.state();
        let at = state.now();
        state.journal.note(Seen { endpoint, method: request.method().clone(), path_and_query, at });
        state.journal.fault(endpoint, uri.query().unwrap_or(""))
    };
    match fault {
        None => next.run(request).await,
        Some(Fault::Slow(wait)) => {
            tokio::time::sleep(wait).await;
            next.run(request).await
        }
        Some(Fault::Truncated) => half(next.run(request).await, false).await,
        Some(Fault::CutOff) => half(next.run(request).await, true).await,
        Some(Fault::Hang) => std::future::pending().await,
        Some(fault) => in_place_of_the_answer(fault),
    }
}

fn in_place_of_the_answer(fault: Fault) -> Response {
    match fault {
        Fault::Status(status, body, content_type) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
        }
        Fault::Unauthorized => Refused::Token("invalid_token").into_response(),
        Fault::RateLimited { retry_after } => {
            let refusal = Refused::Error(429, "API rate limit exceeded");
            ([(header::RETRY_AFTER, retry_after.to_string())], refusal).into_response()
        }
        Fault::QuotaExceeded => {
            let body = r#"{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}"#;
            let json = [(header::CONTENT_TYPE, "application/json")];
            (StatusCode::TOO_MANY_REQUESTS, json, body).into_response()
        }
        Fault::Html502 => {
            let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
            let html = [(header::CONTENT_TYPE, "text/html")];
            (StatusCode::BAD_GATEWAY, html, page).into_response()
        }
        Fault::NotJson => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            (json, "upstream connect error or disconnect/reset").into_response()
        }
        Fault::Redirect(to) => {
            let to = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/"));
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        }
        Fault::Empty | Fault::Slow(_) | Fault::Truncated | Fault::CutOff | Fault::Hang => {
            StatusCode::OK.into_response()
        }
    }
}

/// The first half of an answer: a shorter body, or a connection that breaks before the rest.
async fn half(response: Response, broken: bool) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = whole.slice(..whole.len() / 2);
    if !broken {
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::from(half));
    }
    let promised = HeaderValue::from(whole.len());
    parts.headers.insert(header::CONTENT_LENGTH, promised);
    let break_off = stream::once(async {
        // Long enough for what was written so far to leave.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Err::<Bytes, io::Error>(io::ErrorKind::ConnectionReset.into())
    });
    let body = Body::from_stream(stream::once(async { Ok(half) }).chain(break_off));
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_and_run_out() {
        let mut journal = Journal::default();
        let queue = journal.faults.entry(Endpoint::Me).or_default();
        queue.push_back((Fault::Html502, 2));
        queue.push_back((Fault::Empty, 1));
        assert!(matches!(journal.next_fault(Endpoint::Me), Some(Fault::Html502)));
        assert!(matches!(journal.next_fault(Endpoint::Me), Some(Fault::Html502)));
        assert!(matches!(journal.next_fault(Endpoint::Me), Some(Fault::Empty)));
        assert!(journal.next_fault(Endpoint::Me).is_none());
        assert!(journal.next_fault(Endpoint::Token).is_none());
    }
}

//! Lasting faults, as the panel turns them on.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::params::Params;

/// A fault that lasts until it is turned off. Of several active ones, the first in this order that concerns a request
/// applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// The Web API and the token endpoint return 502. The consent page and the covers, which browsers request, work.
    Outage,
    /// The token endpoint alone returns 502.
    TokenOutage,
    /// The Web API returns 429 with a `Retry-After` of a minute.
    RateLimit,
    /// The daily quota for single playlists and their items is used up; the rest of the Web API works.
    QuotaExceeded,
    /// Only the first page of a user's playlists arrives; further pages return 502.
    IncompleteLibrary,
    /// Responses of the Web API and the token endpoint are three seconds late.
    SlowResponses,
    /// The token and userinfo endpoints of the other providers return 502.
    OtherProvidersOutage,
    /// The other providers reject every authorization code, each with its own error.
    RejectedCodes,
}

impl Scenario {
    /// The fault of a request, if the scenario concerns it.
    pub(crate) fn fault(self, endpoint: Endpoint, query: &str) -> Option<Fault> {
        let (is_token, is_api) = (endpoint == Endpoint::Token, endpoint.is_web_api());
        let (is_concerned, fault) = match self {
            Self::Outage => (is_api || is_token, Fault::Html502),
            Self::TokenOutage => (is_token, Fault::Html502),
            Self::RateLimit => (is_api, Fault::RateLimited { retry_after: 60 }),
            Self::QuotaExceeded => (matches!(endpoint, Endpoint::Playlist | Endpoint::Items), Fault::QuotaExceeded),
            Self::IncompleteLibrary => (endpoint == Endpoint::MyPlaylists && !is_first_page(query), Fault::Html502),
            Self::SlowResponses => (is_api || is_token, Fault::Slow(Duration::from_secs(3))),
            Self::OtherProvidersOutage => {
                (matches!(endpoint, Endpoint::OtherToken | Endpoint::OtherProfile), Fault::Html502)
            }
            // The token endpoints of the other providers look it up, because each has its own error.
            Self::RejectedCodes => return None,
        };
        is_concerned.then_some(fault)
    }
}

fn is_first_page(query: &str) -> bool {
    let params = Params::parse(query).ok();
    params.is_none_or(|params| params.get("offset").is_none_or(|offset| offset == "0"))
}

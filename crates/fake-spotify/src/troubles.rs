//! What is wrong for as long as nobody mends it, as the panel lets it begin.

use super::World;
use super::faults::{Endpoint, Fault};
use super::form::Params;
use std::time::Duration;

/// Something that stays wrong until it is mended. When several are, the first of this list that
/// concerns a request happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The Web API and the token endpoint answer 502. The consent page and the covers, which a
    /// browser asks for and not the app, stay.
    Outage,
    /// The token endpoint alone answers 502.
    NoTokens,
    /// The Web API answers 429 with a `Retry-After` of a minute.
    RateLimit,
    /// The quota of the day for single playlists and their items is used up; others still answer.
    Quota,
    /// Of somebody's list of playlists only the first page comes; further ones answer 502.
    HalfLibrary,
    /// The right answers, three seconds later.
    Slow,
    /// The other providers answer 502 when a code is to be redeemed or somebody to be named.
    OthersOutage,
    /// The other providers refuse every code, each in its own words.
    CodesRefused,
}

impl World {
    /// Lets something go wrong, or right again. [`World::mend`] ends all of them.
    pub fn trouble(&self, trouble: Trouble, on: bool) {
        let troubles = &mut self.state().journal.troubles;
        if on {
            troubles.insert(trouble)
        } else {
            troubles.remove(&trouble)
        };
    }

    /// What is wrong at the moment.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.state().journal.troubles.iter().copied().collect()
    }
}

impl Trouble {
    /// What happens to a request to `endpoint` with this query.
    pub(super) fn fault(self, endpoint: Endpoint, query: &str) -> Option<Fault> {
        let token = endpoint == Endpoint::Token;
        let elsewhere = endpoint.is_elsewhere();
        let api =
            !token && !elsewhere && !matches!(endpoint, Endpoint::Authorize | Endpoint::Decision | Endpoint::Cover);
        let (concerned, fault) = match self {
            Self::Outage => (api || token, Fault::Html502),
            Self::NoTokens => (token, Fault::Html502),
            Self::RateLimit => (api, Fault::RateLimited { retry_after: 60 }),
            Self::Quota => (matches!(endpoint, Endpoint::Playlist | Endpoint::Items), Fault::QuotaExceeded),
            Self::HalfLibrary => (endpoint == Endpoint::MyPlaylists && !begins(query), Fault::Html502),
            Self::OthersOutage => (elsewhere && endpoint != Endpoint::OtherConsent, Fault::Html502),
            // Said where codes are redeemed.
            Self::CodesRefused => return None,
            Self::Slow => (api || token, Fault::Slow(Duration::from_secs(3))),
        };
        concerned.then_some(fault)
    }
}

/// Whether a query asks for the first page.
fn begins(query: &str) -> bool {
    let params = Params::read(query).ok();
    params.is_none_or(|params| params.get("offset").is_none_or(|offset| offset == "0"))
}

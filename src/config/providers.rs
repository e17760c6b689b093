//! The further ways in, each switched on by its id and secret.

use url::Url;

use super::{Config, DEMO_CLIENT, Reader};
use crate::ids::{Provider, Secret};

/// A further way in that is set up.
#[derive(Clone, Debug)]
pub struct WayIn {
    /// Whose it is.
    pub provider: Provider,
    /// The app's public name there.
    pub client_id: String,
    /// The app's secret there.
    pub client_secret: Secret,
    /// The base of the pages that people see.
    pub accounts_url: Url,
    /// The base of the address where codes are redeemed.
    pub token_url: Url,
    /// The base of the address that says who somebody is.
    pub api_url: Url,
}

/// Where Facebook sends phones from its usual pages.
const FACEBOOK_FOR_PHONES: &str = "https://m.facebook.com";

impl Config {
    /// The origins of the pages on which people give their consent, each once.
    pub fn consent_origins(&self) -> Vec<String> {
        let ours = self.ways_in.iter().map(|way| &way.accounts_url);
        let urls = [&self.spotify.accounts_url].into_iter().chain(ours);
        let mut origins: Vec<String> = urls.map(|url| url.origin().ascii_serialization()).collect();
        if origins.iter().any(|origin| origin == "https://www.facebook.com") {
            origins.push(FACEBOOK_FOR_PHONES.into());
        }
        origins.sort();
        origins.dedup();
        origins
    }
}

/// Where a provider is.
struct Place {
    provider: Provider,
    /// How its variables begin.
    prefix: &'static str,
    accounts: &'static str,
    /// Where codes are redeemed, where that is neither with the pages nor with the API.
    tokens: Tokens,
    api: &'static str,
}

enum Tokens {
    WithAccounts,
    WithApi,
    At(&'static str),
}

/// From the guides that `oauth/providers.rs` names. Facebook promises each version two years at least
/// (developers.facebook.com/docs/graph-api/guides/versioning), and answers for an ended one with the next.
const PLACES: [Place; 4] = [
    Place {
        provider: Provider::Google,
        prefix: "GOOGLE",
        accounts: "https://accounts.google.com",
        tokens: Tokens::At("https://oauth2.googleapis.com"),
        api: "https://openidconnect.googleapis.com",
    },
    Place {
        provider: Provider::GitHub,
        prefix: "GITHUB",
        accounts: "https://github.com",
        tokens: Tokens::WithAccounts,
        api: "https://api.github.com",
    },
    Place {
        provider: Provider::Facebook,
        prefix: "FACEBOOK",
        accounts: "https://www.facebook.com/v24.0",
        tokens: Tokens::WithApi,
        api: "https://graph.facebook.com/v24.0",
    },
    Place {
        provider: Provider::X,
        prefix: "X",
        accounts: "https://x.com",
        tokens: Tokens::WithApi,
        api: "https://api.x.com",
    },
];

impl Reader<'_> {
    /// The ways in beside Spotify; a demo has all of them, made up.
    pub(super) fn ways_in(&mut self, demo: bool, base_url: &Url) -> Vec<WayIn> {
        PLACES.iter().filter_map(|place| if demo { self.made_up(place, base_url) } else { self.real(place) }).collect()
    }

    fn made_up(&mut self, place: &Place, base_url: &Url) -> Option<WayIn> {
        for what in ["CLIENT_ID", "CLIENT_SECRET"] {
            let name = format!("{}_{what}", place.prefix);
            if self.get(&name).is_some() {
                self.fault(format!("{name} is set but SPOTIFY_CLIENT_ID is not: a demo meets no real provider"));
            }
        }
        let base = base_url.join(&format!("/fake-spotify/{}", place.provider.key())).expect("a fixed path");
        Some(WayIn {
            provider: place.provider,
            client_id: DEMO_CLIENT.into(),
            client_secret: Secret::random(),
            accounts_url: base.clone(),
            token_url: base.clone(),
            api_url: base,
        })
    }

    fn real(&mut self, place: &Place) -> Option<WayIn> {
        let name = |what: &str| format!("{}_{what}", place.prefix);
        let (id, secret) = (name("CLIENT_ID"), name("CLIENT_SECRET"));
        let (client_id, client_secret) = match (self.get(&id), self.get(&secret)) {
            (Some(client_id), Some(client_secret)) => (client_id, Secret::new(client_secret)),
            (None, None) => return None,
            (Some(_), None) => return self.missing(&secret, &id),
            (None, Some(_)) => return self.missing(&id, &secret),
        };
        let accounts_url = self.address(&name("ACCOUNTS_URL"), place.accounts.into(), false);
        let api_url = self.address(&name("API_URL"), place.api.into(), false);
        let token_url = match place.tokens {
            Tokens::WithAccounts => accounts_url.clone(),
            Tokens::WithApi => api_url.clone(),
            Tokens::At(usual) => self.address(&name("TOKEN_URL"), usual.into(), false),
        };
        Some(WayIn { provider: place.provider, client_id, client_secret, accounts_url, token_url, api_url })
    }

    fn missing(&mut self, wanted: &str, beside: &str) -> Option<WayIn> {
        self.fault(format!("{wanted} is missing beside {beside}: set both, or neither"));
        None
    }
}

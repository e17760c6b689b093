//! The OAuth providers other than Spotify, each configured by its client id and secret.

use url::Url;

use super::env_reader::EnvReader;
use crate::ids::{Provider, Secret};

#[derive(Clone, Debug)]
pub struct ProviderConfig {
    pub provider: Provider,
    pub client_id: String,
    pub client_secret: Secret,
    /// The base URL of the consent page.
    pub accounts_url: Url,
    /// The base URL of the token endpoint.
    pub token_url: Url,
    /// The base URL of the API.
    pub api_url: Url,
}

pub(super) const DEMO_CLIENT_ID: &str = "heartlist-demo";

struct ProviderDefaults {
    provider: Provider,
    prefix: &'static str,
    accounts: &'static str,
    token_url: TokenUrl,
    api: &'static str,
}

enum TokenUrl {
    SameAsAccounts,
    SameAsApi,
    Default(&'static str),
}

/// From the guides that `oauth/providers.rs` names. Facebook supports each version for at least two years
/// (developers.facebook.com/docs/graph-api/guides/versioning) and then answers with the next one.
const PROVIDER_DEFAULTS: [ProviderDefaults; 4] = [
    ProviderDefaults {
        provider: Provider::Google,
        prefix: "GOOGLE",
        accounts: "https://accounts.google.com",
        token_url: TokenUrl::Default("https://oauth2.googleapis.com"),
        api: "https://openidconnect.googleapis.com",
    },
    ProviderDefaults {
        provider: Provider::GitHub,
        prefix: "GITHUB",
        accounts: "https://github.com",
        token_url: TokenUrl::SameAsAccounts,
        api: "https://api.github.com",
    },
    ProviderDefaults {
        provider: Provider::Facebook,
        prefix: "FACEBOOK",
        accounts: "https://www.facebook.com/v24.0",
        token_url: TokenUrl::SameAsApi,
        api: "https://graph.facebook.com/v24.0",
    },
    ProviderDefaults {
        provider: Provider::X,
        prefix: "X",
        accounts: "https://x.com",
        token_url: TokenUrl::SameAsApi,
        api: "https://api.x.com",
    },
];

impl EnvReader<'_> {
    /// Returns the configured providers other than Spotify. A demo has a fake of each.
    pub(super) fn providers(&mut self, demo: bool, base_url: &Url) -> Vec<ProviderConfig> {
        let read = |defaults| if demo { self.demo_provider(defaults, base_url) } else { self.provider(defaults) };
        PROVIDER_DEFAULTS.iter().filter_map(read).collect()
    }

    fn demo_provider(&mut self, defaults: &ProviderDefaults, base_url: &Url) -> Option<ProviderConfig> {
        for suffix in ["CLIENT_ID", "CLIENT_SECRET"] {
            let name = format!("{}_{suffix}", defaults.prefix);
            if self.get(&name).is_some() {
                self.error(format!("{name} is set but SPOTIFY_CLIENT_ID is not: a demo never uses a real provider"));
            }
        }
        let base = base_url.join(&format!("/fake-spotify/{}", defaults.provider.key())).expect("a fixed path");
        Some(ProviderConfig {
            provider: defaults.provider,
            client_id: DEMO_CLIENT_ID.into(),
            client_secret: Secret::random(),
            accounts_url: base.clone(),
            token_url: base.clone(),
            api_url: base,
        })
    }

    fn provider(&mut self, defaults: &ProviderDefaults) -> Option<ProviderConfig> {
        let name = |suffix: &str| format!("{}_{suffix}", defaults.prefix);
        let (id, secret) = (name("CLIENT_ID"), name("CLIENT_SECRET"));
        let (client_id, client_secret) = match (self.get(&id), self.get(&secret)) {
            (Some(client_id), Some(client_secret)) => (client_id, Secret::new(client_secret)),
            (None, None) => return None,
            (Some(_), None) => return self.report_missing(&secret, &id),
            (None, Some(_)) => return self.report_missing(&id, &secret),
        };
        let accounts_url = self.url(&name("ACCOUNTS_URL"), defaults.accounts.into(), false);
        let api_url = self.url(&name("API_URL"), defaults.api.into(), false);
        let token_url = match defaults.token_url {
            TokenUrl::SameAsAccounts => accounts_url.clone(),
            TokenUrl::SameAsApi => api_url.clone(),
            TokenUrl::Default(url) => self.url(&name("TOKEN_URL"), url.into(), false),
        };
        Some(ProviderConfig { provider: defaults.provider, client_id, client_secret, accounts_url, token_url, api_url })
    }

    fn report_missing(&mut self, missing: &str, given: &str) -> Option<ProviderConfig> {
        self.error(format!("{missing} is missing but {given} is set: set both, or neither"));
        None
    }
}

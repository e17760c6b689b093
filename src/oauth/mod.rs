//! The authorization code flow with PKCE and state, for all providers.

mod client;
mod client_auth;
mod error;
mod http;
mod profile;
pub mod providers;
mod revocation;
mod token_response;

use std::sync::Arc;

use crate::ids::Provider;

pub use client::{AuthorizationRequest, Client, ClientSettings, Grant, Scopes};
pub use client_auth::ClientAuth;
pub use error::Error;
pub use profile::{EmailAddress, Profile};

/// The clients of the configured providers. Spotify is always configured.
#[derive(Clone)]
pub struct OAuthClients {
    spotify: Client,
    others: Arc<[Client]>,
}

impl OAuthClients {
    pub fn new(spotify: Client, others: impl IntoIterator<Item = Client>) -> Self {
        Self { spotify, others: others.into_iter().collect() }
    }

    pub fn spotify(&self) -> &Client {
        &self.spotify
    }

    /// Returns the client of `provider`; `None` if it is not configured.
    pub fn get(&self, provider: Provider) -> Option<&Client> {
        [&self.spotify].into_iter().chain(self.others.iter()).find(|client| client.provider() == provider)
    }

    /// Returns the configured providers, in the order in which they are offered.
    pub fn providers(&self) -> impl Iterator<Item = Provider> {
        Provider::ALL.into_iter().filter(|provider| self.get(*provider).is_some())
    }
}

//! Start-up settings, and switches that can change at run time.

use std::time::Duration;

use url::Url;

use crate::other_providers::provider::{OtherProvider, RegisteredClient};
use crate::paging::PagingQuirk;

/// Address of the server and the app registered there.
#[derive(Clone)]
pub struct Settings {
    /// Address for browsers and the app, for example `http://127.0.0.1:8080/fake-spotify`.
    pub base_url: Url,
    /// Name of the app on the consent pages.
    pub app_name: String,
    /// OAuth client id of the app.
    pub client_id: String,
    /// OAuth client secret of the app.
    pub client_secret: String,
    /// Registered redirect addresses, which must match exactly; a loopback address registered without a port matches
    /// any port (RFC 8252 §7.3).
    pub redirect_uris: Vec<String>,
    /// The app's registrations with the other providers.
    pub other_clients: Vec<RegisteredClient>,
}

impl Settings {
    /// The base address without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }

    /// The path at which the server is mounted, empty at the root.
    pub(crate) fn mount_path(&self) -> &str {
        self.base_url.path().trim_end_matches('/')
    }

    pub(crate) fn client_of(&self, provider: OtherProvider) -> Option<&RegisteredClient> {
        self.other_clients.iter().find(|client| client.provider == provider)
    }
}

/// Rules of the service that can be changed at run time.
#[derive(Clone, Debug)]
pub struct Switches {
    /// Lifetime of new access tokens; Spotify documents 3600 seconds.
    pub access_token_lifetime: Duration,
    /// Whether a refresh returns a new refresh token and revokes the old one.
    pub rotate_refresh_tokens: bool,
    /// Whether the Web API is that of before February 2026: `tracks` beside `items`, items of everybody's playlists.
    pub legacy_api: bool,
    /// Whether the owner of the app pays for Premium; if not, every API call is refused.
    pub owner_has_premium: bool,
    /// Whether somebody adds a song to a user's first collaborative playlist each time after the list was read.
    pub active_collaborators: bool,
    /// How the pages of lists are wrong, if they are.
    pub paging_quirk: Option<PagingQuirk>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            access_token_lifetime: Duration::from_secs(3600),
            rotate_refresh_tokens: false,
            legacy_api: false,
            owner_has_premium: true,
            active_collaborators: false,
            paging_quirk: None,
        }
    }
}

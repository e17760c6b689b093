//! Names of the endpoints, for faults and request counts.

/// An endpoint of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `GET /authorize`, the consent page.
    Authorize,
    /// `POST /authorize/decision`, the form of the consent page.
    Decision,
    /// `POST /api/token`, for every grant type.
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
    /// `PUT /v1/me/library`.
    SaveToLibrary,
    /// Paths that Spotify removed for development-mode apps: `/playlists/{id}/tracks`, `/users/…`.
    Removed,
    /// `GET /covers/{seed}`.
    Cover,
    /// `GET /oembed`, which needs no token.
    OEmbed,
    /// Consent pages of the other providers, and their forms.
    OtherConsent,
    /// Token endpoints of the other providers.
    OtherToken,
    /// Userinfo endpoints of the other providers.
    OtherProfile,
    /// Revocation endpoints of the other providers; Facebook has none.
    OtherRevocation,
}

impl Endpoint {
    pub(crate) fn is_other_provider(self) -> bool {
        matches!(self, Self::OtherConsent | Self::OtherToken | Self::OtherProfile | Self::OtherRevocation)
    }

    /// Whether it belongs to Spotify's Web API.
    pub(crate) fn is_web_api(self) -> bool {
        !self.is_other_provider()
            && !matches!(self, Self::Authorize | Self::Decision | Self::Token | Self::Cover | Self::OEmbed)
    }
}

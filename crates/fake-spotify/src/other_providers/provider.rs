//! The providers, and the app's registration with each.

/// A provider besides Spotify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum OtherProvider {
    Google,
    GitHub,
    Facebook,
    X,
}

/// Paths of a provider's endpoints, below its own path.
pub(crate) struct Paths {
    pub(crate) authorize: &'static str,
    pub(crate) token: &'static str,
    pub(crate) profile: &'static str,
}

impl OtherProvider {
    /// All providers.
    pub const ALL: [Self; 4] = [Self::Google, Self::GitHub, Self::Facebook, Self::X];

    /// First segment of its paths.
    pub fn key(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::GitHub => "github",
            Self::Facebook => "facebook",
            Self::X => "x",
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::GitHub => "GitHub",
            Self::Facebook => "Facebook",
            Self::X => "X",
        }
    }

    pub(crate) fn paths(self) -> Paths {
        let (authorize, token, profile) = match self {
            Self::Google => ("/o/oauth2/v2/auth", "/token", "/v1/userinfo"),
            Self::GitHub => ("/login/oauth/authorize", "/login/oauth/access_token", "/user"),
            Self::Facebook => ("/dialog/oauth", "/oauth/access_token", "/me"),
            Self::X => ("/i/oauth2/authorize", "/2/oauth2/token", "/2/users/me"),
        };
        Paths { authorize, token, profile }
    }
}

/// The app's registration with a provider.
#[derive(Clone)]
pub struct RegisteredClient {
    /// The provider.
    pub provider: OtherProvider,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: String,
    /// Redirect address, which must match exactly.
    pub redirect_uri: String,
}

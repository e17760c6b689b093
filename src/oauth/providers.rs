//! How providers differ, as data. PKCE is always used: four providers support it (GitHub since July 2025, see
//! github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication), and Facebook ignores it.

use crate::ids::Provider;

#[derive(Debug)]
pub struct ProviderSpec {
    /// The consent page, below the accounts URL.
    pub authorize_path: &'static str,
    /// The token endpoint, below the token URL.
    pub token_path: &'static str,
    pub scopes: &'static [&'static str],
    /// Scopes that are requested once the user turns on a feature that needs them.
    pub optional_scopes: &'static [&'static str],
    /// Parameters that make the provider ask for a new sign-in, even if the browser is signed in there. If empty, this
    /// provider cannot be used to reauthenticate.
    pub reauth_params: &'static [(&'static str, &'static str)],
    /// Whether a new sign-in counts only if the provider says when it was.
    pub reauth_needs_auth_time: bool,
    pub auth_method: ClientAuthMethod,
    /// The provider's `iss` (RFC 9207), below the accounts URL.
    pub issuer: &'static str,
    /// Error codes that mean `invalid_grant`.
    pub invalid_grant_aliases: &'static [&'static str],
    /// Error codes that mean `invalid_client`: the operator has to correct the provider's settings.
    pub invalid_client_aliases: &'static [&'static str],
    pub revocation: Revocation,
    /// `None` for Spotify, whose Web API is used instead.
    pub userinfo: Option<UserinfoEndpoint>,
}

#[derive(Clone, Copy, Debug)]
pub enum Revocation {
    /// Spotify has no endpoint. Those of Google and Facebook withdraw the whole consent, which people would be asked
    /// for again at every sign-in (developers.google.com/identity/protocols/oauth2/web-server, “Revoking a token”).
    None,
    /// RFC 7009, below the token URL.
    Rfc7009(&'static str),
    /// `DELETE /applications/{client_id}/token` of the API, with HTTP Basic and JSON.
    GitHub,
}

/// How the client authenticates at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthMethod {
    Basic,
    Body,
}

/// A userinfo endpoint. Fields of the response are given as JSON pointers.
#[derive(Debug)]
pub struct UserinfoEndpoint {
    /// The path below the API URL.
    pub path: &'static str,
    /// An id that never changes and is never reused: a string or an unsigned integer.
    pub subject: &'static str,
    /// The display name: the first of these that is not empty.
    pub names: &'static [&'static str],
    pub email: EmailSource,
}

#[derive(Debug)]
pub enum EmailSource {
    NotProvided,
    /// A field that does not say whether the address is verified.
    Unverified(&'static str),
    /// A field, and a second one that is `true` if the address is verified.
    WithVerifiedFlag {
        address: &'static str,
        verified: &'static str,
    },
    /// A list at a separate path. The primary address is used if it is verified.
    List(&'static str),
}

/// Spotify's scope for reading the current song or episode.
pub const NOW_PLAYING_SCOPE: &str = "user-read-currently-playing";

/// Spotify's scopes for saving playlists in the library. Spotify documents that the scopes of `PUT /me/library` depend
/// on the content, and not which of them a playlist needs.
pub const SAVING_SCOPES: [&str; 2] = ["user-library-modify", "playlist-modify-public"];

pub fn spec(provider: Provider) -> &'static ProviderSpec {
    match provider {
        Provider::Spotify => &SPOTIFY,
        Provider::Google => &GOOGLE,
        Provider::GitHub => &GITHUB,
        Provider::Facebook => &FACEBOOK,
        Provider::X => &X,
    }
}

/// Spotify. Paths, scopes and `show_dialog`: its guide to the authorization-code flow and its list of scopes.
pub const SPOTIFY: ProviderSpec = ProviderSpec {
    authorize_path: "/authorize",
    token_path: "/api/token",
    scopes: &["playlist-read-private", "playlist-read-collaborative"],
    optional_scopes: &[NOW_PLAYING_SCOPE, SAVING_SCOPES[0], SAVING_SCOPES[1]],
    reauth_params: &[("show_dialog", "true")],
    reauth_needs_auth_time: false,
    auth_method: ClientAuthMethod::Basic,
    issuer: "",
    invalid_grant_aliases: &[],
    invalid_client_aliases: &[],
    revocation: Revocation::None,
    userinfo: None,
};

/// Google. Paths, claims, `iss`: developers.google.com/identity/openid-connect/reference and its discovery
/// document. `sub` is unique and never reused; an email address may be reused. Google knows no `prompt=login`, and
/// reports `auth_time` only to apps for which that is turned on.
pub const GOOGLE: ProviderSpec = ProviderSpec {
    authorize_path: "/o/oauth2/v2/auth",
    token_path: "/token",
    scopes: &["openid", "email", "profile"],
    optional_scopes: &[],
    reauth_params: &[("prompt", "select_account"), ("max_age", "0")],
    reauth_needs_auth_time: true,
    auth_method: ClientAuthMethod::Body,
    issuer: "",
    invalid_grant_aliases: &[],
    invalid_client_aliases: &[],
    revocation: Revocation::None,
    userinfo: Some(UserinfoEndpoint {
        path: "/v1/userinfo",
        subject: "/sub",
        names: &["/name"],
        email: EmailSource::WithVerifiedFlag { address: "/email", verified: "/email_verified" },
    }),
};

/// GitHub. docs.github.com: “Authorizing OAuth apps”, “Troubleshooting OAuth app access token request errors”
/// (sent with status 200), “REST API endpoints for users” and “… for emails”. A login name can be given up and taken by
/// somebody else; the numeric id stays. Email addresses need a scope; public data does not. The prompt:
/// github.blog/changelog/2024-06-07-account-picker-updates-for-oauth-and-github-app-sign-in.
pub const GITHUB: ProviderSpec = ProviderSpec {
    authorize_path: "/login/oauth/authorize",
    token_path: "/login/oauth/access_token",
    scopes: &["user:email"],
    optional_scopes: &[],
    reauth_params: &[("prompt", "select_account")],
    reauth_needs_auth_time: false,
    auth_method: ClientAuthMethod::Body,
    issuer: "/login/oauth",
    invalid_grant_aliases: &["bad_verification_code"],
    invalid_client_aliases: &["incorrect_client_credentials", "redirect_uri_mismatch", "application_suspended"],
    revocation: Revocation::GitHub,
    userinfo: Some(UserinfoEndpoint {
        path: "/user",
        subject: "/id",
        names: &["/name", "/login"],
        email: EmailSource::List("/user/emails"),
    }),
};

/// Facebook. developers.facebook.com: “Manually build a login flow”, “Re-authentication” and the Graph API's `User`,
/// whose `id` is app-scoped. Facebook does not say whether an address is verified. Errors are objects: code 100 is
/// about the authorization code, 1 and 101 are about the app.
pub const FACEBOOK: ProviderSpec = ProviderSpec {
    authorize_path: "/dialog/oauth",
    token_path: "/oauth/access_token",
    scopes: &["public_profile", "email"],
    optional_scopes: &[],
    reauth_params: &[("auth_type", "reauthenticate")],
    reauth_needs_auth_time: false,
    auth_method: ClientAuthMethod::Body,
    issuer: "",
    invalid_grant_aliases: &["100"],
    invalid_client_aliases: &["1", "101"],
    revocation: Revocation::None,
    userinfo: Some(UserinfoEndpoint {
        path: "/me?fields=id,name,email",
        subject: "/id",
        names: &["/name"],
        email: EmailSource::Unverified("/email"),
    }),
};

/// X. docs.x.com: “OAuth 2.0 authorization code flow with PKCE” (confidential clients use Basic) and
/// “Authenticated user lookup”, which needs both scopes. An email address would need a permission that an app has to
/// apply for.
pub const X: ProviderSpec = ProviderSpec {
    authorize_path: "/i/oauth2/authorize",
    token_path: "/2/oauth2/token",
    scopes: &["users.read", "tweet.read"],
    optional_scopes: &[],
    reauth_params: &[],
    reauth_needs_auth_time: false,
    auth_method: ClientAuthMethod::Basic,
    issuer: "",
    // “Value passed for the authorization code was invalid.”
    invalid_grant_aliases: &["invalid_request"],
    invalid_client_aliases: &[],
    revocation: Revocation::Rfc7009("/2/oauth2/revoke"),
    userinfo: Some(UserinfoEndpoint {
        path: "/2/users/me",
        subject: "/data/id",
        names: &["/data/name", "/data/username"],
        email: EmailSource::NotProvided,
    }),
};

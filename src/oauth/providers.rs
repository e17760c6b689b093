//! How providers differ, as rows of data. PKCE is no column: all five take it (GitHub since July 2025, see
//! github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication; Facebook leaves what
//! it does not know alone).

use crate::ids::Provider;

/// One provider.
#[derive(Debug)]
pub struct Row {
    /// Where people give their consent, below the base of its pages.
    pub authorize_path: &'static str,
    /// Where codes and refresh tokens are redeemed, below the base of its tokens.
    pub token_path: &'static str,
    /// What we ask everybody for: the least that does the job.
    pub scopes: &'static [&'static str],
    /// What we ask those for who switch on what needs it.
    pub optional: &'static [&'static str],
    /// How the app shows its id and secret.
    pub proof: Proof,
    /// What may stand in an answer's `iss` (RFC 9207), after the base of its pages.
    pub issuer: &'static str,
    /// By what names, beside `invalid_grant`, it refuses a code.
    pub refusals: &'static [&'static str],
    /// Where it says who somebody is; none: that is asked of its Web API, which knows more.
    pub card: Option<Card>,
}

/// How the app shows its id and secret (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// In the header, as HTTP Basic.
    Basic,
    /// Among the fields of the form.
    Body,
}

/// Where a provider says who somebody is. Places within an answer are JSON pointers.
#[derive(Debug)]
pub struct Card {
    /// The address, below the base of its API.
    pub path: &'static str,
    /// The id that never changes and is never given to somebody else: a text or a whole number.
    pub subject: &'static str,
    /// What somebody is called: the first place that is not empty.
    pub names: &'static [&'static str],
    /// What it tells of an e-mail address.
    pub email: Email,
}

/// What a provider tells of somebody's e-mail address.
#[derive(Debug)]
pub enum Email {
    /// Nothing.
    Never,
    /// The address, without a word on whether it is the person's.
    Claimed(&'static str),
    /// The address, and beside it whether the provider has verified it.
    Told {
        /// Where the address stands.
        address: &'static str,
        /// Where `true` stands when it is verified.
        verified: &'static str,
    },
    /// A list at an address of its own, of which the primary one counts if it is verified.
    List(&'static str),
}

/// The scope that lets us see what somebody plays now.
pub const NOW_PLAYING: &str = "user-read-currently-playing";

/// What is particular about `provider`.
pub fn row(provider: Provider) -> &'static Row {
    match provider {
        Provider::Spotify => &SPOTIFY,
        Provider::Google => &GOOGLE,
        Provider::GitHub => &GITHUB,
        Provider::Facebook => &FACEBOOK,
        Provider::X => &X,
    }
}

/// Spotify. Paths and scopes: its guide to the authorization-code flow and its list of scopes.
pub const SPOTIFY: Row = Row {
    authorize_path: "/authorize",
    token_path: "/api/token",
    scopes: &["playlist-read-private", "playlist-read-collaborative"],
    optional: &[NOW_PLAYING],
    proof: Proof::Basic,
    issuer: "",
    refusals: &[],
    card: None,
};

/// Google. Paths, claims, `iss`: developers.google.com/identity/openid-connect/reference and its discovery
/// document. `sub` is unique and never reused; an address may be.
pub const GOOGLE: Row = Row {
    authorize_path: "/o/oauth2/v2/auth",
    token_path: "/token",
    scopes: &["openid", "email", "profile"],
    optional: &[],
    proof: Proof::Body,
    issuer: "",
    refusals: &[],
    card: Some(Card {
        path: "/v1/userinfo",
        subject: "/sub",
        names: &["/name"],
        email: Email::Told { address: "/email", verified: "/email_verified" },
    }),
};

/// GitHub. docs.github.com: “Authorizing OAuth apps”, “Troubleshooting OAuth app access token request errors”
/// (which come with status 200), “REST API endpoints for users” and “… for emails”. A login can be given up
/// and taken by somebody else; the number stays. Public data needs no scope, addresses need theirs.
pub const GITHUB: Row = Row {
    authorize_path: "/login/oauth/authorize",
    token_path: "/login/oauth/access_token",
    scopes: &["user:email"],
    optional: &[],
    proof: Proof::Body,
    issuer: "/login/oauth",
    refusals: &["bad_verification_code"],
    card: Some(Card { path: "/user", subject: "/id", names: &["/name", "/login"], email: Email::List("/user/emails") }),
};

/// Facebook. developers.facebook.com: “Manually build a login flow” and the Graph API's `User`, whose `id` is
/// made for each app. It does not say whether an address is verified. Errors are objects: 100 is about the
/// code, 1 and 101 are about the app.
pub const FACEBOOK: Row = Row {
    authorize_path: "/dialog/oauth",
    token_path: "/oauth/access_token",
    scopes: &["public_profile", "email"],
    optional: &[],
    proof: Proof::Body,
    issuer: "",
    refusals: &["100"],
    card: Some(Card {
        path: "/me?fields=id,name,email",
        subject: "/id",
        names: &["/name"],
        email: Email::Claimed("/email"),
    }),
};

/// X. docs.x.com: “OAuth 2.0 authorization code flow with PKCE” (confidential clients use Basic) and
/// “Authenticated user lookup”, which wants both scopes. An address would need a permission that an app has to
/// be given first.
pub const X: Row = Row {
    authorize_path: "/i/oauth2/authorize",
    token_path: "/2/oauth2/token",
    scopes: &["users.read", "tweet.read"],
    optional: &[],
    proof: Proof::Basic,
    issuer: "",
    // “Value passed for the authorization code was invalid.”
    refusals: &["invalid_request"],
    card: Some(Card {
        path: "/2/users/me",
        subject: "/data/id",
        names: &["/data/name", "/data/username"],
        email: Email::Never,
    }),
};

//! How providers differ, as rows of data.

/// One provider.
#[derive(Debug)]
pub struct Row {
    /// Where people give their consent, below the provider's base address.
    pub authorize_path: &'static str,
    /// Where codes and refresh tokens are redeemed, below the provider's base address.
    pub token_path: &'static str,
    /// What we ask everybody for: the least that does the job.
    pub scopes: &'static [&'static str],
    /// What we ask those for who switch on what needs it.
    pub optional: &'static [&'static str],
}

/// The scope that lets us see what somebody plays now.
pub const NOW_PLAYING: &str = "user-read-currently-playing";

/// Spotify. Paths and scopes: its guide to the authorization-code flow and its list of scopes.
pub const SPOTIFY: Row = Row {
    authorize_path: "/authorize",
    token_path: "/api/token",
    scopes: &["playlist-read-private", "playlist-read-collaborative"],
    optional: &[NOW_PLAYING],
};

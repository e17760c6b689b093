//! Heartlist: sign in with Spotify, heart playlists, keep the hearts.

#[cfg(feature = "demo")]
pub mod standin;

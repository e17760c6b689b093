//! Heartlist: sign in with Spotify, heart playlists, keep the hearts.

//! Names that all layers share.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A person of ours, whatever they signed in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who vouches for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Spotify, the main way in.
    Spotify,
    /// Google.
    Google,
    /// GitHub.
    GitHub,
    /// Facebook.
    Facebook,
    /// X, once Twitter.
    X,
}

impl Provider {
    /// All of them, in the order in which people are offered them.
    pub const ALL: [Provider; 5] =
        [Provider::Spotify, Provider::Google, Provider::GitHub, Provider::Facebook, Provider::X];

    /// The provider with this key.
    pub fn with_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.key() == key)
    }

    /// The name in addresses and in the database.
    pub fn key(self) -> &'static str {
        match self {
            Provider::Spotify => "spotify",
            Provider::Google => "google",
            Provider::GitHub => "github",
            Provider::Facebook => "facebook",
            Provider::X => "x",
        }
    }

    /// The name a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Provider::Spotify => "Spotify",
            Provider::Google => "Google",
            Provider::GitHub => "GitHub",
            Provider::Facebook => "Facebook",
            Provider::X => "X",
        }
    }
}

/// A Spotify playlist id: 22 base-62 characters.
///
/// Spotify's documentation only says "base-62"; the length is what every id seen so far has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlaylistId(String);

/// The text is not a playlist id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a playlist id is 22 letters and digits, as in https://open.spotify.com/playlist/ID")]
pub struct NotAPlaylistId;

impl PlaylistId {
    /// Takes `text` if it is an id, and nothing else: no spaces, no link.
    ///
    /// # Errors
    /// [`NotAPlaylistId`] for anything that is not 22 base-62 characters.
    pub fn parse(text: &str) -> Result<Self, NotAPlaylistId> {
        let fits = text.len() == 22 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned())).ok_or(NotAPlaylistId)
    }

    /// The 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PlaylistId {
    type Error = NotAPlaylistId;
    fn try_from(text: String) -> Result<Self, NotAPlaylistId> {
        Self::parse(&text)
    }
}

impl From<PlaylistId> for String {
    fn from(id: PlaylistId) -> Self {
        id.0
    }
}

impl fmt::Display for PlaylistId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A secret's SHA-256: what the database may know of it, so that a stolen dump opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digested(pub [u8; 32]);

impl Digested {
    /// The digest of `secret`.
    pub fn of(secret: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The bytes, as the database stores them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Half of it as 32 hexadecimal digits: enough to tell things apart.
    pub fn short(&self) -> String {
        let half = self.0.first_chunk().expect("it has 32 bytes");
        format!("{:032x}", u128::from_be_bytes(*half))
    }
}

impl fmt::Debug for Digested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digested(..)")
    }
}

/// A string that must not be printed: tokens, codes, verifiers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes `text` out of sight.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// 256 bits of chance as 43 letters.
    pub fn random() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// 128 bits of chance as 22 letters, for what people pass on.
    pub fn short() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>()))
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playlist_id_is_22_base_62_characters() {
        assert!(PlaylistId::parse("3cEYpjA9oz9GiPac4AsH4n").is_ok());
        for bad in
            ["", "3cEYpjA9oz9GiPac4AsH4", "3cEYpjA9oz9GiPac4AsH4nn", "3cEYpjA9oz9GiPac4AsH4-", "3cEYpjA9oz9GiPac4AsHé"]
        {
            assert_eq!(PlaylistId::parse(bad), Err(NotAPlaylistId), "{bad}");
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert!(!format!("{:?}", Secret::new("hush")).contains("hush"));
    }
}

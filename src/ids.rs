//! Identifiers and secrets that all layers share.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The id of a Heartlist account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

impl From<i64> for UserId {
    fn from(id: i64) -> Self {
        Self(id)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Policy for new accounts. Existing users can always sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    #[default]
    Open,
    /// Only people with an invitation.
    Invite,
    /// Only people with a link that makes them operator.
    Closed,
}

/// An identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    Spotify,
    Google,
    GitHub,
    Facebook,
    X,
}

impl Provider {
    /// All providers, in the order in which the sign-in page offers them.
    pub const ALL: [Provider; 5] =
        [Provider::Spotify, Provider::Google, Provider::GitHub, Provider::Facebook, Provider::X];

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.key() == key)
    }

    /// Returns the provider's name in URLs and in the database.
    pub fn key(self) -> &'static str {
        match self {
            Provider::Spotify => "spotify",
            Provider::Google => "google",
            Provider::GitHub => "github",
            Provider::Facebook => "facebook",
            Provider::X => "x",
        }
    }

    /// Returns the name for people of the provider with this key; the key itself if there is none.
    pub fn label_of(key: &str) -> &str {
        Self::from_key(key).map_or(key, |provider| provider.label())
    }

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

/// An identity in text form, as in `spotify:q7Zt3LmB0x`: a provider's key and its id of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRef {
    pub provider: Provider,
    pub subject: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identity is a provider and an id, as in spotify:q7Zt3LmB0x; the account page shows it")]
pub struct InvalidIdentityRef;

impl FromStr for IdentityRef {
    type Err = InvalidIdentityRef;

    fn from_str(text: &str) -> Result<Self, InvalidIdentityRef> {
        let (key, subject) = text.trim().split_once(':').ok_or(InvalidIdentityRef)?;
        let provider = Provider::from_key(key).ok_or(InvalidIdentityRef)?;
        let is_plain = !subject.is_empty() && !subject.chars().any(|c| c.is_whitespace() || c.is_control());
        is_plain.then(|| Self { provider, subject: subject.to_owned() }).ok_or(InvalidIdentityRef)
    }
}

/// A Spotify playlist id: 22 base-62 characters.
///
/// Spotify's documentation only says "base-62"; every id seen so far has this length.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlaylistId(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a playlist id is 22 letters and digits, as in https://open.spotify.com/playlist/ID")]
pub struct InvalidPlaylistId;

impl PlaylistId {
    /// Accepts a bare id only: no spaces, no link.
    pub fn parse(text: &str) -> Result<Self, InvalidPlaylistId> {
        let is_valid = text.len() == 22 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        is_valid.then(|| Self(text.to_owned())).ok_or(InvalidPlaylistId)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PlaylistId {
    type Error = InvalidPlaylistId;
    fn try_from(text: String) -> Result<Self, InvalidPlaylistId> {
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

/// Returns the hash under which an identity is remembered without its account.
pub fn hash_identity(provider_key: &str, subject: &str) -> TokenHash {
    TokenHash::new(format!("{provider_key}:{subject}"))
}

/// SHA-256 of a token. The database stores only this, so a stolen dump contains no usable token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    pub fn new(secret: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(secret).into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the hash in base64url, which [`Self::from_text`] parses.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub fn from_text(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Returns the first 128 bits in hexadecimal: enough to tell tokens apart in the log.
    pub fn log_prefix(&self) -> String {
        let prefix = self.0.first_chunk().expect("32 bytes");
        format!("{:032x}", u128::from_be_bytes(*prefix))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// A token, code or key, which `Debug` does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns 256 random bits as 43 base64url characters.
    pub fn random() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// Returns 128 random bits as 22 base64url characters, for links that people share.
    pub fn random_short() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
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
            assert_eq!(PlaylistId::parse(bad), Err(InvalidPlaylistId), "{bad}");
        }
    }

    #[test]
    fn a_hash_is_read_from_its_text_alone() {
        let hash = TokenHash::new("token");
        assert_eq!(TokenHash::from_text(&hash.to_text()), Some(hash));
        for text in ["", "ada", "token", "é", &"A".repeat(42), &"A".repeat(44)] {
            assert_eq!(TokenHash::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert!(!format!("{:?}", Secret::new("hush")).contains("hush"));
    }
}

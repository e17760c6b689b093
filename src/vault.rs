//! Encryption of secrets at rest.
//!
//! XChaCha20-Poly1305 under keys derived from `SESSION_SECRET`, one for each purpose. Purpose and owner are
//! authenticated, so a ciphertext that is copied to another row does not open there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::ids::Secret;

const NONCE_BYTES: usize = 24;

#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// A session's record, which holds OAuth tokens.
    Session,
    PendingLogin,
    /// The token of a secret share link.
    Share,
    /// The token of a private feed.
    NewsFeed,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Session, Self::PendingLogin, Self::Share, Self::NewsFeed];

    fn label(self) -> &'static [u8] {
        match self {
            Purpose::Session => b"heartlist session v1",
            Purpose::PendingLogin => b"heartlist sign-in v1",
            Purpose::Share => b"heartlist share v1",
            Purpose::NewsFeed => b"heartlist news feed v1",
        }
    }
}

/// The ciphertext was sealed with another secret or for another owner, or it is damaged. The reason is not given: it
/// would help a forger.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("sealed data does not open with this SESSION_SECRET")]
pub struct OpenError;

/// Seals with the current secret's keys, and opens with those of old secrets too.
#[derive(Clone)]
pub struct Vault {
    keys: Keys,
    old_keys: Vec<Keys>,
}

/// The keys of one secret, in the order of [`Purpose::ALL`].
type Keys = [XChaCha20Poly1305; Purpose::ALL.len()];

fn derive_keys(secret: &Secret) -> Keys {
    let root = Hkdf::<Sha256>::new(None, secret.expose().as_bytes());
    Purpose::ALL.map(|purpose| {
        let mut key = Key::default();
        root.expand(purpose.label(), &mut key).expect("HKDF can expand to 32 bytes");
        XChaCha20Poly1305::new(&key)
    })
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// Derives the keys from `secret`. `config` has checked that it has at least 32 bytes.
    pub fn new(secret: &Secret) -> Self {
        Self { keys: derive_keys(secret), old_keys: Vec::new() }
    }

    /// Also opens what was sealed with the `old` secrets, so that rotating the secret signs nobody out.
    pub fn with_old_secrets(self, old: &[Secret]) -> Self {
        Self { old_keys: old.iter().map(derive_keys).collect(), ..self }
    }

    /// Returns a random nonce followed by the ciphertext.
    pub fn seal(&self, purpose: Purpose, owner: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let nonce = XNonce::generate();
        let payload = Payload { msg: plaintext, aad: owner };
        let ciphertext =
            self.keys[purpose as usize].encrypt(&nonce, payload).expect("the plaintext is below the cipher's limit");
        [nonce.as_slice(), &ciphertext].concat()
    }

    /// Opens what [`Vault::seal`] returned for the same purpose and owner.
    pub fn open(&self, purpose: Purpose, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (nonce, msg) = sealed.split_at_checked(NONCE_BYTES).ok_or(OpenError)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| OpenError)?;
        let mut candidates = std::iter::once(&self.keys).chain(&self.old_keys);
        let opened =
            candidates.find_map(|keys| keys[purpose as usize].decrypt(&nonce, Payload { msg, aad: owner }).ok());
        opened.ok_or(OpenError)
    }
}

/// Loads the session secret from `folder`, or creates it there, readable only by its owner.
pub fn load_or_create_secret(folder: &Path) -> io::Result<Secret> {
    let path = folder.join("session-secret");
    if let Ok(secret) = fs::read_to_string(&path) {
        return Ok(Secret::new(secret));
    }
    fs::create_dir_all(folder)?;
    // Written to a temporary file and hard-linked into place: if two processes start at once, both use the same secret.
    let temporary = folder.join(format!("session-secret.{}", std::process::id()));
    owner_only_options().open(&temporary)?.write_all(Secret::random().expose().as_bytes())?;
    let linked = fs::hard_link(&temporary, &path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(&path).map(Secret::new),
    }
}

fn owner_only_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_data_opens_only_for_its_purpose_owner_and_secret() {
        let vault = Vault::new(&Secret::new("one secret that is long enough"));
        let sealed = vault.seal(Purpose::Session, b"mira", b"token");
        assert_eq!(vault.open(Purpose::Session, b"mira", &sealed).unwrap(), b"token");
        assert!(vault.open(Purpose::Session, b"noor", &sealed).is_err());
        assert!(vault.open(Purpose::PendingLogin, b"mira", &sealed).is_err());
        assert!(Vault::new(&Secret::new("another")).open(Purpose::Session, b"mira", &sealed).is_err());
        assert!(vault.open(Purpose::Session, b"mira", &sealed[..10]).is_err());
    }

    #[test]
    fn an_old_secret_opens_but_never_seals() {
        let (old, new) = (Secret::new("the secret of last year"), Secret::new("the secret of this year"));
        let sealed = Vault::new(&old).seal(Purpose::Session, b"mira", b"token");
        let rotated = Vault::new(&new).with_old_secrets(std::slice::from_ref(&old));
        assert_eq!(rotated.open(Purpose::Session, b"mira", &sealed).unwrap(), b"token");
        assert!(rotated.open(Purpose::Session, b"noor", &sealed).is_err());
        let resealed = rotated.seal(Purpose::Session, b"mira", b"token");
        assert!(Vault::new(&old).open(Purpose::Session, b"mira", &resealed).is_err());
        assert!(Vault::new(&new).open(Purpose::Session, b"mira", &resealed).is_ok());
    }

    #[test]
    fn the_secret_is_created_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = load_or_create_secret(folder.path()).unwrap();
        assert!(first.expose().len() >= 32);
        assert_eq!(load_or_create_secret(folder.path()).unwrap(), first);
    }
}

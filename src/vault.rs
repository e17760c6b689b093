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
    /// A pending login.
    SignIn,
    /// The token of a secret share link.
    Share,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Purpose::Session => b"heartlist session v1",
            Purpose::SignIn => b"heartlist sign-in v1",
            Purpose::Share => b"heartlist share v1",
        }
    }
}

/// The ciphertext was sealed with another secret or for another owner, or it is damaged. The reason is not given: it
/// would help a forger.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a sealed text does not open with this SESSION_SECRET")]
pub struct OpenError;

/// Seals with the current secret's keys, and opens with those of old secrets too.
#[derive(Clone)]
pub struct Vault {
    keys: Keys,
    old_keys: Vec<Keys>,
}

#[derive(Clone)]
struct Keys {
    session: XChaCha20Poly1305,
    sign_in: XChaCha20Poly1305,
    share: XChaCha20Poly1305,
}

impl Keys {
    fn derive(root: &Hkdf<Sha256>) -> Self {
        let key = |purpose: Purpose| {
            let mut key = Key::default();
            root.expand(purpose.label(), &mut key).expect("32 bytes are within HKDF's reach");
            XChaCha20Poly1305::new(&key)
        };
        Self { session: key(Purpose::Session), sign_in: key(Purpose::SignIn), share: key(Purpose::Share) }
    }

    fn cipher(&self, purpose: Purpose) -> &XChaCha20Poly1305 {
        match purpose {
            Purpose::Session => &self.session,
            Purpose::SignIn => &self.sign_in,
            Purpose::Share => &self.share,
        }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// Derives the keys from `secret`, which has at least 32 bytes (`config` checks that).
    pub fn new(secret: &Secret) -> Self {
        Self { keys: Keys::derive(&hkdf(secret)), old_keys: Vec::new() }
    }

    /// Also opens what was sealed with `old` secrets, so that rotating the secret signs nobody out.
    pub fn with_old_secrets(self, older: &[Secret]) -> Self {
        Self { old_keys: older.iter().map(|secret| Keys::derive(&hkdf(secret))).collect(), ..self }
    }

    /// Returns a random nonce followed by the ciphertext.
    pub fn seal(&self, purpose: Purpose, owner: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = XNonce::generate();
        let payload = Payload { msg: plain, aad: owner };
        let cipher = self.keys.cipher(purpose).encrypt(&nonce, payload).expect("memory holds the text");
        [nonce.as_slice(), &cipher].concat()
    }

    /// Opens what [`Vault::seal`] returned for the same purpose and owner.
    pub fn open(&self, purpose: Purpose, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (nonce, msg) = sealed.split_at_checked(NONCE_BYTES).ok_or(OpenError)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| OpenError)?;
        let mut all = std::iter::once(&self.keys).chain(&self.old_keys);
        let opened = all.find_map(|keys| keys.cipher(purpose).decrypt(&nonce, Payload { msg, aad: owner }).ok());
        opened.ok_or(OpenError)
    }
}

fn hkdf(secret: &Secret) -> Hkdf<Sha256> {
    Hkdf::new(None, secret.expose().as_bytes())
}

/// Loads the session secret from `folder`, or creates it there, readable by its owner only.
pub fn load_or_create_secret(folder: &Path) -> io::Result<Secret> {
    let file = folder.join("session-secret");
    if let Ok(secret) = fs::read_to_string(&file) {
        return Ok(Secret::new(secret));
    }
    fs::create_dir_all(folder)?;
    // Written to a draft and linked into place: of two first starts at once one wins, and both read its secret.
    let draft = folder.join(format!("session-secret.{}", std::process::id()));
    owner_only_options().open(&draft)?.write_all(Secret::random().expose().as_bytes())?;
    let linked = fs::hard_link(&draft, &file);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(&file).map(Secret::new),
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
    fn a_sealed_text_opens_only_for_its_purpose_owner_and_secret() {
        let vault = Vault::new(&Secret::new("one secret that is long enough to serve"));
        let sealed = vault.seal(Purpose::Session, b"mira", b"token");
        assert_eq!(vault.open(Purpose::Session, b"mira", &sealed).unwrap(), b"token");
        assert!(vault.open(Purpose::Session, b"noor", &sealed).is_err());
        assert!(vault.open(Purpose::SignIn, b"mira", &sealed).is_err());
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
        let anew = rotated.seal(Purpose::Session, b"mira", b"token");
        assert!(Vault::new(&old).open(Purpose::Session, b"mira", &anew).is_err());
        assert!(Vault::new(&new).open(Purpose::Session, b"mira", &anew).is_ok());
    }

    #[test]
    fn the_secret_is_created_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = load_or_create_secret(folder.path()).unwrap();
        assert!(first.expose().len() >= 32);
        assert_eq!(load_or_create_secret(folder.path()).unwrap(), first);
    }
}

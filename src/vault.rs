//! Seals secrets for the database and opens them again.
//!
//! XChaCha20-Poly1305 under keys derived from `SESSION_SECRET`, one for each purpose. The purpose and
//! the owner are bound in: a sealed text that is copied to another row does not open there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::ids::Secret;

const NONCE: usize = 24;

/// What a secret is sealed for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// A session's record, with the tokens in it.
    Session,
    /// A sign-in that waits for the provider's answer.
    SignIn,
    /// The token of a link to somebody's hearts.
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

/// The text does not open: sealed with another secret, for another owner, or damaged.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a sealed text does not open with this SESSION_SECRET")]
pub struct DoesNotOpen;

/// Seals with keys that come from one secret, and opens with those of older ones as well.
#[derive(Clone)]
pub struct Vault {
    keys: Keys,
    older: Vec<Keys>,
}

/// The keys that come from one secret.
#[derive(Clone)]
struct Keys {
    session: XChaCha20Poly1305,
    sign_in: XChaCha20Poly1305,
    share: XChaCha20Poly1305,
}

impl Keys {
    fn of(root: &Hkdf<Sha256>) -> Self {
        let key = |purpose: Purpose| {
            let mut key = Key::default();
            root.expand(purpose.label(), &mut key).expect("32 bytes are within HKDF's reach");
            XChaCha20Poly1305::new(&key)
        };
        Self { session: key(Purpose::Session), sign_in: key(Purpose::SignIn), share: key(Purpose::Share) }
    }

    fn to(&self, purpose: Purpose) -> &XChaCha20Poly1305 {
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
    /// A vault whose keys come from `secret` (at least 32 bytes; `config` sees to that).
    pub fn new(secret: &Secret) -> Self {
        Self { keys: Keys::of(&root(secret)), older: Vec::new() }
    }

    /// The same, which also opens what was sealed with `older` secrets: one is rotated, and everybody stays signed in.
    pub fn opening_too(self, older: &[Secret]) -> Self {
        Self { older: older.iter().map(|secret| Keys::of(&root(secret))).collect(), ..self }
    }

    /// Seals `plain` for `owner`: a fresh nonce, then the ciphertext.
    pub fn seal(&self, purpose: Purpose, owner: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = XNonce::generate();
        let payload = Payload { msg: plain, aad: owner };
        let cipher = self.keys.to(purpose).encrypt(&nonce, payload).expect("memory holds the text");
        [nonce.as_slice(), &cipher].concat()
    }

    /// Opens what [`Vault::seal`] made for the same purpose and owner.
    ///
    /// # Errors
    /// [`DoesNotOpen`], without saying why: a reason would only help a forger.
    pub fn open(&self, purpose: Purpose, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let (nonce, msg) = sealed.split_at_checked(NONCE).ok_or(DoesNotOpen)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| DoesNotOpen)?;
        let mut all = std::iter::once(&self.keys).chain(&self.older);
        let opened = all.find_map(|keys| keys.to(purpose).decrypt(&nonce, Payload { msg, aad: owner }).ok());
        opened.ok_or(DoesNotOpen)
    }
}

fn root(secret: &Secret) -> Hkdf<Sha256> {
    Hkdf::new(None, secret.expose().as_bytes())
}

/// The demo's own session secret: made at the first start, kept in `folder`, readable by its owner only.
///
/// # Errors
/// When the folder or the file cannot be made or read.
pub fn kept_secret(folder: &Path) -> io::Result<Secret> {
    let file = folder.join("session-secret");
    if let Ok(secret) = fs::read_to_string(&file) {
        return Ok(Secret::new(secret));
    }
    fs::create_dir_all(folder)?;
    // Written aside and linked into place: of two first starts one wins whole, and both read its secret.
    let draft = folder.join(format!("session-secret.{}", std::process::id()));
    owner_only().open(&draft)?.write_all(Secret::random().expose().as_bytes())?;
    let linked = fs::hard_link(&draft, &file);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(&file).map(Secret::new),
    }
}

fn owner_only() -> OpenOptions {
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
    fn what_is_sealed_opens_only_for_its_purpose_owner_and_secret() {
        let vault = Vault::new(&Secret::new("one secret that is long enough to serve"));
        let sealed = vault.seal(Purpose::Session, b"mira", b"token");
        assert_eq!(vault.open(Purpose::Session, b"mira", &sealed).unwrap(), b"token");
        assert!(vault.open(Purpose::Session, b"noor", &sealed).is_err());
        assert!(vault.open(Purpose::SignIn, b"mira", &sealed).is_err());
        assert!(Vault::new(&Secret::new("another")).open(Purpose::Session, b"mira", &sealed).is_err());
        assert!(vault.open(Purpose::Session, b"mira", &sealed[..10]).is_err());
    }

    #[test]
    fn an_older_secret_opens_and_never_seals() {
        let (old, new) = (Secret::new("the secret of last year"), Secret::new("the secret of this year"));
        let sealed = Vault::new(&old).seal(Purpose::Session, b"mira", b"token");
        let rotated = Vault::new(&new).opening_too(std::slice::from_ref(&old));
        assert_eq!(rotated.open(Purpose::Session, b"mira", &sealed).unwrap(), b"token");
        assert!(rotated.open(Purpose::Session, b"noor", &sealed).is_err());
        let anew = rotated.seal(Purpose::Session, b"mira", b"token");
        assert!(Vault::new(&old).open(Purpose::Session, b"mira", &anew).is_err());
        assert!(Vault::new(&new).open(Purpose::Session, b"mira", &anew).is_ok());
    }

    #[test]
    fn the_kept_secret_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = kept_secret(folder.path()).unwrap();
        assert!(first.expose().len() >= 32);
        assert_eq!(kept_secret(folder.path()).unwrap(), first);
    }
}

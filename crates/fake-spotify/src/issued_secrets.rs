//! Codes and tokens, with a list of the latest for tests that search a log for them.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const MAX_ISSUED_SECRETS: usize = 1_000;

/// The latest secrets, oldest first.
#[derive(Default)]
pub(crate) struct IssuedSecrets(VecDeque<String>);

impl IssuedSecrets {
    /// Issues a secret: the prefix and this number of random bytes.
    pub(crate) fn issue(&mut self, prefix: &str, bytes: usize) -> String {
        let mut random = vec![0u8; bytes];
        rand::fill(random.as_mut_slice());
        let secret = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random));
        if self.0.len() == MAX_ISSUED_SECRETS {
            self.0.pop_front();
        }
        self.0.push_back(secret.clone());
        secret
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }
}

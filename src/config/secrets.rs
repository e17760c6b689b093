//! Secret settings. Errors contain their names, never their values.

use super::env_reader::{EnvReader, MIN_SECRET_BYTES, SECRET_ADVICE};
use crate::ids::Secret;

impl EnvReader<'_> {
    pub(super) fn session_secret(&mut self, optional: bool) -> Option<Secret> {
        let secret = self.secret("SESSION_SECRET");
        if secret.is_none() && !optional {
            self.error(format!("SESSION_SECRET is missing: {SECRET_ADVICE}"));
        }
        secret
    }

    pub(super) fn old_session_secrets(&mut self) -> Vec<Secret> {
        let value = self.get("SESSION_SECRET_OLD").unwrap_or_default();
        let old: Vec<_> = value.split(',').map(str::trim).filter(|old| !old.is_empty()).collect();
        if old.iter().any(|old| old.len() < MIN_SECRET_BYTES) {
            self.error(
                "SESSION_SECRET_OLD has a secret that is too short: at least 32 characters each, separated by commas",
            );
        }
        old.into_iter().map(Secret::new).collect()
    }

    pub(super) fn client_secret(&mut self, demo: bool) -> Secret {
        if demo {
            // Shared only with the fake Spotify in the same process.
            return Secret::random();
        }
        Secret::new(self.get("SPOTIFY_CLIENT_SECRET").unwrap_or_else(|| {
            self.error(
                "SPOTIFY_CLIENT_SECRET is missing: it is next to the client id on Spotify's developer dashboard",
            );
            String::new()
        }))
    }
}

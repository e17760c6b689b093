//! Secret settings. Errors contain their names, never their values.

use super::env_reader::EnvReader;
use crate::ids::Secret;

impl EnvReader<'_> {
    pub(super) fn session_secret(&mut self, optional: bool) -> Option<Secret> {
        match self.get("SESSION_SECRET") {
            Some(secret) if secret.len() >= 32 => return Some(Secret::new(secret)),
            Some(_) => self.error(
                "SESSION_SECRET is too short: at least 32 characters, for example from `openssl rand -base64 48`",
            ),
            None if optional => {}
            None => self
                .error("SESSION_SECRET is missing: at least 32 characters, for example from `openssl rand -base64 48`"),
        }
        None
    }

    pub(super) fn old_session_secrets(&mut self) -> Vec<Secret> {
        let value = self.get("SESSION_SECRET_OLD").unwrap_or_default();
        let old: Vec<_> = value.split(',').map(str::trim).filter(|old| !old.is_empty()).collect();
        if old.iter().any(|old| old.len() < 32) {
            self.error(
                "SESSION_SECRET_OLD has a secret that is too short: at least 32 characters each, separated by commas",
            );
        }
        old.into_iter().map(Secret::new).collect()
    }

    pub(super) fn operator_token(&mut self) -> Option<Secret> {
        let token = self.get("OPERATOR_TOKEN")?;
        if token.len() < 32 {
            self.error(
                "OPERATOR_TOKEN is too short: at least 32 characters, for example from `openssl rand -base64 48`",
            );
        }
        Some(Secret::new(token))
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

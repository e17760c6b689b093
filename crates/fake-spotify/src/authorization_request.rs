//! Validation of authorization requests (RFC 6749 §4.1.1, RFC 7636 §4.3).

use url::Url;

use crate::params::Params;
use crate::redirect_uri::{matches_registered, parse_allowed};
use crate::settings::Settings;

/// Spotify's scopes, with their description on the consent page.
const SCOPES: [(&str, &str); 18] = [
    ("playlist-read-private", "See your private playlists"),
    ("playlist-read-collaborative", "See your collaborative playlists"),
    ("playlist-modify-private", "Change your private playlists"),
    ("playlist-modify-public", "Change your public playlists"),
    ("user-read-currently-playing", "See what you’re playing now"),
    ("user-read-playback-state", "See what’s playing on your devices"),
    ("user-modify-playback-state", "Control what plays on your devices"),
    ("user-read-playback-position", "See your position in podcasts"),
    ("user-read-recently-played", "See what you played recently"),
    ("user-read-private", "See your plan and country"),
    ("user-read-email", "See your email address"),
    ("user-library-read", "See your saved music"),
    ("user-library-modify", "Change your saved music"),
    ("user-top-read", "See your favourite artists and tracks"),
    ("user-follow-read", "See who you follow"),
    ("user-follow-modify", "Change who you follow"),
    ("ugc-image-upload", "Upload playlist covers"),
    ("streaming", "Play music on this device"),
];

/// A valid authorization request.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    /// As sent: the token request must repeat it exactly.
    pub(crate) redirect_uri: String,
    pub(crate) redirect_url: Url,
    pub(crate) state: Option<String>,
    pub(crate) scope: String,
    pub(crate) code_challenge: Option<String>,
}

impl AuthorizationRequest {
    /// Validates a request. The error is shown to the user, never sent to the client: an invalid redirect address must
    /// not be followed (RFC 6749 §4.1.2.1).
    pub(crate) fn parse(params: &Params, settings: &Settings) -> Result<Self, &'static str> {
        let client_id = params.get("client_id");
        if client_id != Some(settings.client_id.as_str()) {
            return Err("INVALID_CLIENT: Invalid client");
        }
        let redirect_uri = params.get_owned("redirect_uri").unwrap_or_default();
        if !settings.redirect_uris.iter().any(|known| matches_registered(&redirect_uri, known)) {
            return Err("INVALID_CLIENT: Invalid redirect URI");
        }
        let Some(redirect_url) = parse_allowed(&redirect_uri, &settings.base_url) else {
            return Err("INVALID_CLIENT: Insecure redirect URI");
        };
        match params.get("response_type") {
            Some("code") => {}
            Some(_) => return Err("response_type must be code"),
            None => return Err("Missing required parameter: response_type"),
        }
        if !matches!(params.get("show_dialog"), None | Some("true" | "false")) {
            return Err("show_dialog must be true or false");
        }
        Ok(Self {
            client_id: settings.client_id.clone(),
            redirect_uri,
            redirect_url,
            state: params.get_owned("state"),
            scope: validate_scopes(params.get("scope").unwrap_or_default())?,
            code_challenge: parse_code_challenge(params)?,
        })
    }

    /// Descriptions of the requested scopes.
    pub(crate) fn scope_descriptions(&self) -> Vec<&'static str> {
        let is_requested = |scope: &str| self.scope.split(' ').any(|s| s == scope);
        let requested = SCOPES.iter().filter(|(scope, _)| is_requested(scope));
        requested.map(|(_, description)| *description).collect()
    }
}

fn validate_scopes(scope: &str) -> Result<String, &'static str> {
    let requested: Vec<&str> = scope.split(' ').filter(|s| !s.is_empty()).collect();
    let is_known = |scope: &&str| SCOPES.iter().any(|(name, _)| name == scope);
    if requested.iter().all(is_known) { Ok(requested.join(" ")) } else { Err("INVALID_SCOPE: Invalid scope") }
}

fn parse_code_challenge(params: &Params) -> Result<Option<String>, &'static str> {
    let method = params.get("code_challenge_method");
    let Some(challenge) = params.get_owned("code_challenge") else {
        return match method {
            Some(_) => Err("code_challenge_method without code_challenge"),
            None => Ok(None),
        };
    };
    let is_base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if method != Some("S256") {
        Err("code_challenge_method must be S256")
    } else if challenge.len() != 43 || !challenge.bytes().all(is_base64url) {
        Err("code_challenge must be the base64url form of a SHA-256 hash, without padding")
    } else {
        Ok(Some(challenge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_scopes_are_rejected() {
        assert_eq!(validate_scopes("streaming  user-top-read").as_deref(), Ok("streaming user-top-read"));
        assert!(validate_scopes("playlist-read").is_err());
    }
}

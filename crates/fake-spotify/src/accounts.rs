//! Is this authorization request one that Spotify would take? Pure checks, no page.

use super::form::Params;
use super::world::{Settings, Switches};
use url::Url;

/// The scopes Spotify knows, in the words of its consent page or ours.
const SCOPES: [(&str, &str); 18] = [
    ("playlist-read-private", "See your private playlists"),
    ("playlist-read-collaborative", "See your collaborative playlists"),
    ("playlist-modify-private", "Change your private playlists"),
    ("playlist-modify-public", "Change your public playlists"),
    ("user-read-currently-playing", "See what you are playing now"),
    ("user-read-playback-state", "See what plays on which of your devices"),
    ("user-modify-playback-state", "Control what plays on your devices"),
    ("user-read-playback-position", "See how far you are in a podcast"),
    ("user-read-recently-played", "See what you played lately"),
    ("user-read-private", "See your plan and country"),
    ("user-read-email", "See your email address"),
    ("user-library-read", "See what you saved"),
    ("user-library-modify", "Change what you saved"),
    ("user-top-read", "See your favourite artists and tracks"),
    ("user-follow-read", "See whom you follow"),
    ("user-follow-modify", "Change whom you follow"),
    ("ugc-image-upload", "Upload playlist covers"),
    ("streaming", "Play music on this device"),
];

/// An authorization request that passed every check.
#[derive(Clone, Debug)]
pub(super) struct AuthorizeRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) scope: String,
    pub(super) challenge: Option<String>,
}

impl AuthorizeRequest {
    /// Checks a request; the error is the sentence for the error page. Nothing here leads back to
    /// the client: who asks wrongly is not sent anywhere.
    pub(super) fn check(params: &Params, settings: &Settings, switches: &Switches) -> Result<Self, &'static str> {
        let client_id = params.get("client_id");
        if client_id != Some(settings.client_id.as_str()) {
            return Err("INVALID_CLIENT: Invalid client");
        }
        let redirect_uri = params.owned("redirect_uri").unwrap_or_default();
        if !settings.redirect_uris.iter().any(|known| same_redirect(known, &redirect_uri)) {
            return Err("INVALID_CLIENT: Invalid redirect URI");
        }
        if !is_safe(&redirect_uri, &settings.base) {
            return Err("INVALID_CLIENT: Insecure redirect URI");
        }
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
            state: params.owned("state"),
            scope: known_scopes(params.get("scope").unwrap_or_default())?,
            challenge: challenge(params, switches.require_pkce)?,
        })
    }

    /// The redirect address as a URL; [`AuthorizeRequest::check`] has seen that it is one.
    pub(super) fn redirect(&self) -> Option<Url> {
        Url::parse(&self.redirect_uri).ok()
    }

    /// What the scopes mean, in words.
    pub(super) fn wishes(&self) -> Vec<&'static str> {
        let asked = |scope: &str| self.scope.split(' ').any(|s| s == scope);
        let wishes = SCOPES.iter().filter(|(scope, _)| asked(scope));
        wishes.map(|(_, words)| *words).collect()
    }
}

/// To the letter, but a loopback address registered without a port takes any.
fn same_redirect(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    ["http://127.0.0.1", "http://[::1]"].iter().any(|host| {
        let Some(path) = registered.strip_prefix(host) else {
            return false;
        };
        let rest = asked.strip_prefix(host).and_then(|r| r.strip_prefix(':'));
        let Some(port) = rest.and_then(|rest| rest.strip_suffix(path)) else {
            return false;
        };
        path.starts_with('/')
            && port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// HTTPS, a loopback address in numbers, or an app's own scheme; `localhost` is none of these.
/// The stand-in's own origin passes too, so that a demo can be shown in a home network.
fn is_safe(redirect_uri: &str, base: &Url) -> bool {
    let Ok(url) = Url::parse(redirect_uri) else {
        return false;
    };
    match url.scheme() {
        "http" => url.origin() == base.origin() || matches!(url.host_str(), Some("127.0.0.1" | "[::1]")),
        "javascript" | "data" | "vbscript" | "file" | "blob" => false,
        _ => url.fragment().is_none(),
    }
}

fn known_scopes(scope: &str) -> Result<String, &'static str> {
    let asked: Vec<&str> = scope.split(' ').filter(|s| !s.is_empty()).collect();
    let known = |scope: &&str| SCOPES.iter().any(|(name, _)| name == scope);
    if asked.iter().all(known) { Ok(asked.join(" ")) } else { Err("INVALID_SCOPE: Invalid scope") }
}

fn challenge(params: &Params, required: bool) -> Result<Option<String>, &'static str> {
    let method = params.get("code_challenge_method");
    let Some(challenge) = params.owned("code_challenge") else {
        return match (required, method) {
            (true, _) => Err("code_challenge is required"),
            (false, Some(_)) => Err("code_challenge_method without code_challenge"),
            (false, None) => Ok(None),
        };
    };
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if method != Some("S256") {
        Err("code_challenge_method must be S256")
    } else if challenge.len() != 43 || !challenge.bytes().all(base64url) {
        Err("code_challenge must be the base64url form of a SHA-256 hash, without padding")
    } else {
        Ok(Some(challenge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_match_to_the_letter_but_for_a_loopback_port() {
        let portless = "http://127.0.0.1/callback";
        assert!(same_redirect(portless, "http://127.0.0.1:49152/callback"));
        assert!(same_redirect("http://[::1]/cb", "http://[::1]:80/cb"));
        for wrong in [
            "http://127.0.0.1:49152/callback/",
            "http://127.0.0.1:49152/Callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:99999/callback",
            "http://127.0.0.1:80@evil.test/callback",
            "http://127.0.0.1.evil.test/callback",
            "http://127.0.0.1:+80/callback",
            "https://127.0.0.1:443/callback",
        ] {
            assert!(!same_redirect(portless, wrong), "{wrong}");
        }
        assert!(!same_redirect("http://127.0.0.1:8080/cb", "http://127.0.0.1:8081/cb"));
        assert!(!same_redirect("https://a.test/cb", "https://a.test:444/cb"));
    }

    #[test]
    fn plain_http_is_for_loopback_addresses_in_numbers() {
        let base = Url::parse("http://192.168.1.5:8080/fake-spotify").unwrap();
        for good in [
            "https://a.test/cb",
            "http://127.0.0.1:8080/cb",
            "http://[::1]:8080/cb",
            "http://192.168.1.5:8080/cb",
            "my-app://cb",
        ] {
            assert!(is_safe(good, &base), "{good}");
        }
        for bad in ["http://localhost:8080/cb", "http://a.test/cb", "javascript:alert(1)", "https://a.test/cb#x", "/cb"]
        {
            assert!(!is_safe(bad, &base), "{bad}");
        }
    }

    #[test]
    fn unknown_scopes_are_refused() {
        assert_eq!(known_scopes("streaming  user-top-read").as_deref(), Ok("streaming user-top-read"));
        assert!(known_scopes("playlist-read").is_err());
    }
}

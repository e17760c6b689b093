//! Redirect addresses of the app.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::{Host, Url};

/// Whether an address is exactly the registered one. A loopback address registered without a port matches any port.
pub(crate) fn matches_registered(redirect_uri: &str, registered: &str) -> bool {
    if registered == redirect_uri {
        return true;
    }
    ["http://127.0.0.1", "http://[::1]"].iter().any(|host| {
        let Some(path) = registered.strip_prefix(host) else {
            return false;
        };
        let rest = redirect_uri.strip_prefix(host).and_then(|r| r.strip_prefix(':'));
        let Some(port) = rest.and_then(|rest| rest.strip_suffix(path)) else {
            return false;
        };
        path.starts_with('/')
            && port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// Parses a redirect address if Spotify allows it: HTTPS, a loopback IP address or a custom scheme, but not
/// `localhost`. The origin of this server is allowed too, so that a demo can run on a home network without TLS.
pub(crate) fn parse_allowed(redirect_uri: &str, base: &Url) -> Option<Url> {
    let url = Url::parse(redirect_uri).ok()?;
    let is_allowed = match url.scheme() {
        "http" => url.origin() == base.origin() || matches!(url.host_str(), Some("127.0.0.1" | "[::1]")),
        "javascript" | "data" | "vbscript" | "file" | "blob" => false,
        _ => url.fragment().is_none(),
    };
    is_allowed.then_some(url)
}

/// Sends the browser back to the app.
pub(crate) fn redirect_to_app(to: &Url) -> Response {
    let headers = [
        (header::LOCATION, to.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// The address as a source of the directive `form-action`. Its grammar has no IPv6 addresses and no hosts of custom
/// schemes, so those are reduced to the scheme.
pub(crate) fn form_action_source(to: &Url) -> String {
    match (to.scheme(), to.host()) {
        ("http" | "https", Some(Host::Domain(_) | Host::Ipv4(_))) => to.origin().ascii_serialization(),
        (scheme, _) => format!("{scheme}:"),
    }
}

/// Host and port, or the custom scheme of an app, as the consent page shows it.
pub(crate) fn display_host(to: &Url) -> String {
    let port = to.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}{port}", to.host_str().unwrap_or(to.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_addresses_match_exactly_except_for_a_loopback_port() {
        let portless = "http://127.0.0.1/callback";
        assert!(matches_registered("http://127.0.0.1:49152/callback", portless));
        assert!(matches_registered("http://[::1]:80/cb", "http://[::1]/cb"));
        for wrong in [
            "http://127.0.0.1:49152/callback/", "http://127.0.0.1:49152/Callback", "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback", "http://127.0.0.1:99999/callback", "http://127.0.0.1:80@evil.test/callback",
            "http://127.0.0.1.evil.test/callback", "http://127.0.0.1:+80/callback", "https://127.0.0.1:443/callback",
        ] {
            assert!(!matches_registered(wrong, portless), "{wrong}");
        }
        assert!(!matches_registered("http://127.0.0.1:8081/cb", "http://127.0.0.1:8080/cb"));
        assert!(!matches_registered("https://a.test:444/cb", "https://a.test/cb"));
    }

    #[test]
    fn plain_http_is_allowed_for_loopback_ip_addresses() {
        let base = Url::parse("http://192.168.1.5:8080/fake-spotify").unwrap();
        for good in [
            "https://a.test/cb", "http://127.0.0.1:8080/cb", "http://[::1]:8080/cb", "http://192.168.1.5:8080/cb",
            "my-app://cb",
        ] {
            assert!(parse_allowed(good, &base).is_some(), "{good}");
        }
        for bad in ["http://localhost:8080/cb", "http://a.test/cb", "javascript:alert(1)", "https://a.test/cb#x", "/cb"]
        {
            assert!(parse_allowed(bad, &base).is_none(), "{bad}");
        }
    }

    #[test]
    fn form_action_source_is_the_origin_or_the_scheme() {
        let source = |url| form_action_source(&Url::parse(url).unwrap());
        assert_eq!(source("http://127.0.0.1:8080/cb?a=b"), "http://127.0.0.1:8080");
        assert_eq!(source("https://a.test/cb;x"), "https://a.test");
        assert_eq!(source("http://[::1]:8080/cb"), "http:");
        assert_eq!(source("my-app://cb"), "my-app:");
    }
}

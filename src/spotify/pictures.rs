//! Hosts of pictures. URLs on other hosts are dropped, and the Content-Security-Policy forbids them.

use url::{Origin, Url};

/// Domains of Spotify's pictures; they are on subdomains, such as `i.scdn.co` and `image-cdn-ak.spotifycdn.com`.
const DOMAINS: [&str; 2] = ["scdn.co", "spotifycdn.com"];
const SPOTIFY_API: &str = "api.spotify.com";

#[derive(Clone, Debug)]
pub struct PictureHosts {
    /// The fake Spotify, which serves its own pictures.
    fake: Option<Origin>,
}

impl PictureHosts {
    pub fn new(api: &Url) -> Self {
        Self { fake: Some(api.origin()).filter(|_| api.host_str() != Some(SPOTIFY_API)) }
    }

    /// Returns the sources for the Content-Security-Policy.
    pub fn csp_sources(&self) -> Vec<String> {
        let domains = DOMAINS.iter().map(|domain| format!("https://*.{domain}"));
        domains.chain(self.fake.as_ref().map(Origin::ascii_serialization)).collect()
    }

    /// True for a URL on one of these hosts, in the form in which a URL parser writes it and without a user name.
    pub fn is_allowed(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else { return false };
        let host = url.host_str().unwrap_or_default();
        let is_subdomain = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        let is_spotify =
            url.scheme() == "https" && url.port().is_none() && DOMAINS.iter().any(|domain| is_subdomain(domain));
        let is_clean = url.as_str() == address && url.username().is_empty() && url.password().is_none();
        is_clean && (is_spotify || self.fake.as_ref() == Some(&url.origin()))
    }
}

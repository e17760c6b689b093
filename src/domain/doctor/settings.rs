//! Checks of the settings: URLs and secrets.

use std::collections::HashSet;

use url::Url;

use super::finding::{Check, Finding, RequestContext};
use crate::app::{App, is_loopback};
use crate::ids::{Provider, Secret};

pub(super) fn examine(app: &App, context: &RequestContext) -> Vec<Finding> {
    let config = &app.config;
    let mut findings = Vec::new();
    if config.demo {
        findings.push(report_demo());
    }
    findings.push(check_redirect_uri(&config.redirect_uri(Provider::Spotify), config.demo));
    let others = app.oauth.providers().filter(|provider| *provider != Provider::Spotify);
    findings.extend(others.map(|provider| check_provider(provider, &config.redirect_uri(provider), config.demo)));
    findings.push(match context {
        RequestContext::Terminal if !config.is_base_url_known => report_learned_base_url(),
        RequestContext::Terminal => check_base_url(&config.base_url, config.heroku_domain.as_deref()),
        RequestContext::Browser { host, scheme, .. } => {
            check_browser_url(&config.base_url, host.as_deref(), scheme.as_deref())
        }
    });
    let is_forwarded = matches!(context, RequestContext::Browser { is_forwarded: true, .. });
    findings.push(check_proxy(&config.base_url, config.access.trusted_proxies, is_forwarded));
    findings.push(match &config.session_secret {
        Some(secret) => check_session_secret(secret),
        None => SESSION_SECRET.good(format!(
            "Made at random at the first start, kept in {}.",
            config.data_dir.join("session-secret").display()
        )),
    });
    findings.push(check_operator_token(config.operator_token.as_ref(), config.session_secret.as_ref()));
    findings
}

fn report_demo() -> Finding {
    Check(
        "Demo",
        "To use the real Spotify you need an app of your own, for which Spotify gives you an id and a secret.",
    )
    .note("The music is made up: this is the demo, with a made-up Spotify.")
    .with_fix(
        "To see real playlists, set SPOTIFY_CLIENT_ID, SPOTIFY_CLIENT_SECRET and SESSION_SECRET, and start again.",
    )
}

fn check_redirect_uri(address: &Url, demo: bool) -> Finding {
    let check = Check(
        "Redirect address",
        "Before sending people back, Spotify compares this address character by character, and shows “INVALID_CLIENT: Invalid redirect URI” if it differs. There is no way to ask Spotify which addresses it knows.",
    );
    let finding = match demo {
        true => check.good("The demo has registered it. For the real Spotify, register this one:"),
        false => check.note("This one must be registered at Spotify, character by character:").with_fix(
            "Compare it with the redirect URIs of your app on developer.spotify.com/dashboard, slashes included.",
        ),
    };
    finding.with_value(address.as_str())
}

fn check_provider(provider: Provider, address: &Url, demo: bool) -> Finding {
    let (subject, dashboard) = match provider {
        Provider::Spotify => ("Sign-in by Spotify", "developer.spotify.com/dashboard"),
        Provider::Google => ("Sign-in by Google", "console.cloud.google.com/auth/clients"),
        Provider::GitHub => ("Sign-in by GitHub", "github.com/settings/developers"),
        Provider::Facebook => ("Sign-in by Facebook", "developers.facebook.com/apps"),
        Provider::X => ("Sign-in by X", "console.x.com"),
    };
    let check = Check(
        subject,
        "A provider sends people back only to a registered address, and compares it character by character.",
    );
    let label = provider.label();
    let finding = match demo {
        true => check.good(format!("The demo has registered it. For the real {label}, register this one:")),
        false => check
            .note(format!("It is set up. This address must be registered at {label}, character by character:"))
            .with_fix(format!("Compare it with the redirect addresses of your app on {dashboard}, slashes included.")),
    };
    finding.with_value(address.as_str())
}

const ADDRESS: Check = Check(
    "Address",
    "Cookies belong to one address. A sign-in that starts at another one cannot finish, because Spotify sends people back to this one.",
);

fn report_learned_base_url() -> Finding {
    ADDRESS
        .note("BASE_URL is not set, so each dyno of this demo takes the host of its first request.")
        .with_fix("With more than one host, set BASE_URL to the `Web URL` that `heroku apps:info` prints.")
}

/// Checks BASE_URL against the host that Heroku gave the app. Hosts of apps created since June 2023 end in random
/// letters.
fn check_base_url(base: &Url, heroku_domain: Option<&str>) -> Finding {
    let host = base.host_str().unwrap_or_default();
    if host.ends_with(".herokuapp.com") && heroku_domain != Some(host) {
        let origin = display_origin(base);
        return match heroku_domain {
            Some(domain) => ADDRESS
                .bad(format!("BASE_URL says {origin}, but Heroku gave this app the host {domain}."))
                .with_fix(format!("Set BASE_URL=https://{domain} and register the new redirect address.")),
            None => ADDRESS
                .note(format!("BASE_URL says {origin}. Whether Heroku gave this app that host is not known here."))
                .with_fix("Compare it with the `Web URL` that `heroku apps:info` prints, random letters included."),
        };
    }
    let scope = if is_loopback(base) { ", from this computer only" } else { "" };
    ADDRESS.good(format!("Browsers reach this server at {}{scope}.", display_origin(base)))
}

/// Compares BASE_URL with the URL that the browser used.
fn check_browser_url(base: &Url, host: Option<&str>, scheme: Option<&str>) -> Finding {
    let scheme = scheme.unwrap_or(base.scheme());
    let browser_url = host.and_then(|host| Url::parse(&format!("{scheme}://{host}")).ok());
    let origin = display_origin(base);
    let Some(url) = browser_url else {
        return ADDRESS.note(format!("BASE_URL says {origin}; your browser did not say what it used."));
    };
    let used = display_origin(&url);
    if used == origin {
        return ADDRESS.good(format!("Your browser used {origin}, as BASE_URL says."));
    }
    // The operator may use a tunnel or `localhost`, for example, which visitors do not.
    if is_loopback(&url) && (!is_loopback(base) || url.port() == base.port()) {
        return ADDRESS
            .note(format!("BASE_URL says {origin}. You came through {used}, where signing in does not work."));
    }
    ADDRESS.bad(format!("BASE_URL says {origin}, but your browser used {used}.")).with_fix(format!(
        "If people are meant to use {used}, set BASE_URL={used} and register the new redirect address."
    ))
}

/// Checks TRUSTED_PROXY. The server itself speaks no https, so an https address means a proxy.
fn check_proxy(base: &Url, trusted_proxies: usize, is_forwarded: bool) -> Finding {
    let check = Check(
        "Proxy",
        "Rate limits count by address. If they do not know the visitors’ addresses, all visitors share those of the proxy, and one of them can use up everybody’s.",
    );
    let fix = "If the proxy appends the visitor’s address to X-Forwarded-For, set TRUSTED_PROXY to the number of proxies in a row, usually 1.";
    match trusted_proxies {
        0 if is_forwarded => {
            check.bad("This request came through a proxy, but TRUSTED_PROXY is not set.").with_fix(fix)
        }
        0 if base.scheme() == "https" => {
            check.note("BASE_URL is https, so there is a proxy, but TRUSTED_PROXY is not set.").with_fix(fix)
        }
        0 => check.good("None."),
        1 => check.good("One proxy is trusted to say which address a visitor has."),
        _ => check.good(format!("{trusted_proxies} proxies in a row are trusted to say which address a visitor has.")),
    }
}

fn display_origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

const SESSION_SECRET: Check = Check(
    "Session secret",
    "It encrypts sessions and the tokens for people’s playlists. Anybody who guesses it and gets hold of the database can read both.",
);

fn check_session_secret(secret: &Secret) -> Finding {
    let length = secret.expose().chars().count();
    match find_weakness(secret.expose()) {
        None => SESSION_SECRET.good(format!("Set: {length} characters, and no pattern in them.")),
        Some(weakness) => SESSION_SECRET.bad(format!("{length} characters, but {weakness}.")).with_fix(
            "Set SESSION_SECRET to what `openssl rand -base64 48` prints. Everybody has to sign in again; no heart is \
             lost.",
        ),
    }
}

fn check_operator_token(token: Option<&Secret>, session: Option<&Secret>) -> Finding {
    let check = Check("Operator token", "The page /setup shows more about this server than strangers should know.");
    let fix = "Set OPERATOR_TOKEN to what `openssl rand -base64 48` prints.";
    match token {
        None => check.good(
            "None: /setup opens to signed-in operators and, if BASE_URL is a loopback address, on the same computer.",
        ),
        Some(_) if token == session => check
            .bad("The same as SESSION_SECRET, so every use of it exposes the secret that encrypts everything.")
            .with_fix(fix),
        Some(token) => match find_weakness(token.expose()) {
            None => check.good("Set: with it, /setup opens from anywhere."),
            Some(weakness) => check.bad(format!("Set, but {weakness}.")).with_fix(fix),
        },
    }
}

/// Returns an obvious weakness, as the end of a sentence. `None` does not prove that the secret is strong.
fn find_weakness(secret: &str) -> Option<&'static str> {
    let bytes = secret.as_bytes();
    let repeats = |unit: usize| bytes.iter().zip(&bytes[unit..]).all(|(a, b)| a == b);
    let steps = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    if bytes.iter().collect::<HashSet<_>>().len() < 8 {
        Some("it has too few different characters")
    } else if (1..=bytes.len() / 2).any(repeats) {
        Some("it repeats the same piece again and again")
    } else if steps * 2 > bytes.len() {
        Some("most of it is in alphabetical order")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn weak_secrets_are_detected_and_random_ones_are_not() {
        for weak in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "0123456789012345678901234567890123456789",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "change-me-change-me-change-me-change-me-",
        ] {
            assert!(find_weakness(weak).is_some(), "{weak}");
        }
        for strong in [
            "f3a9c1d07be24586a1b0c9d8e7f60512",
            "mP0x+8yqT4vWc2R6uJ1nZkD3sLhF9bGa",
            "a session secret that is for tests alone",
        ] {
            assert_eq!(find_weakness(strong), None, "{strong}");
        }
        assert!((0..50).all(|_| find_weakness(Secret::random().expose()).is_none()));
    }

    #[test]
    fn the_operator_token_must_differ_from_the_session_secret() {
        let (one, other) = (Secret::random(), Secret::random());
        assert_eq!(check_operator_token(Some(&one), Some(&one)).status, Status::Bad);
        assert_eq!(check_operator_token(Some(&one), Some(&other)).status, Status::Good);
        assert_eq!(check_operator_token(None, Some(&other)).status, Status::Good);
    }

    #[test]
    fn a_proxy_must_be_trusted_to_say_addresses() {
        let status =
            |base: &str, proxies, forwarded| check_proxy(&Url::parse(base).unwrap(), proxies, forwarded).status;
        assert_eq!(status("https://a.example", 0, false), Status::Note);
        assert_eq!(status("https://a.example", 0, true), Status::Bad);
        assert_eq!(status("http://127.0.0.1:8080", 0, true), Status::Bad);
        assert_eq!(status("http://127.0.0.1:8080", 0, false), Status::Good);
        assert_eq!(status("https://a.example", 1, true), Status::Good);
        assert_eq!(status("https://a.example", 2, true), Status::Good);
    }

    #[test]
    fn base_url_on_heroku_is_the_host_that_heroku_gave() {
        let status = |base: &str, domain| check_base_url(&Url::parse(base).unwrap(), domain).status;
        let given = Some("hearts-0123456789ab.herokuapp.com");
        assert_eq!(status("https://hearts-0123456789ab.herokuapp.com", given), Status::Good);
        assert_eq!(status("https://hearts.herokuapp.com", given), Status::Bad);
        assert_eq!(status("https://hearts.herokuapp.com", None), Status::Note);
        assert_eq!(status("https://hearts.example", given), Status::Good, "a domain of one's own");
        assert_eq!(status("http://127.0.0.1:8080", None), Status::Good);
    }

    #[test]
    fn the_browser_must_use_base_url() {
        let status = |base: &str, host, scheme| check_browser_url(&Url::parse(base).unwrap(), host, scheme).status;
        assert_eq!(status("https://a.example", Some("a.example"), None), Status::Good);
        assert_eq!(status("https://a.example", Some("A.example:443"), Some("https")), Status::Good);
        assert_eq!(status("https://a.example", Some("b.example"), Some("https")), Status::Bad);
        assert_eq!(status("https://a.example", Some("a.example"), Some("http")), Status::Bad);
        assert_eq!(status("https://a.example", Some("127.0.0.1:8080"), None), Status::Note);
        assert_eq!(status("http://127.0.0.1:8080", Some("127.0.0.1:9000"), None), Status::Bad);
        assert_eq!(status("http://127.0.0.1:8080", Some("localhost:8080"), None), Status::Note);
        assert_eq!(status("http://127.0.0.1:8080", None, None), Status::Note);
    }
}

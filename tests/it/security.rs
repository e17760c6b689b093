//! Attacks and their defences.

use fake_spotify::{Endpoint, Fault};
use reqwest::Method;

use rustix::process::Signal;
use tower_sessions::session::Id;

use crate::support::page::Page;
use crate::support::program::start_program;
use crate::support::visitor::Visitor;
use crate::support::{HEART, Site};

#[tokio::test]
async fn cross_site_writes_are_refused() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let writes = [
        (Method::PUT, HEART, ""),
        (Method::DELETE, HEART, ""),
        (Method::POST, HEART, "hearted=true"),
        (Method::POST, "/logout", ""),
        (Method::POST, "/account/delete", "confirm=yes"),
        (Method::POST, "/auth/spotify", "next=/hearts"),
    ];
    let origins = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ];
    for (method, path, body) in writes {
        for header in origins {
            let page = ada.request(method.clone(), path, &[header], Some(body.into())).await;
            assert_eq!(page.status, 403, "{method} {path} {header:?}");
        }
    }
    assert_eq!(site.count_hearts().await, 0);
    assert_eq!(ada.open("/account").await.status, 200);
}

/// Attack: links and pictures on other sites, which use up the owner's limits and fill the list of events.
#[tokio::test]
async fn other_sites_may_link_to_pages_and_do_nothing_else() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let events = site.count("select count(*) from events").await;
    let request = async |method: Method, path: &str, from: &str, destination: &str| {
        let headers = [("sec-fetch-site", from), ("sec-fetch-dest", destination)];
        ada.request(method, path, &headers, None).await.status
    };
    let exports = ["/hearts/export.csv", "/hearts/export.json"];
    for from in ["cross-site", "same-site"] {
        for path in exports {
            for (method, destination) in [(Method::GET, "document"), (Method::GET, "image"), (Method::HEAD, "empty")] {
                for _ in 0..20 {
                    assert_eq!(request(method.clone(), path, from, destination).await, 403, "{method} {path}");
                }
            }
        }
        for path in ["/playlists", "/playlists/3cEYpjA9oz9GiPac4AsH4n", "/now-playing", "/setup", "/top", "/hearts?q=a"]
        {
            assert_eq!(request(Method::GET, path, from, "image").await, 403, "{path}");
            assert_eq!(request(Method::HEAD, path, from, "empty").await, 403, "{path}");
        }
        for path in ["/playlists", "/hearts?q=a", "/top", "/", "/login?next=/hearts"] {
            assert!([200, 303].contains(&request(Method::GET, path, from, "document").await), "{path} by a link");
        }
    }
    for path in exports {
        for _ in 0..40 {
            assert_eq!(request(Method::HEAD, path, "same-origin", "empty").await, 200, "nothing is read");
        }
        assert_eq!(ada.request(Method::GET, path, &[], None).await.status, 200, "without the headers");
        assert_eq!(request(Method::GET, path, "same-origin", "document").await, 200);
    }
    assert_eq!(site.count("select count(*) from events").await, events + 4, "what the owner did");
    assert_eq!(site.visitor().request(Method::HEAD, exports[0], &[], None).await.status, 303, "signed out");
}

#[tokio::test]
async fn cross_site_refusal_is_a_page_in_the_layout() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let page = ada.request(Method::POST, HEART, &[("sec-fetch-site", "cross-site")], Some("hearted=true".into())).await;
    assert_eq!((page.text("h1").as_str(), page.has("header nav")), ("Refused", true));
    assert!(!page.text("main").contains(page.header("x-request-id")), "the fault is not the server's");
}

#[tokio::test]
async fn redirect_uri_never_comes_from_request_headers() {
    let site = Site::open().await;
    let headers = [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")];
    let page = site.visitor().request(Method::POST, "/auth/spotify", &headers, Some(String::new())).await;
    assert!(
        page.header("location")
            .contains(&url::form_urlencoded::byte_serialize(site.base.as_bytes()).collect::<String>())
    );
    assert!(!page.header("location").contains("evil"));
}

#[tokio::test]
async fn https_cookies_are_secure_and_host_bound() {
    let site = Site::open_with(&[("BASE_URL", "https://hearts.example")]).await;
    let page = site.visitor().post("/auth/spotify", "").await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-heartlist-login="), "{cookie}");
    for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Domain"));
    assert!(page.header("strict-transport-security").contains("max-age=63072000"));
    let left = site.visitor().post("/logout", "").await;
    let cookies: Vec<_> = left.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("__Host-heartlist-flash=")), "{cookies:?}");
    assert!(cookies.iter().all(|cookie| cookie.contains("Secure") && cookie.contains("Path=/")), "{cookies:?}");
}

/// Browsers refuse a removal that lacks the attributes which the prefix `__Host-` demands.
#[tokio::test]
async fn every_cookie_is_removed_with_the_attributes_it_was_set_with() {
    for base in [None, Some("https://hearts.example"), Some("https://hearts.example:8443")] {
        let site = Site::open_with(&base.map(|base| ("BASE_URL", base)).into_iter().collect::<Vec<_>>()).await;
        let prefix = if base.is_some() { "__Host-heartlist".to_owned() } else { site.session_cookie() };
        // An unknown session, a flash message and a login, as the browser would send them.
        let id = Id::default();
        let flash = "InNpZ25lZC1vdXQi";
        let sent = format!("{prefix}={id}; {prefix}-flash={flash}; {prefix}-login=a-login");
        let host = base.map_or(site.base["http://".len()..].to_owned(), |base| base["https://".len()..].to_owned());
        let headers = [("sec-fetch-site", "same-origin"), ("cookie", sent.as_str()), ("host", host.as_str())];
        let page = site.visitor().request(Method::GET, "/login", &headers, None).await;
        let left = site.visitor().request(Method::POST, "/logout", &headers, Some(String::new())).await;
        let removals = |page: &Page| {
            let all = page.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned());
            all.filter(|cookie| cookie.contains("Max-Age=0")).collect::<Vec<_>>()
        };
        let (at_page, at_sign_out) = (removals(&page), removals(&left));
        for (name, found) in [("-flash", &at_page), ("", &at_sign_out), ("-login", &at_sign_out)] {
            let start = format!("{prefix}{name}=;");
            let matching: Vec<_> = found.iter().filter(|cookie| cookie.starts_with(&start)).collect();
            assert_eq!(matching.len(), 1, "{start} {found:?}");
            for part in ["Path=/", "HttpOnly", "SameSite=Lax"] {
                assert!(matching[0].contains(part), "{part} in {matching:?}");
            }
            assert_eq!(matching[0].contains("Secure"), base.is_some(), "{matching:?}");
        }
    }
}

/// Clearing cookies would end the sessions of other sites below the same domain, and of instances at other ports.
#[tokio::test]
async fn sign_out_clears_what_the_browser_stored_for_this_site() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let left = ada.send_form(ada.open("/logout").await.form("main form[action='/logout']")).await;
    assert_eq!((left.status, left.header("clear-site-data")), (303, "\"storage\""));
    assert_eq!(ada.open("/").await.flash().as_deref(), Some("You are signed out."));
}

/// Links that were copied into other links, or written in other ways.
#[tokio::test]
async fn log_contains_no_token_of_a_link_however_its_path_is_written() {
    let site = Site::open().await;
    let (mut program, base) = start_program(&site, &[("RUST_LOG", "trace")]).await;
    let visitor = Visitor::new(&base);
    let (share, invite) = ("k3Zt0pQxW7rBv2mYh9AwTg", "Hk3-Zt0pQ_xW7rBv2mYh9AwTgJk3-Zt0pQ_xW7rBv2mY");
    for token in [share, invite] {
        let paths = [
            format!("//s/{token}"),
            format!("/%73/{token}"),
            format!("/S/{token}"),
            format!("/s%2f{token}"),
            format!("/%69nvite/{token}"),
            format!("/s/{token}/atom.xml"),
            format!("/login?next=/s/{token}"),
            format!("/login%3Fnext=/s/{token}"),
            format!("/hearts/{token}-"),
        ];
        for path in paths {
            let referer = format!("{base}/s/{token}");
            let address = format!("{base}{path}");
            visitor.request(Method::GET, &address, &[("referer", referer.as_str())], None).await;
        }
    }
    program.signal(Signal::TERM);
    let (_, log) = program.wait_for_exit().await;
    assert!(log.contains("answered"), "{log}");
    for token in [share, invite] {
        assert!(!log.contains(&token[3..18]), "{log}");
    }
}

#[tokio::test]
async fn next_never_leads_to_another_site() {
    let site = Site::open().await;
    for hostile in [
        "//evil.example", "/\\evil.example", "/%2f/evil.example", "https:evil.example", "\tevil", "/logout",
        "/..//evil.example",
    ] {
        let visitor = site.visitor();
        let query = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect::<String>();
        let page = visitor.sign_in_at(&format!("/login?next={query}"), "ada").await;
        assert_eq!(page.url.as_str(), format!("{}/playlists", site.base), "{hostile}");
    }
}

#[tokio::test]
async fn heart_form_never_redirects_to_another_site() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let here = "/playlists#p-3cEYpjA9oz9GiPac4AsH4n";
    for referer in ["https://evil.example/hearts", "//evil.example", "javascript:1", "\u{e9}"] {
        let form = Some("hearted=true&from=//evil.example".into());
        let page = ada.request(Method::POST, HEART, &[("referer", referer)], form).await;
        assert_eq!(page.header("location"), here, "{referer}");
    }
}

#[tokio::test]
async fn spotify_redirects_are_not_followed_with_credentials() {
    for endpoint in [Endpoint::Token, Endpoint::Me, Endpoint::MyPlaylists] {
        let site = Site::open().await;
        let trap = format!("{}/covers/trap", site.spotify_url());
        site.spotify.inject_fault(endpoint, Fault::Redirect(trap), 3);
        let page = site.visitor().sign_in("ada").await;
        assert_eq!((page.status, site.spotify.request_count(Endpoint::Cover)), (502, 0), "{endpoint:?}");
    }
}

#[tokio::test]
async fn slow_request_does_not_revive_ended_session() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.spotify.revoke_access("ada");
    site.advance(std::time::Duration::from_secs(3601));
    let slow = std::time::Duration::from_millis(700);
    site.spotify.inject_fault(Endpoint::Token, Fault::Slow(slow), 1);
    let leave = ada.open("/logout").await.form("main form[action='/logout']");
    let late = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        ada.send_form(leave).await
    };
    let (_, left) = tokio::join!(ada.get("/playlists"), late);
    assert_eq!(left.status, 303);
    assert_eq!(site.count("select count(*) from sessions").await, 0);
}

#[tokio::test]
async fn database_holds_no_plaintext_token_state_or_cookie() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let start = visitor.open("/login").await.form("form[action='/auth/spotify']");
    let sent = visitor.send_form(start).await;
    let state = url::Url::parse(sent.header("location"))
        .unwrap()
        .query_pairs()
        .find(|(k, _)| k == "state")
        .unwrap()
        .1
        .to_string();
    let ada = site.sign_in("ada").await;
    ada.open("/playlists").await;
    let mut dump = String::new();
    for table in ["sessions", "sign_ins", "users", "identities", "libraries"] {
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select t::text || encode(convert_to(t::text, 'UTF8'), 'escape') from {table} t"
        )))
        .fetch_all(&site.db)
        .await
        .unwrap();
        dump.extend(rows);
    }
    let sealed: Vec<Vec<u8>> = sqlx::query_scalar("select sealed from sessions union all select sealed from sign_ins")
        .fetch_all(&site.db)
        .await
        .unwrap();
    for secret in site.spotify.issued_secrets().into_iter().chain([state]) {
        assert!(!dump.contains(&secret));
        assert!(!sealed.iter().any(|bytes| bytes.windows(secret.len()).any(|w| w == secret.as_bytes())));
    }
}

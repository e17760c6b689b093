//! Rate limits by user, by address and by state.

use std::time::Duration;

use reqwest::Method;
use rustix::process::Signal;

use crate::support::page::Page;
use crate::support::program::start_program;
use crate::support::sharing::publish_page_at;
use crate::support::visitor::{Visitor, approve};
use crate::support::{HEART, Site};

/// Starts a sign-in from behind a proxy that adds `address`.
async fn start_sign_in_from(visitor: &Visitor, address: &str) -> Page {
    let headers = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", address)];
    visitor.request(Method::POST, "/auth/spotify", &headers, Some(String::new())).await
}

#[tokio::test]
async fn more_than_sixty_hearts_a_minute_get_429() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    site.freeze_clock();
    for n in 0..60 {
        let method = if n % 2 == 0 { Method::PUT } else { Method::DELETE };
        assert_eq!(ada.fetch(method, HEART).await.status, 200, "{n}");
    }
    let response = ada.fetch(Method::DELETE, HEART).await;
    assert_eq!(response.status, 429);
    assert!(response.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert!(
        response.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("Too many hearts at once: the limit is 60 in a minute")
    );
    let form = ada.post(HEART, "hearted=false").await;
    assert!(form.status == 429 && form.has("header nav") && form.text("main").contains("Try again in"));
    assert_eq!(mira.fetch(Method::PUT, HEART).await.status, 200, "Mira is somebody else at the same address");
    site.advance(Duration::from_secs(60));
    assert_eq!(ada.fetch(Method::PUT, HEART).await.status, 200);
}

#[tokio::test]
async fn hearts_are_counted_by_person_in_all_browsers() {
    let site = Site::open_with(&[("HEARTS_PER_MINUTE", "4")]).await;
    let browsers = [site.sign_in("ada").await, site.sign_in("ada").await, site.sign_in("ada").await];
    let mira = site.sign_in("mira").await;
    site.freeze_clock();
    let mut statuses = Vec::new();
    for browser in &browsers {
        statuses.push(browser.fetch(Method::PUT, HEART).await.status);
        statuses.push(browser.post(HEART, "hearted=false").await.status);
    }
    assert_eq!(statuses, [200, 303, 200, 303, 429, 429], "script and form, in three browsers");
    assert_eq!(mira.fetch(Method::PUT, HEART).await.status, 200);
}

#[tokio::test]
async fn sign_in_starts_are_limited_by_address() {
    let site = Site::open_with(&[("SIGN_INS_PER_ADDRESS", "3")]).await;
    site.freeze_clock();
    let (first, second) = (site.visitor(), site.visitor());
    for visitor in [&first, &second, &first] {
        assert_eq!(start_sign_in_from(visitor, "198.51.100.1").await.status, 303);
    }
    let refused = start_sign_in_from(&site.visitor(), "198.51.100.2").await;
    assert_eq!(refused.status, 429, "without a proxy nobody believes the header");
    assert!(
        refused.text("main").contains("Too many sign-ins from one address")
            && refused.text("main").contains("Nothing was saved")
    );
    assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 201);
    assert_eq!(site.visitor().open("/login").await.status, 200, "reading is not limited");
    site.advance(Duration::from_secs(200));
    assert_eq!(start_sign_in_from(&first, "198.51.100.1").await.status, 303);
}

#[tokio::test]
async fn only_last_forwarded_hop_counts_behind_proxy() {
    let site = Site::open_with(&[("SIGN_INS_PER_ADDRESS", "3"), ("TRUSTED_PROXY", "1")]).await;
    site.freeze_clock();
    for made_up in ["203.0.113.1, 198.51.100.1", "203.0.113.2,198.51.100.1", "198.51.100.1"] {
        assert_eq!(start_sign_in_from(&site.visitor(), made_up).await.status, 303);
    }
    assert_eq!(
        start_sign_in_from(&site.visitor(), "203.0.113.4, 198.51.100.1").await.status,
        429,
        "a spoofed header resets nothing"
    );
    let lines =
        [("sec-fetch-site", "same-origin"), ("x-forwarded-for", "203.0.113.5"), ("x-forwarded-for", "198.51.100.1")];
    let refused = site.visitor().request(Method::POST, "/auth/spotify", &lines, Some(String::new())).await;
    assert_eq!(refused.status, 429, "nor does a second line");
    assert_eq!(start_sign_in_from(&site.visitor(), "198.51.100.1, 198.51.100.9").await.status, 303, "somebody else");
}

#[tokio::test]
async fn forwarded_addresses_are_read_with_ports_and_brackets() {
    let site = Site::open_with(&[("SIGN_INS_PER_ADDRESS", "3"), ("TRUSTED_PROXY", "1")]).await;
    site.freeze_clock();
    for addresses in [
        ["198.51.100.7:41234", "198.51.100.7:9", "::ffff:198.51.100.7"],
        ["[2001:db8::1]:443", "2001:db8::1", "[2001:db8::2]"],
        ["\"[2001:db8:1::1]:443\"", "[2001:DB8:1:0::9]", "2001:db8:1::%eth0"],
        ["[::ffff:203.0.113.8]:1", " 203.0.113.8 ", "203.0.113.8:65535"],
    ] {
        for address in addresses {
            assert_eq!(start_sign_in_from(&site.visitor(), address).await.status, 303, "{address}");
        }
        assert_eq!(start_sign_in_from(&site.visitor(), addresses[0]).await.status, 429, "{addresses:?} are one");
    }
}

/// A content delivery network in front of the proxy.
#[tokio::test]
async fn number_of_trusted_proxies_says_which_hop_counts() {
    for proxies in ["2", "3"] {
        let site = Site::open_with(&[("SIGN_INS_PER_ADDRESS", "2"), ("TRUSTED_PROXY", proxies)]).await;
        site.freeze_clock();
        let inner = if proxies == "3" { "192.0.2.3, 192.0.2.4" } else { "192.0.2.3" };
        let from = async |client: &str| start_sign_in_from(&site.visitor(), &format!("{client}, {inner}")).await.status;
        assert_eq!((from("198.51.100.1").await, from("203.0.113.1, 198.51.100.1").await), (303, 303));
        assert_eq!(from("203.0.113.2, 198.51.100.1").await, 429, "a spoofed entry resets nothing");
        assert_eq!(from("198.51.100.2").await, 303, "somebody else behind the same proxies");
    }
}

#[tokio::test]
async fn proxy_that_is_not_trusted_is_logged_once() {
    let site = Site::open().await;
    for (header, value) in [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=198.51.100.7")] {
        for (proxies, lines) in [("", 1), ("0", 1), ("1", 0)] {
            let (mut program, base) = start_program(&site, &[("TRUSTED_PROXY", proxies)]).await;
            for _ in 0..3 {
                Visitor::new(&base).request(Method::GET, "/login", &[(header, value)], None).await;
            }
            program.signal(Signal::TERM);
            let (_, log) = program.wait_for_exit().await;
            assert_eq!(log.matches("TRUSTED_PROXY").count(), lines, "{log}");
            assert!(!log.contains("198.51.100"), "{log}");
        }
    }
}

/// Attack: a provider gives a /56 or a /48 to one customer, who has thousands of /64 in it.
#[tokio::test]
async fn wide_networks_are_counted_too() {
    let site = Site::open_with(&[("SIGN_INS_PER_ADDRESS", "1"), ("TRUSTED_PROXY", "1")]).await;
    site.freeze_clock();
    let count = async |addresses: Vec<String>| {
        let mut allowed = 0;
        for address in addresses {
            allowed += usize::from(start_sign_in_from(&site.visitor(), &address).await.status == 303);
        }
        allowed
    };
    assert_eq!(count((0..8).map(|n| format!("2001:db8:1:{n:x}::1")).collect()).await, 4, "one /56");
    assert_eq!(count((0..20).map(|n| format!("2001:db8:1:{n:x}00::1")).collect()).await, 12, "the rest of its /48");
    assert_eq!(count((0..20).map(|n| format!("2001:db8:{n:x}:ff::1")).collect()).await, 19, "other customers");
    assert_eq!(count((0..20).map(|n| format!("198.51.100.{n}")).collect()).await, 20, "and by IPv4");
}

#[tokio::test]
async fn unreadable_forwarded_address_is_logged_once() {
    let site = Site::open().await;
    let (mut program, base) = start_program(&site, &[("TRUSTED_PROXY", "1")]).await;
    for unreadable in ["unknown", "_hidden", "198.51.100", "198.51.100.7:port"] {
        assert_eq!(start_sign_in_from(&Visitor::new(&base), unreadable).await.status, 303);
    }
    program.signal(Signal::TERM);
    let (_, log) = program.wait_for_exit().await;
    assert_eq!(log.matches("X-Forwarded-For").count(), 1, "{log}");
    assert!(!log.contains("_hidden") && !log.contains("198.51.100"), "{log}");
}

#[tokio::test]
async fn wrong_methods_do_not_count() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for method in [Method::OPTIONS, Method::PATCH, Method::DELETE].into_iter().cycle().take(40) {
        let headers = [("sec-fetch-site", "same-origin")];
        assert_eq!(ada.request(method.clone(), "/hearts/import", &headers, None).await.status, 405, "{method}");
    }
    assert_eq!(ada.get("/hearts/export.csv").await.status, 200, "exports share the limit of imports");
}

#[tokio::test]
async fn callbacks_are_limited_by_state() {
    let site = Site::open().await;
    site.freeze_clock();
    for _ in 0..10 {
        assert_eq!(site.visitor().get("/auth/spotify/callback?state=x&code=y").await.status, 400);
    }
    assert_eq!(site.visitor().get("/auth/spotify/callback?code=z&state=x").await.status, 429);
    assert_eq!(site.visitor().get("/auth/spotify/callback?code=z&state=other").await.status, 400);
}

/// Attack: a page with pictures whose address is the callback, seen by a visitor who is about to sign in.
#[tokio::test]
async fn callbacks_made_up_by_other_sites_use_up_nothing() {
    let site = Site::open_with(&[("SIGN_INS_PER_ADDRESS", "3")]).await;
    site.freeze_clock();
    let ada = site.visitor();
    let consent = ada.start_spotify_sign_in("/login").await;
    let approved = ada.send_form(approve(&consent, "ada")).await;
    let callback = approved.header("location");
    for (destination, mode) in [("image", "no-cors"), ("iframe", "navigate"), ("empty", "cors"), ("script", "no-cors")]
    {
        for site in ["cross-site", "same-site", "same-origin"] {
            let headers = [("sec-fetch-site", site), ("sec-fetch-dest", destination), ("sec-fetch-mode", mode)];
            for path in ["/auth/spotify/callback?state=x", "/github/callback?state=x", callback] {
                let refused = ada.request(Method::GET, path, &headers, None).await;
                assert_eq!(refused.status, 403, "{destination} {site} {path}");
            }
        }
    }
    for n in 0..50 {
        let old_browser = [("referer", "https://evil.example/")];
        let path = format!("/auth/spotify/callback?state={n}&code=y");
        assert_eq!(ada.request(Method::GET, &path, &old_browser, None).await.status, 400);
    }
    let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")];
    assert_eq!(ada.request(Method::GET, callback, &headers, None).await.header("location"), "/playlists");
}

#[tokio::test]
async fn changes_of_single_hearts_are_limited_together() {
    const ID: &str = "3cEYpjA9oz9GiPac4AsH4n";
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.freeze_clock();
    for _ in 0..60 {
        assert_eq!(ada.post(&format!("/hearts/{ID}/pin"), "pinned=false").await.status, 303);
        assert_eq!(ada.post("/hearts/removed", "confirm=no").await.status, 303);
    }
    for (path, body) in [
        (&*format!("/hearts/{ID}/pin"), "pinned=false"),
        (&format!("/hearts/{ID}/annotation"), "tags=x"),
        (&format!("/hearts/removed/{ID}"), ""),
        ("/hearts/removed", "confirm=no"),
        ("/hearts/renew", ""),
    ] {
        let page = ada.post(path, body).await;
        assert_eq!((page.status, page.text("main").contains("Too many changes of hearts")), (429, true), "{path}");
    }
    assert_eq!(ada.get(&format!("/hearts/{ID}/annotation")).await.status, 404, "reading is not limited");
}

#[tokio::test]
async fn account_changes_are_limited() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.freeze_clock();
    let mut allowed = 0;
    for n in 0..60 {
        let (path, body) = match n % 4 {
            0 => ("/account/sharing/link", "on=true"),
            1 => ("/account/sharing/link", "on=false"),
            2 => ("/account/sharing/page", "on=true&slug=ada-hearts"),
            _ => ("/account/sharing/page", "on=false"),
        };
        let page = ada.post(path, body).await;
        allowed += usize::from(page.status == 303);
        assert!(page.status == 303 || page.text("main").contains("Too many changes to the account"), "{}", page.html);
    }
    assert_eq!(allowed, 20);
    assert!(site.count("select count(*) from events").await <= 1 + 20);
    site.advance(Duration::from_secs(30));
    assert_eq!(
        ada.submit(ada.open("/account/sharing").await.form("form[action='/account/sharing/link']")).await.status,
        200
    );
}

#[tokio::test]
async fn invitations_are_limited() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.freeze_clock();
    for n in 0..25 {
        let page = ada.post("/invites", "").await;
        assert_eq!(page.status, if n < 20 { 303 } else { 429 }, "{n}");
    }
    assert_eq!(site.count("select count(*) from invites").await, 20);
}

/// Attack: forged session cookies. They are limited by address and affect no other user.
#[tokio::test]
async fn requests_with_forged_session_are_limited_by_address() {
    let site = Site::open_with(&[("HEARTS_PER_MINUTE", "2")]).await;
    let ada = site.sign_in("ada").await;
    site.freeze_clock();
    let request = async |method: Method, number: u128| {
        let cookie = format!("{}={}", site.session_cookie(), tower_sessions::session::Id(number.cast_signed()));
        let headers = [("sec-fetch-site", "same-origin"), ("accept", "application/json"), ("cookie", cookie.as_str())];
        let form = (method == Method::POST).then(|| "hearted=true".to_owned());
        site.visitor().request(method, HEART, &headers, form).await.status
    };
    for (number, status) in [(1, 401), (2, 401), (3, 429)] {
        assert_eq!(request(Method::PUT, number).await, status, "{number}");
    }
    assert_eq!([request(Method::DELETE, 4).await, request(Method::POST, 5).await], [429, 429]);
    assert_eq!(ada.fetch(Method::PUT, HEART).await.status, 200, "who is signed in is counted apart");
}

#[tokio::test]
async fn visits_from_other_sites_leave_most_calls_to_the_person() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.freeze_clock();
    let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];
    let mut pages = Vec::new();
    for n in 0..40 {
        let path = if n % 2 == 0 { format!("/playlists/3cEYpjA9oz9GiPac4As{n:03}") } else { "/now-playing".into() };
        pages.push(ada.request(Method::GET, &path, &headers, None).await);
    }
    assert!(pages[..5].iter().all(|page| page.status != 429) && pages[5..].iter().all(|page| page.status == 429));
    assert!(pages[5].text("main").contains("Too many visits from other sites"), "{}", pages[5].html);
    let own = ada.open("/playlists").await.playlist_ids().remove(0);
    assert!(ada.open(&format!("/playlists/{own}")).await.has(".items tbody tr"));
}

#[tokio::test]
async fn more_than_300_visits_a_minute_to_shared_pages_get_429() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    publish_page_at(&ada, "ada").await;
    site.freeze_clock();
    let visitor = site.visitor();
    for n in 0..300 {
        let path = ["/u/ada", "/u/ada/atom.xml", "/u/ada/feed.json", "/u/nobody", "/u/ada/embed"][n % 5];
        let status = visitor.get(path).await.status;
        assert!([200, 404, 410].contains(&status), "{n} {path}: {status}");
    }
    let response = visitor.get("/u/ada").await;
    assert!(response.status == 429 && response.text("main").contains("shared pages"), "{}", response.html);
    assert_eq!(ada.get("/hearts").await.status, 200, "pages of people who are signed in are not shared");
}

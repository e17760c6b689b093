//! Rate limits by user and by address.

use std::time::Duration;

use reqwest::Method;

use crate::support::page::Page;
use crate::support::program::start_program;
use crate::support::visitor::Visitor;
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
    let told = ada.fetch(Method::DELETE, HEART).await;
    assert_eq!(told.status, 429);
    assert!(told.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert!(
        told.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("Too many hearts at once: the limit is 60 in a minute")
    );
    let press = [("sec-fetch-site", "same-origin")];
    let form = async || ada.request(Method::POST, HEART, &press, Some("hearted=false".into())).await;
    for n in 0..60 {
        assert_ne!(form().await.status, 429, "{n}: forms are counted by themselves");
    }
    let form = form().await;
    assert!(form.status == 429 && form.has("header nav") && form.text("main").contains("Try again in"));
    assert_eq!(mira.fetch(Method::PUT, HEART).await.status, 200, "Mira is somebody else at the same address");
    site.advance(Duration::from_secs(60));
    assert_eq!(ada.fetch(Method::PUT, HEART).await.status, 200);
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
    for same in [
        ["198.51.100.7:41234", "198.51.100.7:9", "::ffff:198.51.100.7"],
        ["[2001:db8::1]:443", "2001:db8::1", "[2001:db8::2]"],
        ["\"[2001:db8:1::1]:443\"", "[2001:DB8:1:0::9]", "2001:db8:1::%eth0"],
        ["[::ffff:203.0.113.8]:1", " 203.0.113.8 ", "203.0.113.8:65535"],
    ] {
        for address in same {
            assert_eq!(start_sign_in_from(&site.visitor(), address).await.status, 303, "{address}");
        }
        assert_eq!(start_sign_in_from(&site.visitor(), same[0]).await.status, 429, "{same:?} are one");
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
            program.signal("-TERM");
            let (_, log) = program.wait_for_exit().await;
            assert_eq!(log.matches("TRUSTED_PROXY").count(), lines, "{log}");
            assert!(!log.contains("198.51.100"), "{log}");
        }
    }
}

#[tokio::test]
async fn unreadable_forwarded_address_is_logged_once() {
    let site = Site::open().await;
    let (mut program, base) = start_program(&site, &[("TRUSTED_PROXY", "1")]).await;
    for unreadable in ["unknown", "_hidden", "198.51.100", "198.51.100.7:port"] {
        assert_eq!(start_sign_in_from(&Visitor::new(&base), unreadable).await.status, 303);
    }
    program.signal("-TERM");
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
async fn sign_in_callbacks_are_limited() {
    let site = Site::open_with(&[("SIGN_INS_PER_ADDRESS", "3")]).await;
    site.freeze_clock();
    for _ in 0..6 {
        assert_eq!(site.visitor().get("/auth/spotify/callback?state=x&code=y").await.status, 400);
    }
    assert_eq!(site.visitor().get("/auth/spotify/callback?state=x&code=y").await.status, 429);
}

/// Attack: forged session cookies. They are limited by address and affect no other user.
#[tokio::test]
async fn requests_with_forged_session_are_limited_by_address() {
    let site = Site::open_with(&[("HEARTS_PER_MINUTE", "2")]).await;
    site.freeze_clock();
    let press = async |method: Method, number: u128| {
        let cookie = format!("{}={}", site.session_cookie(), tower_sessions::session::Id(number.cast_signed()));
        let headers = [("sec-fetch-site", "same-origin"), ("accept", "application/json"), ("cookie", cookie.as_str())];
        let form = (method == Method::POST).then(|| "hearted=true".to_owned());
        site.visitor().request(method, HEART, &headers, form).await.status
    };
    for number in 1..=20 {
        assert_eq!(press(Method::PUT, number).await, 401, "{number}");
    }
    assert_eq!(press(Method::DELETE, 21).await, 429);
    // Forms have a lower limit of their own.
    let forms = [press(Method::POST, 22).await, press(Method::POST, 23).await, press(Method::POST, 24).await];
    assert_eq!(forms, [401, 401, 429]);
}

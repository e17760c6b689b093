//! Sign-in with Spotify, and every way in which it can fail.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider};
use futures_util::future::join_all;
use reqwest::Method;

use crate::support::Site;
use crate::support::visitor::{approve, deny};

#[tokio::test]
async fn sign_in_start_is_a_post_form() {
    let site = Site::open().await;
    let visitor = site.visitor();
    for (provider, label) in [("spotify", "Spotify"), ("google", "Google"), ("x", "X")] {
        let page = visitor.get(&format!("/auth/{provider}?next=/hearts")).await;
        let form = page.form(&format!("form[action='/auth/{provider}']"));
        assert_eq!((page.status, form.fields["next"].as_str()), (200, "/hearts"));
        assert_eq!(page.text("main button"), format!("Sign in with {label}"));
    }
    let page = visitor.open("/login?next=/hearts").await;
    assert_eq!(page.form("form[action='/auth/spotify']").fields["next"], "/hearts");
}

#[tokio::test]
async fn spotify_is_asked_with_pkce_and_least_scopes() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let start = visitor.open("/login").await.form("form[action='/auth/spotify']");
    let sent = visitor.send_form(start).await;
    assert_eq!(sent.status, 303);
    let url = url::Url::parse(sent.header("location")).unwrap();
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["redirect_uri"], format!("{}/auth/spotify/callback", site.base));
    assert_eq!((query["response_type"].as_str(), query["code_challenge_method"].as_str()), ("code", "S256"));
    assert_eq!(query["scope"], "playlist-read-private playlist-read-collaborative");
    assert!(query["state"].len() >= 20 && query["code_challenge"].len() == 43);
}

#[tokio::test]
async fn landing_page_states_requested_access_truthfully() {
    let site = Site::open().await;
    let ada = site.visitor();
    let landing = ada.open("/").await;
    let text = landing.texts(".columns section").join(" ");
    assert!(text.contains("including private and collaborative ones") && text.contains("cannot play music"), "{text}");
    let consent = ada.submit(landing.form("form[action='/auth/spotify']")).await;
    assert_eq!(consent.texts(".scopes li"), ["See your private playlists", "See your collaborative playlists"]);
    assert!(text.contains("an email address, where another way to sign in gives one"), "{text}");
    ada.submit(approve(&consent, "ada")).await;
    assert_eq!(site.count("select count(*) from identities where email is not null").await, 0);
    assert_eq!(site.count("select count(*) from identities").await, 1);
}

#[tokio::test]
async fn landing_page_redirects_signed_in_user_to_playlists() {
    let site = Site::open().await;
    let page = site.sign_in("ada").await.get("/").await;
    page.assert_redirect("/playlists");
}

#[tokio::test]
async fn successful_sign_in_goes_to_next_with_flash_shown_once() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let page = visitor.sign_in_at("/login?next=/account", "ada").await;
    assert_eq!((page.status, page.url.path(), page.url.query()), (200, "/account", None));
    assert!(page.flash().unwrap().starts_with("Signed in as Ada"), "{:?}", page.flash());
    assert_eq!(visitor.open("/account").await.flash(), None);
    assert_eq!(site.count_users().await, 1);
}

#[tokio::test]
async fn signed_in_user_skips_consent() {
    let site = Site::open().await;
    let visitor = site.sign_in("ada").await;
    let requests = site.spotify.request_count(Endpoint::Authorize);
    assert_eq!(visitor.open("/login?next=/hearts").await.url.path(), "/hearts");
    assert_eq!(site.spotify.request_count(Endpoint::Authorize), requests);
}

#[tokio::test]
async fn session_id_changes_at_sign_in_with_spotify() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let start = visitor.open("/login").await.form("form[action='/auth/spotify']");
    let before = visitor.send_form(start).await;
    let cookie = before.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(before.header("set-cookie").contains("HttpOnly") && before.header("set-cookie").contains("SameSite=Lax"));
    let consent = visitor.open(before.header("location")).await;
    let welcome = visitor.send_form(approve(&consent, "ada")).await;
    let back = visitor.get(welcome.header("location")).await;
    assert_eq!(back.status, 303);
    assert!(!back.headers.get_all("set-cookie").iter().any(|set| set.to_str().unwrap().contains(&cookie)));
    let old = site.visitor().request(Method::GET, "/account", &[("cookie", &cookie)], None).await;
    old.assert_redirect("/login?next=%2Faccount");
}

#[tokio::test]
async fn denied_consent_saves_nothing() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let consent = visitor.start_spotify_sign_in("/login").await;
    let page = visitor.submit(deny(&consent)).await;
    assert_eq!((page.status, page.url.path()), (200, "/"));
    assert_eq!(page.flash().unwrap(), "Sign-in cancelled. Nothing was saved.");
    assert_eq!(site.count_users().await, 0);
}

#[tokio::test]
async fn used_expired_and_foreign_states_are_refused_with_reason() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let consent = visitor.start_spotify_sign_in("/login").await;
    let callback = visitor.send_form(approve(&consent, "ada")).await.header("location").to_owned();

    let stranger = site.visitor();
    stranger.start_spotify_sign_in("/login").await;
    let foreign = stranger.open(&callback).await;
    assert_eq!(foreign.status, 400);
    assert!(foreign.text("main").contains("started in another browser"));
    assert!(foreign.has("form[action='/auth/spotify'] input[name=next]"));

    let bare = site.visitor().open(&callback).await;
    let text = bare.text("main");
    assert!(bare.status == 400 && text.contains("cookie") && text.contains(&site.base), "{text}");

    site.advance(Duration::from_secs(11 * 60));
    let old = visitor.open(&callback).await;
    assert!(old.status == 400 && old.text("main").contains("expired"));
    let used = visitor.open(&callback).await;
    assert!(used.status == 400 && used.text("main").contains("already been used"));
    assert_eq!(site.count_users().await, 0);
}

#[tokio::test]
async fn two_tabs_both_finish_sign_in() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let first = visitor.start_spotify_sign_in("/login?next=/hearts").await;
    let second = visitor.start_spotify_sign_in("/login?next=/account").await;
    assert_eq!(visitor.submit(approve(&first, "ada")).await.url.path(), "/hearts");
    let page = visitor.submit(approve(&second, "ada")).await;
    assert_eq!((page.status, page.url.path()), (200, "/account"));
    assert!(page.flash().unwrap().contains("already signed in as Ada"));
}

#[tokio::test]
async fn callback_opened_twice_keeps_user_signed_in() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let consent = visitor.start_spotify_sign_in("/login").await;
    let callback = visitor.send_form(approve(&consent, "ada")).await.header("location").to_owned();
    visitor.open(&callback).await;
    let again = visitor.open(&callback).await;
    assert_eq!((again.status, again.url.path()), (200, "/playlists"));
    assert!(again.flash().unwrap().contains("already signed in"));
}

#[tokio::test]
async fn eleventh_pending_sign_in_replaces_the_first() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let first = visitor.start_spotify_sign_in("/login").await;
    let second = visitor.start_spotify_sign_in("/login").await;
    for _ in 0..9 {
        visitor.start_spotify_sign_in("/login").await;
    }
    assert_eq!(visitor.submit(approve(&first, "ada")).await.status, 400);
    assert_eq!(visitor.submit(approve(&second, "ada")).await.status, 200);
}

#[tokio::test]
async fn forged_denial_without_state_changes_nothing() {
    let site = Site::open().await;
    let visitor = site.sign_in("ada").await;
    let forged = visitor.open("/auth/spotify/callback?error=access_denied").await;
    assert_eq!(forged.status, 400);
    assert_eq!(visitor.open("/account").await.status, 200);
}

#[tokio::test]
async fn callback_with_wrong_issuer_is_refused_before_code_exchange() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let consent = visitor.start_spotify_sign_in("/login").await;
    let callback = visitor.send_form(approve(&consent, "ada")).await.header("location").to_owned();
    let page = visitor.open(&format!("{callback}&iss=https://evil.example")).await;
    assert_eq!((page.status, site.spotify.request_count(Endpoint::Token)), (400, 0));
}

#[tokio::test]
async fn user_not_on_allow_list_is_told_whom_to_ask() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let page = visitor.sign_in("tom").await;
    assert_eq!(page.status, 403);
    assert!(page.text("main").contains("Ask its operator"));
    assert!(page.has("form[action='/auth/spotify']") && !page.has("main a[href='/hearts']"));
    assert!(!page.html.contains("code=") && !page.html.contains("state="), "the page repeats the address");
    assert_eq!(visitor.open("/account").await.url.path(), "/login");
    assert_eq!(site.count_users().await, 0);
}

#[tokio::test]
async fn lapsed_premium_says_access_is_paused() {
    let site = Site::open().await;
    site.spotify.update_switches(|switches| switches.owner_has_premium = false);
    let page = site.visitor().sign_in("ada").await;
    assert_eq!(page.status, 502);
    assert!(page.text("main").contains("Spotify access is paused"));
}

#[tokio::test]
async fn spotify_outage_during_sign_in_offers_retry_and_makes_no_session() {
    for (endpoint, fault, status) in [
        (Endpoint::Token, Fault::Html502, 502),
        (Endpoint::Token, Fault::Empty, 502),
        (Endpoint::Token, Fault::Redirect("https://evil.example/".into()), 502),
        (Endpoint::Me, Fault::Html502, 502),
        (Endpoint::Me, Fault::NotJson, 502),
        (Endpoint::Me, Fault::Hang, 504),
    ] {
        let site = Site::open().await;
        let visitor = site.visitor();
        site.spotify.inject_fault(endpoint, fault.clone(), 3);
        let page = visitor.sign_in("ada").await;
        assert_eq!(page.status, status, "{endpoint:?} {fault:?}");
        assert!(page.text("main").contains("Nothing was saved") && page.has("form[action='/auth/spotify']"));
        assert_eq!(visitor.open("/account").await.url.path(), "/login");
    }
}

#[tokio::test]
async fn code_rejected_by_spotify_offers_retry() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let consent = visitor.start_spotify_sign_in("/login?next=/hearts").await;
    site.spotify.inject_fault(
        Endpoint::Token,
        Fault::Status(400, r#"{"error":"invalid_grant"}"#.into(), "application/json"),
        1,
    );
    let page = visitor.submit(approve(&consent, "ada")).await;
    assert_eq!(page.status, 400);
    assert_eq!(page.form("form[action='/auth/spotify']").fields["next"], "/hearts");
}

#[tokio::test]
async fn listener_without_display_name_is_greeted_by_id() {
    let site = Site::open().await;
    let id = site.spotify.user("noor").unwrap().id;
    let page = site.visitor().sign_in("noor").await;
    assert_eq!(page.flash().unwrap(), format!("Signed in as {id}."));
}

#[tokio::test]
async fn sign_in_as_another_user_in_same_session_is_refused() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let first = visitor.start_spotify_sign_in("/login").await;
    let second = visitor.start_spotify_sign_in("/login").await;
    visitor.submit(approve(&first, "ada")).await;
    let page = visitor.submit(approve(&second, "mira")).await;
    assert_eq!(page.status, 409);
    assert!(page.text("main").contains("sign out first"));
    assert!(visitor.open("/account").await.text("main").contains("Ada"));
    assert_eq!(site.count_users().await, 1);
}

#[tokio::test]
async fn heart_pressed_signed_out_is_saved_after_sign_in() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let response = visitor.post("/heart/3cEYpjA9oz9GiPac4AsH4n", "hearted=true&from=/playlists").await;
    assert_eq!((response.status, site.count_hearts().await), (303, 0));
    let page = visitor.sign_in_at(response.header("location"), "ada").await;
    assert_eq!(page.flash().unwrap(), "Signed in as Ada. Your heart was saved.");
    assert_eq!(site.count_hearts().await, 1);
}

/// Attack: a link from another site hearts a playlist of the attacker's.
#[tokio::test]
async fn sign_in_page_shows_what_will_be_hearted_and_lets_it_be() {
    let site = Site::open().await;
    let id = "3cEYpjA9oz9GiPac4AsH4n";
    for path in ["/login", "/auth/google", "/login?next=/account"] {
        let visitor = site.visitor();
        let separator = if path.contains('?') { '&' } else { '?' };
        let page = visitor.open(&format!("{path}{separator}heart={id}")).await;
        assert_eq!(page.attribute("main form label a", "href"), format!("https://open.spotify.com/playlist/{id}"));
        assert!(page.has(&format!("main form input[type=checkbox][name=heart][value='{id}'][checked]")));
        assert!(!page.has("input[type=hidden][name=heart]"));
        let mut form = page.form("main form");
        form.fields.remove("heart");
        let consent = visitor.submit(form).await;
        let form = match path {
            "/auth/google" => consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada")),
            _ => approve(&consent, "ada"),
        };
        let page = visitor.submit(form).await;
        assert!(page.flash().unwrap().starts_with("Signed in as Ada") && !page.flash().unwrap().contains("heart"));
        assert_eq!(site.count_hearts().await, 0, "{path}");
    }
    for (period, position) in [("week", 1), ("ever", 1)] {
        let listed = "insert into top_playlists (period, place, playlist_id, week, ever, name, seen_at)
                      values ($1, $2, $3, 3, 3, 'Evening & Night', now())";
        sqlx::query(listed).bind(period).bind(position).bind(id).execute(&site.db).await.unwrap();
    }
    let page = site.visitor().open(&format!("/login?heart={id}")).await;
    assert_eq!(page.text("main form label a"), "Evening & Night");
}

#[tokio::test]
async fn other_forms_sent_signed_out_change_nothing_and_say_so() {
    let site = Site::open().await;
    let visitor = site.sign_in("ada").await;
    let path = "/playlists?sort=name";
    let heart = visitor.open(path).await.form("form.heart");
    let page = visitor.submit(heart).await;
    let (unheart, words) = (page.form("form.heart:has([aria-pressed=true])"), visitor.edit_first_heart().await);
    let again = unheart.fields.clone();
    sqlx::query("delete from sessions").execute(&site.db).await.unwrap();
    let login_page = visitor.submit(unheart).await;
    let message = "You have been signed out, so nothing was changed. Sign in and try again.";
    assert_eq!((login_page.url.path(), login_page.text("main [role=alert]").as_str()), ("/login", message));
    let consent = visitor.submit(login_page.form("form[action='/auth/spotify']")).await;
    let page = visitor.submit(approve(&consent, "ada")).await;
    assert!(page.url.as_str().ends_with(path), "{}", page.url);
    assert_eq!((page.flash().unwrap().as_str(), page.count(".heart [aria-pressed=true]")), ("Signed in as Ada.", 1));
    let unheart = page.form("form.heart:has([aria-pressed=true])");
    assert_eq!(unheart.fields, again, "the page shows what it showed");

    // Fetches and other forms get the same message and return to where they were sent.
    sqlx::query("delete from sessions").execute(&site.db).await.unwrap();
    let response = visitor.fetch(Method::DELETE, unheart.action.path()).await;
    assert_eq!(
        (response.status, response.json()["error"]["sign_in"].as_str()),
        (401, Some("/login?next=%2Fplaylists"))
    );
    assert_eq!(visitor.open("/login").await.text("main [role=alert]"), message);
    let form = words.form("form[action$='/annotation']").with("note", "lost");
    let (referer, same) = (format!("{}/hearts?q=a", site.base), ("sec-fetch-site", "same-origin"));
    let headers = [same, ("referer", referer.as_str())];
    let sent = visitor.request(Method::POST, form.action.as_str(), &headers, Some("note=lost".into())).await;
    sent.assert_redirect("/login?next=%2Fhearts%3Fq%3Da");
    assert_eq!(visitor.open("/login").await.text("main [role=alert]"), message);
    assert!(!visitor.open("/login?next=/hearts").await.has("main [role=alert]"), "said once");
    assert_eq!(site.count("select count(*) from user_hearts where removed_at is null and note is null").await, 1);
}

#[tokio::test]
async fn sign_out_is_a_post_and_deletes_the_session() {
    let site = Site::open().await;
    let visitor = site.sign_in("ada").await;
    let page = visitor.open("/logout").await;
    assert_eq!(visitor.open("/account").await.status, 200);
    let home = visitor.submit(page.form("main form[action='/logout']")).await;
    assert_eq!((home.url.path(), home.flash().as_deref()), ("/", Some("You are signed out.")));
    assert_eq!(site.count("select count(*) from sessions").await, 0);
    assert_eq!(visitor.open("/playlists").await.url.path(), "/login");
}

/// Four sign-ins of each of three users share the app's few connections; none needs a second connection. On Citus they
/// would deadlock if the coordinator's tables had foreign keys to `users`.
#[tokio::test]
async fn concurrent_sign_ins_all_succeed() {
    let site = Site::open().await;
    for _ in 0..3 {
        join_all(["ada", "mira", "noor"].repeat(4).into_iter().map(|key| site.sign_in(key))).await;
        site.advance(Duration::from_secs(120));
    }
    assert_eq!(site.count_users().await, 3);
    assert_eq!(site.count("select count(*) from sessions").await, 36);
}

//! The page "Now playing": its own consent, one call per view, a message for every answer.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, Playing};
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::{Visitor, approve, deny};

const PAGE: &str = "/now-playing";
const SCOPE: &str = "user-read-currently-playing";

fn requested_scopes(consent: &Page) -> String {
    consent.form("button[value=approve]").fields["scope"].clone()
}

/// Signs in as Ada and turns the page on.
async fn sign_in_with_now_playing(site: &Site) -> Visitor {
    let ada = site.sign_in("ada").await;
    let consent = ada.submit(ada.open(PAGE).await.form("main form")).await;
    let page = ada.submit(approve(&consent, "ada")).await;
    assert_eq!((page.status, page.url.path()), (200, PAGE));
    assert_eq!(page.flash().unwrap(), "Now playing is on.");
    ada
}

async fn open_while_playing(site: &Site, ada: &Visitor, playing: Playing) -> Page {
    site.spotify.update_user("ada", |ada| ada.playing = playing);
    let before = site.spotify.request_count(Endpoint::CurrentlyPlaying);
    let page = ada.open(PAGE).await;
    assert_eq!((page.status, site.spotify.request_count(Endpoint::CurrentlyPlaying) - before), (200, 1));
    page
}

#[tokio::test]
async fn now_playing_needs_its_own_consent_for_one_more_scope() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let page = ada.open(PAGE).await;
    assert!(page.status == 200 && page.text("main").contains("It is off"));
    assert_eq!((page.text("nav [aria-current]").as_str(), page.count("main form")), ("Now playing", 1));
    assert_eq!(page.text("main form button"), "Turn on Now playing");

    let consent = ada.submit(page.form("main form")).await;
    assert_eq!(requested_scopes(&consent), format!("playlist-read-private playlist-read-collaborative {SCOPE}"));
    let denied = ada.submit(deny(&consent)).await;
    assert_eq!((denied.url.path(), denied.has("main form")), (PAGE, true));
    assert_eq!(denied.flash().unwrap(), "Sign-in cancelled. Nothing was saved.");
    assert_eq!(ada.open("/playlists").await.count("li.card"), 12, "the old consent stands");
    assert_eq!(site.spotify.request_count(Endpoint::CurrentlyPlaying), 0);

    let page = ada.submit(approve(&ada.submit(page.form("main form")).await, "ada")).await;
    assert!(page.text("main").contains("Nothing is playing"));
}

#[tokio::test]
async fn playing_playlist_has_heart_button() {
    let site = Site::open().await;
    let ada = sign_in_with_now_playing(&site).await;
    let known = site.spotify.user("ada").unwrap().playlists()[0].clone();
    ada.open("/playlists").await;
    let page = open_while_playing(&site, &ada, Playing::Playlist(known.id.clone())).await;
    assert_eq!(page.text(".source-playlist .name"), known.name);
    assert!(
        page.has(".now-playing .artists")
            && page.attribute(".now-playing .button", "href").starts_with("https://open.spotify.com/track/")
    );

    let calls = site.spotify.requests().len();
    let response = ada.fetch(Method::PUT, &format!("/heart/{}", known.id)).await;
    ada.send_form(page.form("form.heart")).await;
    assert_eq!((response.status, site.spotify.requests().len()), (200, calls));
    let page = open_while_playing(&site, &ada, Playing::Playlist(known.id.clone())).await;
    assert!(page.has(".source-playlist button[aria-pressed=true]"));

    let foreign = "6nM0T2ylnD8hQwEXsAmPLe";
    let page = open_while_playing(&site, &ada, Playing::Playlist(foreign.into())).await;
    assert_eq!(
        (page.text(".source-playlist .name").as_str(), page.count(".source-playlist form.heart")),
        ("Playlist 6nM0…mPLe", 1)
    );
    assert_eq!(
        page.attribute(".source-playlist .spotify-link", "href"),
        format!("https://open.spotify.com/playlist/{foreign}")
    );
    assert_eq!(site.spotify.request_count(Endpoint::Playlist), 0);
}

#[tokio::test]
async fn silence_ads_and_episodes_each_have_a_message() {
    let site = Site::open().await;
    let ada = sign_in_with_now_playing(&site).await;
    for (what, heading) in [(Playing::Nothing, "Nothing is playing"), (Playing::Ad, "An advertisement is playing")] {
        let page = open_while_playing(&site, &ada, what).await;
        assert_eq!((page.text("main h2").as_str(), page.has("form.heart")), (heading, false));
        assert_eq!(page.attribute(".refresh-bar a", "href"), PAGE);
    }
    let page = open_while_playing(&site, &ada, Playing::Episode).await;
    assert!(
        page.text(".now-playing .badge") == "Episode" && page.text(".now-playing .artists").contains("the podcast")
    );
    let page = open_while_playing(&site, &ada, Playing::NoContext).await;
    assert!(page.has(".now-playing h2") && !page.has("form.heart"));
}

#[tokio::test]
async fn unusual_player_answers_each_have_a_message() {
    let site = Site::open().await;
    let ada = sign_in_with_now_playing(&site).await;
    let song = r#""is_playing":true,"currently_playing_type":"track","item":{"name":"Drizzle","type":"track"}"#;
    for (body, line) in [
        (r#"{"currently_playing_type":"unknown","is_playing":true,"item":null}"#.into(), "Something is playing"),
        (
            r#"{"currently_playing_type":"episode","is_playing":true,"item":null}"#.into(),
            "A podcast episode is playing",
        ),
        (r#"{"currently_playing_type":"track","is_playing":false,"item":null}"#.into(), "Nothing is playing"),
        (format!(r#"{{{song},"context":{{"type":"album"}}}}"#), "from an album"),
        (format!(r#"{{{song},"context":{{"type":"collection"}}}}"#), "from Liked Songs"),
        (format!(r#"{{{song},"context":{{"type":"playlist","uri":"spotify:playlist:?"}}}}"#), "Drizzle"),
        (r#"{"item":{"name":"\ud83d","artists":[null,3],"album":[]},"context":"x"}"#.into(), "\u{fffd}"),
    ] {
        site.spotify.inject_fault(Endpoint::CurrentlyPlaying, Fault::Status(200, body, "application/json"), 1);
        let page = ada.open(PAGE).await;
        assert!(page.status == 200 && page.text("main").contains(line), "{line}: {}", page.text("main"));
    }
}

#[tokio::test]
async fn unreadable_player_state_is_reported_on_working_page() {
    for fault in [
        Fault::Html502,
        Fault::Empty,
        Fault::NotJson,
        Fault::Status(404, String::new(), "text/plain"),
        Fault::Redirect("https://evil.example/".into()),
        Fault::RateLimited { retry_after: 120 },
        Fault::QuotaExceeded,
    ] {
        let site = Site::open().await;
        let ada = sign_in_with_now_playing(&site).await;
        site.spotify.inject_fault(Endpoint::CurrentlyPlaying, fault.clone(), 5);
        let page = ada.open(PAGE).await;
        assert_eq!(page.status, 200, "{fault:?}");
        assert!(page.text("main [role=alert]").starts_with("Could not read what is playing."), "{fault:?}");
        assert!(page.has(".refresh-bar a"));
    }
}

#[tokio::test]
async fn missing_scope_offers_new_consent_without_refresh_loop() {
    let site = Site::open().await;
    let ada = sign_in_with_now_playing(&site).await;
    let json = "application/json";
    let missing = r#"{"error":{"status":401,"message":"Permissions missing"}}"#;
    for (status, body, renewals) in [(401, missing, 0), (403, "Insufficient client scope", 0), (401, "{}", 1)] {
        let before =
            (site.spotify.request_count(Endpoint::Token), site.spotify.request_count(Endpoint::CurrentlyPlaying));
        site.spotify.inject_fault(Endpoint::CurrentlyPlaying, Fault::Status(status, body.into(), json), 2);
        let page = ada.open(PAGE).await;
        let calls = site.spotify.request_count(Endpoint::CurrentlyPlaying) - before.1;
        assert_eq!(
            (site.spotify.request_count(Endpoint::Token) - before.0, calls),
            (renewals, 1 + renewals),
            "{status} {body}"
        );
        let consent = ada.submit(page.form("main [role=alert] form")).await;
        assert!(requested_scopes(&consent).contains(SCOPE));
        site.spotify.reset();
    }
    assert!(ada.open(PAGE).await.text("main").contains("Nothing is playing"));
}

#[tokio::test]
async fn reconnect_asks_for_now_playing_scope_and_sign_in_does_not() {
    let site = Site::open().await;
    let ada = sign_in_with_now_playing(&site).await;
    site.spotify.revoke_access("ada");
    site.advance(Duration::from_secs(3601));
    let page = ada.open(PAGE).await;
    assert!(page.status == 200 && page.text("main [role=alert]").contains("Spotify needs you to reconnect"));
    assert!(page.text("title").contains("reconnect needed"));
    // The account page's reconnect button also asks for the scope.
    let consent = ada.submit(ada.open("/account").await.form("main form[action='/auth/spotify']")).await;
    assert!(requested_scopes(&consent).contains(SCOPE));
    let back = ada.submit(approve(&consent, "ada")).await;
    assert_eq!(back.flash().unwrap(), "Spotify is connected again.");
    assert!(ada.open(PAGE).await.text("main").contains("Nothing is playing"));

    ada.submit(ada.open("/logout").await.form("main form[action='/logout']")).await;
    assert!(!requested_scopes(&ada.start_spotify_sign_in("/login").await).contains(SCOPE));
}

#[tokio::test]
async fn reconnect_without_now_playing_asks_for_usual_scopes() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.spotify.revoke_access("ada");
    site.advance(Duration::from_secs(3601));
    ada.open("/playlists").await;
    let consent = ada.submit(ada.open(PAGE).await.form("main [role=alert] form")).await;
    assert!(!requested_scopes(&consent).contains(SCOPE));
    let page = ada.submit(approve(&consent, "ada")).await;
    assert!(page.url.path() == PAGE && page.text("main").contains("It is off"));
}

#[tokio::test]
async fn missing_scopes_are_named_after_sign_in() {
    let site = Site::open().await;
    for (scope, sentence) in [
        ("playlist-read-collaborative", "your private playlists will not appear here"),
        ("playlist-read-private", "collaborative playlists will not appear here"),
        ("", "private and collaborative playlists will not appear here"),
    ] {
        let visitor = site.visitor();
        let consent = visitor.start_spotify_sign_in("/login").await;
        let page = visitor.submit(approve(&consent, "ada").with("scope", scope)).await;
        assert_eq!(
            page.text("main p[role=alert]"),
            format!("Signed in as Ada, with less access than Heartlist asked for: {sentence}.")
        );
    }
    let ada = site.sign_in("ada").await;
    let consent = ada.submit(ada.open(PAGE).await.form("main form")).await;
    let form = approve(&consent, "ada").with("scope", "playlist-read-private playlist-read-collaborative");
    let page = ada.submit(form).await;
    assert!(page.text("main p[role=alert]").contains("Now playing stays off"));
    assert!(page.has("main form input[name=reason][value=now-playing]"));
}

#[tokio::test]
async fn only_known_reasons_send_connected_user_to_consent() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for (body, goes) in [
        ("next=/hearts", false),
        ("next=/hearts&reason=user-modify-playback-state", false),
        ("next=/hearts&reason=no", false),
        ("next=/hearts&reason=renew-consent", true),
        ("next=/hearts&reason=now-playing", true),
    ] {
        let sent = ada.post("/auth/spotify", body).await;
        assert_eq!((sent.status, sent.header("location") != "/hearts"), (303, goes), "{body}");
        assert!(!sent.header("location").contains("modify"));
    }
}

#[tokio::test]
async fn signed_out_visitor_returns_to_now_playing() {
    let site = Site::open().await;
    assert_eq!(site.visitor().get(PAGE).await.header("location"), "/login?next=%2Fnow-playing");
    let home = site.visitor().open("/").await;
    assert!(home.text("main").contains("only if you turn on Now playing"));
}

#[tokio::test]
async fn page_says_when_it_may_be_renewed() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    assert!(!ada.open(PAGE).await.has("[data-renew]"), "it is off");
    let ada_on = sign_in_with_now_playing(&site).await;
    assert_eq!(ada_on.open(PAGE).await.attribute("#playing", "data-renew"), "30");
    site.spotify.inject_fault(Endpoint::CurrentlyPlaying, Fault::Html502, 2);
    assert_eq!(ada_on.open(PAGE).await.attribute("#playing", "data-renew"), "60");
    site.freeze_clock();
    site.spotify.inject_fault(Endpoint::CurrentlyPlaying, Fault::RateLimited { retry_after: 900 }, 1);
    assert_eq!(ada_on.open(PAGE).await.attribute("#playing", "data-renew"), "901");
    assert!(ada_on.open(PAGE).await.has(".refresh-bar a"), "the link stays");
}

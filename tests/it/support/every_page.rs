//! Every kind of page of the app.

use fake_spotify::{Endpoint, Fault, OtherProvider};
use reqwest::Method;

use super::Site;
use super::page::Page;
use super::visitor::Visitor;

const UNKNOWN: &str = "/playlists/0000000000000000000000";

/// Visits every kind of page; returns each with its expected status.
pub(crate) async fn visit_every_page(site: &Site) -> Vec<(Page, u16)> {
    let mira = site.sign_in("mira").await;
    site.make_everybody_operator().await;
    let one = format!("/playlists/{}", mira.open("/playlists").await.playlist_ids()[0]);
    let beyond = format!("{one}?page=999");
    let mut pages = visit_pages_signed_out(&site.visitor()).await;
    let hearts = mira.get("/hearts").await;
    let heart = mira.open(&one).await.form("form.heart");
    mira.send_form(heart).await;
    let inside = [
        ("/playlists", 200),
        ("/playlists?page=2", 200),
        ("/playlists?q=owner:me+public:maybe&sort=name&view=list", 200),
        ("/playlists?q=%3Cb%3Enowhere%22", 200),
        ("/hearts?q=nowhere&sort=oldest", 200),
        (one.as_str(), 200),
        ("/hearts", 200),
        ("/add", 200),
        ("/add?link=nonsense", 200),
        ("/tags", 200),
        ("/hearts/news", 200),
        ("/hearts/news/feed", 200),
        ("/top", 200),
        ("/now-playing", 200),
        ("/account", 200),
        ("/operator", 200),
        ("/invites", 200),
        ("/setup", 200),
        ("/account/identities/spotify", 200),
        ("/logout", 200),
        (beyond.as_str(), 404),
        (UNKNOWN, 404),
        ("/playlists/short", 422),
        ("/nope", 404),
        ("/theme", 405),
        ("/account/delete", 200),
        ("/account/disconnect", 200),
        ("/account/activity", 200),
        ("/about", 200),
        ("/auth/spotify/callback?state=x&code=y", 400),
    ];
    for (path, status) in inside {
        pages.push((mira.get(path).await, status));
    }
    pages.push((hearts, 200));
    pages.extend(visit_pages_with_tags(&mira, &one).await);
    pages.push((mira.post("/heart/3cEYpjA9oz9GiPac4AsH4n", "nothing=1").await, 422));
    let tags = "action=tag&tags=say+%22late%22&id=3cEYpjA9oz9GiPac4AsH4n";
    pages.push((mira.post("/hearts/bulk", tags).await, 422));
    let cross_site = [("sec-fetch-site", "cross-site")];
    pages.push((mira.request(Method::POST, "/logout", &cross_site, Some(String::new())).await, 403));
    pages.push((mira.post("/account/delete", &"x".repeat(100_000)).await, 413));
    site.spotify.inject_fault(Endpoint::Token, Fault::Html502, 3);
    pages.push((site.visitor().sign_in("ada").await, 502));
    pages.extend(visit_pages_without_spotify(site).await);
    pages
}

async fn visit_pages_signed_out(stranger: &Visitor) -> Vec<(Page, u16)> {
    let mut pages = Vec::new();
    let outside = [
        ("/", 200),
        ("/login", 200),
        ("/login?next=/hearts", 200),
        ("/auth/spotify", 200),
        ("/auth/github", 200),
        ("/nope", 404),
        ("/theme", 405),
    ];
    for (path, status) in outside {
        pages.push((stranger.get(path).await, status));
    }
    pages
}

/// Pages that only users with tags see.
async fn visit_pages_with_tags(mira: &Visitor, playlist: &str) -> Vec<(Page, u16)> {
    mira.send_form(mira.open(playlist).await.form(".annotation form").with("tags", "rain, late night")).await;
    let mut pages = Vec::new();
    for (path, status) in [
        ("/tags?sort=name", 200),
        ("/tags/edit?tag=rain", 200),
        ("/tags/edit?tag=rain&to=late+night", 200),
        ("/tags/edit?tag=snow", 404),
    ] {
        pages.push((mira.get(path).await, status));
    }
    let renamed = mira.open("/tags/edit?tag=rain").await.form("form.link-form").with("to", "snow");
    pages.push((mira.submit(renamed).await, 200));
    pages
}

/// Pages that only users without Spotify see.
async fn visit_pages_without_spotify(site: &Site) -> Vec<(Page, u16)> {
    site.visitor().sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    let ada = site.visitor();
    let conflict = ada.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    let mut pages = vec![(conflict, 200), (ada.link_identity(&site.spotify, OtherProvider::X, "ada").await, 200)];
    for (path, status) in [("/playlists", 200), ("/now-playing", 200), ("/account/identities/x", 200), (UNKNOWN, 409)] {
        pages.push((ada.get(path).await, status));
    }
    pages
}

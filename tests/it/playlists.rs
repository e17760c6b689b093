//! The playlists page and the pages of single playlists.

use std::collections::HashSet;
use std::time::Duration;

use fake_spotify::{Endpoint, Fault, User};
use futures_util::future::join_all;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::Visitor;

async fn open_all_pages(visitor: &Visitor) -> Vec<Page> {
    let mut pages = vec![visitor.open("/playlists").await];
    while let Some(next) = pages.last().unwrap().attributes("a[rel=next]", "href").pop() {
        let next = pages.last().unwrap().url.join(&next).unwrap();
        pages.push(visitor.open(next.as_str()).await);
    }
    pages
}

#[tokio::test]
async fn card_shows_name_owner_item_count_and_heart() {
    let site = Site::open().await;
    let page = site.sign_in("ada").await.open("/playlists").await;
    let user = site.spotify.user("ada").unwrap();
    let playlists = user.playlists();
    assert_eq!(page.playlist_ids(), playlists.iter().map(|p| p.id.clone()).collect::<Vec<_>>(), "p20: Spotify's order");
    for playlist in playlists {
        let card = format!("#p-{}", playlist.id);
        assert_eq!(page.text(&format!("{card} h2 a[href='/playlists/{}']", playlist.id)), playlist.name);
        assert!(page.has(&format!("{card} form[action='/heart/{}'] > button[aria-pressed]", playlist.id)));
        assert!(page.has(&format!("{card} a[href='https://open.spotify.com/playlist/{}']", playlist.id)));
        let facts = page.text(&format!("{card} .facts"));
        let own = playlist.owner.id == user.id;
        assert!(!own || facts.contains(&playlist.length.to_string()), "the item count in {facts}");
        let owner = if own { Some("You") } else { playlist.owner.display_name.as_deref() };
        assert!(owner.is_none_or(|owner| facts.starts_with(owner)), "the owner in {facts}");
        let has_icon = |label: &str| page.has(&format!("{card} .facts [role=img][aria-label={label}]"));
        assert_eq!(has_icon("Private"), playlist.public == Some(false), "public is the rule, and is not said: {facts}");
        assert_eq!(has_icon("Collaborative"), playlist.collaborative, "{facts}");
    }
    assert!(page.attributes("li.card img", "alt").iter().all(String::is_empty));
}

#[tokio::test]
async fn messy_spotify_data_never_breaks_list_or_repeats_playlist() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    let pages = open_all_pages(&mira).await;
    assert!(pages.iter().all(|page| page.status == 200 && page.count("li.card") <= 50));
    let shown: Vec<String> = pages.iter().flat_map(Page::playlist_ids).collect();
    let user = site.spotify.user("mira").unwrap();
    assert_eq!(shown, user.playlists().iter().map(|p| p.id.clone()).collect::<Vec<_>>());
    assert_eq!(shown.iter().collect::<HashSet<_>>().len(), shown.len());
    let names: Vec<String> = pages.iter().flat_map(|page| page.texts("li.card h2")).collect();
    assert!(names.iter().all(|name| !name.is_empty()) && names.contains(&"Untitled playlist".to_owned()));
    assert!(pages.iter().all(|page| !page.html.contains("null") && !page.html.contains("None")));
}

#[tokio::test]
async fn library_of_120_takes_three_spotify_calls_and_reload_none() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 120));
    let lena = site.sign_in("lena").await;
    assert_eq!(site.spotify.request_count(Endpoint::MyPlaylists), 3);
    let page = lena.open("/playlists").await;
    assert!(page.text(".page-header .subtitle").contains("120 playlists, as of"));
    lena.open("/playlists?page=3").await;
    assert_eq!(site.spotify.request_count(Endpoint::MyPlaylists), 3);
    site.advance(Duration::from_secs(11 * 60));
    lena.open("/playlists").await;
    assert_eq!(site.spotify.request_count(Endpoint::MyPlaylists), 6);
}

#[tokio::test]
async fn library_of_two_thousand_is_paginated() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 2000));
    let lena = site.sign_in("lena").await;
    let page = lena.open("/playlists?page=40").await;
    assert_eq!((page.count("li.card"), page.has("a[rel=next]")), (50, false));
    lena.get("/playlists?page=41").await.assert_redirect("/playlists?page=40");
    for number in ["0", "-1", "x", ""] {
        assert_eq!(lena.open(&format!("/playlists?page={number}")).await.status, 200, "{number}");
    }
}

#[tokio::test]
async fn empty_library_says_how_to_begin() {
    let site = Site::open().await;
    let page = site.sign_in("noor").await.open("/playlists").await;
    assert!(page.status == 200 && page.text("main").contains("No playlists yet"));
}

#[tokio::test]
async fn expired_token_is_refreshed_once_for_parallel_requests() {
    for rotate in [true, false] {
        let mut site = Site::open().await;
        site.spotify.update_switches(|switches| switches.rotate_refresh_tokens = rotate);
        let ada = site.sign_in("ada").await;
        let second = site.start_second_process().await;
        let id = ada.open("/playlists").await.playlist_ids().remove(0);
        site.advance(Duration::from_secs(3601));
        let before = site.spotify.request_count(Endpoint::Token);
        let path = format!("/playlists/{id}");
        let requests = (0..20).map(|n| {
            let address = if n % 2 == 0 { path.clone() } else { format!("{second}{path}") };
            let ada = &ada;
            async move { ada.open(&address).await.status }
        });
        assert_eq!(join_all(requests).await, [200; 20]);
        assert_eq!(site.spotify.request_count(Endpoint::Token) - before, 1, "rotate: {rotate}");
    }
}

#[tokio::test]
async fn short_lived_and_single_use_tokens_keep_working() {
    let site = Site::open().await;
    site.spotify.update_switches(|switches| {
        switches.rotate_refresh_tokens = true;
        switches.access_token_lifetime = Duration::from_secs(20);
    });
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    for _ in 0..30 {
        site.advance(Duration::from_secs(19));
        let page = ada.open(&format!("/playlists/{id}")).await;
        assert!(page.status == 200 && page.has("table"), "{}", page.html);
    }
}

#[tokio::test]
async fn token_rejected_with_401_is_refreshed() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.advance(Duration::from_secs(11 * 60));
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Unauthorized, 1);
    let page = ada.open("/playlists").await;
    assert!(page.status == 200 && !page.has("[role=alert]"));
}

#[tokio::test]
async fn revoked_consent_keeps_list_and_hearts_and_offers_reconnect() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    site.spotify.revoke_access("ada");
    site.advance(Duration::from_secs(3601));
    let page = ada.open("/playlists").await;
    assert_eq!((page.status, page.count("li.card")), (200, 12));
    assert!(page.text("[role=alert]").contains("Spotify needs you to reconnect"));
    assert!(page.text("title").contains("reconnect needed"));
    assert_eq!(ada.fetch(reqwest::Method::PUT, &format!("/heart/{id}")).await.status, 200);
    assert_eq!(ada.open("/hearts").await.count("li.card"), 1);
    assert_eq!(ada.open("/account").await.status, 200);
    assert!(ada.open(&format!("/playlists/{id}")).await.has(".items form[action='/auth/spotify']"));

    let consent = ada.submit(page.form("[role=alert] form")).await;
    let back = ada.submit(crate::support::visitor::approve(&consent, "ada")).await;
    assert_eq!((back.status, back.url.path(), back.has("main [role=alert]")), (200, "/playlists", false));
}

#[tokio::test]
async fn token_endpoint_outage_is_not_treated_as_revoked_consent() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.advance(Duration::from_secs(3601));
    site.spotify.inject_fault(Endpoint::Token, Fault::Html502, 1);
    let page = ada.open("/playlists").await;
    assert!(page.text("main [role=alert]").contains("Spotify is having trouble") && page.count("li.card") == 12);
    site.advance(Duration::from_secs(31));
    let page = ada.open("/playlists").await;
    assert!(!page.has("main [role=alert]") && page.count("li.card") == 12);
}

#[tokio::test]
async fn spotify_failure_shows_cached_list_or_error() {
    let faults = || {
        [
            Fault::Html502,
            Fault::Empty,
            Fault::NotJson,
            Fault::Truncated,
            Fault::CutOff,
            Fault::RateLimited { retry_after: 80_000 },
            Fault::QuotaExceeded,
            Fault::Redirect("https://evil.example/".into()),
        ]
    };
    for fault in faults() {
        let site = Site::open().await;
        site.spotify.inject_fault(Endpoint::MyPlaylists, fault.clone(), 20);
        let visitor = site.visitor();
        let page = visitor.sign_in("ada").await;
        assert_eq!(page.status, 502, "{fault:?}");
        assert!(page.has("nav a[href='/hearts']") && visitor.open("/hearts").await.status == 200);
        site.spotify.reset();
        site.advance(Duration::from_secs(25 * 3600));
        assert_eq!(visitor.open("/playlists").await.count("li.card"), 12);
        site.spotify.inject_fault(Endpoint::MyPlaylists, fault, 20);
        site.advance(Duration::from_secs(11 * 60));
        let page = visitor.open("/playlists").await;
        assert!(page.count("li.card") == 12 && page.text("main [role=alert]").contains("what Spotify last showed"));
    }
}

#[tokio::test]
async fn playlist_items_are_shown_to_owner_and_reason_to_others() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    let user = site.spotify.user("mira").unwrap();
    let (mut with, mut without) = (0, 0);
    for playlist in user.playlists() {
        let page = mira.open(&format!("/playlists/{}", playlist.id)).await;
        assert_eq!(page.status, 200, "{}", playlist.id);
        match page.has("table") {
            true => {
                let (heading, rows) = (page.text(".items h2"), page.count("tbody tr"));
                assert!(rows >= 50 || heading.starts_with(&format!("{rows} ")), "{rows}, not {heading}");
                with += 1;
            }
            false => without += usize::from(page.text(".items").contains("only to its owner")),
        }
    }
    assert!(with > 10 && without > 10, "{with} with items, {without} without");
}

#[tokio::test]
async fn playlist_page_during_outage_says_items_are_not_stored() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    site.spotify.inject_fault(Endpoint::Playlist, Fault::Html502, 20);
    let page = ada.open(&format!("/playlists/{id}")).await;
    assert_eq!(
        page.text(".items .callout"),
        "Spotify is having trouble. Heartlist doesn’t store songs, so they can’t be shown right now."
    );
}

#[tokio::test]
async fn playlist_hidden_by_spotify_keeps_its_heart() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let made_by_spotify = "37i9dQZF1DXcBWIGoYBM5M";
    assert_eq!(ada.open(&format!("/playlists/{made_by_spotify}")).await.status, 404);
    ada.fetch(reqwest::Method::PUT, &format!("/heart/{made_by_spotify}")).await;
    let page = ada.open(&format!("/playlists/{made_by_spotify}")).await;
    assert!(page.status == 200 && page.text(".items").contains("no longer shows this playlist"));
    assert!(page.has("button[aria-pressed=true]"));
}

#[tokio::test]
async fn playlist_description_is_shown_as_text() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    let user = site.spotify.user("mira").unwrap();
    let mut described = 0;
    for playlist in user.playlists() {
        let page = mira.open(&format!("/playlists/{}", playlist.id)).await;
        assert!(!page.has(".prose a, .prose script, .prose b") && !page.html.contains("&amp;amp;"));
        described += page.count(".prose");
    }
    assert!(described > 0);
}

#[tokio::test]
async fn item_page_past_the_end_is_404() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    let page = ada.open(&format!("/playlists/{id}?page=99")).await;
    assert_eq!((page.status, page.text("h1").as_str()), (404, "No such page"));
}

#[tokio::test]
async fn invalid_playlist_id_in_path_is_422() {
    let site = Site::open().await;
    let page = site.sign_in("ada").await.open("/playlists/nonsense").await;
    assert!(page.status == 422 && page.text("main").contains("22 letters and digits"));
}

#[tokio::test]
async fn legacy_spotify_api_shows_the_same() {
    let site = Site::open().await;
    site.spotify.update_switches(|switches| switches.legacy_api = true);
    let ada = site.sign_in("ada").await;
    let page = ada.open("/playlists").await;
    assert_eq!(page.count("li.card"), 12);
    let id = page.playlist_ids().remove(0);
    assert!(ada.open(&format!("/playlists/{id}")).await.has("table"));
}

/// Attack: one person who opens made-up playlists, each of which asks Spotify.
#[tokio::test]
async fn one_person_cannot_use_up_the_allowance_of_all() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    site.freeze_clock();
    let own = ada.open("/playlists").await.playlist_ids();
    let mut refused = 0;
    for n in 0..300 {
        let page = ada.get(&format!("/playlists/{n:022}")).await;
        refused += usize::from(page.status == 429);
        let text = page.text("main");
        assert!(page.status == 404 || text.contains("You have opened a lot from Spotify in a short time"), "{text}");
    }
    assert_eq!((site.spotify.request_count(Endpoint::Playlist), refused), (100, 200));
    let page = ada.open(&format!("/playlists/{}", own[0])).await;
    assert!(page.status == 200 && page.has("form.heart"), "what is stored is shown");
    assert!(page.text(".items .callout").contains("You have opened a lot from Spotify in a short time. Try again at"));
    let form = ada.open("/hearts").await.form("#link").with("link", &"B".repeat(22));
    assert!(ada.submit(form).await.flash().unwrap_or_default().contains("name"), "hearts work");
    assert_eq!(ada.open("/playlists").await.count("li.card"), 12);
    let others = mira.open("/playlists").await.playlist_ids();
    assert!(mira.open(&format!("/playlists/{}", others[0])).await.has("table"), "others go on");
    assert_eq!(site.spotify.request_count(Endpoint::Playlist), 101);
    site.advance(Duration::from_secs(600));
    assert!(ada.open(&format!("/playlists/{}", own[0])).await.has("table"));
}

#[tokio::test]
async fn answer_of_spotify_is_kept_for_a_minute() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    site.freeze_clock();
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    let path = format!("/playlists/{id}");
    let calls = || site.spotify.request_count(Endpoint::Playlist);
    let first = ada.open(&path).await;
    for _ in 0..5 {
        let again = ada.open(&path).await;
        assert_eq!((again.texts("tbody tr"), again.texts(".prose")), (first.texts("tbody tr"), first.texts(".prose")));
    }
    assert_eq!(calls(), 1);
    mira.open(&path).await;
    assert_eq!(calls(), 2, "Spotify does not show the same to all");
    site.advance(Duration::from_secs(61));
    ada.open(&path).await;
    assert_eq!(calls(), 3);
    ada.submit(ada.open("/account/disconnect").await.form("main form")).await;
    assert!(!ada.open(&path).await.has("table"), "not without a connection");
}

#[tokio::test]
async fn playlist_that_was_not_found_is_asked_for_again_after_ten_minutes() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.freeze_clock();
    let path = format!("/playlists/{}", "Z".repeat(22));
    let calls = || site.spotify.request_count(Endpoint::Playlist);
    for seconds in [0, 61, 300] {
        site.advance(Duration::from_secs(seconds));
        for page in ["", "?page=2", "?from=/hearts"] {
            assert_eq!(ada.get(&format!("{path}{page}")).await.status, 404);
        }
    }
    assert_eq!(calls(), 1);
    let form = ada.open("/hearts").await.form("#link").with("link", &"Z".repeat(22));
    assert_eq!((ada.submit(form).await.status, calls()), (422, 2), "who adds it by its link is told the latest");
    site.advance(Duration::from_secs(600));
    assert_eq!((ada.get(&path).await.status, calls()), (404, 3));
}

#[tokio::test]
async fn long_playlist_has_field_for_the_page_and_link_to_the_app() {
    let site = Site::open().await;
    let mut lena = User::with_library("lena", 2);
    lena.library[0].as_mut().unwrap().length = 260;
    lena.library[1].as_mut().unwrap().length = 250;
    let ids: Vec<_> = lena.playlists().iter().map(|playlist| playlist.id.clone()).collect();
    site.spotify.add_user(lena);
    let lena = site.sign_in("lena").await;
    let page = lena.open(&format!("/playlists/{}?from=/hearts", ids[0])).await;
    assert_eq!(page.attribute("a[href^='spotify:']", "href"), format!("spotify:playlist:{}", ids[0]));
    assert_eq!(page.attribute(".pager input[type=number]", "max"), "6");
    let last = lena.submit(page.form(".pager form").with("page", "6")).await;
    assert_eq!((last.count("tbody tr"), last.text("tbody tr:first-child td:first-child").as_str()), (10, "251"));
    assert_eq!(last.attribute(".back-link a", "href").split('#').next().unwrap(), "/hearts");
    let short = lena.open(&format!("/playlists/{}", ids[1])).await;
    assert!(short.has(".pager [rel=next]") && !short.has(".pager form"), "five pages are turned");
}

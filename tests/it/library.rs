//! Fetching the library: refresh, partial results, cooldowns.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, User};
use futures_util::future::join_all;
use time::OffsetDateTime;

use crate::support::page::Page;
use crate::support::visitor::Visitor;
use crate::support::{Site, wait_until};

async fn sign_in_lena(site: &Site, playlists: usize) -> Visitor {
    site.spotify.add_user(User::with_library("lena", playlists));
    let lena = site.visitor();
    lena.sign_in("lena").await;
    lena
}

fn count_library_calls(site: &Site) -> usize {
    site.spotify.request_count(Endpoint::MyPlaylists)
}

async fn submit_refresh(visitor: &Visitor, page: &Page) -> Page {
    visitor.submit(page.form("button[value=refresh]").with("action", "refresh")).await
}

#[tokio::test]
async fn refresh_asks_spotify_at_most_once_in_thirty_seconds() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 10).await;
    let page = lena.open("/playlists").await;
    let again = submit_refresh(&lena, &page).await;
    assert!(again.flash().unwrap().contains("a moment ago") && count_library_calls(&site) == 1);
    site.advance(Duration::from_secs(31));
    let again = submit_refresh(&lena, &page).await;
    assert!(again.flash().unwrap().contains("up to date") && count_library_calls(&site) == 2);
    site.advance(Duration::from_secs(31));
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Html502, 9);
    let again = submit_refresh(&lena, &page).await;
    assert!(again.text("main [role=alert]").contains("Spotify is having trouble") && again.count("li.card") == 10);
}

#[tokio::test]
async fn refresh_during_cooldown_says_until_when() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 10).await;
    let page = lena.open("/playlists?q=a").await;
    site.advance(Duration::from_secs(60));
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::RateLimited { retry_after: 120 }, 1);
    let again = submit_refresh(&lena, &page).await;
    let alert = again.text("main [role=alert]");
    assert!(alert.contains("Too many requests to Spotify. Try again at ") && alert.contains(" UTC"), "{alert}");
    assert_eq!((again.url.query(), again.count("li.card") > 0), (Some("q=a"), true));
    let calls = count_library_calls(&site);
    assert!(
        submit_refresh(&lena, &again).await.has("main [role=alert]") && count_library_calls(&site) == calls,
        "no call before that"
    );
}

#[tokio::test]
async fn refresh_with_revoked_consent_offers_reconnect() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 10).await;
    let page = lena.open("/playlists?q=a&sort=name").await;
    site.advance(Duration::from_secs(3601));
    site.spotify.revoke_access("lena");
    let again = submit_refresh(&lena, &page).await;
    assert_eq!((again.status, again.url.query()), (200, Some("q=a&sort=name")));
    assert!(again.text("main [role=alert]").contains("Reconnect Spotify") && again.has("main [role=alert] form"));
}

#[tokio::test]
async fn failed_fetch_is_not_retried_on_every_view() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 10).await;
    site.advance(Duration::from_secs(11 * 60));
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Html502, 2);
    for _ in 0..3 {
        let page = lena.open("/playlists").await;
        assert_eq!((page.status, page.count("li.card"), page.count("main [role=alert]")), (200, 10, 1));
    }
    assert_eq!(count_library_calls(&site), 3, "once, and once more as safe requests are, but not with every page");
    let page = lena.open("/playlists").await;
    assert!(submit_refresh(&lena, &page).await.flash().unwrap().contains("up to date"), "who asks for it gets it");
    site.advance(Duration::from_secs(11 * 60));
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Html502, 2);
    lena.open("/playlists").await;
    site.advance(Duration::from_secs(31));
    assert_eq!(lena.open("/playlists").await.count("main [role=alert]"), 0, "after the pause Spotify is asked again");
}

#[tokio::test]
async fn concurrent_first_views_on_two_processes_fetch_once() {
    let mut site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 120));
    let second = site.start_second_process().await;
    let lena = site.visitor();
    let consent = lena.start_spotify_sign_in("/login?next=/account").await;
    lena.submit(crate::support::visitor::approve(&consent, "lena")).await;
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::from_millis(300)), 3);
    let views = (0..50).map(|n| {
        let address = if n % 2 == 0 { "/playlists".to_owned() } else { format!("{second}/playlists") };
        let lena = &lena;
        async move { lena.open(&address).await.count("li.card") }
    });
    assert_eq!(join_all(views).await, [50; 50]);
    assert_eq!(count_library_calls(&site), 3);
}

#[tokio::test]
async fn retry_after_is_honoured_by_every_process() {
    let mut site = Site::open().await;
    let lena = sign_in_lena(&site, 10).await;
    let second = site.start_second_process().await;
    site.advance(Duration::from_secs(11 * 60));
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::RateLimited { retry_after: 120 }, 1);
    for address in ["/playlists".to_owned(), format!("{second}/playlists"), "/playlists".to_owned()] {
        let page = lena.open(&address).await;
        assert_eq!((page.status, page.count("li.card")), (200, 10));
        let alert = page.text("main [role=alert]");
        assert!(alert.contains("Too many requests to Spotify. Try again at ") && alert.contains(" UTC"), "{alert}");
    }
    let id = lena.open("/hearts").await.status;
    assert_eq!((id, count_library_calls(&site)), (200, 2));
    // A rate limit applies to all endpoints.
    let before = site.spotify.requests().len();
    let first = lena.open("/playlists").await.playlist_ids().remove(0);
    assert_eq!(lena.open(&format!("/playlists/{first}")).await.status, 200);
    assert_eq!(site.spotify.requests().len(), before);
    site.advance(Duration::from_secs(121));
    assert!(!lena.open("/playlists").await.has("main [role=alert]"));
    assert_eq!(count_library_calls(&site), 3);
}

#[tokio::test]
async fn exhausted_quota_pauses_one_endpoint_and_is_named() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 10).await;
    let first = lena.open("/playlists").await.playlist_ids().remove(0);
    for fault in [Fault::QuotaExceeded, Fault::RateLimited { retry_after: 80_000 }] {
        site.advance(Duration::from_secs(25 * 3600));
        lena.open("/playlists").await;
        site.advance(Duration::from_secs(11 * 60));
        site.spotify.inject_fault(Endpoint::MyPlaylists, fault, 1);
        let before = count_library_calls(&site);
        for _ in 0..3 {
            let page = lena.open("/playlists").await;
            assert!(page.text("main [role=alert]").contains("Today’s Spotify allowance is used up"));
        }
        assert_eq!(count_library_calls(&site), before + 1);
        let playlist = lena.open(&format!("/playlists/{first}")).await;
        assert!(playlist.has("table"), "other endpoints still answer");
        let heart = lena.fetch(reqwest::Method::PUT, &format!("/heart/{first}")).await;
        assert_eq!(heart.status, 200);
    }
}

#[tokio::test]
async fn first_view_during_cooldown_says_until_when() {
    let site = Site::open().await;
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::RateLimited { retry_after: 90 }, 1);
    let lena = sign_in_lena(&site, 10).await;
    let page = lena.open("/playlists").await;
    assert_eq!((page.status, count_library_calls(&site)), (502, 1));
    assert!((80..=90).contains(&page.header("retry-after").parse::<u32>().unwrap()));
    assert!(page.text("main").contains("Try again at") && page.text("main").contains("Your hearts are safe"));
    assert!(!page.has("main a.button"), "it is too early for another try");
}

#[tokio::test]
async fn partial_library_is_shown_and_continued_on_request() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 400).await;
    sqlx::query("delete from libraries").execute(&site.db).await.unwrap();
    sqlx::query("delete from playlists").execute(&site.db).await.unwrap();
    // Spotify fails after the first page.
    let break_off = async {
        wait_until("a page has come", async || count_library_calls(&site) >= 9).await;
        site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::NotJson, 100);
    };
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::from_secs(1)), 1);
    let (page, ()) = tokio::join!(lena.open("/playlists"), break_off);
    assert_eq!((page.status, page.count("li.card")), (200, 50));
    assert!(page.text("main").contains("50 of up to 400 loaded"), "{}", page.text("main"));
    let behind = lena.open("/playlists?page=3").await;
    assert_eq!((behind.url.query(), behind.has("button[value=continue]")), (None, true), "it may exist all the same");
    site.spotify.reset();
    let rest = page.form("button[value=continue]").with("action", "continue");
    let page = lena.submit(rest).await;
    assert!(page.text(".page-header").contains("400 playlists") && !page.has("button[value=continue]"));
    assert_eq!(lena.open("/playlists?page=8").await.count("li.card"), 50);
}

#[tokio::test]
async fn first_view_of_big_library_waits_only_for_first_page() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 250));
    // The first page arrives at once, the others later than a first view waits.
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::ZERO), 1);
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::from_secs(5)), 4);
    let lena = site.visitor();
    let page = lena.sign_in("lena").await;
    assert_eq!((page.status, page.count("li.card")), (200, 50));
    assert!(page.text("#library-loading").contains("50 of up to 250 loaded. Getting the rest from Spotify."));
    assert!(!page.has("button[value=continue]"), "nobody has to ask for what is on its way");
    let last = lena.open("/playlists?page=5").await;
    assert_eq!((last.status, last.count("li.card")), (200, 50), "who wants the end waits for it");
    let page = lena.open(&page.attribute("#library-loading a", "href")).await;
    assert!(
        page.text(".refresh-bar .subtitle").starts_with("250 playlists") && !page.has("form.callout"),
        "{}",
        page.html
    );
    assert_eq!(count_library_calls(&site), 5);
}

#[tokio::test]
async fn partial_library_counts_agree() {
    let site = Site::open().await;
    // Her library holds nulls and repeats: more items than playlists.
    let mira = site.sign_in("mira").await;
    sqlx::query("update libraries set fetched_at = null").execute(&site.db).await.unwrap();
    sqlx::query("delete from playlists").execute(&site.db).await.unwrap();
    let before = count_library_calls(&site);
    let break_off = async {
        wait_until("a page has come", async || count_library_calls(&site) > before).await;
        site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::NotJson, 100);
    };
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::from_secs(1)), 1);
    let (page, ()) = tokio::join!(mira.open("/playlists"), break_off);
    let shown = page.count("li.card");
    let numbers = |text: &str| -> Vec<usize> {
        text.split_whitespace().take_while(|word| *word != "as").filter_map(|word| word.parse().ok()).collect()
    };
    // Only one place shows the upper bound; every other number counts what has been loaded.
    let [here, whole] = numbers(&page.text("form.callout p"))[..] else { panic!("{}", page.html) };
    assert!(page.text("form.callout p").contains(" of up to ") && here == shown, "{}", page.html);
    assert!(
        page.text(".refresh-bar .subtitle").starts_with(&format!("{here} playlists so far, as of ")),
        "{}",
        page.html
    );
    assert!(shown < 50 && whole > 100, "{shown} of {whole}");
    assert_eq!(page.attribute("#results", "data-total"), shown.to_string());
    let found = mira.open("/playlists?q=a").await;
    assert_eq!(
        found.text("#search-status p:first-child").split(" found").next().unwrap().split(" of ").nth(1).unwrap(),
        format!("{here} playlists")
    );
    assert!(found.text("#search-status").contains(" found so far."));
    let nothing = mira.open("/playlists?q=nowhere").await;
    assert!(nothing.text(".empty-state").contains(&format!("Show all {here} playlists so far")));

    site.spotify.reset();
    let page = mira.submit(page.form("button[value=continue]").with("action", "continue")).await;
    assert_eq!(numbers(&page.text(".refresh-bar .subtitle")), [120]);
    assert!(!page.has("button[value=continue]") && !mira.open("/playlists?q=a").await.html.contains("so far"));
}

#[tokio::test]
async fn partial_fetch_does_not_replace_complete_list() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 200).await;
    site.advance(Duration::from_secs(11 * 60));
    let break_off = async {
        wait_until("a page has come", async || count_library_calls(&site) >= 5).await;
        site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::NotJson, 100);
    };
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::from_secs(1)), 1);
    let (page, ()) = tokio::join!(lena.open("/playlists"), break_off);
    assert!(page.text(".page-header").contains("200 playlists") && page.has("main [role=alert]"));
}

#[tokio::test]
async fn token_expiring_during_library_fetch_is_renewed_once() {
    for rotate in [true, false] {
        let site = Site::open().await;
        site.spotify.update_switches(|switches| switches.rotate_refresh_tokens = rotate);
        let lena = sign_in_lena(&site, 400).await;
        site.advance(Duration::from_secs(11 * 60));
        // Only Spotify's clock advances: the app still takes the token for valid.
        site.spotify.advance(Duration::from_secs(3601));
        let tokens = site.spotify.request_count(Endpoint::Token);
        let page = lena.open("/playlists").await;
        assert!(page.text(".page-header").contains("400 playlists") && !page.has("main [role=alert]"), "{}", page.html);
        assert_eq!(site.spotify.request_count(Endpoint::Token), tokens + 1);
    }
}

#[tokio::test]
async fn single_spotify_error_is_retried() {
    let site = Site::open().await;
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Html502, 1);
    let lena = sign_in_lena(&site, 10).await;
    assert_eq!((lena.open("/playlists").await.count("li.card"), count_library_calls(&site)), (10, 2));
}

#[tokio::test]
async fn metadata_older_than_thirty_days_is_deleted_and_heart_stays() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 3).await;
    let page = lena.open("/playlists").await;
    let id = page.playlist_ids().remove(0);
    let name = page.text(&format!("#p-{id} h2"));
    lena.fetch(reqwest::Method::PUT, &format!("/heart/{id}")).await;
    site.advance(Duration::from_secs(31 * 24 * 3600));
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from playlists").await, 0);
    let page = lena.open("/hearts").await;
    assert_eq!((page.text("li.card h2"), page.has("li.card img")), (name, false), "its name is the heart's title");
}

#[tokio::test]
async fn spotify_calls_are_counted() {
    let site = Site::open().await;
    sign_in_lena(&site, 120).await;
    let counted = "select calls from spotify_calls where endpoint = 'my_playlists'";
    let all = "select coalesce(sum(calls), 0)::bigint from spotify_calls";
    wait_until("the calls are written", async || site.count(all).await >= 4).await;
    assert_eq!(site.count(counted).await, 3);
    assert_eq!(site.count("select calls from spotify_calls where endpoint = 'me'").await, 1);
}

#[tokio::test]
async fn total_larger_than_items_is_no_gap() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    let page = mira.open("/playlists").await;
    assert!(!page.has("button[value=continue]"), "total says 130, 120 come, and that is all");
}

#[tokio::test]
async fn library_changed_between_fetches_has_no_gap() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 120).await;
    // Two of the first fifty have since moved further back at Spotify.
    for half in [
        "delete from playlists where position in (48, 49) or position >= 50 and position not in (60, 70)",
        "update playlists set position = case position when 60 then 48 else 49 end where position in (60, 70)",
        "update libraries set reached = 50",
    ] {
        sqlx::query(half).execute(&site.db).await.unwrap();
    }
    let page = lena.open("/playlists").await;
    assert_eq!((page.count("li.card"), page.has("button[value=continue]")), (50, true));
    lena.submit(page.form("button[value=continue]").with("action", "continue")).await;
    assert_eq!(site.count("select count(*) from playlists where position is not null").await, 118);
    assert_eq!(site.count("select max(position)::bigint from playlists").await, 117);
    for (path, cards) in [("/playlists", 50), ("/playlists?page=2", 50), ("/playlists?page=3", 18)] {
        assert_eq!(lena.open(path).await.count("li.card"), cards, "{path}");
    }
}

/// A process exceeded its fetch lease, and another one has taken over.
#[tokio::test]
async fn fetch_that_lost_its_lease_writes_nothing() {
    let site = Site::open().await;
    let lena = sign_in_lena(&site, 120).await;
    for (button, want) in [("continue", "continue"), ("refresh", "refresh")] {
        site.advance(Duration::from_secs(60));
        for half in ["delete from playlists where position >= 50", "update libraries set reached = 50"] {
            sqlx::query(half).execute(&site.db).await.unwrap();
        }
        let form = lena.open("/playlists").await.form(&format!("button[value={button}]")).with("action", want);
        site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Slow(Duration::from_secs(2)), 1);
        let taken_over = async {
            let take = "update libraries set leased_until = leased_until + interval '1 minute', fetched_at = fetched_at + interval '1 second'
                        where leased_until is not null returning fetched_at, leased_until";
            loop {
                if let Some(row) = sqlx::query_as(take).fetch_optional(&site.db).await.unwrap() {
                    break row;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let (page, theirs): (Page, (OffsetDateTime, OffsetDateTime)) = tokio::join!(lena.submit(form), taken_over);
        assert_eq!((page.status, page.count("li.card")), (200, 50), "{want}: what is kept is shown");
        assert!(!page.html.contains("up to date"), "{want}");
        let kept = "select fetched_at, leased_until from libraries where reached = 50";
        assert_eq!(sqlx::query_as(kept).fetch_optional(&site.db).await.unwrap(), Some(theirs), "{want}");
        assert_eq!(site.count("select count(*) from playlists where position is not null").await, 50, "{want}");
        sqlx::query("update libraries set leased_until = null").execute(&site.db).await.unwrap();
    }
}

#[tokio::test]
async fn first_view_waits_for_the_lease_of_a_process_that_has_died() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let lease = "insert into libraries (user_id, leased_until) values (1, now() + interval '1 second')";
    for change in ["delete from libraries", "delete from playlists", lease] {
        sqlx::query(change).execute(&site.db).await.unwrap();
    }
    let page = ada.open("/playlists").await;
    assert!(page.has("li.card") && !page.has("[role=alert]"), "{}", page.text("main"));
}

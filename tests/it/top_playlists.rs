//! The top list of most hearted playlists.

use std::time::Duration;

use fake_spotify::{Playlist, User};
use futures_util::future::join_all;
use reqwest::Method;

use crate::support::page::Page;
use crate::support::rows::{add_hearts_of_strangers, add_public_playlist};
use crate::support::visitor::Visitor;
use crate::support::{Site, wait_until};

/// Ids that are in no library.
const A: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const B: &str = "BBBBBBBBBBBBBBBBBBBBBB";
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

async fn sign_in_three(site: &Site) -> [Visitor; 3] {
    [site.sign_in("ada").await, site.sign_in("mira").await, site.sign_in("noor").await]
}

async fn add_hearts(visitors: &[Visitor], id: &str) {
    for visitor in visitors {
        assert_eq!(visitor.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200);
    }
}

/// Updates the top list and opens it signed out.
async fn open_updated_list(site: &Site, when: &str) -> Page {
    site.force_top_refresh().await;
    site.visitor().get(&format!("/top{when}")).await
}

/// Makes the lists if they are stale, or waits for the app's own job.
async fn update_lists(site: &Site) {
    site.refresh_top_if_stale().await;
    let being_made = "select count(*) from top_lists where leased_until < now() + interval '1 hour'";
    wait_until("nobody makes the lists", async || site.count(being_made).await == 0).await;
}

#[tokio::test]
async fn top_list_needs_two_hearts_and_sorts_by_count() {
    let site = Site::open().await;
    let people = sign_in_three(&site).await;
    add_public_playlist(&site, A).await;
    let empty = open_updated_list(&site, "").await;
    assert!(!empty.has(".nav a[href='/top']"), "no tab while there is nothing");
    assert!(empty.text(".empty-state").contains("once two people have hearted it"));
    add_hearts(&people[..2], A).await;
    add_hearts(&people[..1], B).await;
    let page = open_updated_list(&site, "").await;
    assert_eq!(page.playlist_ids(), [A]);
    assert!(page.has(".nav a[href='/top'][aria-current]"));
    add_hearts_of_strangers(&site, B, 3).await;
    let page = open_updated_list(&site, "").await;
    assert_eq!(page.playlist_ids(), [B, A]);
    assert!(page.text(&format!("#p-{B} .facts")).contains("4 hearts"), "{}", page.html);
    // With one heart removed there are fewer than two.
    people[0].fetch(Method::DELETE, &format!("/heart/{A}")).await;
    assert_eq!(open_updated_list(&site, "").await.playlist_ids(), [B]);
}

#[tokio::test]
async fn week_and_all_time_lists_are_plain_links() {
    let site = Site::open().await;
    let people = sign_in_three(&site).await;
    add_public_playlist(&site, A).await;
    add_hearts(&people, A).await;
    site.advance(WEEK + Duration::from_secs(60));
    sqlx::query("update playlists set seen_at = seen_at + interval '1 week'").execute(&site.db).await.unwrap();
    let people = sign_in_three(&site).await;
    assert!(open_updated_list(&site, "").await.has(".empty-state"));
    add_hearts(&people[..1], A).await;
    assert!(open_updated_list(&site, "").await.has(".empty-state"), "a heart that was given before is not new");
    let page = site.visitor().open("/top").await;
    let ever = page.attribute("nav.tabs a:not([aria-current])", "href");
    let page = site.visitor().get(&ever).await;
    assert_eq!((page.playlist_ids(), page.text("nav.tabs [aria-current]").as_str()), (vec![A.into()], "All time"));
    assert!(page.text(".facts").contains("3 hearts") && page.text(".facts").contains("0 this week"));
}

#[tokio::test]
async fn top_page_is_public_and_has_heart_buttons_for_users() {
    let site = Site::open().await;
    let people = sign_in_three(&site).await;
    add_public_playlist(&site, A).await;
    add_hearts(&people, A).await;
    add_hearts_of_strangers(&site, B, 3).await;
    let page = open_updated_list(&site, "").await;
    assert_eq!((page.count("li.card"), page.count("form.heart"), page.count("h1")), (2, 0, 1));
    assert!(page.has("nav a[href='/login?next=%2Ftop']") && page.has("nav a[href='/top'][aria-current]"));
    assert_eq!((page.header("cache-control"), page.count("li.card a[href*='/playlists/']")), ("public, max-age=30", 0));
    assert!(page.headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap().contains("cookie")));

    let inside = people[0].get("/top").await;
    assert_eq!(inside.header("cache-control"), "no-store");
    assert_eq!(inside.attribute(&format!("#p-{A} button"), "aria-pressed"), "true");
    let button = format!("#p-{B} button[aria-pressed=false]");
    let back = people[0].send_form(inside.form(&button)).await;
    back.assert_redirect(&format!("/top#p-{B}"));
    assert!(open_updated_list(&site, "").await.text(&format!("#p-{B} .facts")).contains("4 hearts"));
}

#[tokio::test]
async fn top_list_shows_only_playlists_recently_seen_as_public() {
    let site = Site::open().await;
    let people = sign_in_three(&site).await;
    let id = people[0].open("/playlists").await.playlist_ids().remove(0);
    let sql = "update playlists set public = true, name = 'Shared songs', owner_name = 'Somebody' where id = $1";
    sqlx::query(sql).bind(&id).execute(&site.db).await.unwrap();
    add_hearts(&people, &id).await;
    let requests = site.spotify.requests().len();
    let page = open_updated_list(&site, "").await;
    assert_eq!((page.text("li.card h2").as_str(), page.has("li.card img")), ("Shared songs", true));
    let link = page.attribute("li.card a.spotify-link", "href");
    assert_eq!(link, format!("https://open.spotify.com/playlist/{id}"));
    site.advance(Duration::from_secs(31 * 24 * 3600));
    let page = open_updated_list(&site, "?when=ever").await;
    assert!(!page.has("li.card"), "an id that no library has as public may be a secret link: {}", page.html);
    assert_eq!(site.spotify.requests().len(), requests, "Spotify was asked");
}

/// Attack: three friends heart a secret link, and everybody can open it.
#[tokio::test]
async fn playlist_in_nobodys_library_is_never_listed() {
    let site = Site::open().await;
    let people = sign_in_three(&site).await;
    let mut secret = Playlist::new("secret", "For three friends", &User::new("somebody").to_owner());
    secret.public = Some(true);
    site.spotify.add_user(User { library: vec![Some(secret.clone())], ..User::new("somebody") });
    for visitor in &people {
        let form = visitor.open("/hearts").await.form("#link").with("link", &secret.id);
        assert_eq!(visitor.submit(form).await.status, 200);
        assert_eq!(visitor.open(&format!("/playlists/{}", secret.id)).await.text("h1"), "For three friends");
    }
    let is_listed = async || {
        let pages = [open_updated_list(&site, "").await, open_updated_list(&site, "?when=ever").await];
        pages.map(|page| page.html.contains(&secret.id) || page.html.contains("For three friends"))
    };
    assert_eq!(is_listed().await, [false; 2], "known by its link alone");
    let owner = site.sign_in("somebody").await;
    assert_eq!(is_listed().await, [true; 2], "its owner shows it on the profile");
    site.advance(WEEK);
    assert!(!is_listed().await[1], "it may be private by now");
    owner.open("/playlists").await;
    assert!(is_listed().await[1]);
    sqlx::query("update playlists set position = null").execute(&site.db).await.unwrap();
    assert!(!is_listed().await[1], "it left the library");
}

#[tokio::test]
async fn playlist_private_for_any_user_is_never_listed() {
    let site = Site::open().await;
    let people = sign_in_three(&site).await;
    let id = people[0].open("/playlists").await.playlist_ids().remove(0);
    add_hearts(&people, &id).await;
    for (public, shown) in [(Some(false), 0), (None, 0), (Some(true), 1)] {
        let sql = "update playlists set public = $2 where id = $1";
        sqlx::query(sql).bind(&id).bind(public).execute(&site.db).await.unwrap();
        for when in ["", "?when=ever"] {
            let page = open_updated_list(&site, when).await;
            assert_eq!(page.count("li.card"), shown, "public: {public:?}");
        }
    }
    // One member knows it as private, the others as public.
    let sql = "update playlists set public = false where id = $1 and user_id = (select min(id) from users)";
    sqlx::query(sql).bind(&id).execute(&site.db).await.unwrap();
    assert_eq!(open_updated_list(&site, "").await.count("li.card"), 0);
}

#[tokio::test]
async fn heart_count_includes_own_heart_at_once() {
    let site = Site::open().await;
    let people = sign_in_three(&site).await;
    let id = people[0].open("/playlists").await.playlist_ids().remove(0);
    let count = async |visitor: &Visitor| visitor.open(&format!("/playlists/{id}")).await.text("[data-heart-count]");
    add_hearts(&people[..1], &id).await;
    assert_eq!((count(&people[0]).await.as_str(), count(&people[1]).await.as_str()), ("1", "0"));
    site.force_top_refresh().await;
    assert_eq!((count(&people[0]).await.as_str(), count(&people[1]).await.as_str()), ("1", "1"));
    add_hearts(&people[1..], &id).await;
    assert_eq!((count(&people[0]).await.as_str(), count(&people[1]).await.as_str()), ("1", "2"));
    people[0].fetch(Method::DELETE, &format!("/heart/{id}")).await;
    assert_eq!(count(&people[0]).await, "0");
    site.force_top_refresh().await;
    assert_eq!(count(&people[0]).await, "2");
    for visitor in &people {
        visitor.fetch(Method::DELETE, &format!("/heart/{id}")).await;
    }
    site.force_top_refresh().await;
    assert_eq!(site.count("select count(*) from heart_counts").await, 0, "what nobody hearts is not counted");
}

#[tokio::test]
async fn top_list_is_made_by_one_process_without_blocking_views() {
    let mut site = Site::open().await;
    let second = site.start_second_process().await;
    add_hearts_of_strangers(&site, A, 3).await;
    add_hearts_of_strangers(&site, B, 5).await;
    join_all((0..5).map(|_| site.force_top_refresh())).await;
    for base in [site.base.clone(), second] {
        assert_eq!(site.visitor().get(&format!("{base}/top")).await.playlist_ids(), [B, A]);
    }
    // A process that died while making the list still holds the lease; the old list is served.
    sqlx::query("update top_lists set leased_until = made_at + interval '60 seconds'").execute(&site.db).await.unwrap();
    site.advance(Duration::from_secs(30));
    add_hearts_of_strangers(&site, A, 9).await;
    assert_eq!(site.visitor().get("/top").await.playlist_ids(), [B, A]);
    site.advance(Duration::from_secs(60));
    assert_eq!(open_updated_list(&site, "").await.playlist_ids(), [A, B]);
}

#[tokio::test]
async fn top_list_dated_in_the_future_is_replaced() {
    let site = Site::open().await;
    site.force_top_refresh().await;
    // Before the update, since the app may make the list at any time.
    add_hearts_of_strangers(&site, A, 3).await;
    let future =
        "update top_lists set made_at = made_at + interval '1 year', leased_until = made_at + interval '1 year'";
    sqlx::query(future).execute(&site.db).await.unwrap();
    update_lists(&site).await;
    assert_eq!(site.visitor().get("/top").await.playlist_ids(), [A]);
}

#[tokio::test]
async fn slow_count_delays_the_next_refresh() {
    let site = Site::open().await;
    site.force_top_refresh().await;
    // The lock makes the update wait.
    let mut counting = site.db.begin().await.unwrap();
    sqlx::query("lock table heart_counts").execute(&mut *counting).await.unwrap();
    let longest_rest = Duration::from_secs(400);
    site.advance(longest_rest);
    let unlock = async {
        site.wait_for_blocked_query().await;
        site.refresh_top_if_stale().await; // Others look whether the lists are old, and do not wait.
        tokio::time::sleep(Duration::from_secs(1)).await;
        counting.commit().await.unwrap();
    };
    tokio::join!(update_lists(&site), unlock);
    add_hearts_of_strangers(&site, A, 3).await;
    site.advance(Duration::from_secs(16));
    update_lists(&site).await;
    assert_eq!(site.visitor().get("/top").await.count("li.card"), 0);
    site.advance(longest_rest);
    update_lists(&site).await;
    assert_eq!(site.visitor().get("/top").await.playlist_ids(), [A]);
}

#[tokio::test]
async fn disabled_top_page_is_404_and_not_in_menu() {
    let site = Site::open_with(&[("TOP_PAGE", "off")]).await;
    for visitor in [site.visitor(), site.sign_in("ada").await] {
        let page = visitor.get("/top").await;
        assert_eq!((page.status, page.has("a[href='/top']")), (404, false));
    }
}

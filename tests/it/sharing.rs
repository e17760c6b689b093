//! Public pages and secret links.

use std::time::Duration;

use fake_spotify::User;
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::sharing::{
    SETTINGS, assert_preview_image, create_secret_link, publish_page_at, set_sharing, sign_in_with_hearts,
};
use crate::support::visitor::Visitor;

const DAY: Duration = Duration::from_secs(24 * 3600);
#[tokio::test]
async fn sharing_is_off_by_default_and_previews_what_will_be_seen() {
    let site = Site::open().await;
    let (ada, ids) = sign_in_with_hearts(&site, "ada").await;
    let library = site.spotify.user("ada").unwrap().library;
    let public: Vec<_> = library.iter().flatten().filter(|list| list.public == Some(true)).collect();
    assert!(public.len() > 5 && public.len() < ids.len());
    assert_eq!(ada.open("/account").await.count("a[href='/account/sharing']"), 1);

    let page = ada.open(SETTINGS).await;
    assert_eq!(page.text("[data-visible-count]"), public.len().to_string());
    assert!(page.text("main").contains("Your name: Ada."));
    let named = page.texts("[aria-labelledby=visibility] details li").join("\n");
    for list in library.iter().flatten() {
        assert_eq!(named.contains(&list.name), list.public == Some(true), "{}", list.name);
    }
    assert!(!page.has(".copy-value"), "nothing is on");
    assert_eq!(site.visitor().get("/u/ada").await.status, 410);

    let page = publish_page_at(&ada, "ada").await;
    assert_eq!(page.flash().unwrap(), "Your public page is on.");
    assert_eq!(page.text("a.copy-value"), format!("{}/u/ada", site.base));
    let shown = site.visitor().get(&page.attribute("a.copy-value", "href")).await;
    assert_eq!((shown.status, shown.playlist_ids().len()), (200, public.len()));
    assert!(!ada.open(SETTINGS).await.has("a.copy-value[href*='/s/']"), "one switch does not move the other");
}

#[tokio::test]
async fn account_page_states_what_is_shared() {
    const SUMMARY: &str = "[aria-labelledby=sharing] p";
    const OFF: &str = "Only you can see your hearts, unless you turn on a public page or a secret link.";
    const PAGE: &str = "A public page at /u/ada-w shows your hearted public playlists to anybody.";
    const LINK: &str = "A secret link shows your hearted public playlists to anybody who has it.";
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let summaries = async || {
        let mut summaries = ada.open("/account").await.texts(SUMMARY);
        assert_eq!(summaries.pop().unwrap(), "Choose what others see");
        summaries
    };
    assert_eq!(summaries().await, [OFF]);
    publish_page_at(&ada, "ada-w").await;
    assert_eq!(summaries().await, [PAGE]);
    create_secret_link(&ada).await;
    assert_eq!(summaries().await, [PAGE, LINK]);
    set_sharing(&ada, "page", "false").await;
    assert_eq!(summaries().await, [LINK]);
    set_sharing(&ada, "link", "false").await;
    assert_eq!(summaries().await, [OFF]);
}

#[tokio::test]
async fn share_turned_off_is_410_and_looks_like_unknown_slug() {
    let mut site = Site::open().await;
    let second = site.start_second_process().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada").await;
    let link = create_secret_link(&ada).await;
    let visitor = site.visitor();
    let addresses = |path: &str| ["", "/atom.xml", "/feed.json", "/preview.png"].map(|file| format!("{path}{file}"));
    for path in addresses("/u/ada").into_iter().chain(addresses(&link)) {
        let page = visitor.get(&format!("{second}{path}")).await;
        let again = [("if-none-match", page.header("etag"))];
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(visitor.request(Method::GET, &path, &again, None).await.status, 304, "{path}");
    }
    assert_eq!(
        set_sharing(&ada, "page", "false").await.flash().unwrap(),
        "Your public page is off. Its address no longer shows anything."
    );
    assert_eq!(
        set_sharing(&ada, "link", "false").await.flash().unwrap(),
        "Your secret link is off. It no longer shows anything."
    );
    for (path, never) in [("/u/ada", "/u/nobody"), (&link, "/s/AAAAAAAAAAAAAAAAAAAAAA")] {
        for (off, unknown) in addresses(path).iter().zip(addresses(never)) {
            let (off, unknown) = (visitor.get(&format!("{second}{off}")).await, visitor.get(&unknown).await);
            assert_eq!((off.status, off.text("h1").as_str()), (410, "Nothing is shared here"));
            assert_eq!(comparable_response(&off), comparable_response(&unknown));
        }
    }
    for path in ["/u/x", "/u/admin", "/s/x", "/s/%00"] {
        assert_eq!(
            comparable_response(&visitor.get(path).await),
            comparable_response(&visitor.get("/u/nobody").await),
            "{path}"
        );
    }
}

/// Status, headers and HTML without what differs on each request.
fn comparable_response(page: &Page) -> (u16, Vec<String>, String) {
    let headers = page.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    (page.status, headers, page.html.replace(page.header("x-request-id"), ""))
}

#[tokio::test]
async fn shared_page_hides_private_unknown_and_unavailable_playlists() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 6));
    site.spotify.update_user("lena", |lena| {
        lena.library[0].as_mut().unwrap().public = Some(false);
        lena.library[1].as_mut().unwrap().public = None;
    });
    let (lena, ids) = sign_in_with_hearts(&site, "lena").await;
    lena.fetch(Method::PUT, "/heart/3cEYpjA9oz9GiPac4AsH4n").await;
    sqlx::query(
        "update user_hearts set gone_at = now(), note = 'a note of mine', tags = '{mine}' where playlist_id = $1",
    )
    .bind(&ids[2])
    .execute(&site.db)
    .await
    .unwrap();
    publish_page_at(&lena, "lena").await;
    let page = site.visitor().get("/u/lena").await;
    let mut expected = ids[3..].to_vec();
    expected.reverse();
    assert_eq!(page.playlist_ids(), expected, "newest first");
    assert_eq!(page.text(".page-header .subtitle"), "3 playlists, newest first");
    assert!(!page.html.contains("mine") && !page.html.contains("form") && !page.html.contains("Lena.test"));

    site.spotify.update_user("lena", |lena| lena.library[5].as_mut().unwrap().public = Some(false));
    site.advance(DAY);
    lena.open("/playlists").await;
    expected[0] = ids[2].clone();
    expected.rotate_left(1);
    assert_eq!(site.visitor().get("/u/lena").await.playlist_ids(), expected, "as Spotify says today");
    site.advance(31 * DAY);
    let page = site.visitor().get("/u/lena").await;
    assert_eq!((page.status, page.playlist_ids().len()), (200, 0), "what is not known lately may be private by now");
    assert!(page.text("h2").contains("Nothing to see"));
}

#[tokio::test]
async fn shared_page_is_public_cacheable_and_makes_no_spotify_call() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 55));
    let (lena, _) = sign_in_with_hearts(&site, "lena").await;
    for id in lena.open("/playlists?page=2").await.playlist_ids() {
        lena.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    publish_page_at(&lena, "lena").await;
    let (calls, sessions) = (site.spotify.requests().len(), site.count("select count(*) from sessions").await);
    let visitor = site.visitor();
    let page = visitor.get("/u/lena").await;
    assert_eq!((page.playlist_ids().len(), page.header("cache-control")), (50, "public, no-cache"));
    assert!(!page.headers.contains_key("set-cookie") && page.has("link[rel=canonical][href$='/u/lena']"));
    let next = visitor.get(&page.attribute("a[rel=next]", "href")).await;
    assert_eq!((next.status, next.playlist_ids().len()), (200, 5));
    assert!(next.has("link[rel=canonical][href$='/u/lena?page=2']"));
    visitor.get("/u/lena?page=3").await.assert_redirect("/u/lena?page=2");
    assert_eq!(lena.get("/u/lena").await.html, page.html, "the same for all, its owner included");
    for link in ["nav a[href='/hearts']", "main a[href='/account/sharing']"] {
        let path = page.attribute(link, "href");
        assert_eq!((lena.get(&path).await.status, visitor.get(&path).await.status), (200, 303), "{link}");
    }
    assert_eq!((site.spotify.requests().len(), site.count("select count(*) from sessions").await), (calls, sessions));

    let again = [("if-none-match", page.header("etag"))];
    let unchanged = visitor.request(Method::GET, "/u/lena", &again, None).await;
    assert_eq!((unchanged.status, unchanged.html.as_str(), unchanged.header("etag")), (304, "", page.header("etag")));
    lena.fetch(Method::DELETE, &format!("/heart/{}", page.playlist_ids()[0])).await;
    assert_eq!(visitor.request(Method::GET, "/u/lena", &again, None).await.status, 200, "at once");
}

#[tokio::test]
async fn shared_page_has_link_preview_metadata() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada").await;
    let page = site.visitor().get("/u/ada").await;
    let meta = |property: &str| page.attribute(&format!("meta[property='og:{property}']"), "content");
    assert_eq!((meta("title").as_str(), meta("type").as_str()), ("Ada’s hearts", "website"));
    assert_eq!(meta("url"), format!("{}/u/ada", site.base));
    assert!(meta("description").ends_with("playlists hearted by Ada."));
    assert_eq!(page.attribute("meta[name=description]", "content"), meta("description"));
    assert_preview_image(&site, &page).await;
    assert!(page.text("footer").contains("not affiliated with Spotify"));
    assert_eq!(page.count(".card a[href^='https://open.spotify.com/playlist/']"), page.playlist_ids().len());
}

#[tokio::test]
async fn secret_link_is_unguessable_unindexed_renewable_and_revocable() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    let link = create_secret_link(&ada).await;
    assert_eq!(link.len(), "/s/".len() + 22, "128 bits in base64url");
    assert_eq!(ada.open(SETTINGS).await.text("a.copy-value"), format!("{}{link}", site.base), "to be copied again");
    assert_eq!(site.count("select count(*) from shares where slug is null and octet_length(token_hash) = 32").await, 1);
    let kept: String = sqlx::query_scalar("select shares::text from shares").fetch_one(&site.db).await.unwrap();
    assert!(!kept.contains(&link["/s/".len()..]));

    for file in ["", "/atom.xml", "/feed.json", "/preview.png"] {
        let page = site.visitor().get(&format!("{link}{file}")).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("x-robots-tag"), "noindex, nofollow");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "private, no-store");
    }
    let page = site.visitor().get(&link).await;
    assert!(page.has("meta[name=robots][content='noindex, nofollow']"));
    assert!(!page.has("link[rel=canonical]"));
    let address = page.attribute("meta[property='og:url']", "content");
    assert_eq!(address, format!("{}{link}", site.base), "who sees the page has its address");
    assert_preview_image(&site, &page).await;

    let renewed = create_secret_link(&ada).await;
    assert_ne!(renewed, link);
    assert_eq!(site.visitor().get(&link).await.status, 410);
    assert_eq!(site.visitor().get(&renewed).await.status, 200);
    set_sharing(&ada, "link", "false").await;
    assert_eq!(site.visitor().get(&renewed).await.status, 410);
}

#[tokio::test]
async fn invalid_slug_is_shown_again_with_reason() {
    let site = Site::open().await;
    let (ada, noor) = (site.sign_in("ada").await, site.sign_in("noor").await);
    publish_page_at(&noor, "noor").await;
    for (typed, reason) in [
        ("a", "3 to 30 characters"),
        ("my hearts", "letters a to z"),
        ("-ada", "hyphen"),
        ("Admin", "reserved"),
        ("spotify-fan", "reserved"),
        ("<b>noor</b>", "letters a to z"),
        ("noor", "is taken"),
        ("NOOR ", "is taken"),
    ] {
        let page = publish_page_at(&ada, typed).await;
        assert_eq!((page.status, page.attribute("#slug", "value").as_str()), (422, typed));
        let refusal = page.text("#slug-error");
        assert!(refusal.contains(reason) && refusal.ends_with("Nothing was changed."), "{typed}: {refusal}");
        assert!(page.has("#slug[aria-invalid=true][aria-describedby~=slug-error][autofocus]"));
        assert!(page.text("title").contains("not turned on"));
    }
    assert_eq!(site.count("select count(*) from shares where slug is not null").await, 1);
    let page = publish_page_at(&ada, " Ada-1815 ").await;
    assert_eq!(page.text("a.copy-value"), format!("{}/u/ada-1815", site.base));
    assert_eq!(page.flash().unwrap(), "Your public page is on.");

    let refused = publish_page_at(&ada, "noor").await;
    assert_eq!((refused.status, refused.text("title").as_str()), (422, "Sharing – address not changed – Heartlist"));
    let moved = publish_page_at(&ada, "ada").await.flash().unwrap();
    assert_eq!(moved, "Your public page has its new address. The old one no longer works.");
    assert_eq!(publish_page_at(&ada, "Ada").await.flash().unwrap(), "Your public page is on.", "the same one");
}

#[tokio::test]
async fn new_page_suggests_a_free_address_by_name() {
    let site = Site::open().await;
    let (ada, noor) = (site.sign_in("ada").await, site.sign_in("noor").await);
    sqlx::query("update users set display_name = 'Zoë  O’Brien'").execute(&site.db).await.unwrap();
    let suggested = async |visitor: &Visitor| visitor.open(SETTINGS).await.attribute("#slug", "value");
    assert_eq!((suggested(&ada).await.as_str(), suggested(&noor).await.as_str()), ("zoe-o-brien", "zoe-o-brien"));
    let page = ada.submit(ada.open(SETTINGS).await.form("#slug")).await;
    assert_eq!(page.text("a.copy-value"), format!("{}/u/zoe-o-brien", site.base));
    assert_eq!(suggested(&ada).await, "", "a page that is on stays where it is");
    assert_eq!(suggested(&noor).await, "zoe-o-brien-hearts");
    set_sharing(&ada, "page", "false").await;
    assert_eq!(suggested(&ada).await, "zoe-o-brien", "still held for her");
    assert_eq!(suggested(&noor).await, "zoe-o-brien-hearts");
    site.advance(91 * DAY);
    let noor = site.sign_in("noor").await;
    sqlx::query("update users set display_name = 'Zoë O’Brien'").execute(&site.db).await.unwrap();
    assert_eq!(suggested(&noor).await, "zoe-o-brien");
    sqlx::query("update users set display_name = '☂ 雨'").execute(&site.db).await.unwrap();
    assert_eq!(suggested(&noor).await, "");
}

#[tokio::test]
async fn released_slug_is_held_for_its_owner_for_90_days() {
    let site = Site::open().await;
    let (ada, noor) = (site.sign_in("ada").await, site.sign_in("noor").await);
    publish_page_at(&ada, "ada").await;
    publish_page_at(&ada, "ada-two").await;
    assert_eq!(site.visitor().get("/u/ada").await.status, 410, "moved, and it does not say where");
    assert_eq!(site.visitor().get("/u/ada-two").await.status, 200);
    assert_eq!(publish_page_at(&noor, "ada").await.status, 422);
    assert_eq!(publish_page_at(&ada, "ada").await.status, 200, "back to what was hers");
    set_sharing(&ada, "page", "false").await;
    site.advance(89 * DAY);
    site.run_cleanup().await;
    // The session has ended meanwhile.
    let noor = site.sign_in("noor").await;
    assert_eq!(publish_page_at(&noor, "ada").await.status, 422);
    site.advance(2 * DAY);
    let (ada, noor) = (site.sign_in("ada").await, site.sign_in("noor").await);
    assert_eq!(publish_page_at(&noor, "ada").await.status, 200, "free, swept or not");
    assert_eq!(publish_page_at(&ada, "ada").await.status, 422);
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from held_slugs").await, 1);
}

#[tokio::test]
async fn user_can_hold_at_most_five_slugs() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for n in 1..=5 {
        assert_eq!(publish_page_at(&ada, &format!("ada-{n}")).await.status, 200);
    }
    let page = publish_page_at(&ada, "ada-6").await;
    assert!(page.status == 422 && page.text("#slug-error").contains("5 addresses in the last 90 days"));
    assert_eq!(site.visitor().get("/u/ada-5").await.status, 200, "the page stays where it was");
    assert_eq!(publish_page_at(&ada, "ada-1").await.status, 200);
}

#[tokio::test]
async fn concurrent_slug_requests_yield_one_owner() {
    let site = Site::open().await;
    let (ada, noor) = (site.sign_in("ada").await, site.sign_in("noor").await);
    let (one, other) = tokio::join!(publish_page_at(&ada, "us-two"), publish_page_at(&noor, "us-two"));
    let mut statuses = [one.status, other.status];
    statuses.sort();
    assert_eq!(statuses, [200, 422]);
    let (one, other) = tokio::join!(publish_page_at(&ada, "left"), publish_page_at(&ada, "right"));
    assert_eq!((one.status, other.status), (200, 200));
    let used = "select count(*) from held_slugs h join shares s on s.user_id = h.user_id where h.released_at is null and s.slug in ('left', 'right')";
    assert_eq!(site.count(used).await, 1, "two tabs: what lost is given up");
}

#[tokio::test]
async fn account_deletion_ends_shares_and_holds_slug_for_90_days() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    let noor = site.sign_in("noor").await;
    publish_page_at(&ada, "ada").await;
    let link = create_secret_link(&ada).await;
    ada.submit(ada.open("/account/delete").await.form("form[action='/account/delete']").with("confirm", "yes")).await;
    assert_eq!(site.count("select count(*) from shares").await, 0);
    assert_eq!(site.visitor().get("/u/ada").await.status, 410);
    assert_eq!(site.visitor().get(&link).await.status, 410);
    assert_eq!(publish_page_at(&noor, "ada").await.status, 422);
    site.run_cleanup().await;
    site.advance(89 * DAY);
    assert_eq!(publish_page_at(&noor, "ada").await.status, 422);
    site.advance(2 * DAY);
    site.run_cleanup().await;
    assert_eq!(site.count("select count(*) from held_slugs").await, 0);
    let noor = site.sign_in("noor").await;
    assert_eq!(publish_page_at(&noor, "ada").await.status, 200);
}

#[tokio::test]
async fn only_signed_in_users_change_their_own_sharing() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    publish_page_at(&ada, "ada").await;
    for path in ["/account/sharing/page", "/account/sharing/link"] {
        let off = || Some("on=false".to_owned());
        let page = site.visitor().request(Method::POST, path, &[], off()).await;
        assert!(page.header("location").starts_with("/login"), "{path}");
        let cross = ada.request(Method::POST, path, &[("sec-fetch-site", "cross-site")], off()).await;
        assert_eq!(cross.status, 403, "{path}");
        site.sign_in("noor").await.request(Method::POST, path, &[], off()).await;
    }
    assert_eq!(site.visitor().get(SETTINGS).await.header("location"), "/login?next=%2Faccount%2Fsharing");
    assert_eq!(site.visitor().get("/u/ada").await.status, 200);
}

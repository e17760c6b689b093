//! Adding hearts by a pasted link.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault};
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::visitor::Visitor;

const UNKNOWN_ID: &str = "3cEYpjA9oz9GiPac4AsH4n";

/// Submits `text` in the link form of the page at `path`.
async fn submit_link(visitor: &Visitor, path: &str, text: &str) -> Page {
    let page = visitor.open(path).await;
    visitor.submit(page.form("#link").with("link", text)).await
}

/// Id and name of a public playlist that `owner` has and `stranger` does not.
fn find_foreign_playlist(site: &Site, owner: &str, stranger: &str) -> (String, String) {
    let (owner, stranger) = (site.spotify.user(owner).unwrap(), site.spotify.user(stranger).unwrap());
    let known: Vec<_> = stranger.playlists().iter().map(|p| p.id.clone()).collect();
    let theirs = owner.playlists().into_iter();
    let found = theirs.filter(|p| p.public == Some(true) && !p.name.trim().is_empty()).find(|p| !known.contains(&p.id));
    found.map(|p| (p.id.clone(), p.name.clone())).unwrap()
}

#[tokio::test]
async fn pasted_link_is_hearted_with_one_spotify_call() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let (id, name) = find_foreign_playlist(&site, "mira", "ada");
    for form in [
        format!("https://open.spotify.com/playlist/{id}?si=0f9e8d7c&utm_source=copy-link"),
        format!(" <spotify:user:somebody:playlist:{id}>\n"),
        format!("open.spotify.com/intl-de/playlist/{id}"),
        format!("https://embed.spotify.com/?uri=spotify%3Aplaylist%3A{id}"),
        format!("https://api.spotify.com/v1/playlists/{id}"),
        format!("Check out this playlist! https://open.spotify.com/playlist/{id}?si=0f9e"),
        format!("<iframe src=\"https://open.spotify.com/embed/playlist/{id}\" width=\"100%\"></iframe>"),
        id.clone(),
    ] {
        let requests = site.spotify.requests().len();
        let page = ada.open("/hearts").await;
        let sent = ada.send_form(page.form("#link").with("link", &form)).await;
        sent.assert_redirect(&format!("/hearts#p-{id}"));
        let page = ada.open("/hearts").await;
        assert_eq!(page.flash().unwrap(), "Hearted.", "{form}");
        assert_eq!(page.playlist_ids(), vec![id.clone()]);
        assert_eq!(page.text("li.card h2"), name.split_whitespace().collect::<Vec<_>>().join(" "));
        assert!(site.spotify.requests().len() <= requests + 1, "{form}");
        sqlx::query("delete from user_hearts").execute(&site.db).await.unwrap();
    }
    assert_eq!(
        site.spotify.request_count(Endpoint::Playlist),
        1,
        "what was said within ten minutes is not asked again"
    );
}

#[tokio::test]
async fn every_list_page_has_the_link_form() {
    let site = Site::open().await;
    for user in ["ada", "noor"] {
        let visitor = site.sign_in(user).await;
        for path in ["/playlists", "/hearts"] {
            let page = visitor.open(path).await;
            assert_eq!(page.text("label[for=link]"), "Add by link", "{user} {path}");
            assert_eq!(page.attribute("#link", "inputmode"), "url");
            assert_eq!(page.attribute("#link", "autocomplete"), "off");
            let hint = page.attribute("#link", "aria-describedby");
            assert!(page.text(&format!("#{hint}")).contains("Copy link to playlist"));
            assert!(!page.has("#link[aria-invalid], #link[autofocus]"));
        }
    }
    assert!(!site.visitor().open("/").await.has("#link"));
}

#[tokio::test]
async fn invalid_link_is_shown_again_with_reason() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let requests = site.spotify.requests().len();
    let table = [
        ("https://open.spotify.com/album/3cEYpjA9oz9GiPac4AsH4n", "a link to an album"),
        ("spotify:artist:3cEYpjA9oz9GiPac4AsH4n", "a link to an artist"),
        ("https://spotify.link/AbC123", "a short link"),
        ("https://open.spotify.com/s/AbC123", "paste the address it leads to"),
        ("Check out this playlist! https://spoti.fi/AbC123", "paste the address it leads to"),
        ("https://link.tospotify.com/AbC123", "a short link"),
        ("https://open.spotify.com/collection/tracks", "a link to Liked Songs"),
        ("spotify:user:ada:folder:0123456789abcdef", "a link to a folder"),
        ("https://open.spotify.com/search/rain", "another page of Spotify"),
        ("https://open.spotify.com/playlist/3cEYpjA9oz9GiPac4AsH4", "incomplete"),
        ("https://example.org/playlist/3cEYpjA9oz9GiPac4AsH4n", "not a Spotify link"),
        ("\"><script>alert(1)</script>", "not a Spotify playlist link"),
        ("  ", "Paste a playlist link first"),
    ];
    for ((text, reason), path) in table.into_iter().zip(["/hearts", "/playlists"].into_iter().cycle()) {
        let page = submit_link(&ada, path, text).await;
        assert_eq!((page.status, page.text("h1").as_str()), (422, "Add by link"), "{text}");
        assert_eq!(page.attribute(".back-link a", "href"), path, "the way back");
        assert!(page.text("title").contains("not hearted"));
        assert_eq!(page.text("#link"), text.trim(), "what was typed is kept");
        assert!(page.has("#link[aria-invalid=true][autofocus]"));
        let described = page.attribute("#link", "aria-describedby");
        assert!(described.split(' ').any(|id| page.text(&format!("#{id}")).contains(reason)), "{text}: {reason}");
        let is_spotify = text.to_lowercase().contains("spoti");
        assert!(!is_spotify || !page.text("main").contains("Copy link"), "{text}: that is what the person did");
    }
    assert_eq!((site.count_hearts().await, site.spotify.requests().len()), (0, requests), "nothing was followed");
    assert_eq!(submit_link(&ada, "/hearts", UNKNOWN_ID).await.status, 422);
}

#[tokio::test]
async fn rejected_link_can_be_corrected_and_leads_back_to_its_list() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    let page = submit_link(&mira, "/playlists?page=2", "nonsense").await;
    assert_eq!((page.status, page.attribute(".back-link a", "href").as_str()), (422, "/playlists?page=2"));
    let again = mira.submit(page.form("#link").with("link", "still nonsense")).await;
    assert_eq!(again.text("#link"), "still nonsense");
    assert_eq!(again.attribute(".back-link a", "href"), "/playlists?page=2", "also after a second try");
    for foreign in ["/account", "https://evil.example/", ""] {
        let page = mira.submit(again.form("#link").with("from", foreign)).await;
        assert_eq!((page.status, page.attribute(".back-link a", "href").as_str()), (422, "/playlists"), "{foreign}");
    }
    let bare = mira.request(Method::POST, "/hearts", &[], Some(String::new())).await;
    assert!(bare.status == 422 && bare.text("#link-error").contains("Paste a playlist link first"));
    let corrected = mira.submit(again.form("#link").with("link", UNKNOWN_ID)).await;
    assert_eq!((corrected.status, site.count_hearts().await), (422, 0), "Spotify does not show this one");
}

#[tokio::test]
async fn playlist_hidden_by_spotify_is_not_hearted() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    for link in [UNKNOWN_ID, "37i9dQZF1DXcBWIGoYBM5M"] {
        let page = submit_link(&ada, "/playlists", link).await;
        assert_eq!((page.status, page.text("#link").as_str()), (422, link));
        assert!(page.text("#link-error").contains("Spotify does not show this playlist"));
    }
    assert_eq!((site.count_hearts().await, site.spotify.request_count(Endpoint::Playlist)), (0, 2));
}

#[tokio::test]
async fn link_is_hearted_without_name_during_spotify_outage() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let faults = [
        Fault::Html502,
        Fault::QuotaExceeded,
        Fault::RateLimited { retry_after: 80_000 },
        Fault::Status(403, "Active premium subscription required".into(), "text/plain"),
        Fault::NotJson,
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        site.spotify.inject_fault(Endpoint::Playlist, fault.clone(), 10);
        let page = submit_link(&ada, "/hearts", &format!("spotify:playlist:{n:022}")).await;
        assert_eq!(page.status, 200, "{fault:?}");
        assert!(page.flash().unwrap().starts_with("Hearted, but Spotify did not tell its name"), "{fault:?}");
        assert_eq!(page.text(&format!("#p-{n:022} h2")), format!("Playlist 0000…{n:04}"));
        site.spotify.reset();
    }
    assert_eq!(site.count_hearts().await, 5);
}

#[tokio::test]
async fn link_is_hearted_without_access_token() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let known = ada.open("/playlists").await.playlist_ids().remove(0);
    site.spotify.revoke_access("ada");
    site.advance(Duration::from_secs(3601));
    let page = submit_link(&ada, "/hearts", UNKNOWN_ID).await;
    assert!(page.status == 200 && page.flash().unwrap().contains("did not tell its name"));
    let page = submit_link(&ada, "/hearts", &known).await;
    assert_eq!(page.flash().unwrap(), "Hearted.", "its name is known from before");
    assert_eq!((page.playlist_ids(), page.has("h2 a.name")), (vec![known, UNKNOWN_ID.into()], true));
}

#[tokio::test]
async fn pasting_a_hearted_link_keeps_first_date() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.fetch(Method::PUT, &format!("/heart/{UNKNOWN_ID}")).await;
    let date = || async {
        sqlx::query_scalar::<_, time::OffsetDateTime>("select hearted_at from user_hearts where removed_at is null")
            .fetch_one(&site.db)
            .await
            .unwrap()
    };
    let first = date().await;
    site.advance(Duration::from_secs(60));
    let page = submit_link(&ada, "/hearts", UNKNOWN_ID).await;
    assert!(
        page.flash().unwrap().starts_with("You have already hearted this playlist"),
        "although Spotify shows it no more"
    );
    assert_eq!((page.url.path(), page.count("h1 ~ .facts .hearted-at")), (&*format!("/playlists/{UNKNOWN_ID}"), 1));
    assert_eq!((date().await, site.count_hearts().await), (first, 1));
}

#[tokio::test]
async fn link_pasted_signed_out_is_hearted_after_sign_in() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let page = ada.open("/hearts").await;
    let form = page.form("#link").with("link", &format!("https://open.spotify.com/playlist/{UNKNOWN_ID}?si=1"));
    ada.submit(ada.open("/logout").await.form("main form")).await;
    let sent = ada.send_form(form).await;
    sent.assert_redirect(&format!("/login?next=%2Fhearts&heart={UNKNOWN_ID}"));
    assert_eq!(site.count_hearts().await, 0);
    let page = ada.sign_in_at(sent.header("location"), "ada").await;
    assert_eq!((page.url.path(), page.playlist_ids()), ("/hearts", vec![UNKNOWN_ID.to_owned()]));
}

#[tokio::test]
async fn cross_site_link_form_is_refused() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let headers = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    let sent = ada.request(Method::POST, "/hearts", &headers, Some(format!("link={UNKNOWN_ID}"))).await;
    assert_eq!((sent.status, site.count_hearts().await), (403, 0));
}

#[tokio::test]
async fn many_links_are_added_at_once() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mira = site.spotify.user("mira").unwrap();
    let ids: Vec<_> =
        mira.playlists().into_iter().filter(|p| p.public == Some(true)).take(3).map(|p| p.id.clone()).collect();
    let [first, second, third] = &ids[..] else { panic!() };
    let links = format!("\r\n  spotify:playlist:{first}\r\n\r\nhttps://open.spotify.com/playlist/{second}?si=1\r\n");
    let page = submit_link(&ada, "/add", &(links + first.as_str())).await;
    assert_eq!((page.url.path(), page.flash().unwrap().as_str()), ("/hearts", "Added 2 hearts."), "one is repeated");
    let mut added = page.playlist_ids();
    added.sort();
    let mut expected = vec![first.clone(), second.clone()];
    expected.sort();
    assert_eq!(added, expected);

    let idea = "an <i>idea</i> ".repeat(10);
    let links = format!("{second}\nhttps://open.spotify.com/album/{first}\n{third}\n{UNKNOWN_ID}\n{idea}");
    let page = submit_link(&ada, "/add", &links).await;
    assert_eq!((page.status, page.text("main [role=status]").as_str()), (422, "1 added. The rest needs a look:"));
    let kept = page.form("#link").fields["link"].clone();
    assert_eq!(kept, format!("https://open.spotify.com/album/{first}\n{UNKNOWN_ID}\n{idea}"));
    let quoted = page.texts("#link-error q");
    assert_eq!(quoted, [&format!("https://open.spotify.com/album/{first}"), UNKNOWN_ID, &format!("{}…", &idea[..80])]);
    let errors = page.texts("#link-error li");
    assert_eq!(errors.len(), 3);
    for (error, part) in
        errors.iter().zip(["a link to an album", "does not show this playlist", "not a Spotify playlist"])
    {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(site.count_hearts().await, 3);
    let page = submit_link(&ada, "/add", &format!("{first}\n{second}")).await;
    assert_eq!(page.flash().unwrap(), "Added: 0. Already hearted: 2.");

    let many: Vec<_> = (0..21).map(|n| format!("spotify:playlist:{n:022}")).collect();
    let page = submit_link(&ada, "/add", &many.join("\n")).await;
    assert!(page.status == 422 && page.text("#link-error").starts_with("Add up to 20 links at a time."));
    assert_eq!(
        (&page.form("#link").fields["link"], site.count_hearts().await),
        (&many.join("\n"), 3),
        "nothing is lost"
    );
}

#[tokio::test]
async fn many_links_are_added_without_names_while_spotify_does_not_answer() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    site.spotify.inject_fault(Endpoint::Playlist, Fault::Html502, 100);
    let links: Vec<_> = (0..20).map(|n| format!("spotify:playlist:{n:022}")).collect();
    let page = submit_link(&ada, "/add", &links.join("\n")).await;
    assert_eq!((page.flash().unwrap().as_str(), page.count("li.card")), ("Added 20 hearts.", 20));
}

#[tokio::test]
async fn shared_link_is_shown_and_added_only_when_confirmed() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let known = ada.open("/playlists").await.playlist_ids().remove(0);
    let name = ada.open(&format!("/playlists/{known}")).await.text("h1");
    let requests = site.spotify.requests().len();
    let link = format!("https://open.spotify.com/playlist/{known}");
    let shared = |fields: &[(&str, &str)]| {
        format!("/add?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
    };
    for fields in [
        vec![("link", link.as_str())],
        vec![("title", "Spotify"), ("text", "Check this out!"), ("url", &format!("{link}?si=0f9e"))],
        vec![("title", "A playlist"), ("text", &format!("Check this out!\n{link}?si=1")), ("url", "")],
        vec![("link", " "), ("title", &format!("spotify:playlist:{known}"))],
    ] {
        let page = ada.open(&shared(&fields)).await;
        assert_eq!((page.status, page.text("#link")), (200, link.clone()), "{fields:?}");
        assert!(page.text(".link-preview").contains(&name) && !page.has("#link[aria-invalid]"), "{fields:?}");
    }
    assert_eq!(
        (site.count_hearts().await, site.spotify.requests().len()),
        (0, requests),
        "a GET changes and asks nothing"
    );
    let page = ada.submit(ada.open(&shared(&[("text", &link)])).await.form("#link")).await;
    assert_eq!((page.flash().unwrap().as_str(), page.playlist_ids()), ("Hearted.", vec![known]));
    assert!(ada.open(&shared(&[("url", &link)])).await.text(".link-preview").contains("already hearted"));

    for (fields, reason) in [
        (vec![("text", "https://spotify.link/AbC123")], "a short link"),
        (vec![("url", "https://open.spotify.com/album/3cEYpjA9oz9GiPac4AsH4n")], "a link to an album"),
        (vec![("title", "\"><script>alert(1)</script>")], "not a Spotify playlist link"),
    ] {
        let page = ada.open(&shared(&fields)).await;
        assert!(page.status == 200 && page.text("#link-error").contains(reason), "{fields:?}");
    }
    let empty = ada.open("/add").await;
    assert!(empty.text("#link").is_empty() && !empty.has(".field-error, .link-preview"));
}

#[tokio::test]
async fn link_shared_signed_out_returns_after_sign_in() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let path = format!("/add?url=https%3A%2F%2Fopen.spotify.com%2Fplaylist%2F{UNKNOWN_ID}");
    let sent = visitor.get(&path).await;
    let page = visitor.sign_in_at(sent.header("location"), "ada").await;
    assert_eq!(
        (page.url.path(), page.text("#link")),
        ("/add", format!("https://open.spotify.com/playlist/{UNKNOWN_ID}"))
    );
    assert_eq!(site.count_hearts().await, 0);
}

#[tokio::test]
async fn manifest_names_icons_and_share_target() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let manifest_path = visitor.open("/").await.attribute("link[rel=manifest]", "href");
    let response = visitor.get(&manifest_path).await;
    assert_eq!(response.header("content-type"), "application/manifest+json");
    let manifest = response.json();
    for icon in manifest["icons"].as_array().unwrap() {
        let image = visitor.get(icon["src"].as_str().unwrap()).await;
        assert_eq!((image.status, image.header("content-type")), (200, "image/png"), "{icon}");
    }
    assert!(manifest["icons"].as_array().unwrap().iter().any(|icon| icon["purpose"] == "maskable"));
    let target = &manifest["share_target"];
    assert_eq!((target["action"].as_str(), target["method"].as_str()), (Some("/add"), Some("GET")));
    let user = site.sign_in("ada").await;
    for path in [&manifest["start_url"], &manifest["shortcuts"][0]["url"], &manifest["shortcuts"][1]["url"]] {
        assert_eq!(user.get(path.as_str().unwrap()).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn links_count_towards_the_limit_one_by_one() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let links = |from: usize, count: usize| {
        (from..from + count).map(|n| format!("spotify:playlist:{n:022}")).collect::<Vec<_>>().join("\n")
    };
    site.spotify.inject_fault(Endpoint::Playlist, Fault::Html502, 100);
    assert_eq!(submit_link(&ada, "/add", &links(0, 15)).await.flash().unwrap(), "Added 15 hearts.");
    let page = submit_link(&ada, "/add", &links(100, 6)).await;
    assert_eq!((page.status, &page.form("#link").fields["link"]), (429, &links(100, 6)), "nothing is lost");
    let error = page.text("#link-error");
    assert!(
        error.starts_with("Too many hearts by link at once: the limit is 20 in a minute. Try again in "),
        "{error}"
    );
    assert!(page.header("retry-after").parse::<u32>().is_ok_and(|seconds| error.contains(&seconds.to_string())));
    assert_eq!(submit_link(&ada, "/add", &links(100, 4)).await.flash().unwrap(), "Added 4 hearts.");
    site.advance(Duration::from_secs(60));
    assert_eq!(submit_link(&ada, "/add", &links(200, 20)).await.flash().unwrap(), "Added 20 hearts.");
    assert_eq!(site.count_hearts().await, 39);
}

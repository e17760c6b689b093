//! Names of playlists, people and songs: what shows nothing, and the order by name. Addresses of covers.

use fake_spotify::{Artwork, Owner, Playlist, User};
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::sharing::publish_page_at;
use crate::support::visitor::Visitor;

/// Names that show nothing: fillers, blanks, joiners, direction marks, a mark without a letter.
const INVISIBLE: [&str; 7] =
    ["\u{3164}", "\u{2800}", "\u{200b}", "\u{ad}", "\u{202e}\u{2067}", " \u{a0}\u{feff}", "\u{301}"];

/// Signs in as a user with public playlists of these names.
async fn sign_in_with_playlists(site: &Site, user: User, names: &[&str]) -> Visitor {
    let playlists =
        (0..).zip(names).map(|(n, name)| Some(Playlist::new(&format!("{} {n}", user.key), name, &user.to_owner())));
    let key = user.key.clone();
    site.spotify.add_user(User { library: playlists.collect(), ..user });
    site.sign_in(&key).await
}

#[tokio::test]
async fn invisible_names_have_substitutes_everywhere() {
    let site = Site::open().await;
    let nobody = User { display_name: Some("\u{3164}\u{2800}".into()), ..User::new("nobody") };
    let name = nobody.id.clone();
    let nobody = sign_in_with_playlists(&site, nobody, &INVISIBLE).await;
    let page = nobody.open("/playlists").await;
    let ids = page.playlist_ids();
    assert_eq!(page.texts("h2 .name"), vec!["Untitled playlist"; INVISIBLE.len()]);
    assert_eq!(page.attributes("form.heart button", "aria-label"), vec!["Heart Untitled playlist"; INVISIBLE.len()]);
    assert_eq!(page.texts(".facts bdi"), vec!["You"; INVISIBLE.len()]);
    for id in &ids {
        assert_eq!(nobody.fetch(Method::PUT, &format!("/heart/{id}")).await.status, 200);
    }
    assert!(nobody.open(&format!("/playlists/{}", ids[0])).await.text("title").starts_with("Untitled playlist"));
    assert!(nobody.open("/account").await.text("main").contains(&name));
    publish_page_at(&nobody, "nobody-here").await;
    for path in [
        "/u/nobody-here", "/u/nobody-here/atom.xml", "/u/nobody-here/feed.json", "/hearts/export.csv",
        "/hearts/export.json",
    ] {
        let file = nobody.get(path).await;
        assert!(
            file.status == 200 && !INVISIBLE[..5].iter().any(|name| file.html.contains(name)),
            "{path}: {}",
            file.html
        );
    }
    let page = nobody.get("/u/nobody-here").await;
    assert!(page.text("h1").starts_with(&format!("{name}’s hearts")));
    assert_eq!(page.texts(".facts bdi"), vec![name; INVISIBLE.len()], "the id replaces the name");
    assert_eq!(nobody.get("/u/nobody-here/feed.json").await.json()["items"][0]["title"], "Untitled playlist");
}

#[tokio::test]
async fn invisible_names_stored_before_have_substitutes() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    publish_page_at(&ada, "ada").await;
    for name in INVISIBLE {
        for column in ["playlists set name = $1, owner_name = $1", "users set display_name = $1"] {
            let update = sqlx::AssertSqlSafe(format!("update {column}"));
            sqlx::query(update).bind(name).execute(&site.db).await.unwrap();
        }
        let page = ada.open("/hearts").await;
        assert_eq!(page.text("h2 .name"), "Untitled playlist", "{name:?}");
        assert!(ada.open("/account").await.text("main").contains("listener"), "{name:?}");
        let page = ada.open("/u/ada").await;
        assert_eq!((page.text("h1").as_str(), page.count(".facts bdi")), ("listener’s hearts", 0), "{name:?}");
    }
}

#[tokio::test]
async fn only_clean_https_addresses_of_picture_hosts_are_covers() {
    let site = Site::open().await;
    let lena = User::new("lena");
    let artwork = [
        (Artwork::Mosaic, true),
        (Artwork::At("https://i.scdn.co/image/ab67616d"), true),
        (Artwork::At("https://image-cdn-ak.spotifycdn.com/image/ab67"), true),
        (Artwork::At("http://i.scdn.co/image/ab67616d"), false),
        (Artwork::At("https://i.scdn.co.evil.example/x"), false),
        (Artwork::At("https://user@i.scdn.co/x"), false),
        (Artwork::At("https://i.scdn.co:8443/x"), false),
        (Artwork::At("https://evil.example/i.scdn.co"), false),
        (Artwork::At("https://evilscdn.co/x"), false),
        (Artwork::At("https://i.scdn.co/a b"), false),
        (Artwork::At("https://i.scdn.co/\u{202e}x"), false),
        (Artwork::At("javascript:alert(1)"), false),
        (Artwork::At("//i.scdn.co/x"), false),
        (Artwork::At(""), false),
    ];
    let playlist =
        |n: usize| Playlist { artwork: artwork[n].0, ..Playlist::new(&n.to_string(), "Rain", &lena.to_owner()) };
    let library = (0..artwork.len()).map(|n| Some(playlist(n))).collect();
    site.spotify.add_user(User { library, ..lena.clone() });
    let page = site.sign_in("lena").await.open("/playlists").await;
    for (n, (artwork, is_cover)) in artwork.into_iter().enumerate() {
        let id = playlist(n).id;
        assert_eq!(page.has(&format!("#p-{id} .cover img")), is_cover, "{artwork:?}");
    }
    let policy = page.header("content-security-policy");
    let sources = policy.split("; ").find(|rule| rule.starts_with("img-src ")).unwrap();
    assert_eq!(sources, format!("img-src 'self' https://*.scdn.co https://*.spotifycdn.com {}", site.spotify_url()));
}

fn names(page: &Page) -> Vec<String> {
    page.texts("li.card h2")
}

#[tokio::test]
async fn names_sort_by_number_without_case_and_accents() {
    let site = Site::open().await;
    let sorted = [
        "7 Rooms", "10 Rooms", "été 9", "Ete 12", "mix", "Mix 2", "MIX 2 b", "mix ٣", "Mix 010", "Mix 11",
        "mix 99999999999", "Volume 9.9", "Volume 9.10", "йод", "\u{3164}",
    ];
    let mut shuffled = sorted;
    shuffled.reverse();
    shuffled.swap(2, 9);
    let user = sign_in_with_playlists(&site, User::new("user"), &shuffled).await;
    let expected = [&sorted[..14], &["Untitled playlist"]].concat();
    assert_eq!(names(&user.open("/playlists?sort=name").await), expected);
    for id in user.open("/playlists").await.playlist_ids() {
        user.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    assert_eq!(names(&user.open("/hearts?sort=name").await), expected);
    sqlx::query("update playlists set name_folded = null").execute(&site.db).await.unwrap();
    let unfolded = names(&user.open("/playlists?sort=name").await);
    assert_eq!(unfolded[..2], ["7 Rooms", "10 Rooms"], "rows without a folded form too");
}

#[tokio::test]
async fn order_by_number_holds_across_pages_and_for_owners() {
    let site = Site::open().await;
    let owner = |n: usize| Owner { id: format!("owner{n}"), display_name: Some(format!("Owner {n}")) };
    let playlist = |n: usize| Some(Playlist::new(&n.to_string(), &format!("Mix {n}"), &owner(n / 10)));
    let lena = User { library: (0..120).rev().map(playlist).collect(), ..User::new("lena") };
    site.spotify.add_user(lena);
    let lena = site.sign_in("lena").await;
    let expected: Vec<_> = (0..120).map(|n| format!("Mix {n}")).collect();
    for sort in ["name", "owner"] {
        let mut all = Vec::new();
        for page in 1..=3 {
            all.extend(names(&lena.open(&format!("/playlists?sort={sort}&page={page}")).await));
        }
        assert_eq!(all, expected, "{sort}");
    }
}

#[tokio::test]
async fn names_sort_in_the_first_language_that_the_browser_accepts() {
    let site = Site::open().await;
    let user = sign_in_with_playlists(&site, User::new("user"), &["Zebra", "Ål", "Ñandú", "Oso", "Nube"]).await;
    for id in user.open("/playlists").await.playlist_ids() {
        user.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    for (accepted, sorted) in [
        ("en-GB,en;q=0.9,sv;q=0.8", ["Ål", "Ñandú", "Nube", "Oso", "Zebra"]),
        ("sv-SE,sv;q=0.9,en;q=0.8", ["Ñandú", "Nube", "Oso", "Zebra", "Ål"]),
        ("es", ["Ål", "Nube", "Ñandú", "Oso", "Zebra"]),
        ("nb;q=0.5, en", ["Ñandú", "Nube", "Oso", "Zebra", "Ål"]),
        ("*", ["Ål", "Ñandú", "Nube", "Oso", "Zebra"]),
        ("sv\u{e5},,;q=x", ["Ål", "Ñandú", "Nube", "Oso", "Zebra"]),
    ] {
        for path in
            ["/playlists?sort=name", "/hearts?sort=name", "/playlists?sort=owner", "/hearts?sort=name&q=owner:me"]
        {
            let page = user.request(Method::GET, path, &[("accept-language", accepted)], None).await;
            assert_eq!(names(&page), sorted, "{accepted} {path}");
        }
    }
}

//! Page ranges of a list, and the link back from a playlist page.

use fake_spotify::User;

use crate::support::Site;

#[tokio::test]
async fn page_range_has_its_own_address() {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 620));
    let lena = site.sign_in("lena").await;
    let read_list = async |path: &str| {
        let page = lena.open(path).await;
        let links = [page.attributes("a[rel=prev]", "href"), page.attributes("a[rel=next]", "href")].concat();
        (page.count("li.card"), page.text(".pager p"), links)
    };
    let (cards, label, links) = read_list("/playlists?sort=name&page=2-3").await;
    assert_eq!((cards, label.as_str()), (100, "Pages 2 to 3 of 13"));
    assert_eq!(links, ["/playlists?sort=name", "/playlists?sort=name&page=4"]);
    let (cards, label, links) = read_list("/playlists?page=12-14").await;
    assert_eq!((cards, label.as_str()), (70, "Pages 12 to 13 of 13"), "the list has become shorter");
    assert_eq!(links, ["/playlists?page=11"]);
    let (cards, label, _) = read_list("/playlists?page=1-13").await;
    assert_eq!((cards, label.as_str()), (470, "Pages 4 to 13 of 13"), "at most ten together, the last of them");
    assert_eq!(lena.open("/playlists?page=14-15").await.status, 404);
    assert_eq!(read_list("/playlists?page=3-2").await.1, "Page 1 of 13");
    let page = lena.open("/playlists?q=owner:me&page=1-2").await;
    assert_eq!((page.count("li.card"), page.text(".pager p").as_str()), (100, "Pages 1 to 2 of 13"));
    let back = lena.submit(page.form("li.card:nth-child(80) form.heart")).await;
    assert_eq!(
        (back.count("li.card"), back.count(".heart [aria-pressed=true]")),
        (100, 1),
        "a heart returns to all of it"
    );
}

#[tokio::test]
async fn playlist_page_links_back_to_list_position() {
    let site = Site::open().await;
    let mira = site.sign_in("mira").await;
    let usual = mira.open("/playlists").await;
    let id = usual.playlist_ids().remove(4);
    let plain = format!("/playlists/{id}");
    assert_eq!(usual.attribute(&format!("#p-{id} a.name"), "href"), plain);
    let page = mira.open(&plain).await;
    assert_eq!(page.attribute(".back-link a", "href"), format!("/playlists#p-{id}"));
    mira.submit(page.form(".detail form.heart")).await;

    let lists = [
        ("/playlists?q=owner%3Ame&sort=name&view=list&page=1-2", "Playlists"),
        ("/hearts", "Hearts"),
        ("/hearts?sort=usual&dir=reverse", "Hearts"),
    ];
    for (path, name) in lists {
        let list = mira.open(path).await;
        let page = mira.open(&list.attribute(".card:last-child a.name", "href")).await;
        let back = format!("{path}#{}", list.attributes(".card", "id").pop().unwrap());
        assert_eq!((page.text(".back-link a").as_str(), page.attribute(".back-link a", "href")), (name, back.clone()));
        assert_eq!(page.text("nav.nav [aria-current]"), name, "the menu says where one is");
        let pressed = mira.submit(page.form(".detail form.heart")).await;
        assert_eq!(pressed.attribute(".back-link a", "href"), back, "a heart does not lose it");
        mira.submit(pressed.form(".detail form.heart")).await;
    }
    for foreign in ["//evil.example", "https://evil.example", "/%2fevil.example", "/logout", "/account", "javascript:x"]
    {
        let from = url::form_urlencoded::byte_serialize(foreign.as_bytes()).collect::<String>();
        let page = mira.open(&format!("{plain}?from={from}")).await;
        assert_eq!(page.attribute(".back-link a", "href"), format!("/playlists#p-{id}"), "{foreign}");
    }
}

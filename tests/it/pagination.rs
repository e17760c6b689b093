//! Page ranges of a list, and the link back from a playlist page.

use fake_spotify::{Endpoint, Fault, User};
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::rows::SIXTY_HEARTS;

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
    assert_eq!(lena.open("/playlists?page=14-15").await.text(".pager p"), "Page 13 of 13", "the last one");
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
async fn emptied_last_page_leads_to_the_one_before_with_its_message() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    sqlx::query(SIXTY_HEARTS).execute(&site.db).await.unwrap();
    let last = "/hearts?view=list&page=2";
    let page = ada.open(&format!("{last}&select=1")).await;
    let ids = page.attributes(".card > input[type=checkbox]", "value");
    assert_eq!(ids.len(), 10);
    let remove = async |ids: &[String]| {
        let mut body = url::form_urlencoded::Serializer::new("action=remove".to_owned());
        let body = body.append_pair("from", last).extend_pairs(ids.iter().map(|id| ("id", id))).finish();
        let sent = ada.post("/hearts/bulk", &body).await;
        ada.open(sent.header("location")).await
    };
    let emptied = remove(&ids).await;
    assert_eq!((emptied.status, emptied.flash().unwrap().as_str()), (200, "10 hearts removed."));
    assert_eq!((emptied.url.query(), emptied.count("li.card")), (Some("view=list"), 50));
    let undone = ada.submit(emptied.form(".flash form")).await;
    assert_eq!(undone.flash().unwrap(), "Undone for 10 hearts.");

    remove(&ids[1..]).await;
    let alone = ada.submit(ada.open(last).await.form("form.heart")).await;
    assert_eq!(
        (alone.status, alone.url.query(), alone.text(".flash button").as_str()),
        (200, Some("view=list"), "Undo")
    );
    sqlx::query("update user_hearts set removed_at = now() where removed_at is null").execute(&site.db).await.unwrap();
    for left in (50..60).rev() {
        let page = ada.open("/hearts/removed?page=2").await;
        let restored = ada.submit(page.form(".removed-list button[value=restore]")).await;
        let expected = (200, (left > 50).then_some("page=2"));
        assert_eq!((restored.status, restored.url.query()), expected, "{left}");
        assert!(restored.flash().unwrap().starts_with("Heart restored"));
    }
    let found = ada.open("/hearts?q=is%3Aunavailable&page=3").await;
    assert_eq!((found.status, found.url.query(), found.count("li.card")), (200, Some("q=is%3Aunavailable"), 10));
}

#[tokio::test]
async fn added_heart_is_shown_whatever_its_place_in_the_list() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let id = ada.open("/playlists").await.playlist_ids().remove(0);
    sqlx::query(SIXTY_HEARTS).execute(&site.db).await.unwrap();
    ada.submit(ada.open("/hearts").await.form("form.display").with("sort", "name")).await;
    let add = async |id: &str| ada.submit(ada.open("/hearts").await.form("#link").with("link", id)).await;
    let assert_shown = |page: &Page, id: &str, message: &str| {
        assert_eq!(page.flash().unwrap(), message);
        assert!(page.has(&format!("#p-{id} [aria-pressed=true]")), "{}", page.url);
    };
    assert_shown(&add(&id).await, &id, "Hearted.");
    site.spotify.inject_fault(Endpoint::Playlist, Fault::Html502, 10);
    let unnamed = "3cEYpjA9oz9GiPac4AsH4n";
    let page = add(unnamed).await;
    assert!(page.has(&format!("#p-{unnamed} form[action$=annotation]")), "the form for a title");
    site.spotify.reset();

    let old = "update user_hearts set hearted_at = now() - interval '3 years' where playlist_id = $1";
    sqlx::query(old).bind(&id).execute(&site.db).await.unwrap();
    let message = "You have already hearted this playlist. Its date is unchanged.";
    assert_shown(&add(&id).await, &id, message);
    ada.fetch(Method::DELETE, &format!("/heart/{id}")).await;
    let page = add(&id).await;
    assert_eq!(page.attribute(".back-link a", "href"), format!("/hearts#p-{id}"));
    assert_shown(&page, &id, "Hearted again, with its date, title, note and tags.");
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

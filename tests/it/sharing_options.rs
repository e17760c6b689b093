//! What shared pages show by choice: tags, notes, a card for other sites; and what visitors can do there.

use std::time::Duration;

use fake_spotify::User;
use reqwest::Method;

use crate::support::Site;
use crate::support::page::Page;
use crate::support::raw_http::get_raw;
use crate::support::sharing::{
    SETTINGS, create_secret_link, publish_page_at, set_option, set_sharing, share_tag, sign_in_with_hearts,
};
use crate::support::visitor::Visitor;

/// Six hearts, all public but the first, which has the tag as well, with a public page at `/u/lena`. The ids are the
/// oldest first.
async fn open_tagged(tag: &str) -> (Site, Visitor, Vec<String>) {
    let site = Site::open().await;
    site.spotify.add_user(User::with_library("lena", 6));
    site.spotify.update_user("lena", |lena| lena.library[0].as_mut().unwrap().public = Some(false));
    let (lena, ids) = sign_in_with_hearts(&site, "lena").await;
    for id in &ids[..3] {
        lena.annotate(id, "note of the owner", tag).await;
    }
    publish_page_at(&lena, "lena").await;
    (site, lena, ids)
}

fn assert_not_shared(page: &Page) {
    assert_eq!((page.status, page.text("h1").as_str()), (410, "Nothing is shared here"), "{}", page.url);
}

#[tokio::test]
async fn tag_has_a_page_and_feeds_once_it_is_shared() {
    let (site, lena, ids) = open_tagged("Late Night, secret").await;
    let link = create_secret_link(&lena).await;
    let visitor = site.visitor();
    let unknown = visitor.get("/u/nobody/tags/late%20night").await;
    for path in ["/u/lena/tags/late%20night", "/u/lena/tags/none", "/u/lena/tags/%ff", "/u/lena/tags/secret/feed.json"]
    {
        let page = visitor.get(path).await;
        assert_not_shared(&page);
        assert_eq!(page.html.len(), unknown.html.len(), "{path}");
    }
    assert!(!visitor.get("/u/lena").await.html.contains("Late Night"));

    let page = share_tag(&lena, "#late night").await;
    assert_eq!(page.flash().unwrap(), "The tag “Late Night” is shared. Its page is below.");
    let urls = page.attributes("[aria-labelledby=tags] .record-list a", "href");
    assert_eq!(
        urls,
        [format!("{}/u/lena/tags/late%20night", site.base), format!("{}{link}/tags/late%20night", site.base)]
    );
    let newest_first = [ids[2].clone(), ids[1].clone()];
    for url in &urls {
        let page = visitor.get(url.strip_prefix(&site.base).unwrap()).await;
        assert_eq!(page.playlist_ids(), newest_first, "the private one is not there");
        assert_eq!(page.text("h1"), "Lena’s hearts: Late Night");
        let description = page.attribute("meta[property='og:description']", "content");
        assert_eq!(description, "2 playlists tagged “Late Night” and hearted by Lena.");
        assert!(!page.html.contains("secret") && !page.html.contains("note of"));
        let feed = visitor.get(&page.attribute("link[type='application/feed+json']", "href")).await.json();
        assert_eq!(
            (feed["title"].as_str(), feed["items"].as_array().map(Vec::len)),
            (Some("Lena’s hearts: Late Night"), Some(2))
        );
        assert_eq!(feed["home_page_url"].as_str(), Some(url.as_str()));
        let atom = visitor.get(&page.attribute("link[type='application/atom+xml']", "href")).await;
        assert!(atom.status == 200 && roxmltree::Document::parse(&atom.html).is_ok());
    }
    // As typed, and as the tags' spellings differ.
    for path in ["/u/lena/tags/LATE%20Night", "/u/Lena/Tags/late%20night/", "/u/lena/tags/%23l%C3%A4te%20night"] {
        assert_eq!(visitor.open(path).await.playlist_ids(), newest_first, "{path}");
    }
    let all = visitor.get("/u/lena").await;
    assert_eq!(all.texts(".shared-tags a"), ["Late Night"]);
    assert_eq!(visitor.open(&all.attribute(".shared-tags a", "href")).await.playlist_ids(), newest_first);
    let entries = |feed: Page| {
        feed.json()["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()).collect::<Vec<_>>()
    };
    let of_tag = entries(visitor.get("/u/lena/tags/late%20night/feed.json").await);
    assert!(entries(visitor.get("/u/lena/feed.json").await).iter().all(|id| !of_tag.contains(id)));

    let form = lena.open(SETTINGS).await.form("form:has(input[value='Late Night'])");
    assert!(lena.submit(form).await.flash().unwrap().contains("no longer shared"));
    for url in &urls {
        assert_not_shared(&visitor.get(url.strip_prefix(&site.base).unwrap()).await);
    }
}

#[tokio::test]
async fn only_a_tag_that_can_have_an_address_is_shared() {
    let (site, lena, ids) = open_tagged("rain, R&B / 50%?, 雨").await;
    lena.annotate(&ids[3], "", "..").await;
    for (typed, reason) in [
        ("snow", "None of your hearts"),
        ("a, b", "several tags"),
        (" # ", "Type a name"),
        ("..", "tag of dots"),
        ("<b>\"", "plain text"),
    ] {
        let page = share_tag(&lena, typed).await;
        assert_eq!((page.status, page.attribute("#shared-tag", "value").as_str()), (422, typed.trim_end_matches('\0')));
        let error = page.text("#shared-tag-error");
        assert!(error.contains(reason) && error.ends_with("Nothing was changed."), "{typed}: {error}");
    }
    for tag in ["rain", "R&B / 50%?", "雨"] {
        share_tag(&lena, tag).await;
    }
    // It folds to a dot.
    let form = lena.open("/tags/edit?tag=rain").await.form("form.link-form").with("to", "․");
    assert!(lena.submit(form).await.flash().unwrap().starts_with("Tag renamed"));
    let visitor = site.visitor();
    let links = visitor.get("/u/lena").await.attributes(".shared-tags a", "href");
    assert_eq!(links, ["/u/lena/tags/r%26b%20%2f%2050%25%3f", "/u/lena/tags/%e9%9b%a8"]);
    for link in links {
        let page = visitor.get(&link).await;
        assert_eq!((page.status, page.playlist_ids().len()), (200, 2), "{link}: without a redirect");
        assert!(page.has(&format!("link[rel=canonical][href$='{link}']")));
    }
}

#[tokio::test]
async fn shared_tag_follows_its_new_name_and_ends_with_a_merge() {
    let (site, lena, ids) = open_tagged("rain").await;
    lena.annotate(&ids[4], "", "storm").await;
    share_tag(&lena, "rain").await;
    let visitor = site.visitor();
    let rename = async |to: &str| {
        let form = lena.open("/tags/edit?tag=rain").await.form("form.link-form").with("to", to);
        lena.submit(form).await
    };
    rename("snow").await;
    assert_not_shared(&visitor.get("/u/lena/tags/rain").await);
    assert_eq!(visitor.get("/u/lena/tags/snow").await.playlist_ids().len(), 2);
    assert!(lena.open("/tags/edit?tag=snow").await.text("main").contains("its page and feeds get another address"));
    let form = lena.open("/tags/edit?tag=snow&to=storm").await.form("form[action='/tags/rename']");
    lena.submit(form.with("to", "storm")).await;
    for tag in ["snow", "storm"] {
        assert_not_shared(&visitor.get(&format!("/u/lena/tags/{tag}")).await);
    }
}

#[tokio::test]
async fn new_name_of_a_tag_shows_visitors_no_heart_that_they_did_not_see() {
    let (site, lena, ids) = open_tagged("rain").await;
    for (shared, new, question, shared_after) in [
        ("{storm}", "storm", "“storm” is shared. Afterwards it is not", "{}"),
        ("{rain,a}", "storm", "“rain” is shared. Afterwards it is not", "{a}"),
        ("{a}", "storm", "This cannot be undone. Merge into “storm”", "{a}"),
        (
            "{a,STORM,rain}",
            "storm",
            "Both are shared. Afterwards “storm” shows visitors the hearts of both",
            "{a,storm}",
        ),
        // Visitors see a tag that is on no heart as soon as it is on one.
        ("{snow}", "snow", "", "{}"),
    ] {
        lena.annotate(&ids[1], "", "rain").await;
        lena.annotate(&ids[4], "", "storm").await;
        sqlx::query("update shares set shared_tags = $1::text[]").bind(shared).execute(&site.db).await.unwrap();
        let page = lena.open(&format!("/tags/edit?tag=rain&to={new}")).await;
        assert!(page.text("main").contains(question), "{shared}: {}", page.text("main"));
        let renamed = lena.submit(page.form("form[action='/tags/rename']").with("to", new)).await;
        assert!(renamed.flash().unwrap().starts_with("Tag"), "{}", renamed.html);
        let stored: String =
            sqlx::query_scalar("select shared_tags::text from shares").fetch_one(&site.db).await.unwrap();
        assert_eq!(stored, shared_after, "{shared}");
    }
}

#[tokio::test]
async fn tags_are_shared_and_not_shared_whatever_another_tab_does() {
    let (site, lena, ids) = open_tagged("rain").await;
    lena.annotate(&ids[3], "", "snow").await;
    share_tag(&lena, "rain").await;
    let settings = lena.open(SETTINGS).await;
    let share = settings.form("#shared-tag").with("tag", "snow");
    let unshare = settings.form("#shared-tag").with("on", "false");
    let rename = lena.open("/tags/edit?tag=rain").await.form("form.link-form").with("to", "hail");
    let delete = lena.open("/tags/edit?tag=rain").await.form(".danger-zone form").with("confirm", "yes");
    for (form, other, tags) in [
        (share, "a", "rain,a,snow"),
        (rename, "b", "hail,a,snow,b"),
        (unshare.with("tag", "SNOW"), "c", "hail,a,b,c"),
        (delete.with("tag", "hail"), "d", "a,b,c,d"),
    ] {
        let mut other_tab = site.db.begin().await.unwrap();
        let add = "update shares set shared_tags = array_append(shared_tags, $1)";
        sqlx::query(add).bind(other).execute(&mut *other_tab).await.unwrap();
        let finish = async {
            site.wait_for_blocked_query().await;
            other_tab.commit().await.unwrap();
        };
        let (page, ()) = tokio::join!(lena.submit(form), finish);
        let shared: String = sqlx::query_scalar("select array_to_string(shared_tags, ',') from shares")
            .fetch_one(&site.db)
            .await
            .unwrap();
        assert_eq!((page.status, shared.as_str()), (200, tags), "{}", page.text("main"));
    }
}

#[tokio::test]
async fn notes_are_shown_only_by_choice() {
    let (site, lena, _) = open_tagged("rain").await;
    let visitor = site.visitor();
    let shown = async || {
        let mut texts = Vec::new();
        for file in ["", "/atom.xml", "/feed.json"] {
            texts.push(visitor.get(&format!("/u/lena{file}")).await.html.matches("note of the owner").count());
        }
        texts
    };
    assert_eq!(shown().await, [0, 0, 0]);
    assert_eq!(set_option(&lena, "notes").await.flash().unwrap(), "Your notes are shown to visitors.");
    assert_eq!(shown().await, [2, 2, 2], "not that of the private playlist");
    assert_eq!(set_option(&lena, "notes").await.flash().unwrap(), "Your notes are hidden from visitors.");
    assert_eq!(shown().await, [0, 0, 0]);
    let activity = lena.open("/account/activity").await.text(".events li:nth-child(1)");
    assert!(activity.starts_with("Changed what shared pages show"), "{activity}");
    set_sharing(&lena, "page", "false").await;
    let once = "once you turn on a public page or a secret link.";
    assert!(set_option(&lena, "notes").await.flash().unwrap().ends_with(once));
    let page = share_tag(&lena, "rain").await;
    assert!(page.flash().unwrap().ends_with(once) && page.text(".record-list li").contains("Shown once"));
}

#[tokio::test]
async fn card_for_other_sites_is_framed_only_while_it_is_on() {
    let (site, lena, ids) = open_tagged("rain").await;
    let visitor = site.visitor();
    let off = visitor.get("/u/lena/embed").await;
    assert_not_shared(&off);
    assert_eq!(off.header("x-frame-options"), "DENY");

    let page = set_option(&lena, "embed").await;
    let code = page.text("#embed-code");
    assert!(
        code.contains(&format!("src=\"{}/u/lena/embed\" title=\"Lena’s hearts\" width=\"360\"", site.base)),
        "{code}"
    );
    let framed = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "iframe")];
    let card = visitor.request(Method::GET, "/u/lena/embed", &framed, None).await;
    assert_eq!((card.status, card.header("x-frame-options")), (200, ""));
    let policy = card.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.ends_with("frame-ancestors *"), "{policy}");
    assert!(!policy.contains("script-src") && !card.has("script, form, style"));
    assert_eq!(card.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(card.header("cache-control"), "public, no-cache");
    let style = visitor.get(&card.attribute("link[rel=stylesheet]", "href")).await;
    assert_eq!((style.status, style.header("cross-origin-resource-policy")), (200, "cross-origin"));
    assert!(style.html.contains("light-dark"));
    assert_eq!(card.count("a"), card.count("a[target=_blank][rel=noopener]"), "a frame is left by new tabs alone");
    let links = card.attributes("li a", "href");
    assert_eq!(links.len(), 5);
    assert!(links[0].ends_with(&ids[5]) && !card.html.contains(&ids[0]));
    let again = [("if-none-match", card.header("etag"))];
    let unchanged = visitor.request(Method::GET, "/u/lena/embed", &again, None).await;
    assert_eq!((unchanged.status, unchanged.header("x-frame-options")), (304, ""));

    let other = visitor.get("/u/lena").await;
    assert_eq!(other.header("x-frame-options"), "DENY");
    assert!(other.header("content-security-policy").contains("frame-ancestors 'none'"));
    set_sharing(&lena, "page", "false").await;
    assert_not_shared(&visitor.get("/u/lena/embed").await);
    publish_page_at(&lena, "lena").await;
    set_option(&lena, "embed").await;
    assert_not_shared(&visitor.get("/u/lena/embed").await);
}

#[tokio::test]
async fn heart_of_a_visitor_leads_through_sign_in_to_what_it_will_heart() {
    let (site, lena, ids) = open_tagged("rain").await;
    let link = create_secret_link(&lena).await;
    let names: Vec<String> = site.visitor().get("/u/lena").await.texts(".card .name");
    for path in ["/u/lena", &link] {
        let visitor = site.visitor();
        let page = visitor.get(path).await;
        assert_eq!(page.attribute(".card .heart a", "aria-label"), format!("Heart {}", names[0]));
        let heart = page.attribute(".card .heart a", "href");
        assert!(!heart.contains(&link[3..]), "the link does not travel");
        let hearts = site.count_hearts().await;
        let sign_in = visitor.open(&heart).await;
        assert_eq!(sign_in.url.path(), "/login");
        let consent = visitor.start_spotify_sign_in(&format!("/login?{}", sign_in.url.query().unwrap())).await;
        let add = visitor.submit(crate::support::visitor::approve(&consent, "ada")).await;
        assert_eq!((add.url.path(), add.text(".link-preview b")), ("/add", names[0].clone()), "{path}");
        assert!(add.text("#link").ends_with(&ids[5]) && !add.text("main").contains("already hearted"));
        assert_eq!(site.count_hearts().await, hearts, "nothing changed so far");
    }
    // A private playlist, and one that is not shared any more, are not named.
    set_sharing(&lena, "page", "false").await;
    let noor = site.sign_in("noor").await;
    for id in [&ids[0], &ids[5]] {
        for share in ["lena", "nobody", "%ff", "a/b"] {
            let page = noor.get(&format!("/add?link={id}&share={share}")).await;
            assert!(page.status == 400 || page.status == 200 && !page.has(".link-preview"), "{share}: {}", page.status);
        }
    }
}

#[tokio::test]
async fn popular_list_has_a_heart_for_signed_out_visitors() {
    let site = Site::open().await;
    for person in ["ada", "mira", "noor"] {
        site.sign_in(person).await.fetch(Method::PUT, "/heart/AAAAAAAAAAAAAAAAAAAAAA").await;
    }
    crate::support::rows::add_public_playlist(&site, "AAAAAAAAAAAAAAAAAAAAAA").await;
    site.force_top_refresh().await;
    let page = site.visitor().get("/top").await;
    assert_eq!(page.attributes(".card .heart a", "href"), ["/add?link=AAAAAAAAAAAAAAAAAAAAAA"]);
    site.spotify.add_user(User::with_library("lena", 1));
    let lena = site.sign_in("lena").await;
    let add = lena.open("/add?link=AAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(add.texts(".link-preview b"), page.texts(".card .name"));
}

#[tokio::test]
async fn new_secret_link_asks_before_it_replaces_the_old_one() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    assert_eq!(ada.open("/account/sharing/link").await.url.path(), SETTINGS, "nothing to replace");
    let stale = ada.open(SETTINGS).await.form("form[action='/account/sharing/link']");
    let link = create_secret_link(&ada).await;
    let page = ada.submit(stale).await;
    assert_eq!(page.flash().unwrap(), "Your secret link was on already, and was not replaced.");
    assert_eq!(site.visitor().get(&link).await.status, 200, "a page from before asks nothing, and replaces nothing");
    let question = ada.open("/account/sharing/link").await;
    assert!(question.text("main").contains("stops working at once"));
    assert_eq!(site.visitor().get(&link).await.status, 200, "asked only");
    assert_ne!(create_secret_link(&ada).await, link);
    assert_eq!(site.visitor().get(&link).await.status, 410);
    for (path, form, section) in [
        ("link", "on=false", "link"),
        ("page", "on=true&slug=ada", "page"),
        ("options", "option=notes&on=true", "notes"),
        ("options", "option=embed&on=true", "embed"),
    ] {
        let sent = ada.post(&format!("{SETTINGS}/{path}"), form).await;
        assert_eq!(sent.header("location"), format!("{SETTINGS}#{section}"), "the change is in sight");
        assert!(ada.open(SETTINGS).await.has(&format!("#{section}")));
    }
}

#[tokio::test]
async fn shared_page_begins_with_initial_name_and_count() {
    let (site, lena, _) = open_tagged("rain").await;
    let page = site.visitor().get("/u/lena").await;
    assert_eq!((page.text(".avatar").as_str(), page.text("h1").as_str()), ("L", "Lena’s hearts"));
    assert_eq!(page.text(".page-header .subtitle"), "5 playlists, newest first");
    for (name, initial) in [("é", "É"), ("\"(42)\"", "4"), ("雨の音", "雨"), ("ßeta", "S")] {
        site.spotify.update_user("lena", |lena| lena.display_name = Some(name.into()));
        site.advance(Duration::from_secs(1));
        site.sign_in("lena").await;
        assert_eq!(site.visitor().get("/u/lena").await.text(".avatar"), initial, "{name}");
    }
    drop(lena);
}

#[tokio::test]
async fn page_with_secret_and_names_of_others_is_not_compressed() {
    let site = Site::open().await;
    let (ada, _) = sign_in_with_hearts(&site, "ada").await;
    create_secret_link(&ada).await;
    let cookie = ada.cookie();
    for (path, encoding) in [("/hearts", Some("gzip")), (SETTINGS, None)] {
        let headers = [("cookie", cookie.as_str()), ("accept-encoding", "gzip")];
        let (status, headers, _) = get_raw(&site, path, &headers).await;
        assert_eq!(
            (status, headers.get("content-encoding").map(|value| value.to_str().unwrap())),
            (200, encoding),
            "{path}"
        );
    }
}

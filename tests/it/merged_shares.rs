//! What visitors see of two accounts that are merged.

use reqwest::Method;

use crate::support::HEART;
use crate::support::account_merge::{CONFIRM, merge, sign_in_to_merge, sign_in_twice};
use crate::support::sharing::{SETTINGS, create_secret_link, publish_page_at, set_option, share_tag};
use crate::support::visitor::Visitor;

const SHARED: &str = "0000000000000000000001";

#[tokio::test]
async fn shares_of_the_newer_account_move_where_the_older_has_none() {
    let (site, first, second, page) = sign_in_twice().await;
    publish_page_at(&second, "ada").await;
    let link = create_secret_link(&second).await;
    set_option(&second, "notes").await;
    let feed = site.visitor().get("/u/ada/feed.json").await.json()["items"].clone();
    merge(&site, &second, &page).await;
    let visitor = site.visitor();
    assert_eq!([visitor.get("/u/ada").await.status, visitor.get(&link).await.status], [200, 200]);
    assert_eq!(visitor.get("/u/ada/feed.json").await.json()["items"], feed);
    let settings = first.open(SETTINGS).await;
    assert_eq!(settings.attributes("a.copy-value", "href"), ["/u/ada".to_owned(), format!("{}{link}", site.base)]);
    assert!(settings.text("[aria-labelledby=notes] p").starts_with("On."));
    assert_eq!(site.count("select count(*) from held_slugs where released_at is null").await, 1);
}

#[tokio::test]
async fn link_that_is_turned_off_during_the_merge_stays_off() {
    let (site, _first, second, page) = sign_in_twice().await;
    let link = create_secret_link(&second).await;
    let question = sign_in_to_merge(&site, &second, &page, "ada").await;
    let mut other_tab = site.db.begin().await.unwrap();
    sqlx::query("select id from users for update").execute(&mut *other_tab).await.unwrap();
    let turn_off = async {
        site.wait_for_blocked_query().await;
        let off = "update shares set token_hash = null, token_sealed = null, token_since = null, link_feed_id = null";
        sqlx::query(off).execute(&mut *other_tab).await.unwrap();
        other_tab.commit().await.unwrap();
    };
    let (merged, ()) = tokio::join!(second.submit(question.form(CONFIRM)), turn_off);
    assert_eq!((merged.status, site.count_users().await, site.visitor().get(&link).await.status), (200, 1, 410));
}

/// Who shows notes has chosen so for their own, not for those of the other account.
#[tokio::test]
async fn merge_shows_no_note_that_was_hidden() {
    for (shows_first, shows_second, note_of_first, is_removed, shown) in [
        (true, false, "x", false, false),
        (true, false, "", false, true),
        (true, true, "x", false, true),
        (false, true, "x", false, false),
        (true, false, "x", true, false),
        (false, true, "x", true, false),
    ] {
        let (site, first, second, page) = sign_in_twice().await;
        second.fetch(Method::PUT, &format!("/heart/{SHARED}")).await;
        // The visitor whose notes are hidden is the one with `note_of_first`, or without any.
        let hidden = if shows_first { &second } else { &first };
        if !note_of_first.is_empty() {
            let id = if shows_first { SHARED } else { HEART.trim_start_matches("/heart/") };
            hidden.annotate(id, note_of_first, "").await;
            if is_removed {
                hidden.fetch(Method::DELETE, &format!("/heart/{id}")).await;
            }
        }
        for (visitor, slug, shows) in [(&first, "first", shows_first), (&second, "second", shows_second)] {
            publish_page_at(visitor, slug).await;
            if shows {
                set_option(visitor, "notes").await;
            }
        }
        let question = sign_in_to_merge(&site, &second, &page, "ada").await;
        let has_hint = question.text("ul.bullet-list").contains("notes are hidden from visitors");
        second.submit(question.form(CONFIRM)).await;
        let settings = first.open(SETTINGS).await;
        let is_shown = settings.text("[aria-labelledby=notes] p").starts_with("On.");
        assert_eq!((is_shown, has_hint), (shown, !shown), "{shows_first} {shows_second} {note_of_first} {is_removed}");
    }
}

/// What an account shares and has, in words: `page`, `link`, `notes` and `rain` (shared), `note` and `tag` (had).
async fn prepare_account(visitor: &Visitor, heart: &str, words: &str) -> Vec<String> {
    let has = |word: &str| words.split(' ').any(|has| has == word);
    let note = if has("note") { format!("note of {heart}") } else { String::new() };
    visitor.annotate(heart, &note, if has("tag") { "Rain" } else { "" }).await;
    let mut addresses = Vec::new();
    if has("page") {
        publish_page_at(visitor, &format!("page-{}", &heart[20..])).await;
        addresses.push(format!("/u/page-{}", &heart[20..]));
    }
    if has("link") {
        addresses.push(create_secret_link(visitor).await);
    }
    if has("notes") {
        set_option(visitor, "notes").await;
    }
    if has("rain") {
        share_tag(visitor, "rain").await;
    }
    addresses
}

/// Visitors see notes, and hearts below a shared tag, only of accounts that show them to as many. The accounts may
/// differ in all of it: what a secret link shows is not for those who find a public page.
#[tokio::test]
async fn merge_publishes_no_note_and_no_tag_that_was_not_public() {
    let all = "page notes note tag rain";
    for (one, other, shows_notes, shares_tag) in [
        (all, all, true, true),
        (all, "", true, true),
        (all, "note tag", false, false),
        (all, "note", false, true),
        (all, "tag", true, false),
        (all, "page note tag", false, false),
        (all, "link notes note tag rain", false, false),
        ("page", "link notes note tag rain", false, false),
        ("page note tag", "link notes note tag rain", false, false),
        ("link notes note tag rain", "link notes note tag rain", true, true),
        ("link notes note tag rain", "", true, true),
        ("link notes note tag rain", "note tag", false, false),
        ("page link notes note tag rain", "link notes", true, true),
    ] {
        for [older, newer] in [[one, other], [other, one]] {
            let (site, first, second, page) = sign_in_twice().await;
            second.fetch(Method::PUT, &format!("/heart/{SHARED}")).await;
            let mut addresses = prepare_account(&first, HEART.trim_start_matches("/heart/"), older).await;
            addresses.extend(prepare_account(&second, SHARED, newer).await);
            let question = sign_in_to_merge(&site, &second, &page, "ada").await;
            let text = question.text("ul.bullet-list");
            let words = format!("{older} {newer}");
            let expects = [
                ("notes that visitors see, as they do now", shows_notes),
                ("notes are hidden from visitors", !shows_notes && words.contains("notes")),
                ("the shared tag “Rain”", shares_tag),
                ("“Rain”, not shared until you share it again", !shares_tag && words.contains("rain")),
            ];
            for (sentence, is_there) in expects {
                assert_eq!(text.contains(sentence), is_there, "{older} + {newer}: {text}");
            }
            second.submit(question.form(CONFIRM)).await;
            sqlx::query(SHOW_HEARTS).execute(&site.db).await.unwrap();
            let mut open = 0;
            for address in addresses {
                let page = site.visitor().get(&address).await;
                if page.status != 200 {
                    continue;
                }
                open += 1;
                assert_eq!(page.count("li.card"), 2);
                assert_eq!(page.html.contains("note of"), shows_notes, "{older} + {newer}: {address}");
                let tag = site.visitor().get(&format!("{address}/tags/rain")).await;
                assert_eq!(tag.status == 200, shares_tag, "{older} + {newer}: {address}");
            }
            assert!(open > 0);
        }
    }
}

/// As if Spotify had shown all hearted playlists, as public ones.
const SHOW_HEARTS: &str = "
    insert into playlists (user_id, id, position, name, collaborative, public, seen_at)
    select user_id, playlist_id, 0, 'Public', false, true, now() from user_hearts";

/// The card is of a public page, so that of a link says nothing.
#[tokio::test]
async fn card_for_other_sites_moves_with_its_page() {
    for shows_card in [false, true] {
        let (site, first, second, page) = sign_in_twice().await;
        create_secret_link(&first).await;
        publish_page_at(&second, "second").await;
        let visitor = if shows_card { &second } else { &first };
        visitor.post("/account/sharing/options", "option=embed&on=true").await;
        merge(&site, &second, &page).await;
        assert_eq!(site.visitor().get("/u/second/embed").await.status, if shows_card { 200 } else { 410 });
    }
}

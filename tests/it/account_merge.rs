//! Merging two accounts of one person: only after a sign-in to both, and a confirmation.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault, OtherProvider};
use reqwest::Method;

use crate::support::account_merge::{CONFIRM, CONFIRM_HEADING, merge, sign_in_to_merge, sign_in_twice};
use crate::support::page::Form;
use crate::support::sharing::{create_secret_link, publish_page_at};
use crate::support::{HEART, Site};

const MERGE_HEADING: &str = "Were you here before?";

const SHARED: &str = "0000000000000000000001";

#[tokio::test]
async fn same_verified_email_makes_two_accounts_until_merged() {
    let (site, first, second, page) = sign_in_twice().await;
    assert_eq!((page.text("h1").as_str(), page.url.path()), (MERGE_HEADING, "/account/merge"));
    assert!(page.flash().unwrap().starts_with("Signed in as"));
    assert_eq!((site.count_users().await, second.open("/hearts").await.count("li.card")), (2, 0));
    let question = sign_in_to_merge(&site, &second, &page, "ada").await;
    assert_eq!((question.url.path(), site.count_users().await), ("/account/merge/confirm", 2), "asked only");
    let proven = second.submit(question.form(CONFIRM)).await;
    assert_eq!((proven.url.path(), site.count_users().await), ("/add", 1));
    assert!(proven.flash().unwrap().starts_with("Welcome back, Ada Example"));
    // The newer account's other devices are signed out; the older account's stay.
    for visitor in [&first, &second] {
        assert_eq!(visitor.open("/hearts").await.count("li.card"), 1);
        assert_eq!(visitor.open("/account").await.texts(".identities h3"), ["Google", "GitHub"]);
    }
    let again = site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert_eq!((again.url.path(), site.count_users().await), ("/hearts", 1));
}

#[tokio::test]
async fn linking_own_other_account_offers_merge() {
    let (site, _, second, _) = sign_in_twice().await;
    let question = second.link_identity(&site.spotify, OtherProvider::Google, "ada").await;
    assert_eq!((question.status, question.text("h1").as_str()), (200, CONFIRM_HEADING));
    assert!(question.text("main").contains("Nothing has been changed yet"));
    assert_eq!(site.count_users().await, 2);
    let merged = second.submit(question.form(CONFIRM)).await;
    assert_eq!((merged.url.path(), site.count_users().await), ("/account", 1));

    // Later too, after a new sign-in to the first account; and whatever the email addresses.
    let (site, _, second, _) = sign_in_twice().await;
    site.spotify.update_account(OtherProvider::GitHub, "ada", |account| account.email = None);
    site.advance(Duration::from_secs(16 * 60));
    let again = second.open("/account/reauthenticate?next=/account").await;
    let consent = second.start_sign_in_with(OtherProvider::GitHub, &again).await;
    second.submit(consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "ada"))).await;
    let question = second.link_identity(&site.spotify, OtherProvider::Google, "ada").await;
    assert_eq!((question.text("h1").as_str(), site.count_users().await), (CONFIRM_HEADING, 2));
}

#[tokio::test]
async fn return_path_survives_merge() {
    let site = Site::open().await;
    site.visitor().sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    let visitor = site.visitor();
    let consent = visitor.start_sign_in_with(OtherProvider::GitHub, &visitor.open("/login?next=/hearts").await).await;
    let page = visitor.submit(consent.approve_as(&site.spotify.account(OtherProvider::GitHub, "ada"))).await;
    assert!(page.has("main a[href='/hearts']"));
    assert_eq!(merge(&site, &visitor, &page).await.url.path(), "/hearts");
}

#[tokio::test]
async fn unverified_email_never_offers_merge() {
    let site = Site::open().await;
    // Mira's address is verified at Google but not at GitHub, Noor's at neither; Facebook does not report it.
    for (provider, key) in [
        (OtherProvider::Google, "mira"),
        (OtherProvider::GitHub, "mira"),
        (OtherProvider::Facebook, "ada"),
        (OtherProvider::Google, "ada"),
        (OtherProvider::Google, "noor"),
    ] {
        let visitor = site.visitor();
        let page = visitor.sign_in_with(&site.spotify, provider, key).await;
        assert_eq!((page.url.path(), page.html.contains(MERGE_HEADING)), ("/add", false), "{provider:?} {key}");
        assert_eq!(visitor.open("/account/merge").await.url.path(), "/playlists");
    }
    assert_eq!(site.count_users().await, 5);
    site.spotify
        .update_account(OtherProvider::GitHub, "ada", |account| account.email = Some("noor@example.org".into()));
    let page = site.visitor().sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert_eq!(page.url.path(), "/add", "verified here, but not by the other side");
}

#[tokio::test]
async fn merge_needs_sign_in_to_the_other_account() {
    let (site, _first, second, page) = sign_in_twice().await;
    site.visitor().sign_in_with(&site.spotify, OtherProvider::Google, "mira").await;
    let wrong = sign_in_to_merge(&site, &second, &page, "mira").await;
    assert_eq!((wrong.status, site.count_users().await), (409, 3));
    let unknown = sign_in_to_merge(&site, &second, &page, "noor").await;
    assert_eq!((unknown.status, site.count_users().await), (409, 3));
}

#[tokio::test]
async fn merge_needs_same_session_within_fifteen_minutes() {
    let (site, _first, second, page) = sign_in_twice().await;
    let other_browser = site.visitor();
    other_browser.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    assert_eq!(other_browser.open("/account/merge").await.url.path(), "/playlists");
    let sent = other_browser.post("/auth/google", "intent=merge").await;
    let consent = other_browser.open(sent.header("location")).await;
    let refused = other_browser.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    assert_eq!((refused.status, site.count_users().await), (409, 2), "another session of the same newcomer");
    site.advance(Duration::from_secs(14 * 60 + 50));
    let consent = second.start_sign_in_with(OtherProvider::Google, &page).await;
    site.advance(Duration::from_secs(11));
    let late = second.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
    assert_eq!((late.status, site.count_users().await), (409, 2), "too late");
    assert_eq!(second.open("/account/merge").await.url.path(), "/playlists");
}

#[tokio::test]
async fn accounts_never_merge_without_being_asked() {
    let (site, _first, second, page) = sign_in_twice().await;
    let form = page.form("form[action='/auth/google']");
    for intent in ["link", "", "sign-in"] {
        let form = Form {
            fields: form.fields.clone(),
            action: form.action.clone(),
            method: form.method.clone(),
            page: form.page.clone(),
        };
        let sent = second.submit(form.with("intent", intent)).await;
        if sent.has("button[value=approve]") {
            let end = second.submit(sent.approve_as(&site.spotify.account(OtherProvider::Google, "ada"))).await;
            let is_offer = intent == "link" && end.text("h1") == CONFIRM_HEADING;
            assert!(is_offer || end.status == 409, "{intent}");
        }
        assert_eq!(site.count_users().await, 2, "{intent}");
    }
}

#[tokio::test]
async fn accounts_with_the_same_provider_are_not_merged() {
    let (site, first, second, page) = sign_in_twice().await;
    first.link_identity(&site.spotify, OtherProvider::X, "ada").await;
    second.link_identity(&site.spotify, OtherProvider::X, "mira").await;
    let kept = sign_in_to_merge(&site, &second, &page, "ada").await;
    assert_eq!((kept.status, site.count_users().await), (409, 2));
    assert!(kept.text("main").contains("Nothing was changed"));
    assert_eq!(first.open("/hearts").await.count("li.card"), 1);
}

#[tokio::test]
async fn connecting_spotify_of_the_other_account_says_what_will_be_joined() {
    let site = Site::open().await;
    let (ada, other_browser) = (site.sign_in("ada").await, site.sign_in("ada").await);
    for id in [SHARED, "0000000000000000000002"] {
        ada.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    let link = create_secret_link(&ada).await;
    publish_page_at(&ada, "ada").await;
    let other = site.visitor();
    other.sign_in_with(&site.spotify, OtherProvider::GitHub, "mira").await;
    for id in [SHARED, "0000000000000000000003"] {
        other.fetch(Method::PUT, &format!("/heart/{id}")).await;
    }
    publish_page_at(&other, "ada-too").await;
    for visitor in [&ada, &other] {
        let page = visitor.open(&format!("/hearts/{SHARED}/annotation")).await;
        let form = page.form("form[action$='/annotation']").with("title", "ours").with("note", "mine");
        visitor.submit(form.with("tags", "rain, night")).await;
    }
    let question = other.sign_in_at("/account", "ada").await;
    assert_eq!((question.text("h1").as_str(), question.url.path()), (CONFIRM_HEADING, "/account/merge/confirm"));
    let stats = |n: usize| question.texts(&format!("section:nth-of-type({n}) dd")).split_off(1);
    assert_eq!(stats(1), ["Spotify", "2", "1", "2", "2", "/u/ada", "on"]);
    assert_eq!(stats(2), ["GitHub", "2", "1", "2", "1", "/u/ada-too", "off"]);
    let result = question.text("ul.bullet-list");
    for expected in [
        "3 hearts. 1 is in both: it keeps", "1 of them has two notes", "1 of them has two titles of your own",
        "page at /u/ada,", "/u/ada-too stops working", "secret link, with",
    ] {
        assert!(result.contains(expected), "{expected}: {result}");
    }
    // Asked only; and nobody else can confirm.
    assert_eq!((site.count_users().await, site.visitor().get("/u/ada-too").await.status), (2, 200));
    for stranger in [&other_browser, &site.sign_in("noor").await] {
        let refused = stranger.submit(question.form(CONFIRM)).await;
        assert!(refused.flash().unwrap().starts_with("Nothing was joined"), "{}", refused.text("main"));
        assert_ne!(stranger.open("/account/merge/confirm").await.url.path(), "/account/merge/confirm");
    }
    let merged = other.submit(question.form(CONFIRM)).await;
    let receipt = "hearts that came: 2 (1 of them were in both), notes: 1, tags: 2";
    assert!(merged.flash().unwrap().ends_with(&format!("Your accounts are one: {receipt}.")), "{:?}", merged.flash());
    assert_eq!(site.count_users().await, 2, "the stranger's is the second");
    for visitor in [&ada, &other_browser, &other] {
        assert_eq!(visitor.open("/hearts").await.count("li.card"), 3);
        let events = visitor.open("/account/activity").await.texts(".events li");
        assert!(events[0].contains(receipt));
        assert!(events.iter().any(|event| event.starts_with("Joined with GitHub")), "both histories");
    }
    let visitor = site.visitor();
    assert_eq!([visitor.get("/u/ada").await.status, visitor.get("/u/ada-too").await.status], [200, 410]);
    assert_eq!(visitor.get(&link).await.status, 200);
    assert_eq!(publish_page_at(&site.sign_in("noor").await, "ada-too").await.status, 422, "reserved");
    assert_eq!(publish_page_at(&other, "ada-too").await.status, 200, "for the one account");
    let again = other.submit(question.form(CONFIRM)).await;
    assert!(again.flash().unwrap().starts_with("Nothing was joined"), "once");
}

#[tokio::test]
async fn offer_to_merge_ends_after_ten_minutes() {
    let (site, _first, second, page) = sign_in_twice().await;
    site.freeze_clock();
    let question = sign_in_to_merge(&site, &second, &page, "ada").await;
    site.advance(Duration::from_secs(599));
    assert_eq!(second.open("/account/merge/confirm").await.text("h1"), CONFIRM_HEADING);
    site.advance(Duration::from_secs(2));
    assert_eq!(second.open("/account/merge/confirm?next=/hearts").await.url.path(), "/hearts");
    let late = second.submit(question.form(CONFIRM)).await;
    assert!(late.flash().unwrap().starts_with("Nothing was joined"));
    assert_eq!(site.count_users().await, 2);
}

/// Attack: whoever finds a browser that is signed in at a provider would take over the account there.
#[tokio::test]
async fn merge_is_not_offered_on_a_sign_in_that_the_provider_did_not_ask_for() {
    let site = Site::open().await;
    let owner = site.sign_in("mira").await;
    owner.link_identity(&site.spotify, OtherProvider::Google, "mira").await;
    let other = site.visitor();
    other.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    let consent = other.start_sign_in_with(OtherProvider::Google, &other.open("/account").await).await;
    // {"auth_time":1}
    let old = Fault::Rewritten(|token| token["id_token"] = "e30.eyJhdXRoX3RpbWUiOjF9.x".into());
    site.spotify.inject_fault(Endpoint::OtherToken, old, 1);
    let refused = other.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, "mira"))).await;
    assert_eq!((refused.status, refused.text("h1").as_str()), (409, "That account is already linked"));
    assert_ne!(other.open("/account/merge/confirm").await.url.path(), "/account/merge/confirm");
    assert_eq!(site.count_users().await, 2);
}

/// The identity that `OPERATOR` names belongs to the other account until the merge is confirmed.
#[tokio::test]
async fn offer_to_merge_makes_nobody_operator() {
    let site = Site::open_with(&[("OPERATOR", "spotify:made-up-ada")]).await;
    let operators = async || site.count("select count(*) from users where operator").await;
    site.sign_in("ada").await;
    let other = site.visitor();
    other.sign_in_with(&site.spotify, OtherProvider::GitHub, "mira").await;
    assert_eq!(operators().await, 1);
    let question = other.sign_in_at("/account", "ada").await;
    assert_eq!((question.text("h1").as_str(), operators().await), (CONFIRM_HEADING, 1));
    assert_eq!(other.get("/operator").await.status, 404, "nothing has been changed yet");
    other.submit(question.form(CONFIRM)).await;
    assert_eq!((operators().await, other.open("/operator").await.status), (1, 200));
}

#[tokio::test]
async fn tags_of_both_become_tags_that_search_can_tell_apart() {
    let (site, first, second, page) = sign_in_twice().await;
    second.fetch(Method::PUT, HEART).await;
    let id = HEART.trim_start_matches("/heart/");
    first.annotate(id, "", "zoo, Été, Apple").await;
    second.annotate(id, "", "ete, Zoo, Äpfel, b").await;
    merge(&site, &second, &page).await;
    let (tags, folded): (Vec<String>, Vec<String>) =
        sqlx::query_as("select tags, tags_folded from user_hearts").fetch_one(&site.db).await.unwrap();
    assert_eq!(folded, ["apfel", "apple", "b", "ete", "zoo"]);
    assert_eq!(
        tags,
        ["Äpfel", "Apple", "b", "Été", "zoo"],
        "each beside its folded form, as the older account spells it"
    );
    let mut listed = first.open("/tags").await.texts("main li a");
    listed.retain(|name| tags.contains(name));
    listed.sort();
    assert_eq!(listed, ["Apple", "b", "zoo", "Äpfel", "Été"]);
}

#[tokio::test]
async fn confirming_twice_at_once_merges_once() {
    let (site, first, second, page) = sign_in_twice().await;
    let question = sign_in_to_merge(&site, &second, &page, "ada").await;
    let confirm = async || second.post("/account/merge", "next=/hearts").await.status;
    assert_eq!((question.status, tokio::join!(confirm(), confirm())), (200, (303, 303)));
    assert_eq!((site.count_users().await, site.count_hearts().await), (1, 1));
    assert_eq!(site.count("select count(*) from events where kind = 'merged'").await, 1);
    for visitor in [&first, &second] {
        assert_eq!(visitor.get("/account").await.status, 200, "both are signed in");
    }
}

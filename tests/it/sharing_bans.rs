//! Sharing bans: whoever was taken down cannot share under another account, until an operator allows it.

use std::time::Duration;

use fake_spotify::OtherProvider::{self, GitHub, Google};

use crate::support::Site;
use crate::support::sharing::publish_page_at;
use crate::support::visitor::Visitor;

const DAY: u64 = 86_400;
const BANS: &str = "select count(*) from sharing_bans";
const IDENTITIES: &str = "select count(*) from identities";

/// Changes the person who joined last.
async fn change_last(site: &Site, operator: &Visitor, action: &str) {
    let id = site.count("select max(id) from users").await;
    let page = operator.post(&format!("/operator/people/{id}"), &format!("action={action}")).await;
    assert_eq!(page.header("location"), "/operator", "{}", page.html);
}

async fn delete_account(visitor: &Visitor) {
    let form = visitor.open("/account/delete").await.form("form[action='/account/delete']").with("confirm", "yes");
    assert!(visitor.submit(form).await.flash().unwrap().contains("deleted"));
}

async fn can_share(visitor: &Visitor) -> bool {
    visitor.post("/account/sharing/page", "on=true&slug=somebody").await.status == 303
}

async fn join_with(site: &Site, provider: OtherProvider, key: &str) -> Visitor {
    let visitor = site.visitor();
    assert_eq!(visitor.sign_in_with(&site.spotify, provider, key).await.status, 200);
    visitor
}

#[tokio::test]
async fn banned_identity_takes_down_the_page_of_the_account_that_links_it() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let mira = join_with(&site, Google, "mira").await;
    change_last(&site, &ada, "take-down").await;
    delete_account(&mira).await;
    let noor = site.sign_in("noor").await;
    publish_page_at(&noor, "noor-loves").await;
    assert_eq!(site.visitor().open("/u/noor-loves").await.status, 200);
    noor.link_identity(&site.spotify, Google, "mira").await;
    assert_eq!(site.count(IDENTITIES).await, 3);
    assert_eq!(site.visitor().open("/u/noor-loves").await.status, 410);
    assert!(!can_share(&noor).await);
    assert!(ada.open("/operator").await.text("main").contains("not sharing: taken down"));
    change_last(&site, &ada, "allow-sharing").await;
    assert!(can_share(&noor).await);
}

#[tokio::test]
async fn merging_a_banned_account_takes_down_the_page_of_the_other() {
    let site = Site::open().await;
    let operator = site.sign_in("ada").await;
    let first = join_with(&site, Google, "ada").await;
    publish_page_at(&first, "ada-loves").await;
    let second = site.visitor();
    let offer = second.sign_in_with(&site.spotify, GitHub, "ada").await;
    change_last(&site, &operator, "take-down").await;
    let consent = second.start_sign_in_with(Google, &offer).await;
    let question = second.submit(consent.approve_as(&site.spotify.account(Google, "ada"))).await;
    second.submit(question.form("form[action='/account/merge']")).await;
    assert_eq!(site.count_users().await, 2, "merged");
    assert_eq!(site.visitor().open("/u/ada-loves").await.status, 410);
    assert!(!can_share(&first).await);
    change_last(&site, &operator, "allow-sharing").await;
    assert_eq!(site.visitor().open("/u/ada-loves").await.status, 410, "nothing comes back by itself");
    assert!(can_share(&first).await);
}

/// Attack: an identity is unlinked, joins again alone, and shares.
#[tokio::test]
async fn banned_person_unlinks_nothing_and_an_allowed_one_is_free_with_every_identity() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    mira.link_identity(&site.spotify, Google, "mira").await;
    change_last(&site, &ada, "take-down").await;
    mira.link_identity(&site.spotify, GitHub, "mira").await;
    for key in ["google", "github"] {
        mira.post(&format!("/account/identities/{key}"), "").await;
        let flash = mira.open("/account").await.flash().unwrap();
        assert!(flash.contains("Nothing was unlinked. The operator took down"), "{flash}");
    }
    assert_eq!(site.count(IDENTITIES).await, 4);
    change_last(&site, &ada, "allow-sharing").await;
    mira.post("/account/identities/google", "").await;
    assert_eq!(site.count(IDENTITIES).await, 3);
    assert!(can_share(&join_with(&site, Google, "mira").await).await);
}

#[tokio::test]
async fn every_identity_of_a_deleted_account_is_banned_for_a_year() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    change_last(&site, &ada, "take-down").await;
    mira.link_identity(&site.spotify, Google, "mira").await;
    assert_eq!(site.count(BANS).await, 0, "the account says it as long as it stands");
    delete_account(&mira).await;
    assert_eq!(site.count(BANS).await, 2);
    site.advance(Duration::from_secs(200 * DAY));
    let again = join_with(&site, Google, "mira").await;
    assert!(!can_share(&again).await);
    delete_account(&again).await;
    // A year after the second account, not after the first.
    site.advance(Duration::from_secs(200 * DAY));
    site.run_cleanup().await;
    assert_eq!(site.count(BANS).await, 1);
    assert!(!can_share(&join_with(&site, Google, "mira").await).await);
    site.advance(Duration::from_secs(366 * DAY));
    site.run_cleanup().await;
    assert!(can_share(&site.sign_in("mira").await).await);
}

#[tokio::test]
async fn allowed_person_links_every_identity_of_deleted_accounts() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    mira.link_identity(&site.spotify, Google, "mira").await;
    change_last(&site, &ada, "take-down").await;
    delete_account(&mira).await;
    let second = join_with(&site, Google, "mira").await;
    second.link_identity(&site.spotify, GitHub, "mira").await;
    delete_account(&second).await;
    let third = join_with(&site, GitHub, "mira").await;
    assert!(!can_share(&third).await);
    let noor = site.sign_in("noor").await;
    change_last(&site, &ada, "take-down").await;
    delete_account(&noor).await;
    change_last(&site, &ada, "allow-sharing").await;
    assert!(can_share(&third).await);
    third.link_identity(&site.spotify, Google, "mira").await;
    third.sign_in_at("/account", "mira").await;
    assert_eq!(site.count(IDENTITIES).await, 4);
    assert_eq!(site.visitor().open("/u/somebody").await.status, 200);
    assert_eq!(site.count(BANS).await, 1, "another person's");
}

/// The form was sent before the take-down, and waits for it.
#[tokio::test]
async fn take_down_during_a_change_of_sharing_leaves_nothing_to_show_when_it_ends() {
    for (path, body, status) in [("page", "on=true&slug=mira", 422), ("link", "on=true", 303)] {
        let site = Site::open().await;
        let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
        sqlx::query("insert into shares (user_id) select id from users").execute(&site.db).await.unwrap();
        let mut take_down = site.db.begin().await.unwrap();
        sqlx::query("update shares set taken_down_at = now()").execute(&mut *take_down).await.unwrap();
        let finish = async {
            site.wait_for_blocked_query().await;
            take_down.commit().await.unwrap();
        };
        let path = format!("/account/sharing/{path}");
        let (refused, ()) = tokio::join!(mira.post(&path, body), finish);
        assert_eq!(refused.status, status, "{path}");
        let page = if status == 303 { mira.open(refused.header("location")).await } else { refused };
        assert!(page.text("main").contains("The operator took down"), "{}", page.html);
        change_last(&site, &ada, "allow-sharing").await;
        let shared = "select count(*) from shares where slug is not null or token_hash is not null";
        assert_eq!((site.count(shared).await, site.count("select count(*) from held_slugs").await), (0, 0), "{path}");
    }
}

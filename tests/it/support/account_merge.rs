//! Two accounts of one person, and their merge.

use fake_spotify::OtherProvider;
use heartlist::db;
use heartlist::ids::UserId;
use reqwest::Method;
use time::OffsetDateTime;

use super::page::Page;
use super::visitor::Visitor;
use super::{HEART, Site};

pub(crate) const CONFIRM_HEADING: &str = "Make both accounts one?";
pub(crate) const CONFIRM: &str = "form[action='/account/merge']";

/// A first account by Google and a second by GitHub, with the same verified address; the page is the merge offer.
pub(crate) async fn sign_in_twice() -> (Site, Visitor, Visitor, Page) {
    let site = Site::open().await;
    let (first, second) = (site.visitor(), site.visitor());
    first.sign_in_with(&site.spotify, OtherProvider::Google, "ada").await;
    first.fetch(Method::PUT, HEART).await;
    let page = second.sign_in_with(&site.spotify, OtherProvider::GitHub, "ada").await;
    (site, first, second, page)
}

pub(crate) async fn sign_in_to_merge(site: &Site, visitor: &Visitor, page: &Page, key: &str) -> Page {
    let consent = visitor.start_sign_in_with(OtherProvider::Google, page).await;
    visitor.submit(consent.approve_as(&site.spotify.account(OtherProvider::Google, key))).await
}

/// The same, and confirms.
pub(crate) async fn merge(site: &Site, visitor: &Visitor, page: &Page) -> Page {
    let question = sign_in_to_merge(site, visitor, page, "ada").await;
    assert_eq!((question.text("h1").as_str(), question.status), (CONFIRM_HEADING, 200));
    visitor.submit(question.form(CONFIRM)).await
}

/// Merges two accounts by their ids, as no session has confirmed it.
pub(crate) async fn merge_ids(site: &Site, [into, from]: [i64; 2]) {
    let accounts = db::account_merge::Merge {
        from: UserId(from),
        into: UserId(into),
        session: None,
        reseal: &|_| None,
        fold_tag: str::to_lowercase,
        join_options: |_| Default::default(),
    };
    assert!(db::account_merge::merge(&site.pool(1), accounts, OffsetDateTime::UNIX_EPOCH).await.unwrap());
}

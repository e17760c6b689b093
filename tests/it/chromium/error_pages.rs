//! Accessibility and layout of the error page of every status.

use std::collections::HashSet;

use fake_spotify::{Endpoint, Fault};
use sqlx::Executor as _;

use crate::support::Site;
use crate::support::browser::Browser;
use crate::support::browser::axe::assert_accessible;
use crate::support::browser::sizes::assert_fits;
use crate::support::every_page::visit_every_page;
use crate::support::page::Page;
use crate::support::rows::set_database_available;

/// Statuses that have an error page.
const STATUSES: [u16; 13] = [400, 403, 404, 405, 409, 410, 413, 422, 429, 500, 502, 503, 504];

/// Causes an error of every status and returns the pages.
async fn visit_error_pages(site: &Site) -> Vec<Page> {
    let mut pages: Vec<Page> = visit_every_page(site).await.into_iter().map(|(page, _)| page).collect();
    site.spotify.reset();
    let ada = site.sign_in("ada").await;
    pages.push(site.visitor().get("/u/nobody").await);
    site.spotify.inject_fault(Endpoint::MyPlaylists, Fault::Hang, 3);
    pages.push(site.visitor().sign_in("noor").await);
    site.spotify.reset();
    // Tom is not on Spotify's allow-list.
    pages.push(site.visitor().sign_in("tom").await);
    while pages.last().unwrap().status != 429 {
        pages.push(ada.post("/heart/3cEYpjA9oz9GiPac4AsH4n", "hearted=true").await);
    }
    site.db.execute("alter table user_hearts rename to lost").await.unwrap();
    pages.push(ada.get("/hearts").await);
    set_database_available(site, false).await;
    pages.push(ada.get("/hearts").await);
    pages.retain(|page| page.status >= 400);
    pages
}

#[tokio::test]
async fn error_pages_pass_axe_and_do_not_scroll_sideways() {
    let site = Site::open().await;
    // A second site, since the browser needs a working one.
    let troubled = Site::open().await;
    let pages = visit_error_pages(&troubled).await;
    let browser = Browser::open(&site).await;
    let mut seen = HashSet::new();
    for page in pages {
        if seen.insert((page.status, page.text("h1"))) {
            let name = format!("{} {}", page.status, page.text("h1"));
            browser.show_page(&page).await;
            assert_accessible(&browser, &name).await;
            assert_fits(&browser, &name, &mut HashSet::new()).await;
        }
    }
    let statuses: HashSet<u16> = seen.into_iter().map(|(status, _)| status).collect();
    assert_eq!(statuses, HashSet::from(STATUSES));
}

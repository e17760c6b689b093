//! News of a user's hearts, and the private feed of them. Spotify is never called.

use time::OffsetDateTime;

use super::sharing::{SecretLink, new_feed_id, open_link_token, seal_link_token};
use super::{CurrentUser, PAGE_SIZE, Paginated, Result, page_offset};
use crate::app::App;
use crate::db::news;
pub use crate::db::news::{NewsFeed, NewsItem, NewsKind};
use crate::ids::{Secret, TokenHash};
use crate::vault::Purpose;

pub async fn list(app: &App, user: &CurrentUser, page: usize) -> Result<Paginated<NewsItem>> {
    let rows = (page_offset(page) as i64, PAGE_SIZE as i64);
    let (entries, total) = news::list(&app.db, user.id, rows).await?;
    Ok(Paginated { entries, range: page.into(), total: total as usize })
}

/// Returns the address of the user's feed; `None` if it is off.
pub async fn load_link(app: &App, user: &CurrentUser) -> Result<Option<SecretLink>> {
    let Some(feed) = news::find_feed(&app.db, user.id).await? else { return Ok(None) };
    let token = feed.token_sealed.and_then(|sealed| open_link_token(app, Purpose::NewsFeed, user.id, &sealed));
    Ok(Some(SecretLink { token, since: feed.created_at }))
}

/// Gives the user's feed a new address. Returns `false`, and changes nothing, if there is one that it does not replace.
pub async fn create_link(app: &App, user: &CurrentUser, replaces: bool, now: OffsetDateTime) -> Result<bool> {
    let token = Secret::random_short();
    let sealed = seal_link_token(app, Purpose::NewsFeed, user.id, &token);
    let feed_id = new_feed_id(app, now);
    let feed = NewsFeed { user: user.id, token_sealed: Some(sealed), created_at: now, feed_id };
    Ok(news::set_feed(&app.db, &feed, TokenHash::new(token.expose()), replaces).await?)
}

pub async fn revoke_link(app: &App, user: &CurrentUser) -> Result<()> {
    Ok(news::delete_feed(&app.db, user.id).await?)
}

/// Returns the feed at an address with this token, and its newest items. `None` if there is none.
pub async fn load_feed(app: &App, token: &Secret) -> Result<Option<(NewsFeed, Vec<NewsItem>)>> {
    let Some(feed) = news::find_feed_by_token(&app.db, TokenHash::new(token.expose())).await? else { return Ok(None) };
    let (items, _) = news::list(&app.db, feed.user, (0, PAGE_SIZE as i64)).await?;
    Ok(Some((feed, items)))
}

//! Sharing hearts on a public page or by a secret link. Off by default; Spotify is never called.

mod slug;

use time::{Duration, OffsetDateTime};

use super::text::visible_or;
use super::{CurrentUser, DEFAULT_NAME, Error, PAGE_SIZE, Paginated, Playlist, Result, page_offset};
use crate::app::App;
use crate::db;
use crate::db::shares::{ClaimResult, NewLink, SlugClaim};
use crate::ids::{Secret, TokenHash};
use crate::vault::Purpose;
pub use slug::{Slug, SlugError};

/// A playlist that Spotify has not shown for this long may be private by now; it is not shared.
const MAX_UNSEEN: Duration = Duration::days(30);
/// How long a released slug stays reserved for its last owner.
pub const SLUG_HOLD: Duration = Duration::days(90);
/// How many slugs one user may hold, released ones included.
const MAX_SLUGS: i64 = 5;

/// The URL of shared hearts.
pub enum Address {
    Page(Slug),
    /// A secret link's token.
    Link(Secret),
}

impl Address {
    /// Returns the part of a feed id that earlier releases derived from the address; it does not reveal the token.
    fn public_id(&self) -> String {
        match self {
            Address::Page(slug) => format!("u/{slug}"),
            Address::Link(token) => format!("s/{}", TokenHash::new(token.expose()).log_prefix()),
        }
    }
}

pub struct SharedPage {
    pub owner: String,
    pub since: OffsetDateTime,
    /// Permanent id of the feeds.
    pub feed_id: String,
    /// The pinned ones first if so requested, then newest first. Only public playlists that Spotify has shown recently.
    pub hearts: Paginated<Playlist>,
}

/// Returns a page of the hearts at `address`; `None` if the address is unknown or disabled.
pub async fn load_shared_page(
    app: &App,
    address: &Address,
    (page, pins_first): (usize, bool),
    now: OffsetDateTime,
) -> Result<Option<SharedPage>> {
    let owner = match address {
        Address::Page(slug) => db::shares::find_by_slug(&app.db, slug.as_str()).await?,
        Address::Link(token) => db::shares::find_by_token(&app.db, TokenHash::new(token.expose())).await?,
    };
    let Some(owner) = owner else { return Ok(None) };
    let seen_since = now - MAX_UNSEEN;
    let total = db::shares::count_visible(&app.db, owner.user, seen_since).await? as usize;
    let entries = match page_offset(page) {
        // Reading up to a page that does not exist would read all hearts again.
        offset if offset >= total => Vec::new(),
        offset => {
            let rows = (offset as i64, PAGE_SIZE as i64);
            db::shares::list_visible(&app.db, owner.user, seen_since, pins_first, rows).await?
        }
    };
    Ok(Some(SharedPage {
        owner: visible_or(owner.name, DEFAULT_NAME),
        since: owner.since,
        feed_id: owner.feed_id.unwrap_or_else(|| tag_uri(app, owner.since, &address.public_id())),
        hearts: Paginated { entries, range: page.into(), total },
    }))
}

/// Returns a tag URI (RFC 4151). Its host is the one at that date, and need not stay the site's.
fn tag_uri(app: &App, date: OffsetDateTime, name: &str) -> String {
    format!("tag:{},{}:{name}", host(app), date.date())
}

fn host(app: &App) -> &str {
    app.config.base_url.host_str().unwrap_or("localhost")
}

/// Returns the id of a new page's or link's feeds. Random, so that neither an earlier nor a later owner of the address
/// has the same.
fn new_feed_id(app: &App, now: OffsetDateTime) -> String {
    tag_uri(app, now, Secret::random_short().expose())
}

/// Stores the feed ids of existing shares, so that they survive a change of domain.
pub async fn backfill_feed_ids(app: &App) -> Result<()> {
    Ok(db::shares::backfill_feed_ids(&app.db, host(app)).await?)
}

pub struct SharingSettings {
    /// The name that visitors see.
    pub name: String,
    /// `None` if the page is off.
    pub page: Option<Slug>,
    /// `None` if there is no link.
    pub link: Option<SecretLink>,
    pub heart_count: i64,
    /// The number of hearts that visitors see.
    pub visible_count: i64,
    /// The first page of the hearts that visitors see.
    pub first_page: Vec<Playlist>,
}

pub struct SecretLink {
    /// `None` if `SESSION_SECRET` has changed since: the link still works but cannot be displayed.
    pub token: Option<Secret>,
    pub since: OffsetDateTime,
}

/// Returns the user's sharing settings and a preview.
pub async fn load_settings(app: &App, user: &CurrentUser, now: OffsetDateTime) -> Result<SharingSettings> {
    let seen_since = now - MAX_UNSEEN;
    let share = db::shares::find(&app.db, user.id).await?;
    let (slug, link) = share.map_or((None, None), |share| (share.slug, share.token_sealed.zip(share.token_since)));
    let open_token = |sealed: Vec<u8>| {
        let plaintext = app.vault.open(Purpose::Share, &user.id.0.to_be_bytes(), &sealed).ok()?;
        String::from_utf8(plaintext).ok().map(Secret::new)
    };
    let account = db::users::find(&app.db, user.id).await?;
    Ok(SharingSettings {
        name: account.map_or_else(|| user.name.clone(), |account| visible_or(account.display_name, DEFAULT_NAME)),
        page: slug.map(Slug::from_stored),
        link: link.map(|(sealed, since)| SecretLink { token: open_token(sealed), since }),
        heart_count: db::hearts::count(&app.db, user.id).await?,
        visible_count: db::shares::count_visible(&app.db, user.id, seen_since).await?,
        first_page: db::shares::list_visible(&app.db, user.id, seen_since, true, (0, PAGE_SIZE as i64)).await?,
    })
}

pub struct SharingStatus {
    /// `None` if the page is off.
    pub page: Option<Slug>,
    pub has_link: bool,
}

pub async fn load_status(app: &App, user: &CurrentUser) -> Result<SharingStatus> {
    let share = db::shares::find(&app.db, user.id).await?;
    let (slug, link) = share.map_or((None, false), |share| (share.slug, share.token_sealed.is_some()));
    Ok(SharingStatus { page: slug.map(Slug::from_stored), has_link: link })
}

#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error(transparent)]
    Slug(#[from] SlugError),
    #[error("This address is taken. Choose another.")]
    Taken,
    #[error("You have used {MAX_SLUGS} addresses in the last {} days. Go back to one of them, or wait.", SLUG_HOLD.whole_days())]
    TooMany,
    #[error("The operator took down what you shared. Ask them before you share again.")]
    TakenDown,
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<db::Error> for PageError {
    fn from(error: db::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Fails if an operator took the user's page or link down.
async fn check_allowed(app: &App, user: &CurrentUser) -> Result<(), PageError> {
    match db::shares::is_banned(&app.db, user.id).await? {
        true => Err(PageError::TakenDown),
        false => Ok(()),
    }
}

/// Enables the public page under a slug, or moves it there.
pub async fn enable_page(app: &App, user: &CurrentUser, text: &str, now: OffsetDateTime) -> Result<(), PageError> {
    check_allowed(app, user).await?;
    let slug = Slug::parse(text)?;
    let (free_before, feed_id) = (now - SLUG_HOLD, new_feed_id(app, now));
    let claim = SlugClaim { slug: slug.as_str(), free_before, max_slugs: MAX_SLUGS, feed_id: &feed_id };
    match db::shares::claim_slug(&app.db, user.id, claim, now).await? {
        ClaimResult::Claimed => Ok(()),
        ClaimResult::Taken => Err(PageError::Taken),
        ClaimResult::TooMany => Err(PageError::TooMany),
    }
}

pub async fn disable_page(app: &App, user: &CurrentUser, now: OffsetDateTime) -> Result<()> {
    Ok(db::shares::disable_page(&app.db, user.id, now).await?)
}

/// Creates a secret link that replaces the existing one.
///
/// The token is stored encrypted next to its hash, so that its owner can copy it again. If it were displayed only once,
/// every new copy would need a new token, which breaks the link for everybody who has it.
pub async fn create_link(app: &App, user: &CurrentUser, now: OffsetDateTime) -> Result<(), PageError> {
    check_allowed(app, user).await?;
    let token = Secret::random_short();
    let token_sealed = app.vault.seal(Purpose::Share, &user.id.0.to_be_bytes(), token.expose().as_bytes());
    let feed_id = new_feed_id(app, now);
    let link = NewLink { token: TokenHash::new(token.expose()), token_sealed: &token_sealed, feed_id: &feed_id };
    Ok(db::shares::set_link(&app.db, user.id, link, now).await?)
}

pub async fn revoke_link(app: &App, user: &CurrentUser) -> Result<()> {
    Ok(db::shares::revoke_link(&app.db, user.id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_id_distinguishes_links_and_reveals_no_token() {
        let link = |token: &str| Address::Link(Secret::new(token)).public_id();
        assert_eq!(Address::Page(Slug::parse("ada").unwrap()).public_id(), "u/ada");
        assert_ne!(link("one"), link("two"));
        assert!(link("one").len() == 34 && !link("one").contains("one"));
    }
}

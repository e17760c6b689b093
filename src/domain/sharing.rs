//! Sharing hearts on a public page or by a secret link. Off by default; Spotify is never called.

mod options;
mod slug;

use time::{Duration, OffsetDateTime};

use super::annotation::fold_tag;
use super::text::visible_or;
use super::{CurrentUser, DEFAULT_NAME, Error, PAGE_SIZE, Paginated, Playlist, Result, page_offset, search};
use crate::app::App;
use crate::db;
use crate::db::shared_hearts::{self, VisibleHearts};
use crate::db::shares::{ClaimResult, LinkResult, NewLink, Share, ShareOwner, SlugClaim};
use crate::ids::{PlaylistId, Secret, TokenHash, UserId};
use crate::vault::Purpose;
pub use options::{SharedTagError, set_options, share_tag, unshare_tag};
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

    /// Returns an id of the share for links on its page, which does not reveal a secret link's token.
    pub fn reference(&self) -> String {
        match self {
            Address::Page(slug) => slug.to_string(),
            Address::Link(token) => TokenHash::new(token.expose()).to_text(),
        }
    }
}

pub struct SharedPage {
    pub owner: String,
    pub since: OffsetDateTime,
    /// Permanent id of the feeds of all hearts.
    pub feed_id: String,
    /// The tag that all of these hearts have, if the page is about one.
    pub tag: Option<String>,
    /// All tags with a page of their own.
    pub shared_tags: Vec<String>,
    /// Whether other sites may show a card of the page.
    pub embeddable: bool,
    /// The pinned ones first if so requested, then newest first. Only public playlists that Spotify has shown recently.
    pub hearts: Paginated<Playlist>,
}

/// Returns a page of the hearts at `address`, or of those with a tag. `None` if the address is unknown or disabled, or
/// if the tag is not shared.
pub async fn load_shared_page(
    app: &App,
    address: &Address,
    tag: Option<&str>,
    (page, pins_first): (usize, bool),
    now: OffsetDateTime,
) -> Result<Option<SharedPage>> {
    let owner = match address {
        Address::Page(slug) => db::shares::find_by_slug(&app.db, slug.as_str()).await?,
        Address::Link(token) => db::shares::find_by_token(&app.db, TokenHash::new(token.expose())).await?,
    };
    let Some(owner) = owner else { return Ok(None) };
    let folded = tag.map(fold_tag);
    let tag = folded.as_ref().and_then(|folded| owner.shared_tags.iter().find(|tag| fold_tag(tag) == *folded)).cloned();
    if tag.is_none() && folded.is_some() {
        return Ok(None);
    }
    let visible = VisibleHearts { tag: folded.as_deref(), ..visible_hearts(owner.user, owner.shows_notes, now) };
    let total = shared_hearts::count(&app.search_db, visible).await? as usize;
    let entries = match page_offset(page) {
        // Reading up to a page that does not exist would read all hearts again.
        offset if offset >= total => Vec::new(),
        offset => {
            let rows = (offset as i64, PAGE_SIZE as i64);
            shared_hearts::list(&app.search_db, visible, pins_first, rows).await?
        }
    };
    Ok(Some(SharedPage {
        owner: visible_or(owner.name, DEFAULT_NAME),
        since: owner.since,
        feed_id: owner.feed_id.unwrap_or_else(|| tag_uri(app, owner.since, &address.public_id())),
        tag,
        shared_tags: owner.shared_tags,
        embeddable: owner.embeddable,
        hearts: Paginated { entries, range: page.into(), total },
    }))
}

fn visible_hearts(user: UserId, shows_notes: bool, now: OffsetDateTime) -> VisibleHearts<'static> {
    VisibleHearts { user, seen_since: now - MAX_UNSEEN, tag: None, playlist: None, shows_notes }
}

/// Returns a playlist as the share with this [`Address::reference`] shows it.
pub async fn find_playlist(
    app: &App,
    reference: &str,
    playlist: &PlaylistId,
    now: OffsetDateTime,
) -> Result<Option<Playlist>> {
    let owner = match (TokenHash::from_text(reference), Slug::parse(reference)) {
        (Some(hash), _) => db::shares::find_by_token(&app.db, hash).await?,
        (None, Ok(slug)) => db::shares::find_by_slug(&app.db, slug.as_str()).await?,
        (None, Err(_)) => None,
    };
    let Some(ShareOwner { user, .. }) = owner else { return Ok(None) };
    let visible = VisibleHearts { playlist: Some(playlist), ..visible_hearts(user, false, now) };
    Ok(shared_hearts::list(&app.db, visible, false, (0, 1))
        .await?
        .pop()
        .map(|playlist| Playlist { hearted_at: None, ..playlist }))
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
pub(super) fn new_feed_id(app: &App, now: OffsetDateTime) -> String {
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
    /// A slug by the user's name that nobody has, if the page is off.
    pub suggested_page: Option<Slug>,
    /// `None` if there is no link.
    pub link: Option<SecretLink>,
    pub shared_tags: Vec<String>,
    pub shows_notes: bool,
    pub embeddable: bool,
    /// True while an operator keeps the user from sharing.
    pub is_taken_down: bool,
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
    let visible = visible_hearts(user.id, false, now);
    let share = db::shares::find(&app.db, user.id).await?.unwrap_or_default();
    let Share { slug, token_sealed, token_since, shared_tags, shows_notes, embeddable, is_taken_down } = share;
    let open_token = |sealed: Vec<u8>| open_link_token(app, Purpose::Share, user.id, &sealed);
    let account = db::users::find(&app.db, user.id).await?;
    let name = account.map_or_else(|| user.name.clone(), |account| visible_or(account.display_name, DEFAULT_NAME));
    let preview = search::run(app, user.id, async {
        let count = shared_hearts::count(&app.search_db, visible).await?;
        Ok((count, shared_hearts::list(&app.search_db, visible, true, (0, PAGE_SIZE as i64)).await?))
    });
    let (visible_count, first_page) = preview.await?;
    Ok(SharingSettings {
        suggested_page: if slug.is_none() { suggest_slug(app, user, &name, now).await? } else { None },
        name,
        page: slug.map(Slug::from_stored),
        link: token_sealed.zip(token_since).map(|(sealed, since)| SecretLink { token: open_token(sealed), since }),
        shared_tags,
        shows_notes,
        embeddable,
        is_taken_down,
        heart_count: db::hearts::count(&app.db, user.id).await?,
        visible_count,
        first_page,
    })
}

async fn suggest_slug(app: &App, user: &CurrentUser, name: &str, now: OffsetDateTime) -> Result<Option<Slug>> {
    let slugs = Slug::suggest(name);
    let hashes: Vec<_> = slugs.iter().map(|slug| TokenHash::new(slug.as_str())).collect();
    let taken = db::shares::find_taken_slugs(&app.db, user.id, &hashes, now - SLUG_HOLD).await?;
    Ok(slugs
        .into_iter()
        .zip(hashes)
        .find(|(_, hash)| !taken.iter().any(|taken| taken == hash.as_bytes()))
        .map(|(slug, _)| slug))
}

pub struct SharingStatus {
    /// `None` if the page is off.
    pub page: Option<Slug>,
    pub has_link: bool,
    /// True while an operator keeps the user from sharing.
    pub is_taken_down: bool,
}

impl SharingStatus {
    /// Returns whether anybody else can see hearts.
    pub fn is_shared(&self) -> bool {
        self.page.is_some() || self.has_link
    }
}

pub async fn load_status(app: &App, user: &CurrentUser) -> Result<SharingStatus> {
    let share = db::shares::find(&app.db, user.id).await?.unwrap_or_default();
    Ok(SharingStatus {
        page: share.slug.map(Slug::from_stored),
        has_link: share.token_sealed.is_some(),
        is_taken_down: share.is_taken_down,
    })
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

/// Enables the public page under a slug, or moves it there. Returns the slug.
pub async fn enable_page(app: &App, user: &CurrentUser, text: &str, now: OffsetDateTime) -> Result<Slug, PageError> {
    let slug = Slug::parse(text)?;
    let (free_before, feed_id) = (now - SLUG_HOLD, new_feed_id(app, now));
    let claim = SlugClaim { slug: slug.as_str(), free_before, max_slugs: MAX_SLUGS, feed_id: &feed_id };
    match db::shares::claim_slug(&app.db, user.id, claim, now).await? {
        ClaimResult::Claimed => Ok(slug),
        ClaimResult::Taken => Err(PageError::Taken),
        ClaimResult::TooMany => Err(PageError::TooMany),
        ClaimResult::TakenDown => Err(PageError::TakenDown),
    }
}

pub async fn disable_page(app: &App, user: &CurrentUser, now: OffsetDateTime) -> Result<()> {
    Ok(db::shares::disable_page(&app.db, user.id, now).await?)
}

/// Creates a secret link. Returns `false`, and changes nothing, if there is one already and `replaces` is not set.
///
/// The token is stored encrypted next to its hash, so that its owner can copy it again. If it were displayed only once,
/// every new copy would need a new token, which breaks the link for everybody who has it.
pub async fn create_link(
    app: &App,
    user: &CurrentUser,
    replaces: bool,
    now: OffsetDateTime,
) -> Result<bool, PageError> {
    let token = Secret::random_short();
    let token_sealed = seal_link_token(app, Purpose::Share, user.id, &token);
    let feed_id = new_feed_id(app, now);
    let token = TokenHash::new(token.expose());
    let link = NewLink { token, token_sealed: &token_sealed, feed_id: &feed_id, replaces };
    match db::shares::set_link(&app.db, user.id, link, now).await? {
        LinkResult::Created => Ok(true),
        LinkResult::Exists => Ok(false),
        LinkResult::TakenDown => Err(PageError::TakenDown),
    }
}

pub(super) fn seal_link_token(app: &App, purpose: Purpose, user: UserId, token: &Secret) -> Vec<u8> {
    app.vault.seal(purpose, &user.0.to_be_bytes(), token.expose().as_bytes())
}

/// Returns `None` if `SESSION_SECRET` has changed since.
pub(super) fn open_link_token(app: &App, purpose: Purpose, user: UserId, sealed: &[u8]) -> Option<Secret> {
    let token = app.vault.open(purpose, &user.0.to_be_bytes(), sealed).ok()?;
    String::from_utf8(token).ok().map(Secret::new)
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

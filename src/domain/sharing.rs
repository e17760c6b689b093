//! Sharing: who shows which of their hearts to others, and where. Off until switched on; nothing here asks
//! Spotify.

mod slug;

use time::{Duration, OffsetDateTime};

use super::{Caller, PAGE, Paged, Playlist, Result, offset};
use crate::app::App;
use crate::db;
use crate::db::shares::{Claim, Claimed};
use crate::ids::{Digested, Secret};
use crate::vault::Purpose;
pub use slug::{Slug, Unfit};

/// What Spotify has not shown for this long may have become private meanwhile, and is not kept any longer.
const FRESH: Duration = Duration::days(30);
/// How long an address that was given up stays out of others' reach.
pub const HELD: Duration = Duration::days(90);
/// How many addresses one person may hold, given-up ones included, so that nobody collects them.
const AT_MOST: i64 = 5;

/// Where hearts are shown.
pub enum Address {
    /// The public page of this name.
    Page(Slug),
    /// The secret link with this token.
    Link(Secret),
}

impl Address {
    /// A name for what is at the address that gives no secret away.
    pub fn mark(&self) -> String {
        match self {
            Address::Page(slug) => format!("u/{slug}"),
            Address::Link(token) => format!("s/{}", Digested::of(token.expose()).short()),
        }
    }
}

/// What somebody shows.
pub struct Shown {
    /// What they are called.
    pub owner: String,
    /// Since when it is at this address.
    pub since: OffsetDateTime,
    /// Their hearts, newest first: only public playlists, and none that Spotify has not shown lately.
    pub hearts: Paged<Vec<Playlist>>,
}

/// Page `page` of what is shown at `address`; none: nothing is, be it that nobody ever used the address or
/// that it was switched off.
pub async fn at(app: &App, address: &Address, page: usize, now: OffsetDateTime) -> Result<Option<Shown>> {
    let owner = match address {
        Address::Page(slug) => db::shares::at_slug(&app.db, slug.as_str()).await?,
        Address::Link(token) => db::shares::at_token(&app.db, Digested::of(token.expose())).await?,
    };
    let Some(owner) = owner else { return Ok(None) };
    let fresh = now - FRESH;
    let total = db::shares::count(&app.db, owner.user, fresh).await? as usize;
    let entries = db::shares::stretch(&app.db, owner.user, fresh, offset(page) as i64, PAGE as i64).await?;
    Ok(Some(Shown { owner: owner.name, since: owner.since, hearts: Paged { entries, at: page.into(), total } }))
}

/// What a person has switched on, and what others see of it.
pub struct Settings {
    /// What others see them called.
    pub name: String,
    /// Where their page is; none: switched off.
    pub page: Option<Slug>,
    /// Their secret link; none: switched off.
    pub link: Option<Link>,
    /// How many hearts they gave.
    pub hearts: i64,
    /// How many of them show.
    pub shown: i64,
    /// The first of those, newest first.
    pub first: Vec<Playlist>,
}

/// A secret link.
pub struct Link {
    /// None: it still opens, but cannot be read again, because `SESSION_SECRET` is another one now.
    pub token: Option<Secret>,
    /// When it was made.
    pub since: OffsetDateTime,
}

/// What the caller has switched on, and what others would see.
pub async fn settings(app: &App, caller: &Caller, now: OffsetDateTime) -> Result<Settings> {
    let (user, fresh) = (caller.person.id, now - FRESH);
    let share = db::shares::of(&app.db, user).await?;
    let (slug, link) = share.map_or((None, None), |share| (share.slug, share.token_sealed.zip(share.token_since)));
    let opened = |sealed: Vec<u8>| {
        let plain = app.vault.open(Purpose::Share, &user.0.to_be_bytes(), &sealed).ok()?;
        String::from_utf8(plain).ok().map(Secret::new)
    };
    let person = db::users::find(&app.db, user).await?;
    Ok(Settings {
        name: person.map_or_else(|| caller.person.name.clone(), |person| person.display_name),
        page: slug.map(Slug::kept),
        link: link.map(|(sealed, since)| Link { token: opened(sealed), since }),
        hearts: db::hearts::count(&app.db, user).await?,
        shown: db::shares::count(&app.db, user, fresh).await?,
        first: db::shares::stretch(&app.db, user, fresh, 0, PAGE as i64).await?,
    })
}

/// What a person has switched on, in short.
pub struct On {
    /// Where their page is; none: switched off.
    pub page: Option<Slug>,
    /// Whether they have a secret link.
    pub link: bool,
}

/// What the caller has switched on, and nothing of what others see.
pub async fn on(app: &App, caller: &Caller) -> Result<On> {
    let share = db::shares::of(&app.db, caller.person.id).await?;
    let (slug, link) = share.map_or((None, false), |share| (share.slug, share.token_sealed.is_some()));
    Ok(On { page: slug.map(Slug::kept), link })
}

/// Why a page cannot be at an address, in words for who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no address.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Somebody else has it.
    #[error("This address is taken. Choose another.")]
    Taken,
    /// Too many addresses.
    #[error("You have used {AT_MOST} addresses in the last {} days. Go back to one of them, or wait.", HELD.whole_days())]
    TooMany,
}

/// Switches the caller's page on at the address they typed, or moves it there.
///
/// # Errors
/// When the database fails; then nothing has changed. Inside, why the address cannot be theirs.
pub async fn open_page(
    app: &App,
    caller: &Caller,
    typed: &str,
    now: OffsetDateTime,
) -> Result<std::result::Result<(), Refused>> {
    let slug = match Slug::typed(typed) {
        Ok(slug) => slug,
        Err(unfit) => return Ok(Err(unfit.into())),
    };
    let claim = Claim { slug: slug.as_str(), free_before: now - HELD, at_most: AT_MOST };
    Ok(match db::shares::claim(&app.db, caller.person.id, claim, now).await? {
        Claimed::Yes => Ok(()),
        Claimed::Taken => Err(Refused::Taken),
        Claimed::TooMany => Err(Refused::TooMany),
    })
}

/// Switches the caller's page off, at once.
///
/// # Errors
/// When the database fails; then it is still on.
pub async fn close_page(app: &App, caller: &Caller, now: OffsetDateTime) -> Result<()> {
    Ok(db::shares::close_page(&app.db, caller.person.id, now).await?)
}

/// Makes the caller a secret link, in place of the one there was.
///
/// The token is kept sealed beside its digest, so that its owner can copy it again: a link that is shown once
/// would be renewed for every copy, and each renewal ends it for all who have it.
pub async fn open_link(app: &App, caller: &Caller, now: OffsetDateTime) -> Result<()> {
    let (user, token) = (caller.person.id, Secret::short());
    let sealed = app.vault.seal(Purpose::Share, &user.0.to_be_bytes(), token.expose().as_bytes());
    Ok(db::shares::set_token(&app.db, user, Digested::of(token.expose()), &sealed, now).await?)
}

/// Switches the caller's secret link off, at once and for good: the next one is another.
///
/// # Errors
/// When the database fails; then it is still on.
pub async fn close_link(app: &App, caller: &Caller) -> Result<()> {
    Ok(db::shares::close_link(&app.db, caller.person.id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_links_apart_and_gives_none_away() {
        let link = |token: &str| Address::Link(Secret::new(token)).mark();
        assert_eq!(Address::Page(Slug::typed("ada").unwrap()).mark(), "u/ada");
        assert_ne!(link("one"), link("two"));
        assert!(link("one").len() == 34 && !link("one").contains("one"));
    }
}

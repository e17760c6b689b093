//! A person's playlists: kept for ten minutes, shown as old when Spotify cannot be asked.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use time::{Duration, OffsetDateTime};

use super::playlists::seen;
use super::{Caller, Error, PAGE, Paged, Playlist, Result, offset, tokens, within};
use crate::app::App;
use crate::db;
use crate::db::playlists::Seen;
use crate::ids::Secret;
use crate::spotify::{self, wire};

/// How long a kept library counts as fresh.
const FRESH: Duration = Duration::minutes(10);
/// How many pages are asked for at the same time, after the first.
const AT_A_TIME: usize = 4;
/// How far Spotify lets one page (its reference: an offset of 100,000).
const FARTHEST: usize = 100_000;

/// A page of a person's library.
pub struct Library {
    /// The playlists, in Spotify's order.
    pub playlists: Paged<Playlist>,
    /// When Spotify was asked for them.
    pub as_of: OffsetDateTime,
    /// Why they could not be asked for anew, when they are older than they should be.
    pub trouble: Option<Error>,
}

/// Page `page` of the caller's library.
///
/// # Errors
/// Whatever Spotify's trouble is, when nothing is kept that could bridge it.
pub async fn of(app: &App, caller: &Caller, page: usize, now: OffsetDateTime) -> Result<Library> {
    let user = caller.person.id;
    let mut kept = db::playlists::library(&app.db, user).await?;
    let mut trouble = None;
    if !kept.as_ref().is_some_and(|kept| within(kept.fetched_at, FRESH, now)) {
        match fetch(app, caller, now).await {
            Ok(all) => {
                db::playlists::replace_library(&app.db, user, &all, now).await?;
                kept = Some(db::playlists::Library { fetched_at: now, total: all.len() as i64 });
            }
            Err(error) if kept.is_some() && error.spotify_is_away() => trouble = Some(error),
            Err(error) => return Err(error),
        }
    }
    let kept = kept.expect("fetched or kept");
    let entries = db::playlists::stretch(&app.db, user, offset(page) as i64, PAGE as i64).await?;
    let playlists = Paged { entries, page, total: kept.total as usize };
    Ok(Library { playlists, as_of: kept.fetched_at, trouble })
}

async fn fetch(app: &App, caller: &Caller, now: OffsetDateTime) -> Result<Vec<Seen>> {
    let pages = tokens::with_token(app, caller, now, |token| all_pages(&app.spotify, token)).await?;
    let mut known = HashSet::new();
    let entries = pages.into_iter().filter_map(|page| page.items).flatten().flatten();
    // A library that changes while it is read may show one playlist on two pages.
    Ok(entries.map(|playlist| seen(&playlist)).filter(|seen| known.insert(seen.id.clone())).collect())
}

/// The pages, by offsets of our own: `next` may point to a dead address, and only says that there is more.
async fn all_pages(
    spotify: &spotify::Client,
    token: Secret,
) -> std::result::Result<Vec<wire::Page<wire::Playlist>>, spotify::Error> {
    let mut pages = vec![spotify.my_playlists(&token, 0).await?];
    while pages.last().is_some_and(more) && pages.len() * spotify::PAGE < FARTHEST {
        let counted = pages[0].total.map_or(usize::MAX, |total| total.div_ceil(spotify::PAGE));
        let until = (pages.len() + AT_A_TIME).min(counted.max(pages.len() + 1));
        let offsets = (pages.len()..until).map(|page| page * spotify::PAGE);
        pages.extend(try_join_all(offsets.map(|offset| spotify.my_playlists(&token, offset))).await?);
    }
    Ok(pages)
}

fn more(page: &wire::Page<wire::Playlist>) -> bool {
    page.next.is_some() && page.items.as_ref().is_some_and(|items| !items.is_empty())
}

//! A person's playlists: kept for ten minutes, fetched by one request at a time, shown as old or in part when
//! Spotify cannot be asked.

use std::collections::HashSet;

use time::{Duration, OffsetDateTime};
use tokio::task::JoinHandle;

use super::asking::{self, Endpoint};
use super::fetch::{self, Fetched};
use super::playlists::seen;
use super::search::Wanted;
use super::{Caller, Error, PAGE, Paged, Playlist, Result};
use crate::app::App;
use crate::db::playlists::{self as rows, Library as Kept, Read, Seen};
use crate::db::search;
use crate::ids::UserId;

/// How long a kept library counts as fresh.
const FRESH: Duration = Duration::minutes(10);
/// How soon after a fetch somebody may ask for another.
const SOONEST: Duration = Duration::seconds(30);
/// How long an old list is looked at before Spotify, which just failed, is asked for a new one.
const PAUSE: Duration = Duration::seconds(30);
/// How long one process may take to fetch: longer than the budget of a page.
const LEASE: Duration = Duration::seconds(12);
/// How long a first view waits for the whole of a library before it shows what has come of it.
const FIRST_VIEW: std::time::Duration = std::time::Duration::from_secs(2);
/// How long a first view waits each time for another request that fetches the same library.
const WAIT: std::time::Duration = std::time::Duration::from_millis(250);

/// A page of a person's library.
pub struct Library {
    /// The playlists that were wanted.
    pub playlists: Paged<Vec<Playlist>>,
    /// How many there are, wanted or not.
    pub all: usize,
    /// When Spotify was asked for them.
    pub as_of: OffsetDateTime,
    /// How many more Spotify counts, when it failed half-way or is still being asked.
    pub missing: usize,
    /// Whether it is still being asked for them.
    pub coming: bool,
    /// Why they could not be asked for anew, when they are older than they should be.
    pub trouble: Option<Error>,
}

/// What somebody wants of Spotify.
#[derive(Clone, Copy, Debug)]
pub enum Wish<'a> {
    /// A look at a page, with a fetch when it is time for one.
    Look(&'a Wanted),
    /// The whole library anew.
    Anew,
    /// The rest of a library that was read in part.
    Rest,
}

impl Wish<'_> {
    /// Reads the stored library in one query, with the rows of the page that is looked at.
    async fn kept(self, app: &App, caller: &Caller) -> Result<Option<Kept>> {
        let user = caller.person.id;
        Ok(match self {
            Wish::Look(wanted) if !wanted.is_plain() => {
                let filter = wanted.filter(app, caller).await?;
                search::search_library(&app.db, user, &filter, wanted.order, wanted.at.stretch()).await?
            }
            Wish::Look(wanted) => rows::load_library(&app.db, user, wanted.at.stretch()).await?,
            Wish::Anew | Wish::Rest => rows::load_library(&app.db, user, (0, 0)).await?,
        })
    }
}

/// What is to be done about a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// Show what is kept.
    Show,
    /// Show what is kept, and say why Spotify, asked a moment ago, gave nothing newer.
    Bridge,
    /// Ask Spotify from this entry on.
    Fetch(usize),
}

fn plan(kept: Option<&Kept>, wish: Wish<'_>, now: OffsetDateTime) -> Plan {
    let Some((kept, fetched_at)) = kept.and_then(|kept| Some((kept, kept.fetched_at?))) else { return Plan::Fetch(0) };
    let rests = match wish {
        Wish::Look(_) => FRESH,
        Wish::Anew => SOONEST,
        Wish::Rest if kept.reached < kept.counted => return Plan::Fetch(kept.reached as usize),
        Wish::Rest => return Plan::Show,
    };
    let failed = matches!(wish, Wish::Look(_)) && kept.failed_at.is_some_and(|failed| now - failed < PAUSE);
    match now - fetched_at < rests {
        _ if failed => Plan::Bridge,
        true => Plan::Show,
        false => Plan::Fetch(0),
    }
}

/// What the caller wants of their library.
///
/// # Errors
/// Whatever Spotify's trouble is, when nothing is kept that could bridge it.
pub async fn of(app: &App, caller: &Caller, wanted: &Wanted, now: OffsetDateTime) -> Result<Library> {
    let look = Wish::Look(wanted);
    let (kept, trouble) = match in_time(app, caller, look, now).await {
        Ok(Some(kept)) => (Some(kept), None),
        Ok(None) => (look.kept(app, caller).await?, None),
        Err(trouble) if trouble.spotify_is_away() => (look.kept(app, caller).await?, Some(trouble)),
        Err(error) => return Err(error),
    };
    // A list that is fresh all the same says that the next one cannot come.
    let trouble = trouble.or_else(|| caller.grant.is_none().then(|| caller.without_grant()));
    let Some((kept, as_of)) = kept.and_then(|kept| kept.fetched_at.map(|at| (kept, at))) else {
        return Err(trouble.unwrap_or(Error::SpotifySlow));
    };
    Ok(Library {
        all: kept.total as usize,
        as_of,
        missing: (kept.counted - kept.reached).max(0) as usize,
        coming: kept.is_loading(now),
        trouble,
        playlists: Paged { entries: kept.rows, at: wanted.at, total: kept.found as usize },
    })
}

/// Brings the kept library up to what `wish` asks for. Says whether Spotify was asked.
///
/// # Errors
/// Spotify's trouble; what was kept before is then still there.
pub async fn update(app: &App, caller: &Caller, wish: Wish<'_>, now: OffsetDateTime) -> Result<bool> {
    Ok(in_time(app, caller, wish, now).await?.is_none())
}

/// What is kept if that meets the wish; none: Spotify was asked, and what is kept has changed.
async fn in_time(app: &App, caller: &Caller, wish: Wish<'_>, now: OffsetDateTime) -> Result<Option<Kept>> {
    let met = tokio::time::timeout(asking::BUDGET, fetch_in_turn(app, caller, wish, now)).await;
    met.unwrap_or(Err(Error::SpotifySlow))
}

async fn fetch_in_turn(app: &App, caller: &Caller, wish: Wish<'_>, now: OffsetDateTime) -> Result<Option<Kept>> {
    let user = caller.person.id;
    loop {
        let kept = wish.kept(app, caller).await?;
        let from = match plan(kept.as_ref(), wish, now) {
            Plan::Show if kept.as_ref().is_none_or(|kept| !kept.is_loading(app.now()) || meets(kept, wish)) => {
                return Ok(kept);
            }
            Plan::Show => {
                tokio::time::sleep(WAIT).await;
                continue;
            }
            Plan::Bridge => return Err(asking::trouble(app, Endpoint::MyPlaylists, now).await?),
            Plan::Fetch(from) => from,
        };
        let leased = kept.as_ref().and_then(|kept| kept.leased_until).is_some_and(|until| until > app.now());
        if !leased && rows::lease(&app.db, user, now + LEASE, now).await? {
            let first = kept.as_ref().is_none_or(|kept| kept.fetched_at.is_none());
            let (ours, theirs) = (app.clone(), caller.clone());
            // Detached: what was fetched is kept although the visitor may have left.
            let fetch = tokio::spawn(async move { fetch_and_keep(&ours, &theirs, kept, from, now).await });
            return wait_for(app, caller, first.then_some(wish), fetch).await.map(|()| None);
        }
        // Somebody else is asking. Who has an old list looks at that meanwhile; who has none waits.
        if kept.as_ref().is_some_and(|kept| kept.fetched_at.is_some()) {
            return Ok(kept);
        }
        tokio::time::sleep(WAIT).await;
    }
}

/// Whether a part of a first library is enough already.
fn meets(kept: &Kept, wish: Wish<'_>) -> bool {
    match wish {
        Wish::Look(wanted) => kept.fetched_at.is_some() && kept.reached as usize >= wanted.at.last * PAGE,
        Wish::Anew | Wish::Rest => true,
    }
}

/// Waits for the end of a fetch; a first view no longer than until there is what it looks at.
async fn wait_for(
    app: &App,
    caller: &Caller,
    first: Option<Wish<'_>>,
    mut fetch: JoinHandle<Result<()>>,
) -> Result<()> {
    loop {
        if let Ok(ended) = tokio::time::timeout(FIRST_VIEW, &mut fetch).await {
            return ended.unwrap_or_else(|error| Err(Error::Internal(error.to_string())));
        }
        let Some(wish) = first else { continue };
        if wish.kept(app, caller).await?.is_some_and(|kept| meets(&kept, wish)) {
            return Ok(());
        }
    }
}

async fn fetch_and_keep(
    app: &App,
    caller: &Caller,
    kept: Option<Kept>,
    from: usize,
    now: OffsetDateTime,
) -> Result<()> {
    let user = caller.person.id;
    let first = kept.as_ref().is_none_or(|kept| kept.fetched_at.is_none());
    let mut fetched = fetch::begin(app, caller, from, now).await;
    while fetched.wants_more() {
        // Of a first library, each part shows as it comes; an old one stays until the new one is whole.
        if first && !keep(app, user, from, &mut fetched, now).await? {
            return Ok(());
        }
        fetched.go_on(app, caller, now).await;
    }
    // Half of a new list does not replace a whole old one.
    let worse = from == 0 && kept.is_some_and(|kept| kept.total > 0 && kept.reached >= kept.counted);
    match fetched.trouble.take() {
        Some(trouble) if fetched.is_empty() || worse => {
            // Other troubles end by what somebody does.
            let passes = matches!(trouble, Error::SpotifyAway(_) | Error::SpotifySlow | Error::SlowDown { .. });
            let failed = passes.then_some(now);
            rows::release(&app.db, user, now + LEASE, failed).await?;
            Err(trouble)
        }
        trouble => {
            // What came is shown with its gap, which the page offers to fill; the trouble is worth a line in the log.
            if let Some(trouble) = &trouble {
                tracing::info!(%user, reached = fetched.reached, %trouble, "a library arrived in part");
            }
            fetched.trouble = trouble;
            keep(app, user, from, &mut fetched, now).await.map(|_| ())
        }
    }
}

/// Keeps what has come since this was last asked. False: another has taken over meanwhile, and what it keeps stays.
async fn keep(app: &App, user: UserId, from: usize, fetched: &mut Fetched, now: OffsetDateTime) -> Result<bool> {
    let begins = from == 0 && fetched.nothing_given();
    let number = |entries: usize| entries.try_into().unwrap_or(i32::MAX);
    let counted = number(fetched.counted());
    let whole = fetched.trouble.is_none() && !fetched.wants_more();
    let reached = if whole { counted } else { number(fetched.reached) };
    let goes_on = fetched.wants_more();
    let mut known = HashSet::new();
    // A library that changes while it is read may show one playlist on two pages.
    let playlists: Vec<Seen> = fetched.fresh().map(seen).filter(|seen| known.insert(seen.id.clone())).collect();
    let read = Read { playlists: &playlists, counted, reached, lease: now + LEASE, goes_on };
    Ok(match begins {
        true => rows::replace_library(&app.db, user, read, now).await?,
        false => rows::extend_library(&app.db, user, read, now).await?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::search::{Order, Search};
    use super::*;

    #[test]
    fn a_wish_is_met_from_what_is_kept_when_that_is_young_enough() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::hours(1);
        let kept = |age: i64, reached| Kept {
            fetched_at: Some(now - Duration::seconds(age)),
            total: 10,
            counted: 100,
            reached,
            leased_until: None,
            failed_at: None,
            found: 10,
            rows: Vec::new(),
        };
        let first = Wanted { search: Search::default(), order: Order::Usual, at: 1.into() };
        let look = Wish::Look(&first);
        let failed = |ago| Kept { failed_at: Some(now - Duration::seconds(ago)), ..kept(600, 100) };
        assert_eq!(plan(None, look, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&Kept { fetched_at: None, ..kept(0, 0) }), look, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&kept(599, 100)), look, now), Plan::Show);
        assert_eq!(plan(Some(&kept(600, 100)), look, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&failed(29)), look, now), Plan::Bridge);
        assert_eq!(plan(Some(&failed(29)), Wish::Anew, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&failed(30)), look, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&kept(29, 100)), Wish::Anew, now), Plan::Show);
        assert_eq!(plan(Some(&kept(30, 100)), Wish::Anew, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&kept(5, 50)), Wish::Rest, now), Plan::Fetch(50));
        assert_eq!(plan(Some(&kept(5, 100)), Wish::Rest, now), Plan::Show);
    }
}

//! A user's library: cached for ten minutes, fetched by one request at a time, shown stale or in part while Spotify is
//! unavailable.

mod fetch;

use time::{Duration, OffsetDateTime};
use tokio::task::JoinHandle;

use self::fetch::{LibraryFetch, StoredCounts};
use super::playlists::to_seen_playlist;
use super::search::{self, ListQuery};
use super::spotify_calls::{self, Endpoint};
use super::{CurrentUser, Error, PAGE_SIZE, Paginated, Playlist, Result};
use crate::app::App;
use crate::db;
use crate::db::playlists::{self, LibraryUpdate, SeenPlaylist, StoredLibrary};
use crate::ids::UserId;

const MAX_AGE: Duration = Duration::minutes(10);
/// Minimum time between two refreshes by the user.
const MIN_REFRESH_INTERVAL: Duration = Duration::seconds(30);
/// Delay before another fetch after Spotify failed; the stale library is shown meanwhile.
const RETRY_DELAY: Duration = Duration::seconds(30);
/// How long a stored library is not replaced by a shorter one, if Spotify counts more than that.
const SHORTER_LIST_DELAY: Duration = Duration::DAY;
/// Lease of a fetch; longer than the time budget of a page.
const LEASE_DURATION: Duration = Duration::seconds(12);
/// How long a first view waits for the whole library before it shows a part of it.
const FIRST_VIEW_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);
/// Interval at which a first view checks whether another request has fetched the library.
const POLL_INTERVAL: std::time::Duration = std::time::Duration::from_millis(250);

pub struct Library {
    pub playlists: Paginated<Playlist>,
    /// All stored playlists, matching or not.
    pub total: usize,
    pub fetched_at: OffsetDateTime,
    /// The number of playlists that are not fetched yet, or could not be.
    pub missing: usize,
    /// Spotify's total, if all was fetched and was less than that.
    pub reported_total: Option<usize>,
    /// True while the rest is being fetched.
    pub is_loading: bool,
    /// The error that prevents a refresh.
    pub error: Option<Error>,
}

#[derive(Clone, Copy, Debug)]
pub enum LibraryRequest<'a> {
    /// A page; fetches the library if it is old.
    Page(&'a ListQuery),
    Refresh,
    /// Fetches the library if it is old.
    RefreshIfOld,
    /// The rest of a library that was fetched in part.
    Remainder,
}

impl LibraryRequest<'_> {
    /// Loads the stored library with the requested rows in one query.
    async fn load_stored(self, app: &App, user: &CurrentUser) -> Result<Option<StoredLibrary>> {
        Ok(match self {
            LibraryRequest::Page(query) if !query.is_default() => {
                search::run(app, user.id, search_library(app, user, query)).await?
            }
            LibraryRequest::Page(query) => {
                playlists::load_library(&app.db, user.id, query.pages.offset_limit()).await?
            }
            LibraryRequest::Refresh | LibraryRequest::RefreshIfOld | LibraryRequest::Remainder => {
                playlists::load_library(&app.db, user.id, (0, 0)).await?
            }
        })
    }
}

async fn search_library(app: &App, user: &CurrentUser, query: &ListQuery) -> Result<Option<StoredLibrary>> {
    let filter = query.load_filter(app, user).await?;
    let sorted_ids = match query.is_sorted_by_name() {
        true => query.sort(db::search::list_library_names(&app.search_db, user.id).await?).await,
        false => Vec::new(),
    };
    Ok(db::search::search_library(&app.search_db, user.id, &filter, &query.page(&sorted_ids)).await?)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    UseStored,
    /// Spotify failed recently: use the stored library, with the error.
    UseStale,
    /// Fetch from this offset.
    Fetch(usize),
}

fn plan(stored: Option<&StoredLibrary>, request: LibraryRequest<'_>, now: OffsetDateTime) -> Plan {
    let Some((stored, fetched_at)) = stored.and_then(|stored| Some((stored, stored.fetched_at?))) else {
        return Plan::Fetch(0);
    };
    let max_age = match request {
        LibraryRequest::Page(_) | LibraryRequest::RefreshIfOld => MAX_AGE,
        LibraryRequest::Refresh => MIN_REFRESH_INTERVAL,
        LibraryRequest::Remainder if stored.fetched_count < stored.spotify_total => {
            return Plan::Fetch(stored.fetched_count as usize);
        }
        LibraryRequest::Remainder => return Plan::UseStored,
    };
    let has_failed_recently = matches!(request, LibraryRequest::Page(_) | LibraryRequest::RefreshIfOld)
        && stored.failed_at.is_some_and(|failed_at| now - failed_at < RETRY_DELAY);
    match now - fetched_at < max_age {
        _ if has_failed_recently => Plan::UseStale,
        true => Plan::UseStored,
        false => Plan::Fetch(0),
    }
}

/// Returns a page of the user's library.
///
/// # Errors
/// Spotify's error, if nothing is stored that could be shown instead.
pub async fn load(app: &App, user: &CurrentUser, query: &ListQuery, now: OffsetDateTime) -> Result<Library> {
    let page_request = LibraryRequest::Page(query);
    let (stored, error) = match load_with_deadline(app, user, page_request, now).await {
        Ok(Some(stored)) => (Some(stored), None),
        Ok(None) => (page_request.load_stored(app, user).await?, None),
        Err(error) if error.is_spotify_failure() => (page_request.load_stored(app, user).await?, Some(error)),
        Err(error) => return Err(error),
    };
    // Without a grant even a fresh library has an error: it cannot be refreshed next time.
    let error = error.or_else(|| user.grant.is_none().then(|| user.missing_grant_error()));
    let Some((stored, fetched_at)) = stored.and_then(|stored| stored.fetched_at.map(|fetched_at| (stored, fetched_at)))
    else {
        return Err(error.unwrap_or(Error::SpotifyTimeout));
    };
    Ok(Library {
        total: stored.total as usize,
        fetched_at,
        missing: (stored.spotify_total - stored.fetched_count).max(0) as usize,
        reported_total: reported_total(&stored),
        is_loading: stored.is_loading(now),
        error,
        playlists: Paginated { entries: stored.rows, range: query.pages, total: stored.match_count as usize },
    })
}

/// Returns Spotify's total, if all was fetched and was less than that.
fn reported_total(stored: &StoredLibrary) -> Option<usize> {
    let is_complete = stored.fetched_count >= stored.spotify_total;
    (is_complete && i64::from(stored.spotify_total) > stored.total).then_some(stored.spotify_total as usize)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    Updated,
    /// Spotify sent a part, or another process took over the fetch.
    Unfinished,
    /// The library is fresh, so Spotify was not called.
    JustUpdated,
}

/// Updates the stored library as requested.
///
/// # Errors
/// Spotify's error; the stored library is unchanged then.
pub async fn update(
    app: &App,
    user: &CurrentUser,
    request: LibraryRequest<'_>,
    now: OffsetDateTime,
) -> Result<UpdateOutcome> {
    if load_with_deadline(app, user, request, now).await?.is_some() {
        return Ok(UpdateOutcome::JustUpdated);
    }
    let stored = request.load_stored(app, user).await?;
    let is_finished =
        stored.is_some_and(|stored| stored.fetched_count >= stored.spotify_total && stored.leased_until.is_none());
    Ok(if is_finished { UpdateOutcome::Updated } else { UpdateOutcome::Unfinished })
}

/// Returns the stored library if it satisfies the request; `None` if it was fetched and must be loaded again.
async fn load_with_deadline(
    app: &App,
    user: &CurrentUser,
    request: LibraryRequest<'_>,
    now: OffsetDateTime,
) -> Result<Option<StoredLibrary>> {
    let result = tokio::time::timeout(spotify_calls::TIME_BUDGET, fetch_under_lease(app, user, request, now)).await;
    result.unwrap_or(Err(Error::SpotifyTimeout))
}

async fn fetch_under_lease(
    app: &App,
    user: &CurrentUser,
    request: LibraryRequest<'_>,
    now: OffsetDateTime,
) -> Result<Option<StoredLibrary>> {
    loop {
        let stored = request.load_stored(app, user).await?;
        let from = match plan(stored.as_ref(), request, now) {
            Plan::UseStored
                if stored.as_ref().is_none_or(|stored| !stored.is_loading(app.now()) || satisfies(stored, request)) =>
            {
                return Ok(stored);
            }
            Plan::UseStored => {
                tokio::time::sleep(POLL_INTERVAL).await;
                continue;
            }
            Plan::UseStale => return Err(spotify_calls::load_recent_failure(app, Endpoint::MyPlaylists, now).await?),
            Plan::Fetch(from) => from,
        };
        // Not the time of the request, which may have waited for another one's lease to end.
        let start = app.now();
        let is_leased = stored.as_ref().and_then(|stored| stored.leased_until).is_some_and(|until| until > start);
        if !is_leased && playlists::lease(&app.db, user.id, start + LEASE_DURATION, start).await? {
            let is_first_view = stored.as_ref().is_none_or(|stored| stored.fetched_at.is_none());
            // Detached: the result is stored even if the visitor leaves.
            let fetch = tokio::spawn({
                let (app, user) = (app.clone(), user.clone());
                async move { fetch_and_store(&app, &user, stored, from, start).await }
            });
            return await_fetch(app, user, is_first_view.then_some(request), fetch).await.map(|()| None);
        }
        // Another request is fetching. A view shows a stale library meanwhile; the first one and a button wait.
        let is_button = matches!(request, LibraryRequest::Refresh | LibraryRequest::Remainder);
        if !is_button && stored.as_ref().is_some_and(|stored| stored.fetched_at.is_some()) {
            return Ok(stored);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// True if the stored part of a first library is enough.
fn satisfies(stored: &StoredLibrary, request: LibraryRequest<'_>) -> bool {
    match request {
        LibraryRequest::Page(query) => {
            stored.fetched_at.is_some() && stored.fetched_count as usize >= query.pages.last * PAGE_SIZE
        }
        LibraryRequest::Refresh | LibraryRequest::RefreshIfOld | LibraryRequest::Remainder => true,
    }
}

/// Waits until the fetch ends, or on a first view until the requested page is stored.
async fn await_fetch(
    app: &App,
    user: &CurrentUser,
    first_view: Option<LibraryRequest<'_>>,
    mut fetch: JoinHandle<Result<()>>,
) -> Result<()> {
    loop {
        if let Ok(result) = tokio::time::timeout(FIRST_VIEW_TIMEOUT, &mut fetch).await {
            return result.unwrap_or_else(|error| Err(Error::Internal(error.to_string())));
        }
        let Some(request) = first_view else { continue };
        if request.load_stored(app, user).await?.is_some_and(|stored| satisfies(&stored, request)) {
            return Ok(());
        }
    }
}

async fn fetch_and_store(
    app: &App,
    user: &CurrentUser,
    stored: Option<StoredLibrary>,
    from: usize,
    now: OffsetDateTime,
) -> Result<()> {
    let is_first_fetch = stored.as_ref().is_none_or(|stored| stored.fetched_at.is_none());
    let mut fetched = fetch::start(app, user, from, now).await;
    while fetched.has_more() {
        // A first library is shown part by part; an existing one is replaced when the new one is complete.
        if is_first_fetch && !store(app, user.id, from, &mut fetched, now).await? {
            return Ok(());
        }
        fetched.fetch_next(app, user, now).await;
    }
    fetched.check_total(stored.as_ref().filter(|_| from == 0).map(|stored| {
        let count = stored.total as usize;
        // A single short answer never replaces it: a fetch must have failed before.
        let is_outdated = stored.failed_at.is_some()
            && stored.fetched_at.is_some_and(|fetched_at| now - fetched_at >= SHORTER_LIST_DELAY);
        StoredCounts { count, unlisted: reported_total(stored).map_or(0, |total| total - count), is_outdated }
    }));
    // A partial library replaces neither a complete one nor a larger part.
    let is_less_complete = from == 0
        && stored.is_some_and(|stored| {
            stored.total > 0
                && (stored.fetched_count >= stored.spotify_total || stored.total as usize > fetched.listed_count)
        });
    match fetched.error.take() {
        Some(error) if fetched.is_empty() || is_less_complete => {
            // Only transient errors delay the next fetch; the user resolves the others.
            let is_transient = matches!(
                error,
                Error::SpotifyUnavailable(_)
                    | Error::IncompleteLibrary { .. }
                    | Error::SpotifyTimeout
                    | Error::RateLimited { .. }
            );
            let failed_at = is_transient.then_some(now);
            playlists::release(&app.db, user.id, now + LEASE_DURATION, failed_at).await?;
            Err(error)
        }
        error => {
            // A partial library is shown, and the page offers to fetch the rest.
            if let Some(error) = &error {
                tracing::info!(user = %user.id, fetched_count = fetched.listed_count, %error, "a library was fetched in part");
            }
            fetched.error = error;
            store(app, user.id, from, &mut fetched, now).await.map(|_| ())
        }
    }
}

/// Stores the entries fetched since the last call. Returns false if another process has taken over the lease.
async fn store(app: &App, user: UserId, from: usize, fetched: &mut LibraryFetch, now: OffsetDateTime) -> Result<bool> {
    let is_first_batch = from == 0 && fetched.is_first_batch;
    let to_i32 = |entries: usize| entries.try_into().unwrap_or(i32::MAX);
    let (fetched_count, spotify_total) = fetched.progress();
    let has_more = fetched.has_more();
    let pictures = &app.spotify.pictures;
    let playlists: Vec<SeenPlaylist> =
        fetched.take_new().iter().map(|playlist| to_seen_playlist(playlist, pictures)).collect();
    let update = LibraryUpdate {
        playlists: &playlists,
        spotify_total: to_i32(spotify_total),
        fetched_count: to_i32(fetched_count),
        lease_until: now + LEASE_DURATION,
        keep_lease: has_more,
    };
    Ok(match is_first_batch {
        true => playlists::replace_library(&app.db, user, update, now).await?,
        false => playlists::extend_library(&app.db, user, update, now).await?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::collation::Language;
    use crate::domain::search::{Order, SearchQuery};

    #[test]
    fn a_request_uses_the_stored_library_while_it_is_fresh() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::hours(1);
        let stored = |age: i64, fetched_count| StoredLibrary {
            fetched_at: Some(now - Duration::seconds(age)),
            total: 10,
            spotify_total: 100,
            fetched_count,
            leased_until: None,
            failed_at: None,
            match_count: 10,
            rows: Vec::new(),
        };
        let query = ListQuery {
            search: SearchQuery::default(),
            order: Order::Usual,
            is_reversed: false,
            language: Language::default(),
            pages: 1.into(),
        };
        let page_request = LibraryRequest::Page(&query);
        let failed = |ago| StoredLibrary { failed_at: Some(now - Duration::seconds(ago)), ..stored(600, 100) };
        assert_eq!(plan(None, page_request, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&StoredLibrary { fetched_at: None, ..stored(0, 0) }), page_request, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&stored(599, 100)), page_request, now), Plan::UseStored);
        assert_eq!(plan(Some(&stored(600, 100)), page_request, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&failed(29)), page_request, now), Plan::UseStale);
        assert_eq!(plan(Some(&failed(29)), LibraryRequest::Refresh, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&failed(30)), page_request, now), Plan::Fetch(0));
        for (age, expected) in [(599, Plan::UseStored), (600, Plan::Fetch(0))] {
            assert_eq!(plan(Some(&stored(age, 100)), LibraryRequest::RefreshIfOld, now), expected);
        }
        assert_eq!(plan(Some(&failed(29)), LibraryRequest::RefreshIfOld, now), Plan::UseStale);
        assert_eq!(plan(Some(&stored(29, 100)), LibraryRequest::Refresh, now), Plan::UseStored);
        assert_eq!(plan(Some(&stored(30, 100)), LibraryRequest::Refresh, now), Plan::Fetch(0));
        assert_eq!(plan(Some(&stored(5, 50)), LibraryRequest::Remainder, now), Plan::Fetch(50));
        assert_eq!(plan(Some(&stored(5, 100)), LibraryRequest::Remainder, now), Plan::UseStored);
    }
}

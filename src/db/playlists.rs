//! Playlists as Spotify showed them to a user: the library, and playlists opened by link.

use std::collections::HashSet;

use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use super::news::{self, SeenColumns};
use super::{Error, Pool, Result};
use crate::ids::{PlaylistId, UserId};

/// A playlist as shown on a card.
#[derive(Default)]
pub struct Playlist {
    pub id: String,
    /// Spotify's name. May be empty; `None` if unknown.
    pub name: Option<String>,
    /// The user's own title of a hearted playlist.
    pub own_title: Option<String>,
    /// Its owner's Spotify id, if known.
    pub owner_id: Option<String>,
    pub owner_name: Option<String>,
    /// Such URLs expire within a day.
    pub cover_url: Option<String>,
    pub item_count: Option<i32>,
    /// Whether it is on the owner's profile, which says nothing about who can open it.
    pub public: Option<bool>,
    pub collaborative: bool,
    /// When Spotify last showed it; `None` if never, or too long ago.
    pub seen_at: Option<OffsetDateTime>,
    /// `None` if the user does not heart it.
    pub hearted_at: Option<OffsetDateTime>,
    /// When a snapshot other than the heart's was first seen.
    pub changed_at: Option<OffsetDateTime>,
    /// Since when Spotify no longer shows a hearted playlist.
    pub gone_at: Option<OffsetDateTime>,
    pub note: Option<String>,
    pub tags: Vec<String>,
    /// Whether the heart is pinned; false in a library.
    pub is_pinned: bool,
}

/// Builds a [`Playlist`], not pinned, from a row whose columns an outer join makes nullable. Returns early without an
/// id.
macro_rules! playlist {
    ($row:expr) => {
        $crate::db::playlists::Playlist {
            id: $row.id?,
            name: $row.name,
            own_title: $row.own_title,
            owner_id: $row.owner_id,
            owner_name: $row.owner_name,
            cover_url: $row.cover_url,
            item_count: $row.item_count,
            public: $row.public,
            collaborative: $row.collaborative.unwrap_or_default(),
            seen_at: $row.seen_at,
            hearted_at: $row.hearted_at,
            changed_at: $row.changed_at,
            gone_at: $row.gone_at,
            note: $row.note,
            tags: $row.tags.unwrap_or_default(),
            is_pinned: false,
        }
    };
}
pub(super) use playlist;

/// Builds a [`StoredLibrary`] from a query's rows. Only the first row holds the library's state, because decoding it in
/// all fifty would take a tenth of the page's time. Returns early if there are no rows.
macro_rules! library {
    ($rows:expr, $first:ident => $found:expr) => {{
        let Some(($first, spotify_total)) = $rows.first().and_then(|first| Some((first, first.counted?))) else {
            return Ok(None);
        };
        let mut library = $crate::db::playlists::StoredLibrary {
            spotify_total,
            fetched_at: $first.fetched_at,
            total: $first.total.unwrap_or_default(),
            fetched_count: $first.reached.unwrap_or_default(),
            leased_until: $first.leased_until,
            failed_at: $first.failed_at,
            match_count: $found,
            rows: Vec::with_capacity($rows.len()),
        };
        library.rows.extend($rows.into_iter().filter_map(|row| Some(playlist!(row))));
        library
    }};
}
pub(super) use library;

/// A playlist as Spotify has just returned it.
#[derive(Clone, Debug)]
pub struct SeenPlaylist {
    pub id: PlaylistId,
    /// May be empty.
    pub name: String,
    pub name_folded: String,
    pub owner_id: Option<String>,
    pub owner_name: Option<String>,
    pub owner_folded: Option<String>,
    pub cover_url: Option<String>,
    pub item_count: Option<i32>,
    pub public: Option<bool>,
    pub collaborative: bool,
    /// Changes with the contents; `None` if it is unreliable.
    pub snapshot_id: Option<String>,
}

/// The state of a user's library, and some of its playlists.
pub struct StoredLibrary {
    /// When the last fetch from the beginning succeeded.
    pub fetched_at: Option<OffsetDateTime>,
    pub total: i64,
    pub spotify_total: i32,
    /// The number of playlists fetched so far.
    pub fetched_count: i32,
    pub leased_until: Option<OffsetDateTime>,
    /// When the last fetch failed, if that was after `fetched_at`.
    pub failed_at: Option<OffsetDateTime>,
    /// The number of matching playlists; 0 beyond the last page of a search.
    pub match_count: i64,
    pub rows: Vec<Playlist>,
}

impl StoredLibrary {
    pub fn is_loading(&self, now: OffsetDateTime) -> bool {
        self.fetched_count < self.spotify_total && self.leased_until.is_some_and(|until| until > now)
    }
}

/// Returns a user's library in Spotify's order; `None` if it was never fetched. Positions have no gaps, so that a page
/// begins at its offset. With `offset` in SQL, Postgres would plan each page again, which takes as long as reading it.
pub async fn load_library(
    pool: &Pool,
    user: UserId,
    (offset, limit): (i64, i64),
) -> Result<Option<StoredLibrary>, Error> {
    let query = sqlx::query!(
        r#"select l.fetched_at, l.counted as "counted?", l.reached, l.leased_until, l.failed_at,
                  (select max(position) + 1 from playlists where user_id = $1 and position is not null)::bigint as total,
                  null::integer as position, null as id, null as name, null as owner_id, null as owner_name, null as cover_url,
                  null::integer as item_count, null::boolean as public, null::boolean as collaborative,
                  null::timestamptz as seen_at, null::timestamptz as hearted_at, null::timestamptz as gone_at,
                  null as own_title, null as note, null::text[] as tags, null::timestamptz as changed_at
           from libraries l where l.user_id = $1
           union all
           select null, null, null, null, null, null, p.position, p.id, p.name, p.owner_id, p.owner_name, p.cover_url,
                  p.item_count, p.public, p.collaborative, null, h.hearted_at, h.gone_at, h.own_title, h.note, nullif(h.tags, '{}'),
                  case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end
           from (select * from playlists where user_id = $1 and position >= $2 order by position limit $3) p
           left join lateral (select * from user_hearts h where h.user_id = $1 and h.playlist_id = p.id
                                  and h.removed_at is null limit 1) h on true
           order by position nulls first"#,
        user.0,
        i32::try_from(offset).unwrap_or(i32::MAX),
        limit
    );
    // Playlists are collected here, because sqlx would move each through three streams.
    let mut rows = Vec::with_capacity(limit as usize);
    let query = query.map(|row| {
        let Some(_) = row.id else { return Some(Box::new(row)) };
        rows.push(playlist!(row));
        None
    });
    let states: Vec<_> = query.fetch_all(pool).await?.into_iter().flatten().collect();
    Ok(Some(StoredLibrary { rows, ..library!(states, first => first.total.unwrap_or_default()) }))
}

/// Takes the lease to fetch the user's library. Returns `false` if another process has it.
pub async fn lease(pool: &Pool, user: UserId, until: OffsetDateTime, now: OffsetDateTime) -> Result<bool> {
    let query = sqlx::query!(
        "insert into libraries as l (user_id, leased_until) values ($1, $2)
         on conflict (user_id) do update set leased_until = excluded.leased_until
         where l.leased_until is null or l.leased_until <= $3",
        user.0,
        until,
        now
    );
    Ok(query.execute(pool).await?.rows_affected() == 1)
}

/// Releases the lease without an update. `failed_at` is given if Spotify failed.
pub async fn release(
    pool: &Pool,
    user: UserId,
    until: OffsetDateTime,
    failed_at: Option<OffsetDateTime>,
) -> Result<()> {
    let query = sqlx::query!(
        "update libraries set leased_until = null, failed_at = $3 where user_id = $1 and leased_until = $2",
        user.0,
        until,
        failed_at
    );
    Ok(query.execute(pool).await.map(drop)?)
}

pub async fn find(pool: &Pool, user: UserId, id: &PlaylistId) -> Result<Option<Playlist>> {
    let query = sqlx::query!(
        r#"select p.id as "id?", p.name as "name?", p.owner_id, p.owner_name, p.cover_url, p.item_count, p.public,
                  p.collaborative as "collaborative?", p.seen_at as "seen_at?", h.hearted_at as "hearted_at?",
                  h.gone_at as "gone_at?", h.own_title as "own_title?", h.note as "note?", nullif(h.tags, '{}') as tags,
                  case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end as changed_at, h.pin as "pin?"
           from playlists p
           left join user_hearts h on h.user_id = $1 and h.playlist_id = $2 and h.removed_at is null
           where p.user_id = $1 and p.id = $2"#,
        user.0,
        id.as_str()
    );
    let row = query.fetch_optional(pool).await?;
    Ok(row.and_then(|row| Some(Playlist { is_pinned: row.pin.is_some(), ..playlist!(row) })))
}

/// A fetched part of a library.
pub struct LibraryUpdate<'a> {
    /// In Spotify's order, each once.
    pub playlists: &'a [SeenPlaylist],
    pub spotify_total: i32,
    /// The number of playlists fetched, including earlier parts.
    pub fetched_count: i32,
    /// The end of the lease under which it was fetched. If the lease was lost, nothing is written.
    pub lease_until: OffsetDateTime,
    /// Whether to keep the lease, for the rest, or release it.
    pub keep_lease: bool,
}

/// Replaces the user's library if the lease is still held. Returns whether it was.
pub async fn replace_library(
    pool: &Pool,
    user: UserId,
    update: LibraryUpdate<'_>,
    now: OffsetDateTime,
) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    // First locks the row that concurrent fetches share: the second one waits here.
    let query = sqlx::query!(
        "update libraries set fetched_at = $2, counted = $3, reached = $4, failed_at = null,
                leased_until = case when $5 then leased_until end
         where user_id = $1 and leased_until = $6",
        user.0,
        now,
        update.spotify_total,
        update.fetched_count,
        update.keep_lease,
        update.lease_until
    );
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let query =
        sqlx::query!("update playlists set position = null where user_id = $1 and position is not null", user.0);
    query.execute(&mut *tx).await?;
    update_hearts(&mut tx, user, update.playlists, now).await?;
    upsert(&mut tx, user, update.playlists, Some(0), now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Appends to the user's library if the lease is still held. Returns whether it was.
pub async fn extend_library(pool: &Pool, user: UserId, update: LibraryUpdate<'_>, now: OffsetDateTime) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let query = sqlx::query!(
        "update libraries set counted = $2, reached = $3, leased_until = case when $4 then leased_until end
         where user_id = $1 and leased_until = $5",
        user.0,
        update.spotify_total,
        update.fetched_count,
        update.keep_lease,
        update.lease_until
    );
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let query = sqlx::query_scalar!(
        r#"select coalesce(max(position) + 1, 0) as "next!" from playlists where user_id = $1 and position is not null"#,
        user.0
    );
    let first_position = query.fetch_one(&mut *tx).await?;
    let query = sqlx::query_scalar!(
        "select id from playlists where user_id = $1 and id = any($2) and position is not null",
        user.0,
        &column(update.playlists, |seen| Some(seen.id.as_str())) as _
    );
    let known: HashSet<String> = query.fetch_all(&mut *tx).await?.into_iter().collect();
    // Known playlists keep their positions. They come last, so that new ones get positions without gaps.
    let mut playlists = update.playlists.to_vec();
    playlists.sort_by_key(|seen| known.contains(seen.id.as_str()));
    update_hearts(&mut tx, user, &playlists, now).await?;
    upsert(&mut tx, user, &playlists, Some(first_position), now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Records a playlist seen outside the library; its position in the library stays.
pub async fn record(pool: &Pool, user: UserId, seen: &SeenPlaylist, now: OffsetDateTime) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    update_hearts(&mut tx, user, std::slice::from_ref(seen), now).await?;
    upsert(&mut tx, user, std::slice::from_ref(seen), None, now).await?;
    Ok(tx.commit().await?)
}

/// Returns one column, for a statement that takes arrays.
fn column(seen: &[SeenPlaylist], text: fn(&SeenPlaylist) -> Option<&str>) -> Vec<Option<String>> {
    seen.iter().map(|seen| text(seen).map(str::to_owned)).collect()
}

/// Updates the hearts among the playlists, and records what is new. Must run before [`upsert`].
async fn update_hearts(
    connection: &mut PgConnection,
    user: UserId,
    seen: &[SeenPlaylist],
    now: OffsetDateTime,
) -> Result<()> {
    let columns = SeenColumns {
        ids: column(seen, |seen| Some(seen.id.as_str())),
        names: column(seen, |seen| Some(&seen.name)),
        folded_names: column(seen, |seen| Some(&seen.name_folded)),
        snapshot_ids: column(seen, |seen| seen.snapshot_id.as_deref()),
    };
    news::update_hearts(connection, user, columns, now).await
}

/// Inserts or updates playlists; `position` is the first one's position in the library, if they are in it.
async fn upsert(
    connection: &mut PgConnection,
    user: UserId,
    seen: &[SeenPlaylist],
    position: Option<i32>,
    now: OffsetDateTime,
) -> Result<()> {
    let query = sqlx::query!(
        "insert into playlists as p
             (user_id, id, position, name, owner_name, cover_url, item_count, public, collaborative, snapshot_id,
              snapshot_seen_at, seen_at, owner_id, name_folded, owner_folded)
         select $1, l.id, $10::integer + l.place::integer - 1, l.name, l.owner_name, l.cover_url, l.item_count, l.public,
                l.collaborative, l.snapshot_id, case when l.snapshot_id is not null then $11::timestamptz end, $11,
                l.owner_id, l.name_folded, l.owner_folded
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::boolean[], $8::boolean[],
                     $9::text[], $12::text[], $13::text[], $14::text[])
              with ordinality as l (id, name, owner_name, cover_url, item_count, public, collaborative, snapshot_id,
                                    owner_id, name_folded, owner_folded, place)
         on conflict (user_id, id) do update set
              position = coalesce(p.position, excluded.position), name = excluded.name,
              owner_name = excluded.owner_name, cover_url = excluded.cover_url, item_count = excluded.item_count,
              public = excluded.public, collaborative = excluded.collaborative,
              snapshot_id = coalesce(excluded.snapshot_id, p.snapshot_id),
              snapshot_seen_at = case when excluded.snapshot_id = p.snapshot_id then p.snapshot_seen_at
                                      else coalesce(excluded.snapshot_seen_at, p.snapshot_seen_at) end,
              seen_at = excluded.seen_at, owner_id = excluded.owner_id, name_folded = excluded.name_folded,
              owner_folded = excluded.owner_folded",
        user.0,
        &column(seen, |seen| Some(seen.id.as_str())) as _,
        &column(seen, |seen| Some(&seen.name)) as _,
        &column(seen, |seen| seen.owner_name.as_deref()) as _,
        &column(seen, |seen| seen.cover_url.as_deref()) as _,
        &seen.iter().map(|seen| seen.item_count).collect::<Vec<_>>() as _,
        &seen.iter().map(|seen| seen.public).collect::<Vec<_>>() as _,
        &seen.iter().map(|seen| seen.collaborative).collect::<Vec<_>>() as _,
        &column(seen, |seen| seen.snapshot_id.as_deref()) as _,
        position,
        now,
        &column(seen, |seen| seen.owner_id.as_deref()) as _,
        &column(seen, |seen| Some(&seen.name_folded)) as _,
        &column(seen, |seen| seen.owner_folded.as_deref()) as _
    );
    Ok(query.execute(connection).await.map(drop)?)
}

//! What Spotify showed a person: their library and its age, and playlists known from elsewhere.

use std::collections::HashSet;

use sqlx::{Connection, PgConnection};
use time::{Duration, OffsetDateTime};

use super::{Error, Pool};
use crate::ids::{PlaylistId, UserId};

/// How long a playlist is kept that Spotify has not shown: its terms allow no lasting copies.
const MAX_UNSEEN: Duration = Duration::days(30);

/// A playlist as a card shows it.
pub struct Playlist {
    /// Spotify's id.
    pub id: String,
    /// Spotify's name, which may be empty. `None` if none is known.
    pub name: Option<String>,
    /// Who made it, by name.
    pub owner_name: Option<String>,
    /// Where its picture is; such addresses end within a day.
    pub cover_url: Option<String>,
    /// How many items it has, where Spotify says.
    pub item_count: Option<i32>,
    /// On the owner's profile, which is not the same as secret or not.
    pub public: Option<bool>,
    /// Whether several people may change it.
    pub collaborative: bool,
    /// When Spotify last showed it; none: never, or too long ago.
    pub seen_at: Option<OffsetDateTime>,
    /// When the person hearted it; none: they did not.
    pub hearted_at: Option<OffsetDateTime>,
    /// When a version other than the hearted one was first seen; none: no such version is known.
    pub changed_at: Option<OffsetDateTime>,
    /// Since when Spotify shows a hearted playlist no more.
    pub gone_at: Option<OffsetDateTime>,
    /// What the person wrote beside their heart.
    pub note: Option<String>,
    /// The person's tags for it.
    pub tags: Vec<String>,
}

/// Makes a [`Playlist`] of a query's row whose columns are nullable because of an outer join. Returns early without an id.
macro_rules! playlist {
    ($row:expr) => {
        $crate::db::playlists::Playlist {
            id: $row.id?,
            name: $row.name,
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
        }
    };
}
pub(super) use playlist;

/// Makes a [`Library`] of a query's rows. The first one holds its state, and no other, since decoding that fifty times would
/// take a tenth of the page's time. Returns early if there is none.
macro_rules! library {
    ($rows:expr, $first:ident => $found:expr) => {{
        let Some(($first, counted)) = $rows.first().and_then(|first| Some((first, first.counted?))) else {
            return Ok(None);
        };
        let mut library = $crate::db::playlists::Library {
            counted,
            fetched_at: $first.fetched_at,
            total: $first.total.unwrap_or_default(),
            reached: $first.reached.unwrap_or_default(),
            leased_until: $first.leased_until,
            failed_at: $first.failed_at,
            found: $found,
            rows: Vec::with_capacity($rows.len()),
        };
        library.rows.extend($rows.into_iter().filter_map(|row| Some(playlist!(row))));
        library
    }};
}
pub(super) use library;

/// A playlist as Spotify just showed it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Spotify's id.
    pub id: PlaylistId,
    /// As Spotify gave it, perhaps empty.
    pub name: String,
    /// The same, folded for searches.
    pub name_folded: String,
    /// Who made it, by Spotify's id.
    pub owner_id: Option<String>,
    /// Who made it, by name.
    pub owner_name: Option<String>,
    /// The same, folded for searches.
    pub owner_folded: Option<String>,
    /// Where its picture is.
    pub cover_url: Option<String>,
    /// How many items it has, where Spotify says.
    pub item_count: Option<i32>,
    /// On the owner's profile.
    pub public: Option<bool>,
    /// Whether several people may change it.
    pub collaborative: bool,
    /// Changes with its contents; none: it says nothing of them.
    pub snapshot_id: Option<String>,
}

/// The state of a person's library, and some of its playlists.
pub struct Library {
    /// When Spotify last showed it from its beginning; `None` if it never did.
    pub fetched_at: Option<OffsetDateTime>,
    /// How many playlists are stored.
    pub total: i64,
    /// How many entries Spotify counts.
    pub counted: i32,
    /// How many of them were fetched.
    pub reached: i32,
    /// Until when another process fetches it.
    pub leased_until: Option<OffsetDateTime>,
    /// When Spotify last failed to show it, if that was after `fetched_at`.
    pub failed_at: Option<OffsetDateTime>,
    /// How many of the stored playlists match; 0 beyond the last page of a search.
    pub found: i64,
    /// The rows asked for.
    pub rows: Vec<Playlist>,
}

impl Library {
    /// Whether the rest of it is being fetched.
    pub fn is_loading(&self, now: OffsetDateTime) -> bool {
        self.reached < self.counted && self.leased_until.is_some_and(|until| until > now)
    }
}

/// Returns a person's library in Spotify's order; `None` if it was never fetched. Positions have no gaps, so that a page
/// begins at its offset. With `offset` in SQL the server would plan each page anew, which takes it as long as the page.
pub async fn load_library(pool: &Pool, user: UserId, (offset, limit): (i64, i64)) -> Result<Option<Library>, Error> {
    let rows = sqlx::query!(
        r#"select l.fetched_at, l.counted as "counted?", l.reached, l.leased_until, l.failed_at,
                  (select max(position) + 1 from playlists where user_id = $1 and position is not null)::bigint as total,
                  null::integer as position, null as id, null as name, null as owner_name, null as cover_url,
                  null::integer as item_count, null::boolean as public, null::boolean as collaborative,
                  null::timestamptz as seen_at, null::timestamptz as hearted_at, null::timestamptz as gone_at,
                  null as note, null::text[] as tags, null::timestamptz as changed_at
           from libraries l where l.user_id = $1
           union all
           select null, null, null, null, null, null, p.position, p.id, p.name, p.owner_name, p.cover_url, p.item_count,
                  p.public, p.collaborative, null, h.hearted_at, h.gone_at, h.note, nullif(h.tags, '{}'),
                  case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end
           from (select * from playlists where user_id = $1 and position >= $2 order by position limit $3) p
           left join user_hearts h on h.user_id = $1 and h.playlist_id = p.id and h.removed_at is null
           order by position nulls first"#,
        user.0,
        i32::try_from(offset).unwrap_or(i32::MAX),
        limit
    );
    let rows = rows.fetch_all(pool).await?;
    Ok(Some(library!(rows, first => first.total.unwrap_or_default())))
}

/// Takes the right to fetch the person's library, for one process at a time and until `until`.
/// False: somebody else has it.
pub async fn lease(pool: &Pool, user: UserId, until: OffsetDateTime, now: OffsetDateTime) -> Result<bool, Error> {
    let row = sqlx::query!(
        "insert into libraries as l (user_id, leased_until) values ($1, $2)
         on conflict (user_id) do update set leased_until = excluded.leased_until
         where l.leased_until is null or l.leased_until <= $3",
        user.0,
        until,
        now
    );
    Ok(row.execute(pool).await?.rows_affected() == 1)
}

/// Gives the right back without having used it; `failed_at` when it was Spotify that failed.
pub async fn release(
    pool: &Pool,
    user: UserId,
    until: OffsetDateTime,
    failed_at: Option<OffsetDateTime>,
) -> Result<(), Error> {
    let row = sqlx::query!(
        "update libraries set leased_until = null, failed_at = $3 where user_id = $1 and leased_until = $2",
        user.0,
        until,
        failed_at
    );
    row.execute(pool).await?;
    Ok(())
}

/// Returns what is known of one playlist.
pub async fn find(pool: &Pool, user: UserId, id: &PlaylistId) -> Result<Option<Playlist>, Error> {
    let row = sqlx::query!(
        r#"select p.id as "id?", p.name as "name?", p.owner_name, p.cover_url, p.item_count, p.public,
                  p.collaborative as "collaborative?", p.seen_at as "seen_at?", h.hearted_at as "hearted_at?",
                  h.gone_at as "gone_at?", h.note as "note?", nullif(h.tags, '{}') as tags,
                  case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end as changed_at
           from playlists p
           left join user_hearts h on h.user_id = $1 and h.playlist_id = p.id and h.removed_at is null
           where p.user_id = $1 and p.id = $2"#,
        user.0,
        id.as_str()
    );
    Ok(row.fetch_optional(pool).await?.and_then(|row| Some(playlist!(row))))
}

/// What was read of a library.
pub struct Read<'a> {
    /// The playlists, in Spotify's order, each once.
    pub playlists: &'a [Seen],
    /// How many entries Spotify counts.
    pub counted: i32,
    /// How many were read, those from earlier included.
    pub reached: i32,
    /// Until when whoever reads has the right to. Who lost it was too slow, and writes nothing.
    pub lease: OffsetDateTime,
    /// Whether they keep it, for the rest; else it is given back.
    pub goes_on: bool,
}

/// Replaces the person's library by what was read from its beginning, if the right to is still held. Says whether it
/// was.
pub async fn replace_library(pool: &Pool, user: UserId, read: Read<'_>, now: OffsetDateTime) -> Result<bool, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    // First the one row that two fetches share: the second waits here and not in the middle of a thousand.
    let state = sqlx::query!(
        "update libraries set fetched_at = $2, counted = $3, reached = $4, failed_at = null,
                leased_until = case when $5 then leased_until end
         where user_id = $1 and leased_until = $6",
        user.0,
        now,
        read.counted,
        read.reached,
        read.goes_on,
        read.lease
    );
    if state.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let old = sqlx::query!("update playlists set position = null where user_id = $1 and position is not null", user.0);
    old.execute(&mut *tx).await?;
    renew_hearts(&mut tx, user, read.playlists).await?;
    write(&mut tx, user, read.playlists, Some(0), now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Adds to the person's library what was read after where it ended, if the right to is still held. Says whether it was.
pub async fn extend_library(pool: &Pool, user: UserId, read: Read<'_>, now: OffsetDateTime) -> Result<bool, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let state = sqlx::query!(
        "update libraries set counted = $2, reached = $3, leased_until = case when $4 then leased_until end
         where user_id = $1 and leased_until = $5",
        user.0,
        read.counted,
        read.reached,
        read.goes_on,
        read.lease
    );
    if state.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let last = sqlx::query_scalar!(
        r#"select coalesce(max(position) + 1, 0) as "place!" from playlists where user_id = $1 and position is not null"#,
        user.0
    );
    let place = last.fetch_one(&mut *tx).await?;
    let known = sqlx::query_scalar!(
        "select id from playlists where user_id = $1 and id = any($2) and position is not null",
        user.0,
        &column(read.playlists, |seen| Some(seen.id.as_str())) as _
    );
    let known: HashSet<String> = known.fetch_all(&mut *tx).await?.into_iter().collect();
    // Known playlists keep their position. They come last, so that they take none from the new ones.
    let mut playlists = read.playlists.to_vec();
    playlists.sort_by_key(|seen| known.contains(seen.id.as_str()));
    renew_hearts(&mut tx, user, &playlists).await?;
    write(&mut tx, user, &playlists, Some(place), now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Notes a playlist that was seen outside the library; its place in the library stays.
pub async fn note(pool: &Pool, user: UserId, seen: &Seen, now: OffsetDateTime) -> Result<(), Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    renew_hearts(&mut tx, user, std::slice::from_ref(seen)).await?;
    write(&mut tx, user, std::slice::from_ref(seen), None, now).await?;
    Ok(tx.commit().await?)
}

/// Returns one column of what was seen, for a statement that takes arrays.
fn column(seen: &[Seen], text: fn(&Seen) -> Option<&str>) -> Vec<Option<String>> {
    seen.iter().map(|seen| text(seen).map(str::to_owned)).collect()
}

/// Renews the hearts of playlists that Spotify just showed: their titles, and that the playlists are available. To be
/// called before [`write`]: a heart that knows no version yet was given for the one that is stored until then.
async fn renew_hearts(connection: &mut PgConnection, user: UserId, seen: &[Seen]) -> Result<(), Error> {
    let hearts = sqlx::query!(
        "update user_hearts h
         set title = coalesce(nullif(l.name, ''), h.title), gone_at = null,
             title_folded = case when l.name = '' then h.title_folded else l.name_folded end,
             snapshot_id = coalesce(h.snapshot_id, p.snapshot_id, l.snapshot_id)
         from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as l (id, name, name_folded, snapshot_id)
         left join playlists p on p.user_id = $1 and p.id = l.id
         where h.user_id = $1 and h.playlist_id = l.id
               and (h.gone_at is not null or h.title is distinct from coalesce(nullif(l.name, ''), h.title)
                    or h.snapshot_id is null and coalesce(p.snapshot_id, l.snapshot_id) is not null)",
        user.0,
        &column(seen, |seen| Some(seen.id.as_str())) as _,
        &column(seen, |seen| Some(&seen.name)) as _,
        &column(seen, |seen| Some(&seen.name_folded)) as _,
        &column(seen, |seen| seen.snapshot_id.as_deref()) as _
    );
    hearts.execute(connection).await?;
    Ok(())
}

/// Writes playlists as Spotify just showed them; `position` is the first one's place in the library, if they are in it.
async fn write(
    connection: &mut PgConnection,
    user: UserId,
    seen: &[Seen],
    position: Option<i32>,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let rows = sqlx::query!(
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
    rows.execute(connection).await?;
    Ok(())
}

/// Deletes playlists that Spotify has not shown for 30 days, in batches, and the state of libraries as old. Hearts keep
/// their names as titles. Returns how many playlists.
pub async fn delete_expired(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
    let before = now - MAX_UNSEEN;
    sqlx::query!("delete from libraries where fetched_at < $1", before).execute(pool).await?;
    let titles = sqlx::query!(
        "update user_hearts h set title = p.name, title_folded = p.name_folded from playlists p
         where p.seen_at <= $1 and h.user_id = p.user_id and h.playlist_id = p.id and h.title is null and p.name <> ''",
        before
    );
    titles.execute(pool).await?;
    super::delete_in_batches(pool, |batch| {
        sqlx::query!(
            "delete from playlists where seen_at between '-infinity' and (
                 select max(seen_at) from (select seen_at from playlists where seen_at <= $1 order by seen_at limit $2) b)",
            before,
            batch
        )
    })
    .await
}

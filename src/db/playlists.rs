//! What Spotify showed a person: their library and its age, and playlists known from elsewhere.

use sqlx::Connection;
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

use super::finding::Marks;
use super::{BATCH, Error, Pool, counts};
use crate::ids::{PlaylistId, UserId};

/// A playlist as a card shows it.
pub struct Playlist {
    /// Spotify's id.
    pub id: String,
    /// As Spotify gave it; empty when there is none or nothing is known.
    pub name: String,
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

/// A person's library in numbers, and a stretch of it.
#[derive(Clone, Debug)]
pub struct Library {
    /// When Spotify last showed it from its beginning; none: never yet.
    pub fetched_at: Option<OffsetDateTime>,
    /// How many playlists are kept of it.
    pub total: i64,
    /// How many entries Spotify counts.
    pub counted: i32,
    /// How many of them were read.
    pub reached: i32,
    /// Until when another process asks for it.
    pub leased_until: Option<OffsetDateTime>,
    /// When Spotify last failed to show it; none: not since it was last shown.
    pub failed_at: Option<OffsetDateTime>,
    /// What stands in the stretch, in Spotify's order.
    pub marks: Marks,
}

impl Library {
    /// Whether the rest of it is on its way.
    pub fn is_coming(&self, now: OffsetDateTime) -> bool {
        self.reached < self.counted && self.leased_until.is_some_and(|until| until > now)
    }
}

/// The person's library in numbers, and at most `limit` of its entries from `offset` on; none: nobody ever asked for it.
///
/// # Errors
/// When the database fails.
pub async fn library(pool: &Pool, user: UserId, (offset, limit): (i64, i64)) -> Result<Option<Library>, Error> {
    let row = sqlx::query!(
        r#"select fetched_at, counted, reached, leased_until, failed_at,
                  (select count(*) from playlists where user_id = $1 and position is not null) as "total!",
                  array_to_string(array(
                        select concat_ws(' ', p.id, p.place, p.since, '-', h.ctid, h.xmin)
                        from (select id, position, ctid as place, xmin as since from playlists
                              where user_id = $1 and position is not null order by position offset $2 limit $3) p
                        left join hearts h on h.user_id = $1 and h.playlist_id = p.id
                        order by p.position), E'\n') as "marks!"
           from libraries where user_id = $1"#,
        user.0,
        offset,
        limit
    );
    let row = row.fetch_optional(pool).await?;
    Ok(row.map(|row| Library {
        fetched_at: row.fetched_at,
        total: row.total,
        counted: row.counted,
        reached: row.reached,
        leased_until: row.leased_until,
        failed_at: row.failed_at,
        marks: Marks::written(row.marks),
    }))
}

/// Takes the right to fetch the person's library, for one process at a time and until `until`.
/// False: somebody else has it.
///
/// # Errors
/// When the database fails.
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
///
/// # Errors
/// When the database fails; the right then ends by itself.
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

/// What is known of one playlist.
///
/// # Errors
/// When the database fails.
pub async fn find(pool: &Pool, user: UserId, id: &PlaylistId) -> Result<Option<Playlist>, Error> {
    let row = sqlx::query_as!(
        Playlist,
        r#"select p.id, p.name, p.owner_name, p.cover_url, p.item_count, p.public, p.collaborative, p.seen_at as "seen_at?", h.hearted_at as "hearted_at?",
                  case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end as changed_at, h.gone_at as "gone_at?",
                  h.note as "note?", coalesce(h.tags, '{}') as "tags!"
           from playlists p left join hearts h on h.user_id = p.user_id and h.playlist_id = p.id
           where p.user_id = $1 and p.id = $2"#,
        user.0,
        id.as_str()
    );
    Ok(row.fetch_optional(pool).await?)
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
///
/// # Errors
/// When the database fails; then the old one stays.
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
    write(&mut tx, user, read.playlists, Some(0), now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Adds to the person's library what was read after where it ended, if the right to is still held. Says whether it was.
///
/// # Errors
/// When the database fails; then the library stays as it was.
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
    write(&mut tx, user, read.playlists, Some(place), now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Notes a playlist that was seen outside the library; its place in the library stays.
///
/// # Errors
/// When the database fails.
pub async fn note(pool: &Pool, user: UserId, seen: &Seen, now: OffsetDateTime) -> Result<(), Error> {
    let mut connection = pool.acquire().await?;
    write(&mut connection, user, std::slice::from_ref(seen), None, now).await
}

/// Writes what was seen; `place`: where in the library the first of them stands, none outside it.
async fn write(
    connection: &mut sqlx::PgConnection,
    user: UserId,
    all: &[Seen],
    place: Option<i32>,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let column = |take: fn(&Seen) -> Option<String>| all.iter().map(take).collect::<Vec<_>>();
    let rows = sqlx::query!(
        "with written as (
         insert into playlists as p (user_id, id, position, name, owner_name, cover_url, item_count, public, collaborative, snapshot_id, snapshot_seen_at, seen_at,
                                    owner_id, name_folded, owner_folded)
         select $1, l.id, $10::integer + l.place::integer - 1, l.name, l.owner_name, l.cover_url, l.item_count, l.public, l.collaborative, l.snapshot_id,
                case when l.snapshot_id is not null then $11::timestamptz end, $11, l.owner_id, l.name_folded, l.owner_folded
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::boolean[], $8::boolean[], $9::text[], $12::text[], $13::text[], $14::text[])
              with ordinality as l (id, name, owner_name, cover_url, item_count, public, collaborative, snapshot_id, owner_id, name_folded, owner_folded, place)
         on conflict (user_id, id) do update set
              position = coalesce(p.position, excluded.position), name = excluded.name, owner_name = excluded.owner_name,
              cover_url = excluded.cover_url, item_count = excluded.item_count, public = excluded.public, collaborative = excluded.collaborative,
              snapshot_id = coalesce(excluded.snapshot_id, p.snapshot_id),
              snapshot_seen_at = case when excluded.snapshot_id = p.snapshot_id then p.snapshot_seen_at
                                      else coalesce(excluded.snapshot_seen_at, p.snapshot_seen_at) end,
              seen_at = excluded.seen_at, owner_id = excluded.owner_id, name_folded = excluded.name_folded, owner_folded = excluded.owner_folded
         returning p.id, p.snapshot_id)
         -- A heart that was given before any version was known is for the first one; and what shows is not gone.
         update hearts h set snapshot_id = coalesce(h.snapshot_id, w.snapshot_id), gone_at = null from written w
         where h.user_id = $1 and h.playlist_id = w.id
               and (h.snapshot_id is null and w.snapshot_id is not null or h.gone_at is not null)",
        user.0,
        &column(|seen| Some(seen.id.to_string())) as _,
        &column(|seen| Some(seen.name.clone())) as _,
        &column(|seen| seen.owner_name.clone()) as _,
        &column(|seen| seen.cover_url.clone()) as _,
        &all.iter().map(|seen| seen.item_count).collect::<Vec<_>>() as _,
        &all.iter().map(|seen| seen.public).collect::<Vec<_>>() as _,
        &all.iter().map(|seen| seen.collaborative).collect::<Vec<_>>() as _,
        &column(|seen| seen.snapshot_id.clone()) as _,
        place,
        now,
        &column(|seen| seen.owner_id.clone()) as _,
        &column(|seen| Some(seen.name_folded.clone())) as _,
        &column(|seen| seen.owner_folded.clone()) as _
    );
    rows.execute(connection).await?;
    Ok(())
}

/// Drops what Spotify has not shown for 30 days: its terms allow no lasting copies. A batch at a time; what another
/// request has locked is left for the next time.
///
/// # Errors
/// When the database fails; what was dropped before stays so.
pub async fn sweep(pool: &Pool, now: OffsetDateTime) -> Result<u64, Error> {
    let long_ago = now - Duration::days(30);
    sqlx::query!("delete from libraries where fetched_at < $1", long_ago).execute(pool).await?;
    let mut all = 0;
    loop {
        let begun = Instant::now();
        let swept = sweep_batch(pool, long_ago).await?;
        all += swept;
        if swept < BATCH as u64 {
            return Ok(all);
        }
        super::rest_after(begun).await;
    }
}

async fn sweep_batch(pool: &Pool, long_ago: OffsetDateTime) -> Result<u64, Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    let old =
        sqlx::query!("select user_id, id from playlists where seen_at < $1 order by seen_at limit $2", long_ago, BATCH);
    let (users, ids): (Vec<_>, Vec<_>) =
        old.fetch_all(&mut *tx).await?.into_iter().map(|row| (row.user_id, row.id)).unzip();
    // That a playlist is private must not be forgotten with the row that says so. The numbers come first, as when an
    // account ends: else the two would wait for each other.
    counts::remember_these(&mut tx, &users, &ids).await?;
    let swept = sqlx::query!(
        "with gone as (select p.user_id, p.id from unnest($1::bigint[], $2::text[]) as old (user_id, id) join playlists p using (user_id, id)
                       where p.seen_at < $3 for update of p skip locked)
         delete from playlists p using gone where p.user_id = gone.user_id and p.id = gone.id",
        &users,
        &ids,
        long_ago
    );
    let swept = swept.execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(swept)
}

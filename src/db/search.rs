//! Search in a user's library and hearts.
//!
//! Names, owners, notes and tags are stored a second time in folded form, so a search folds only the query. Rows
//! without a folded form are compared in lower case, and by the owner's name where no owner id is known. One query
//! reads all rows of one user: at 10,000 rows that takes Postgres some 20 ms (benches/README.md). Words are found by
//! `position`, because `like '%aa…b%'` begins anew at each letter: 2 seconds for 90,000 notes of one letter, not 0.15.
//!
//! The order by name depends on the reader's language, so the app sorts the names and passes the ids in that order.
//! ICU collations would do the same, but Postgres may be built without ICU, and Citus needs it on every node.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::hearts::HeartRows;
use super::playlists::{Playlist, StoredLibrary, library, playlist};
use super::{Error, Pool, Result};
use crate::ids::UserId;

/// Conditions on rows. All strings are folded; empty fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Texts that a row must have.
    pub include: TextFilter,
    /// Texts that a row must not have.
    pub exclude: TextFilter,
    /// Only playlists of `owner`, or none of theirs.
    pub mine: Option<bool>,
    pub owner: OwnerFilter,
    pub public: Option<bool>,
    pub collaborative: Option<bool>,
    pub hearted: Option<bool>,
    pub updated: Option<bool>,
    pub unavailable: Option<bool>,
    /// Hearted, without tags.
    pub untagged: Option<bool>,
    /// Compared in place of an invisible name.
    pub untitled: String,
}

impl Filter {
    /// Returns the yes-or-no conditions, `$4[1]` to `$4[7]` of the queries below.
    fn states(&self) -> [Option<bool>; 7] {
        let Self { mine, public, collaborative, updated, unavailable, untagged, hearted, .. } = *self;
        [mine, public, collaborative, updated, unavailable, untagged, hearted]
    }
}

/// Folded texts, by the fields in which they are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextFilter {
    /// In the own title, the name, the owner's name, the note and the tags.
    pub words: Vec<String>,
    /// In the owner's name.
    pub owners: Vec<String>,
    pub tags: Vec<String>,
}

/// An owner of playlists at Spotify.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerFilter {
    /// Spotify's id, if known.
    pub id: Option<String>,
    /// Compared where a row has no owner id.
    pub name: String,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// A library in Spotify's order; hearts newest first.
    #[default]
    Usual,
    /// By name, rows without a name last.
    Name,
    /// By the owner's name, then by name.
    Owner,
    /// Most recently hearted first.
    Hearted,
    /// Longest first, rows of unknown length last.
    Size,
    /// Shuffled anew by each query.
    Random,
}

impl Order {
    /// Returns the name used in URLs and in the queries below.
    pub fn key(self) -> &'static str {
        match self {
            Order::Usual => "usual",
            Order::Name => "name",
            Order::Owner => "owner",
            Order::Hearted => "hearted",
            Order::Size => "size",
            Order::Random => "random",
        }
    }
}

/// Order and range of the returned rows. Pinned hearts come first.
pub struct PageQuery<'a> {
    pub order: Order,
    /// True for the opposite of the order; rows without a value still come last.
    pub is_reversed: bool,
    /// All ids of the list, for [`Order::Name`] and [`Order::Owner`].
    pub sorted_ids: &'a [String],
    pub offset: i64,
    pub limit: i64,
}

impl PageQuery<'_> {
    /// Returns the factor of the values to sort by, `$16` of the queries below.
    fn sign(&self) -> f64 {
        if self.is_reversed { -1.0 } else { 1.0 }
    }

    /// Returns the place of each id, `$13` of the queries below. A join with the ids as rows took 4 seconds for 5,000
    /// hearts, not 0.06, as soon as Postgres used a plan for any number of them: it compared each with each.
    fn places(&self) -> Json<HashMap<&str, usize>> {
        Json(self.sorted_ids.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect())
    }
}

/// A playlist's id with the names that it is sorted by.
pub struct NamedId {
    pub id: String,
    /// The user's own title, or else Spotify's name.
    pub name: Option<String>,
    pub owner_name: Option<String>,
}

/// Returns all names of a user's library, in Spotify's order.
pub async fn list_library_names(pool: &Pool, user: UserId) -> Result<Vec<NamedId>> {
    let query = sqlx::query_as!(
        NamedId,
        r#"select p.id, coalesce(h.own_title, p.name) as name, p.owner_name
           from playlists p
           left join lateral (select * from user_hearts h where h.user_id = $1 and h.playlist_id = p.id
                                  and h.removed_at is null limit 1) h on true
           where p.user_id = $1 and p.position is not null order by p.position"#,
        user.0
    );
    query.fetch_all(pool).await.map_err(Error::from_search)
}

/// Returns all names of a user's hearts, newest heart first.
pub async fn list_heart_names(pool: &Pool, user: UserId) -> Result<Vec<NamedId>> {
    let query = sqlx::query_as!(
        NamedId,
        r#"select h.playlist_id as id, coalesce(h.own_title, p.name, h.title) as name, p.owner_name as "owner_name?"
           from user_hearts h
           left join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p on true
           where h.user_id = $1 and h.removed_at is null
           order by h.hearted_at desc, h.playlist_id"#,
        user.0
    );
    query.fetch_all(pool).await.map_err(Error::from_search)
}

/// Returns the matching playlists of a user's library; `None` if it was never fetched.
pub async fn search_library(
    pool: &Pool,
    user: UserId,
    filter: &Filter,
    page: &PageQuery<'_>,
) -> Result<Option<StoredLibrary>> {
    let query = sqlx::query!(
        r#"select l.fetched_at as "fetched_at?", l.counted as "counted?", l.reached as "reached?", l.leased_until as "leased_until?", l.failed_at as "failed_at?", l.total,
                  m.found as "found?", m.id as "id?", m.name as "name?", m.owner_id as "owner_id?",
                  m.owner_name as "owner_name?", m.cover_url as "cover_url?", m.item_count as "item_count?", m.public as "public?",
                  m.collaborative as "collaborative?", m.seen_at as "seen_at?", m.hearted_at as "hearted_at?",
                  m.gone_at as "gone_at?", m.own_title as "own_title?", m.note as "note?", m.tags as "tags?", m.changed_at as "changed_at?"
           from (select *, $11::bigint + 1 as place,
                        (select count(*) from playlists where user_id = $1 and position is not null) as total
                 from libraries where user_id = $1) l
           full join (
               select count(*) over () as found, row_number() over (
                          order by ($13::jsonb ->> p.id)::bigint, $16 * case $10 when 'hearted' then extract(epoch from h.hearted_at)::float8
                              when 'size' then p.item_count when 'usual' then -p.position when 'random' then random() end desc nulls last, p.position) as place,
                      p.id, p.name, p.owner_id, p.owner_name, p.cover_url, p.item_count, p.public, p.collaborative, p.seen_at,
                      h.hearted_at, h.gone_at, h.own_title, h.note, nullif(h.tags, '{}') as tags,
                      case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end as changed_at
               from playlists p
               left join lateral (select * from user_hearts h where h.user_id = $1 and h.playlist_id = p.id
                                      and h.removed_at is null limit 1) h on true
               cross join lateral (
                   select concat_ws(E'\n', h.own_title_folded, coalesce(
                              nullif(coalesce(p.name_folded, lower(p.name)), ''), case when h.own_title is null then $14 end)) as name,
                          coalesce(p.owner_folded, lower(p.owner_name), '') as owner,
                          coalesce(h.note_folded, lower(h.note)) as note, coalesce(h.tags_folded, h.tags, '{}') as tags) f
               cross join lateral (
                   select concat_ws(E'\n', f.name, f.owner, f.note, array_to_string(f.tags, E'\n')) as text) t
               where p.user_id = $1 and p.position is not null and 0 < all (select position(word in t.text) from unnest($2::text[]) word)
                     and 0 < all (select position(word in f.owner) from unnest($3::text[]) word)
                     and 0 = all (select position(word in t.text) from unnest($7::text[]) word)
                     and 0 = all (select position(word in f.owner) from unnest($8::text[]) word)
                     and f.tags @> $9 and not f.tags && $15
                     and coalesce((coalesce(p.owner_id = $5, p.owner_name = $6) is true) = ($4::boolean[])[1], true)
                     and coalesce(p.public = $4[2], $4[2] is null) and coalesce(p.collaborative = $4[3], $4[3] is null)
                     and coalesce((h.snapshot_id <> p.snapshot_id is true) = $4[4], true)
                     and coalesce((h.gone_at is not null) = $4[5], true)
                     and coalesce((h.tags = '{}' is true) = $4[6], true)
                     and coalesce((h.hearted_at is not null) = $4[7], true)
               order by place offset $11 limit $12) m on m.place = l.place
           order by m.place"#,
        user.0,
        &filter.include.words,
        &filter.include.owners,
        &filter.states() as _,
        filter.owner.id,
        filter.owner.name,
        &filter.exclude.words,
        &filter.exclude.owners,
        &filter.include.tags,
        page.order.key(),
        page.offset,
        page.limit,
        page.places() as _,
        filter.untitled,
        &filter.exclude.tags,
        page.sign()
    );
    let rows = query.fetch_all(pool).await.map_err(Error::from_search)?;
    Ok(Some(library!(rows, first => first.found.unwrap_or_default())))
}

/// Returns a user's matching hearts.
pub async fn search_hearts(pool: &Pool, user: UserId, filter: &Filter, page: &PageQuery<'_>) -> Result<HeartRows> {
    let query = sqlx::query!(
        r#"select t.total as "total!", m.found as "found?", m.id as "id?", m.name as "name?",
                  m.owner_id as "owner_id?", m.owner_name as "owner_name?", m.cover_url as "cover_url?", m.item_count as "item_count?",
                  m.public as "public?", m.collaborative as "collaborative?", m.seen_at as "seen_at?",
                  m.hearted_at as "hearted_at?", m.gone_at as "gone_at?", m.own_title as "own_title?", m.note as "note?", m.tags as "tags?",
                  m.changed_at as "changed_at?", m.pin as "pin?"
           from (select count(*) as total from user_hearts where user_id = $1 and removed_at is null) t
           left join (
               select count(*) over () as found, row_number() over (
                          order by case when $10 = 'random' then random() end, h.pin is null, ($13::jsonb ->> h.playlist_id)::bigint,
                                   $16 * extract(epoch from h.hearted_at)::float8 desc, h.playlist_id) as place,
                      h.playlist_id as id, coalesce(p.name, h.title) as name, p.owner_id, p.owner_name, p.cover_url,
                      p.item_count, p.public, p.collaborative, p.seen_at, h.hearted_at, h.gone_at, h.own_title, h.note, nullif(h.tags, '{}') as tags,
                      case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end as changed_at, h.pin
               from user_hearts h
               left join lateral (select * from playlists p where p.user_id = $1 and p.id = h.playlist_id limit 1) p on true
               cross join lateral (
                   select concat_ws(E'\n', h.own_title_folded,
                              coalesce(nullif(coalesce(p.name_folded, lower(p.name), h.title_folded, lower(h.title)), ''),
                                       case when h.own_title is null and (p.name is not null or h.title is not null) then $14 end)) as name,
                          coalesce(p.owner_folded, lower(p.owner_name), '') as owner,
                          coalesce(h.note_folded, lower(h.note)) as note, coalesce(h.tags_folded, h.tags) as tags) f
               cross join lateral (
                   select concat_ws(E'\n', f.name, f.owner, f.note, array_to_string(f.tags, E'\n')) as text) t
               where h.user_id = $1 and h.removed_at is null
                     and 0 < all (select position(word in t.text) from unnest($2::text[]) word)
                     and 0 < all (select position(word in f.owner) from unnest($3::text[]) word)
                     and 0 = all (select position(word in t.text) from unnest($7::text[]) word)
                     and 0 = all (select position(word in f.owner) from unnest($8::text[]) word)
                     and f.tags @> $9 and not f.tags && $15
                     and coalesce((coalesce(p.owner_id = $5, p.owner_name = $6) is true) = ($4::boolean[])[1], true)
                     and coalesce(p.public = $4[2], $4[2] is null) and coalesce(p.collaborative = $4[3], $4[3] is null)
                     and coalesce((h.snapshot_id <> p.snapshot_id is true) = $4[4], true)
                     and coalesce((h.gone_at is not null) = $4[5], true)
                     and coalesce((h.tags = '{}') = $4[6], true) and coalesce($4[7], true)
               order by place offset $11 limit $12) m on true order by m.place"#,
        user.0,
        &filter.include.words,
        &filter.include.owners,
        &filter.states() as _,
        filter.owner.id,
        filter.owner.name,
        &filter.exclude.words,
        &filter.exclude.owners,
        &filter.include.tags,
        page.order.key(),
        page.offset,
        page.limit,
        page.places() as _,
        filter.untitled,
        &filter.exclude.tags,
        page.sign()
    );
    let rows = query.fetch_all(pool).await.map_err(Error::from_search)?;
    let (total, found) = rows.first().map_or((0, 0), |row| (row.total, row.found.unwrap_or_default()));
    let rows = rows.into_iter().filter_map(|row| Some(Playlist { is_pinned: row.pin.is_some(), ..playlist!(row) }));
    Ok(HeartRows { rows: rows.collect(), found, total })
}

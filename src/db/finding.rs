//! Finding: what is in a library, or among the hearts, that fits what somebody looks for.
//!
//! First which ones and in which versions, all conditions in one statement; then, unless they have been shown in just
//! these, their cards. Rows that were written before there were folded columns are compared in lower case alone, and by
//! the owner's name where no id is known.

use super::playlists::Playlist;
use super::{Error, Pool};
use crate::ids::UserId;

/// What must be true of what is found. All texts are folded; what is none or empty asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Each stands in the name or in the owner's name; of a heart also in its note.
    pub words: Vec<String>,
    /// Each stands in the owner's name.
    pub owners: Vec<String>,
    /// Whether it is the person's own.
    pub mine: bool,
    /// Whether it is on its owner's profile.
    pub public: Option<bool>,
    /// Whether several people may change it.
    pub collaborative: Option<bool>,
    /// Whether it has the person's heart.
    pub hearted: bool,
    /// Each is a tag of the person's heart.
    pub tags: Vec<String>,
}

/// An order of what is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// A library's as Spotify keeps it; of hearts the newest first.
    #[default]
    Usual,
    /// By name, the nameless last.
    Name,
    /// By the owner's name, then by name.
    Owner,
    /// The most recently hearted first.
    Hearted,
    /// The first hearted first.
    Oldest,
    /// The longest first, those of unknown length last.
    Size,
}

impl Order {
    /// Its name, in addresses and in the statements below.
    pub fn key(self) -> &'static str {
        match self {
            Order::Usual => "usual",
            Order::Name => "name",
            Order::Owner => "owner",
            Order::Hearted => "hearted",
            Order::Oldest => "oldest",
            Order::Size => "size",
        }
    }
}

/// The entries that were found: a line for each, with Spotify's id and in which versions its playlist and its heart are.
///
/// Postgres never changes a row in place: the new version stands elsewhere (`ctid`), and where a place is used again,
/// another transaction did it (`xmin`); <https://www.postgresql.org/docs/current/ddl-system-columns.html>. So equal marks
/// show the same cards, as long as both come from one server: another that was restored from a copy counts anew.
///
/// No row has no version. So equal marks may be old ones too: of a heart that was given and taken back in between.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marks(String);

impl Marks {
    /// What a statement wrote, a line for each entry.
    pub(super) fn written(lines: String) -> Self {
        Self(lines)
    }

    fn of(lines: &[String]) -> Self {
        Self(lines.join("\n"))
    }

    fn ids(&self) -> Vec<&str> {
        self.0.lines().filter_map(|line| line.split(' ').next()).collect()
    }
}

/// A stretch of what was found.
pub struct Found {
    /// Its entries, in order.
    pub marks: Marks,
    /// How many there are in all; not known, and 0, for a stretch that begins behind the last.
    pub total: i64,
}

/// What of the person's library fits: at most `limit` from `offset` on.
///
/// # Errors
/// When the database fails.
pub async fn in_library(
    pool: &Pool,
    user: UserId,
    filter: &Filter,
    order: Order,
    (offset, limit): (i64, i64),
) -> Result<Found, Error> {
    let rows = sqlx::query!(
        r#"select concat_ws(' ', p.id, p.ctid, p.xmin, '-', h.ctid, h.xmin) as "mark!", count(*) over () as "total!"
           from playlists p
           cross join lateral (select nullif(coalesce(p.name_folded, lower(p.name)), '') as name, coalesce(p.owner_folded, lower(p.owner_name)) as owner) f
           left join hearts h on h.user_id = p.user_id and h.playlist_id = p.id
           where p.user_id = $1 and p.position is not null
                 and concat_ws(E'\n', f.name, f.owner) like all ($2) and coalesce(f.owner, '') like all ($3)
                 and (not $4 or coalesce(p.owner_id = (select handle from identities where user_id = $1 and provider = 'spotify'),
                                    p.owner_name = (select display_name from users where id = $1)))
                 and ($5::boolean is null or p.public = $5) and ($6::boolean is null or p.collaborative = $6)
                 and (not $7 or h.hearted_at is not null)
                 and coalesce(h.tags_folded, h.tags, '{}') @> $8
           order by case when $9 = 'owner' then f.owner end,
                    case when $9 in ('name', 'owner') then f.name end,
                    case when $9 = 'hearted' then h.hearted_at end desc nulls last,
                    case when $9 = 'size' then p.item_count end desc nulls last,
                    p.position
           offset $10 limit $11"#,
        user.0,
        &patterns(&filter.words),
        &patterns(&filter.owners),
        filter.mine,
        filter.public,
        filter.collaborative,
        filter.hearted,
        &filter.tags,
        order.key(),
        offset,
        limit
    );
    let rows = rows.fetch_all(pool).await?;
    let total = rows.first().map_or(0, |row| row.total);
    let marks: Vec<_> = rows.into_iter().map(|row| row.mark).collect();
    Ok(Found { marks: Marks::of(&marks), total })
}

/// Which of the person's hearts fit: at most `limit` from `offset` on.
///
/// # Errors
/// When the database fails.
pub async fn in_hearts(
    pool: &Pool,
    user: UserId,
    filter: &Filter,
    order: Order,
    (offset, limit): (i64, i64),
) -> Result<Found, Error> {
    let rows = sqlx::query!(
        r#"select concat_ws(' ', h.playlist_id, p.ctid, p.xmin, '-', h.ctid, h.xmin) as "mark!", count(*) over () as "total!"
           from hearts h
           left join playlists p on p.user_id = h.user_id and p.id = h.playlist_id
           cross join lateral (select nullif(coalesce(p.name_folded, lower(p.name)), '') as name, coalesce(p.owner_folded, lower(p.owner_name)) as owner,
                                      coalesce(h.note_folded, lower(h.note)) as note) f
           where h.user_id = $1
                 and concat_ws(E'\n', f.name, f.owner, f.note) like all ($2) and coalesce(f.owner, '') like all ($3)
                 and (not $4 or coalesce(p.owner_id = (select handle from identities where user_id = $1 and provider = 'spotify'),
                                    p.owner_name = (select display_name from users where id = $1)))
                 and ($5::boolean is null or p.public = $5) and ($6::boolean is null or p.collaborative = $6)
                 and coalesce(h.tags_folded, h.tags) @> $7
           order by case when $8 = 'owner' then f.owner end,
                    case when $8 in ('name', 'owner') then f.name end,
                    case when $8 = 'oldest' then h.hearted_at end,
                    h.hearted_at desc, h.playlist_id
           offset $9 limit $10"#,
        user.0,
        &patterns(&filter.words),
        &patterns(&filter.owners),
        filter.mine,
        filter.public,
        filter.collaborative,
        &filter.tags,
        order.key(),
        offset,
        limit
    );
    let rows = rows.fetch_all(pool).await?;
    let total = rows.first().map_or(0, |row| row.total);
    let marks: Vec<_> = rows.into_iter().map(|row| row.mark).collect();
    Ok(Found { marks: Marks::of(&marks), total })
}

/// Cards, and in which versions their rows were read: perhaps not those that were found a moment ago.
pub struct Cards {
    /// In the order that was asked for.
    pub playlists: Vec<Playlist>,
    /// Their marks.
    pub marks: Marks,
}

/// The cards of these entries, in this order, with what is known of each.
///
/// # Errors
/// When the database fails.
pub async fn cards(pool: &Pool, user: UserId, found: &Marks) -> Result<Cards, Error> {
    let rows = sqlx::query!(
        r#"select w.id as "id!", coalesce(p.name, '') as "name!", p.owner_name as "owner_name?", p.cover_url as "cover_url?", p.item_count as "item_count?", p.public as "public?",
                  coalesce(p.collaborative, false) as "collaborative!", p.seen_at as "seen_at?", h.hearted_at as "hearted_at?",
                  case when h.snapshot_id <> p.snapshot_id then p.snapshot_seen_at end as changed_at, h.gone_at as "gone_at?",
                  h.note as "note?", coalesce(h.tags, '{}') as "tags!", concat_ws(' ', w.id, p.ctid, p.xmin, '-', h.ctid, h.xmin) as "mark!"
           from unnest($2::text[]) with ordinality as w (id, place)
           left join playlists p on p.user_id = $1 and p.id = w.id
           left join hearts h on h.user_id = $1 and h.playlist_id = w.id
           order by w.place"#,
        user.0,
        &found.ids() as _
    );
    let cards = rows.fetch_all(pool).await?.into_iter().map(|row| {
        let playlist = Playlist {
            id: row.id,
            name: row.name,
            owner_name: row.owner_name,
            cover_url: row.cover_url,
            item_count: row.item_count,
            public: row.public,
            collaborative: row.collaborative,
            seen_at: row.seen_at,
            hearted_at: row.hearted_at,
            changed_at: row.changed_at,
            gone_at: row.gone_at,
            note: row.note,
            tags: row.tags,
        };
        (playlist, row.mark)
    });
    let (playlists, marks): (_, Vec<_>) = cards.unzip();
    Ok(Cards { playlists, marks: Marks::of(&marks) })
}

/// Patterns for texts that may stand anywhere.
fn patterns(texts: &[String]) -> Vec<String> {
    let escaped = texts.iter().map(|text| text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_"));
    escaped.map(|text| format!("%{text}%")).collect()
}

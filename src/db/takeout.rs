//! A person's hearts as they leave in a file and come back from one.

use time::OffsetDateTime;

use super::hearts::Words;
use super::{Error, Pool};
use crate::ids::{PlaylistId, UserId};

/// A heart, and what its playlist is called where that is known.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Spotify's id of the playlist.
    pub playlist_id: String,
    /// As Spotify gave it.
    pub name: Option<String>,
    /// Who made the playlist, by name.
    pub owner_name: Option<String>,
    /// When it was hearted, to the microsecond.
    pub hearted_at: OffsetDateTime,
    /// What the person wrote beside it.
    pub note: Option<String>,
    /// The person's tags for it.
    pub tags: Vec<String>,
}

/// Up to `limit` of a person's hearts, newest first, behind `last`; none: from the first one on.
///
/// # Errors
/// When the database fails.
pub async fn after(pool: &Pool, user: UserId, last: Option<&Kept>, limit: i64) -> Result<Vec<Kept>, Error> {
    let rows = sqlx::query_as!(
        Kept,
        r#"select h.playlist_id, p.name as "name?", p.owner_name as "owner_name?", h.hearted_at, h.note, h.tags
           from hearts h left join playlists p on p.user_id = h.user_id and p.id = h.playlist_id
           where h.user_id = $1
                 and ($2::timestamptz is null or h.hearted_at <= $2 and (h.hearted_at < $2 or h.playlist_id > $3))
           order by h.hearted_at desc, h.playlist_id limit $4"#,
        user.0,
        last.map(|last| last.hearted_at),
        last.map(|last| last.playlist_id.as_str()),
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}

/// A heart from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// The playlist.
    pub playlist: PlaylistId,
    /// When it was hearted.
    pub hearted_at: OffsetDateTime,
    /// What the person wrote beside it.
    pub words: Words,
}

/// Adds the hearts that are not there yet, all or none; those that are stay as they are. Returns how many were
/// added.
///
/// # Errors
/// When the database fails, or the person is gone; then nothing is added.
pub async fn add(pool: &Pool, user: UserId, hearts: &[New]) -> Result<u64, Error> {
    // In the order of their ids, so that two of these at once wait for each other and not in a circle.
    let added = sqlx::query_scalar!(
        r#"with given as (insert into hearts (user_id, playlist_id, hearted_at, note, tags, note_folded, tags_folded)
                          select $1, l.id, l.hearted_at, l.note, string_to_array(l.tags, ','), l.note_folded, string_to_array(l.tags_folded, ',')
                          from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[])
                               as l (id, hearted_at, note, tags, note_folded, tags_folded)
                          order by l.id on conflict do nothing returning playlist_id),
                counted as (insert into heart_counts as c (playlist_id, hearts) select playlist_id, 1 from given order by playlist_id
                            on conflict (playlist_id) do update set hearts = c.hearts + 1)
           select count(*) as "added!" from given"#,
        user.0,
        &hearts.iter().map(|heart| heart.playlist.to_string()).collect::<Vec<_>>(),
        &hearts.iter().map(|heart| heart.hearted_at).collect::<Vec<_>>(),
        &hearts.iter().map(|heart| heart.words.note.clone()).collect::<Vec<_>>() as _,
        &hearts.iter().map(|heart| heart.words.tags.join(",")).collect::<Vec<_>>(),
        &hearts.iter().map(|heart| heart.words.note_folded.clone()).collect::<Vec<_>>() as _,
        &hearts.iter().map(|heart| heart.words.tags_folded.join(",")).collect::<Vec<_>>(),
    );
    Ok(added.fetch_one(pool).await? as u64)
}

//! Hearts.

use time::OffsetDateTime;

use super::finding::{Found, Marks};
use super::{Error, Pool};
use crate::ids::{Digested, PlaylistId, UserId};

/// Whose heart it is.
#[derive(Clone, Copy, Debug)]
pub enum Hand<'a> {
    /// Somebody who is known.
    Person(UserId),
    /// Whoever is signed in by this session, if a secret of one of these marks sealed it. This is asked in the heart's
    /// own statement: a press is one round trip, and a session that has ended gives no heart.
    Session(Digested, &'a [i64]),
}

impl<'a> Hand<'a> {
    /// As parameters: the person, or the session and the marks.
    fn parts(self) -> (Option<i64>, Option<[u8; 32]>, &'a [i64]) {
        match self {
            Hand::Person(user) => (Some(user.0), None, &[]),
            Hand::Session(session, marks) => (None, Some(session.0), marks),
        }
    }
}

/// What a press came to.
#[derive(Debug)]
pub struct Pressed {
    /// Whose it was.
    pub user: i64,
    /// How many people heart the playlist now.
    pub hearts: i64,
    /// Whether the session is to be noted as seen again.
    pub unseen: bool,
}

/// A change of a heart as one statement: `who` it is for, what is to `be done`, and `hearts`, the number that it came to.
/// $1 to $3 are the hand's parts, $4 is the playlist, $5 is now.
macro_rules! press {
    ($pool:expr, $hand:expr, $playlist:expr, $now:expr, $done:literal, hearts: $hearts:literal $(, $more:expr)?) => {{
        let (user, session, marks) = $hand.parts();
        let pressed = sqlx::query_as!(
            Pressed,
            "with who as (select $1::bigint as id, false as unseen where $1 is not null
                          union all
                          select user_id, coalesce(last_seen_at < now() - interval '5 minutes', true) from sessions
                          where id_hash = $2 and expires_at > now() and user_id is not null and sealed_with = any($3)), "
                + $done
                + r#" select w.id as "user!", w.unseen as "unseen!", "#
                + $hearts
                + r#" as "hearts!" from who w"#,
            user,
            session.as_ref().map(|session| session.as_slice()),
            marks,
            $playlist.as_str(),
            $now
            $(, $more)?
        );
        Ok(pressed.fetch_optional($pool).await?)
    }};
}

/// Hearts a playlist in the version that is known; the first date is kept. What was written beside a heart
/// that was taken back comes back with it; its date too if that was after `lately`. None: it is not known whose
/// session it is, and nothing has changed.
///
/// # Errors
/// When the database fails, or the person is gone.
pub async fn give(
    pool: &Pool,
    hand: Hand<'_>,
    playlist: &PlaylistId,
    lately: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Option<Pressed>, Error> {
    // Two presses that cross a taking back may both give: whoever comes second brings the words to the first one's row.
    // A row that was inserted and not updated has no xmax: only that one is a heart more.
    press!(
        pool,
        hand,
        playlist,
        now,
        "back as (delete from removed_hearts where user_id = (select id from who) and playlist_id = $4
                      and not exists (select from hearts where user_id = (select id from who) and playlist_id = $4)
                  returning note, tags, note_folded, tags_folded, case when removed_at > $6 then hearted_at end as hearted_at),
         given as (insert into hearts as h (user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded)
                   select w.id, $4, coalesce(b.hearted_at, $5),
                          (select snapshot_id from playlists where user_id = w.id and id = $4), b.note, coalesce(b.tags, '{}'), b.note_folded, b.tags_folded
                   from who w left join back b on true
                   on conflict (user_id, playlist_id) do update
                   set hearted_at = least(h.hearted_at, excluded.hearted_at), note = coalesce(h.note, excluded.note),
                       tags = case when h.tags = '{}' then excluded.tags else h.tags end,
                       note_folded = case when h.note is null then excluded.note_folded else h.note_folded end,
                       tags_folded = case when h.tags = '{}' then excluded.tags_folded else h.tags_folded end
                   where excluded.note is not null or excluded.tags <> '{}' or excluded.hearted_at < h.hearted_at
                   returning h.playlist_id, h.xmax = 0 as fresh),
         counted as (insert into heart_counts as c (playlist_id, hearts) select playlist_id, 1 from given where fresh
                     on conflict (playlist_id) do update set hearts = c.hearts + 1 returning hearts)",
        hearts: "coalesce((select hearts from counted), (select greatest(hearts, 1) from heart_counts where playlist_id = $4), 1)",
        lately
    )
}

/// Takes a heart back and keeps it among the removed ones. None: it is not known whose session it is, and nothing has
/// changed.
///
/// # Errors
/// When the database fails.
pub async fn take_back(
    pool: &Pool,
    hand: Hand<'_>,
    playlist: &PlaylistId,
    now: OffsetDateTime,
) -> Result<Option<Pressed>, Error> {
    // An older one is there only when two requests crossed, or when the heart came from a file: nothing of it is lost.
    press!(
        pool,
        hand,
        playlist,
        now,
        "gone as (delete from hearts where user_id = (select id from who) and playlist_id = $4 returning *),
         kept as (insert into removed_hearts as r (user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded, removed_at)
                  select user_id, playlist_id, hearted_at, snapshot_id, note, tags, note_folded, tags_folded, $5 from gone
                  on conflict (user_id, playlist_id) do update set hearted_at = least(r.hearted_at, excluded.hearted_at), snapshot_id = excluded.snapshot_id,
                      note = coalesce(excluded.note, r.note), tags = case when excluded.tags = '{}' then r.tags else excluded.tags end,
                      note_folded = case when excluded.note is null then r.note_folded else excluded.note_folded end,
                      tags_folded = case when excluded.tags = '{}' then r.tags_folded else excluded.tags_folded end,
                      removed_at = excluded.removed_at),
         counted as (update heart_counts c set hearts = c.hearts - 1 from gone where c.playlist_id = gone.playlist_id returning c.hearts)",
        hearts: "coalesce((select hearts from counted), (select hearts from heart_counts where playlist_id = $4), 0)"
    )
}

/// What a person writes beside a heart, and the same folded, as searches compare it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// One line of text.
    pub note: Option<String>,
    /// None of them has a comma in it.
    pub tags: Vec<String>,
    /// The note, folded.
    pub note_folded: Option<String>,
    /// The tags, folded.
    pub tags_folded: Vec<String>,
}

/// Writes `words` beside a heart. False: there is no such heart.
///
/// # Errors
/// When the database fails.
pub async fn describe(pool: &Pool, user: UserId, playlist: &PlaylistId, words: &Words) -> Result<bool, Error> {
    let described = sqlx::query!(
        "update hearts set note = $3, tags = $4, note_folded = $5, tags_folded = $6 where user_id = $1 and playlist_id = $2",
        user.0,
        playlist.as_str(),
        words.note.as_deref(),
        &words.tags,
        words.note_folded.as_deref(),
        &words.tags_folded
    );
    Ok(described.execute(pool).await?.rows_affected() == 1)
}

/// Notes that the person has looked at the playlist in the version that is known.
///
/// # Errors
/// When the database fails.
pub async fn look(pool: &Pool, user: UserId, playlist: &PlaylistId) -> Result<(), Error> {
    let looked = sqlx::query!(
        "update hearts h set snapshot_id = p.snapshot_id from playlists p
         where h.user_id = $1 and h.playlist_id = $2 and p.user_id = $1 and p.id = $2
               and p.snapshot_id is not null and h.snapshot_id is distinct from p.snapshot_id",
        user.0,
        playlist.as_str()
    );
    looked.execute(pool).await?;
    Ok(())
}

/// Notes that Spotify does not show the playlist to the person, since `now` or since it was first noted.
///
/// # Errors
/// When the database fails.
pub async fn miss(pool: &Pool, user: UserId, playlist: &PlaylistId, now: OffsetDateTime) -> Result<(), Error> {
    let missed = sqlx::query!(
        "update hearts set gone_at = $3 where user_id = $1 and playlist_id = $2 and gone_at is null",
        user.0,
        playlist.as_str(),
        now
    );
    missed.execute(pool).await?;
    Ok(())
}

/// When the person hearted the playlist, what they wrote beside it, and how many people heart it.
pub struct Standing {
    /// None: not hearted by this person.
    pub hearted_at: Option<OffsetDateTime>,
    /// What the person wrote beside the heart.
    pub note: Option<String>,
    /// The person's tags for it.
    pub tags: Vec<String>,
    /// How many people heart it.
    pub hearts: i64,
}

/// Where one playlist stands with one person.
///
/// # Errors
/// When the database fails.
pub async fn standing(pool: &Pool, user: UserId, playlist: &PlaylistId) -> Result<Standing, Error> {
    let row = sqlx::query_as!(
        Standing,
        r#"select h.hearted_at as "hearted_at?", h.note as "note?", coalesce(h.tags, '{}') as "tags!",
                  coalesce((select hearts from heart_counts where playlist_id = $2), 0) as "hearts!"
           from (values (1)) as always left join hearts h on h.user_id = $1 and h.playlist_id = $2"#,
        user.0,
        playlist.as_str()
    );
    Ok(row.fetch_one(pool).await?)
}

/// How many hearts a person gave.
///
/// # Errors
/// When the database fails.
pub async fn count(pool: &Pool, user: UserId) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from hearts where user_id = $1"#, user.0)
        .fetch_one(pool)
        .await?)
}

/// A person's hearts, newest first: at most `limit` from `offset` on.
///
/// # Errors
/// When the database fails.
pub async fn newest(pool: &Pool, user: UserId, (offset, limit): (i64, i64)) -> Result<Found, Error> {
    let row = sqlx::query!(
        r#"select (select count(*) from hearts where user_id = $1) as "total!",
                  array_to_string(array(
                        select concat_ws(' ', h.playlist_id, p.ctid, p.xmin, '-', h.place, h.since)
                        from (select playlist_id, hearted_at, ctid as place, xmin as since from hearts
                              where user_id = $1 order by hearted_at desc, playlist_id offset $2 limit $3) h
                        left join playlists p on p.user_id = $1 and p.id = h.playlist_id
                        order by h.hearted_at desc, h.playlist_id), E'\n') as "marks!""#,
        user.0,
        offset,
        limit
    );
    let row = row.fetch_one(pool).await?;
    Ok(Found { marks: Marks::written(row.marks), total: row.total })
}

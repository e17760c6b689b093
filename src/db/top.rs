//! The most hearted playlists: two short lists of ids, made anew by one process at a time.

use sqlx::Connection;
use time::{Duration, OffsetDateTime};

use super::{Error, Pool};
use crate::ids::UserId;

/// A line of a list.
pub struct Entry {
    /// Spotify's id.
    pub id: String,
    /// As Spotify showed it to a member of late, if it is public; none: nobody's library has it fresh.
    pub name: Option<String>,
    /// Who made it, by name; known like the name.
    pub owner_name: Option<String>,
    /// Where its picture is; known like the name.
    pub cover_url: Option<String>,
    /// When Spotify showed it last to a member.
    pub seen_at: Option<OffsetDateTime>,
    /// Whether who looks at the list hearts it.
    pub hearted: bool,
    /// Its hearts of the last seven days.
    pub week: i64,
    /// All its hearts.
    pub ever: i64,
}

/// The list of `period` (`week` or `ever`) as it was made last, for `viewer`. What became known as private since
/// then is left out; that is asked for each entry by itself, since a join would read all that is private here.
///
/// # Errors
/// When the database fails.
pub async fn list(pool: &Pool, period: &str, viewer: Option<UserId>, now: OffsetDateTime) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query_as!(
        Entry,
        r#"select t.playlist_id as id, p.name as "name?", p.owner_name, p.cover_url, p.seen_at as "seen_at?",
                  exists (select from hearts where user_id = $2 and playlist_id = t.playlist_id) as "hearted!", t.week, t.ever
           from top_playlists t
           left join lateral (select name, owner_name, cover_url, seen_at from playlists
                              where id = t.playlist_id and public and seen_at > $3
                              order by seen_at desc limit 1) p on true
           where t.period = $1
                 and (select 1 from playlists s where s.id = t.playlist_id and not s.public limit 1) is null
                 and (p.seen_at is not null or (select 1 from heart_counts c where c.playlist_id = t.playlist_id and c.private) is null)
           order by t.place"#,
        period,
        viewer.map(|viewer| viewer.0),
        now - Duration::days(30)
    );
    Ok(rows.fetch_all(pool).await?)
}

/// From when this copy of the database is at the earliest: from when its lists were made, or the last change was that
/// it has followed; none: there are no lists in it.
///
/// # Errors
/// When the copy fails.
pub async fn copied_at(copy: &Pool) -> Result<Option<OffsetDateTime>, Error> {
    let row = sqlx::query_scalar!("select greatest(made_at, pg_last_xact_replay_timestamp()) from top_lists");
    Ok(row.fetch_optional(copy).await?.flatten())
}

/// Takes the right to make the lists, until `until`; false: they are younger than `age` and the rest that they need
/// after the last time, or somebody makes them.
///
/// # Errors
/// When the database fails.
pub async fn lease(pool: &Pool, age: Duration, until: OffsetDateTime, now: OffsetDateTime) -> Result<bool, Error> {
    let row = sqlx::query!(
        // Made or leased in the future: by a clock that was wrong. That must not hold for ever.
        "insert into top_lists as l (leased_until) values ($1) on conflict (only_one) do update set leased_until = $1
         where (l.made_at is null or l.made_at + l.rest < $2 or l.made_at - l.rest > $3)
               and (l.leased_until is null or l.leased_until not between $4 and $1::timestamptz + interval '1 minute')",
        until,
        now - age,
        now + age,
        now
    );
    Ok(row.execute(pool).await?.rows_affected() == 1)
}

/// Makes both lists anew, of playlists that at least three people heart and nobody knows as private, and gives the
/// right that ends at `until` back; who has lost it meanwhile changes nothing. Readers have the old lists until then.
/// Then they rest: 20 times as long as this took, so that it takes no more than a twentieth of one of the database's
/// cores; at most five minutes.
///
/// # Errors
/// When the database fails; then the old lists stay, and the right ends by itself.
pub async fn make(pool: &Pool, length: i64, until: OffsetDateTime, now: OffsetDateTime) -> Result<(), Error> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    super::plan_anew(&mut tx).await?;
    // A week's hearts take their time, but no longer than the right: another process would count them, too.
    let limit = (until - now).whole_milliseconds().to_string();
    sqlx::query_scalar!("select set_config('statement_timeout', $1, true)", limit).fetch_one(&mut *tx).await?;
    sqlx::query!("delete from top_playlists").execute(&mut *tx).await?;
    let rows = sqlx::query!(
        "with week as materialized (select playlist_id, count(*) as hearts from hearts where hearted_at > $1 group by playlist_id),
              ever_list as (
                  select c.playlist_id, c.hearts from heart_counts c
                  where c.hearts >= 3 and not exists (select from playlists s where s.id = c.playlist_id and not s.public)
                        and (not c.private or exists (select from playlists s where s.id = c.playlist_id and s.public and s.seen_at > $3))
                  order by c.hearts desc, c.playlist_id limit $2),
              week_list as (
                  select w.playlist_id, w.hearts as week, c.hearts as ever from week w join heart_counts c using (playlist_id)
                  where c.hearts >= 3 and not exists (select from playlists s where s.id = c.playlist_id and not s.public)
                        and (not c.private or exists (select from playlists s where s.id = c.playlist_id and s.public and s.seen_at > $3))
                  order by w.hearts desc, c.hearts desc, w.playlist_id limit $2)
         insert into top_playlists (period, place, playlist_id, week, ever)
         select 'ever', row_number() over (order by e.hearts desc, e.playlist_id), e.playlist_id, coalesce(w.hearts, 0), e.hearts
         from ever_list e left join week w using (playlist_id)
         union all
         select 'week', row_number() over (order by week desc, ever desc, playlist_id), playlist_id, week, ever from week_list",
        now - Duration::WEEK,
        length,
        now - Duration::days(30)
    );
    rows.execute(&mut *tx).await?;
    // Last, so that who looks meanwhile whether the lists are old does not wait for them.
    let right = sqlx::query!(
        "update top_lists set made_at = $1, leased_until = null,
                rest = least(20 * (clock_timestamp() - transaction_timestamp()), interval '5 minutes')
         where leased_until = $2",
        now,
        until
    );
    if right.execute(&mut *tx).await?.rows_affected() == 1 {
        tx.commit().await?;
    }
    Ok(())
}

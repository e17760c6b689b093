//! Installation mode: demo or real. A demo's people are made up.

use super::{Pool, Result};

/// Identities of the made-up people of this release.
const MADE_UP: &str = "spotify:made-up-ada spotify:made-up-mira spotify:made-up-noor spotify:made-up-tom \
    google:made-up-ada google:made-up-mira google:made-up-noor \
    github:18000000000000000001 github:18000000000000000002 github:18000000000000000003 \
    facebook:made-up-ada facebook:made-up-mira facebook:made-up-noor x:made-up-ada x:made-up-mira x:made-up-noor";
/// Those of earlier releases. They have the form of real ones, so a real person may have one.
const FORMERLY_MADE_UP: &str = "spotify:7bpujetWCO spotify:eN421PNZI4 spotify:NLHFb36c18 spotify:1iwxUcjtjX \
    google:104217793021745559012 google:117700120034459981243 google:101999000111222333444 \
    github:58323100 github:60411207 github:90210044 \
    facebook:10158000000000001 facebook:10158000000000002 facebook:10158000000000003 \
    x:2244994945000000001 x:2244994945000000002 x:2244994945000000003";

/// Returns whether the mode is demo. Records it first, if it is not recorded: an empty database gets `is_demo`, and
/// that of an earlier release is recognized by its people, or by the covers of their playlists. `None` if there are
/// people and neither tells.
pub async fn detect_or_record(pool: &Pool, is_demo: bool) -> Result<Option<bool>> {
    let stored = sqlx::query_scalar!("select demo from installation").fetch_optional(pool).await?;
    if stored.is_some() {
        return Ok(stored);
    }
    let query = sqlx::query_scalar!(r#"select exists (select from users) as "has_people!""#);
    let identities: Vec<_> = MADE_UP.split(' ').chain(FORMERLY_MADE_UP.split(' ')).collect();
    let is_demo = if !query.fetch_one(pool).await? {
        Some(is_demo)
    } else if !users_with(pool, &identities).await?.is_empty() {
        Some(true)
    } else {
        has_made_up_covers(pool).await?
    };
    let Some(is_demo) = is_demo else { return Ok(None) };
    // Another process may have recorded it meanwhile, for the other mode.
    sqlx::query!("insert into installation (demo) values ($1) on conflict do nothing", is_demo).execute(pool).await?;
    Ok(sqlx::query_scalar!("select demo from installation").fetch_optional(pool).await?)
}

async fn users_with(pool: &Pool, identities: &[&str]) -> Result<Vec<i64>> {
    let query = sqlx::query_scalar!(
        "select user_id from identities where provider || ':' || subject = any($1)",
        identities as _
    );
    Ok(query.fetch_all(pool).await?)
}

/// Returns users of [`FORMERLY_MADE_UP`] who have neither another identity nor a playlist with one of Spotify's covers,
/// as only real people have.
async fn formerly_made_up_users(pool: &Pool) -> Result<Vec<i64>> {
    let identities: Vec<_> = FORMERLY_MADE_UP.split(' ').collect();
    let query = sqlx::query_scalar!(
        r#"select user_id from identities group by user_id having bool_and(provider || ':' || subject = any($1))"#,
        &identities as _
    );
    let mut users = query.fetch_all(pool).await?;
    let query = sqlx::query_scalar!(
        "select distinct user_id from playlists where user_id = any($1)
             and (cover_url like 'https://%.scdn.co/%' or cover_url like 'https://%.spotifycdn.com/%')",
        &users
    );
    let real = query.fetch_all(pool).await?;
    users.retain(|user| !real.contains(user));
    Ok(users)
}

/// Returns whether a stored cover is one of the made-up Spotify, which has had two paths, or one of Spotify; `None` if
/// there is neither.
async fn has_made_up_covers(pool: &Pool) -> Result<Option<bool>> {
    let query = sqlx::query_scalar!(
        r#"select cover_url not like 'https://%.scdn.co/%' and cover_url not like 'https://%.spotifycdn.com/%' as "is_made_up!"
           from playlists
           where cover_url like 'https://%.scdn.co/%' or cover_url like 'https://%.spotifycdn.com/%'
              or cover_url like 'http%/fake-spotify/covers/%' or cover_url like 'http%/standin/covers/%' limit 1"#
    );
    Ok(query.fetch_optional(pool).await?)
}

/// Records the mode. In a real database, made-up people lose their sessions and the role of an operator.
pub async fn set_mode(pool: &Pool, is_demo: bool) -> Result<()> {
    if !is_demo {
        let mut made_up = users_with(pool, &MADE_UP.split(' ').collect::<Vec<_>>()).await?;
        made_up.extend(formerly_made_up_users(pool).await?);
        sqlx::query!("delete from sessions where user_id = any($1)", &made_up).execute(pool).await?;
        sqlx::query!("update users set operator = false where id = any($1)", &made_up).execute(pool).await?;
    }
    let query = sqlx::query!(
        "insert into installation (demo) values ($1) on conflict (only_one) do update set demo = $1",
        is_demo
    );
    query.execute(pool).await?;
    Ok(())
}

//! Folds stored texts again that another version of the program folded by other rules.
//!
//! A migration would miss what the previous release writes while it still serves. A pass changes only rows whose folded
//! texts differ, and none that is changed meanwhile.

use std::collections::HashSet;

use time::{Duration, OffsetDateTime};
use tokio::time::{Instant, sleep};

use super::Result;
use super::annotation::{MAX_TAGS, fold_tag, split_tags};
use super::text::{FOLD_VERSION, fold};
use crate::app::App;
use crate::db::Pool;
use crate::db::folding::{self, HeartTexts, PlaylistTexts};
use crate::ids::UserId;

/// Time after which a second pass folds what the previous release wrote meanwhile.
const SECOND_PASS_DELAY: Duration = Duration::hours(6);
/// Lease of a pass; renewed after each query for users.
const LEASE: Duration = Duration::minutes(15);
const USERS_PER_QUERY: i64 = 100;
/// The pause after a user is this many times as long as their rows took, and at most [`MAX_PAUSE`].
const PAUSE_FACTOR: u32 = 9;
const MAX_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// Folds the texts of all users, unless this version's passes are done or another process has the lease. Continues an
/// interrupted pass after its last user. Returns the number of changed rows.
pub async fn refold(app: &App, now: OffsetDateTime) -> Result<u64> {
    let mut until = now + LEASE;
    let Some(mut last) = folding::lease(&app.db, FOLD_VERSION, until, now - SECOND_PASS_DELAY, now).await? else {
        return Ok(0);
    };
    let mut changed = 0;
    loop {
        let users = folding::list_users(&app.db, last, USERS_PER_QUERY).await?;
        let Some(end) = users.last().copied() else {
            folding::finish(&app.db, until, app.now()).await?;
            return Ok(changed);
        };
        for user in users {
            let start = Instant::now();
            changed += refold_user(&app.db, user).await?;
            sleep((PAUSE_FACTOR * start.elapsed()).min(MAX_PAUSE)).await;
        }
        let renewed = app.now() + LEASE;
        if !folding::renew(&app.db, (until, renewed), end).await? {
            return Ok(changed);
        }
        (until, last) = (renewed, end);
    }
}

async fn refold_user(pool: &Pool, user: UserId) -> Result<u64> {
    Ok(refold_hearts(pool, user).await? + refold_playlists(pool, user).await?)
}

async fn refold_hearts(pool: &Pool, user: UserId) -> Result<u64> {
    let (mut changed, mut last) = (0, String::new());
    loop {
        let hearts = folding::list_hearts(pool, user, &last).await?;
        let Some(end) = hearts.last() else { return Ok(changed) };
        last.clone_from(&end.playlist_id);
        for old in hearts {
            let new = fold_heart(&old);
            if new != old {
                changed += folding::update_heart(pool, user, &old, &new).await?;
            }
        }
    }
}

async fn refold_playlists(pool: &Pool, user: UserId) -> Result<u64> {
    let (mut changed, mut last) = (0, String::new());
    loop {
        let playlists = folding::list_playlists(pool, user, &last).await?;
        let Some(end) = playlists.last() else { return Ok(changed) };
        last.clone_from(&end.id);
        for old in playlists {
            let (name_folded, owner_folded) = (Some(fold(&old.name)), old.owner_name.as_deref().map(fold));
            let new = PlaylistTexts { name_folded, owner_folded, ..old.clone() };
            if new != old {
                changed += folding::update_playlist(pool, user, &new).await?;
            }
        }
    }
}

fn fold_heart(heart: &HeartTexts) -> HeartTexts {
    let tags = split_stored_tags(&heart.tags);
    HeartTexts {
        title_folded: heart.title.as_deref().map(fold),
        own_title_folded: heart.own_title.as_deref().map(fold),
        note_folded: heart.note.as_deref().map(fold),
        tags_folded: Some(tags.iter().map(|tag| fold_tag(tag)).collect()),
        tags,
        ..heart.clone()
    }
}

/// Splits tags at separators that an earlier release did not know. All other tags stay as they are, also those that are
/// equal when folded. Nothing is split if there were more than [`MAX_TAGS`] then.
fn split_stored_tags(tags: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let split = tags.iter().flat_map(|tag| {
        let parts: Vec<_> = split_tags(tag).collect();
        if parts.len() > 1 { parts } else { vec![tag.clone()] }
    });
    let split: Vec<_> = split.filter(|tag| seen.insert(tag.clone())).collect();
    if split.len() > MAX_TAGS { tags.to_vec() } else { split }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_tags_are_neither_dropped_nor_renamed() {
        let ten = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "雨，夜"];
        for (stored, kept) in [
            (&["Été", "ete"][..], &["Été", "ete"][..]),
            (&["#rain", "rain", "＃Rain"], &["#rain", "rain", "＃Rain"]),
            (&["Late  Night", "\u{2800}", "，"], &["Late  Night", "\u{2800}", "，"]),
            (&["雨，夜", "राम"], &["雨", "夜", "राम"]),
            (&["ete", "雨、Été", "雨"], &["ete", "雨", "Été"]),
            (&ten, &ten),
            (&ten[1..], &["b", "c", "d", "e", "f", "g", "h", "i", "雨", "夜"]),
        ] {
            let stored: Vec<_> = stored.iter().map(|tag| (*tag).to_owned()).collect();
            assert_eq!(split_stored_tags(&stored), kept);
        }
    }
}

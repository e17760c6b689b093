//! Folds stored texts again that another version of the program folded by other rules.
//!
//! A migration would miss what the previous release writes while it still serves, or after a rollback. A pass changes
//! only rows whose folded texts differ, and none that is changed meanwhile, so several processes may run it at once.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Result;
use super::annotation::{fold_tag, split_tags};
use super::text::fold;
use crate::app::App;
use crate::db::Pool;
use crate::db::folding::{self, HeartTexts, PlaylistTexts};
use crate::ids::UserId;

const USERS_PER_QUERY: i64 = 1000;
/// The pause after a user is this many times as long as their rows took, and at most [`MAX_PAUSE`].
const PAUSE_FACTOR: u32 = 9;
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Folds the texts of all users. Returns the number of changed rows.
pub async fn refold(app: &App) -> Result<u64> {
    let (mut changed, mut last) = (0, UserId(0));
    loop {
        let users = folding::list_users(&app.db, last, USERS_PER_QUERY).await?;
        match users.last() {
            Some(user) => last = *user,
            None => return Ok(changed),
        }
        for user in users {
            let start = Instant::now();
            changed += refold_user(&app.db, user).await?;
            sleep((PAUSE_FACTOR * start.elapsed()).min(MAX_PAUSE)).await;
        }
    }
}

async fn refold_user(pool: &Pool, user: UserId) -> Result<u64> {
    let mut changed = 0;
    for old in folding::list_hearts(pool, user).await? {
        let new = fold_heart(&old);
        if new != old {
            changed += folding::update_heart(pool, user, &old, &new).await?;
        }
    }
    for old in folding::list_playlists(pool, user).await? {
        let (name_folded, owner_folded) = (Some(fold(&old.name)), old.owner_name.as_deref().map(fold));
        let new = PlaylistTexts { name_folded, owner_folded, ..old.clone() };
        if new != old {
            changed += folding::update_playlist(pool, user, &new).await?;
        }
    }
    Ok(changed)
}

/// Also splits tags that an earlier version read as one.
fn fold_heart(heart: &HeartTexts) -> HeartTexts {
    let tags: Vec<_> = split_tags(&heart.tags.join(",")).collect();
    HeartTexts {
        title_folded: heart.title.as_deref().map(fold),
        note_folded: heart.note.as_deref().map(fold),
        tags_folded: Some(tags.iter().map(|tag| fold_tag(tag)).collect()),
        tags,
        ..heart.clone()
    }
}

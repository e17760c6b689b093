//! Changes of many hearts at once, and undoing them.

use time::{Duration, OffsetDateTime};

use super::annotation::{MAX_TAGS, fold_tag};
use super::hearts::{MAX_HEARTS_PER_USER, UNDO_WINDOW};
use super::{CurrentUser, Result, run_heart_change};
use crate::app::App;
use crate::db::heart_changes::{self, Change};
pub use crate::db::heart_changes::{ChangeKind, Undone};
pub use crate::db::import_export::ExportedHeart;
use crate::db::import_export::export_selected;
use crate::db::tags::TagChange;
use crate::ids::PlaylistId;

/// Maximum number of playlists of a change.
pub const MAX_SELECTED: usize = 100;
/// How long a change can be undone.
const CHANGE_TTL: Duration = Duration::days(30);

/// A change of the selected hearts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeartAction {
    Add,
    Remove,
    AddTags(Vec<String>),
    RemoveTags(Vec<String>),
}

/// The outcome of a change.
#[derive(Debug, Default)]
pub struct Changed {
    pub hearts: usize,
    /// Number of hearts that would have exceeded the limit of a user.
    pub over_limit: usize,
    /// Selected playlists without a heart, which can have no tags.
    pub unhearted: usize,
    /// Hearts that would have had more than [`MAX_TAGS`] tags, and stay as they are.
    pub full: Vec<ExportedHeart>,
    /// Id for undoing the change.
    pub id: i64,
}

/// Changes the hearts of the playlists `ids`, at most [`MAX_SELECTED`].
pub async fn apply(
    app: &App,
    user: &CurrentUser,
    action: HeartAction,
    ids: &[PlaylistId],
    now: OffsetDateTime,
) -> Result<Changed> {
    let changed = run_heart_change(&app.heart_changes, user.id, change(app, user, action, ids, now)).await?;
    app.tag_suggestions.remove(&user.id);
    Ok(changed)
}

async fn change(
    app: &App,
    user: &CurrentUser,
    action: HeartAction,
    ids: &[PlaylistId],
    now: OffsetDateTime,
) -> Result<Changed> {
    let change = Change::new(user.id, ChangeKind::Edit, now);
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let mut changed = Changed { id: change.id(), ..Changed::default() };
    match action {
        HeartAction::Add => {
            let undo_since = now - UNDO_WINDOW;
            let added = heart_changes::add(&app.db, change, &ids, undo_since, MAX_HEARTS_PER_USER as usize).await?;
            changed.hearts = added.added;
            changed.over_limit = added.over_limit;
        }
        HeartAction::Remove => changed.hearts = heart_changes::remove(&app.db, change, &ids).await? as usize,
        HeartAction::AddTags(_) | HeartAction::RemoveTags(_) => {
            let hearts = export_selected(&app.db, user.id, &ids).await?;
            changed.unhearted = ids.len().saturating_sub(hearts.len());
            let (changes, full) = to_tag_changes(hearts, &action);
            changed.full = full;
            if !changes.is_empty() {
                changed.hearts = heart_changes::update_tags(&app.db, change, &changes).await? as usize;
            }
        }
    }
    Ok(changed)
}

/// Returns the changes of tags, and the hearts that would have too many.
fn to_tag_changes(hearts: Vec<ExportedHeart>, action: &HeartAction) -> (Vec<TagChange>, Vec<ExportedHeart>) {
    let (mut changes, mut full) = (Vec::new(), Vec::new());
    for heart in hearts {
        let tags = match action {
            HeartAction::AddTags(added) => with_tags(&heart.tags, added),
            HeartAction::RemoveTags(removed) => without_tags(&heart.tags, removed),
            HeartAction::Add | HeartAction::Remove => continue,
        };
        if tags == heart.tags {
            continue;
        }
        // A heart of an earlier merge may have more, and can lose some.
        if tags.len() > MAX_TAGS && tags.len() > heart.tags.len() {
            full.push(heart);
            continue;
        }
        let new_folded = tags.iter().map(|tag| fold_tag(tag)).collect();
        changes.push(TagChange { playlist_id: heart.playlist_id, old: heart.tags, new: tags, new_folded });
    }
    (changes, full)
}

fn with_tags(tags: &[String], added: &[String]) -> Vec<String> {
    let existing: Vec<_> = tags.iter().map(|tag| fold_tag(tag)).collect();
    tags.iter().chain(added.iter().filter(|tag| !existing.contains(&fold_tag(tag)))).cloned().collect()
}

fn without_tags(tags: &[String], removed: &[String]) -> Vec<String> {
    let removed: Vec<_> = removed.iter().map(|tag| fold_tag(tag)).collect();
    tags.iter().filter(|tag| !removed.contains(&fold_tag(tag))).cloned().collect()
}

/// Undoes the last change of a kind, if it has this id. Hearts that the user has changed since stay. Returns `None`
/// if it cannot be undone any more.
pub async fn undo(
    app: &App,
    user: &CurrentUser,
    kind: ChangeKind,
    id: i64,
    now: OffsetDateTime,
) -> Result<Option<Undone>> {
    let Some(change) = Change::from_id(user.id, kind, id).filter(|change| change.at > now - CHANGE_TTL) else {
        return Ok(None);
    };
    let undone = heart_changes::undo(&app.db, change, now);
    let undone = run_heart_change(&app.heart_changes, user.id, undone).await?;
    app.tag_suggestions.remove(&user.id);
    Ok(undone)
}

/// The last import.
pub struct LastImport {
    pub imported_at: OffsetDateTime,
    /// When it can no longer be undone.
    pub until: OffsetDateTime,
    pub hearts: usize,
    /// Id of the change.
    pub id: i64,
}

/// Returns the user's last import, if it can be undone.
pub async fn find_import(app: &App, user: &CurrentUser, now: OffsetDateTime) -> Result<Option<LastImport>> {
    let found = heart_changes::find_import(&app.db, user.id).await?.filter(|(at, _)| *at > now - CHANGE_TTL);
    Ok(found.map(|(at, hearts)| LastImport {
        imported_at: at,
        until: at + CHANGE_TTL,
        hearts: hearts as usize,
        id: Change::new(user.id, ChangeKind::Import, at).id(),
    }))
}

/// Deletes changes that cannot be undone any more. Returns the number of rows.
pub async fn delete_expired(app: &App, now: OffsetDateTime) -> Result<u64> {
    Ok(heart_changes::delete_before(&app.db, now - CHANGE_TTL).await?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heart(tags: &[&str]) -> ExportedHeart {
        ExportedHeart {
            playlist_id: "x".into(),
            name: None,
            own_title: None,
            owner_name: None,
            hearted_at: OffsetDateTime::UNIX_EPOCH,
            note: None,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            pin: None,
        }
    }

    fn changed(tags: &[&str], action: &HeartAction) -> Option<Vec<String>> {
        to_tag_changes(vec![heart(tags)], action).0.pop().map(|change| change.new)
    }

    #[test]
    fn tags_that_search_cannot_tell_apart_are_added_once_and_removed_together() {
        let add = HeartAction::AddTags(vec!["été".into(), "Rain".into()]);
        assert_eq!(changed(&["ETE", "x"], &add).unwrap(), ["ETE", "x", "Rain"], "the heart's spelling stays");
        assert_eq!(changed(&["Été", "rain"], &add), None);
        let remove = HeartAction::RemoveTags(vec!["ete".into()]);
        assert_eq!(changed(&["a", "Été", "b"], &remove).unwrap(), ["a", "b"]);
        assert_eq!(changed(&["a"], &remove), None);
    }

    #[test]
    fn full_hearts_are_named_and_stay() {
        let ten = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
        let add = HeartAction::AddTags(vec!["10".into(), "11".into()]);
        let (changes, full) = to_tag_changes(vec![heart(&ten), heart(&ten[1..])], &add);
        assert_eq!((changes.len(), full.len()), (1, 1), "ten fit, eleven do not");
        assert_eq!(changed(&ten[..8], &add).unwrap().len(), 10);
    }

    proptest! {
        #[test]
        fn added_tags_are_gone_once_removed(tags in prop::collection::vec("[a-cé]{1,2}", 0..5), more in prop::collection::vec("[x-z]{1,2}", 0..5)) {
            let added = with_tags(&tags, &more);
            prop_assert!(more.iter().all(|tag| added.contains(tag)));
            prop_assert_eq!(without_tags(&added, &more), tags);
        }
    }
}

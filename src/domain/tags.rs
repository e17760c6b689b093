//! All tags of a user: counts, renaming, merging, deleting.

use std::collections::HashSet;

use time::{Duration, OffsetDateTime};

use super::annotation::{MAX_TAG_CHARS, TagsError, fold_tag, parse_tags};
use super::collation::Language;
use super::{CurrentUser, Error, Result, run_heart_change, search};
use crate::app::App;
use crate::db::tags::{self, HeartTags, TagChange, TagCount};
use crate::db::{heart_changes, shares};
use crate::ids::UserId;

/// Maximum number of listed tags.
pub const MAX_LISTED: usize = 1000;
/// Number of tags that are suggested.
const MAX_SUGGESTED: usize = 100;
/// How long suggestions are kept in memory. Another process may have changed the tags meanwhile.
const SUGGESTIONS_TTL: Duration = Duration::minutes(5);
/// How often a change is tried while hearts are being edited.
const MAX_ATTEMPTS: usize = 3;

/// A tag; spellings that a search cannot tell apart are one.
pub struct Tag {
    /// The most frequent spelling.
    pub name: String,
    /// Removed hearts do not count.
    pub hearts: usize,
}

pub struct TagList {
    /// The most used first, at most [`MAX_LISTED`].
    pub tags: Vec<Tag>,
    /// True if there are more.
    pub is_cut: bool,
    /// The number of hearts without tags.
    pub untagged: usize,
}

impl TagList {
    pub fn sort_by_name(&mut self, language: Language) {
        language.sort_by_name(&mut self.tags, false, |tag| Some(&tag.name));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagNameError {
    #[error("Type a name for the tag.")]
    Empty,
    #[error("These are several tags. A tag has no comma in it.")]
    Several,
    #[error("A tag can have up to {MAX_TAG_CHARS} characters.")]
    TooLong,
    #[error("A tag is plain text, without quotation marks, line breaks or control characters.")]
    NotPlain,
}

/// Parses the name of one tag, by the rules of [`super::annotation::Annotation::parse`].
pub fn parse_name(text: &str) -> std::result::Result<String, TagNameError> {
    let mut tags = parse_tags(text).map_err(|error| match error {
        TagsError::TooMany(_) => TagNameError::Several,
        TagsError::TooLong(..) | TagsError::TooLongTogether => TagNameError::TooLong,
        TagsError::NotPlain => TagNameError::NotPlain,
    })?;
    match tags.len() {
        0 => Err(TagNameError::Empty),
        1 => Ok(tags.remove(0)),
        _ => Err(TagNameError::Several),
    }
}

/// Returns true if a search cannot tell the tags apart.
pub fn is_same(one: &str, other: &str) -> bool {
    fold_tag(one) == fold_tag(other)
}

/// Returns whether a page of the tag can have an address. Browsers resolve dots as folders, however they are encoded
/// (url.spec.whatwg.org/#double-dot-path-segment).
pub fn can_have_address(tag: &str) -> bool {
    !matches!(fold_tag(tag).as_str(), "." | "..")
}

pub async fn list(app: &App, user: &CurrentUser) -> Result<TagList> {
    let (rows, untagged) = search::run(app, user.id, load(app, user.id, MAX_LISTED + 1)).await?;
    let is_cut = rows.len() > MAX_LISTED;
    let tags = rows.into_iter().take(MAX_LISTED).map(|row| Tag { name: row.name, hearts: row.hearts as usize });
    Ok(TagList { tags: tags.collect(), is_cut, untagged: untagged as usize })
}

/// Reads all hearts of the user, like a search.
async fn load(app: &App, user: UserId, limit: usize) -> Result<(Vec<TagCount>, i64)> {
    Ok(tags::list(&app.search_db, user, limit as i64).await?)
}

/// Returns each of the named tags, `None` for one that no heart of the user has, removed ones included.
pub async fn find<const N: usize>(app: &App, user: &CurrentUser, names: [&str; N]) -> Result<[Option<Tag>; N]> {
    let folded = names.map(fold_tag);
    let find = async { Ok(tags::find(&app.search_db, user.id, &folded).await?) };
    let rows = search::run(app, user.id, find).await?;
    Ok(folded.map(|folded| {
        let row = rows.iter().find(|row| row.folded == folded)?;
        Some(Tag { name: row.name.clone(), hearts: row.hearts as usize })
    }))
}

/// Returns the user's most used tags, as they were within the last [`SUGGESTIONS_TTL`]. None if they cannot be counted
/// in time, or a connection of searches broke, because the page matters more.
pub async fn suggest(app: &App, user: &CurrentUser, now: OffsetDateTime) -> Result<Vec<String>> {
    let cached = || app.tag_suggestions.get(&user.id, now);
    if let Some(names) = cached() {
        return Ok(names);
    }
    let names = search::run(app, user.id, async {
        // Another page may have counted them meanwhile.
        if let Some(names) = cached() {
            return Ok(names);
        }
        let names = match load(app, user.id, MAX_SUGGESTED).await {
            Ok((rows, _)) => rows.into_iter().map(|row| row.name).collect(),
            Err(Error::SearchTooSlow) => Vec::new(),
            Err(error) => return Err(error),
        };
        app.tag_suggestions.insert(user.id, &names, now + SUGGESTIONS_TTL);
        Ok(names)
    });
    match names.await {
        Err(Error::SearchTooSlow | Error::DatabaseUnavailable(_)) => Ok(Vec::new()),
        names => names,
    }
}

/// Outcome of [`rename`].
#[derive(Debug, PartialEq, Eq)]
pub enum RenameResult {
    /// The earlier spelling.
    Renamed(String),
    /// Joined with a tag that existed.
    Merged,
    /// Nothing was changed: a tag with the new name exists, and `may_merge` was false.
    Exists,
    /// Nothing was changed: the user has no such tag.
    NotFound,
}

/// Gives a tag another name on all hearts of the user, removed ones too. Every spelling of it becomes `new`.
pub async fn rename(app: &App, user: &CurrentUser, old: &str, new: &str, may_merge: bool) -> Result<RenameResult> {
    run_heart_change(&app.heart_changes, user.id, rename_alone(app, user, old, new, may_merge)).await
}

async fn rename_alone(app: &App, user: &CurrentUser, old: &str, new: &str, may_merge: bool) -> Result<RenameResult> {
    let [tag, target] = find(app, user, [old, new]).await?;
    let Some(tag) = tag else { return Ok(RenameResult::NotFound) };
    let is_merge = target.is_some() && !is_same(old, new);
    if is_merge && !may_merge {
        return Ok(RenameResult::Exists);
    }
    // After a merge, the spelling of the existing tag stays.
    let name = target.filter(|_| is_merge).map_or_else(|| new.to_owned(), |target| target.name);
    // First, so that visitors never see the hearts of a tag that was not shared, even if the rest fails.
    change_shared(app, user.id, |tags| shared_after_rename(tags, old, &name, is_merge)).await?;
    replace(app, user.id, old, Some(&name)).await?;
    Ok(if is_merge { RenameResult::Merged } else { RenameResult::Renamed(tag.name) })
}

/// Takes a tag off all hearts of the user, removed ones too. Returns `false` if there is no such tag.
pub async fn delete(app: &App, user: &CurrentUser, tag: &str) -> Result<bool> {
    run_heart_change(&app.heart_changes, user.id, async {
        let [found] = find(app, user, [tag]).await?;
        if found.is_some() {
            change_shared(app, user.id, |tags| without(tags, tag)).await?;
            replace(app, user.id, tag, None).await?;
        }
        Ok::<_, Error>(found.is_some())
    })
    .await
}

/// Returns whether the user shares each of the named tags.
pub async fn are_shared<const N: usize>(app: &App, user: &CurrentUser, names: [&str; N]) -> Result<[bool; N]> {
    let shared = shares::find(&app.db, user.id).await?.map(|share| share.shared_tags).unwrap_or_default();
    Ok(names.map(|name| contains(&shared, name)))
}

/// Changes the list of the tags that the user shares, if there are any.
async fn change_shared(app: &App, user: UserId, change: impl FnOnce(Vec<String>) -> Vec<String>) -> Result<()> {
    if shares::find(&app.db, user).await?.is_some_and(|share| !share.shared_tags.is_empty()) {
        shares::change_shared_tags(&app.db, user, |tags| Some(change(tags))).await?;
    }
    Ok(())
}

/// Returns the shared tags after `old` has become `new`. The hearts of a tag that was not shared do not become public.
fn shared_after_rename(tags: Vec<String>, old: &str, new: &str, is_merge: bool) -> Vec<String> {
    let is_shared = contains(&tags, old) && (!is_merge || contains(&tags, new)) && can_have_address(new);
    if is_shared {
        replace_tag(&tags, &fold_tag(old), Some(new)).into_iter().map(|(tag, _)| tag).collect()
    } else {
        without(without(tags, old), new)
    }
}

pub(super) fn contains(tags: &[String], name: &str) -> bool {
    tags.iter().any(|tag| is_same(tag, name))
}

pub(super) fn without(mut tags: Vec<String>, name: &str) -> Vec<String> {
    tags.retain(|tag| !is_same(tag, name));
    tags
}

async fn replace(app: &App, user: UserId, old: &str, new: Option<&str>) -> Result<()> {
    let old = fold_tag(old);
    let mut is_complete = false;
    for _ in 0..MAX_ATTEMPTS {
        is_complete = heart_changes::replace_tag(&app.db, user, &old, |heart| to_change(heart, &old, new)).await?;
        if is_complete {
            break;
        }
    }
    app.tag_suggestions.remove(&user);
    if is_complete { Ok(()) } else { Err(Error::TagConflict) }
}

fn to_change(heart: HeartTags, old: &str, new: Option<&str>) -> Option<TagChange> {
    let (tags, new_folded): (Vec<_>, _) = replace_tag(&heart.tags, old, new).into_iter().unzip();
    (tags != heart.tags).then_some(TagChange { playlist_id: heart.playlist_id, old: heart.tags, new: tags, new_folded })
}

/// Replaces each tag that folds to `old` with `new`, once. A tag that cannot be told apart from `new` is
/// dropped; all others stay as they are. Returns each with its folded form.
fn replace_tag(tags: &[String], old: &str, new: Option<&str>) -> Vec<(String, String)> {
    let new = new.map(|new| (new.to_owned(), fold_tag(new)));
    let mut seen = HashSet::new();
    let replaced = tags.iter().filter_map(|tag| {
        let folded = fold_tag(tag);
        let is_replaced = folded == old || new.as_ref().is_some_and(|(_, new)| *new == folded);
        if is_replaced { new.clone() } else { Some((tag.clone(), folded)) }
    });
    replaced.filter(|(tag, _)| seen.insert(tag.clone())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::annotation::{Annotation, MAX_TAGS};

    fn replaced(tags: &[&str], old: &str, new: Option<&str>) -> Vec<String> {
        let tags: Vec<_> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        replace_tag(&tags, &fold_tag(old), new).into_iter().map(|(tag, _)| tag).collect()
    }

    #[test]
    fn renaming_keeps_the_order_and_drops_what_becomes_the_same() {
        for (tags, old, new, result) in [
            (&["rain", "Été", "night"][..], "ete", Some("Summer"), &["rain", "Summer", "night"][..]),
            (&["Été", "ete", "x"], "ÉTÉ", Some("été"), &["été", "x"]),
            (&["rain", "weather"], "rain", Some("weather"), &["weather"]),
            (&["Weather", "x", "rain"], "rain", Some("weather"), &["weather", "x"]),
            (&["rain", "weather"], "rain", None, &["weather"]),
            (&["#rain", "＃Rain"], "rain", None, &[]),
            (&["rain"], "rai", Some("x"), &["rain"]),
            (&[], "rain", Some("x"), &[]),
        ] {
            assert_eq!(replaced(tags, old, new), result, "{tags:?} {old} {new:?}");
        }
    }

    #[test]
    fn a_name_is_one_tag() {
        assert_eq!(parse_name(" #Late   Night "), Ok("Late Night".into()));
        assert_eq!(parse_name("rain, Rain"), Ok("rain".into()), "the same twice");
        for (text, error) in [
            ("", TagNameError::Empty),
            (" ,#\u{2800}", TagNameError::Empty),
            ("rain, night", TagNameError::Several),
            ("雨、夜", TagNameError::Several),
            ("a,b,c,d,e,f,g,h,i,j,k", TagNameError::Several),
            ("two \"words\"", TagNameError::NotPlain),
            ("a\nb", TagNameError::NotPlain),
        ] {
            assert_eq!(parse_name(text), Err(error), "{text}");
        }
        assert_eq!(parse_name(&"x".repeat(31)), Err(TagNameError::TooLong));
        assert_eq!(parse_name(&"x".repeat(3000)), Err(TagNameError::TooLong));
    }

    proptest! {
        #[test]
        fn a_renamed_tag_is_found_by_its_new_name_alone(tags in "[a-cA-C ,éÉ]{0,40}", old in "[a-c]{1,2}", new in "[a-cé]{1,2}") {
            let tags = Annotation::parse("", "", &tags).unwrap_or_default().tags();
            let (old, had) = (fold_tag(&old), tags.iter().any(|tag| is_same(tag, &old)));
            let renamed = replace_tag(&tags, &old, Some(&new));
            prop_assert!(renamed.len() <= tags.len() && tags.len() <= MAX_TAGS);
            let folded: Vec<_> = renamed.iter().map(|(tag, _)| fold_tag(tag)).collect();
            prop_assert!(renamed.iter().zip(&folded).all(|((_, stored), folded)| stored == folded));
            prop_assert_eq!(folded.iter().collect::<HashSet<_>>().len(), folded.len());
            prop_assert!(!had || folded.contains(&fold_tag(&new)));
            prop_assert!(!folded.contains(&old) || is_same(&old, &new));
            let deleted = replace_tag(&tags, &old, None);
            prop_assert_eq!(deleted.len(), tags.len() - usize::from(had));
        }
    }
}

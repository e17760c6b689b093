//! Merging two accounts of one person, after a sign-in to both and one confirmation.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::annotation::fold_tag;
use super::text::visible_or;
use super::{CurrentUser, DEFAULT_NAME, Result, User};
use super::{search, tags};
use crate::app::App;
use crate::db;
use crate::db::account_merge::{
    Merge, SharedContent, SharingOptions, count_joined, find_shared_contents, have_common_provider, summarize,
};
use crate::ids::{Provider, TokenHash, UserId};
use crate::vault::Purpose;

pub use crate::db::account_merge::{AccountSummary, JoinedHearts};

/// How long the offer stands after both sign-ins.
const OFFER_TTL: Duration = Duration::minutes(10);

/// Kept in the session of the user who signed in to both accounts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MergeOffer {
    other: UserId,
    until: i64,
}

impl MergeOffer {
    pub fn new(other: UserId, now: OffsetDateTime) -> Self {
        Self { other, until: (now + OFFER_TTL).unix_timestamp() }
    }
}

#[derive(Clone)]
pub struct MergeAccount {
    pub id: UserId,
    pub summary: AccountSummary,
    pub providers: Vec<Provider>,
}

/// The result of a merge that is not confirmed yet.
pub struct MergePreview {
    /// The older account, which stays.
    pub into: MergeAccount,
    pub from: MergeAccount,
    pub joined: JoinedHearts,
    /// The notes and tags that visitors will see.
    pub options: SharingOptions,
    /// The notes and tags that visitors see now, and will not see.
    pub hidden: SharingOptions,
}

/// Returns the result of the offered merge. `None` if the offer has ended, one of the accounts is gone, or both have an
/// identity at the same provider by now.
///
/// # Errors
/// [`super::Error::SearchTooSlow`] if the hearts cannot be counted in time.
pub async fn preview(
    app: &App,
    user: &CurrentUser,
    offer: Option<MergeOffer>,
    now: OffsetDateTime,
) -> Result<Option<MergePreview>> {
    let Some(offer) = offer.filter(|offer| now.unix_timestamp() < offer.until && offer.other != user.id) else {
        return Ok(None);
    };
    let (into, from) = (user.id.min(offer.other), user.id.max(offer.other));
    // As a search, because it reads all hearts of both.
    search::run(app, user.id, load_preview(app, into, from, now)).await
}

async fn load_preview(app: &App, into: UserId, from: UserId, now: OffsetDateTime) -> Result<Option<MergePreview>> {
    if have_common_provider(&app.search_db, into, from).await? {
        return Ok(None);
    }
    let (Some(into), Some(from)) = (load_account(app, into, now).await?, load_account(app, from, now).await?) else {
        return Ok(None);
    };
    let joined = count_joined(&app.search_db, into.id, from.id).await?;
    let contents = find_shared_contents(&app.search_db, [into.id, from.id], fold_tag).await?;
    let options = join_options(&contents);
    let hidden = find_hidden(&contents, &options);
    Ok(Some(MergePreview { into, from, joined, options, hidden }))
}

/// Returns what visitors of the merged account may see. Notes and tags, each for itself, are shared only if every account
/// that has them shares them, and with everybody if there will be a page: a link is known to few.
fn join_options(contents: &[SharedContent; 2]) -> SharingOptions {
    let has_page = contents.iter().any(|content| content.has_page);
    let is_shared = |content: &SharedContent| if has_page { content.has_page } else { content.has_link };
    let shows_notes = |content: &SharedContent| is_shared(content) && content.options.shows_notes;
    let shares = |content: &SharedContent, tag: &str| is_shared(content) && shares_tag(&content.options, tag);
    let has_tag = |content: &SharedContent, tag: &str| content.tags.contains(&fold_tag(tag));
    let mut shared_tags: Vec<String> = Vec::new();
    for tag in contents.iter().filter(|content| is_shared(content)).flat_map(|content| &content.options.shared_tags) {
        let is_shared_by_all = contents.iter().all(|content| shares(content, tag) || !has_tag(content, tag));
        if is_shared_by_all && !tags::contains(&shared_tags, tag) {
            shared_tags.push(tag.clone());
        }
    }
    SharingOptions {
        shows_notes: contents.iter().any(shows_notes)
            && contents.iter().all(|content| shows_notes(content) || !content.has_notes),
        shared_tags,
    }
}

fn shares_tag(options: &SharingOptions, tag: &str) -> bool {
    tags::contains(&options.shared_tags, tag)
}

/// Returns what visitors of one of the accounts see, but not those of the merged account, which has `options`.
fn find_hidden(contents: &[SharedContent; 2], options: &SharingOptions) -> SharingOptions {
    let mut hidden = SharingOptions::default();
    for content in contents.iter().filter(|content| content.has_page || content.has_link) {
        hidden.shows_notes |= content.options.shows_notes && !options.shows_notes;
        for tag in &content.options.shared_tags {
            if !shares_tag(options, tag) && !shares_tag(&hidden, tag) {
                hidden.shared_tags.push(tag.clone());
            }
        }
    }
    hidden
}

async fn load_account(app: &App, id: UserId, now: OffsetDateTime) -> Result<Option<MergeAccount>> {
    let Some(mut summary) = summarize(&app.search_db, id, now).await? else { return Ok(None) };
    summary.name = visible_or(summary.name, DEFAULT_NAME);
    let identities = db::identities::list(&app.search_db, id).await?;
    let providers = identities.iter().filter_map(|identity| Provider::from_key(&identity.provider)).collect();
    Ok(Some(MergeAccount { id, summary, providers }))
}

/// Merges the accounts. Returns the user who stays; `None`, and nothing is changed, if that is no longer possible, or if
/// `session` has ended meanwhile.
pub async fn merge(
    app: &App,
    preview: &MergePreview,
    session: (UserId, TokenHash),
    now: OffsetDateTime,
) -> Result<Option<User>> {
    let (into, from) = (preview.into.id, preview.from.id);
    let owner = |user: UserId| user.0.to_be_bytes();
    let reseal = |sealed: &[u8]| {
        let token = app.vault.open(Purpose::Share, &owner(from), sealed).ok()?;
        Some(app.vault.seal(Purpose::Share, &owner(into), &token))
    };
    let merge = Merge { from, into, session: Some(session), reseal: &reseal, fold_tag, join_options };
    if !db::account_merge::merge(&app.db, merge, now).await? {
        return Ok(None);
    }
    app.tag_suggestions.remove(&into);
    tracing::info!(user = %into, "an account was merged into an older one");
    Ok(Some(User { id: into, name: preview.into.summary.name.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every account that shares and has any of: page, link, notes (shown and had), a tag (shared and had).
    fn all_contents() -> impl Iterator<Item = SharedContent> {
        (0..64).map(|bits: u8| {
            let is = |bit: u8| bits & 1 << bit != 0;
            let tag = |bit, tag: &str| if is(bit) { vec![tag.to_owned()] } else { Vec::new() };
            let options = SharingOptions { shows_notes: is(2), shared_tags: tag(3, "Été") };
            SharedContent { has_page: is(0), has_link: is(1), options, has_notes: is(4), tags: tag(5, "ete") }
        })
    }

    /// 2: everybody; 1: those with the link.
    fn audience(content: &SharedContent) -> u8 {
        if content.has_page { 2 } else { content.has_link.into() }
    }

    /// Fails unless the merged account shares just what every account that has it shares with as many.
    fn check(
        contents: &[SharedContent; 2],
        is_on: impl Fn(&SharingOptions) -> bool,
        has: impl Fn(&SharedContent) -> bool,
    ) {
        let options = join_options(contents);
        let seen_by = |content: &SharedContent| if is_on(&content.options) { audience(content) } else { 0 };
        let after = contents.iter().map(audience).max().unwrap();
        let was_seen = after > 0 && contents.iter().any(|content| seen_by(content) == after);
        let is_seen = was_seen && contents.iter().all(|content| !has(content) || seen_by(content) == after);
        assert_eq!(is_on(&options), is_seen, "{contents:?}");
        let ends = !is_seen && contents.iter().any(|content| seen_by(content) > 0);
        assert_eq!(is_on(&find_hidden(contents, &options)), ends, "{contents:?}");
    }

    #[test]
    fn a_merge_shows_nothing_to_more_people_and_hides_nothing_else() {
        for one in all_contents() {
            for other in all_contents() {
                let contents = [one.clone(), other];
                check(&contents, |options| options.shows_notes, |content| content.has_notes);
                check(&contents, |options| !options.shared_tags.is_empty(), |content| !content.tags.is_empty());
            }
        }
    }
}

//! List queries: search text, operators, order and pages.

mod condition;

use std::future::Future;
use std::time::Duration;

use time::OffsetDateTime;

use self::condition::split_terms;
pub use self::condition::{Condition, InvalidOperator, Operator};
use super::annotation::fold_tag;
use super::collation::Language;
use super::displays::List;
use super::text::{UNTITLED, fold};
use super::{CurrentUser, Error, PageRange, Result, run_blocking};
use crate::app::App;
use crate::db;
use crate::db::identities;
pub use crate::db::search::Order;
use crate::db::search::{Filter, NamedId, OwnerFilter, PageQuery};
use crate::ids::UserId;

pub const MAX_QUERY_CHARS: usize = 100;
/// Maximum number of conditions. Each is compared with all rows.
pub const MAX_CONDITIONS: usize = 10;
/// Maximum length of a word, in folded form: the time to look for one grows with its length.
pub const MAX_WORD_CHARS: usize = 50;
/// How long a search waits for earlier ones of the same user.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct ListQuery {
    pub search: SearchQuery,
    pub order: Order,
    /// True for the opposite of the order.
    pub is_reversed: bool,
    /// The reader's language, for the order by name.
    pub language: Language,
    pub pages: PageRange,
}

impl ListQuery {
    /// True if the list is neither filtered nor sorted.
    pub fn is_default(&self) -> bool {
        self.search.conditions.is_empty() && self.order == Order::Usual && !self.is_reversed
    }

    /// Returns the filter for the database. For `owner:me`, loads the user's Spotify id unless the session has it.
    pub(super) async fn load_filter(&self, app: &App, user: &CurrentUser) -> Result<Filter> {
        let mut filter = self.search.to_filter();
        if filter.mine.is_some() {
            let id = match &user.spotify_handle {
                Some(handle) => Some(handle.clone()),
                None => identities::find_spotify_handle(&app.db, user.id).await?,
            };
            filter.owner = OwnerFilter { id, name: user.name.clone() };
        }
        Ok(filter)
    }

    /// True if the order needs the names of the whole list.
    pub(super) fn is_sorted_by_name(&self) -> bool {
        matches!(self.order, Order::Name | Order::Owner)
    }

    /// Returns the ids in the requested order by name or owner. Entries without one come last. Collation of 100,000
    /// names takes a quarter of a second.
    pub(super) async fn sort(&self, mut entries: Vec<NamedId>) -> Vec<String> {
        let Self { language, order, is_reversed, .. } = *self;
        run_blocking(move || {
            language.sort_by_name(&mut entries, is_reversed, |entry| entry.name.as_deref());
            if order == Order::Owner {
                language.sort_by_name(&mut entries, is_reversed, |entry| entry.owner_name.as_deref());
            }
            entries.into_iter().map(|entry| entry.id).collect()
        })
        .await
    }

    /// Returns the query for two random ones of the matching entries.
    pub(super) fn random_pair(&self) -> PageQuery<'static> {
        PageQuery { order: Order::Random, is_reversed: false, sorted_ids: &[], offset: 0, limit: 2 }
    }

    pub(super) fn page<'a>(&self, sorted_ids: &'a [String]) -> PageQuery<'a> {
        let (offset, limit) = self.pages.offset_limit();
        PageQuery { order: self.order, is_reversed: self.is_reversed, sorted_ids, offset, limit }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// The text as typed, cut to [`MAX_QUERY_CHARS`].
    pub text: String,
    /// Each term of the text with its condition, if it has one.
    terms: Vec<(String, Option<Condition>)>,
    /// A row must match all of them. They differ.
    pub conditions: Vec<Condition>,
    /// Operators with a value that they do not take.
    pub invalid_operators: Vec<InvalidOperator>,
    /// True if the text was too long, and its end is ignored.
    pub is_cut: bool,
    /// True if there were more than [`MAX_CONDITIONS`].
    pub has_more_words: bool,
    /// True if only the beginning of a word, of [`MAX_WORD_CHARS`], is searched for.
    pub has_long_word: bool,
    /// Words that look like an operator, with the part before the colon. They are searched for as ordinary words.
    pub unknown_operators: Vec<(String, String)>,
}

impl SearchQuery {
    /// Parses a query. It never fails: invalid operators are collected separately, and the rest applies.
    pub fn parse(text: &str) -> Self {
        // Control characters become spaces: most of them are invalid in HTML, and the page repeats the query.
        let is_cut = text.trim().chars().nth(MAX_QUERY_CHARS).is_some();
        let text: String =
            text.trim().chars().take(MAX_QUERY_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = text.trim_end().to_owned();
        let mut query = Self { text, is_cut, ..Self::default() };
        for term in split_terms(&query.text) {
            let condition = term.condition();
            query.terms.push((term.text.clone(), condition.clone()));
            if condition.as_ref().is_some_and(|condition| query.has(condition)) {
                continue;
            }
            if query.conditions.len() == MAX_CONDITIONS {
                query.has_more_words |= !fold(&term.value).is_empty();
                continue;
            }
            query.has_long_word |=
                term.operator != Some(Operator::Tag) && fold(&term.value).chars().count() > MAX_WORD_CHARS;
            let unknown = term.unknown_operator().map(|key| (term.value.clone(), key.to_owned()));
            query.unknown_operators.extend(unknown);
            match (condition, term.operator) {
                (Some(condition), _) => query.conditions.push(condition),
                (None, Some(operator)) => {
                    query.invalid_operators.push(InvalidOperator { operator, value: term.value });
                }
                (None, None) => {}
            }
        }
        query
    }

    pub fn has(&self, condition: &Condition) -> bool {
        self.conditions.iter().any(|other| other.is_same(condition))
    }

    /// Returns the text with `condition` added and its opposite removed, or without `condition` if it has that already.
    /// `None` if there is no room.
    pub fn toggle(&self, condition: &Condition) -> Option<String> {
        let opposite = condition.clone().negate();
        let is_kept = |(_, other): &&(String, Option<Condition>)| {
            !other.as_ref().is_some_and(|other| other.is_same(condition) || other.is_same(&opposite))
        };
        let (text, room) = join(self.terms.iter().filter(is_kept));
        if self.has(condition) {
            return Some(text.trim_end().to_owned());
        }
        let term = condition.to_term();
        (term.chars().count() <= room).then(|| text + &term)
    }

    /// Returns the text with a space after it, and the maximum length of a term that can be added.
    pub fn text_before_term(&self) -> (String, usize) {
        join(self.terms.iter())
    }

    /// Returns the filter for the database. Of two contradictory operators the last one counts.
    pub(super) fn to_filter(&self) -> Filter {
        let mut filter = Filter { untitled: fold(UNTITLED), ..Filter::default() };
        for condition in &self.conditions {
            let (condition, expected) = match condition {
                Condition::Not(condition) => (&**condition, false),
                condition => (condition, true),
            };
            let texts = if expected { &mut filter.include } else { &mut filter.exclude };
            match condition {
                Condition::Words(words) => texts.words.push(fold_word(words)),
                Condition::Owner(name) => texts.owners.push(fold_word(name)),
                Condition::Tag(tag) => texts.tags.push(fold_tag(tag)),
                // `ListQuery::load_filter` adds the owner.
                Condition::Mine => filter.mine = Some(expected),
                Condition::Public(public) => filter.public = Some(*public),
                Condition::Collaborative(collaborative) => filter.collaborative = Some(*collaborative),
                Condition::Hearted => filter.hearted = Some(expected),
                Condition::Updated => filter.updated = Some(expected),
                Condition::Unavailable => filter.unavailable = Some(expected),
                Condition::Untagged => filter.untagged = Some(expected),
                // Parsing produces no double negation.
                Condition::Not(_) => {}
            }
        }
        filter
    }
}

/// Joins terms, with a space after each. Returns the maximum length of a term that can be added, too.
fn join<'a>(terms: impl Iterator<Item = &'a (String, Option<Condition>)>) -> (String, usize) {
    let (mut text, mut conditions) = (String::with_capacity(MAX_QUERY_CHARS), Vec::new());
    for (term, condition) in terms {
        text.extend([term, " "]);
        let is_new = |condition: &&Condition| !conditions.iter().any(|other: &&Condition| other.is_same(condition));
        if conditions.len() < MAX_CONDITIONS {
            conditions.extend(condition.as_ref().filter(is_new));
        }
    }
    let has_room = conditions.len() < MAX_CONDITIONS;
    let room = if has_room { MAX_QUERY_CHARS.saturating_sub(text.chars().count()) } else { 0 };
    (text, room)
}

/// Folds a word, cut to [`MAX_WORD_CHARS`].
fn fold_word(word: &str) -> String {
    fold(word).chars().take(MAX_WORD_CHARS).collect()
}

/// Runs `search` once the user's earlier searches have ended.
///
/// # Errors
/// [`Error::SearchTooSlow`] if too many wait, or for longer than [`QUEUE_TIMEOUT`].
pub(super) async fn run<T>(app: &App, user: UserId, search: impl Future<Output = Result<T>>) -> Result<T> {
    let _permit = app.searches.enter(user, QUEUE_TIMEOUT).await.ok_or(Error::SearchTooSlow)?;
    search.await
}

/// How long [`pick`] avoids the playlist that it returned last.
const REPEAT_WINDOW: time::Duration = time::Duration::hours(1);

/// Returns one of the matching playlists at random; `None` if none matches. Not the last one again, if this process
/// returned it and there is another.
pub async fn pick(
    app: &App,
    user: &CurrentUser,
    list: List,
    query: &ListQuery,
    now: OffsetDateTime,
) -> Result<Option<String>> {
    let pair = run(app, user.id, async {
        let (filter, page) = (query.load_filter(app, user).await?, query.random_pair());
        Ok(match list {
            List::Playlists => db::search::search_library(&app.search_db, user.id, &filter, &page)
                .await?
                .map_or_else(Vec::new, |library| library.rows),
            List::Hearts => db::search::search_hearts(&app.search_db, user.id, &filter, &page).await?.rows,
        })
    });
    let pair: Vec<String> = pair.await?.into_iter().map(|playlist| playlist.id).collect();
    let last: Option<String> = app.last_picks.get(&user.id, now);
    let picked = pair.iter().find(|id| Some(*id) != last.as_ref()).or(pair.first()).cloned();
    if let Some(id) = &picked {
        app.last_picks.insert(user.id, id, now + REPEAT_WINDOW);
    }
    Ok(picked)
}

#[cfg(test)]
mod tests;

//! List queries: search text, operators, order and pages.

use std::future::Future;
use std::time::Duration;

use super::annotation::fold_tag;
use super::collation::Language;
use super::text::{fold, is_quote};
use super::{CurrentUser, Error, PageRange, Result};
use crate::app::App;
use crate::db::identities;
pub use crate::db::search::Order;
use crate::db::search::{Filter, NamedId, OwnerFilter, Rows};
use crate::ids::UserId;

pub const MAX_QUERY_CHARS: usize = 100;
/// Maximum number of conditions. Each is compared with all rows.
pub const MAX_CONDITIONS: usize = 10;
/// Maximum length of a word, in folded form: the time to look for one grows with its length.
pub const MAX_WORD_CHARS: usize = 50;
/// How long a search waits for others of the same user.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct ListQuery {
    pub search: SearchQuery,
    pub order: Order,
    /// The reader's language, for the order by name.
    pub language: Language,
    pub pages: PageRange,
}

impl ListQuery {
    /// True if the list is neither filtered nor sorted.
    pub fn is_default(&self) -> bool {
        self.search.conditions.is_empty() && self.order == Order::Usual
    }

    /// Returns the filter for the database. Loads the user's Spotify name if `owner:me` needs it.
    pub(super) async fn load_filter(&self, app: &App, user: &CurrentUser) -> Result<Filter> {
        let mut filter = self.search.to_filter();
        if self.search.conditions.contains(&Condition::Mine) {
            let id = identities::spotify_handle(&app.db, user.id).await?;
            filter.owner = Some(OwnerFilter { id, name: user.name.clone() });
        }
        Ok(filter)
    }

    /// True if the order needs the names of the whole list.
    pub(super) fn is_sorted_by_name(&self) -> bool {
        matches!(self.order, Order::Name | Order::Owner)
    }

    /// Returns the ids in the requested order by name or owner. Entries without one come last.
    pub(super) fn sort(&self, mut entries: Vec<NamedId>) -> Vec<String> {
        self.language.sort_by_name(&mut entries, |entry| entry.name.as_deref());
        if self.order == Order::Owner {
            self.language.sort_by_name(&mut entries, |entry| entry.owner_name.as_deref());
        }
        entries.into_iter().map(|entry| entry.id).collect()
    }

    pub(super) fn rows<'a>(&self, sorted_ids: &'a [String]) -> Rows<'a> {
        let (offset, limit) = self.pages.offset_limit();
        Rows { order: self.order, sorted_ids, offset, limit }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// The text as typed, cut to [`MAX_QUERY_CHARS`].
    pub text: String,
    /// A row must match all of them.
    pub conditions: Vec<Condition>,
    /// Operators with a value that they do not take.
    pub invalid_operators: Vec<InvalidOperator>,
    /// True if the rest of the text was too long to be searched for.
    pub is_cut: bool,
    /// True if there were more than [`MAX_CONDITIONS`].
    pub has_more_words: bool,
    /// True if only the beginning of a word, of [`MAX_WORD_CHARS`], is searched for.
    pub has_long_word: bool,
    /// Words that look like an operator, with the part before the colon. They are searched for as ordinary words.
    pub unknown_operators: Vec<(String, String)>,
}

/// A condition, with the text as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Occurs in the name, the owner's name or the note.
    Words(String),
    /// Occurs in the owner's name.
    Owner(String),
    /// Owned by the user.
    Mine,
    /// Listed on its owner's profile, or not.
    Public(bool),
    Collaborative(bool),
    Hearted,
    Tag(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOperator {
    pub operator: Operator,
    /// May be empty.
    pub value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Owner,
    Public,
    Collaborative,
    Is,
    Tag,
}

impl Operator {
    /// All operators, in the order of the help text.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Public, Self::Collaborative, Self::Is, Self::Tag];

    pub fn key(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Public => "public",
            Self::Collaborative => "collaborative",
            Self::Is => "is",
            Self::Tag => "tag",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.key().eq_ignore_ascii_case(text))
    }

    /// Returns the condition; `None` if the operator does not take this value.
    fn to_condition(self, value: &str) -> Option<Condition> {
        let non_empty = || Some(value.to_owned()).filter(|value| !fold(value).is_empty());
        match (self, fold(value).as_str()) {
            (Self::Owner, "me") => Some(Condition::Mine),
            (Self::Owner, _) => non_empty().map(Condition::Owner),
            (Self::Tag, _) => non_empty().filter(|tag| !fold_tag(tag).is_empty()).map(Condition::Tag),
            (Self::Public, value) => parse_bool(value).map(Condition::Public),
            (Self::Collaborative, value) => parse_bool(value).map(Condition::Collaborative),
            (Self::Is, "hearted") => Some(Condition::Hearted),
            (Self::Is, _) => None,
        }
    }
}

fn parse_bool(value: &str) -> Option<bool> {
    match value {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

impl SearchQuery {
    /// Parses a query. It never fails: invalid operators are collected separately, and the rest applies.
    pub fn parse(text: &str) -> Self {
        // Control characters become spaces: most of them are invalid in HTML, and the page repeats the query.
        let is_cut = text.trim().chars().nth(MAX_QUERY_CHARS).is_some();
        let text: String =
            text.trim().chars().take(MAX_QUERY_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = text.trim_end().to_owned();
        let (mut conditions, mut invalid, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        let (mut has_more_words, mut has_long_word) = (false, false);
        for Term { operator, value, is_quoted } in split_terms(&text) {
            if conditions.len() == MAX_CONDITIONS {
                has_more_words |= !fold(&value).is_empty();
                continue;
            }
            has_long_word |= operator != Some(Operator::Tag) && fold(&value).chars().count() > MAX_WORD_CHARS;
            match operator {
                None if fold(&value).is_empty() => {}
                None => {
                    unknown.extend(
                        operator_like_key(&value).filter(|_| !is_quoted).map(|key| (value.clone(), key.to_owned())),
                    );
                    conditions.push(Condition::Words(value));
                }
                Some(operator) => match operator.to_condition(&value) {
                    Some(condition) => conditions.push(condition),
                    None => invalid.push(InvalidOperator { operator, value }),
                },
            }
        }
        let (invalid_operators, unknown_operators) = (invalid, unknown);
        Self { text, conditions, invalid_operators, is_cut, has_more_words, has_long_word, unknown_operators }
    }

    /// Returns the filter for the database. Of two contradictory operators the last one counts.
    pub(super) fn to_filter(&self) -> Filter {
        let mut filter = Filter::default();
        for condition in &self.conditions {
            match condition {
                Condition::Words(words) => filter.words.push(fold_word(words)),
                Condition::Owner(name) => filter.owners.push(fold_word(name)),
                // Needs the database: `ListQuery::load_filter`.
                Condition::Mine => {}
                Condition::Public(public) => filter.public = Some(*public),
                Condition::Collaborative(collaborative) => filter.collaborative = Some(*collaborative),
                Condition::Hearted => filter.hearted = true,
                Condition::Tag(tag) => filter.tags.push(fold_tag(tag)),
            }
        }
        filter
    }
}

/// Folds a word, cut to [`MAX_WORD_CHARS`].
fn fold_word(word: &str) -> String {
    fold(word).chars().take(MAX_WORD_CHARS).collect()
}

/// Runs `search` of a user after those that are under way.
///
/// # Errors
/// [`Error::SearchTooSlow`] if too many are, or if it takes too long.
pub(super) async fn run<T>(app: &App, user: UserId, search: impl Future<Output = Result<T>>) -> Result<T> {
    let _place = app.searches.enter(user, TURN_TIMEOUT).await.ok_or(Error::SearchTooSlow)?;
    search.await
}

#[derive(Default)]
struct Term {
    operator: Option<Operator>,
    value: String,
    /// True if any part of it is quoted.
    is_quoted: bool,
}

/// Returns the part before the colon of a word that looks like an operator; times of day and URLs do not.
fn operator_like_key(word: &str) -> Option<&str> {
    let (key, value) = word.split_once(':')?;
    let is_word = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic());
    (is_word && !value.is_empty() && !value.starts_with('/')).then_some(key)
}

/// Splits a query at whitespace. Quotes keep words together and make a colon literal.
fn split_terms(text: &str) -> Vec<Term> {
    let (mut terms, mut term, mut in_quotes) = (Vec::new(), Term::default(), false);
    for c in text.chars() {
        match c {
            c if is_quote(c) => (in_quotes, term.is_quoted) = (!in_quotes, true),
            ':' if term.operator.is_none() && !term.is_quoted && Operator::parse(&term.value).is_some() => {
                term.operator = Operator::parse(&std::mem::take(&mut term.value));
            }
            c if !in_quotes && (c.is_whitespace() || c.is_control()) => {
                terms.push(std::mem::take(&mut term));
            }
            c => term.value.push(c),
        }
    }
    terms.push(term);
    terms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn conditions(text: &str) -> Vec<Condition> {
        SearchQuery::parse(text).conditions
    }

    #[test]
    fn words_operators_and_quotes() {
        use Condition::*;
        let word = |text: &str| Words(text.into());
        assert_eq!(conditions("  slow\u{a0}trains "), [word("slow"), word("trains")]);
        assert_eq!(conditions("\"slow trains\" OWNER:Me"), [word("slow trains"), Mine]);
        assert_eq!(conditions("owner:“Juniper Wren” tag:rain"), [Owner("Juniper Wren".into()), Tag("rain".into())]);
        assert_eq!(
            conditions("public:false collaborative:yes is:hearted"),
            [Public(false), Collaborative(true), Hearted]
        );
        assert_eq!(
            conditions("10:30 https://x \"owner:me\" a\"b c\"d"),
            ["10:30", "https://x", "owner:me", "ab cd"].map(word)
        );
        assert_eq!(conditions("\"never closed"), [word("never closed")]);
        assert_eq!(conditions("\"\" \u{301} \0"), []);
    }

    #[test]
    fn an_invalid_operator_does_not_affect_the_rest() {
        let search = SearchQuery::parse("rain public:maybe tag: is:\"a heart\" owner:me");
        assert_eq!(search.conditions, [Condition::Words("rain".into()), Condition::Mine]);
        let invalid: Vec<_> =
            search.invalid_operators.iter().map(|invalid| (invalid.operator.key(), invalid.value.as_str())).collect();
        assert_eq!(invalid, [("public", "maybe"), ("tag", ""), ("is", "a heart")]);
        assert_eq!(search.text, "rain public:maybe tag: is:\"a heart\" owner:me");
    }

    #[test]
    fn a_word_like_an_operator_is_searched_and_reported() {
        let search = SearchQuery::parse("foo:bar 10:30 https://x \"a:b\" Vol: é:x mood:\"b c\"");
        assert_eq!(search.conditions.len(), 7);
        assert_eq!(search.unknown_operators, [("foo:bar".to_owned(), "foo".to_owned())]);
    }

    #[test]
    fn the_filter_is_folded() {
        let filter = SearchQuery::parse("Été owner:FRAU tag:#Über public:true public:false").to_filter();
        assert_eq!((filter.words, filter.owners), (vec!["ete".into()], vec!["frau".into()]));
        assert_eq!((filter.tags, filter.public), (vec!["uber".into()], Some(false)));
    }

    #[test]
    fn words_are_limited_in_number_and_length() {
        let search = SearchQuery::parse("a b c d e f g h i owner:j tag:k l is:hearted");
        assert_eq!((search.conditions.len(), search.has_more_words), (MAX_CONDITIONS, true));
        let search = SearchQuery::parse("a b c d e f g h i j \"\" \u{301}");
        assert_eq!((search.conditions.len(), search.has_more_words), (MAX_CONDITIONS, false));
        for word in ["x".repeat(60), format!("owner:{}", "é".repeat(51)), "ﷺ".repeat(90), "a b".repeat(20)] {
            let search = SearchQuery::parse(&format!("\"{word}\"").replace("\"owner:", "owner:\""));
            let filter = search.to_filter();
            let lengths = filter.words.iter().chain(&filter.owners).map(|word| word.chars().count());
            assert_eq!((lengths.max(), search.has_long_word), (Some(MAX_WORD_CHARS), true), "{word}");
        }
        assert!(!SearchQuery::parse(&"x".repeat(50)).has_long_word);
    }

    proptest! {
        #[test]
        fn any_text_is_a_query(text in "(\\PC|[\"“ :\\x00-\\x20]|owner:|tag:|is:hearted){0,150}") {
            let search = SearchQuery::parse(&text);
            prop_assert!(search.text.chars().count() <= MAX_QUERY_CHARS);
            prop_assert_eq!(&SearchQuery::parse(&search.text).conditions, &search.conditions);
            let filter = search.to_filter();
            let mut texts = filter.words.iter().chain(&filter.owners).chain(&filter.tags);
            prop_assert!(texts.all(|text| !text.contains('\0') && text.trim_end() == fold(text)));
            prop_assert!(search.conditions.len() <= MAX_CONDITIONS);
        }
    }
}

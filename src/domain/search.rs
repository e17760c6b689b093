//! What somebody looks for in a list: words, a few operators, an order, a page.

use super::text::{fold, is_quote};
use super::words::BEFORE_TAG;
use super::{Caller, Result, Span};
use crate::app::App;
use crate::db::identities;
pub use crate::db::search::Order;
use crate::db::search::{Filter, Owner};

/// How much of a search is read, in characters.
pub const LONGEST: usize = 100;

/// A list as somebody wants it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What must be true of its entries.
    pub search: Search,
    /// In which order they stand.
    pub order: Order,
    /// Which pages of them.
    pub at: Span,
}

impl Wanted {
    /// Whether it is simply the whole list.
    pub fn is_plain(&self) -> bool {
        self.search.conditions.is_empty() && self.order == Order::Usual
    }

    /// The same for the database. Only "my own playlists" asks it something first: the caller's name at Spotify.
    pub(super) async fn filter(&self, app: &App, caller: &Caller) -> Result<Filter> {
        let mut filter = self.search.filter();
        if self.search.conditions.contains(&Condition::Mine) {
            let id = identities::spotify_handle(&app.db, caller.person.id).await?;
            filter.owner = Some(Owner { id, name: caller.person.name.clone() });
        }
        Ok(filter)
    }
}

/// A search as it was typed and as it was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// What was typed, as far as it was read.
    pub text: String,
    /// What was understood; all of it must be true.
    pub conditions: Vec<Condition>,
    /// What was not.
    pub odd: Vec<Odd>,
    /// Words that begin like an operator, and what stands before their colon.
    pub strange: Vec<(String, String)>,
}

/// One thing that must be true; texts are as they were typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The words stand in the name, the owner's name or the note.
    Words(String),
    /// The words stand in the owner's name.
    Owner(String),
    /// It is one's own.
    Mine,
    /// It is on its owner's profile, or not.
    Public(bool),
    /// Several people may change it, or not.
    Collaborative(bool),
    /// It has one's heart.
    Hearted,
    /// One's heart has this tag.
    Tag(String),
}

/// An operator with a value that it does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// The operator.
    pub operator: Operator,
    /// What stands behind its colon; may be empty.
    pub value: String,
}

/// What may stand before a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `owner:me`, `owner:NAME`.
    Owner,
    /// `public:true`, `public:false`.
    Public,
    /// `collaborative:true`, `collaborative:false`.
    Collaborative,
    /// `is:hearted`.
    Is,
    /// `tag:NAME`.
    Tag,
}

impl Operator {
    /// All of them, as the help lists them.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Public, Self::Collaborative, Self::Is, Self::Tag];

    /// The word before the colon.
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

    /// What it asks with this value; none: it does not take it.
    fn with(self, value: &str) -> Option<Condition> {
        let named = || Some(value.to_owned()).filter(|value| !fold(value).is_empty());
        match (self, fold(value).as_str()) {
            (Self::Owner, "me") => Some(Condition::Mine),
            (Self::Owner, _) => named().map(Condition::Owner),
            (Self::Tag, _) => named().map(Condition::Tag),
            (Self::Public, value) => truth(value).map(Condition::Public),
            (Self::Collaborative, value) => truth(value).map(Condition::Collaborative),
            (Self::Is, "hearted") => Some(Condition::Hearted),
            (Self::Is, _) => None,
        }
    }
}

fn truth(value: &str) -> Option<bool> {
    match value {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

impl Search {
    /// Reads what was typed. Nothing is refused: what is not understood is told apart, and the rest counts.
    pub fn parse(text: &str) -> Self {
        // Controls count as blanks, also where the page repeats what was typed: HTML has no room for most of them.
        let text: String = text.trim().chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = text.trim_end().to_owned();
        let (mut conditions, mut odd, mut strange) = (Vec::new(), Vec::new(), Vec::new());
        for Term { operator, value, literal } in terms(&text) {
            match operator {
                None if fold(&value).is_empty() => {}
                None => {
                    strange.extend(unknown_key(&value).filter(|_| !literal).map(|key| (value.clone(), key.to_owned())));
                    conditions.push(Condition::Words(value));
                }
                Some(operator) => match operator.with(&value) {
                    Some(condition) => conditions.push(condition),
                    None => odd.push(Odd { operator, value }),
                },
            }
        }
        Self { text, conditions, odd, strange }
    }

    /// The same for the database. Of two values that exclude each other the last counts.
    pub(super) fn filter(&self) -> Filter {
        let mut filter = Filter::default();
        for condition in &self.conditions {
            match condition {
                Condition::Words(words) => filter.words.push(fold(words)),
                Condition::Owner(name) => filter.owners.push(fold(name)),
                // Needs the database: `Wanted::filter`.
                Condition::Mine => {}
                Condition::Public(public) => filter.public = Some(*public),
                Condition::Collaborative(collaborative) => filter.collaborative = Some(*collaborative),
                Condition::Hearted => filter.hearted = true,
                Condition::Tag(tag) => filter.tags.push(fold(tag.trim_start_matches(BEFORE_TAG))),
            }
        }
        filter
    }
}

/// What stands between blanks.
#[derive(Default)]
struct Term {
    operator: Option<Operator>,
    value: String,
    /// Whether a part of it stands in quotes.
    literal: bool,
}

/// What stands before the colon of a word that looks like an operator; a time of day and an address do not.
fn unknown_key(word: &str) -> Option<&str> {
    let (key, value) = word.split_once(':')?;
    let a_word = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic());
    (a_word && !value.is_empty() && !value.starts_with('/')).then_some(key)
}

/// The terms of a text. Quotes hold blanks together and make a colon an ordinary letter.
fn terms(text: &str) -> Vec<Term> {
    let (mut terms, mut term, mut quoted) = (Vec::new(), Term::default(), false);
    for c in text.chars() {
        match c {
            c if is_quote(c) => (quoted, term.literal) = (!quoted, true),
            ':' if term.operator.is_none() && !term.literal && Operator::parse(&term.value).is_some() => {
                term.operator = Operator::parse(&std::mem::take(&mut term.value));
            }
            c if !quoted && (c.is_whitespace() || c.is_control()) => {
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

    fn understood(text: &str) -> Vec<Condition> {
        Search::parse(text).conditions
    }

    #[test]
    fn words_operators_and_quotes() {
        use Condition::*;
        let word = |text: &str| Words(text.into());
        assert_eq!(understood("  slow\u{a0}trains "), [word("slow"), word("trains")]);
        assert_eq!(understood("\"slow trains\" OWNER:Me"), [word("slow trains"), Mine]);
        assert_eq!(understood("owner:“Juniper Wren” tag:rain"), [Owner("Juniper Wren".into()), Tag("rain".into())]);
        assert_eq!(
            understood("public:false collaborative:yes is:hearted"),
            [Public(false), Collaborative(true), Hearted]
        );
        assert_eq!(
            understood("10:30 https://x \"owner:me\" a\"b c\"d"),
            ["10:30", "https://x", "owner:me", "ab cd"].map(word)
        );
        assert_eq!(understood("\"never closed"), [word("never closed")]);
        assert_eq!(understood("\"\" \u{301} \0"), []);
    }

    #[test]
    fn what_is_not_understood_costs_nothing_else() {
        let search = Search::parse("rain public:maybe tag: is:\"a heart\" owner:me");
        assert_eq!(search.conditions, [Condition::Words("rain".into()), Condition::Mine]);
        let odd: Vec<_> = search.odd.iter().map(|odd| (odd.operator.key(), odd.value.as_str())).collect();
        assert_eq!(odd, [("public", "maybe"), ("tag", ""), ("is", "a heart")]);
        assert_eq!(search.text, "rain public:maybe tag: is:\"a heart\" owner:me");
    }

    #[test]
    fn a_word_like_an_operator_is_a_word_and_told() {
        let search = Search::parse("foo:bar 10:30 https://x \"a:b\" Vol: é:x mood:\"b c\"");
        assert_eq!(search.conditions.len(), 7);
        assert_eq!(search.strange, [("foo:bar".to_owned(), "foo".to_owned())]);
    }

    #[test]
    fn the_database_is_asked_for_folded_texts() {
        let filter = Search::parse("Été owner:FRAU tag:#Über public:true public:false").filter();
        assert_eq!((filter.words, filter.owners), (vec!["ete".into()], vec!["frau".into()]));
        assert_eq!((filter.tags, filter.public), (vec!["uber".into()], Some(false)));
    }

    proptest! {
        #[test]
        fn any_text_is_a_search(text in "(\\PC|[\"“ :\\x00-\\x20]|owner:|tag:|is:hearted){0,150}") {
            let search = Search::parse(&text);
            prop_assert!(search.text.chars().count() <= LONGEST);
            prop_assert_eq!(&Search::parse(&search.text).conditions, &search.conditions);
            let filter = search.filter();
            let mut texts = filter.words.iter().chain(&filter.owners).chain(&filter.tags);
            prop_assert!(texts.all(|text| !text.contains('\0') && *text == fold(text)));
        }
    }
}

//! Conditions of a search, and the terms that they are typed as.

use crate::domain::annotation::fold_tag;
use crate::domain::text::{fold, is_quote};

/// A condition, with the text as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Occurs in the name, the owner's name, the note or a tag.
    Words(String),
    /// Occurs in the owner's name.
    Owner(String),
    /// Owned by the user.
    Mine,
    /// Listed on its owner's profile, or not.
    Public(bool),
    Collaborative(bool),
    Hearted,
    /// Updated since the user hearted or last opened it.
    Updated,
    /// Unavailable on Spotify.
    Unavailable,
    /// Hearted, without tags.
    Untagged,
    Tag(String),
    Not(Box<Condition>),
}

impl Condition {
    pub(super) fn negate(self) -> Self {
        match self {
            Self::Public(public) => Self::Public(!public),
            Self::Collaborative(collaborative) => Self::Collaborative(!collaborative),
            Self::Not(condition) => *condition,
            condition => Self::Not(Box::new(condition)),
        }
    }

    /// Returns true if a search cannot tell the conditions apart.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tag(one), Self::Tag(other)) => fold_tag(one) == fold_tag(other),
            (Self::Words(one), Self::Words(other)) | (Self::Owner(one), Self::Owner(other)) => fold(one) == fold(other),
            (Self::Not(one), Self::Not(other)) => one.is_same(other),
            (one, other) => one == other,
        }
    }

    /// Returns the text that is parsed as this condition.
    pub(super) fn to_term(&self) -> String {
        let quoted = |text: &str| match text.contains(char::is_whitespace) {
            true => format!("\"{text}\""),
            false => text.to_owned(),
        };
        match self {
            Self::Words(words) => quoted(words),
            Self::Owner(name) => format!("owner:{}", quoted(name)),
            Self::Mine => "owner:me".into(),
            Self::Public(public) => format!("public:{public}"),
            Self::Collaborative(collaborative) => format!("collaborative:{collaborative}"),
            Self::Hearted => "is:hearted".into(),
            Self::Updated => "is:updated".into(),
            Self::Unavailable => "is:unavailable".into(),
            Self::Untagged => "is:untagged".into(),
            Self::Tag(tag) => format!("tag:{}", quoted(tag)),
            Self::Not(condition) => format!("-{}", condition.to_term()),
        }
    }
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
            (Self::Is, "updated" | "changed") => Some(Condition::Updated),
            (Self::Is, "unavailable" | "gone") => Some(Condition::Unavailable),
            (Self::Is, "untagged") => Some(Condition::Untagged),
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

/// A part of a query between spaces.
#[derive(Default)]
pub(super) struct Term {
    /// As typed, with a quotation mark at the end if one is open.
    pub(super) text: String,
    pub(super) operator: Option<Operator>,
    pub(super) value: String,
    /// True if any part of it is quoted.
    pub(super) is_quoted: bool,
    /// True after a minus.
    pub(super) is_negated: bool,
}

impl Term {
    /// Returns the condition; `None` if there is no text, or the operator does not take this value.
    pub(super) fn condition(&self) -> Option<Condition> {
        let condition = match self.operator {
            Some(operator) => operator.to_condition(&self.value)?,
            None if fold(&self.value).is_empty() => return None,
            None => Condition::Words(self.value.clone()),
        };
        Some(if self.is_negated { condition.negate() } else { condition })
    }

    /// Returns the part before the colon of a word that looks like an operator; times of day and URLs do not.
    pub(super) fn unknown_operator(&self) -> Option<&str> {
        let (key, value) = self.value.split_once(':').filter(|_| self.operator.is_none() && !self.is_quoted)?;
        let is_word = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic());
        (is_word && !value.is_empty() && !value.starts_with('/')).then_some(key)
    }
}

/// Splits a query at whitespace. Quotes keep words together and make a colon literal; a minus before a term negates it.
pub(super) fn split_terms(text: &str) -> Vec<Term> {
    let (mut terms, mut term, mut in_quotes) = (Vec::new(), Term::default(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !in_quotes && (c.is_whitespace() || c.is_control()) {
            terms.push(std::mem::take(&mut term));
            continue;
        }
        match c {
            c if is_quote(c) => (in_quotes, term.is_quoted) = (!in_quotes, true),
            '-' if term.text.is_empty() && chars.peek().is_some_and(|next| is_negatable(*next)) => {
                term.is_negated = true
            }
            ':' if term.operator.is_none() && !term.is_quoted && Operator::parse(&term.value).is_some() => {
                term.operator = Operator::parse(&std::mem::take(&mut term.value));
            }
            c => term.value.push(c),
        }
        term.text.push(c);
    }
    if in_quotes {
        term.text.push('"');
    }
    terms.push(term);
    terms.retain(|term| !term.text.is_empty());
    terms
}

/// True if a minus before this character negates a term. A dash alone, or several, are a word.
fn is_negatable(c: char) -> bool {
    c != '-' && !c.is_whitespace() && !c.is_control()
}

//! Search, order and view of a list of playlists. They are query parameters, so that reloading, going back and
//! signing in keep them.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use html_escape::encode_double_quoted_attribute;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::app::App;
use crate::domain::PageRange;
use crate::domain::annotation::fold_tag;
use crate::domain::collation::Language;
use crate::domain::reference;
use crate::domain::search::{
    Condition, InvalidOperator, ListQuery, MAX_CONDITIONS, MAX_QUERY_CHARS, MAX_WORD_CHARS, Operator, Order,
    SearchQuery,
};
use crate::web::views::TagLinks;
use crate::web::views::pager::PageParam;

/// Query parameters of a list, and the reader's language.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListParams {
    q: String,
    pub(crate) sort: String,
    view: String,
    pub(crate) edit: Option<String>,
    /// Present if the cards have checkboxes.
    select: Option<String>,
    #[serde(flatten)]
    page: PageParam,
    #[serde(skip)]
    pub(crate) language: Language,
}

impl FromRequestParts<Arc<App>> for ListParams {
    type Rejection = QueryRejection;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let Query(params) = Query::<Self>::from_request_parts(parts, app).await?;
        let accepted = parts.headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
        Ok(Self { language: first_language(accepted.unwrap_or_default()), ..params })
    }
}

/// Returns the first language of an `Accept-Language` header. Browsers name the preferred one first.
fn first_language(header: &str) -> Language {
    let tag = header.split([',', ';']).next().unwrap_or_default();
    Language::parse(tag.trim()).unwrap_or_default()
}

/// A searchable list.
pub(crate) struct ListSpec {
    pub(crate) path: &'static str,
    /// Noun for an entry.
    pub(crate) singular: &'static str,
    pub(crate) plural: &'static str,
    /// The first order is the default.
    pub(crate) orders: &'static [(Order, &'static str)],
    /// Filters that are links.
    filters: &'static [(&'static str, Condition)],
}

/// A link that turns a filter on or off.
pub(crate) struct FilterLink {
    pub(crate) label: String,
    /// `None` if the search has no room for the filter.
    pub(crate) path: Option<String>,
    pub(crate) is_on: bool,
    pub(crate) is_tag: bool,
}

/// Number of tags among the filters.
const MAX_TAG_FILTERS: usize = 8;

pub(crate) static LIBRARY: ListSpec = ListSpec {
    path: "/playlists",
    singular: "playlist",
    plural: "playlists",
    orders: &[
        (Order::Usual, "Spotify’s order"),
        (Order::Name, "Name"),
        (Order::Owner, "Owner"),
        (Order::Hearted, "Recently hearted"),
        (Order::Size, "Size"),
    ],
    filters: &[
        ("Mine", Condition::Mine),
        ("Public", Condition::Public(true)),
        ("Private", Condition::Public(false)),
        ("Collaborative", Condition::Collaborative(true)),
        ("Hearted", Condition::Hearted),
        ("Updated", Condition::Updated),
        ("Untagged", Condition::Untagged),
    ],
};

pub(crate) static HEARTS: ListSpec = ListSpec {
    path: "/hearts",
    singular: "heart",
    plural: "hearts",
    orders: &[
        (Order::Usual, "Newest first"),
        (Order::Oldest, "Oldest first"),
        (Order::Name, "Name"),
        (Order::Owner, "Owner"),
    ],
    filters: &[
        ("Updated", Condition::Updated),
        ("Unavailable", Condition::Unavailable),
        ("Untagged", Condition::Untagged),
        ("Mine", Condition::Mine),
        ("Public", Condition::Public(true)),
        ("Private", Condition::Public(false)),
        ("Collaborative", Condition::Collaborative(true)),
    ],
};

/// A list query, with the counts of its result.
pub(crate) struct ListView {
    pub(crate) spec: &'static ListSpec,
    pub(crate) search: SearchQuery,
    pub(crate) order: Order,
    /// True for the list view, false for the grid.
    pub(crate) is_list_view: bool,
    language: Language,
    pages: PageRange,
    /// Number of entries without the search.
    pub(crate) total: usize,
    pub(crate) matches: usize,
    /// Number of entries that are not loaded yet.
    pub(crate) missing: usize,
    pub(crate) filters: Vec<FilterLink>,
    /// True if the cards have checkboxes. The script adds them by itself.
    pub(crate) is_selecting: bool,
}

impl ListView {
    /// Replaces an unknown order with the default.
    pub(crate) fn new(params: &ListParams, spec: &'static ListSpec) -> Self {
        let orders = spec.orders.iter().map(|(order, _)| *order);
        Self {
            spec,
            search: SearchQuery::parse(&params.q),
            order: orders.into_iter().find(|order| order.key() == params.sort).unwrap_or_default(),
            is_list_view: params.view == "list",
            language: params.language,
            pages: params.page.range(),
            total: 0,
            matches: 0,
            missing: 0,
            filters: Vec::new(),
            is_selecting: params.select.is_some(),
        }
    }

    pub(crate) fn with_counts(self, total: usize, matches: usize) -> Self {
        Self { total, matches, ..self }
    }

    pub(crate) fn with_missing(self, missing: usize) -> Self {
        Self { missing, ..self }
    }

    pub(crate) fn query(&self) -> ListQuery {
        ListQuery { search: self.search.clone(), order: self.order, language: self.language, pages: self.pages }
    }

    /// Title of the page called `name`.
    pub(crate) fn title(&self, name: &str) -> String {
        if self.search.text.is_empty() { name.into() } else { format!("{name}: {}", self.search.text) }
    }

    /// Path of the first page.
    pub(crate) fn path(&self) -> String {
        self.path_with(&self.search.text, self.is_list_view)
    }

    /// Path of the same query in list or grid view.
    pub(crate) fn path_for_view(&self, is_list_view: bool) -> String {
        self.path_with(&self.search.text, is_list_view)
    }

    /// Path of the list without the search, in this order and view.
    pub(crate) fn path_without_search(&self) -> String {
        self.path_with("", self.is_list_view)
    }

    /// Links that add a tag to the search, and keep order and view.
    pub(crate) fn tag_links(&self) -> TagLinks {
        let (text, max_chars) = self.search.text_before_term();
        let path = self.path_with(&format!("{text}tag:"), self.is_list_view);
        // The search is the first parameter.
        let (before, after) = path.split_at(path.find('&').unwrap_or(path.len()));
        let [before, after] = [before, after].map(|part| encode_double_quoted_attribute(part).into_owned());
        let max_tag_chars = max_chars.saturating_sub("tag:\"\"".len());
        TagLinks { before, after, max_tag_chars, searched: self.searched_tags().map(|tag| fold_tag(tag)).collect() }
    }

    fn searched_tags(&self) -> impl Iterator<Item = &String> {
        self.search.conditions.iter().filter_map(|condition| match condition {
            Condition::Tag(tag) => Some(tag),
            _ => None,
        })
    }

    /// Adds links for the list's filters, the tags that are searched for and the most used ones.
    pub(crate) fn with_filters(mut self, tags: Vec<String>) -> Self {
        let is_on = |tag: &String| self.search.has(&Condition::Tag(tag.clone()));
        let tags: Vec<_> = self
            .searched_tags()
            .cloned()
            .chain(tags.into_iter().filter(|tag| !is_on(tag)).take(MAX_TAG_FILTERS))
            .collect();
        let filters =
            self.spec.filters.iter().map(|(label, condition)| ((*label).to_owned(), condition.clone(), false));
        let tags = tags.into_iter().map(|tag| (tag.clone(), Condition::Tag(tag), true));
        let link = |(label, condition, is_tag)| FilterLink {
            label,
            path: self.search.toggle(&condition).map(|text| self.path_with(&text, self.is_list_view)),
            is_on: self.search.has(&condition),
            is_tag,
        };
        let mut links: Vec<_> = filters.chain(tags).map(link).collect();
        // On a phone only the first ones are in view.
        links.sort_by_key(|link| !link.is_on);
        self.filters = links;
        self
    }

    fn path_with(&self, text: &str, is_list_view: bool) -> String {
        let order = if self.order == Order::Usual { "" } else { self.order.key() };
        let view = if is_list_view { "list" } else { "" };
        let params = [("q", text), ("sort", order), ("view", view)].into_iter().filter(|(_, value)| !value.is_empty());
        let query = Serializer::new(String::new()).extend_pairs(params).finish();
        if query.is_empty() { self.spec.path.into() } else { format!("{}?{query}", self.spec.path) }
    }

    pub(crate) fn is_filtered(&self) -> bool {
        !self.search.conditions.is_empty()
    }

    /// "3 of 40 hearts found."; `None` without a search.
    pub(crate) fn count_label(&self) -> Option<String> {
        let (matches, total) = (self.matches, self.total);
        let entries = if total == 1 { self.spec.singular } else { self.spec.plural };
        self.is_filtered().then(|| format!("{matches} of {total} {entries} found{}.", self.so_far_suffix()))
    }

    /// Suffix of a count while entries are missing.
    pub(crate) fn so_far_suffix(&self) -> &'static str {
        if self.missing > 0 { " so far" } else { "" }
    }

    /// Conditions of the search, for people.
    pub(crate) fn condition_labels(&self) -> Vec<String> {
        self.search.conditions.iter().map(condition_label).collect()
    }

    /// Sentences on the parts of the search that were ignored.
    pub(crate) fn search_warnings(&self) -> Vec<String> {
        let cuts = [
            (self.search.is_cut, format!("Only the first {MAX_QUERY_CHARS} characters were searched for.")),
            (self.search.has_more_words, format!("Only the first {MAX_CONDITIONS} words were searched for.")),
            (
                self.search.has_long_word,
                format!("Only the first {MAX_WORD_CHARS} letters of a word were searched for."),
            ),
        ];
        let unknown = self.search.unknown_operators.iter().filter(|_| !self.is_link());
        self.search
            .invalid_operators
            .iter()
            .map(invalid_value_warning)
            .chain(unknown.map(unknown_operator_warning))
            .chain(cuts.into_iter().filter_map(|(is_cut, sentence)| (is_cut && !self.is_link()).then_some(sentence)))
            .collect()
    }

    /// True if the search is a Spotify link, which belongs in the "Add by link" form.
    pub(crate) fn is_link(&self) -> bool {
        let text = &self.search.text;
        let is_reference = match reference::parse(text) {
            // A bare id may be a word.
            Ok(id) => id.as_str() != text,
            Err(error) => error.is_spotify_link(),
        };
        self.is_filtered() && is_reference
    }
}

fn condition_label(condition: &Condition) -> String {
    match condition {
        Condition::Words(words) => format!("“{words}”"),
        Condition::Owner(name) => format!("owner “{name}”"),
        Condition::Mine => "your own".into(),
        Condition::Public(true) => "public".into(),
        Condition::Public(false) => "not public".into(),
        Condition::Collaborative(true) => "collaborative".into(),
        Condition::Collaborative(false) => "not collaborative".into(),
        Condition::Hearted => "hearted".into(),
        Condition::Updated => "updated".into(),
        Condition::Unavailable => "unavailable on Spotify".into(),
        Condition::Untagged => "without tags".into(),
        Condition::Tag(tag) => format!("tag “{tag}”"),
        Condition::Not(condition) => format!("not {}", condition_label(condition)),
    }
}

fn invalid_value_warning(invalid: &InvalidOperator) -> String {
    let expected = match invalid.operator {
        Operator::Owner => "“me” or a name",
        Operator::Public | Operator::Collaborative => "“true” or “false”",
        Operator::Is => "“hearted”, “updated”, “unavailable” or “untagged”",
        Operator::Tag => "a tag",
    };
    let key = invalid.operator.key();
    format!("“{key}:{}” was ignored: “{key}:” takes {expected}.", invalid.value)
}

fn unknown_operator_warning((word, key): &(String, String)) -> String {
    let known = Operator::ALL.map(|operator| format!("“{}:”", operator.key())).join(", ");
    format!("There is no filter called “{key}:”, so “{word}” was searched as a word. Try {known}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(q: &str, sort: &str, view: &str) -> ListView {
        ListView::new(
            &ListParams { q: q.into(), sort: sort.into(), view: view.into(), ..ListParams::default() },
            &LIBRARY,
        )
    }

    #[test]
    fn path_contains_only_values_that_differ_from_the_default() {
        assert_eq!(view("", "", "").path(), "/playlists");
        assert_eq!(view(" ", "nonsense", "grid").path(), "/playlists");
        assert_eq!(view("", "oldest", "").path(), "/playlists", "an order of another list");
        let all = view("été & tag:\"x y\"", "name", "list");
        assert_eq!(all.path(), "/playlists?q=%C3%A9t%C3%A9+%26+tag%3A%22x+y%22&sort=name&view=list");
        assert_eq!(
            (all.path_without_search().as_str(), all.query().pages),
            ("/playlists?sort=name&view=list", PageRange::from(1))
        );
    }

    #[test]
    fn ignored_parts_of_a_search_are_reported() {
        let [sentence] = &view("public:maybe rain", "", "").search_warnings()[..] else { panic!() };
        assert_eq!(sentence, "“public:maybe” was ignored: “public:” takes “true” or “false”.");
        let [sentence] = &view("foo:bar rain", "", "").search_warnings()[..] else { panic!() };
        assert!(
            sentence
                .starts_with("There is no filter called “foo:”, so “foo:bar” was searched as a word. Try “owner:”, "),
            "{sentence}"
        );
    }

    #[test]
    fn links_are_distinguished_from_words() {
        let id = "3cEYpjA9oz9GiPac4AsH4n";
        for link in ["https://open.spotify.com/playlist/ID?si=1", "spotify:playlist:ID", "open.spotify.com/album/ID"] {
            let view = view(&link.replace("ID", id), "", "");
            assert!(view.is_link() && view.search_warnings().is_empty(), "{link}");
        }
        for words in ["", id, "foo:bar", "https://example.org/", "slow trains"] {
            assert!(!view(words, "", "").is_link(), "{words}");
        }
    }
}

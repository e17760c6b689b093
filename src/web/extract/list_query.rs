//! Search, order and view of a list of playlists. They are query parameters, so that reloading, going back and
//! signing in keep them. Order and view that are not among them are those that the user last chose.

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
use crate::domain::displays::{Display, Displays};
use crate::domain::reference;
use crate::domain::search::{
    Condition, InvalidOperator, ListQuery, MAX_CONDITIONS, MAX_QUERY_CHARS, MAX_WORD_CHARS, Operator, SearchQuery,
};
use crate::web::extract::list_spec::{ListSpec, display_params};
use crate::web::views::pager::{PageParam, with_param};
use crate::web::views::{TagLinks, count};

/// Query parameters of a list, and the reader's language.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListParams {
    q: String,
    pub(crate) sort: String,
    dir: String,
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

impl ListParams {
    /// Parses the query of a list's path.
    pub(crate) fn from_path(path: &str) -> Self {
        let uri = path.parse().unwrap_or_default();
        Query::try_from_uri(&uri).map(|Query(params)| params).unwrap_or_default()
    }
}

/// Returns the first language of an `Accept-Language` header. Browsers name the preferred one first.
fn first_language(header: &str) -> Language {
    let tag = header.split([',', ';']).next().unwrap_or_default();
    Language::parse(tag.trim()).unwrap_or_default()
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

/// A list query, with the counts of its result.
pub(crate) struct ListView {
    pub(crate) spec: &'static ListSpec,
    pub(crate) search: SearchQuery,
    pub(crate) display: Display,
    /// The display without query parameters.
    remembered: Display,
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
    pub(crate) fn new(params: &ListParams, spec: &'static ListSpec, displays: &Displays) -> Self {
        let remembered = displays.get(spec.list);
        Self {
            spec,
            search: SearchQuery::parse(&params.q),
            display: spec.display([&params.sort, &params.dir, &params.view], remembered),
            remembered,
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
        let Display { order, is_reversed, .. } = self.display;
        ListQuery { search: self.search.clone(), order, is_reversed, language: self.language, pages: self.pages }
    }

    /// Title of the page called `name`.
    pub(crate) fn title(&self, name: &str) -> String {
        if self.search.text.is_empty() { name.into() } else { format!("{name}: {}", self.search.text) }
    }

    /// Path of the first page, without checkboxes.
    pub(crate) fn path(&self) -> String {
        self.path_with(&self.search.text)
    }

    /// Path of the list without the search, in this order and view.
    pub(crate) fn path_without_search(&self) -> String {
        self.search_path("")
    }

    /// Path of another search, with checkboxes if this page has them.
    fn search_path(&self, text: &str) -> String {
        let path = self.path_with(text);
        if self.is_selecting { with_param(&path, "select", "1") } else { path }
    }

    /// Path of the first page in `display`, once that is remembered.
    pub(crate) fn path_after_choice(self, display: Display) -> String {
        Self { display, remembered: display, ..self }.path()
    }

    /// Path that leads to one of the matching entries.
    pub(crate) fn random_path(&self) -> String {
        with_query(&format!("{}/random", self.spec.path), [("q", &*self.search.text)])
    }

    /// Query parameters of an order and view that differ from the remembered ones.
    pub(crate) fn display_params(&self) -> Vec<(&'static str, &'static str)> {
        display_params(self.display, self.remembered)
    }

    /// Links that add a tag to the search, and keep order and view. They name no path, because they are on the list.
    pub(crate) fn tag_links(&self) -> TagLinks {
        let (text, max_chars) = self.search.text_before_term();
        let path = self.path_with(&format!("{text}tag:"));
        let query = path.strip_prefix(self.spec.path).unwrap_or(&path);
        // The search is the first parameter.
        let (before, after) = query.split_at(query.find('&').unwrap_or(query.len()));
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
            path: self.search.toggle(&condition).map(|text| self.search_path(&text)),
            is_on: self.search.has(&condition),
            is_tag,
        };
        let mut links: Vec<_> = filters.chain(tags).map(link).collect();
        // On a phone only the first ones are in view.
        links.sort_by_key(|link| !link.is_on);
        self.filters = links;
        self
    }

    fn path_with(&self, text: &str) -> String {
        with_query(self.spec.path, [("q", text)].into_iter().chain(self.display_params()))
    }

    pub(crate) fn is_filtered(&self) -> bool {
        !self.search.conditions.is_empty()
    }

    /// "3 of 40 hearts found."; `None` without a search.
    pub(crate) fn count_label(&self) -> Option<String> {
        let (matches, total) = (count(self.matches), count(self.total));
        let entries = if self.total == 1 { self.spec.singular } else { self.spec.plural };
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

/// Returns `path` with those parameters that are not empty.
fn with_query<'a>(path: &str, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let params = params.into_iter().filter(|(_, value)| !value.is_empty());
    let query = Serializer::new(String::new()).extend_pairs(params).finish();
    if query.is_empty() { path.into() } else { format!("{path}?{query}") }
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
    use crate::domain::search::Order;
    use crate::web::extract::list_spec::LIBRARY;

    fn view(q: &str, sort: &str, view: &str) -> ListView {
        ListView::new(
            &ListParams { q: q.into(), sort: sort.into(), view: view.into(), ..ListParams::default() },
            &LIBRARY,
            &Displays::default(),
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
    fn parameters_win_over_what_is_remembered() {
        let by_owner = Display { order: Order::Owner, is_reversed: true, is_list_view: true };
        let displays = Displays { playlists: by_owner, ..Displays::default() };
        for (requested, shown) in [
            ("", ""),
            ("?sort=owner&dir=reverse&view=list", ""),
            ("?sort=owner", "?sort=owner"),
            ("?sort=usual&view=grid", "?sort=usual&view=grid"),
            ("?view=grid&q=x", "?q=x&view=grid"),
            ("?sort=size&dir=reverse", "?sort=size&dir=reverse"),
            ("?sort=nonsense&dir=up&view=tree", ""),
        ] {
            let list = ListView::new(&ListParams::from_path(&format!("/playlists{requested}")), &LIBRARY, &displays);
            assert_eq!(list.path(), format!("/playlists{shown}"), "{requested}");
        }
        let list = ListView::new(&ListParams::from_path("/playlists?q=x&sort=size"), &LIBRARY, &displays);
        assert_eq!(list.path_after_choice(Display::default()), "/playlists?q=x");
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

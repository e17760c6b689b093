//! Responses and forms, read by CSS selector.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// A complete response.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

/// A form with its current values.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: Url,
    pub(crate) method: String,
    pub(crate) fields: BTreeMap<String, String>,
    /// Address of the form's page.
    pub(crate) page: Url,
}

impl Page {
    /// Text of every matching element, white space folded.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let document = Html::parse_document(&self.html);
        document.select(&parsed(selector)).map(text).collect()
    }

    /// Text of the only matching element.
    pub(crate) fn text(&self, selector: &str) -> String {
        let mut texts = self.texts(selector);
        assert_eq!(texts.len(), 1, "{selector} on {}:\n{}", self.url, self.html);
        texts.remove(0)
    }

    /// Number of matching elements.
    pub(crate) fn count(&self, selector: &str) -> usize {
        self.texts(selector).len()
    }

    /// True if an element matches.
    pub(crate) fn has(&self, selector: &str) -> bool {
        self.count(selector) > 0
    }

    /// The attribute's value on every matching element that has it. A link with a query alone gets the page's path.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let document = Html::parse_document(&self.html);
        let path = |value: &str| if name == "href" && value.starts_with('?') { self.url.path() } else { "" };
        let value = |element: ElementRef| element.attr(name).map(|value| format!("{}{value}", path(value)));
        document.select(&parsed(selector)).filter_map(value).collect()
    }

    /// The attribute's value on the first matching element.
    pub(crate) fn attribute(&self, selector: &str, name: &str) -> String {
        let found = self.attributes(selector, name).into_iter().next();
        found.unwrap_or_else(|| panic!("no {name} at {selector} on {}:\n{}", self.url, self.html))
    }

    /// The form at `selector`, or the one around the matching element.
    pub(crate) fn form(&self, selector: &str) -> Form {
        let document = Html::parse_document(&self.html);
        let found = document.select(&parsed(selector)).next();
        let found = found.unwrap_or_else(|| panic!("no {selector} on {}:\n{}", self.url, self.html));
        let mut around = found.ancestors().filter_map(ElementRef::wrap).filter(|e| e.value().name() == "form");
        let form = if found.value().name() == "form" { found } else { around.next().expect("a form around it") };
        let mut fields = BTreeMap::new();
        for input in form.select(&parsed("input[name]")) {
            let kind = input.attr("type").unwrap_or("text");
            if !matches!(kind, "radio" | "checkbox") || input.attr("checked").is_some() {
                fields.insert(input.attr("name").unwrap().into(), input.attr("value").unwrap_or("on").into());
            }
        }
        for area in form.select(&parsed("textarea[name]")) {
            // The parser has dropped the line feed after the start tag.
            fields.insert(area.attr("name").unwrap().into(), area.text().collect());
        }
        for select in form.select(&parsed("select[name]")) {
            let chosen = select.select(&parsed("option[selected]")).next().or(select.select(&parsed("option")).next());
            let value = chosen.map(|option| option.attr("value").map_or_else(|| text(option), str::to_owned));
            fields.insert(select.attr("name").unwrap().into(), value.unwrap_or_default());
        }
        // The matching button, or the one that Enter would press.
        let button = if found.value().name() == "button" { Some(found) } else { form.select(&parsed("button")).next() };
        if let Some((name, button)) = button.and_then(|button| Some((button.attr("name")?, button))) {
            fields.insert(name.into(), button.attr("value").unwrap_or_default().into());
        }
        let action = self.url.join(form.attr("action").unwrap_or("")).unwrap();
        Form { page: self.url.clone(), action, method: form.attr("method").unwrap_or("get").to_uppercase(), fields }
    }

    /// Fails unless the response is a 303 to `location`.
    pub(crate) fn assert_redirect(&self, location: &str) {
        assert_eq!((self.status, self.header("location")), (303, location), "{}", self.html);
    }

    /// A header's value, empty if absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.html).unwrap_or_else(|error| panic!("{error}: {}", self.html))
    }

    /// The flash message.
    pub(crate) fn flash(&self) -> Option<String> {
        self.texts("main [role=status], main [role=alert]").into_iter().find(|text| !text.is_empty())
    }

    /// Numbers of hearts added, already there, and skipped by an import.
    pub(crate) fn import_report(&self) -> [i64; 3] {
        assert_eq!(self.status, 200, "{}", self.html);
        let numbers: Vec<_> =
            self.texts(".callout [role=status] b").iter().map(|text| text.replace(',', "").parse().unwrap()).collect();
        numbers.try_into().unwrap()
    }

    /// Ids of the playlists on the page, in order.
    pub(crate) fn playlist_ids(&self) -> Vec<String> {
        self.attributes("[id^='p-']", "id").into_iter().map(|id| id["p-".len()..].to_owned()).collect()
    }
}

impl Form {
    /// Sets a field, or the button of that name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }
}

fn parsed(selector: &str) -> Selector {
    Selector::parse(selector).unwrap_or_else(|error| panic!("{selector}: {error}"))
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

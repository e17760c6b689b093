//! Validates the HTML of every response: no parse errors, no duplicate ids, no dangling references. With
//! `HEARTLIST_KEEP_PAGES` the pages are also stored in that folder for `script/check-html`, which checks more.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use scraper::{ElementRef, Html, Selector};

use super::page::Page;

/// Attributes that hold ids of other elements.
const REFERENCE_ATTRIBUTES: [&str; 9] = [
    "for", "form", "list", "headers", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns",
    "popovertarget",
];

/// Shapes of the pages that have been validated.
static VALIDATED_SHAPES: Mutex<Option<HashSet<u64>>> = Mutex::new(None);
static PAGES_FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(pages_folder);

fn pages_folder() -> Option<PathBuf> {
    std::env::var_os("HEARTLIST_KEEP_PAGES").map(PathBuf::from)
}

/// Fails if the page's HTML is invalid. Skips other content types and shapes that have been validated.
pub(super) fn assert_valid_html(page: &Page) {
    let shape = page_shape(&page.html);
    let html = page.header("content-type").starts_with("text/html") && !page.html.is_empty();
    if !html || !VALIDATED_SHAPES.lock().unwrap().get_or_insert_default().insert(shape) {
        return;
    }
    if let Some(folder) = &*PAGES_FOLDER {
        let path = page.url.path().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let name = format!("{}{path:.60}-{shape:016x}.html", page.status);
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(folder.join(name), &page.html)).unwrap();
    }
    let faults = find_errors(&page.html);
    assert!(faults.is_empty(), "{faults:#?} on {} {}:\n{}", page.status, page.url, page.html);
}

/// Hash of a page without numbers and long words, which are ports, dates, ids and tokens.
fn page_shape(html: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let words = html.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
    let kept = words.filter(|word| word.len() <= 20 && !word.bytes().any(|byte| byte.is_ascii_digit()));
    kept.for_each(|word| word.hash(&mut hasher));
    hasher.finish()
}

fn find_errors(html: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    let mut faults: Vec<String> = document.errors.iter().map(ToString::to_string).collect();
    let every = Selector::parse("*").unwrap();
    let elements: Vec<ElementRef<'_>> = document.select(&every).collect();
    let mut ids = HashSet::new();
    let twice = elements.iter().filter_map(|element| element.attr("id")).filter(|id| !ids.insert(*id));
    faults.extend(twice.map(|id| format!("the id {id} twice")));
    for element in &elements {
        let named = REFERENCE_ATTRIBUTES.iter().filter_map(|name| Some((*name, element.attr(name)?)));
        for (name, value) in named.chain(fragment(*element)) {
            let lost = value.split_ascii_whitespace().filter(|id| !ids.contains(id));
            faults.extend(lost.map(|id| format!("{name} leads to {id}, which is not there")));
        }
    }
    faults
}

/// The fragment that a link on this page leads to.
fn fragment(element: ElementRef<'_>) -> Option<(&'static str, &str)> {
    Some(("href", element.attr("href")?.strip_prefix('#')?))
}

#[test]
fn invalid_html_is_detected() {
    let page = |body: &str| {
        format!("<!DOCTYPE html><html lang=\"en\"><head><title>x</title></head><body>{body}</body></html>")
    };
    assert_eq!(find_errors(&page("<label for=\"a\">A</label><input id=\"a\"><a href=\"#a\">A</a>")), [""; 0]);
    for body in [
        "<p></div></p>",
        "<p id=\"a\"></p><p id=\"a\"></p>",
        "<label for=\"a\">A</label>",
        "<p aria-labelledby=\"a b\" id=\"a\"></p>",
        "<a href=\"#a\">A</a>",
    ] {
        assert_eq!(find_errors(&page(body)).len(), 1, "{body}");
    }
}

//! Views that several pages share.

pub(crate) mod annotation_form;
pub(crate) mod layout;
pub(crate) mod pager;
pub(crate) mod playlist_card;
pub(crate) mod time;

use std::fmt;

use askama::{FastWritable, Values};
use url::form_urlencoded::byte_serialize;

/// A count with thousands separators, such as `1,234`.
pub(crate) fn format_count(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    if digits.len() <= 3 {
        return digits;
    }
    let has_comma = |index: usize| index > 0 && (digits.len() - index).is_multiple_of(3);
    digits
        .chars()
        .enumerate()
        .flat_map(|(index, digit)| has_comma(index).then_some(',').into_iter().chain([digit]))
        .collect()
}

/// Replaces control characters, most of which HTML forbids, in text that is displayed again in a form field.
pub(crate) fn sanitize_for_redisplay(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Links of a page to the entries of a list with a tag.
pub(crate) struct TagLinks {
    /// The parts of the path around the tag, escaped for HTML once for all cards.
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Links to all hearts with a tag.
pub(crate) fn tag_links() -> TagLinks {
    TagLinks { before: "/hearts?q=tag%3A".into(), after: String::new() }
}

impl TagLinks {
    pub(crate) fn path<'a>(&'a self, tag: &'a str) -> TagPath<'a> {
        TagPath { links: self, tag }
    }
}

/// Needs no HTML escaping.
pub(crate) struct TagPath<'a> {
    links: &'a TagLinks,
    tag: &'a str,
}

impl TagPath<'_> {
    fn write(&self, out: &mut (impl fmt::Write + ?Sized)) -> fmt::Result {
        let quote = if self.tag.contains(' ') { "%22" } else { "" };
        out.write_str(&self.links.before)?;
        out.write_str(quote)?;
        byte_serialize(self.tag.as_bytes()).try_for_each(|part| out.write_str(part))?;
        out.write_str(quote)?;
        out.write_str(&self.links.after)
    }
}

impl fmt::Display for TagPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl FastWritable for TagPath<'_> {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn Values) -> askama::Result<()> {
        Ok(self.write(dest)?)
    }
}

#[cfg(test)]
mod tests {
    use super::format_count;

    #[test]
    fn counts_have_thousands_separators() {
        let formatted = [0, 999, 1000, 1_234_567].map(format_count);
        assert_eq!(formatted, ["0", "999", "1,000", "1,234,567"]);
    }
}

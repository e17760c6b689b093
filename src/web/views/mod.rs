//! Views that several pages share.

/// Implements `Display` by the type's method `write`, and askama's faster counterpart of it.
macro_rules! impl_display {
    ($view:ty) => {
        impl std::fmt::Display for $view {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.write(f)
            }
        }

        impl askama::FastWritable for $view {
            fn write_into(&self, dest: &mut dyn std::fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
                Ok(self.write(dest)?)
            }
        }
    };
}

pub(crate) mod annotation_form;
pub(crate) mod layout;
pub(crate) mod pager;
pub(crate) mod playlist_card;
pub(crate) mod time;
pub(crate) mod zone;

use std::fmt;

use url::form_urlencoded::byte_serialize;

use crate::domain::annotation::fold_tag;

pub(crate) use self::annotation_form::AnnotationForm;
pub(crate) use self::layout::{Layout, absolute_url, preview_image_url, render_page};
pub(crate) use self::pager::{PageParam, Pager};
pub(crate) use self::playlist_card::{PlaylistCard, display_name, spotify_name};
pub(crate) use self::time::{DateView, TimeView, rfc3339};

/// A count with thousands separators, such as `1,234`. Needs no HTML escaping.
pub(crate) struct Count(u64);

pub(crate) fn count(number: impl TryInto<u64>) -> Count {
    Count(number.try_into().unwrap_or_default())
}

impl Count {
    fn write(&self, out: &mut (impl fmt::Write + ?Sized)) -> fmt::Result {
        // The longest has 20 digits and 6 commas, which are in the buffer already: every fourth position from the end.
        let (mut text, mut start, mut rest) = ([b','; 26], 26, self.0);
        loop {
            start -= if (26 - start) % 4 == 3 { 2 } else { 1 };
            text[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                return out.write_str(str::from_utf8(&text[start..]).map_err(|_| fmt::Error)?);
            }
        }
    }
}

impl_display!(Count);

/// Replaces control characters, most of which HTML forbids, in text that is displayed again in a form field.
pub(crate) fn sanitize_for_redisplay(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Links that add a tag to the search of a list.
pub(crate) struct TagLinks {
    /// The parts of the path around the tag, escaped for HTML once for all cards.
    pub(crate) before: String,
    pub(crate) after: String,
    /// Maximum length of a tag that the search has room for.
    pub(crate) max_tag_chars: usize,
    /// Tags that are searched for already, in folded form.
    pub(crate) searched: Vec<String>,
}

/// Links to all hearts with a tag.
pub(crate) fn tag_links() -> TagLinks {
    let before = "/hearts?q=tag%3A".into();
    TagLinks { before, after: String::new(), max_tag_chars: usize::MAX, searched: Vec::new() }
}

impl TagLinks {
    /// True if the search does not have the tag yet and has room for it.
    pub(crate) fn can_add(&self, tag: &str) -> bool {
        tag.chars().count() <= self.max_tag_chars
            && (self.searched.is_empty() || !self.searched.contains(&fold_tag(tag)))
    }

    pub(crate) fn path<'a>(&'a self, tag: &'a str) -> TagPath<'a> {
        TagPath { links: self, tag }
    }
}

/// The path of the link for a tag. Needs no HTML escaping.
pub(crate) struct TagPath<'a> {
    links: &'a TagLinks,
    tag: &'a str,
}

impl TagPath<'_> {
    fn write(&self, out: &mut (impl fmt::Write + ?Sized)) -> fmt::Result {
        let is_quoted = self.tag.contains(' ');
        out.write_str(&self.links.before)?;
        if is_quoted {
            out.write_str("%22")?;
        }
        byte_serialize(self.tag.as_bytes()).try_for_each(|part| out.write_str(part))?;
        if is_quoted {
            out.write_str("%22")?;
        }
        out.write_str(&self.links.after)
    }
}

impl_display!(TagPath<'_>);

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_have_thousands_separators() {
        let formatted = [0, 999, 1000, 123_456, 1_234_567].map(|number: u64| count(number).to_string());
        assert_eq!(formatted, ["0", "999", "1,000", "123,456", "1,234,567"]);
        assert_eq!(count(u64::MAX).to_string(), "18,446,744,073,709,551,615");
        assert_eq!(count(-1).to_string(), "0");
    }
}

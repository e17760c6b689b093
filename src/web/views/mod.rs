//! The layout, and parts that several pages share.

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
    let comma = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    digits.chars().enumerate().flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit])).collect()
}

/// Text for a field that shows again what was typed. HTML forbids most control characters.
pub(crate) fn sanitize_for_redisplay(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Address of the hearts with a tag. Needs no HTML escaping.
pub(crate) struct TagAddress<'a>(&'a str);

pub(crate) fn tag_address(tag: &str) -> TagAddress<'_> {
    TagAddress(tag)
}

impl TagAddress<'_> {
    fn write(&self, out: &mut (impl fmt::Write + ?Sized)) -> fmt::Result {
        let quote = if self.0.contains(' ') { "%22" } else { "" };
        out.write_str("/hearts?q=tag%3A")?;
        out.write_str(quote)?;
        byte_serialize(self.0.as_bytes()).try_for_each(|part| out.write_str(part))?;
        out.write_str(quote)
    }
}

impl fmt::Display for TagAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl FastWritable for TagAddress<'_> {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn Values) -> askama::Result<()> {
        Ok(self.write(dest)?)
    }
}

#[cfg(test)]
mod tests {
    use super::format_count;

    #[test]
    fn a_count_has_a_comma_before_each_three_digits() {
        let read = [0, 999, 1000, 1_234_567].map(format_count);
        assert_eq!(read, ["0", "999", "1,000", "1,234,567"]);
    }
}

//! Slugs of public pages.

use std::fmt;

use crate::domain::text::fold;

/// Slugs that could be mistaken for the site's own pages or its staff.
const RESERVED: [&str; 31] = [
    "about", "abuse", "account", "admin", "administrator", "anonymous", "api", "auth", "everyone", "feed", "feeds",
    "hearts", "help", "home", "login", "logout", "moderator", "official", "operator", "owner", "playlists", "privacy",
    "root", "security", "settings", "sharing", "staff", "support", "system", "terms", "you",
];
/// Substrings that no slug may contain.
const RESERVED_PARTS: [&str; 2] = ["heartlist", "spotify"];

/// Leaves room for a suffix.
const MAX_SUGGESTED_NAME: usize = 20;

/// A public page's slug: 3 to 30 characters from a-z, 0-9 and hyphen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    #[error("An address needs 3 to 30 characters.")]
    Length,
    #[error("Use only the letters a to z, digits and hyphens.")]
    Characters,
    #[error("A hyphen goes between letters or digits, not at the start or the end.")]
    Hyphen,
    #[error("This address is reserved, because it could be mistaken for part of the site. Choose another.")]
    Reserved,
}

impl Slug {
    /// Parses a slug; ignores case and surrounding whitespace.
    pub fn parse(text: &str) -> std::result::Result<Self, SlugError> {
        let slug = text.trim().to_ascii_lowercase();
        if !slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(SlugError::Characters);
        }
        if !(3..=30).contains(&slug.len()) {
            return Err(SlugError::Length);
        }
        if slug.starts_with('-') || slug.ends_with('-') {
            return Err(SlugError::Hyphen);
        }
        if RESERVED.contains(&slug.as_str()) || RESERVED_PARTS.iter().any(|part| slug.contains(part)) {
            return Err(SlugError::Reserved);
        }
        Ok(Self(slug))
    }

    /// Returns slugs that a name suggests, the best first.
    pub(super) fn suggest(name: &str) -> Vec<Self> {
        let folded = fold(name);
        let words = folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let mut name = words.collect::<Vec<_>>().join("-");
        name.truncate(MAX_SUGGESTED_NAME);
        let name = name.trim_end_matches('-');
        let suffixes = ["", "-hearts", "-playlists", "-2", "-3"];
        let is_named = !name.is_empty();
        suffixes.iter().filter(|_| is_named).filter_map(|suffix| Self::parse(&format!("{name}{suffix}")).ok()).collect()
    }

    /// Wraps a slug from the database, which was checked before it was stored.
    pub(super) fn from_stored(slug: String) -> Self {
        Self(slug)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_3_to_30_lowercase_letters_digits_and_hyphens() {
        for (typed, slug) in
            [("ada", "ada"), (" Ada-1815 ", "ada-1815"), ("123", "123"), (&"x".repeat(30), &"x".repeat(30))]
        {
            assert_eq!(Slug::parse(typed).unwrap().as_str(), slug);
        }
        for (typed, error) in [
            ("", SlugError::Length),
            ("ab", SlugError::Length),
            (&"x".repeat(31), SlugError::Length),
            ("a b", SlugError::Characters),
            ("ädä", SlugError::Characters),
            ("../x", SlugError::Characters),
            ("a_b", SlugError::Characters),
            ("-ada", SlugError::Hyphen),
            ("ada-", SlugError::Hyphen),
            ("admin", SlugError::Reserved),
            ("Admin", SlugError::Reserved),
            ("my-spotify", SlugError::Reserved),
            ("heartlist", SlugError::Reserved),
        ] {
            assert_eq!(Slug::parse(typed), Err(error), "{typed}");
        }
    }
    #[test]
    fn names_suggest_slugs() {
        for (name, first) in [
            ("Ada", Some("ada")),
            ("  Zoë O’Brien ☂ ", Some("zoe-o-brien")),
            ("Al", Some("al-hearts")),
            ("Spotify", None),
            ("Admin", Some("admin-hearts")),
            ("ليل", None),
            ("a-very-long-name-with-words", Some("a-very-long-name-wit")),
            ("a-very-long-name-12-words", Some("a-very-long-name-12")),
            ("", None),
        ] {
            let slugs = Slug::suggest(name);
            assert_eq!(slugs.first().map(Slug::as_str), first, "{name}");
            assert!(slugs.iter().all(|slug| Slug::parse(slug.as_str()).as_ref() == Ok(slug)), "{slugs:?}");
        }
    }
}

//! Slugs of public pages.

use std::fmt;

/// Slugs that could be mistaken for the site's own pages or its staff.
const RESERVED: [&str; 31] = [
    "about", "abuse", "account", "admin", "administrator", "anonymous", "api", "auth", "everyone", "feed", "feeds",
    "hearts", "help", "home", "login", "logout", "moderator", "official", "operator", "owner", "playlists", "privacy",
    "root", "security", "settings", "sharing", "staff", "support", "system", "terms", "you",
];
/// Substrings that no slug may contain.
const RESERVED_PARTS: [&str; 2] = ["heartlist", "spotify"];

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
}

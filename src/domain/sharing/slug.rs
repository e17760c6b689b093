//! The name of a page of hearts, as people choose it.

use std::fmt;

/// Slugs that would look as if the site, or Spotify, spoke.
const RESERVED: [&str; 31] = [
    "about",
    "abuse",
    "account",
    "admin",
    "administrator",
    "anonymous",
    "api",
    "auth",
    "everyone",
    "feed",
    "feeds",
    "hearts",
    "help",
    "home",
    "login",
    "logout",
    "moderator",
    "official",
    "operator",
    "owner",
    "playlists",
    "privacy",
    "root",
    "security",
    "settings",
    "sharing",
    "staff",
    "support",
    "system",
    "terms",
    "you",
];
/// Names that no slug may contain.
const NAMES: [&str; 2] = ["heartlist", "spotify"];

/// The name of a page of hearts: 3 to 30 of a-z, 0-9 and hyphen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

/// Why a text is no slug, in words for who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too short or too long.
    #[error("An address needs 3 to 30 characters.")]
    Length,
    /// Something else than letters, digits and hyphens.
    #[error("Use only the letters a to z, digits and hyphens.")]
    Characters,
    /// A hyphen where it gets lost.
    #[error("A hyphen goes between letters or digits, not at the start or the end.")]
    Hyphen,
    /// Reserved.
    #[error("This address is reserved, because it could be mistaken for part of the site. Choose another.")]
    Reserved,
}

impl Slug {
    /// What somebody typed as a slug: capital letters become small ones, spaces around it do not count.
    ///
    /// # Errors
    /// The first reason why it cannot be one.
    pub fn typed(text: &str) -> std::result::Result<Self, Unfit> {
        let slug = text.trim().to_ascii_lowercase();
        if !slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(Unfit::Characters);
        }
        if !(3..=30).contains(&slug.len()) {
            return Err(Unfit::Length);
        }
        if slug.starts_with('-') || slug.ends_with('-') {
            return Err(Unfit::Hyphen);
        }
        if RESERVED.contains(&slug.as_str()) || NAMES.iter().any(|name| slug.contains(name)) {
            return Err(Unfit::Reserved);
        }
        Ok(Self(slug))
    }

    /// One that was checked before it was kept.
    pub(super) fn kept(slug: String) -> Self {
        Self(slug)
    }

    /// The characters.
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
    fn slugs_are_3_to_30_small_letters_digits_and_hyphens() {
        for (typed, slug) in
            [("ada", "ada"), (" Ada-1815 ", "ada-1815"), ("123", "123"), (&"x".repeat(30), &"x".repeat(30))]
        {
            assert_eq!(Slug::typed(typed).unwrap().as_str(), slug);
        }
        for (typed, why) in [
            ("", Unfit::Length),
            ("ab", Unfit::Length),
            (&"x".repeat(31), Unfit::Length),
            ("a b", Unfit::Characters),
            ("ädä", Unfit::Characters),
            ("../x", Unfit::Characters),
            ("a_b", Unfit::Characters),
            ("-ada", Unfit::Hyphen),
            ("ada-", Unfit::Hyphen),
            ("admin", Unfit::Reserved),
            ("Admin", Unfit::Reserved),
            ("my-spotify", Unfit::Reserved),
            ("heartlist", Unfit::Reserved),
        ] {
            assert_eq!(Slug::typed(typed), Err(why), "{typed}");
        }
    }
}

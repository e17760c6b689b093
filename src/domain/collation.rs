//! Order of names in the reader's language, by Unicode's collation: "Ål" follows "Zebra" in Swedish and precedes it in
//! English. Numbers sort by value, so "Mix 2" comes before "Mix 10"; case and accents decide between equal names only.

use icu_collator::preferences::CollationNumericOrdering;
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;

use super::text::is_visible;

/// Language of a reader. The default is Unicode's common order, which suits English.
#[derive(Clone, Copy, Debug, Default)]
pub struct Language(CollatorPreferences);

impl Language {
    /// Returns the language of a BCP 47 tag such as `sv-SE`; `None` if it is not one.
    pub fn parse(tag: &str) -> Option<Self> {
        Locale::try_from_str(tag).ok().map(|locale| Self(locale.into()))
    }

    /// Sorts by name, from the last to the first if `is_reversed`. Entries with the same name keep their order, and
    /// those without a visible one come last.
    pub(super) fn sort_by_name<T>(self, entries: &mut [T], is_reversed: bool, name: impl Fn(&T) -> Option<&str>) {
        let mut preferences = self.0;
        preferences.numeric_ordering = Some(CollationNumericOrdering::True);
        let collator = CollatorBorrowed::try_new(preferences, Default::default())
            .or_else(|_| CollatorBorrowed::try_new(CollatorPreferences::default(), Default::default()));
        let is_named = |entry: &T| name(entry).is_some_and(is_visible);
        entries.sort_by_key(|entry| !is_named(entry));
        let named = entries.partition_point(is_named);
        entries[..named].sort_by(|a, b| {
            let (a, b) = (name(a).unwrap_or_default(), name(b).unwrap_or_default());
            let ordering = collator.as_ref().map_or(a.cmp(b), |collator| collator.compare(a, b));
            if is_reversed { ordering.reverse() } else { ordering }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sorts words by the order of a language; `None` is the default.
    fn sort<'a>(language: Option<&str>, text: &'a str) -> String {
        let mut words: Vec<&'a str> = text.split(' ').collect();
        let language = language.map_or_else(Language::default, |tag| Language::parse(tag).unwrap());
        language.sort_by_name(&mut words, false, |word| Some(word));
        words.join(" ")
    }

    #[test]
    fn letters_have_the_order_of_the_language() {
        for (language, sorted) in [
            (None, "Ål Ärlig öde über zebra Zebra"),
            (Some("en-GB"), "Ål Ärlig öde über zebra Zebra"),
            (Some("de"), "Ål Ärlig öde über zebra Zebra"),
            (Some("sv-SE"), "über zebra Zebra Ål Ärlig öde"),
            (Some("da"), "über Zebra zebra Ärlig öde Ål"),
            (Some("et"), "s š z ž t õ ä ö ü"),
            (Some("es"), "luna nube ñandú oso"),
            (Some("es-u-co-trad"), "cebra cura chico luna llama"),
            (Some("cs"), "cena čas hora chata"),
            (Some("xx-XX"), "Ål zebra"),
        ] {
            let reversed: Vec<_> = sorted.split(' ').rev().collect();
            assert_eq!(sort(language, &reversed.join(" ")), sorted, "{language:?}");
        }
        let mut names = [("a", 1), ("b", 1), ("a", 2), ("", 1)];
        Language::default().sort_by_name(&mut names, true, |(name, _)| Some(name));
        assert_eq!(names, [("b", 1), ("a", 1), ("a", 2), ("", 1)], "without a name stays last");
        assert!(["", "*", "sv_", "a", "1-2", "\u{e5}", "x-\0"].iter().all(|tag| Language::parse(tag).is_none()));
    }
}

//! Text: Spotify's markup as plain text, what is visible, and folding for searches.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use icu_normalizer::{
    ComposingNormalizerBorrowed as ComposingNormalizer, DecomposingNormalizerBorrowed as DecomposingNormalizer,
};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, Script};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Returns a description without markup. Spotify escapes user text and adds links, so tags are stripped before entities
/// are decoded: an owner's literal `<b>` stays readable as `<b>`.
pub(super) fn strip_markup(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        match after.split_once('>') {
            Some((_, after_tag)) => rest = after_tag,
            None => {
                text.push('<');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    html_escape::decode_html_entities(&text).trim().to_owned()
}

/// True for the quotation marks that searches accept, including the curly ones that phones type.
pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

/// True if the text shows anything. Spaces, controls, direction marks, fillers such as U+3164 and marks without a
/// letter do not: a link or a button named by them alone cannot be seen.
pub fn is_visible(text: &str) -> bool {
    // Most names begin with such a letter.
    text.chars().any(|c| c.is_ascii_graphic() || !c.is_ascii() && is_visible_char(c))
}

fn is_visible_char(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, SpaceSeparator};
    let category = CodePointMapData::new().get(c);
    let is_blank = matches!(category, Control | Format | SpaceSeparator | LineSeparator | ParagraphSeparator);
    !is_blank && !is_ignorable(c) && !is_mark(c)
}

/// Characters that render blank, although Unicode counts them as letters or symbols: the Braille blank, two Egyptian
/// blanks, the null notehead and the object replacement character.
const BLANKS: [char; 5] = ['\u{2800}', '\u{13441}', '\u{13442}', '\u{1d159}', '\u{fffc}'];

/// Longest name of a person, in characters. Spotify's have at most 30.
const MAX_NAME_CHARS: usize = 100;

/// Returns the name of a person, cut if it is too long.
pub fn cut_name(name: &str) -> String {
    match name.char_indices().nth(MAX_NAME_CHARS) {
        Some(_) => name.chars().take(MAX_NAME_CHARS - 1).chain(['…']).collect(),
        None => name.to_owned(),
    }
}

/// Shown in place of a playlist's name that shows nothing.
pub const UNTITLED: &str = "Untitled playlist";

/// Returns `name`, or `substitute` if it shows nothing.
pub fn visible_or(name: String, substitute: &str) -> String {
    if is_visible(&name) { name } else { substitute.to_owned() }
}

/// Version of the rules of [`fold`]. Stored texts are folded again after it has been raised.
pub(super) const FOLD_VERSION: i32 = 1;

/// Folds text for comparison: without case, accents, and differences of width, whitespace and quotes.
///
/// Marks are accents where collation ignores them at its primary strength and the script is an alphabet that people
/// also type without them. Elsewhere they make other letters (kana voicing, Indic vowels, Thai tones) and stay.
pub fn fold(text: &str) -> String {
    let folded: String = match text.is_ascii() {
        true => text.chars().flat_map(char::to_lowercase).flat_map(fold_letter).collect(),
        false => fold_letters_and_marks(text),
    };
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fold_letters_and_marks(text: &str) -> String {
    let nfkd = DecomposingNormalizer::new_nfkd();
    let lower = nfkd.normalize_iter(text.chars().filter(|c| !is_ignorable(*c))).flat_map(char::to_lowercase);
    let mut base = ' ';
    let letters = nfkd.normalize_iter(lower).flat_map(fold_letter).filter(|c| {
        if is_mark(*c) {
            return !is_accent(base, *c);
        }
        base = *c;
        true
    });
    // Composed again: decomposed, ハ would be found in パ.
    ComposingNormalizer::new_nfc().normalize_iter(letters).collect()
}

/// Letters that decompose into a base letter and a mark, and that collation distinguishes from the base: in all
/// languages (CLDR's root), and in Ukrainian, Belarusian and Macedonian. Russian readers look for ё under е, as in the
/// root.
const LETTERS_WITH_MARKS: [(char, char); 10] = [
    ('и', '\u{306}'),
    ('і', '\u{308}'),
    ('у', '\u{306}'),
    ('г', '\u{301}'),
    ('к', '\u{301}'),
    ('ا', '\u{653}'),
    ('ا', '\u{654}'),
    ('ا', '\u{655}'),
    ('و', '\u{654}'),
    ('ي', '\u{654}'),
];

fn is_accent(base: char, mark: char) -> bool {
    let script = CodePointMapData::<Script>::new();
    match script.get(base) {
        Script::Latin | Script::Greek | Script::Cyrillic | Script::Hebrew | Script::Arabic => {
            !LETTERS_WITH_MARKS.contains(&(base, mark))
        }
        // Digits, symbols, or no letter at all. U+3099 and U+309A are kana's.
        Script::Common => script.get(mark) == Script::Inherited && !matches!(mark, '\u{3099}' | '\u{309a}'),
        _ => false,
    }
}

/// Folds what has no decomposition: letters with a stroke or tail, because other keyboards lack them; digits of all
/// scripts; quotes and spaces.
fn fold_letter(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' | 'ð' => ('d', None),
        'ħ' => ('h', None),
        'ı' => ('i', None),
        'ς' => ('σ', None),
        '‘' | '’' | 'ʼ' | '`' => ('\'', None),
        c if c.is_whitespace() || c.is_control() => (' ', None),
        c => (to_ascii_digit(c).unwrap_or(c), None),
    };
    [first].into_iter().chain(second)
}

/// Rows of decimal digits of all scripts, in ascending order. Unicode encodes the ten digits of each in a row.
static DIGIT_ROWS: LazyLock<Vec<RangeInclusive<u32>>> = LazyLock::new(|| {
    CodePointMapData::<GeneralCategory>::new().iter_ranges_for_value(GeneralCategory::DecimalNumber).collect()
});

/// Returns the ASCII digit of the same value. Searches a table: going through the ranges of all categories takes 2,000
/// times as long, a minute for an import of notes made of digits.
fn to_ascii_digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    let code_point = u32::from(c);
    let row = DIGIT_ROWS.get(DIGIT_ROWS.partition_point(|row| *row.end() < code_point))?;
    let value = code_point.checked_sub(*row.start())? % 10;
    char::from_digit(value, 10)
}

/// True for nonspacing and enclosing marks.
fn is_mark(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(category, GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

/// True for characters that are not displayed, such as joiners, direction marks, fillers and blanks.
pub fn is_ignorable(c: char) -> bool {
    BLANKS.contains(&c) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_is_stripped_and_literal_text_stays() {
        assert_eq!(strip_markup(r#"Rock &amp; <a href="spotify:playlist:x">Roll</a> &lt;3"#), "Rock & Roll <3");
        assert_eq!(strip_markup("1 < 2"), "1 < 2");
        assert_eq!(strip_markup("&lt;script&gt;"), "<script>");
        assert_eq!(strip_markup(" "), "");
    }

    #[test]
    fn folding_ignores_case_accents_and_whitespace() {
        for (text, folded) in [
            ("Mañana será  otro Ritmo ", "manana sera otro ritmo"),
            ("Måneskinn på kjøkkenet", "maneskinn pa kjokkenet"),
            ("Kahvaltı İSTANBUL", "kahvalti istanbul"),
            ("STRASSE Straße", "strasse strasse"),
            ("ΟΔΥΣΣΕΥΣ Ὀδυσσεύς", "οδυσσευσ οδυσσευσ"),
            ("Keepers’ Choice", "keepers' choice"),
            ("ＦＵＬＬ ﬁre ℡", "full fire tel"),
            ("a\u{202e}b\u{202c}\0c", "ab c"),
            ("雨の日のカセット", "雨の日のカセット"),
        ] {
            assert_eq!(fold(text), fold(folded), "{text}");
            assert!(!folded.is_ascii() || fold(text) == folded, "{text}: {}", fold(text));
        }
        assert_eq!(fold("e\u{301}"), fold("é"), "however it is composed");
    }

    #[test]
    fn marks_that_make_letters_are_kept() {
        for (text, query) in [
            ("ハハ", "パパ"),
            ("ババ", "パパ"),
            ("パパ", "ハハ"),
            ("रोम", "राम"),
            ("มา", "ม้า"),
            ("कील", "काल"),
            ("кои", "кой"),
            ("мой", "мои"),
            ("іжак", "їжак"),
            ("தீ", "தா"),
            ("각", "가"),
            ("ব", "বি"),
            ("اب", "أب"),
        ] {
            assert!(!fold(text).contains(&fold(query)), "{query} finds {text}");
            assert!(fold(text).contains(&fold(text)));
        }
    }

    #[test]
    fn accents_are_dropped_in_alphabets() {
        for (text, query) in [
            ("Ёлка и мой кофе", "елка И МОЙ"),
            ("Όλα καλά ΐ", "ολα ΚΑΛΑ ι"),
            ("Tiếng Việt", "tieng viet"),
            ("שָׁלוֹם", "שלום"),
            ("مُوسِيقَى", "موسيقى"),
            ("ﾊﾟﾊﾟ", "パパ"),
            ("Mix ٢٠ १५", "mix 20 15"),
            ("co\u{ad}op\u{feff}\u{3164}", "coop"),
            ("1\u{fe0f}\u{20e3}", "1"),
        ] {
            assert!(fold(text).contains(&fold(query)), "{query} does not find {text}: {}", fold(text));
        }
    }

    #[test]
    fn digits_of_all_scripts_are_folded_by_their_value() {
        let categories = CodePointMapData::<GeneralCategory>::new();
        let digits = ('\0'..=char::MAX).filter(|c| categories.get(*c) == GeneralCategory::DecimalNumber);
        let folded: String = digits.map(|c| fold(&c.to_string())).collect();
        assert!(folded.len() > 700 && folded == "0123456789".repeat(folded.len() / 10), "{folded}");
        assert_eq!(('\0'..=char::MAX).filter_map(to_ascii_digit).count(), folded.len() - 10, "and nothing else");
        assert!(DIGIT_ROWS.is_sorted_by_key(|range| *range.start()), "for the binary search");
    }

    /// Collation's primary strength ignores accents and case, and nothing else.
    #[test]
    fn accents_are_those_that_collation_ignores() {
        let mut options = icu_collator::options::CollatorOptions::default();
        options.strength = Some(icu_collator::options::Strength::Primary);
        let root = icu_collator::Collator::try_new(Default::default(), options).unwrap();
        let scripts = CodePointMapData::<Script>::new();
        let alphabets = [Script::Latin, Script::Greek, Script::Cyrillic, Script::Hebrew, Script::Arabic];
        let decompose = DecomposingNormalizer::new_nfd();
        let letters = ('\0'..=char::MAX).filter(|c| alphabets.contains(&scripts.get(*c)) && !is_mark(*c));
        let mut compared = 0;
        for letter in letters.map(String::from) {
            let base: String = decompose.normalize_iter(letter.chars()).filter(|c| !is_mark(*c)).collect();
            if base != letter && !"їўѓќ".contains(&letter.to_lowercase()) {
                let is_accented = root.compare(&letter, &base).is_eq();
                assert_eq!(fold(&letter) == fold(&base), is_accented, "{letter} and {base}");
                compared += 1;
            }
        }
        assert!(compared > 800, "{compared}");
    }

    #[test]
    fn invisible_text_is_recognized() {
        let nothing = [
            "", " ", "\u{3164}", "\u{2800}", "\u{200b}", "\u{ad}", "\u{202e}\u{2066}", "\u{feff}\u{a0}\u{3000}",
            "\u{115f}\u{1160}\u{ffa0}", "\u{e0041}", "\u{301}", "\u{fe0f}", "\u{2028}\t\n", "\u{13441}", "\u{1d159}",
        ];
        for text in nothing {
            assert!(!is_visible(text), "{text:?}");
        }
        for text in ["a", "\u{202e}a", "雨", "🎧", "ـ", ".", "ा", "\u{f8ff}", "‐", "\u{fffd}"] {
            assert!(is_visible(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_is_idempotent(text in any::<String>()) {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded);
        }
    }
}

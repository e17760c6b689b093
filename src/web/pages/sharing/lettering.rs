//! Text as outlines, in the serif of the pages.

use std::collections::HashMap;
use std::sync::LazyLock;

use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};

use crate::domain::text::is_ignorable;

static FONT: LazyLock<Font> = LazyLock::new(|| Font::parse(include_str!("glyphs.txt")));

/// Measures are thousandths of the font size.
#[derive(Default)]
struct Font {
    glyphs: HashMap<char, Glyph>,
    kerning: HashMap<(char, char), f32>,
}

struct Glyph {
    advance: f32,
    outline: String,
    /// The letter without accents, by which it is kerned.
    base: char,
}

impl Font {
    /// Parses the file that `script/glyphs` writes.
    fn parse(text: &str) -> Self {
        let mut font = Self::default();
        for line in text.lines().skip(1) {
            let mut columns = line.split('\t');
            let mut next = || columns.next().unwrap_or_default();
            let c = next().parse().expect("a character in each line");
            font.add_glyph(c, next().parse().expect("an advance in each line"), next());
            for pair in next().split_terminator(' ') {
                let (right, value) = pair.split_at(pair.chars().next().map_or(0, char::len_utf8));
                let right = right.parse().expect("a character in each pair");
                font.kerning.insert((c, right), value.parse().expect("a kerning in each pair"));
            }
        }
        font
    }

    fn add_glyph(&mut self, c: char, advance: f32, outline: &str) {
        let base = DecomposingNormalizer::new_nfd().normalize_iter([c].into_iter()).next().unwrap_or(c);
        let outline = match outline.strip_prefix('+') {
            Some(accents) => format!("{}{accents}", self.glyphs[&base].outline),
            None => outline.to_owned(),
        };
        self.glyphs.insert(c, Glyph { advance, outline, base });
    }
}

/// Returns `text` as the font can draw it: composed, on one line, without invisible characters. `None` if the font
/// lacks a character.
pub(super) fn to_drawable(text: &str) -> Option<String> {
    let visible: String = text.chars().filter(|c| !is_ignorable(*c)).collect();
    let words: Vec<_> = visible.split_whitespace().collect();
    let text = ComposingNormalizer::new_nfc().normalize(&words.join(" ")).into_owned();
    (!text.is_empty() && text.chars().all(|c| FONT.glyphs.contains_key(&c))).then_some(text)
}

/// Returns the outlines of a line with the position of each, in thousandths of the font size, and the width of the
/// line. Characters that the font lacks are left out.
pub(super) fn outlines(line: &str) -> (Vec<(&'static str, f32)>, f32) {
    let (mut outlines, mut x, mut previous) = (Vec::new(), 0.0, None);
    for glyph in line.chars().filter_map(|c| FONT.glyphs.get(&c)) {
        x += previous.and_then(|previous| FONT.kerning.get(&(previous, glyph.base))).unwrap_or(&0.0);
        outlines.push((glyph.outline.as_str(), x));
        x += glyph.advance;
        previous = Some(glyph.base);
    }
    (outlines, x)
}

/// Breaks `text` between words and after hyphens into lines of at most `max_width`. `None` if it needs more than
/// `max_lines`, or if a word is wider.
pub(super) fn wrap(text: &str, max_width: f32, max_lines: usize) -> Option<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    let is_fitting = |line: &str| outlines(line.trim_end()).1 <= max_width;
    for word in text.split_inclusive([' ', '-']) {
        match lines.last_mut() {
            Some(line) if is_fitting(&format!("{line}{word}")) => line.push_str(word),
            _ if is_fitting(word) => lines.push(word.to_owned()),
            _ => return None,
        }
    }
    (lines.len() <= max_lines).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_has_an_outline() {
        for (c, glyph) in &FONT.glyphs {
            let (mask, _) = zeno::Mask::new(glyph.outline.as_str()).render();
            assert_eq!(mask.iter().any(|coverage| *coverage > 0), !c.is_whitespace(), "{c:?}");
        }
        assert!(('!'..='~').chain('À'..='ž').all(|c| "Ĳĳŉ".contains(c) || FONT.glyphs.contains_key(&c)));
    }

    #[test]
    fn accented_letters_are_kerned_like_their_base() {
        let width = |text| outlines(text).1;
        assert!(width("AV") < width("A") + width("V"));
        assert_eq!(width("ÀV"), width("AV"));
    }

    #[test]
    fn lines_break_between_words_and_after_hyphens() {
        let lines = wrap("Ada and Noor-Mira", outlines("Ada and").1, 3).unwrap();
        assert_eq!(lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>(), ["Ada and", "Noor-", "Mira"]);
        assert!(wrap("Ada and Noor-Mira", outlines("Ada and").1, 2).is_none());
        assert!(wrap("Adamantine", outlines("Ada").1, 9).is_none());
    }
}

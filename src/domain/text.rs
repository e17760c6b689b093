//! Conversion of Spotify's markup to plain text, and text folding for searches.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

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

/// Folds text for comparison: without case, accents, and differences of whitespace and quotes. NFKD removes most
/// accents; letters with a stroke or tail have no decomposition and are mapped here, because other keyboards lack them.
pub fn fold(text: &str) -> String {
    let decomposed = text.nfkd().flat_map(char::to_lowercase).nfkd().filter(|c| !is_combining_mark(*c));
    let mut folded = String::with_capacity(text.len());
    for c in decomposed {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            '‘' | '’' | 'ʼ' | '`' => folded.push('\''),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_whitespace() || c.is_control() => folded.push(' '),
            c => folded.push(c),
        }
    }
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{fold, strip_markup};

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
}

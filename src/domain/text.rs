//! Spotify's texts as plain text.

/// A description without its markup: Spotify escapes what people write and adds links of its own, so tags
/// go first and only then are entities read; what an owner wrote as `<b>` stays readable as `<b>`.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        match after.split_once('>') {
            Some((_, beyond)) => rest = beyond,
            None => {
                text.push('<');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    html_escape::decode_html_entities(&text).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn markup_goes_and_what_people_wrote_stays() {
        assert_eq!(plain(r#"Rock &amp; <a href="spotify:playlist:x">Roll</a> &lt;3"#), "Rock & Roll <3");
        assert_eq!(plain("1 < 2"), "1 < 2");
        assert_eq!(plain("&lt;script&gt;"), "<script>");
        assert_eq!(plain(" "), "");
    }
}

//! The file `.env`, in the working directory or one above it.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use super::env_reader::ConfigErrors;

/// Without the line, which may contain a secret.
const UNREADABLE: &str =
    ".env cannot be read: each line must be NAME=value, with quotes around values that have spaces";
const UTF_16: &str = ".env is encoded as UTF-16, as some Windows programs do. Save it as UTF-8";
const NOT_UTF_8: &str = ".env has characters that are not encoded as UTF-8. Save it as UTF-8";
/// Stands for `$` while dotenvy parses the file, because it would substitute a variable. Unicode reserves noncharacters
/// for such internal use.
const DOLLAR: char = '\u{fdd0}';

/// Returns the variables of the file; none if there is no file.
pub(super) fn read() -> Result<HashMap<String, String>, ConfigErrors> {
    let error = |message: &str| ConfigErrors(vec![message.to_owned()]);
    let Some(path) = find() else { return Ok(HashMap::new()) };
    let bytes = fs::read(path).map_err(|_| error(UNREADABLE))?;
    decode(&bytes).and_then(parse).map_err(error)
}

fn find() -> Option<PathBuf> {
    let folder = std::env::current_dir().ok()?;
    folder.ancestors().map(|folder| folder.join(".env")).find(|path| path.is_file())
}

/// Decodes UTF-8, with or without a byte order mark. Text in UTF-16 has one of its own, or NUL bytes.
fn decode(bytes: &[u8]) -> Result<&str, &'static str> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0) {
        return Err(UTF_16);
    }
    let text = str::from_utf8(bytes).map_err(|_| NOT_UTF_8)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Parses lines of `NAME=value`. Values are literal: passwords contain `$`.
fn parse(text: &str) -> Result<HashMap<String, String>, &'static str> {
    let mut is_escaped = false;
    let hidden = text.chars().map(|c| {
        let hidden = if c == '$' && !is_escaped { DOLLAR } else { c };
        is_escaped = c == '\\' && !is_escaped;
        hidden
    });
    let hidden: String = hidden.collect();
    let variables = dotenvy::from_read_iter(hidden.as_bytes());
    let restore = |(name, value): (String, String)| (name, value.replace(DOLLAR, "$"));
    variables.map(|variable| variable.map(restore)).collect::<Result<_, _>>().map_err(|_| UNREADABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_literal() {
        for (written, expected) in [
            ("pa$word", "pa$word"),
            ("$word", "$word"),
            ("\"a $HOME ${A} $\"", "a $HOME ${A} $"),
            ("'a $A \\$A'", "a $A \\$A"),
            ("a\\$b", "a$b"),
            ("\"a\\\\$b\"", "a\\$b"),
            ("a#b # $c", "a#b"),
            ("", ""),
        ] {
            let text = format!("# it's $5\nA=set\nexport NAME={written}\n");
            assert_eq!(parse(&text).unwrap()["NAME"], expected, "{written}");
        }
        assert_eq!(parse("NAME=a b"), Err(UNREADABLE));
    }
}

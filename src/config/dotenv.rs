//! The file `.env` of the working directory. Not one of a directory above it, where others may write.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};

use super::env_reader::ConfigErrors;

/// Does not quote the line, which may contain a secret.
const UNREADABLE: &str =
    ".env cannot be read: each line must be NAME=value, with quotes around values that have spaces";
const WRITABLE_BY_OTHERS: &str =
    ".env can be changed by other users of this computer, and is not read: run `chmod go-w .env`";
const OWNED_BY_ANOTHER: &str =
    ".env belongs to another user of this computer, and is not read: give it to the user who runs Heartlist";
const NOT_A_FILE: &str = ".env is not a regular file, and is not read";
const UTF_16: &str = ".env is encoded as UTF-16, as some Windows programs do. Save it as UTF-8";
const NOT_UTF_8: &str = ".env has characters that are not encoded as UTF-8. Save it as UTF-8";
/// Stands for `$` while dotenvy parses the file, because it would substitute a variable. Unicode reserves noncharacters
/// for such internal use.
const DOLLAR: char = '\u{fdd0}';

/// Returns the variables of the file; none if there is no file.
pub(super) fn read() -> Result<HashMap<String, String>, ConfigErrors> {
    let error = |message: &str| ConfigErrors(vec![message.to_owned()]);
    let mut file = match open() {
        Ok(file) => file,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(cause) => return Err(error(&cannot_be_read(&cause))),
    };
    check_writers(&file).map_err(error)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|cause| error(&cannot_be_read(&cause)))?;
    decode(&bytes).and_then(parse).map_err(error)
}

/// Opens the file without blocking: another user may have made a FIFO, which would block forever.
#[cfg(unix)]
fn open() -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(".env")
}

#[cfg(not(unix))]
fn open() -> std::io::Result<File> {
    File::open(".env")
}

fn cannot_be_read(cause: &std::io::Error) -> String {
    format!(".env cannot be read: {}", cause.kind())
}

/// Fails if this is not a regular file, or if users other than root and the process's own may write to it: its settings
/// decide where secrets are sent.
#[cfg(unix)]
fn check_writers(file: &File) -> Result<(), &'static str> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata().map_err(|_| UNREADABLE)?;
    if !metadata.is_file() {
        return Err(NOT_A_FILE);
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(WRITABLE_BY_OTHERS);
    }
    let is_own = metadata.uid() == 0 || metadata.uid() == rustix::process::geteuid().as_raw();
    is_own.then_some(()).ok_or(OWNED_BY_ANOTHER)
}

#[cfg(not(unix))]
fn check_writers(_: &File) -> Result<(), &'static str> {
    Ok(())
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

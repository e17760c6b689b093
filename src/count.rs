//! Counts, as people read them.

use std::fmt;

/// A count with thousands separators, such as `1,234`. Needs no HTML escaping.
pub(crate) struct Count(u64);

pub(crate) fn count(number: impl TryInto<u64>) -> Count {
    Count(number.try_into().unwrap_or_default())
}

/// Formats a count with its noun, such as `1 heart` or `1,234 hearts`.
pub(crate) fn pluralize(number: impl TryInto<u64>, noun: &str) -> String {
    let number = count(number);
    let ending = if number.0 == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

impl Count {
    pub(crate) fn write(&self, out: &mut (impl fmt::Write + ?Sized)) -> fmt::Result {
        // The longest has 20 digits and 6 commas, which are in the buffer already: every fourth position from the end.
        let (mut text, mut start, mut rest) = ([b','; 26], 26, self.0);
        loop {
            start -= if (26 - start) % 4 == 3 { 2 } else { 1 };
            text[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                return out.write_str(str::from_utf8(&text[start..]).map_err(|_| fmt::Error)?);
            }
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{count, pluralize};

    #[test]
    fn counts_have_thousands_separators() {
        let formatted = [0, 999, 1000, 123_456, 1_234_567].map(|number: u64| count(number).to_string());
        assert_eq!(formatted, ["0", "999", "1,000", "123,456", "1,234,567"]);
        assert_eq!(count(u64::MAX).to_string(), "18,446,744,073,709,551,615");
        assert_eq!(count(-1).to_string(), "0");
    }

    #[test]
    fn one_alone_is_singular() {
        assert_eq!(
            [0, 1, 2, 1000].map(|number| pluralize(number, "heart")),
            ["0 hearts", "1 heart", "2 hearts", "1,000 hearts"]
        );
    }
}

//! Parameters of a query string or a form body, each at most once (RFC 6749 §3.1, §3.2).

/// Error: a parameter was sent twice, or the text is too long.
pub(crate) struct InvalidParams;

/// Longest text that is parsed. Duplicates are found in quadratic time, and codes keep what they were requested with.
const MAX_BYTES: usize = 8 * 1024;

#[derive(Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Parses `a=1&b=2`. A parameter without a value counts as omitted (RFC 6749 §3.1).
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidParams> {
        if text.len() > MAX_BYTES {
            return Err(InvalidParams);
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(InvalidParams);
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self(pairs))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }

    pub(crate) fn get_owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_parameters_are_rejected_and_empty_ones_ignored() {
        assert!(Params::parse("a=1&a=1").is_err());
        assert!(Params::parse(&"&".repeat(8 * 1024 + 1)).is_err());
        let params = Params::parse("a=x+y%20z&b=").ok().unwrap();
        assert_eq!(params.get("a"), Some("x y z"));
        assert_eq!(params.get("b"), None);
    }
}

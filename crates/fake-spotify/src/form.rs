//! Parameters of a query string or a form body, each at most once (RFC 6749 §3.1, §3.2).

/// A parameter that came twice.
pub(super) struct Repeated;

pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `a=1&b=2`. A parameter without a value counts as left out (RFC 6749 §3.1).
    pub(super) fn read(text: &str) -> Result<Self, Repeated> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Repeated);
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_twice_is_refused_and_an_empty_one_is_absent() {
        assert!(Params::read("a=1&a=1").is_err());
        let params = Params::read("a=x+y%20z&b=").ok().unwrap();
        assert_eq!(params.get("a"), Some("x y z"));
        assert_eq!(params.get("b"), None);
    }
}

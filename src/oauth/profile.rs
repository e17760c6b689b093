//! Who somebody is, in the words of a provider that is asked for nothing else.

use oauth2::http::header::{ACCEPT, AUTHORIZATION};
use oauth2::{HttpRequest, http};
use serde_json::Value;

use super::providers::{Card, Email};
use super::{Client, Error};
use crate::ids::Secret;

/// Somebody whom a provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The id that never changes.
    pub subject: String,
    /// What they are called; none: the provider does not say.
    pub name: Option<String>,
    /// Their e-mail address, where the provider gives one.
    pub email: Option<Address>,
}

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address, as the provider spells it.
    pub text: String,
    /// Whether the provider says that it is the person's.
    pub verified: bool,
}

impl Client {
    /// Asks the provider whose token this is.
    ///
    /// # Errors
    /// See [`Error`]; also when the answer names nobody.
    pub async fn profile(&self, access: &Secret) -> Result<Profile, Error> {
        let card = self.row.card.as_ref().ok_or_else(|| Error::Away("this provider has no card".into()))?;
        let told = self.ask(card.path, access).await?;
        let subject = id(&told, card.subject).ok_or_else(|| Error::Away("an answer without an id".into()))?;
        let email = match &card.email {
            Email::Never => None,
            Email::Claimed(at) => text(&told, at).map(|text| Address { text, verified: false }),
            Email::Told { address, verified } => text(&told, address)
                .map(|text| Address { text, verified: told.pointer(verified) == Some(&Value::Bool(true)) }),
            Email::List(path) => primary(&self.ask(path, access).await?),
        };
        Ok(Profile { subject, name: name(card, &told), email })
    }

    async fn ask(&self, path: &str, access: &Secret) -> Result<Value, Error> {
        let request = http::Request::get(format!("{}{path}", self.api))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", access.expose()));
        let request: HttpRequest = request.body(Vec::new()).map_err(|error| Error::Away(error.to_string()))?;
        let answer = self.http.send(request).await?;
        if !answer.status().is_success() {
            return Err(Error::Away(format!("status {} for a profile", answer.status().as_u16())));
        }
        serde_json::from_slice(answer.body()).map_err(|_| Error::Away("a profile that is no JSON".into()))
    }
}

fn text(told: &Value, at: &str) -> Option<String> {
    let text = told.pointer(at)?.as_str()?.trim();
    // Postgres stores every character but one.
    (!text.is_empty() && !text.contains('\0')).then(|| text.to_owned())
}

/// A text or a whole number: a fraction or an object is no id.
fn id(told: &Value, at: &str) -> Option<String> {
    let number = || told.pointer(at)?.as_u64().map(|number| number.to_string());
    text(told, at).or_else(number)
}

fn name(card: &Card, told: &Value) -> Option<String> {
    card.names.iter().find_map(|at| text(told, at))
}

/// The primary address of a list, if it is verified.
fn primary(list: &Value) -> Option<Address> {
    let says = |entry: &Value, what: &str| entry.get(what) == Some(&Value::Bool(true));
    let entry = list.as_array()?.iter().find(|entry| says(entry, "primary") && says(entry, "verified"))?;
    text(entry, "/email").map(|text| Address { text, verified: true })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_a_text_or_a_whole_number() {
        for (told, expected) in [
            (json!({"id": 583231}), Some("583231")),
            (json!({"id": "10158"}), Some("10158")),
            (json!({"id": 1.5}), None),
            (json!({"id": ""}), None),
            (json!({"id": null}), None),
            (json!({"id": -1}), None),
            (json!([]), None),
        ] {
            assert_eq!(id(&told, "/id").as_deref(), expected, "{told}");
        }
    }

    #[test]
    fn only_a_primary_address_that_is_verified_counts() {
        let entry = |email: &str, primary: bool, verified: bool| json!({"email": email, "primary": primary, "verified": verified});
        let list = json!([entry("old@a.test", false, true), entry("new@a.test", true, true)]);
        assert_eq!(primary(&list).unwrap().text, "new@a.test");
        assert_eq!(primary(&json!([entry("new@a.test", true, false), entry("old@a.test", false, true)])), None);
        assert_eq!(primary(&json!({"message": "Not Found"})), None);
    }
}

//! The user's profile, from a provider's userinfo endpoint.

use oauth2::http::StatusCode;
use oauth2::http::header::{ACCEPT, AUTHORIZATION};
use oauth2::{HttpRequest, http};
use serde_json::Value;

use super::client::Client;
use super::error::Error;
use super::providers::{EmailSource, UserinfoEndpoint};
use crate::ids::{Provider, Secret};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub provider: Provider,
    /// The provider's id of the user, which never changes.
    pub subject: String,
    /// The user's id as the owner of playlists; Spotify only.
    pub handle: Option<String>,
    pub name: Option<String>,
    pub email: Option<EmailAddress>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress {
    pub address: String,
    pub is_verified: bool,
}

impl Client {
    /// Fetches the profile of the user whose access token this is.
    pub async fn fetch_profile(&self, access: &Secret) -> Result<Profile, Error> {
        let endpoint = self
            .spec
            .userinfo
            .as_ref()
            .ok_or_else(|| Error::Unavailable("this provider has no userinfo endpoint".into()))?;
        let json = self.get_json(endpoint.path, access).await?;
        let json = json.ok_or_else(|| Error::Unavailable("status 403 or 404 for a profile".into()))?;
        let subject =
            id_at(&json, endpoint.subject).ok_or_else(|| Error::Unavailable("the profile has no id".into()))?;
        let email = match &endpoint.email {
            EmailSource::NotProvided => None,
            EmailSource::Unverified(pointer) => {
                text_at(&json, pointer).map(|address| EmailAddress { address, is_verified: false })
            }
            EmailSource::WithVerifiedFlag { address, verified } => text_at(&json, address).map(|address| {
                EmailAddress { address, is_verified: json.pointer(verified) == Some(&Value::Bool(true)) }
            }),
            // GitHub answers 403 or 404 without the permission. The address is optional.
            EmailSource::List(path) => self.get_json(path, access).await?.as_ref().and_then(primary_email),
        };
        let name = display_name(endpoint, &json);
        Ok(Profile { provider: self.provider(), subject, handle: None, name, email })
    }

    /// Returns `None` if the token does not permit it.
    async fn get_json(&self, path: &str, access: &Secret) -> Result<Option<Value>, Error> {
        let request = http::Request::get(format!("{}{path}", self.api))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", access.expose()));
        let request: HttpRequest = request.body(Vec::new()).map_err(|error| Error::Unavailable(error.to_string()))?;
        let response = self.http.send(request).await?;
        match response.status() {
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Ok(None),
            status if !status.is_success() => {
                Err(Error::Unavailable(format!("status {} for a profile", status.as_u16())))
            }
            _ => serde_json::from_slice(response.body())
                .map_err(|_| Error::Unavailable("the profile is not JSON".into())),
        }
    }
}

/// Longest text that is read; an email address has at most 254 characters (RFC 5321 section 4.5.3.1).
const MAX_TEXT_BYTES: usize = 1024;

fn text_at(json: &Value, pointer: &str) -> Option<String> {
    let text = json.pointer(pointer)?.as_str()?.trim();
    // Postgres cannot store NUL in text.
    (!text.is_empty() && !text.contains('\0') && text.len() <= MAX_TEXT_BYTES).then(|| text.to_owned())
}

/// Returns the id at `pointer` if it is a string or an unsigned integer.
fn id_at(json: &Value, pointer: &str) -> Option<String> {
    let number = || json.pointer(pointer)?.as_u64().map(|number| number.to_string());
    text_at(json, pointer).or_else(number)
}

fn display_name(endpoint: &UserinfoEndpoint, json: &Value) -> Option<String> {
    endpoint.names.iter().find_map(|pointer| text_at(json, pointer))
}

/// Returns the primary address of a list if it is verified.
fn primary_email(list: &Value) -> Option<EmailAddress> {
    let is_true = |entry: &Value, field: &str| entry.get(field) == Some(&Value::Bool(true));
    let entry = list.as_array()?.iter().find(|entry| is_true(entry, "primary") && is_true(entry, "verified"))?;
    text_at(entry, "/email").map(|address| EmailAddress { address, is_verified: true })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_a_string_or_an_unsigned_integer() {
        for (json, expected) in [
            (json!({"id": 583231}), Some("583231")),
            (json!({"id": "10158"}), Some("10158")),
            (json!({"id": 1.5}), None),
            (json!({"id": ""}), None),
            (json!({"id": null}), None),
            (json!({"id": -1}), None),
            (json!([]), None),
        ] {
            assert_eq!(id_at(&json, "/id").as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn only_a_primary_address_that_is_verified_counts() {
        let entry = |email: &str, primary: bool, verified: bool| json!({"email": email, "primary": primary, "verified": verified});
        let list = json!([entry("old@a.test", false, true), entry("new@a.test", true, true)]);
        assert_eq!(primary_email(&list).unwrap().address, "new@a.test");
        assert_eq!(primary_email(&json!([entry("new@a.test", true, false), entry("old@a.test", false, true)])), None);
        assert_eq!(primary_email(&json!({"message": "Not Found"})), None);
    }
}

//! The token response (RFC 6749 section 5.1), read leniently: providers send numbers as text, scopes as lists, and
//! leave out fields.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// Upper bound of `expires_in`; larger values would overflow the expiry.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct LooseTokenResponse {
    #[serde(deserialize_with = "access_token")]
    access_token: AccessToken,
    #[serde(default, deserialize_with = "lifetime")]
    expires_in: Option<Duration>,
    #[serde(default, deserialize_with = "refresh_token")]
    refresh_token: Option<RefreshToken>,
    #[serde(default, deserialize_with = "scopes")]
    scope: Option<Vec<Scope>>,
    #[serde(default)]
    id_token: Value,
}

impl LooseTokenResponse {
    /// Returns when the user last signed in at the provider, if its ID token says so (OpenID Connect Core section 2).
    /// Its signature is not needed: it comes from the token endpoint over TLS (section 3.1.3.7).
    pub(super) fn auth_time(&self) -> Option<OffsetDateTime> {
        let payload = URL_SAFE_NO_PAD.decode(self.id_token.as_str()?.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        OffsetDateTime::from_unix_timestamp(claims.get("auth_time")?.as_i64()?).ok()
    }
}

impl TokenResponse for LooseTokenResponse {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// All five providers issue bearer tokens, whether they say so or not.
    fn token_type(&self) -> &BasicTokenType {
        &BasicTokenType::Bearer
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scope.as_ref()
    }
}

fn access_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccessToken, D::Error> {
    let token = non_empty_text(&Value::deserialize(deserializer)?).map(AccessToken::new);
    token.ok_or_else(|| D::Error::custom("no access token"))
}

fn refresh_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RefreshToken>, D::Error> {
    Ok(non_empty_text(&Value::deserialize(deserializer)?).map(RefreshToken::new))
}

fn non_empty_text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Reads seconds, as a number or as text. Anything but a number above 0 counts as missing.
fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let seconds = seconds.filter(|seconds| *seconds > 0.0).map(|seconds| seconds.min(MAX_LIFETIME.as_secs_f64()));
    Ok(seconds.map(Duration::from_secs_f64))
}

/// Reads scopes separated by spaces or commas, in a text or a list.
fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Scope>>, D::Error> {
    let texts = match Value::deserialize(deserializer)? {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(|scope| scope.as_str().map(str::to_owned)).collect(),
        _ => return Ok(None),
    };
    let scopes = texts.iter().flat_map(|text| text.split([' ', ',', '\n', '\t']));
    Ok(Some(scopes.filter(|scope| !scope.is_empty()).map(|scope| Scope::new(scope.to_owned())).collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(fields: Value) -> LooseTokenResponse {
        let mut response = json!({"access_token": "a"});
        response.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(response).unwrap()
    }

    #[test]
    fn lifetime_is_a_number_or_text_above_zero() {
        let seconds = |value: Value| read(json!({"expires_in": value})).expires_in.map(|life| life.as_secs());
        for (value, expected) in [
            (json!(3600), Some(3600)),
            (json!("3600"), Some(3600)),
            (json!(" 3599.9 "), Some(3599)),
            (json!(0.5), Some(0)),
            (json!(1e300), Some(MAX_LIFETIME.as_secs())),
            (json!(u64::MAX), Some(MAX_LIFETIME.as_secs())),
            (json!("inf"), Some(MAX_LIFETIME.as_secs())),
            (json!("NaN"), None),
            (json!(0), None),
            (json!(-60), None),
            (json!("soon"), None),
            (json!(null), None),
            (json!([3600]), None),
        ] {
            assert_eq!(seconds(value.clone()), expected, "{value}");
        }
        assert_eq!(read(json!({})).expires_in, None);
    }

    #[test]
    fn scopes_are_separated_by_spaces_or_commas_or_in_a_list() {
        let scopes = |value: Value| {
            let scopes = read(json!({"scope": value})).scope;
            scopes.map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect::<Vec<_>>().join("+"))
        };
        for value in [json!("a b"), json!("a,b"), json!(" a  b "), json!("a, b"), json!(["a", "b"]), json!(["a b", 1])]
        {
            assert_eq!(scopes(value.clone()).as_deref(), Some("a+b"), "{value}");
        }
        for value in [json!(""), json!([])] {
            assert_eq!(scopes(value.clone()).as_deref(), Some(""), "{value}: nothing was granted");
        }
        assert_eq!((scopes(json!(null)), scopes(json!(7))), (None, None));
    }

    #[test]
    fn time_of_the_sign_in_is_read_from_the_id_token() {
        let auth_time = |token: Value| read(json!({"id_token": token})).auth_time().map(OffsetDateTime::unix_timestamp);
        let token = |claims: &str| json!(format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims)));
        assert_eq!(auth_time(token(r#"{"auth_time":1790000000}"#)), Some(1_790_000_000));
        for absent in [r#"{"auth_time":"soon"}"#, r#"{"auth_time":9e99}"#, "{}", "no JSON"] {
            assert_eq!(auth_time(token(absent)), None, "{absent}");
        }
        for value in [json!(null), json!(7), json!(""), json!("a.%.b")] {
            assert_eq!(auth_time(value.clone()), None, "{value}");
        }
    }

    #[test]
    fn response_without_access_token_is_an_error() {
        for body in [json!({}), json!({"access_token": ""}), json!({"access_token": null}), json!([])] {
            assert!(serde_json::from_value::<LooseTokenResponse>(body.clone()).is_err(), "{body}");
        }
        let response = read(json!({"token_type": null, "refresh_token": ""}));
        assert!(response.refresh_token.is_none() && response.access_token.secret() == "a");
    }
}

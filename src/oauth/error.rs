//! Errors of the providers, and the only mapping of OAuth's error codes.

use oauth2::basic::{BasicErrorResponse, BasicRequestTokenError};

use super::http::HttpError;
use super::providers::ProviderSpec;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `access_denied`: the user refused consent.
    #[error("the user refused consent")]
    Denied,
    /// `invalid_grant`: the code or refresh token was used or revoked, has expired or belongs to another client.
    #[error("the provider refused the grant")]
    InvalidGrant,
    /// The provider refuses this request; another sign-in may succeed.
    #[error("the provider refused the request: {0}")]
    Rejected(String),
    /// The provider refuses the client id or secret; the operator has to fix it.
    #[error("the provider refused the client: {0}")]
    Misconfigured(String),
    #[error("the provider did not answer in time")]
    TimedOut,
    /// The provider cannot be reached, or failed.
    #[error("the provider is unavailable: {0}")]
    Unavailable(String),
}

impl Error {
    /// Maps an error code of a callback (RFC 6749 section 4.1.2.1), which visitors can forge.
    pub fn from_callback_code(code: &str) -> Self {
        match code {
            "access_denied" => Error::Denied,
            "unauthorized_client" => Error::Misconfigured(code.to_owned()),
            "server_error" | "temporarily_unavailable" => Error::Unavailable(code.to_owned()),
            code => Error::Rejected(code.to_owned()),
        }
    }

    /// Maps an error code of the token endpoint (RFC 6749 section 5.2).
    fn from_token_code(code: &str, spec: &ProviderSpec) -> Self {
        match code {
            "invalid_grant" => Error::InvalidGrant,
            "invalid_client" => Error::Misconfigured(code.to_owned()),
            code if spec.invalid_grant_aliases.contains(&code) => Error::InvalidGrant,
            code if spec.invalid_client_aliases.contains(&code) => Error::Misconfigured(code.to_owned()),
            code => Error::from_callback_code(code),
        }
    }

    pub(super) fn from_token_error(error: BasicRequestTokenError<HttpError>, spec: &ProviderSpec) -> Self {
        match error {
            BasicRequestTokenError::ServerResponse(response) => {
                let response: BasicErrorResponse = response;
                Error::from_token_code(response.error().as_ref(), spec)
            }
            BasicRequestTokenError::Request(error) => error.into(),
            // The body may contain tokens, so only its length is logged.
            BasicRequestTokenError::Parse(_, body) => {
                Error::Unavailable(format!("a response of {} bytes that is not a token", body.len()))
            }
            BasicRequestTokenError::Other(message) => Error::Unavailable(message),
        }
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::TimedOut => Error::TimedOut,
            error => Error::Unavailable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::providers::{FACEBOOK, GITHUB, GOOGLE, SPOTIFY, X};
    use super::*;

    #[test]
    fn only_codes_about_the_client_blame_the_configuration() {
        let error = Error::from_token_code;
        for spec in [&SPOTIFY, &GOOGLE, &GITHUB, &FACEBOOK, &X] {
            for code in ["invalid_client", "unauthorized_client"] {
                assert_eq!(error(code, spec), Error::Misconfigured(code.into()));
            }
            for code in ["invalid_scope", "unsupported_grant_type", "unsupported_response_type", "", "INVALID_CLIENT"] {
                assert_eq!(error(code, spec), Error::Rejected(code.into()));
            }
            assert_eq!(error("access_denied", spec), Error::Denied);
            assert_eq!(error("invalid_grant", spec), Error::InvalidGrant);
            assert_eq!(error("server_error", spec), Error::Unavailable("server_error".into()));
        }
        assert_eq!(error("invalid_request", &SPOTIFY), Error::Rejected("invalid_request".into()));
        assert_eq!(error("invalid_request", &X), Error::InvalidGrant);
        assert_eq!(error("100", &FACEBOOK), Error::InvalidGrant);
        assert_eq!(error("100", &GITHUB), Error::Rejected("100".into()));
        assert_eq!(error("101", &FACEBOOK), Error::Misconfigured("101".into()));
        assert_eq!(error("bad_verification_code", &GITHUB), Error::InvalidGrant);
        assert_eq!(
            error("incorrect_client_credentials", &GITHUB),
            Error::Misconfigured("incorrect_client_credentials".into())
        );
    }

    #[test]
    fn forged_callback_does_not_blame_the_configuration() {
        for code in ["invalid_client", "incorrect_client_credentials", "101", "invalid_grant", "invalid_request", ""] {
            assert_eq!(Error::from_callback_code(code), Error::Rejected(code.into()));
        }
        let code = "unauthorized_client";
        assert_eq!(Error::from_callback_code(code), Error::Misconfigured(code.into()));
        assert_eq!(Error::from_callback_code("access_denied"), Error::Denied);
    }
}

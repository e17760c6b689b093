//! Revocation of tokens that are no longer needed (RFC 7009).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauth2::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::http::{HeaderValue, Method, Request};
use serde_json::json;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::client::Client;
use super::error::Error;
use super::providers::{ClientAuthMethod, Revocation};
use crate::ids::Secret;

impl Client {
    /// Revokes an access token, if the provider has an endpoint for that.
    pub async fn revoke_token(&self, access: &Secret) -> Result<(), Error> {
        let invalid = |error: &dyn std::error::Error| Error::Unavailable(error.to_string());
        let request = Request::builder().header(ACCEPT, "application/json");
        let request = match self.spec.revocation {
            Revocation::None => return Ok(()),
            Revocation::Rfc7009(path) => {
                let mut form = Serializer::new(String::new());
                form.append_pair("token", access.expose()).append_pair("token_type_hint", "access_token");
                let mut request = request
                    .method(Method::POST)
                    .uri(format!("{}{path}", self.token_base))
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
                match self.spec.auth_method {
                    ClientAuthMethod::Basic => request = request.header(AUTHORIZATION, self.basic_auth()),
                    ClientAuthMethod::Body => {
                        form.append_pair("client_id", self.client_id());
                        form.append_pair("client_secret", self.client_secret.expose());
                    }
                }
                request.body(form.finish().into_bytes())
            }
            Revocation::GitHub => request
                .method(Method::DELETE)
                .uri(format!("{}/applications/{}/token", self.api, encode(self.client_id())))
                .header(AUTHORIZATION, self.basic_auth())
                .body(json!({ "access_token": access.expose() }).to_string().into_bytes()),
        };
        let response = self.http.send(request.map_err(|error| invalid(&error))?).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(Error::Unavailable(format!("status {} for a revocation", status.as_u16()))),
        }
    }

    fn client_id(&self) -> &str {
        self.endpoints.client_id()
    }

    /// Returns the credentials of the client, encoded as RFC 6749 section 2.3.1 wants it.
    fn basic_auth(&self) -> HeaderValue {
        let credentials = format!("{}:{}", encode(self.client_id()), encode(self.client_secret.expose()));
        let mut header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(credentials))).expect("base64");
        header.set_sensitive(true);
        header
    }
}

fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

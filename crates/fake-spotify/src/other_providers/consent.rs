//! The consent pages of the other providers.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use url::Url;

use super::accounts::Account;
use super::provider::OtherProvider;
use super::state::Authorization;
use crate::html::{error_page, reject_cross_site, render};
use crate::params::Params;
use crate::redirect_uri::{display_host, form_action_source, redirect_to_app};
use crate::state::FakeSpotify;

#[derive(Template)]
#[template(path = "other_provider_consent.html")]
struct ConsentPage<'a> {
    mount_path: &'a str,
    app_name: &'a str,
    app_host: String,
    provider: OtherProvider,
    /// Parameters of the request, repeated by the form.
    fields: Vec<(&'static str, String)>,
    accounts: Vec<Account>,
}

/// A valid authorization request.
struct AuthorizationRequest {
    redirect_url: Url,
    state: String,
    scope: String,
    code_challenge: Option<String>,
    fields: Vec<(&'static str, String)>,
}

const FIELDS: [&str; 10] = [
    "client_id", "response_type", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
    "prompt", "max_age", "auth_type",
];

/// The consent page, or an error page.
pub(super) async fn authorize(
    provider: OtherProvider,
    State(fake): State<FakeSpotify>,
    RawQuery(query): RawQuery,
) -> Response {
    let request = match parse(&fake, provider, &query.unwrap_or_default()) {
        Ok((request, _)) => request,
        Err(message) => return error_page(&fake, &message),
    };
    let settings = fake.settings();
    let page = ConsentPage {
        mount_path: settings.mount_path(),
        app_name: &settings.app_name,
        app_host: display_host(&request.redirect_url),
        provider,
        fields: request.fields,
        accounts: fake.state().other_providers.accounts_of(provider).cloned().collect(),
    };
    render(StatusCode::OK, &page, &form_action_source(&request.redirect_url))
}

/// `POST /decision`: back to the app with a code or an error.
pub(super) async fn decide(
    provider: OtherProvider,
    State(fake): State<FakeSpotify>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if let Some(rejection) = reject_cross_site(&fake, &headers) {
        return rejection;
    }
    let (request, params) = match parse(&fake, provider, &body) {
        Ok(parsed) => parsed,
        Err(message) => return error_page(&fake, &message),
    };
    match (params.get("decision"), params.get("account")) {
        (Some("deny"), _) => redirect(&fake, provider, request, None),
        (Some("approve"), Some(id)) => match issue_code(&fake, provider, &request, id) {
            Some(code) => redirect(&fake, provider, request, Some(code)),
            None => error_page(&fake, "There is no such account."),
        },
        _ => error_page(&fake, "Please approve or deny."),
    }
}

fn parse(fake: &FakeSpotify, provider: OtherProvider, text: &str) -> Result<(AuthorizationRequest, Params), String> {
    let params = Params::parse(text).map_err(|_| "A parameter was sent twice, or there is too much.")?;
    let client = fake.settings().client_of(provider).ok_or("No app is registered here.")?;
    if params.get("client_id") != Some(&client.client_id) {
        return Err("This app is not registered here (invalid_client).".into());
    }
    if params.get("redirect_uri") != Some(&client.redirect_uri) {
        return Err("The redirect address is not the registered one (redirect_uri_mismatch).".into());
    }
    if params.get("response_type") != Some("code") {
        return Err("response_type must be code.".into());
    }
    let code_challenge = params.get_owned("code_challenge");
    if code_challenge.is_some() != (params.get("code_challenge_method") == Some("S256")) {
        return Err("code_challenge needs code_challenge_method S256, and the other way round.".into());
    }
    if provider == OtherProvider::X && code_challenge.is_none() {
        return Err("X requires code_challenge.".into());
    }
    // Google refuses any other, `login` too.
    let is_prompt = |prompt: &str| matches!(prompt, "none" | "consent" | "select_account");
    if provider == OtherProvider::Google && params.get("prompt").is_some_and(|prompt| !is_prompt(prompt)) {
        return Err("Invalid parameter value for prompt (invalid_request).".into());
    }
    let redirect_url = Url::parse(&client.redirect_uri).map_err(|_| "The redirect address is invalid.")?;
    let fields = FIELDS.iter().filter_map(|name| Some((*name, params.get_owned(name)?))).collect();
    let scope = params.get_owned("scope").unwrap_or_default();
    let state = params.get_owned("state").ok_or("state is missing.")?;
    Ok((AuthorizationRequest { redirect_url, state, scope, code_challenge, fields }, params))
}

/// Issues a code for an account; `None` if there is no account with this id.
fn issue_code(
    fake: &FakeSpotify,
    provider: OtherProvider,
    request: &AuthorizationRequest,
    account_id: &str,
) -> Option<String> {
    let providers = &mut fake.state().other_providers;
    let authorization = Authorization {
        provider,
        account_id: account_id.to_owned(),
        scope: request.scope.clone(),
        code_challenge: request.code_challenge.clone(),
        has_max_age: request.fields.iter().any(|(name, _)| *name == "max_age"),
    };
    providers.account(&authorization)?;
    let code = providers.issued_secrets.issue("c-", 30);
    providers.codes.insert(code.clone(), authorization);
    Some(code)
}

/// Back to the app, with the parameters that each provider adds. No code means that access was denied.
fn redirect(
    fake: &FakeSpotify,
    provider: OtherProvider,
    request: AuthorizationRequest,
    code: Option<String>,
) -> Response {
    let mut to = request.redirect_url;
    {
        let mut query = to.query_pairs_mut();
        match (&code, provider) {
            (Some(code), _) => query.append_pair("code", code),
            (None, OtherProvider::Facebook) => query
                .append_pair("error", "access_denied")
                .append_pair("error_code", "200")
                .append_pair("error_description", "Permissions error")
                .append_pair("error_reason", "user_denied"),
            (None, OtherProvider::GitHub) => query
                .append_pair("error", "access_denied")
                .append_pair("error_description", "The user has denied your application access."),
            (None, _) => query.append_pair("error", "access_denied"),
        };
        query.append_pair("state", &request.state);
        if provider == OtherProvider::Google {
            let issuer = format!("{}/google", fake.settings().base());
            query.append_pair("iss", &issuer).append_pair("scope", &request.scope).append_pair("prompt", "consent");
        }
    }
    if provider == OtherProvider::Facebook {
        to.set_fragment(Some("_=_"));
    }
    redirect_to_app(&to)
}

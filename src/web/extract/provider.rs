//! The provider in a request's path.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::app::App;
use crate::ids::Provider;
use crate::web::error::{AppError, Result, not_found};

/// Redirect URIs registered before each provider had its own.
const ALIASES: [(&str, Provider); 2] = [("/oauth2callback", Provider::Google), ("/github/callback", Provider::GitHub)];

/// The provider in the path. Rejects with 404 if the provider is not configured.
pub(crate) struct ProviderPath(pub(crate) Provider);

impl FromRequestParts<Arc<App>> for ProviderPath {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let alias = ALIASES.into_iter().find(|(path, _)| *path == parts.uri.path()).map(|(_, provider)| provider);
        let params = RawPathParams::from_request_parts(parts, app).await.ok();
        let from_path =
            params.and_then(|params| Provider::from_key(params.iter().find(|(name, _)| *name == "provider")?.1));
        match alias.or(from_path).filter(|provider| app.oauth.get(*provider).is_some()) {
            Some(provider) => Ok(Self(provider)),
            None => Err(not_found().await),
        }
    }
}

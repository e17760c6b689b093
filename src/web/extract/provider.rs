//! The provider in a request's path.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::app::App;
use crate::ids::Provider;
use crate::web::error::{AppError, not_found};

/// Redirect URIs that were registered before each provider had its own.
const ALIASES: [(&str, Provider); 2] = [("/oauth2callback", Provider::Google), ("/github/callback", Provider::GitHub)];

/// The provider in the path. A provider that is not configured is not found.
pub(crate) struct ProviderPath(pub(crate) Provider);

impl FromRequestParts<Arc<App>> for ProviderPath {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let alias = ALIASES.into_iter().find(|(path, _)| *path == parts.uri.path()).map(|(_, provider)| provider);
        let named = RawPathParams::from_request_parts(parts, app).await.ok();
        let named = named.and_then(|named| Provider::from_key(named.iter().find(|(name, _)| *name == "provider")?.1));
        match alias.or(named).filter(|provider| app.oauth.get(*provider).is_some()) {
            Some(provider) => Ok(Self(provider)),
            None => Err(not_found().await),
        }
    }
}

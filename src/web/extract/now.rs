//! The current time.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use time::OffsetDateTime;

use crate::app::App;

/// The current time by the app's clock, which tests can set.
#[derive(Clone)]
pub(crate) struct Now(pub(crate) OffsetDateTime);

impl FromRequestParts<Arc<App>> for Now {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        Ok(Now(app.now()))
    }
}

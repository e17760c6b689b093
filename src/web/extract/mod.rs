//! Extractors.

pub(crate) mod current_user;
pub(crate) mod device;
pub(crate) mod list_query;
mod now;
pub(crate) mod operator_user;
pub(crate) mod provider;
pub(crate) mod return_to;

use std::sync::Arc;

use crate::app::App;

pub(crate) use self::now::Now;

/// The application state.
pub(crate) type State = axum::extract::State<Arc<App>>;

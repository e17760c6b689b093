//! Extractors.

pub(crate) mod current_user;
mod device;
pub(crate) mod list_query;
pub(crate) mod list_spec;
mod now;
mod provider;
pub(crate) mod return_to;
pub(crate) mod theme;

use std::sync::Arc;

use crate::app::App;

pub(crate) use self::current_user::{MaybeUser, OperatorUser, SignedIn};
pub(crate) use self::device::Device;
pub(crate) use self::now::Now;
pub(crate) use self::provider::ProviderPath;
pub(crate) use self::return_to::{BackLink, FromParam, NextParam, Referer, SafePath};

/// The application state.
pub(crate) type State = axum::extract::State<Arc<App>>;

//! The HTTP layer: [`router`] lists the routes, [`middleware`] the layers in order.
//!
//! `tests/it/architecture.rs` lists which of these modules may import which.

mod assets;
mod cookies;
mod error;
mod extract;
mod flash;
pub(crate) mod middleware;
mod pages;
mod router;
mod views;

pub use self::router::router;

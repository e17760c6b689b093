//! The HTTP layer: [`router`] lists the routes, [`middleware`] the layers in order.
//!
//! `tests/it/architecture.rs` lists which of these modules may import which.

/// Implements `Display` by the type's method `write`, and askama's faster counterpart of it.
macro_rules! impl_display {
    ($view:ty) => {
        impl std::fmt::Display for $view {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.write(f)
            }
        }

        impl askama::FastWritable for $view {
            fn write_into(&self, dest: &mut dyn std::fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
                Ok(self.write(dest)?)
            }
        }
    };
}

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

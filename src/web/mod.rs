//! HTTP: [`router`] has every route on one screen, [`middleware`] every layer, in order, with its reason.
//!
//! Inside, imports go one way: `router -> pages -> middleware -> views -> extract -> {error, flash, assets}`.

mod assets;
mod error;
mod extract;
mod flash;
mod middleware;
mod pages;
mod router;
mod views;

pub use self::router::router;

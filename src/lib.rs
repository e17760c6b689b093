//! Heartlist: sign in, heart the Spotify playlists you love, keep the hearts.
//!
//! The modules, in the order to read them:
//!
//! - [`web`] handles requests and renders pages; all routes are in `web/router.rs`.
//! - [`domain`] holds the rules, free of HTTP and SQL.
//! - [`app`] is the state that all requests share.
//! - [`db`] holds all the SQL: the pool, the migrations, and a module for each subject.
//! - [`spotify`] is a client for Spotify's Web API; [`oauth`] is the authorization code flow for all providers.
//! - [`vault`] seals and opens secrets; [`config`] reads the environment.
//! - [`ids`] has the types that all layers share; [`telemetry`] sets up logging.
//! - The crate `fake-spotify` stands in for Spotify and the other providers in the demo and the tests, over HTTP; the
//!   crate `local-postgres` runs a private Postgres.
//! - [`cli`] starts, wires and stops the program; `server` is the HTTP server, and `background_jobs` runs alongside it.
//!
//! Imports go one way: `cli -> web -> domain -> app -> {db, spotify, oauth, vault, config} -> ids`.
//! `tests/it/architecture.rs` checks that.

pub mod app;
mod background_jobs;
pub mod cli;
pub mod config;
mod connections;
mod count;
pub mod db;
pub mod domain;
mod expiring_cache;
pub mod ids;
mod in_progress;
mod network;
pub mod oauth;
mod rate_limiter;
mod server;
pub mod spotify;
pub mod telemetry;
pub mod vault;
pub mod web;

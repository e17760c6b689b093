//! Heartlist: sign in with Spotify, heart the playlists you love, keep the hearts.
//!
//! The modules, in the order to read them:
//!
//! - [`web`] handles requests and renders pages; all routes are in `web/router.rs`.
//! - [`domain`] holds the rules, without HTTP and without SQL.
//! - [`app`] is the state that all requests share.
//! - [`db`] is all the SQL, with a file for each noun.
//! - [`spotify`] is the client of Spotify's Web API; [`oauth`] is the authorization code flow and how providers differ.
//! - [`vault`] seals and opens secrets; [`config`] reads the environment.
//! - [`ids`] has the types that all layers share; [`telemetry`] sets up logging.
//! - The crate `fake-spotify` pretends to be Spotify, for the demo and the tests; the app meets it only over HTTP.
//! - [`cli`] starts, wires and stops the program; `server` is the HTTP server, and `background_jobs` run beside it.
//!
//! Imports go one way: `cli -> web -> domain -> app -> {db, spotify, oauth, vault, config} -> ids`.
//! `tests/it/architecture.rs` checks that.

pub mod app;
mod background_jobs;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod ids;
pub mod oauth;
mod server;
pub mod spotify;
pub mod telemetry;
pub mod vault;
pub mod web;

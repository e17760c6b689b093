//! Heartlist: sign in with Spotify, heart the playlists you love, keep the hearts.
//!
//! The rooms of the house, in the order to read them:
//!
//! - [`web`] turns requests into questions and answers into pages; its `mod.rs` is the address book.
//! - [`domain`] decides: who may, what if, which, when.
//! - [`app`] holds the parts that live as long as the process.
//! - [`db`] is all the SQL, a file for each noun.
//! - [`spotify`] knows Spotify's paths and JSON; [`oauth`] the code flow and how providers differ.
//! - [`vault`] seals and opens secrets; [`config`] reads the environment, once.
//! - [`ids`] names what all layers share; [`telemetry`] sets up the log.
//! - The crate `fake-spotify` pretends to be Spotify, for the demo and the tests; the app meets it only over HTTP.
//! - [`cli`] starts, wires and stops the program, and prints the doctor's findings.
//!
//! Imports go one way: `cli -> web -> domain -> app -> {db, spotify, oauth, vault, config} -> ids`.
//! `tests/it/architecture.rs` holds that.

pub mod app;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod ids;
pub mod oauth;
pub mod spotify;
pub mod telemetry;
pub mod vault;
pub mod web;

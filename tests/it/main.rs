//! The tests that make requests: each with a database and a made-up Spotify of its own, acting like a visitor
//! and looking at pages with CSS selectors. Names may carry the number of a sentence in the team's list of
//! what people expect (`p9_…`).

mod support;

mod account;
mod architecture;
mod changed;
mod chromium;
mod cost;
mod doctor;
mod faults;
mod hearts;
mod hearts_by_link;
mod legal;
mod library;
#[cfg(feature = "local")]
mod local_postgres;
mod migrations;
mod now_playing;
mod outage;
mod pages;
mod playlists;
mod process;
mod security;
mod sign_in;
mod tokens;

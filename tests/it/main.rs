//! The tests that make requests: each with a database and a made-up Spotify of its own, acting like a visitor
//! and looking at pages with CSS selectors. Names may carry the number of a sentence in the team's list of
//! what people expect (`p9_…`).

mod support;

mod account;
mod architecture;
mod doctor;
mod hearts;
mod legal;
#[cfg(feature = "local")]
mod local_postgres;
mod playlists;
mod process;
mod security;
mod sign_in;

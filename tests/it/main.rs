//! The tests that make requests: each with a database and a made-up Spotify of its own, acting like a visitor
//! and looking at pages with CSS selectors. Names may carry the number of a sentence in the team's list of
//! what people expect (`p9_…`).

mod support;

mod account;
mod activity;
mod architecture;
mod changed;
mod chromium;
mod citus;
mod cleanup;
mod cost;
mod deploy;
mod doctor;
mod faults;
mod feeds;
mod finding;
mod follower;
mod hearts;
mod hearts_by_link;
mod legal;
mod library;
mod limits;
mod linking;
#[cfg(feature = "local")]
mod local_postgres_errors;
mod measure;
mod migrations;
mod now_playing;
mod outage;
mod pages;
mod places;
mod plans;
mod playlists;
mod pool;
mod pooler;
mod previous_release;
mod process;
mod providers;
mod proving;
mod registration;
mod rehearsal;
mod removed;
mod rotation;
mod security;
mod serving;
mod sessions;
mod several;
mod sharding;
mod sharing;
mod sign_in;
mod soak;
mod takeout;
mod tokens;
mod top;
mod words;

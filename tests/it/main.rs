//! The integration tests: each has a database and a fake Spotify of its own, acts like a visitor, and reads pages by
//! CSS selector. `docs/EXPECTATIONS.md` says which expectation each of them proves.

mod support;

mod account;
mod account_merge;
mod activity;
mod annotations;
mod architecture;
mod chromium;
mod citus;
mod cleanup;
mod connection_pool;
mod database_outage;
mod deployment;
mod doctor;
mod expectations;
mod feeds;
mod hearts;
mod hearts_by_link;
mod http_server;
mod identities;
mod import_export;
mod legal;
mod library;
#[cfg(feature = "local")]
mod local_postgres_errors;
mod migrations;
mod multi_process;
mod now_playing;
mod observability;
mod pages;
mod pagination;
mod playlists;
mod pooler;
mod previous_release;
mod process;
mod providers;
mod query_plans;
mod rate_limits;
mod registration;
mod rehearsal;
mod removed_hearts;
mod replica;
mod search;
mod secret_rotation;
mod security;
mod sessions;
mod sharding;
mod sharing;
mod sign_in;
mod soak;
mod spotify_faults;
mod statement_counts;
mod token_refresh;
mod top_playlists;
mod updated_badge;

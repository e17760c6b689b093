//! Made-up Google, GitHub, Facebook and X, for signing in and nothing else.
//!
//! Each has its own path (`/google`, `/github`, `/facebook`, `/x`) and imitates the paths, errors and peculiarities
//! of the real one that a sign-in meets: GitHub reports errors with status 200 and refuses requests without a
//! `User-Agent`; Facebook's errors are objects; X requires PKCE and HTTP Basic and calls a bad code an invalid
//! request; Google sends `iss` (RFC 9207).

pub(crate) mod accounts;
mod consent;
mod errors;
mod profile;
pub(crate) mod provider;
pub(crate) mod router;
pub(crate) mod state;
mod token;

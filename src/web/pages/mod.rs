//! Handlers, with a file or folder for each page.

pub(crate) mod about;
pub(crate) mod account;
pub(crate) mod displays;
pub(crate) mod health;
pub(crate) mod hearts;
pub(crate) mod home;
pub(crate) mod invites;
pub(crate) mod legal;
pub(crate) mod login;
pub(crate) mod metrics;
pub(crate) mod now_playing;
pub(crate) mod operator;
pub(crate) mod playlists;
pub(crate) mod random;
pub(crate) mod setup;
pub(crate) mod sharing;
pub(crate) mod tags;
pub(crate) mod theme;
pub(crate) mod top;
pub(crate) mod well_known;

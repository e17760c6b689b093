//! The theme that the visitor chose.

use axum::http::HeaderMap;

use crate::app::App;
use crate::web::cookies::{self, CookieKind};

/// A theme that overrides the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// `None` if the system decides.
    pub(crate) fn from_cookie(app: &App, headers: &HeaderMap) -> Option<Self> {
        Self::from_key(cookies::read(headers, &cookies::name(app, CookieKind::Theme))?)
    }

    pub(crate) fn from_key(key: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.key() == key)
    }

    /// The value of the cookie and of the button.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The page's background (`--color-background`), for the browser's toolbar.
    pub(crate) fn background(self) -> &'static str {
        match self {
            Self::Light => "#fbf8f4",
            Self::Dark => "#181314",
        }
    }
}

//! The requests that wrk sends.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use crate::users::User;

/// Placeholder for the host and port, which differ between two builds of the app.
const HOST: &str = "{host}";

/// A user's heart for a playlist.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Heart {
    pub(crate) user: i64,
    pub(crate) playlist: String,
}

/// Pages and hearts that wrk requests in turn.
#[derive(Clone, Default)]
pub(crate) struct Requests {
    /// Raw HTTP, separated by zero bytes.
    raw: String,
    /// The hearts among them. Each request for one toggles it.
    pub(crate) hearts: Vec<Heart>,
    /// `Cookie` headers of the hearts' users.
    pub(crate) cookies: HashMap<i64, String>,
    pub(crate) pages_per_heart: usize,
    pub(crate) expected: Option<ExpectedPage>,
    /// Overrides the number of connections in the options.
    pub(crate) connections: Option<usize>,
}

/// What a checked page must contain.
#[derive(Clone)]
pub(crate) struct ExpectedPage {
    pub(crate) rows: usize,
    pub(crate) hearted: RangeInclusive<usize>,
}

impl Requests {
    pub(crate) fn add_page(&mut self, user: &User, path: &str, headers: &[(&str, &str)]) {
        self.add("GET", user, path, headers);
    }

    /// Adds a heart that `user` toggles.
    pub(crate) fn add_heart(&mut self, user: &User, playlist: &str) {
        self.hearts.push(Heart { user: user.id, playlist: playlist.to_owned() });
        self.cookies.insert(user.id, user.cookie.clone());
        // The app ignores request ids of less than 20 characters.
        let request_id = format!("heart-{:015}", self.hearts.len());
        self.add("PUT", user, &format!("/heart/{playlist}"), &[("X-Request-Id", &request_id)]);
    }

    fn add(&mut self, method: &str, user: &User, path: &str, headers: &[(&str, &str)]) {
        let _ = write!(self.raw, "{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: {}\r\n", user.cookie);
        self.raw.push_str("Sec-Fetch-Site: same-origin\r\n");
        for (name, value) in headers {
            let _ = write!(self.raw, "{name}: {value}\r\n");
        }
        self.raw.push_str("\r\n\0");
    }

    /// Sets how many pages are requested for each heart.
    pub(crate) fn with_pages_per_heart(self, pages_per_heart: usize) -> Self {
        Self { pages_per_heart, ..self }
    }

    /// Sets how many rows and hearts a page must have. wrk checks every sixteenth page.
    pub(crate) fn with_expected_page(self, rows: usize, hearted: RangeInclusive<usize>) -> Self {
        Self { expected: Some(ExpectedPage { rows, hearted }), ..self }
    }

    pub(crate) fn with_connections(self, connections: usize) -> Self {
        Self { connections: Some(connections), ..self }
    }

    /// Returns the raw requests to the app at `base_url`.
    pub(crate) fn to_raw(&self, base_url: &str) -> String {
        self.raw.replace(HOST, base_url.trim_start_matches("http://"))
    }
}

//! Pages of lists: filled and packed once for what stands in them, and taken from memory until that changes.

use std::convert::Infallible;
use std::hash::Hash;
use std::io::{self, Write as _};

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::error::Fault;
use super::layout::{Layout, text};
use crate::app::App;
use crate::domain::{Caller, Mark, Playlist, search};
use crate::ids::UserId;
use crate::page_cache::Place;

/// A page that may be filled once: all that it says stands in it.
pub(super) trait Framed: Template + Hash {
    /// The frame around it.
    fn layout(&self) -> &Layout;
}

/// A page of a list, whose cards come last.
pub(super) trait Listing: Framed {
    /// Puts the cards in.
    fn lay_out(&mut self, playlists: Vec<Playlist>);
}

/// Answers with the page, with a card for each entry that was found. The cards are read and written only where the same
/// page with the same entries is not there from before.
///
/// # Errors
/// When the database fails.
pub(super) async fn fill(
    app: &App,
    caller: &Caller,
    packing: Packing,
    mut page: impl Listing,
    found: &[Mark],
) -> Result<Response, Fault> {
    let slot = app.pages.slot(packing.place(Some(caller.person.id), page.layout()), &(&page, found));
    let body = match slot.filled() {
        Some(body) => body,
        None => {
            page.lay_out(search::cards(app, caller, found).await?);
            slot.fill(packing.pack(&page)?)
        }
    };
    Ok(packing.answer(body))
}

/// The same with a page of which all is known.
///
/// # Errors
/// When the page cannot be written.
pub(super) fn fill_known(
    app: &App,
    person: Option<UserId>,
    packing: Packing,
    page: &impl Framed,
) -> Result<Response, Fault> {
    let slot = app.pages.slot(packing.place(person, page.layout()), page);
    let body = match slot.filled() {
        Some(body) => body,
        None => slot.fill(packing.pack(page)?),
    };
    Ok(packing.answer(body))
}

/// Whether whoever asks unpacks what gzip has packed, as every browser does.
#[derive(Clone, Copy, Default)]
pub(super) struct Packing(bool);

impl Packing {
    fn place(self, person: Option<UserId>, layout: &Layout) -> Place {
        Place { person, path: layout.path.clone(), packed: self.0 }
    }

    fn pack(self, page: &impl Template) -> Result<Bytes, Fault> {
        let text = text(page).map_err(Fault::internal)?;
        let bytes = if self.0 { packed(&text).map_err(Fault::internal)? } else { text.into_bytes() };
        // It stays a while, and should not hold room that it does not fill.
        Ok(bytes.into_boxed_slice().into())
    }

    fn answer(self, body: Bytes) -> Response {
        match self {
            // Not packed here, it may still be on its way out, where all other pages are.
            Self(false) => Html(body).into_response(),
            Self(true) => ([(CONTENT_ENCODING, "gzip"), (VARY, ACCEPT_ENCODING.as_str())], Html(body)).into_response(),
        }
    }
}

fn packed(text: &str) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes())?;
    packed.finish()
}

impl<S: Sync> FromRequestParts<S> for Packing {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let taken = parts.headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        Ok(Self(taken.flat_map(|value| value.split(',')).any(is_gzip)))
    }
}

/// Whether an entry of `Accept-Encoding` is gzip, and not to be left out (`;q=0`).
fn is_gzip(entry: &str) -> bool {
    let (coding, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
    let refused = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()) == Some(0.0);
    coding.trim().eq_ignore_ascii_case("gzip") && !refused
}

#[cfg(test)]
mod tests {
    use super::is_gzip;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for taken in ["gzip", " GZIP ", "gzip;q=0.5", "gzip; q=1"] {
            assert!(is_gzip(taken), "{taken}");
        }
        for other in ["", "br", "gzip;q=0", " gzip; q=0.000", "*", "gzipped"] {
            assert!(!is_gzip(other), "{other}");
        }
    }
}

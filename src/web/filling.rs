//! Pages of lists: filled and packed once for what stands in them, and taken from memory until that changes.

use std::cell::RefCell;
use std::convert::Infallible;
use std::hash::Hash;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use flate2::{Compress, CompressError, Compression, FlushCompress, Status};

use super::error::Fault;
use super::layout::text;
use super::notice;
use crate::app::App;
use crate::domain::{Caller, Marks, Playlist, search};
use crate::ids::UserId;
use crate::page_cache::{Place, Slot};

/// A page of a list. All that it says stands in it, but for its cards, which come last.
pub(super) trait Listing: Template + Hash {
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
    asking: Asking,
    mut page: impl Listing,
    found: &Marks,
) -> Result<Response, Fault> {
    let slot = asking.slot(app, Some(caller.person.id), &(&page, found));
    if let Some(body) = slot.as_ref().and_then(Slot::filled) {
        return Ok(asking.answer(body));
    }
    let (playlists, as_found) = search::cards(app, caller, found).await?;
    page.lay_out(playlists);
    // What has changed since it was found shows on this page, but is not what belongs into the slot.
    asking.write(&page, slot.filter(|_| as_found))
}

/// The same with a page of which all is known.
///
/// # Errors
/// When the page cannot be written.
pub(super) fn fill_known(
    app: &App,
    person: Option<UserId>,
    asking: Asking,
    page: &(impl Template + Hash),
) -> Result<Response, Fault> {
    let slot = asking.slot(app, person, page);
    match slot.as_ref().and_then(Slot::filled) {
        Some(body) => Ok(asking.answer(body)),
        None => asking.write(page, slot),
    }
}

/// How a page was asked for. The default: within an answer to a form.
#[derive(Clone, Default)]
pub(super) struct Asking {
    /// Path and query; none: the page will not be asked for again, because it says what has just come of something.
    path: Option<String>,
    /// Whether whoever asks unpacks what gzip has packed, as every browser does.
    packed: bool,
}

impl Asking {
    fn slot<'a>(&self, app: &'a App, person: Option<UserId>, from: &impl Hash) -> Option<Slot<'a>> {
        let place = Place { person, path: self.path.clone()?, packed: self.packed };
        Some(app.pages.slot(place, from))
    }

    fn write(&self, page: &impl Template, slot: Option<Slot<'_>>) -> Result<Response, Fault> {
        let text = text(page).map_err(Fault::internal)?;
        let bytes = if self.packed { packed(&text).map_err(Fault::internal)? } else { text.into_bytes() };
        // It stays a while: in a place of its own size, so that the room in which it was written is free as a whole.
        let body = Bytes::copy_from_slice(&bytes);
        if let Some(slot) = slot {
            slot.fill(body.clone());
        }
        Ok(self.answer(body))
    }

    fn answer(&self, body: Bytes) -> Response {
        if self.packed {
            return ([(CONTENT_ENCODING, "gzip"), (VARY, ACCEPT_ENCODING.as_str())], Html(body)).into_response();
        }
        // It may still be packed on its way out, where all other pages are.
        Html(body).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let usual = notice::waiting(&parts.headers).is_none();
        let path = parts.uri.path_and_query().filter(|_| usual).map(|path| path.as_str().to_owned());
        let taken = parts.headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        Ok(Self { path, packed: taken.flat_map(|value| value.split(',')).any(is_gzip) })
    }
}

/// Whether an entry of `Accept-Encoding` is gzip, and not to be left out (`;q=0`).
fn is_gzip(entry: &str) -> bool {
    let entry = entry.to_ascii_lowercase();
    let (coding, weight) = entry.split_once(';').unwrap_or((&entry, "q=1"));
    let refused = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()) == Some(0.0);
    coding.trim() == "gzip" && !refused
}

thread_local! {
    /// What packs the pages that this thread writes. It takes a quarter of a megabyte: asked for anew for each page, that
    /// leaves gaps between those that stay, and the process grows.
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new_gzip(Compression::fast(), 15));
}

fn packed(text: &str) -> Result<Vec<u8>, CompressError> {
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        // A page is packed to a seventh; what is not has more room in the next turn.
        let mut packed = Vec::with_capacity(text.len() / 4 + 64);
        loop {
            let rest = &text.as_bytes()[packer.total_in() as usize..];
            if packer.compress_vec(rest, &mut packed, FlushCompress::Finish)? == Status::StreamEnd {
                return Ok(packed);
            }
            packed.reserve(text.len());
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::{is_gzip, packed};

    #[test]
    fn what_is_packed_is_the_same_unpacked() {
        // The last cannot be made shorter than it is.
        let odd: String = (0..30_000u32).filter_map(|n| char::from_u32(n.wrapping_mul(2_654_435_761) >> 12)).collect();
        for text in ["", "a", &"<li>".repeat(50_000), &odd, "again"] {
            let mut unpacked = String::new();
            GzDecoder::new(&*packed(text).unwrap()).read_to_string(&mut unpacked).unwrap();
            assert!(unpacked == *text, "{} bytes", text.len());
        }
    }

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for taken in ["gzip", " GZIP ", "gzip;q=0.5", "gzip; q=1"] {
            assert!(is_gzip(taken), "{taken}");
        }
        for other in ["", "br", "gzip;q=0", "gzip;Q=0", " gzip; q=0.000", "*", "gzipped"] {
            assert!(!is_gzip(other), "{other}");
        }
    }
}

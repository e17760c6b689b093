//! What people write beside a heart: a note and tags, and the small form for them.

use std::fmt;

use askama::{FastWritable, Values};
use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use super::by_link::same_page;
use crate::domain::Error;
use crate::domain::words::{self, BadWords, Words};
use crate::ids::PlaylistId;
use crate::web::error::{Fault, Link};
use crate::web::layout::{Card, Layout, typed_again};
use crate::web::next::SafePath;
use crate::web::notice::{self, Notice};
use crate::web::playlists::parse_id;
use crate::web::session::SignedIn;
use crate::web::{Now, State};

/// Where to see the hearts with a tag: an address that needs no escaping.
pub(in crate::web) struct TagAddress<'a>(&'a str);

/// Returns where to see the hearts with a tag.
pub(in crate::web) fn tag_address(tag: &str) -> TagAddress<'_> {
    TagAddress(tag)
}

impl TagAddress<'_> {
    fn write(&self, out: &mut (impl fmt::Write + ?Sized)) -> fmt::Result {
        let quote = if self.0.contains(' ') { "%22" } else { "" };
        out.write_str("/hearts?q=tag%3A")?;
        out.write_str(quote)?;
        byte_serialize(self.0.as_bytes()).try_for_each(|part| out.write_str(part))?;
        out.write_str(quote)
    }
}

impl fmt::Display for TagAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl FastWritable for TagAddress<'_> {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn Values) -> askama::Result<()> {
        Ok(self.write(dest)?)
    }
}

/// What stands in the fields beside one heart.
#[derive(Clone)]
pub(in crate::web) struct Draft {
    pub(in crate::web) id: String,
    pub(in crate::web) note: String,
    pub(in crate::web) tags: String,
    /// Why the note was not kept.
    pub(in crate::web) bad_note: Option<String>,
    /// Why the tags were not kept.
    pub(in crate::web) bad_tags: Option<String>,
}

impl Draft {
    /// What is kept.
    pub(in crate::web) fn of(card: &Card) -> Self {
        let note = card.note.clone().unwrap_or_default();
        Self { id: card.id.clone(), note, tags: card.tags.join(", "), bad_note: None, bad_tags: None }
    }

    /// What was typed, with the reasons against it.
    fn refused(id: String, form: WordsForm, bad: BadWords) -> Self {
        let (note, tags) = (typed_again(&form.note), typed_again(&form.tags));
        let (bad_note, bad_tags) = (bad.note.map(|bad| bad.to_string()), bad.tags.map(|bad| bad.to_string()));
        Self { id, note, tags, bad_note, bad_tags }
    }

    /// Whether something was typed that could not be kept.
    pub(in crate::web) fn is_refused(&self) -> bool {
        self.bad_note.is_some() || self.bad_tags.is_some()
    }
}

/// The form beside a heart.
#[derive(Deserialize)]
pub(in crate::web) struct WordsForm {
    #[serde(default)]
    note: String,
    #[serde(default)]
    tags: String,
    #[serde(default)]
    from: Option<String>,
}

/// Keeps the note and the tags beside a heart. What cannot be kept comes back as it was typed, with the reason.
pub(in crate::web) async fn keep(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(caller): SignedIn,
    (Path(id), Form(form)): (Path<String>, Form<WordsForm>),
) -> Result<Response, Fault> {
    let id = parse_id(&id)?;
    let words = match Words::parse(&form.note, &form.tags) {
        Ok(words) => words,
        Err(bad) => {
            let from = form.from.clone();
            let layout = Layout { draft: Some(Draft::refused(id.into(), form, bad)), ..layout };
            let page = same_page(app, now, layout, caller, from.as_deref()).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    words::keep(&app, &caller, &id, &words).await.map_err(without_heart)?;
    Ok(notice::redirect(&back(form.from.as_deref(), &id), Notice::WordsKept))
}

/// The heart was taken back meanwhile, in another tab perhaps.
fn without_heart(error: Error) -> Fault {
    let Error::NotFound = error else { return error.into() };
    let told = "A note and tags belong to a heart, and this playlist no longer has yours. Heart it again first.";
    let mut fault = Fault::new(StatusCode::NOT_FOUND, "Not hearted any more", told).nothing_saved();
    fault.way_out = vec![Link { href: "/hearts", text: "My hearts" }];
    fault
}

/// The place of a playlist on the page that a form came from; the hearts when it does not say.
pub(super) fn back(from: Option<&str>, id: &PlaylistId) -> String {
    let page = from.and_then(SafePath::parse);
    let page = page.as_ref().map_or("/hearts", |page| page.as_str().split('#').next().unwrap_or_default());
    format!("{page}#p-{id}")
}

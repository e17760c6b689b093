//! What people write beside a heart: a note and tags, and the small form for them.

use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::domain::Error;
use crate::domain::words::{self, BadWords, Words};
use crate::ids::PlaylistId;
use crate::web::error::{Fault, Link};
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::return_to::SafePath;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Notice};
use crate::web::pages::hearts::by_link::same_page;
use crate::web::pages::playlists::show::parse_id;
use crate::web::views::layout::{Layout, typed_again};
use crate::web::views::playlist_card::Card;

/// What stands in the fields beside one heart.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) id: String,
    pub(crate) note: String,
    pub(crate) tags: String,
    /// Why the note was not kept.
    pub(crate) bad_note: Option<String>,
    /// Why the tags were not kept.
    pub(crate) bad_tags: Option<String>,
}

impl Draft {
    /// What is kept.
    pub(crate) fn of(card: &Card) -> Self {
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
    pub(crate) fn is_refused(&self) -> bool {
        self.bad_note.is_some() || self.bad_tags.is_some()
    }
}

/// The form beside a heart.
#[derive(Deserialize)]
pub(crate) struct WordsForm {
    #[serde(default)]
    note: String,
    #[serde(default)]
    tags: String,
    #[serde(default)]
    from: Option<String>,
}

/// Keeps the note and the tags beside a heart. What cannot be kept comes back as it was typed, with the reason.
pub(crate) async fn keep(
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
    Ok(flash::redirect(&back(form.from.as_deref(), &id), Notice::WordsKept))
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
pub(crate) fn back(from: Option<&str>, id: &PlaylistId) -> String {
    let page = from.and_then(SafePath::parse);
    let page = page.as_ref().map_or("/hearts", |page| page.as_str().split('#').next().unwrap_or_default());
    format!("{page}#p-{id}")
}

//! Pins of hearts.

use axum::Form;
use axum::extract::Path;
use serde::Deserialize;

use crate::domain::Error;
use crate::domain::hearts::{self, PinResult};
use crate::web::error::Result;
use crate::web::extract::return_to::list_anchor;
use crate::web::extract::{SignedIn, State};
use crate::web::flash::{self, Flash, ListFlash};
use crate::web::pages::hearts::annotation::not_hearted;
use crate::web::pages::playlists::show::parse_id;

#[derive(Deserialize)]
pub(crate) struct PinForm {
    pinned: bool,
    from: Option<String>,
}

/// Pins a heart or takes its pin away, and redirects to its entry.
pub(crate) async fn update(
    app: State,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Form(form): Form<PinForm>,
) -> Result {
    let id = parse_id(&id)?;
    let message = match form.pinned {
        true => match hearts::pin(&app, &user, &id).await {
            Err(Error::NotFound) => return Err(not_hearted().with_nothing_saved()),
            Ok(PinResult::TooMany) => Flash::List(ListFlash::TooManyPins),
            pinned => pinned.map(|_| Flash::List(ListFlash::Pinned))?,
        },
        false => hearts::unpin(&app, &user, &id).await.map(|()| Flash::List(ListFlash::Unpinned))?,
    };
    Ok(flash::redirect(&list_anchor(form.from.as_deref(), &id), message))
}

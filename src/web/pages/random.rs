//! "Surprise me": one of a list's playlists at random.

use axum::response::{IntoResponse, Redirect};
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::{CurrentUser, search};
use crate::web::error::Result;
use crate::web::extract::list_query::{ListParams, ListView};
use crate::web::extract::list_spec::{HEARTS, LIBRARY, ListSpec};
use crate::web::extract::return_to::playlist_path;
use crate::web::extract::{Now, SignedIn, State};
use crate::web::flash::{self, Flash, ListFlash};

pub(crate) async fn heart(app: State, Now(now): Now, SignedIn(user): SignedIn, params: ListParams) -> Result {
    redirect(&app, &user, &params, &HEARTS, now).await
}

pub(crate) async fn playlist(app: State, Now(now): Now, SignedIn(user): SignedIn, params: ListParams) -> Result {
    redirect(&app, &user, &params, &LIBRARY, now).await
}

/// Redirects to the page of a playlist that matches the search. Does not call Spotify.
async fn redirect(
    app: &App,
    user: &CurrentUser,
    params: &ListParams,
    spec: &'static ListSpec,
    now: OffsetDateTime,
) -> Result {
    let list = ListView::new(params, spec, &user.displays);
    Ok(match search::pick(app, user, spec.list, &list.query(), now).await? {
        Some(id) => Redirect::to(&playlist_path(&id, &list.path())).into_response(),
        None => flash::redirect(&list.path(), Flash::List(ListFlash::NothingToPick)),
    })
}

//! Order and view of the lists, as a user chooses them above a list.

use axum::Form;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;

use crate::domain::displays::{self, List};
use crate::web::error::{Result, not_found};
use crate::web::extract::list_query::{ListParams, ListView};
use crate::web::extract::list_spec::ListSpec;
use crate::web::extract::{SignedIn, State};

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(crate) struct DisplayForm {
    /// Path of the list as it is shown.
    from: String,
    sort: String,
    dir: String,
    view: String,
}

/// Remembers the choice and redirects to the list. Only this form writes it: a link of another site can show a list in
/// any order, but changes nothing.
pub(crate) async fn update(
    app: State,
    SignedIn(user): SignedIn,
    Path(list): Path<String>,
    Form(form): Form<DisplayForm>,
) -> Result {
    let Some(list) = List::from_key(&list) else { return Err(not_found().await) };
    let spec = ListSpec::new(list);
    let shown = ListView::new(&ListParams::from_path(&form.from), spec, &user.displays);
    let display = spec.change(shown.display, &form.sort, &form.dir, &form.view);
    displays::save(&app, &user, list, display).await?;
    Ok(Redirect::to(&shown.path_after_choice(display)).into_response())
}

//! Renews names and covers of hearts.

use axum::Form;
use serde::Deserialize;

use crate::domain::renewal::{self, MaxAge, Renewal};
use crate::web::error::Result;
use crate::web::extract::{Now, SafePath, SignedIn, State};
use crate::web::flash::{self, Flash};

#[derive(Deserialize)]
pub(crate) struct RenewalForm {
    #[serde(default)]
    max_age: MaxAge,
    from: Option<String>,
}

/// Asks Spotify for some of the hearted playlists, and redirects to the list with the progress.
pub(crate) async fn create(
    app: State,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Form(form): Form<RenewalForm>,
) -> Result {
    let from = form.from.as_deref().filter(|from| from.starts_with("/hearts")).and_then(SafePath::parse);
    let path = from.as_ref().map_or("/hearts", SafePath::as_str);
    let message = match renewal::renew(&app, &user, form.max_age, now).await? {
        Renewal { renewed: 0, error: Some(_), .. } => Flash::HeartsNotRenewed,
        Renewal { total, renewed, .. } => Flash::HeartsRenewed { renewed, total },
    };
    Ok(flash::redirect(path, message))
}

//! Hearts by link: the form for any playlist that Spotify's links name.

use axum::Form;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::domain::hearts::{self, Added};
use crate::domain::{Caller, Error, reference};
use crate::web::error::AppError;
use crate::web::extract::current_user::{MaybeUser, SignedIn};
use crate::web::extract::return_to::SafePath;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::{hearts as pages, playlists};
use crate::web::views::layout::{Layout, LinkField, sanitize_for_redisplay};

/// The form for a link.
#[derive(Deserialize)]
pub(crate) struct LinkForm {
    #[serde(default)]
    link: String,
    #[serde(default)]
    from: Option<String>,
}

/// Hearts the playlist that a link names. What cannot be hearted comes back with the reason beside it.
pub(crate) async fn create(
    app: State,
    Now(now): Now,
    layout: Layout,
    visitor: MaybeUser,
    Form(form): Form<LinkForm>,
) -> Result<Response, AppError> {
    let wanted = reference::playlist(&form.link);
    let caller = visitor.user.ok_or_else(|| match &wanted {
        Ok(id) => AppError::signed_out("/hearts").with_heart(id),
        Err(_) => AppError::signed_out_nothing_changed("/hearts"),
    })?;
    let refusal = match wanted {
        Err(refusal) => refusal.to_string(),
        Ok(id) => match hearts::add_by_link(&app, &caller, &id, now).await {
            Err(Error::NotFound) => NOT_SHOWN.to_owned(),
            added => return Ok(flash::redirect("/hearts", added?.into())),
        },
    };
    let layout =
        Layout { link: LinkField { typed: sanitize_for_redisplay(&form.link), refusal: Some(refusal) }, ..layout };
    let page = same_page(app, now, layout, caller, form.from.as_deref()).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

const NOT_SHOWN: &str = "Spotify does not show this playlist, so it was not hearted. It may be deleted, private, or one of Spotify’s own. Check that the link opens in Spotify.";

impl From<Added> for Flash {
    fn from(added: Added) -> Self {
        match added {
            Added::New => Flash::HeartedByLink,
            Added::Nameless => Flash::HeartedWithoutName,
            Added::Before => Flash::AlreadyHearted,
        }
    }
}

/// The page at `from` on which the form stood, as far as it can be shown; else the hearts.
pub(crate) async fn same_page(
    app: State,
    now: OffsetDateTime,
    layout: Layout,
    caller: Caller,
    from: Option<&str>,
) -> Result<Response, AppError> {
    let from = from.and_then(SafePath::parse).and_then(|from| from.as_str().parse::<Uri>().ok()).unwrap_or_default();
    let at = Query::try_from_uri(&from).unwrap_or_default();
    let signed_in = SignedIn(caller.clone());
    let shown = match from.path() {
        "/playlists" => playlists::index::index(app.clone(), Now(now), layout.clone(), signed_in, at).await,
        path if path.starts_with("/playlists/") => {
            let id = Path(path["/playlists/".len()..].to_owned());
            let page = Query::try_from_uri(&from).unwrap_or_default();
            playlists::show::show(app.clone(), Now(now), layout.clone(), signed_in, (id, page)).await
        }
        _ => pages::index::show(app.clone(), Now(now), layout.clone(), signed_in, at).await,
    };
    match shown {
        Err(_) => pages::index::show(app, Now(now), layout, SignedIn(caller), Query::default()).await,
        shown => shown,
    }
}

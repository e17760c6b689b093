//! Disconnecting Spotify and deleting the account.

use askama::Template;
use axum::Form;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;

use crate::domain::account;
use crate::domain::identities::{self, Reauthentication};
use crate::domain::operators;
use crate::web::error::{AppError, Result};
use crate::web::extract::{Device, MaybeUser, Now, SignedIn, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::account::deleted;
use crate::web::pages::login::{self, login_cookie};
use crate::web::views::{Layout, render_page};

#[derive(Template)]
#[template(path = "account/disconnect.html")]
struct DisconnectPage {
    layout: Layout,
    heart_count: i64,
}

pub(crate) async fn show_disconnect(app: State, layout: Layout, SignedIn(user): SignedIn) -> Result {
    let account = account::load(&app, &user).await?.ok_or_else(|| AppError::sign_in_required("/account"))?;
    Ok(render_page(&DisconnectPage {
        layout: layout.with_title("Disconnect Spotify", "account"),
        heart_count: account.heart_count,
    }))
}

/// Removes Spotify's tokens from all of the user's sessions.
pub(crate) async fn disconnect(app: State, Now(now): Now, SignedIn(user): SignedIn, Device(device): Device) -> Result {
    account::disconnect(&app, &user, &device, now).await?;
    Ok(flash::redirect("/account", Flash::Disconnected))
}

#[derive(Template)]
#[template(path = "account/delete.html")]
struct DeletePage {
    layout: Layout,
    heart_count: i64,
    has_reauthenticated_recently: bool,
    reauthentication: Reauthentication,
    is_operator: bool,
    is_only_operator: bool,
}

/// The confirmation page for deleting the account. Asks the user to sign in again first if the last sign-in is too old.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    maybe_user: MaybeUser,
    SignedIn(user): SignedIn,
) -> Result {
    let account = account::load(&app, &user).await?.ok_or_else(|| AppError::sign_in_required("/account/delete"))?;
    let is_operator = operators::is_operator(&app, user.id).await?;
    Ok(render_page(&DeletePage {
        layout: layout.with_title("Delete your account", "account"),
        heart_count: account.heart_count,
        has_reauthenticated_recently: maybe_user.has_reauthenticated_recently(now).await?,
        reauthentication: Reauthentication::new(&app, &identities::load(&app, &user).await?.linked),
        is_operator,
        is_only_operator: is_operator && !operators::has_other(&app, user.id).await?,
    }))
}

/// The checkbox that confirms an irreversible action.
#[derive(Deserialize)]
pub(crate) struct ConfirmForm {
    confirm: Option<String>,
}

impl ConfirmForm {
    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirm.as_deref() == Some("yes")
    }
}

pub(crate) async fn destroy(
    app: State,
    Now(now): Now,
    (maybe_user, headers): (MaybeUser, HeaderMap),
    Form(form): Form<ConfirmForm>,
) -> Result {
    let Some(user) = maybe_user.user.clone() else {
        return match flash::take(&app, &headers) {
            // The button was pressed twice.
            Some(Flash::AccountDeleted(_)) => Ok(Redirect::to(deleted::PATH).into_response()),
            // An earlier request may have deleted the account. A sign-in then creates a new one, which is not to be
            // deleted.
            _ => Err(AppError::sign_in_required("/account")),
        };
    };
    if !form.is_confirmed() {
        return Ok(flash::redirect("/account/delete", Flash::NotConfirmed));
    }
    let browser = login_cookie::read(&app, &headers);
    let Some(deleted) =
        account::delete(&app, &user, browser.as_ref(), maybe_user.reauthenticated_at().await?, now).await?
    else {
        return Ok(flash::redirect("/account/delete", Flash::ReauthRequired));
    };
    login::end_session(&app, &maybe_user, flash::redirect(deleted::PATH, Flash::AccountDeleted(deleted))).await
}

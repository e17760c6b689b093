//! Disconnecting Spotify and deleting the account.

use askama::Template;
use axum::Form;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::domain::account::{self, DeletedCounts};
use crate::domain::identities::{self, Identity};
use crate::domain::operators;
use crate::web::error::AppError;
use crate::web::extract::current_user::{MaybeUser, SignedIn};
use crate::web::extract::device::Device;
use crate::web::extract::{Now, State};
use crate::web::flash::{self, Flash};
use crate::web::pages::login::login_cookie;
use crate::web::views::layout::{Layout, render_page};

#[derive(Template)]
#[template(path = "account/disconnect.html")]
struct DisconnectPage {
    layout: Layout,
    heart_count: i64,
}

/// The confirmation page for disconnecting Spotify.
pub(crate) async fn show_disconnect(
    app: State,
    layout: Layout,
    SignedIn(user): SignedIn,
) -> Result<Response, AppError> {
    let account = account::load(&app, &user).await?.ok_or_else(|| AppError::sign_in_required("/account"))?;
    Ok(render_page(&DisconnectPage {
        layout: layout.with_title("Disconnect Spotify", "account"),
        heart_count: account.heart_count,
    }))
}

/// Removes Spotify's tokens from all of the user's sessions.
pub(crate) async fn disconnect(
    app: State,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Device(device): Device,
) -> Result<Response, AppError> {
    account::disconnect(&app, &user, &device, now).await?;
    Ok(flash::redirect("/account", Flash::Disconnected))
}

#[derive(Template)]
#[template(path = "account/delete.html")]
struct DeletePage {
    layout: Layout,
    heart_count: i64,
    has_signed_in_recently: bool,
    identities: Vec<Identity>,
    is_operator: bool,
}

/// The confirmation page for deleting the account. Asks the user to sign in again first if the last sign-in is too old.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    maybe_user: MaybeUser,
    SignedIn(user): SignedIn,
) -> Result<Response, AppError> {
    let account = account::load(&app, &user).await?.ok_or_else(|| AppError::sign_in_required("/account/delete"))?;
    Ok(render_page(&DeletePage {
        layout: layout.with_title("Delete your account", "account"),
        heart_count: account.heart_count,
        has_signed_in_recently: maybe_user.has_signed_in_recently(now).await?,
        identities: identities::load(&app, &user).await?.linked,
        is_operator: operators::is_operator(&app, user.id).await?,
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
    SignedIn(user): SignedIn,
    Form(form): Form<ConfirmForm>,
) -> Result<Response, AppError> {
    if !form.is_confirmed() {
        return Ok(flash::redirect("/account/delete", Flash::NotConfirmed));
    }
    let browser = login_cookie::read(&app, &headers);
    let Some(deleted) = account::delete(&app, &user, browser.as_ref(), maybe_user.signed_in_at().await?, now).await?
    else {
        return Ok(flash::redirect("/account/delete", Flash::ReauthRequired));
    };
    maybe_user.sign_out().await?;
    Ok(deleted_page(&app, deleted))
}

#[derive(Template)]
#[template(path = "account/deleted.html")]
struct DeletedPage {
    layout: Layout,
    /// Labels and counts of what was deleted.
    rows: Vec<(&'static str, i64)>,
}

/// Rendered without a redirect, because the counts are not stored.
fn deleted_page(app: &App, deleted: DeletedCounts) -> Response {
    let counts = [
        ("Hearts", deleted.hearts),
        ("Hearts with a note or tags", deleted.notes),
        ("Removed hearts", deleted.removed_hearts),
        ("Playlists from your library", deleted.playlists),
        ("Ways to sign in", deleted.identities),
        ("Sessions", deleted.sessions),
        ("Activity entries", deleted.events),
        ("Invitations", deleted.invites),
        ("Shared pages and links", deleted.shares),
    ];
    let rows = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    render_page(&DeletedPage { layout: Layout::without_user(app, "/").with_title("Your account is deleted", ""), rows })
}

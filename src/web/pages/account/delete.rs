//! Disconnecting Spotify and deleting the account.

use askama::Template;
use axum::Form;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::domain::account::{self, DeletedCounts};
use crate::domain::identities::{self, Identity};
use crate::domain::registration;
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
    hearts: i64,
}

/// Asks whether to disconnect Spotify.
pub(crate) async fn show_disconnect(
    app: State,
    layout: Layout,
    SignedIn(caller): SignedIn,
) -> Result<Response, AppError> {
    let account = account::load(&app, &caller).await?.ok_or_else(|| AppError::signed_out("/account"))?;
    Ok(render_page(&DisconnectPage {
        layout: layout.with_title("Disconnect Spotify", "account"),
        hearts: account.heart_count,
    }))
}

/// Removes Spotify's tokens from all of the user's sessions.
pub(crate) async fn disconnect(
    app: State,
    Now(now): Now,
    SignedIn(caller): SignedIn,
    Device(device): Device,
) -> Result<Response, AppError> {
    account::disconnect(&app, &caller, &device, now).await?;
    Ok(flash::redirect("/account", Flash::Disconnected))
}

#[derive(Template)]
#[template(path = "account/delete.html")]
struct DeletePage {
    layout: Layout,
    hearts: i64,
    /// Whether the user has signed in recently enough.
    is_fresh: bool,
    identities: Vec<Identity>,
    is_operator: bool,
}

/// Asks whether to delete the account, or to sign in again first.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    visitor: MaybeUser,
    SignedIn(caller): SignedIn,
) -> Result<Response, AppError> {
    let account = account::load(&app, &caller).await?.ok_or_else(|| AppError::signed_out("/account/delete"))?;
    Ok(render_page(&DeletePage {
        layout: layout.with_title("Delete your account", "account"),
        hearts: account.heart_count,
        is_fresh: visitor.has_signed_in_recently(now).await?,
        identities: identities::load(&app, &caller).await?.linked,
        is_operator: registration::is_operator(&app, &caller).await?,
    }))
}

/// The checkbox that confirms what cannot be undone.
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
    (visitor, headers): (MaybeUser, HeaderMap),
    SignedIn(caller): SignedIn,
    Form(form): Form<ConfirmForm>,
) -> Result<Response, AppError> {
    if !form.is_confirmed() {
        return Ok(flash::redirect("/account/delete", Flash::NotSure));
    }
    let browser = login_cookie::read(&app, &headers);
    let Some(deleted) = account::delete(&app, &caller, browser.as_ref(), visitor.signed_in_at().await?, now).await?
    else {
        return Ok(flash::redirect("/account/delete", Flash::NotFresh));
    };
    visitor.sign_out().await?;
    Ok(deleted_page(&app, deleted))
}

#[derive(Template)]
#[template(path = "account/deleted.html")]
struct DeletedPage {
    layout: Layout,
    /// What was deleted, and how many.
    rows: Vec<(&'static str, i64)>,
}

/// Shown without a redirect, because there is no account left to store the counts for.
fn deleted_page(app: &App, deleted: DeletedCounts) -> Response {
    let all = [
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
    let rows = all.into_iter().filter(|(_, count)| *count > 0).collect();
    render_page(&DeletedPage { layout: Layout::without_user(app, "/").with_title("Your account is deleted", ""), rows })
}

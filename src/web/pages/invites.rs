//! Invitations, and who may join.

use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::registration::{self, Invite, InviteStatus};
use crate::domain::text::visible_or;
use crate::domain::{DEFAULT_NAME, operators};
use crate::ids::{Provider, Registration};
use crate::web::error::{AppError, Result, error_for_status};
use crate::web::extract::{Now, OperatorUser, SignedIn, State};
use crate::web::flash::{self, Flash, OperatorFlash};
use crate::web::pages::login::other_providers;
use crate::web::views::{Layout, TimeView, absolute_url, render_page};

const CLOSED: &str = "Nobody new can join at the moment. If you have an account, sign in as usual.";

/// Returns a sentence on who may join, for the landing page; `None` in an open demo.
pub(crate) fn registration_note(app: &App) -> Option<String> {
    let access = &app.config.access;
    let limit = access.spotify_users.map(|users| format!(" Spotify allows {users} listeners, chosen by the operator."));
    let note = match access.registration {
        Registration::Closed => CLOSED,
        Registration::Invite => "New here? You need an invitation. If you have an account, sign in as usual.",
        Registration::Open if app.config.demo => return None,
        Registration::Open if limit.is_some() => "Open to everybody on the operator’s list.",
        Registration::Open => {
            "Open to listeners on the operator’s Spotify list. Until Spotify reviews an app, its operator chooses who is on it."
        }
    };
    Some(format!("{note}{}", limit.unwrap_or_default()))
}

#[derive(Template)]
#[template(path = "invites/index.html")]
struct InvitesPage {
    layout: Layout,
    invites: Vec<InviteRow>,
    link: Option<String>,
    registration: Registration,
}

struct InviteRow {
    id: i64,
    created: TimeView,
    expires: TimeView,
    /// Name of the new user, and when they joined.
    used: Option<(String, TimeView)>,
    is_expired: bool,
}

impl InviteRow {
    fn new(invite: Invite, now: OffsetDateTime) -> Self {
        let used_by = invite.used_by.map_or_else(|| "a deleted account".into(), |name| visible_or(name, DEFAULT_NAME));
        Self {
            id: invite.id,
            created: TimeView::date(invite.created_at),
            expires: TimeView::date(invite.expires_at),
            used: invite.used_at.map(|used_at| (used_by, TimeView::date(used_at))),
            is_expired: invite.expires_at <= now,
        }
    }
}

pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    OperatorUser(user): OperatorUser,
    headers: HeaderMap,
) -> Result {
    let invites = registration::list_invites(&app, &user).await?;
    let link = match flash::take(&app, &headers) {
        Some(Flash::InviteCreated(token)) => Some(absolute_url(&app, &format!("/invite/{}", token.expose()))),
        _ => None,
    };
    Ok(render_page(&InvitesPage {
        layout: layout.with_title("Invitations", "account"),
        invites: invites.into_iter().map(|invite| InviteRow::new(invite, now)).collect(),
        link,
        registration: app.config.access.registration,
    }))
}

/// Creates an invitation, unless nobody could use it. Only the next page shows its link, because only a hash is stored.
pub(crate) async fn create(app: State, Now(now): Now, OperatorUser(user): OperatorUser) -> Result {
    if app.config.access.registration == Registration::Closed {
        return Ok(Redirect::to("/invites").into_response());
    }
    let token = registration::create_invite(&app, &user, now).await?;
    let token = token.ok_or_else(|| error_for_status(StatusCode::NOT_FOUND))?;
    Ok(flash::redirect("/invites", Flash::InviteCreated(token)))
}

#[derive(Deserialize)]
pub(crate) struct RevokeForm {
    invite: i64,
}

pub(crate) async fn destroy(app: State, OperatorUser(user): OperatorUser, Form(form): Form<RevokeForm>) -> Result {
    registration::revoke_invite(&app, &user, form.invite).await?;
    Ok(flash::redirect("/invites", Flash::InviteRevoked))
}

#[derive(Template)]
#[template(path = "invites/show.html")]
struct InvitePage {
    layout: Layout,
    token: String,
    /// True if the link makes its bearer operator.
    makes_operator: bool,
    others: Vec<Provider>,
}

pub(crate) async fn show(app: State, Now(now): Now, layout: Layout, Path(token): Path<String>) -> Result {
    let invalid = |status, message: &str| Err(AppError::new(status, "This invitation is not valid", message));
    match registration::invite_status(&app, &token, now).await? {
        InviteStatus::Valid { makes_operator: false } if app.config.access.registration == Registration::Closed => {
            Err(AppError::new(StatusCode::FORBIDDEN, "Closed to new people", CLOSED))
        }
        InviteStatus::Valid { makes_operator } => Ok(render_page(&InvitePage {
            layout: layout.with_title(if makes_operator { "Become the operator" } else { "You are invited" }, ""),
            token,
            makes_operator,
            others: other_providers(&app),
        })),
        InviteStatus::Used => {
            invalid(StatusCode::GONE, "It has already been used, and each one is for one person. Ask for another one.")
        }
        InviteStatus::Expired => invalid(StatusCode::GONE, "It has expired. Ask for another one."),
        InviteStatus::Unknown => invalid(StatusCode::NOT_FOUND, "It was revoked, or the link is incomplete."),
    }
}

/// Makes the signed-in user operator, if the link is for that.
pub(crate) async fn accept(app: State, Now(now): Now, SignedIn(user): SignedIn, Path(token): Path<String>) -> Result {
    match operators::redeem_link(&app, &user, &token, now).await? {
        true => Ok(flash::redirect("/operator", Flash::Operator(OperatorFlash::Joined))),
        false => Err(AppError::new(StatusCode::GONE, "This link is not valid", "It was used, or it has expired.")),
    }
}

//! The account page.

pub(crate) mod activity;
pub(crate) mod delete;
pub(crate) mod identities;
pub(crate) mod sessions;

use askama::Template;
use axum::response::Response;

use crate::domain::{CurrentUser, account, registration, sharing};
use crate::web::error::AppError;
use crate::web::extract::State;
use crate::web::extract::current_user::SignedIn;
use crate::web::views::layout::{Layout, render_page};
use crate::web::views::time::TimeView;

#[derive(Template)]
#[template(path = "account/show.html")]
struct AccountPage {
    layout: Layout,
    name: String,
    since: TimeView,
    identities: identities::IdentityList,
    hearts: i64,
    consent_expires_at: Option<TimeView>,
    is_connected: bool,
    is_lapsed: bool,
    is_operator: bool,
    shares: sharing::SharingStatus,
    permissions: Vec<Permission>,
    sessions: Vec<sessions::SessionRow>,
    events: Vec<activity::EventRow>,
    has_more_events: bool,
}

pub(crate) async fn show(app: State, layout: Layout, SignedIn(caller): SignedIn) -> Result<Response, AppError> {
    let account = account::load(&app, &caller).await?.ok_or_else(|| AppError::signed_out("/account"))?;
    let (events, has_more_events) = activity::latest(&app, &caller).await?;
    Ok(render_page(&AccountPage {
        layout: layout.with_title("Account", "account"),
        is_operator: registration::is_operator(&app, &caller).await?,
        shares: sharing::load_status(&app, &caller).await?,
        permissions: permissions(&caller),
        sessions: sessions::list(&app, &caller).await?,
        has_more_events,
        events,
        name: account.name,
        since: TimeView::day(account.created_at),
        identities: identities::load(&app, &caller).await?,
        hearts: account.heart_count,
        is_connected: account.consent_expires_at.is_some(),
        is_lapsed: caller.has_expired_grant,
        consent_expires_at: account.consent_expires_at.map(TimeView::day),
    }))
}

/// What each scope of Spotify's permits, and why it is requested.
const PERMISSIONS: [(&str, Permission); 3] = [
    (
        "playlist-read-private",
        Permission { what: "See your private playlists", why: "to list them here with the others." },
    ),
    (
        "playlist-read-collaborative",
        Permission { what: "See your collaborative playlists", why: "to list them here too." },
    ),
    (
        "user-read-currently-playing",
        Permission { what: "See what you listen to", why: "only while you have Now playing open." },
    ),
];

#[derive(Clone, Copy)]
struct Permission {
    what: &'static str,
    why: &'static str,
}

fn permissions(caller: &CurrentUser) -> Vec<Permission> {
    let Some(grant) = &caller.grant else { return Vec::new() };
    PERMISSIONS.iter().filter(|(scope, _)| grant.scopes.contains(*scope)).map(|(_, permission)| *permission).collect()
}

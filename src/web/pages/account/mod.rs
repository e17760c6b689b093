//! The account page.

pub(crate) mod activity;
pub(crate) mod delete;
pub(crate) mod deleted;
pub(crate) mod identities;
pub(crate) mod merge;
pub(crate) mod saving;
pub(crate) mod sessions;

use askama::Template;

use crate::domain::saving::is_granted;
use crate::domain::{CurrentUser, account, operators, sharing};
use crate::web::error::{AppError, Result};
use crate::web::extract::{SignedIn, State};
use crate::web::views::{Layout, TimeView, render_page};

#[derive(Template)]
#[template(path = "account/show.html")]
struct AccountPage {
    layout: Layout,
    name: String,
    since: TimeView,
    identities: identities::IdentityList,
    heart_count: i64,
    consent_expires_at: Option<TimeView>,
    is_connected: bool,
    has_expired_grant: bool,
    saves_to_library: bool,
    can_save: bool,
    is_operator: bool,
    shares: sharing::SharingStatus,
    permissions: Vec<Permission>,
    sessions: Vec<sessions::SessionRow>,
    events: Vec<activity::EventRow>,
    has_more_events: bool,
}

pub(crate) async fn show(app: State, layout: Layout, SignedIn(user): SignedIn) -> Result {
    let account = account::load(&app, &user).await?.ok_or_else(|| AppError::sign_in_required("/account"))?;
    let (events, has_more_events) = activity::latest(&app, &user).await?;
    Ok(render_page(&AccountPage {
        layout: layout.with_title("Account", "account"),
        is_operator: operators::is_operator(&app, user.id).await?,
        shares: sharing::load_status(&app, &user).await?,
        permissions: permissions(&user),
        sessions: sessions::list(&app, &user).await?,
        has_more_events,
        events,
        name: account.name,
        since: TimeView::date(account.created_at),
        identities: identities::load(&app, &user).await?,
        heart_count: account.heart_count,
        is_connected: account.consent_expires_at.is_some(),
        has_expired_grant: user.has_expired_grant,
        saves_to_library: user.saves_to_library,
        can_save: is_granted(&user),
        consent_expires_at: account.consent_expires_at.map(TimeView::date),
    }))
}

const SAVING_REASON: &str = "only to save the playlists that you heart, while you have that on.";

/// Spotify's scopes, with what they permit and why they are requested.
const PERMISSIONS: [(&str, Permission); 5] = [
    (
        "playlist-read-private",
        Permission { description: "See your private playlists", reason: "to list them here with the others." },
    ),
    (
        "playlist-read-collaborative",
        Permission { description: "See your collaborative playlists", reason: "to list them here too." },
    ),
    (
        "user-read-currently-playing",
        Permission { description: "See what you listen to", reason: "only while you have Now playing open." },
    ),
    ("user-library-modify", Permission { description: "Change your saved music", reason: SAVING_REASON }),
    ("playlist-modify-public", Permission { description: "Change your public playlists", reason: SAVING_REASON }),
];

#[derive(Clone, Copy)]
struct Permission {
    description: &'static str,
    reason: &'static str,
}

fn permissions(user: &CurrentUser) -> Vec<Permission> {
    let Some(grant) = &user.grant else { return Vec::new() };
    PERMISSIONS.iter().filter(|(scope, _)| grant.scopes.contains(*scope)).map(|(_, permission)| *permission).collect()
}

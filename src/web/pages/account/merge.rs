//! Merging two accounts: the question, what will be joined, and the confirmation.

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect};
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::CurrentUser;
use crate::domain::account_merge::{self, MergeAccount, MergePreview};
use crate::domain::activity::{self, EventKind};
use crate::domain::login;
use crate::ids::Provider;
use crate::web::error::{Result, counting_error};
use crate::web::extract::{Device, MaybeUser, NextParam, Now, SafePath, SignedIn, State};
use crate::web::flash::{self, Flash, JoinedCounts};
use crate::web::views::{Layout, TimeView, render_page};

#[derive(Template)]
#[template(path = "account/merge.html")]
struct MergePage {
    layout: Layout,
    providers: Vec<Provider>,
    next: String,
}

/// Asks a new user whether an older account with the same email address is also theirs.
pub(crate) async fn show(
    app: State,
    Now(now): Now,
    layout: Layout,
    maybe_user: MaybeUser,
    Query(params): Query<NextParam>,
) -> Result {
    let next = SafePath::parse_or_playlists(params.next.as_deref());
    let can_merge = maybe_user.merge_until().await?.is_some_and(|until| now < until);
    let providers = match &maybe_user.user {
        Some(user) if can_merge => login::merge_candidates(&app, user.id).await?,
        _ => Vec::new(),
    };
    if providers.is_empty() {
        return Ok(Redirect::to(next.as_str()).into_response());
    }
    let layout = layout.with_title("Were you here before?", "account");
    Ok(render_page(&MergePage { layout, providers, next: next.as_str().to_owned() }))
}

#[derive(Template)]
#[template(path = "account/merge_confirm.html")]
struct ConfirmPage {
    layout: Layout,
    next: String,
    /// The account that stays, then the other.
    accounts: [AccountView; 2],
    preview: MergePreview,
}

struct AccountView {
    account: MergeAccount,
    since: TimeView,
    providers: String,
    is_current: bool,
}

/// Says what a merge would join, and asks.
pub(crate) async fn confirm(
    app: State,
    Now(now): Now,
    layout: Layout,
    (maybe_user, SignedIn(user)): (MaybeUser, SignedIn),
    Query(params): Query<NextParam>,
) -> Result {
    let next = SafePath::parse_or_playlists(params.next.as_deref());
    let Some(preview) = load_preview(&app, &user, &maybe_user, now).await? else {
        return Ok(Redirect::to(next.as_str()).into_response());
    };
    let view = |account: &MergeAccount| AccountView {
        since: TimeView::date(account.summary.since),
        providers: account.providers.iter().map(|provider| provider.label()).collect::<Vec<_>>().join(" and "),
        is_current: account.id == user.id,
        account: account.clone(),
    };
    Ok(render_page(&ConfirmPage {
        layout: layout.with_title("Make both accounts one?", "account"),
        next: next.as_str().to_owned(),
        accounts: [view(&preview.into), view(&preview.from)],
        preview,
    }))
}

async fn load_preview(
    app: &App,
    user: &CurrentUser,
    maybe_user: &MaybeUser,
    now: OffsetDateTime,
) -> Result<Option<MergePreview>> {
    account_merge::preview(app, user, maybe_user.merge_offer().await?, now).await.map_err(counting_error)
}

pub(crate) async fn create(
    app: State,
    Now(now): Now,
    maybe_user: MaybeUser,
    (SignedIn(user), Device(device)): (SignedIn, Device),
    Form(params): Form<NextParam>,
) -> Result {
    let next = SafePath::parse_or_playlists(params.next.as_deref());
    maybe_user.reload().await?;
    let Some(preview) = load_preview(&app, &user, &maybe_user, now).await? else {
        return Ok(flash::redirect("/account", Flash::NotMerged));
    };
    let Some(merged) = account_merge::merge(&app, &preview, (user.id, user.session), now).await? else {
        return Ok(flash::redirect("/account", Flash::NotMerged));
    };
    let from = &preview.from.summary;
    let counts =
        JoinedCounts { hearts: from.hearts, in_both: preview.joined.in_both, notes: from.notes, tags: from.tags };
    let event = (EventKind::Merged, Some(counts.describe()));
    activity::record_with_details(&app, merged.id, event, &device, now).await;
    // The sessions of the other account were deleted by the merge. This one may have been ended, or changed, since.
    if merged.id == user.id {
        maybe_user.reload().await?;
    }
    maybe_user.continue_as(&merged).await?;
    Ok(flash::redirect(next.as_str(), Flash::Merged(counts)))
}

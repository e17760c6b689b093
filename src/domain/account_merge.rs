//! Merging two accounts of one person, after a sign-in to both and one confirmation.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::text::visible_or;
use super::{CurrentUser, DEFAULT_NAME, Result, User};
use crate::app::App;
use crate::db;
use crate::db::account_merge::{Merge, count_joined, hides_notes, summarize};
use crate::ids::{Provider, UserId};
use crate::vault::Purpose;

pub use crate::db::account_merge::{AccountSummary, JoinedHearts};

/// How long the offer stands after both sign-ins.
const OFFER_TTL: Duration = Duration::minutes(10);

/// Kept in the session of the user who signed in to both accounts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MergeOffer {
    other: UserId,
    until: i64,
}

impl MergeOffer {
    pub fn new(other: UserId, now: OffsetDateTime) -> Self {
        Self { other, until: (now + OFFER_TTL).unix_timestamp() }
    }
}

#[derive(Clone)]
pub struct MergeAccount {
    pub id: UserId,
    pub summary: AccountSummary,
    pub providers: Vec<Provider>,
}

/// The result of a merge that is not confirmed yet.
pub struct MergePreview {
    /// The older account, which stays.
    pub into: MergeAccount,
    pub from: MergeAccount,
    pub joined: JoinedHearts,
    /// Whether notes that visitors see are hidden from them.
    pub hides_notes: bool,
}

/// Returns the result of the offered merge. `None` if the offer has ended, one of the accounts is gone, or both have an
/// identity at the same provider by now.
pub async fn preview(
    app: &App,
    user: &CurrentUser,
    offer: Option<MergeOffer>,
    now: OffsetDateTime,
) -> Result<Option<MergePreview>> {
    let Some(offer) = offer.filter(|offer| now.unix_timestamp() < offer.until && offer.other != user.id) else {
        return Ok(None);
    };
    if !db::account_merge::can_merge(&app.db, user.id, offer.other).await? {
        return Ok(None);
    }
    let (into, from) = (user.id.min(offer.other), user.id.max(offer.other));
    let (Some(into), Some(from)) = (load_account(app, into, now).await?, load_account(app, from, now).await?) else {
        return Ok(None);
    };
    let joined = count_joined(&app.db, into.id, from.id).await?;
    let hides_notes = hides_notes(&app.db, into.id, from.id).await?;
    Ok(Some(MergePreview { into, from, joined, hides_notes }))
}

async fn load_account(app: &App, id: UserId, now: OffsetDateTime) -> Result<Option<MergeAccount>> {
    let Some(mut summary) = summarize(&app.db, id, now).await? else { return Ok(None) };
    summary.name = visible_or(summary.name, DEFAULT_NAME);
    let identities = db::identities::list(&app.db, id).await?;
    let providers = identities.iter().filter_map(|identity| Provider::from_key(&identity.provider)).collect();
    Ok(Some(MergeAccount { id, summary, providers }))
}

/// Merges the accounts. Returns the user who stays; `None`, and nothing is changed, if that is no longer possible.
pub async fn merge(app: &App, preview: &MergePreview, now: OffsetDateTime) -> Result<Option<User>> {
    let (into, from) = (preview.into.id, preview.from.id);
    let owner = |user: UserId| user.0.to_be_bytes();
    let reseal = |sealed: &[u8]| {
        let token = app.vault.open(Purpose::Share, &owner(from), sealed).ok()?;
        Some(app.vault.seal(Purpose::Share, &owner(into), &token))
    };
    let merge = Merge { from, into, reseal: &reseal };
    if !db::account_merge::merge(&app.db, merge, now).await? {
        return Ok(None);
    }
    app.tag_suggestions.remove(&into);
    tracing::info!(user = %into, "an account was merged into an older one");
    Ok(Some(User { id: into, name: preview.into.summary.name.clone() }))
}

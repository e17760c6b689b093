//! The about page, with a summary of the account.

use askama::Template;

use crate::domain::{CurrentUser, account};
use crate::web::error::Result;
use crate::web::extract::{MaybeUser, State};
use crate::web::pages::account::identities;
use crate::web::pages::account::identities::IdentityRow;
use crate::web::views::{Layout, TimeView, render_page};

#[derive(Template)]
#[template(path = "about/show.html")]
struct AboutPage {
    layout: Layout,
    version: &'static str,
    licence: &'static str,
    /// URL of the source code; may be empty.
    source_url: &'static str,
    account: Option<AccountSummary>,
}

struct AccountSummary {
    name: String,
    since: TimeView,
    identities: Vec<IdentityRow>,
    consent_expires_at: Option<TimeView>,
    heart_count: i64,
}

async fn load_summary(app: &State, user: &CurrentUser) -> Result<Option<AccountSummary>> {
    let Some(account) = account::load(app, user).await? else { return Ok(None) };
    Ok(Some(AccountSummary {
        since: TimeView::date(account.created_at),
        identities: identities::load(app, user).await?.linked,
        consent_expires_at: account.consent_expires_at.map(TimeView::date),
        heart_count: account.heart_count,
        name: account.name,
    }))
}

pub(crate) async fn show(app: State, layout: Layout, maybe_user: MaybeUser) -> Result {
    let account = match &maybe_user.user {
        Some(user) => load_summary(&app, user).await?,
        None => None,
    };
    Ok(render_page(&AboutPage {
        layout: layout.with_title("About", ""),
        version: env!("CARGO_PKG_VERSION"),
        licence: env!("CARGO_PKG_LICENSE"),
        source_url: env!("CARGO_PKG_REPOSITORY"),
        account,
    }))
}

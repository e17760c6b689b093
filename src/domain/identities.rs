//! A person's ways in: which there are, which may be added, and which may go.

use super::tokens::{GRANT, SCOPES};
use super::{Caller, Result};
use crate::app::App;
use crate::db;
use crate::ids::Provider;

pub use crate::db::identities::{Identity, Unlinked};

/// A person's ways in, and those that could be.
pub struct Ways {
    /// By which the person can sign in, oldest first.
    pub linked: Vec<Identity>,
    /// By which they could, once linked: those that are set up here.
    pub open: Vec<Provider>,
}

impl Ways {
    /// Whether the person could still sign in without `provider`. A way in that is not set up here any more
    /// leads nowhere.
    pub fn can_go(&self, app: &App, provider: &str) -> bool {
        usable(app).iter().any(|key| key != provider && self.linked.iter().any(|way| way.provider == *key))
    }
}

/// The caller's ways in.
pub async fn of(app: &App, caller: &Caller) -> Result<Ways> {
    let linked = db::identities::of(&app.db, caller.person.id).await?;
    let open = app.providers().filter(|provider| linked.iter().all(|way| way.provider != provider.key()));
    Ok(Ways { open: open.collect(), linked })
}

/// Takes a way in away from the caller's account. With Spotify's go the keys to it, in all their sessions.
pub async fn unlink(app: &App, caller: &Caller, provider: Provider) -> Result<Unlinked> {
    let user = caller.person.id;
    let unlinked = db::identities::unlink(&app.db, user, provider, &usable(app)).await?;
    if unlinked == Unlinked::Gone {
        tracing::info!(%user, provider = provider.key(), "a way in was taken away");
    }
    // Also when it is gone already: an earlier try may have come no further.
    if unlinked != Unlinked::LastWayIn && provider == Provider::Spotify {
        db::sessions::forget(&app.db, &app.vault, user, &[GRANT, SCOPES]).await?;
    }
    Ok(unlinked)
}

fn usable(app: &App) -> Vec<String> {
    app.providers().map(|provider| provider.key().to_owned()).collect()
}

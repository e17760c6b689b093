//! A user's linked identities: list, candidates for linking, unlink.

use super::tokens::SPOTIFY_KEYS;
use super::{CurrentUser, Result};
use crate::app::App;
use crate::db;
use crate::ids::Provider;

pub use crate::db::identities::{Identity, UnlinkOutcome};

pub struct LinkedIdentities {
    /// Oldest first.
    pub linked: Vec<Identity>,
    /// Configured providers that could be linked.
    pub available: Vec<Provider>,
}

impl LinkedIdentities {
    /// Returns whether the user could still sign in without `provider`. Providers that are no longer configured do not
    /// count.
    pub fn can_unlink(&self, app: &App, provider: &str) -> bool {
        let mut others = app.oauth.providers().map(Provider::key).filter(|key| *key != provider);
        others.any(|key| self.linked.iter().any(|identity| identity.provider == key))
    }
}

/// Options for reauthentication.
pub struct Reauthentication {
    /// Providers that can be asked for a new sign-in.
    pub providers: Vec<Provider>,
    /// Whether signing out and in is enough, because none of the providers surely proves a new sign-in.
    pub by_new_session: bool,
}

impl Reauthentication {
    pub fn new(app: &App, linked: &[Identity]) -> Self {
        let providers = linked.iter().filter_map(|identity| Provider::from_key(&identity.provider));
        let clients: Vec<_> = providers.filter_map(|provider| app.oauth.get(provider)).collect();
        let can_reauthenticate = clients.iter().filter(|client| client.can_reauthenticate());
        Self {
            providers: can_reauthenticate.map(|client| client.provider()).collect(),
            by_new_session: !clients.iter().any(|client| client.proves_reauthentication()),
        }
    }
}

pub async fn load(app: &App, user: &CurrentUser) -> Result<LinkedIdentities> {
    let linked = db::identities::list(&app.db, user.id).await?;
    let is_unlinked = |provider: &Provider| linked.iter().all(|identity| identity.provider != provider.key());
    Ok(LinkedIdentities { available: app.oauth.providers().filter(is_unlinked).collect(), linked })
}

/// Unlinks an identity. Unlinking Spotify also removes its tokens from all of the user's sessions.
pub async fn unlink(app: &App, user: &CurrentUser, provider: Provider) -> Result<UnlinkOutcome> {
    let configured: Vec<_> = app.oauth.providers().collect();
    let outcome = db::identities::unlink(&app.db, user.id, provider, &configured).await?;
    if outcome == UnlinkOutcome::Unlinked {
        tracing::info!(user = %user.id, provider = provider.key(), "an identity was unlinked");
    }
    // Also if it was already unlinked: an earlier attempt may have failed after unlinking.
    if matches!(outcome, UnlinkOutcome::Unlinked | UnlinkOutcome::NotLinked) && provider == Provider::Spotify {
        db::sessions::remove_values(&app.db, &app.vault, user.id, &SPOTIFY_KEYS).await?;
    }
    Ok(outcome)
}

//! Options of shared pages: tags with pages of their own, notes, and a card for other sites.

use crate::app::App;
use crate::db;
use crate::domain::tags::{self, TagNameError};
use crate::domain::{CurrentUser, Error, Result};

const MAX_SHARED_TAGS: usize = 20;

#[derive(Debug, thiserror::Error)]
pub enum SharedTagError {
    #[error(transparent)]
    Name(#[from] TagNameError),
    #[error("None of your hearts has this tag.")]
    Unknown,
    #[error("A tag of dots cannot have an address.")]
    Dots,
    #[error("You can share {MAX_SHARED_TAGS} tags.")]
    TooMany,
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<db::Error> for SharedTagError {
    fn from(error: db::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Gives one of the user's tags a page of its own. Returns the tag as it is spelled.
pub async fn share_tag(app: &App, user: &CurrentUser, text: &str) -> Result<String, SharedTagError> {
    let name = tags::parse_name(text)?;
    if !tags::can_have_address(&name) {
        return Err(SharedTagError::Dots);
    }
    let [tag] = tags::find(app, user, [&name]).await?;
    let name = tag.ok_or(SharedTagError::Unknown)?.name;
    let is_stored = change_tags(app, user, |tags| {
        if tags.iter().all(|tag| !tags::is_same(tag, &name)) {
            tags.push(name.clone());
        }
    });
    if is_stored.await? { Ok(name) } else { Err(SharedTagError::TooMany) }
}

pub async fn unshare_tag(app: &App, user: &CurrentUser, tag: &str) -> Result<bool> {
    change_tags(app, user, |tags| tags.retain(|shared| !tags::is_same(shared, tag))).await
}

/// Returns `false`, and stores nothing, if too many tags would be shared or a concurrent request has changed them.
async fn change_tags(app: &App, user: &CurrentUser, change: impl FnOnce(&mut Vec<String>)) -> Result<bool> {
    let old = db::shares::find(&app.db, user.id).await?.unwrap_or_default().shared_tags;
    let mut new = old.clone();
    change(&mut new);
    let is_allowed = new.len() <= MAX_SHARED_TAGS.max(old.len());
    Ok(is_allowed && db::shares::set_shared_tags(&app.db, user.id, &old, &new).await?)
}

pub async fn set_shows_notes(app: &App, user: &CurrentUser, shows_notes: bool) -> Result<()> {
    Ok(db::shares::set_shows_notes(&app.db, user.id, shows_notes).await?)
}

pub async fn set_embeddable(app: &App, user: &CurrentUser, embeddable: bool) -> Result<()> {
    Ok(db::shares::set_embeddable(&app.db, user.id, embeddable).await?)
}

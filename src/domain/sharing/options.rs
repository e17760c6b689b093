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
    let with_tag = |mut tags: Vec<String>| {
        if tags::contains(&tags, &name) {
            return Some(tags);
        }
        tags.push(name.clone());
        (tags.len() <= MAX_SHARED_TAGS).then_some(tags)
    };
    let is_stored = db::shares::change_shared_tags(&app.db, user.id, with_tag).await?;
    if is_stored { Ok(name) } else { Err(SharedTagError::TooMany) }
}

pub async fn unshare_tag(app: &App, user: &CurrentUser, tag: &str) -> Result<()> {
    db::shares::change_shared_tags(&app.db, user.id, |tags| Some(tags::without(tags, tag))).await?;
    Ok(())
}

/// Changes the options that are `Some`.
pub async fn set_options(
    app: &App,
    user: &CurrentUser,
    shows_notes: Option<bool>,
    embeddable: Option<bool>,
) -> Result<()> {
    Ok(db::shares::set_options(&app.db, user.id, shows_notes, embeddable).await?)
}

//! The switch for saving hearted playlists in the library at Spotify. A consent turns it on.

use crate::web::error::Result;
use crate::web::extract::{MaybeUser, SignedIn};
use crate::web::flash::saving::SavingFlash;
use crate::web::flash::{self, Flash};

/// Turns it off.
pub(crate) async fn destroy(SignedIn(_): SignedIn, maybe_user: MaybeUser) -> Result {
    maybe_user.stop_saving().await?;
    Ok(flash::redirect("/account", Flash::Saving(SavingFlash::Off)))
}

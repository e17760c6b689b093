//! Where somebody is signed in, and ending it from afar.

use time::{Duration, OffsetDateTime};

use super::activity::{self, Kind};
use super::{Caller, Result};
use crate::app::App;
use crate::db::signed_in;
pub use crate::db::signed_in::SignedIn;

/// How long after a sign-in its owner may do what cannot be undone.
const FRESH: Duration = Duration::minutes(10);

/// Whether a sign-in is so recent that it is its owner who sits there, and not who found the browser open.
/// None: it is not known when it was.
pub fn is_fresh(signed_in_at: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    signed_in_at.is_some_and(|at| now - at < FRESH)
}

/// Whether the caller's session still is one: a provider may take its time, and it may be ended meanwhile.
pub async fn stands(app: &App, caller: &Caller) -> Result<bool> {
    Ok(signed_in::stands(&app.db, caller.person.id, caller.session).await?)
}

/// Where the caller is signed in, this session first.
pub async fn of(app: &App, caller: &Caller) -> Result<Vec<SignedIn>> {
    Ok(signed_in::of(&app.db, caller.person.id, caller.session).await?)
}

/// Ends the caller's other session with this mark; its next request is nobody's. Says whether there was one.
pub async fn end(app: &App, caller: &Caller, mark: &str, device: &str, now: OffsetDateTime) -> Result<bool> {
    let ended = signed_in::end(&app.db, caller.person.id, mark, caller.session).await?;
    if ended {
        activity::note(app, caller.person.id, Kind::SessionEnded, device, now).await;
    }
    Ok(ended)
}

/// Ends every session of the caller but this one. Says how many.
pub async fn end_others(app: &App, caller: &Caller, device: &str, now: OffsetDateTime) -> Result<u64> {
    let ended = signed_in::end_others(&app.db, caller.person.id, caller.session).await?;
    if ended > 0 {
        activity::note(app, caller.person.id, Kind::OthersEnded, device, now).await;
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_fresh_for_ten_minutes() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(1);
        assert!(is_fresh(Some(now - Duration::seconds(599)), now));
        assert!(!is_fresh(Some(now - Duration::minutes(10)), now));
        assert!(!is_fresh(None, now));
    }
}

//! Tokens that work: renewed a little early, or after a 401, by one request at a time.

use std::future::Future;

use time::{Duration, OffsetDateTime};

use super::asking::{self, Endpoint};
use super::{Caller, Error, Grant, Result};
use crate::app::App;
use crate::ids::Secret;
use crate::{db, oauth, spotify};

/// Where a session's record keeps the grant.
pub const GRANT: &str = "grant";
/// Where it keeps what the grant covers. It outlives a grant that Spotify ended, and tells that there was one;
/// who disconnects Spotify takes both away.
pub const SCOPES: &str = "scopes";

/// How long one process may take to renew a grant: longer, by far, than a provider may take to answer.
const LEASE: Duration = Duration::seconds(20);
/// How long a request waits each time for another that renews the same grant.
const WAIT: std::time::Duration = std::time::Duration::from_millis(100);

/// Asks Spotify for `what` by `call`, with a token that works: renews it first when its time is over, and once
/// more when Spotify says 401 all the same.
///
/// # Errors
/// [`Error::Reconnect`] when the grant is dead; it is then forgotten, and only it. [`Error::SpotifySlow`]
/// when all of it took too long for somebody who waits.
pub async fn with_token<T, F>(
    app: &App,
    caller: &Caller,
    what: Endpoint,
    now: OffsetDateTime,
    call: impl Fn(Secret) -> F,
) -> Result<T>
where
    F: Future<Output = spotify::Result<T>>,
{
    let asked = async {
        let grant = working(app, caller, now).await?;
        match asking::ask(app, what, now, call(grant.access.clone())).await {
            // Spotify ends tokens early now and then; a cool-down is never told this way.
            Err(Error::Reconnect) => {
                let grant = renewed(app, caller, &grant.access, now).await?;
                asking::ask(app, what, now, call(grant.access)).await
            }
            answer => answer,
        }
    };
    tokio::time::timeout(asking::BUDGET, asked).await.unwrap_or(Err(Error::SpotifySlow))
}

/// The same caller with the grant that stands in their session now.
pub(super) async fn up_to_date(app: &App, caller: &Caller) -> Result<Caller> {
    let peek = db::sessions::peek::<Grant>(&app.db, &app.vault, caller.session, GRANT).await?;
    let grant = peek.and_then(|peek| peek.value);
    Ok(Caller { grant, ..caller.clone() })
}

/// The caller's grant, renewed if its time is over.
async fn working(app: &App, caller: &Caller, now: OffsetDateTime) -> Result<Grant> {
    let grant = caller.grant.clone().ok_or_else(|| caller.without_grant())?;
    if grant.renew_at > now { Ok(grant) } else { renewed(app, caller, &grant.access, now).await }
}

/// The grant after `stale`: the one that another request has fetched meanwhile, or a new one.
async fn renewed(app: &App, caller: &Caller, stale: &Secret, now: OffsetDateTime) -> Result<Grant> {
    loop {
        let peek = db::sessions::peek::<Grant>(&app.db, &app.vault, caller.session, GRANT).await?;
        let peek = peek.ok_or(Error::Reconnect)?;
        let kept = peek.value.ok_or(Error::Reconnect)?;
        if kept.access != *stale && kept.renew_at > now {
            return Ok(kept);
        }
        if peek.leased_until.is_none_or(|until| until <= app.now()) {
            let (app, caller, stale) = (app.clone(), caller.clone(), stale.clone());
            // Detached: a visitor who leaves, or a page that gives up, must not lose a single-use token's successor.
            let turn = tokio::spawn(async move { renew(&app, &caller, &stale, now).await });
            if let Some(grant) = turn.await.unwrap_or_else(|error| Err(Error::Internal(error.to_string())))? {
                return Ok(grant);
            }
        }
        tokio::time::sleep(WAIT).await;
    }
}

/// Buys a new access token, if it is this request's turn; none: another's is it.
async fn renew(app: &App, caller: &Caller, stale: &Secret, now: OffsetDateTime) -> Result<Option<Grant>> {
    let session = caller.session;
    // By the clock and not by when the request began: a lease is for the time that the provider may take.
    let begun = app.now();
    let until = begun + LEASE;
    let leased = db::sessions::lease::<Grant>(&app.db, &app.vault, (session, until), GRANT, begun).await?;
    let Some(leased) = leased else { return Ok(None) };
    let kept = match leased.value {
        Some(kept) if kept.access == *stale || kept.renew_at <= now => kept,
        // Between the look and the lease another has bought and gone, or the grant was forgotten.
        other => {
            db::sessions::release(&app.db, session, until).await?;
            return other.map(Some).ok_or(Error::Reconnect);
        }
    };
    match app.spotify_sign_in.renew(&kept, now).await {
        Ok(fresh) => {
            db::sessions::replace(&app.db, &app.vault, (session, until), GRANT, Some(&fresh)).await?;
            Ok(Some(fresh))
        }
        Err(oauth::Error::Refused) => {
            tracing::info!(user = %caller.person.id, "Spotify ended a grant; its owner is asked to connect again");
            db::sessions::replace::<Grant>(&app.db, &app.vault, (session, until), GRANT, None).await?;
            Err(Error::Reconnect)
        }
        // An outage says nothing about the grant: it stays.
        Err(error) => {
            db::sessions::release(&app.db, session, until).await?;
            Err(error.into())
        }
    }
}

//! Who comes: the code is redeemed, and the provider says whose it was.

use time::OffsetDateTime;

use super::{Grant, Refusal, Waiting};
use crate::app::App;
use crate::domain::Error;
use crate::domain::asking::{self, Endpoint};
use crate::ids::{Provider, Secret};
use crate::oauth::{self, Address, Client};
use crate::spotify::wire::Me;

/// Somebody whom a provider vouches for.
pub(super) struct Introduced {
    /// The provider's stable id.
    pub(super) subject: String,
    /// The id under which an earlier answer may have filed them.
    pub(super) older: Option<String>,
    pub(super) name: String,
    /// What Spotify calls whose a playlist is; of Spotify alone.
    pub(super) handle: Option<String>,
    /// Never Spotify's: it does not verify addresses.
    pub(super) email: Option<Address>,
    /// What they let us do; of Spotify alone, the other providers' tokens end here.
    pub(super) grant: Option<Grant>,
}

/// Redeems the code and asks whose it was, within what a visitor waits for.
pub(super) async fn introduce(
    app: &App,
    provider: Provider,
    code: &Secret,
    waiting: &Waiting,
    now: OffsetDateTime,
) -> Result<Introduced, Refusal> {
    let client = app.sign_in(provider).ok_or(Refusal::Unknown)?;
    let asked = async {
        match provider {
            Provider::Spotify => spotify(app, client, code, waiting, now).await,
            _ => another(client, code, waiting, now).await.map_err(|error| no(error, waiting)),
        }
    };
    let slow = match provider {
        Provider::Spotify => Refusal::Failed(Error::SpotifySlow),
        _ => Refusal::Slow,
    };
    tokio::time::timeout(asking::BUDGET, asked).await.unwrap_or(Err(slow))
}

async fn spotify(
    app: &App,
    client: &Client,
    code: &Secret,
    waiting: &Waiting,
    now: OffsetDateTime,
) -> Result<Introduced, Refusal> {
    let asked = async {
        let grant = client.redeem(code, &waiting.verifier, &waiting.asked, now).await?;
        let me = asking::ask(app, Endpoint::Me, now, app.spotify.me(&grant.access)).await?;
        Ok((grant, me))
    };
    let (grant, me) = match asked.await {
        // A refused code: nothing has been consented to, so this is not about connecting again.
        Err(Error::Reconnect) => return Err(Refusal::Ended { next: waiting.wish.next.clone() }),
        asked => asked?,
    };
    let (subject, older) = subjects(&me).ok_or_else(|| Error::SpotifyAway("an answer without an id".into()))?;
    let name = display_name(&me);
    let handle = me.id.filter(|handle| !handle.contains('\0'));
    Ok(Introduced { subject, older, name, handle, email: None, grant: Some(grant) })
}

async fn another(
    client: &Client,
    code: &Secret,
    waiting: &Waiting,
    now: OffsetDateTime,
) -> Result<Introduced, oauth::Error> {
    let grant = client.redeem(code, &waiting.verifier, &waiting.asked, now).await?;
    let profile = client.profile(&grant.access).await?;
    let name = profile.name.unwrap_or_else(|| "listener".into());
    Ok(Introduced { subject: profile.subject, older: None, name, handle: None, email: profile.email, grant: None })
}

fn no(error: oauth::Error, waiting: &Waiting) -> Refusal {
    match error {
        oauth::Error::Refused => Refusal::Ended { next: waiting.wish.next.clone() },
        oauth::Error::TimedOut => Refusal::Slow,
        oauth::Error::Away(_) => Refusal::Away(error.to_string()),
        oauth::Error::Misconfigured(_) => Refusal::Misconfigured(error.to_string()),
    }
}

/// The person's stable id at Spotify, and the one under which an earlier answer may have filed them. The older
/// kind is marked, so that nobody can pick a name that is somebody else's `account_id`.
fn subjects(me: &Me) -> Option<(String, Option<String>)> {
    let filled = |id: &Option<String>| id.clone().filter(|id| !id.is_empty() && !id.contains('\0'));
    let older = filled(&me.id).map(|id| format!("id:{id}"));
    match filled(&me.account_id) {
        Some(account) => Some((account, older)),
        None => older.map(|older| (older, None)),
    }
}

fn display_name(me: &Me) -> String {
    let named = me.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let name = named.or(me.id.as_deref()).or(me.account_id.as_deref()).unwrap_or("listener");
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me(account_id: Option<&str>, id: Option<&str>) -> Me {
        Me { account_id: account_id.map(str::to_owned), id: id.map(str::to_owned), display_name: None }
    }

    #[test]
    fn a_name_cannot_pose_as_an_account_id() {
        assert_eq!(
            subjects(&me(Some("q7Zt3LmB0x"), Some("mira"))),
            Some(("q7Zt3LmB0x".into(), Some("id:mira".into())))
        );
        assert_eq!(subjects(&me(None, Some("q7Zt3LmB0x"))), Some(("id:q7Zt3LmB0x".into(), None)));
        assert_eq!(subjects(&me(Some(""), None)), None);
    }

    #[test]
    fn a_person_without_a_name_is_greeted_by_id() {
        assert_eq!(display_name(&me(Some("x"), Some("noor.test"))), "noor.test");
    }
}

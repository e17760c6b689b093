//! Exchanges the code for a token and fetches the user's profile.

use time::OffsetDateTime;

use super::error::LoginError;
use super::pending::PendingLogin;
use crate::app::App;
use crate::domain::spotify_calls::{self, Endpoint};
use crate::domain::text::is_visible;
use crate::domain::{Error, Grant};
use crate::ids::{Provider, Secret};
use crate::oauth::{self, Client, Profile};
use crate::spotify::wire::Me;

/// Exchanges the code and fetches the profile within the time budget. Also returns Spotify's grant; the tokens of other
/// providers are dropped.
pub(super) async fn fetch_profile(
    app: &App,
    provider: Provider,
    code: &Secret,
    pending: &PendingLogin,
    now: OffsetDateTime,
) -> Result<(Profile, Option<Grant>), LoginError> {
    let client = app.oauth.get(provider).ok_or(LoginError::Unknown)?;
    let fetch = async {
        match provider {
            Provider::Spotify => {
                let (profile, grant) = fetch_spotify_profile(app, client, code, pending, now).await?;
                Ok((profile, Some(grant)))
            }
            _ => {
                let profile = fetch_userinfo_profile(client, code, pending, now).await;
                profile.map(|profile| (profile, None)).map_err(|error| to_login_error(error, provider, pending))
            }
        }
    };
    let timeout = match provider {
        Provider::Spotify => LoginError::Failed(Error::SpotifyTimeout),
        _ => LoginError::Timeout,
    };
    tokio::time::timeout(spotify_calls::TIME_BUDGET, fetch).await.unwrap_or(Err(timeout))
}

async fn fetch_spotify_profile(
    app: &App,
    client: &Client,
    code: &Secret,
    pending: &PendingLogin,
    now: OffsetDateTime,
) -> Result<(Profile, Grant), LoginError> {
    let grant = client.exchange_code(code, &pending.verifier, &pending.scopes, now).await;
    let grant = grant.map_err(|error| to_login_error(error, Provider::Spotify, pending))?;
    let me = match spotify_calls::call(app, Endpoint::Me, None, now, app.spotify.me(&grant.access)).await {
        // Spotify rejected the token that it has just issued; there is no older grant to renew.
        Err(Error::Reconnect) => return Err(LoginError::Rejected { next: pending.after.next.clone() }),
        result => result?,
    };
    let (subject, legacy_subject) =
        subjects(&me).ok_or_else(|| Error::SpotifyUnavailable("a profile without an id".into()))?;
    let name = display_name(&me);
    let handle = me.id.filter(|handle| !handle.contains('\0'));
    // Spotify does not verify email addresses.
    let profile = Profile { provider: Provider::Spotify, subject, legacy_subject, handle, name, email: None };
    Ok((profile, grant))
}

async fn fetch_userinfo_profile(
    client: &Client,
    code: &Secret,
    pending: &PendingLogin,
    now: OffsetDateTime,
) -> Result<Profile, oauth::Error> {
    let grant = client.exchange_code(code, &pending.verifier, &pending.scopes, now).await?;
    client.fetch_profile(&grant.access).await
}

/// Returns the login error for an error of the callback or of the token endpoint.
pub(super) fn to_login_error(error: oauth::Error, provider: Provider, pending: &PendingLogin) -> LoginError {
    let next = || pending.after.next.clone();
    match error {
        oauth::Error::Denied => LoginError::Denied { next: next() },
        oauth::Error::InvalidGrant => LoginError::Rejected { next: next() },
        oauth::Error::Rejected(code) => {
            tracing::warn!(provider = provider.key(), code, "the provider rejected a sign-in");
            LoginError::Rejected { next: next() }
        }
        // As for any other failed call to Spotify.
        error if provider == Provider::Spotify => LoginError::Failed(error.into()),
        oauth::Error::TimedOut => LoginError::Timeout,
        oauth::Error::Unavailable(_) => LoginError::Unavailable(error.to_string()),
        oauth::Error::Misconfigured(_) => LoginError::Misconfigured(error.to_string()),
    }
}

/// Returns the user's stable id at Spotify, and the id under which they may have been stored before Spotify introduced
/// `account_id`. The latter has a prefix, so that nobody can choose a user name equal to another user's `account_id`.
fn subjects(me: &Me) -> Option<(String, Option<String>)> {
    let non_empty = |id: &Option<String>| id.clone().filter(|id| !id.is_empty() && !id.contains('\0'));
    let legacy = non_empty(&me.id).map(|id| format!("id:{id}"));
    match non_empty(&me.account_id) {
        Some(account) => Some((account, legacy)),
        None => legacy.map(|legacy| (legacy, None)),
    }
}

fn display_name(me: &Me) -> Option<String> {
    let name = me.display_name.as_deref().map(str::trim).filter(|name| is_visible(name));
    name.or(me.id.as_deref()).or(me.account_id.as_deref()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me(account_id: Option<&str>, id: Option<&str>) -> Me {
        Me { account_id: account_id.map(str::to_owned), id: id.map(str::to_owned), display_name: None }
    }

    #[test]
    fn a_user_name_cannot_be_mistaken_for_an_account_id() {
        assert_eq!(
            subjects(&me(Some("q7Zt3LmB0x"), Some("mira"))),
            Some(("q7Zt3LmB0x".into(), Some("id:mira".into())))
        );
        assert_eq!(subjects(&me(None, Some("q7Zt3LmB0x"))), Some(("id:q7Zt3LmB0x".into(), None)));
        assert_eq!(subjects(&me(Some(""), None)), None);
    }

    #[test]
    fn the_id_replaces_a_missing_name() {
        assert_eq!(display_name(&me(Some("x"), Some("noor.test"))).as_deref(), Some("noor.test"));
        for name in ["\u{3164}", "\u{202e}", " "] {
            let me = Me { display_name: Some(name.into()), ..me(Some("x"), Some("noor.test")) };
            assert_eq!(display_name(&me).as_deref(), Some("noor.test"), "{name:?}");
        }
    }
}

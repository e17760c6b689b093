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

pub(super) struct SignedInProfile {
    pub(super) profile: Profile,
    /// Spotify's grant; `None` for other providers.
    pub(super) grant: Option<Grant>,
    /// When the user last signed in at the provider, if it says so.
    pub(super) auth_time: Option<OffsetDateTime>,
}

/// Exchanges the code and fetches the profile within the time budget. The tokens of other providers than Spotify are
/// revoked.
pub(super) async fn fetch_profile(
    app: &App,
    provider: Provider,
    code: &Secret,
    pending: &PendingLogin,
    now: OffsetDateTime,
) -> Result<SignedInProfile, LoginError> {
    let client = app.oauth.get(provider).ok_or(LoginError::Unknown)?;
    let fetch = async {
        match provider {
            Provider::Spotify => {
                let (profile, grant) = fetch_spotify_profile(app, client, code, pending, now).await?;
                Ok(SignedInProfile { profile, grant: Some(grant), auth_time: None })
            }
            _ => {
                let profile = fetch_userinfo_profile(client, code, pending, now).await;
                profile.map_err(|error| to_login_error(error, provider))
            }
        }
    };
    let timeout = match provider {
        Provider::Spotify => LoginError::Failed(Error::SpotifyTimeout),
        _ => LoginError::Provider(oauth::Error::TimedOut),
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
    let grant = grant.map_err(|error| to_login_error(error, Provider::Spotify))?;
    let me = match spotify_calls::call(app, Endpoint::Me, None, now, app.spotify.me(&grant.access)).await {
        // Spotify rejected the token that it has just issued; there is no older grant to renew.
        Err(Error::Reconnect) => return Err(LoginError::Rejected),
        result => result?,
    };
    let subject = subject(&me).ok_or_else(|| Error::SpotifyUnavailable("a profile without an account_id".into()))?;
    let name = display_name(&me);
    let handle = me.id.filter(|handle| is_id(handle));
    // Spotify does not verify email addresses.
    let profile = Profile { provider: Provider::Spotify, subject, handle, name, email: None };
    Ok((profile, grant))
}

async fn fetch_userinfo_profile(
    client: &Client,
    code: &Secret,
    pending: &PendingLogin,
    now: OffsetDateTime,
) -> Result<SignedInProfile, oauth::Error> {
    let grant = client.exchange_code(code, &pending.verifier, &pending.scopes, now).await?;
    let token = RevokedOnDrop { client, access: grant.access };
    let profile = client.fetch_profile(&token.access).await?;
    Ok(SignedInProfile { profile, grant: None, auth_time: grant.auth_time })
}

/// An access token that is revoked after its use, also after a timeout or if the request was cancelled.
struct RevokedOnDrop<'c> {
    client: &'c Client,
    access: Secret,
}

impl Drop for RevokedOnDrop<'_> {
    fn drop(&mut self) {
        let (client, access) = (self.client.clone(), self.access.clone());
        // The visitor does not wait for it. The token expires anyway.
        tokio::spawn(async move {
            if let Err(error) = client.revoke_token(&access).await {
                tracing::info!(provider = client.provider().key(), %error, "a token could not be revoked");
            }
        });
    }
}

/// Returns the login error for an error of the callback or of the token endpoint.
pub(super) fn to_login_error(error: oauth::Error, provider: Provider) -> LoginError {
    match error {
        oauth::Error::Denied => LoginError::Denied,
        oauth::Error::InvalidGrant => LoginError::Rejected,
        oauth::Error::Rejected(code) => {
            tracing::warn!(provider = provider.key(), code, "the provider rejected a sign-in");
            LoginError::Rejected
        }
        // Like the error of any other call to Spotify.
        error if provider == Provider::Spotify => LoginError::Failed(error.into()),
        error => LoginError::Provider(error),
    }
}

/// Longest id that is stored; Spotify's have ten characters.
const MAX_ID_BYTES: usize = 256;

/// Returns the user's id at Spotify, which is never given to somebody else, unlike the `id` in playlists.
fn subject(me: &Me) -> Option<String> {
    me.account_id.clone().filter(|id| is_id(id))
}

fn is_id(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains('\0') && text.len() <= MAX_ID_BYTES
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
    fn only_account_id_says_who_somebody_is() {
        assert_eq!(subject(&me(Some("q7Zt3LmB0x"), Some("mira"))).as_deref(), Some("q7Zt3LmB0x"));
        let long = "x".repeat(257);
        for missing in [None, Some(""), Some("  "), Some("\u{a0}\t"), Some("a\0b"), Some(long.as_str())] {
            assert_eq!(subject(&me(missing, Some("q7Zt3LmB0x"))), None, "{missing:?}");
        }
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

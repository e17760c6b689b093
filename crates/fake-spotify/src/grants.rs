//! Codes and tokens: made at random, remembered, ended.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use time::OffsetDateTime;

/// How long an authorization code may lie unused ("about 10 minutes").
const CODE_LIFE: Duration = Duration::from_secs(10 * 60);
/// How long after the approval a refresh token works: six months, here 26 weeks.
const REFRESH_LIFE: Duration = Duration::from_secs(26 * 7 * 24 * 3600);
/// How many given-out secrets [`Grants::secrets`] remembers.
const REMEMBERED: usize = 1_000;

/// What a successful sign-in or refresh hands over.
#[derive(Clone)]
pub struct Tokens {
    /// For the `Authorization: Bearer` header.
    pub access: String,
    /// For the next refresh; absent when the old one stays good.
    pub refresh: Option<String>,
    /// Granted scopes, separated by spaces.
    pub scope: String,
    /// Life of the access token.
    pub life: Duration,
}

/// What a person approved, until the code is exchanged.
#[derive(Clone)]
pub(super) struct Approval {
    pub(super) listener: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) challenge: Option<String>,
}

/// An error of the token endpoint: `error` and, mostly, `error_description`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) &'static str, pub(super) Option<&'static str>);

impl Refusal {
    pub(super) const fn grant(description: &'static str) -> Self {
        Self("invalid_grant", Some(description))
    }
}

/// Whose access token this is and what it may do.
#[derive(Clone)]
pub(super) struct Pass {
    /// None: the app's own token, which stands for nobody.
    pub(super) listener: Option<String>,
    pub(super) scope: String,
    ends_at: OffsetDateTime,
}

#[derive(Clone)]
struct Grant {
    listener: String,
    scope: String,
    authorized_at: OffsetDateTime,
    /// Exchanged without a client secret, on the strength of PKCE alone.
    public: bool,
    revoked: bool,
}

#[derive(Default)]
pub(super) struct Grants {
    codes: HashMap<String, (Approval, OffsetDateTime)>,
    access: HashMap<String, Pass>,
    refresh: HashMap<String, Grant>,
    given_out: VecDeque<String>,
}

impl Grants {
    pub(super) fn issue_code(&mut self, approval: Approval, now: OffsetDateTime) -> String {
        // A code ten times too old is forgotten; one just too old is told that it is.
        self.codes.retain(|_, (_, at)| now - *at < CODE_LIFE * 10);
        let code = self.secret("AQ", 150);
        self.codes.insert(code.clone(), (approval, now));
        code
    }

    /// Takes a code out of the world; it will not be there a second time, whatever comes next.
    pub(super) fn take_code(&mut self, code: &str, now: OffsetDateTime) -> Result<Approval, Refusal> {
        match self.codes.remove(code) {
            None => Err(Refusal::grant("Invalid authorization code")),
            Some((_, at)) if now - at > CODE_LIFE => Err(Refusal::grant("Authorization code expired")),
            Some((approval, _)) => Ok(approval),
        }
    }

    /// Tokens for a code that stood all checks.
    pub(super) fn exchange(
        &mut self,
        approval: &Approval,
        public: bool,
        now: OffsetDateTime,
        life: Duration,
    ) -> Tokens {
        let grant = Grant {
            listener: approval.listener.clone(),
            scope: approval.scope.clone(),
            authorized_at: now,
            public,
            revoked: false,
        };
        let refresh = self.refresh_token(grant.clone());
        self.access_token(&grant, Some(refresh), now, life)
    }

    /// Tokens for somebody who approved off-stage.
    pub(super) fn begin(&mut self, listener: &str, scope: &str, now: OffsetDateTime, life: Duration) -> Tokens {
        let approval = Approval {
            listener: listener.to_owned(),
            redirect_uri: String::new(),
            scope: scope.to_owned(),
            challenge: None,
        };
        self.exchange(&approval, false, now, life)
    }

    /// An access token for the app itself, with no person behind it (RFC 6749 §4.4).
    pub(super) fn app_token(&mut self, now: OffsetDateTime, life: Duration) -> String {
        let access = self.secret("BQ", 60);
        self.access.insert(access.clone(), Pass { listener: None, scope: String::new(), ends_at: now + life });
        access
    }

    /// Checks a refresh token; `public` says that the caller showed no client secret.
    pub(super) fn refresh(
        &mut self,
        token: &str,
        public: bool,
        now: OffsetDateTime,
        switches: &super::Switches,
    ) -> Result<Tokens, Refusal> {
        let invalid = Refusal::grant("Invalid refresh token");
        let grant = self.refresh.get_mut(token).ok_or(invalid)?;
        if grant.revoked {
            return Err(Refusal::grant("Refresh token revoked"));
        }
        if now - grant.authorized_at > REFRESH_LIFE {
            return Err(Refusal::grant("Refresh token expired"));
        }
        if public && !grant.public {
            return Err(Refusal("invalid_client", Some("Invalid client")));
        }
        let current = grant.clone();
        grant.revoked = switches.rotate_refresh_tokens;
        let next = switches.rotate_refresh_tokens.then(|| self.refresh_token(current.clone()));
        Ok(self.access_token(&current, next, now, switches.access_token_life))
    }

    /// Whose access token this is, if it is still good.
    pub(super) fn pass(&self, token: &str, now: OffsetDateTime) -> Option<Pass> {
        let pass = self.access.get(token)?;
        (now < pass.ends_at).then(|| pass.clone())
    }

    pub(super) fn revoke_all(&mut self, listener: &str) {
        let theirs = self.refresh.values_mut().filter(|g| g.listener == listener);
        theirs.for_each(|grant| grant.revoked = true);
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        self.given_out.iter().cloned().collect()
    }

    fn refresh_token(&mut self, grant: Grant) -> String {
        let token = self.secret("AQ", 96);
        self.refresh.insert(token.clone(), grant);
        token
    }

    fn access_token(&mut self, grant: &Grant, refresh: Option<String>, now: OffsetDateTime, life: Duration) -> Tokens {
        self.access.retain(|_, pass| now < pass.ends_at);
        let access = self.secret("BQ", 120);
        let pass = Pass { listener: Some(grant.listener.clone()), scope: grant.scope.clone(), ends_at: now + life };
        self.access.insert(access.clone(), pass);
        Tokens { access, refresh, scope: grant.scope.clone(), life }
    }

    /// Random text with the first letters Spotify's own have; `bytes` of it are chance.
    fn secret(&mut self, prefix: &str, bytes: usize) -> String {
        let mut random = vec![0u8; bytes];
        rand::fill(random.as_mut_slice());
        let secret = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random));
        if self.given_out.len() == REMEMBERED {
            self.given_out.pop_front();
        }
        self.given_out.push_back(secret.clone());
        secret
    }
}

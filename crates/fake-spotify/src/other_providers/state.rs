//! Accounts, codes and tokens of the other providers.

use super::accounts::{self, Account};
use super::provider::OtherProvider;
use crate::grants::{MAX_CODES, MAX_TOKENS};
use crate::issued_secrets::IssuedSecrets;
use crate::recent_map::RecentMap;

/// The account and client of a code or an access token.
#[derive(Clone)]
pub(super) struct Authorization {
    pub(super) provider: OtherProvider,
    pub(super) account_id: String,
    pub(super) scope: String,
    pub(super) code_challenge: Option<String>,
    /// Whether the app asked for a new sign-in, and so gets its time.
    pub(super) has_max_age: bool,
}

pub(crate) struct OtherProvidersState {
    pub(crate) accounts: Vec<Account>,
    pub(super) codes: RecentMap<Authorization>,
    pub(super) access_tokens: RecentMap<Authorization>,
    pub(crate) issued_secrets: IssuedSecrets,
}

impl OtherProvidersState {
    pub(crate) fn new() -> Self {
        Self {
            accounts: accounts::fixtures(),
            codes: RecentMap::new(MAX_CODES),
            access_tokens: RecentMap::new(MAX_TOKENS),
            issued_secrets: IssuedSecrets::default(),
        }
    }

    pub(crate) fn accounts_of(&self, provider: OtherProvider) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(move |account| account.provider == provider)
    }

    pub(crate) fn count_access_tokens(&self, provider: OtherProvider) -> usize {
        self.access_tokens.values().filter(|token| token.provider == provider).count()
    }

    pub(super) fn account(&self, authorization: &Authorization) -> Option<&Account> {
        self.accounts_of(authorization.provider).find(|account| account.id == authorization.account_id)
    }
}

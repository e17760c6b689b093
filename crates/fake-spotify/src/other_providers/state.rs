//! Accounts, codes and tokens of the other providers.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::accounts::{self, Account};
use super::provider::OtherProvider;
use crate::grants::{MAX_CODES, MAX_TOKENS};
use crate::recent_map::RecentMap;

/// Number of secrets that [`OtherProvidersState::issued_secrets`] returns at most.
const MAX_ISSUED_SECRETS: usize = 1_000;

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
    issued_secrets: VecDeque<String>,
}

impl OtherProvidersState {
    pub(crate) fn new() -> Self {
        Self {
            accounts: accounts::fixtures(),
            codes: RecentMap::new(MAX_CODES),
            access_tokens: RecentMap::new(MAX_TOKENS),
            issued_secrets: VecDeque::new(),
        }
    }

    pub(crate) fn accounts_of(&self, provider: OtherProvider) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(move |account| account.provider == provider)
    }

    pub(crate) fn issued_secrets(&self) -> Vec<String> {
        self.issued_secrets.iter().cloned().collect()
    }

    pub(crate) fn count_access_tokens(&self, provider: OtherProvider) -> usize {
        self.access_tokens.values().filter(|token| token.provider == provider).count()
    }

    pub(super) fn random_secret(&mut self, prefix: &str) -> String {
        let mut random = [0u8; 30];
        rand::fill(&mut random);
        let secret = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random));
        if self.issued_secrets.len() == MAX_ISSUED_SECRETS {
            self.issued_secrets.pop_front();
        }
        self.issued_secrets.push_back(secret.clone());
        secret
    }

    pub(super) fn account(&self, authorization: &Authorization) -> Option<&Account> {
        self.accounts_of(authorization.provider).find(|account| account.id == authorization.account_id)
    }
}

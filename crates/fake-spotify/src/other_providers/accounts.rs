//! Accounts with the other providers. No real account can have their ids: the real ones of Google, Facebook and X are
//! digits, and GitHub's fit in 63 bits.

use super::provider::OtherProvider;

/// A user's account with one provider.
#[derive(Clone, Debug)]
pub struct Account {
    /// Name of the user in tests: `ada`, `mira` or `noor`.
    pub key: String,
    /// The provider.
    pub provider: OtherProvider,
    /// The immutable id.
    pub id: String,
    /// The user name, which can be changed and then taken by somebody else.
    pub login: String,
    /// The display name, if any.
    pub name: Option<String>,
    /// The email address, if any.
    pub email: Option<String>,
    /// Whether the provider verified the email address. Facebook does not say.
    pub is_email_verified: bool,
}

impl Account {
    fn new(key: &str, provider: OtherProvider, id: &str, name: &str) -> Self {
        let (key, login, name) = (key.to_owned(), key.to_owned(), Some(name.to_owned()));
        Self { key, provider, id: id.to_owned(), login, name, email: None, is_email_verified: false }
    }

    fn with_email(mut self, email: &str, is_verified: bool) -> Self {
        (self.email, self.is_email_verified) = (Some(email.to_owned()), is_verified);
        self
    }

    /// One line about the account for the consent page.
    pub(super) fn about(&self) -> String {
        let verified = if self.provider == OtherProvider::Facebook {
            ""
        } else if self.is_email_verified {
            ", verified"
        } else {
            ", not verified"
        };
        match &self.email {
            Some(email) if self.provider != OtherProvider::X => format!("{email}{verified}"),
            _ => format!("@{}", self.login),
        }
    }
}

/// Ada has the same verified address with two providers, Mira's is verified with one of two, Noor hides what she can.
pub(super) fn fixtures() -> Vec<Account> {
    use OtherProvider::{Facebook, GitHub, Google, X};
    let noor = Account::new("noor", GitHub, "18000000000000000003", "");
    vec![
        Account::new("ada", Google, "made-up-ada", "Ada Example").with_email("ada@example.org", true),
        Account::new("mira", Google, "made-up-mira", "Mira Example").with_email("mira@example.org", true),
        Account::new("noor", Google, "made-up-noor", "Noor").with_email("noor@example.org", false),
        Account::new("ada", GitHub, "18000000000000000001", "Ada").with_email("Ada@example.org", true),
        Account::new("mira", GitHub, "18000000000000000002", "Mira").with_email("mira@example.org", false),
        Account { name: None, ..noor },
        Account::new("ada", Facebook, "made-up-ada", "Ada Example").with_email("ada@example.org", false),
        Account::new("mira", Facebook, "made-up-mira", "Mira Example"),
        Account::new("noor", Facebook, "made-up-noor", "Noor"),
        Account::new("ada", X, "made-up-ada", "Ada"),
        Account::new("mira", X, "made-up-mira", "mira"),
        Account::new("noor", X, "made-up-noor", "noor"),
    ]
}

//! Accounts with the other providers, with ids in the format of the real ones.

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
    let noor = Account::new("noor", GitHub, "90210044", "");
    vec![
        Account::new("ada", Google, "104217793021745559012", "Ada Example").with_email("ada@example.org", true),
        Account::new("mira", Google, "117700120034459981243", "Mira Example").with_email("mira@example.org", true),
        Account::new("noor", Google, "101999000111222333444", "Noor").with_email("noor@example.org", false),
        Account::new("ada", GitHub, "58323100", "Ada").with_email("Ada@example.org", true),
        Account::new("mira", GitHub, "60411207", "Mira").with_email("mira@example.org", false),
        Account { name: None, ..noor },
        Account::new("ada", Facebook, "10158000000000001", "Ada Example").with_email("ada@example.org", false),
        Account::new("mira", Facebook, "10158000000000002", "Mira Example"),
        Account::new("noor", Facebook, "10158000000000003", "Noor"),
        Account::new("ada", X, "2244994945000000001", "Ada"),
        Account::new("mira", X, "2244994945000000002", "mira"),
        Account::new("noor", X, "2244994945000000003", "noor"),
    ]
}

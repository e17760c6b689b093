//! Who has an account where. Ids are of the kinds that the real providers give.

use super::Service;

/// Somebody's account at one provider.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who it is in this world: `ada`, `mira`, `noor`.
    pub key: String,
    /// Where it is.
    pub service: Service,
    /// The id that never changes.
    pub id: String,
    /// The name that can be changed, and taken by somebody else.
    pub login: String,
    /// What they are called, if they say so.
    pub name: Option<String>,
    /// Their address, if they gave one.
    pub email: Option<String>,
    /// Whether the provider has verified it. Facebook never says.
    pub verified: bool,
}

impl Account {
    fn new(key: &str, service: Service, id: &str, name: &str) -> Self {
        let (key, login, name) = (key.to_owned(), key.to_owned(), Some(name.to_owned()));
        Self { key, service, id: id.to_owned(), login, name, email: None, verified: false }
    }

    fn with(mut self, email: &str, verified: bool) -> Self {
        (self.email, self.verified) = (Some(email.to_owned()), verified);
        self
    }

    /// What the consent page says of it.
    pub(super) fn about(&self) -> String {
        let vouched = if self.service == Service::Facebook {
            ""
        } else if self.verified {
            ", verified"
        } else {
            ", not verified"
        };
        match &self.email {
            Some(email) if self.service != Service::X => format!("{email}{vouched}"),
            _ => format!("@{}", self.login),
        }
    }
}

/// Ada has the same verified address at two, Mira one of hers verified and one not, Noor hides what she can.
pub(crate) fn cast() -> Vec<Account> {
    use Service::{Facebook, GitHub, Google, X};
    let noor = Account::new("noor", GitHub, "90210044", "");
    vec![
        Account::new("ada", Google, "104217793021745559012", "Ada Example").with("ada@example.org", true),
        Account::new("mira", Google, "117700120034459981243", "Mira Example").with("mira@example.org", true),
        Account::new("noor", Google, "101999000111222333444", "Noor").with("noor@example.org", false),
        Account::new("ada", GitHub, "58323100", "Ada").with("Ada@example.org", true),
        Account::new("mira", GitHub, "60411207", "Mira").with("mira@example.org", false),
        Account { name: None, ..noor },
        Account::new("ada", Facebook, "10158000000000001", "Ada Example").with("ada@example.org", false),
        Account::new("mira", Facebook, "10158000000000002", "Mira Example"),
        Account::new("noor", Facebook, "10158000000000003", "Noor"),
        Account::new("ada", X, "2244994945000000001", "Ada"),
        Account::new("mira", X, "2244994945000000002", "mira"),
        Account::new("noor", X, "2244994945000000003", "noor"),
    ]
}

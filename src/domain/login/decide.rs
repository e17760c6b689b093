//! The decision table for the outcome of a login, as a pure function.

use serde::{Deserialize, Serialize};

use crate::domain::activity::EventKind;
use crate::ids::{Provider, UserId};

/// Purpose of a login. `Link` and `Merge` are bound to the account that was signed in at its start, so that a callback
/// cannot change another account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginIntent {
    #[default]
    SignIn,
    /// Link another identity to this account.
    Link(UserId),
    /// Find out whether an older account belongs to the same user.
    #[serde(rename = "Prove")]
    Merge(UserId),
}

/// The user who is signed in at the time of the callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedInAs {
    pub user: UserId,
    pub has_identity: bool,
    /// Whether the user had signed in recently when the login started.
    pub is_fresh: bool,
    /// The identity's owner, if the user has just signed in to both accounts and they can become one.
    pub merge_candidate: Option<UserId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    SignedIn(UserId),
    Joined,
    Linked(UserId),
    AlreadyLinked(UserId),
    /// Nothing was changed: the user, who has signed in to both accounts, is asked whether they become one.
    MergeOffered {
        user: UserId,
        other: UserId,
    },
}

impl Outcome {
    pub fn event(self, provider: Provider) -> Option<EventKind> {
        match self {
            Outcome::SignedIn(_) | Outcome::AlreadyLinked(_) => Some(EventKind::SignedIn(provider)),
            Outcome::Joined => Some(EventKind::Joined(provider)),
            Outcome::Linked(_) => Some(EventKind::Linked(provider)),
            Outcome::MergeOffered { .. } => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    #[error("the identity is linked to another account")]
    LinkedElsewhere,
    #[error("the account has another identity at this provider")]
    ProviderTaken,
    #[error("linking was not requested")]
    LinkNotRequested,
    /// Somebody else may be using a browser that was left signed in.
    #[error("linking needs a recent sign-in")]
    ReauthRequired,
    #[error("the provider did not ask for a new sign-in")]
    NotSignedInAgain,
    #[error("the session has changed since the login started")]
    SessionChanged,
}

/// Decides the outcome of a login from its intent, the signed-in user and the identity's owner.
pub fn decide(
    intent: LoginIntent,
    signed_in_as: Option<SignedInAs>,
    owner: Option<UserId>,
) -> Result<Outcome, Conflict> {
    use LoginIntent::{Link, Merge, SignIn};
    match (signed_in_as, owner, intent) {
        (None, Some(owner), SignIn) => Ok(Outcome::SignedIn(owner)),
        (None, None, SignIn) => Ok(Outcome::Joined),
        // Signed out since the login started: sign in to the account that it was started for, or change nothing.
        (None, Some(owner), Link(user) | Merge(user)) if owner == user => Ok(Outcome::SignedIn(owner)),
        (None, _, Link(_) | Merge(_)) => Err(Conflict::SessionChanged),
        (Some(me), Some(owner), _) if me.user == owner => Ok(Outcome::AlreadyLinked(owner)),
        (Some(me), Some(owner), Link(user) | Merge(user)) if me.user == user && me.merge_candidate == Some(owner) => {
            Ok(Outcome::MergeOffered { user, other: owner })
        }
        (Some(_), Some(_), _) => Err(Conflict::LinkedElsewhere),
        (Some(me), None, _) if me.has_identity => Err(Conflict::ProviderTaken),
        (Some(me), None, Link(user)) if me.user == user && !me.is_fresh => Err(Conflict::ReauthRequired),
        (Some(me), None, Link(user)) if me.user == user => Ok(Outcome::Linked(user)),
        (Some(_), None, Link(_)) => Err(Conflict::SessionChanged),
        (Some(_), None, SignIn | Merge(_)) => Err(Conflict::LinkNotRequested),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIRA: UserId = UserId(1);
    const NOOR: UserId = UserId(2);
    const INTENTS: [LoginIntent; 5] = [
        LoginIntent::SignIn,
        LoginIntent::Link(MIRA),
        LoginIntent::Link(NOOR),
        LoginIntent::Merge(MIRA),
        LoginIntent::Merge(NOOR),
    ];

    fn mira(has_identity: bool) -> Option<SignedInAs> {
        Some(SignedInAs { user: MIRA, has_identity, is_fresh: true, merge_candidate: None })
    }

    #[test]
    fn every_login_has_one_of_five_outcomes_or_changes_nothing() {
        use Conflict::*;
        use Outcome::*;
        let (link, link_other, merge) = (LoginIntent::Link(MIRA), LoginIntent::Link(NOOR), LoginIntent::Merge(MIRA));
        let stale =
            |has_identity| Some(SignedInAs { user: MIRA, has_identity, is_fresh: false, merge_candidate: None });
        let offered = Some(SignedInAs { user: MIRA, has_identity: false, is_fresh: true, merge_candidate: Some(NOOR) });
        let rows = [
            (link, stale(false), None, Err(ReauthRequired)),
            (link, stale(true), Some(MIRA), Ok(AlreadyLinked(MIRA))),
            (LoginIntent::SignIn, None, Some(MIRA), Ok(SignedIn(MIRA))),
            (LoginIntent::SignIn, None, None, Ok(Joined)),
            (link, None, Some(MIRA), Ok(SignedIn(MIRA))),
            (link, None, Some(NOOR), Err(SessionChanged)),
            (link, None, None, Err(SessionChanged)),
            (link, mira(false), None, Ok(Linked(MIRA))),
            (link, mira(true), Some(MIRA), Ok(AlreadyLinked(MIRA))),
            (link, mira(true), None, Err(ProviderTaken)),
            (link, mira(false), Some(NOOR), Err(LinkedElsewhere)),
            (link_other, mira(false), None, Err(SessionChanged)),
            (LoginIntent::SignIn, mira(true), Some(MIRA), Ok(AlreadyLinked(MIRA))),
            (LoginIntent::SignIn, mira(false), None, Err(LinkNotRequested)),
            (LoginIntent::SignIn, mira(true), Some(NOOR), Err(LinkedElsewhere)),
            (merge, mira(false), Some(NOOR), Err(LinkedElsewhere)),
            (merge, mira(false), None, Err(LinkNotRequested)),
            (merge, None, Some(NOOR), Err(SessionChanged)),
            (link, offered, Some(NOOR), Ok(MergeOffered { user: MIRA, other: NOOR })),
            (merge, offered, Some(NOOR), Ok(MergeOffered { user: MIRA, other: NOOR })),
            (link_other, offered, Some(NOOR), Err(LinkedElsewhere)),
            (LoginIntent::SignIn, offered, Some(NOOR), Err(LinkedElsewhere)),
            (link, offered, Some(UserId(3)), Err(LinkedElsewhere)),
        ];
        for (intent, signed_in_as, owner, expected) in rows {
            assert_eq!(decide(intent, signed_in_as, owner), expected, "{intent:?} {signed_in_as:?} {owner:?}");
        }
    }

    #[test]
    fn merge_is_offered_only_to_the_user_who_linked_and_proved_both_accounts() {
        let offered = |candidate| {
            Some(SignedInAs { user: MIRA, has_identity: false, is_fresh: true, merge_candidate: candidate })
        };
        for intent in INTENTS {
            for candidate in [None, Some(NOOR), Some(UserId(3))] {
                let is_own = [LoginIntent::Link(MIRA), LoginIntent::Merge(MIRA)].contains(&intent);
                let expected = match is_own && candidate == Some(NOOR) {
                    true => Ok(Outcome::MergeOffered { user: MIRA, other: NOOR }),
                    false => Err(Conflict::LinkedElsewhere),
                };
                assert_eq!(decide(intent, offered(candidate), Some(NOOR)), expected, "{intent:?} {candidate:?}");
            }
        }
    }
}

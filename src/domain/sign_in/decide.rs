//! How a sign-in ends: one table, without a look at anything else.

use serde::{Deserialize, Serialize};

use crate::domain::activity::Kind;
use crate::ids::{Provider, UserId};

/// What somebody set out for. It is bound to who was signed in then: an answer that finds somebody else signed
/// in, or nobody, must not change an account that it was not meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aim {
    /// To sign in.
    #[default]
    SignIn,
    /// To add a way in to this person's account.
    Link(UserId),
    /// To prove that another account is this person's too.
    Prove(UserId),
}

/// Who is signed in when the answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visiting {
    /// The person.
    pub user: UserId,
    /// Whether they have a way in by this provider.
    pub has_one: bool,
    /// Whether they proved who they are shortly before they set out.
    pub fresh: bool,
    /// The account that was said to be perhaps theirs, while the invitation to prove it lasts.
    pub may_be: Option<UserId>,
}

/// How a sign-in ends for a person whom a provider vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody we know.
    SignedIn(UserId),
    /// Somebody new.
    Joined,
    /// A further way in for who is signed in.
    Linked(UserId),
    /// A way in they already had.
    AlreadyLinked(UserId),
    /// The proof that this account is theirs too: the one they have just begun becomes part of it.
    Proven {
        /// The account that ends.
        newcomer: UserId,
        /// The account that stays.
        account: UserId,
    },
}

impl Outcome {
    /// What it is to the person's account.
    pub fn event(self, provider: Provider) -> Kind {
        match self {
            Outcome::SignedIn(_) | Outcome::AlreadyLinked(_) => Kind::SignedIn(provider),
            Outcome::Joined => Kind::Joined(provider),
            Outcome::Linked(_) | Outcome::Proven { .. } => Kind::Linked(provider),
        }
    }
}

/// Why nothing may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The identity belongs to another account.
    #[error("the identity is somebody else's")]
    SomebodyElses,
    /// It belongs to the account that was said to be perhaps theirs, and they did not set out to prove that.
    #[error("the identity is an account's that may be theirs")]
    PerhapsTheirs,
    /// Who is signed in has another identity by the same provider.
    #[error("the account has another identity by this provider")]
    AnotherOne,
    /// Who is signed in did not ask for a further way in.
    #[error("nobody asked to link")]
    NotAsked,
    /// Who is signed in did not prove who they are lately: it may be who found the browser open.
    #[error("a further way in needs a recent sign-in")]
    NotFresh,
    /// Who set out is not signed in any more.
    #[error("the session has changed meanwhile")]
    Changed,
}

/// Decides how a sign-in ends: what it was for, who is signed in, whose the identity is.
///
/// # Errors
/// [`Conflict`]: nothing may change.
pub fn decide(aim: Aim, visitor: Option<Visiting>, owner: Option<UserId>) -> Result<Outcome, Conflict> {
    match (visitor, owner, aim) {
        (None, Some(owner), Aim::SignIn) => Ok(Outcome::SignedIn(owner)),
        (None, None, Aim::SignIn) => Ok(Outcome::Joined),
        // Signed out meanwhile: the account is the one it was meant for, or nothing happens.
        (None, Some(owner), Aim::Link(user) | Aim::Prove(user)) if owner == user => Ok(Outcome::SignedIn(owner)),
        (None, _, Aim::Link(_) | Aim::Prove(_)) => Err(Conflict::Changed),
        (Some(visitor), Some(owner), _) if visitor.user == owner => Ok(Outcome::AlreadyLinked(owner)),
        (Some(visitor), Some(owner), Aim::Prove(user)) if visitor.user == user && visitor.may_be == Some(owner) => {
            Ok(Outcome::Proven { newcomer: user, account: owner })
        }
        (Some(visitor), Some(owner), _) if visitor.may_be == Some(owner) => Err(Conflict::PerhapsTheirs),
        (Some(_), Some(_), _) => Err(Conflict::SomebodyElses),
        (Some(visitor), None, _) if visitor.has_one => Err(Conflict::AnotherOne),
        (Some(visitor), None, Aim::Link(user)) if visitor.user == user && !visitor.fresh => Err(Conflict::NotFresh),
        (Some(visitor), None, Aim::Link(user)) if visitor.user == user => Ok(Outcome::Linked(user)),
        (Some(_), None, Aim::Link(_)) => Err(Conflict::Changed),
        (Some(_), None, Aim::SignIn | Aim::Prove(_)) => Err(Conflict::NotAsked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIRA: UserId = UserId(1);
    const NOOR: UserId = UserId(2);
    const AIMS: [Aim; 5] = [Aim::SignIn, Aim::Link(MIRA), Aim::Link(NOOR), Aim::Prove(MIRA), Aim::Prove(NOOR)];

    fn mira(has_one: bool) -> Option<Visiting> {
        Some(Visiting { user: MIRA, has_one, fresh: true, may_be: None })
    }

    #[test]
    fn every_sign_in_ends_in_one_of_five_ways_or_changes_nothing() {
        use Conflict::*;
        use Outcome::*;
        let (link, elsewhere, prove) = (Aim::Link(MIRA), Aim::Link(NOOR), Aim::Prove(MIRA));
        let stale = |has_one| Some(Visiting { user: MIRA, has_one, fresh: false, may_be: None });
        let invited = Some(Visiting { user: MIRA, has_one: false, fresh: true, may_be: Some(NOOR) });
        let rows = [
            (link, stale(false), None, Err(NotFresh)),
            (link, stale(true), Some(MIRA), Ok(AlreadyLinked(MIRA))),
            (Aim::SignIn, None, Some(MIRA), Ok(SignedIn(MIRA))),
            (Aim::SignIn, None, None, Ok(Joined)),
            (link, None, Some(MIRA), Ok(SignedIn(MIRA))),
            (link, None, Some(NOOR), Err(Changed)),
            (link, None, None, Err(Changed)),
            (link, mira(false), None, Ok(Linked(MIRA))),
            (link, mira(true), Some(MIRA), Ok(AlreadyLinked(MIRA))),
            (link, mira(true), None, Err(AnotherOne)),
            (link, mira(false), Some(NOOR), Err(SomebodyElses)),
            (elsewhere, mira(false), None, Err(Changed)),
            (Aim::SignIn, mira(true), Some(MIRA), Ok(AlreadyLinked(MIRA))),
            (Aim::SignIn, mira(false), None, Err(NotAsked)),
            (Aim::SignIn, mira(true), Some(NOOR), Err(SomebodyElses)),
            (prove, mira(false), Some(NOOR), Err(SomebodyElses)),
            (prove, mira(false), None, Err(NotAsked)),
            (prove, None, Some(NOOR), Err(Changed)),
            (link, invited, Some(NOOR), Err(PerhapsTheirs)),
            (Aim::SignIn, invited, Some(NOOR), Err(PerhapsTheirs)),
            (link, invited, Some(UserId(3)), Err(SomebodyElses)),
        ];
        for (aim, visitor, owner, expected) in rows {
            assert_eq!(decide(aim, visitor, owner), expected, "{aim:?} {visitor:?} {owner:?}");
        }
    }

    #[test]
    fn accounts_become_one_only_by_a_proof_that_was_asked_for_and_invited() {
        let invited = |may_be| Some(Visiting { user: MIRA, has_one: false, fresh: true, may_be });
        let proven = |outcome: &Result<Outcome, _>| matches!(outcome, Ok(Outcome::Proven { .. }));
        let yes = decide(Aim::Prove(MIRA), invited(Some(NOOR)), Some(NOOR));
        assert_eq!(yes, Ok(Outcome::Proven { newcomer: MIRA, account: NOOR }));
        for aim in AIMS {
            for may_be in [None, Some(NOOR), Some(UserId(3))] {
                let asked = aim == Aim::Prove(MIRA) && may_be == Some(NOOR);
                assert_eq!(proven(&decide(aim, invited(may_be), Some(NOOR))), asked, "{aim:?} {may_be:?}");
            }
        }
    }
}

//! Sign-in: from the button to the provider and back.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::activity::Kind;
use super::asking::{self, Endpoint};
use super::registration::{self, NotAdmitted};
use super::{Error, Grant, Person};
use crate::app::App;
use crate::db::{self, identities, sign_ins};
use crate::ids::{Digested, PlaylistId, Provider, Secret, UserId};
use crate::oauth::Scopes;
use crate::oauth::providers::NOW_PLAYING;
use crate::spotify::wire::Me;
use crate::vault::Purpose;

/// What a browser brings back from the provider.
pub struct Arrival {
    /// The provider on whose path it came back.
    pub provider: Provider,
    /// Which browser; none: it sent no cookie of ours.
    pub browser: Option<Secret>,
    /// Who is signed in already.
    pub visitor: Option<Person>,
    /// What the provider says.
    pub answer: Answer,
}

/// What the provider says through the browser's address.
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    /// Tells which sign-in this answers.
    #[serde(default)]
    pub state: Option<Secret>,
    /// Who answers (RFC 9207), where a provider says.
    #[serde(default)]
    pub iss: Option<String>,
    /// Why there is no code.
    #[serde(default)]
    pub error: Option<String>,
    /// Buys the tokens.
    #[serde(default)]
    pub code: Option<Secret>,
}

/// A sign-in that succeeded.
pub struct Arrived {
    /// Who is signed in now.
    pub person: Person,
    /// What they let us do.
    pub grant: Grant,
    /// How it came about.
    pub outcome: Outcome,
    /// What will be missing because it was asked for and not given.
    pub missing: Option<Missing>,
    /// What they wanted to do.
    pub wish: Wish,
}

/// What somebody wants to do once they are signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Where to go: a checked path of ours.
    pub next: String,
    /// What to heart: the button that they pressed before they were signed in.
    pub heart: Option<PlaylistId>,
    /// Why they ask the provider once more, although they may be connected.
    pub anew: Option<Anew>,
    /// The invitation that they bring, should they be new.
    #[serde(default)]
    pub invite: Option<Secret>,
}

/// Why somebody who is connected asks the provider for a new consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Anew {
    /// The one they gave will soon be over.
    Renew,
    /// They switch on Now playing, which the one they gave does not cover.
    NowPlaying,
}

/// What will be missing for want of a scope, in a visitor's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Private playlists.
    Private,
    /// Collaborative playlists.
    Collaborative,
    /// Every playlist that is not public.
    PrivateAndCollaborative,
    /// Now playing.
    NowPlaying,
    /// Now playing, and playlists too.
    NowPlayingAndPlaylists,
}

/// A sign-in that is about to begin.
pub struct Start {
    /// Where.
    pub provider: Provider,
    /// Which browser.
    pub browser: Secret,
    /// What for.
    pub wish: Wish,
    /// What this session was allowed before, with its consent still good or not.
    pub before: Scopes,
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
}

impl Outcome {
    /// What it is to the person's account.
    pub fn event(self, provider: Provider) -> Kind {
        match self {
            Outcome::SignedIn(_) | Outcome::AlreadyLinked(_) => Kind::SignedIn(provider),
            Outcome::Joined => Kind::Joined(provider),
            Outcome::Linked(_) => Kind::Linked(provider),
        }
    }
}

/// A sign-in that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The browser sent no cookie of ours back.
    #[error("no cookie came back")]
    NoCookie,
    /// This sign-in was finished before.
    #[error("the state was used before")]
    Used,
    /// This sign-in waited for more than ten minutes.
    #[error("the state is too old")]
    Old,
    /// This browser never started this sign-in, or the answer is another provider's.
    #[error("the state is not this browser's")]
    Unknown,
    /// The person said no.
    #[error("the person said no")]
    Denied {
        /// Where they wanted to go.
        next: String,
    },
    /// The provider says that something else went wrong, or the code is no good.
    #[error("the provider ended the sign-in")]
    Ended {
        /// Where they wanted to go.
        next: String,
    },
    /// The provider's account belongs to somebody else here, or another one is linked already.
    #[error("the identity is not the visitor's")]
    SomebodyElse,
    /// They are new, and newcomers are not let in.
    #[error("a newcomer is not let in")]
    NotAdmitted(NotAdmitted),
    /// What can go wrong anywhere.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<db::Error> for Refusal {
    fn from(error: db::Error) -> Self {
        Refusal::Failed(error.into())
    }
}

#[derive(Serialize, Deserialize)]
struct Waiting {
    verifier: Secret,
    asked: Scopes,
    wish: Wish,
}

/// Begins a sign-in; gives the provider's page to go to.
///
/// # Errors
/// When the database fails.
pub async fn start(app: &App, start: Start, now: OffsetDateTime) -> super::Result<url::Url> {
    let Start { provider, browser, wish, before } = start;
    let client = app.sign_in(provider);
    // What was switched on stays so: a new consent replaces the old one altogether.
    let wanted = |scope: &str| wish.anew == Some(Anew::NowPlaying) && scope == NOW_PLAYING;
    let asked = client.scopes(|scope| wanted(scope) || before.contains(scope));
    let departure = client.depart(&asked);
    let state = Digested::of(departure.state.expose());
    let waiting = serde_json::to_vec(&Waiting { verifier: departure.verifier, asked, wish }).expect("texts are JSON");
    let sealed = app.vault.seal(Purpose::SignIn, state.as_bytes(), &waiting);
    let browser = Digested::of(browser.expose());
    sign_ins::start(&app.db, sign_ins::Started { browser, provider, state, sealed: &sealed, at: now }).await?;
    Ok(departure.url)
}

/// Ends a sign-in. The order of the checks matters: the state is spent first, whatever else the answer says.
///
/// # Errors
/// See [`Refusal`].
pub async fn finish(app: &App, arrival: Arrival, now: OffsetDateTime) -> Result<Arrived, Refusal> {
    let Arrival { provider, browser, visitor, answer } = arrival;
    let waiting = take(app, provider, browser, &answer, now).await?;
    let wish = waiting.wish.clone();
    match (answer.error.as_deref(), answer.code) {
        (Some("access_denied"), _) => Err(Refusal::Denied { next: wish.next }),
        (Some(_), _) | (None, None) => Err(Refusal::Ended { next: wish.next }),
        (None, Some(code)) => {
            let introduced = introduce(app, provider, &code, &waiting, now);
            let introduced = tokio::time::timeout(asking::BUDGET, introduced).await;
            let (grant, me) = match introduced.unwrap_or(Err(Error::SpotifySlow)) {
                // A refused code: nothing has been consented to, so this is not about connecting again.
                Err(Error::Reconnect) => return Err(Refusal::Ended { next: wish.next }),
                introduced => introduced?,
            };
            let (person, outcome) = settle(app, provider, visitor, (&me, wish.invite.as_ref()), now).await?;
            if let Some(heart) = &wish.heart {
                db::hearts::give(&app.db, person.id, heart, now).await?;
            }
            Ok(Arrived { person, outcome, missing: missing(&grant.missing(&waiting.asked)), grant, wish })
        }
    }
}

/// Redeems the code and asks whose it was.
async fn introduce(
    app: &App,
    provider: Provider,
    code: &Secret,
    waiting: &Waiting,
    now: OffsetDateTime,
) -> super::Result<(Grant, Me)> {
    let grant = app.sign_in(provider).redeem(code, &waiting.verifier, &waiting.asked, now).await?;
    let me = asking::ask(app, Endpoint::Me, now, app.spotify.me(&grant.access)).await?;
    Ok((grant, me))
}

/// What it means to visitors that these scopes were not given.
fn missing(scopes: &[&str]) -> Option<Missing> {
    let lacks = |scope| scopes.contains(&scope);
    match (lacks("playlist-read-private"), lacks("playlist-read-collaborative"), lacks(NOW_PLAYING)) {
        (false, false, false) => None,
        (true, false, false) => Some(Missing::Private),
        (false, true, false) => Some(Missing::Collaborative),
        (true, true, false) => Some(Missing::PrivateAndCollaborative),
        (false, false, true) => Some(Missing::NowPlaying),
        (_, _, true) => Some(Missing::NowPlayingAndPlaylists),
    }
}

async fn take(
    app: &App,
    provider: Provider,
    browser: Option<Secret>,
    answer: &Answer,
    now: OffsetDateTime,
) -> Result<Waiting, Refusal> {
    let browser = browser.ok_or(Refusal::NoCookie)?;
    let state = Digested::of(answer.state.as_ref().ok_or(Refusal::Unknown)?.expose());
    let sealed = match sign_ins::take(&app.db, Digested::of(browser.expose()), state, now).await? {
        sign_ins::Taken::Open(sealed, asked) if asked == provider.key() => sealed,
        sign_ins::Taken::Open(..) | sign_ins::Taken::Unknown => return Err(Refusal::Unknown),
        sign_ins::Taken::Used => return Err(Refusal::Used),
        sign_ins::Taken::Old => return Err(Refusal::Old),
    };
    let issuer = app.config.spotify.accounts_url.as_str().trim_end_matches('/');
    if answer.iss.as_deref().is_some_and(|iss| iss.trim_end_matches('/') != issuer) {
        return Err(Refusal::Unknown);
    }
    let opened = app.vault.open(Purpose::SignIn, state.as_bytes(), &sealed).ok();
    opened.and_then(|waiting| serde_json::from_slice(&waiting).ok()).ok_or(Refusal::Old)
}

/// Decides how a sign-in ends: `visitor` is signed in (with a way in by this provider or not), `owner` is
/// whom the provider's account belongs to. None: nothing may change.
pub fn decide(visitor: Option<(UserId, bool)>, owner: Option<UserId>) -> Option<Outcome> {
    match (visitor, owner) {
        (None, Some(owner)) => Some(Outcome::SignedIn(owner)),
        (None, None) => Some(Outcome::Joined),
        (Some((visitor, _)), Some(owner)) if visitor == owner => Some(Outcome::AlreadyLinked(owner)),
        (Some(_), Some(_)) => None,
        (Some((visitor, false)), None) => Some(Outcome::Linked(visitor)),
        (Some((_, true)), None) => None,
    }
}

async fn settle(
    app: &App,
    provider: Provider,
    visitor: Option<Person>,
    (me, invite): (&Me, Option<&Secret>),
    now: OffsetDateTime,
) -> Result<(Person, Outcome), Refusal> {
    let (subject, older) = subjects(me).ok_or_else(|| Error::SpotifyAway("an answer without an id".into()))?;
    let owner = owner(app, provider, &subject, older.as_deref()).await?;
    let visitor = match visitor {
        Some(person) => Some((person.id, identities::has(&app.db, person.id, provider).await?)),
        None => None,
    };
    let outcome = decide(visitor, owner).ok_or(Refusal::SomebodyElse)?;
    let name = display_name(me);
    let id = match outcome {
        Outcome::Joined => registration::join(app, (provider, &subject), &name, invite, now).await?,
        Outcome::Linked(id) => {
            identities::link(&app.db, id, provider, &subject, now).await?;
            id
        }
        Outcome::SignedIn(id) | Outcome::AlreadyLinked(id) => {
            identities::touch(&app.db, provider, &subject, now).await?;
            db::users::rename(&app.db, id, &name).await?;
            id
        }
    };
    Ok((Person { id, name }, outcome))
}

/// The person's stable id, and the one under which an earlier answer may have filed them. The older kind is
/// marked, so that nobody can pick a name that is somebody else's `account_id`.
fn subjects(me: &Me) -> Option<(String, Option<String>)> {
    let filled = |id: &Option<String>| id.clone().filter(|id| !id.is_empty() && !id.contains('\0'));
    let older = filled(&me.id).map(|id| format!("id:{id}"));
    match filled(&me.account_id) {
        Some(account) => Some((account, older)),
        None => older.map(|older| (older, None)),
    }
}

async fn owner(app: &App, provider: Provider, subject: &str, older: Option<&str>) -> Result<Option<UserId>, db::Error> {
    if let Some(owner) = identities::owner(&app.db, provider, subject).await? {
        return Ok(Some(owner));
    }
    let Some(older) = older else { return Ok(None) };
    let owner = identities::owner(&app.db, provider, older).await?;
    if owner.is_some() {
        identities::rename(&app.db, provider, older, subject).await?;
    }
    Ok(owner)
}

fn display_name(me: &Me) -> String {
    let named = me.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let name = named.or(me.id.as_deref()).or(me.account_id.as_deref()).unwrap_or("listener");
    name.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIRA: UserId = UserId(1);
    const NOOR: UserId = UserId(2);

    #[test]
    fn every_sign_in_ends_in_one_of_six_ways() {
        assert_eq!(decide(None, Some(MIRA)), Some(Outcome::SignedIn(MIRA)));
        assert_eq!(decide(None, None), Some(Outcome::Joined));
        assert_eq!(decide(Some((MIRA, true)), Some(MIRA)), Some(Outcome::AlreadyLinked(MIRA)));
        assert_eq!(decide(Some((MIRA, true)), Some(NOOR)), None);
        assert_eq!(decide(Some((MIRA, false)), None), Some(Outcome::Linked(MIRA)));
        assert_eq!(decide(Some((MIRA, true)), None), None);
    }

    fn me(account_id: Option<&str>, id: Option<&str>) -> Me {
        Me { account_id: account_id.map(str::to_owned), id: id.map(str::to_owned), display_name: None }
    }

    #[test]
    fn a_name_cannot_pose_as_an_account_id() {
        assert_eq!(
            subjects(&me(Some("q7Zt3LmB0x"), Some("mira"))),
            Some(("q7Zt3LmB0x".into(), Some("id:mira".into())))
        );
        assert_eq!(subjects(&me(None, Some("q7Zt3LmB0x"))), Some(("id:q7Zt3LmB0x".into(), None)));
        assert_eq!(subjects(&me(Some(""), None)), None);
    }

    #[test]
    fn a_person_without_a_name_is_greeted_by_id() {
        assert_eq!(display_name(&me(Some("x"), Some("noor.test"))), "noor.test");
    }
}

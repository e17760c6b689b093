//! Sign-in: from the button to the provider and back, by whichever provider.

mod decide;
mod introduce;
mod settle;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::registration::NotAdmitted;
use super::{Caller, Error, Grant, Person, hearts, sessions};
use crate::app::App;
use crate::db::{self, identities, sign_ins};
use crate::ids::{Digested, PlaylistId, Provider, Secret, UserId};
use crate::oauth::Scopes;
use crate::oauth::providers::NOW_PLAYING;
use crate::vault::Purpose;

/// How long a sign-in in progress is remembered, and so is its browser.
pub const PENDING_TTL: Duration = sign_ins::KEPT;
pub use decide::{Aim, Conflict, Outcome, Visiting, decide};
use introduce::introduce;
use settle::{Present, settle};

/// How long a newcomer may take to prove that they had an account before.
const TO_PROVE: Duration = Duration::minutes(15);

/// What a browser brings back from the provider.
pub struct Arrival {
    /// The provider on whose path it came back.
    pub provider: Provider,
    /// Which browser; none: it sent no cookie of ours.
    pub browser: Option<Secret>,
    /// Who is signed in already.
    pub visitor: Option<Caller>,
    /// Until when this session's newcomer may prove that they had an account before.
    pub invited_until: Option<OffsetDateTime>,
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
    /// What they let us do at Spotify; none: they came by another provider.
    pub grant: Option<Grant>,
    /// How it came about.
    pub outcome: Outcome,
    /// What will be missing because it was asked for and not given.
    pub missing: Option<Missing>,
    /// What they wanted to do.
    pub wish: Wish,
    /// Until when they may prove that they had an account before; none: nothing says so.
    pub invited_until: Option<OffsetDateTime>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    pub aim: Aim,
    /// Whether who is signed in proved it lately.
    pub fresh: bool,
    /// What to do then.
    pub wish: Wish,
    /// What this session was allowed before, with its consent still good or not.
    pub before: Scopes,
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
    /// Whose the identity is does not fit who is signed in.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// They are new, and newcomers are not let in.
    #[error("a newcomer is not let in")]
    NotAdmitted(NotAdmitted),
    /// The provider did not answer in time; Spotify's silence is among [`Refusal::Failed`].
    #[error("the provider did not answer in time")]
    Slow,
    /// The provider cannot be reached, or its answer cannot be used.
    #[error("{0}")]
    Away(String),
    /// The provider refuses the app itself.
    #[error("{0}")]
    Misconfigured(String),
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
    #[serde(default)]
    aim: Aim,
    #[serde(default)]
    fresh: bool,
}

/// What a button that leads to a provider says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Button {
    /// Sign in.
    #[default]
    SignIn,
    /// Add this way in to my account.
    Link,
    /// I had an account before: let me prove it.
    Prove,
}

/// What to set out for. None: there is nothing to do, because who asks is signed in. Whoever is signed in and
/// goes to Spotify connects it to their account; whoever asks for it goes to a provider once more.
pub fn aim(button: Button, provider: Provider, caller: Option<&Caller>, anew: Option<Anew>) -> Option<Aim> {
    let Some(caller) = caller else { return Some(Aim::SignIn) };
    let user = caller.person.id;
    let connects = provider == Provider::Spotify && (caller.grant.is_none() || anew.is_some());
    match button {
        Button::Prove => Some(Aim::Prove(user)),
        Button::Link => Some(Aim::Link(user)),
        Button::SignIn if connects => Some(Aim::Link(user)),
        Button::SignIn => anew.map(|_| Aim::SignIn),
    }
}

/// Whether to set out for `aim` at `provider` may add a way in, which only who proved lately who they are may do.
pub async fn adds_a_way(app: &App, aim: Aim, provider: Provider) -> super::Result<bool> {
    match aim {
        Aim::Link(user) => Ok(!identities::has(&app.db, user, provider).await?),
        Aim::SignIn | Aim::Prove(_) => Ok(false),
    }
}

/// Begins a sign-in; gives the provider's page to go to.
///
/// # Errors
/// [`Error::NotFound`] when the provider is not set up; otherwise when the database fails.
pub async fn start(app: &App, start: Start, now: OffsetDateTime) -> super::Result<url::Url> {
    let Start { provider, browser, aim, fresh, wish, before } = start;
    let client = app.sign_in(provider).ok_or(Error::NotFound)?;
    // What was switched on stays so: a new consent replaces the old one altogether.
    let wanted = |scope: &str| wish.anew == Some(Anew::NowPlaying) && scope == NOW_PLAYING;
    let asked = client.scopes(|scope| wanted(scope) || before.contains(scope));
    let departure = client.depart(&asked);
    let state = Digested::of(departure.state.expose());
    let waiting = Waiting { verifier: departure.verifier, asked, wish, aim, fresh };
    let waiting = serde_json::to_vec(&waiting).expect("texts are JSON");
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
    let Arrival { provider, browser, visitor, invited_until, answer } = arrival;
    let waiting = take(app, provider, browser, &answer, now).await?;
    let code = match (answer.error.as_deref(), answer.code) {
        (Some("access_denied"), _) => return Err(Refusal::Denied { next: waiting.wish.next }),
        (Some(_), _) | (None, None) => return Err(Refusal::Ended { next: waiting.wish.next }),
        (None, Some(code)) => code,
    };
    let who = introduce(app, provider, &code, &waiting, now).await?;
    if let Some(caller) = &visitor
        && !sessions::stands(app, caller).await?
    {
        return Err(Conflict::Changed.into());
    }
    let present = Present {
        aim: waiting.aim,
        visitor: visitor.map(|caller| caller.person),
        fresh: waiting.fresh,
        invited: invited_until.is_some_and(|until| now < until),
        invite: waiting.wish.invite.clone(),
    };
    let (person, outcome) = settle(app, provider, present, &who, now).await?;
    if let Some(heart) = &waiting.wish.heart {
        hearts::add(app, person.id, heart, now).await?;
    }
    let invited_until = match outcome {
        Outcome::Joined if !others(app, person.id).await?.is_empty() => Some(now + TO_PROVE),
        Outcome::Linked(_) | Outcome::AlreadyLinked(_) => invited_until,
        _ => None,
    };
    let missing = who.grant.as_ref().and_then(|grant| missing(&grant.missing(&waiting.asked)));
    Ok(Arrived { person, grant: who.grant, outcome, missing, wish: waiting.wish, invited_until })
}

/// By which providers `user` may prove that an account with the same verified address is theirs.
pub async fn others(app: &App, user: UserId) -> super::Result<Vec<Provider>> {
    let alike = identities::alike(&app.db, user).await?;
    Ok(app.providers().filter(|provider| alike.iter().any(|alike| alike.provider == provider.key())).collect())
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
    let client = app.sign_in(provider).ok_or(Refusal::Unknown)?;
    if answer.iss.as_deref().is_some_and(|iss| !client.is_called(iss)) {
        return Err(Refusal::Unknown);
    }
    let opened = app.vault.open(Purpose::SignIn, state.as_bytes(), &sealed).ok();
    opened.and_then(|waiting| serde_json::from_slice(&waiting).ok()).ok_or(Refusal::Old)
}

//! What the panel can set: what each does, and where to see what comes of it.

use super::World;
use super::troubles::Trouble;
use super::world::Switches;
use std::time::Duration;

/// Something that is off in the usual world and that a visitor can turn on.
pub(super) struct Control {
    /// The field of the form, and the place on the page.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) does: &'static str,
    /// What to look at in the app.
    pub(super) look: &'static str,
    sets: Sets,
}

enum Sets {
    Trouble(Trouble),
    Switch { is_on: fn(&Switches) -> bool, set: fn(&mut Switches, bool) },
}

impl Control {
    pub(super) fn is_on(&self, world: &World) -> bool {
        match self.sets {
            Sets::Trouble(trouble) => world.state().journal.troubles.contains(&trouble),
            Sets::Switch { is_on, .. } => is_on(&world.state().switches),
        }
    }

    pub(super) fn set(&self, world: &World, on: bool) {
        match self.sets {
            Sets::Trouble(trouble) => world.trouble(trouble, on),
            Sets::Switch { set, .. } => world.switch(|switches| set(switches, on)),
        }
    }
}

/// All that can be turned on.
pub(super) fn all() -> impl Iterator<Item = &'static Control> {
    TROUBLES.iter().chain(&SWITCHES)
}

/// What goes wrong until it is mended.
pub(super) static TROUBLES: [Control; 8] = [
    Control {
        name: "outage",
        title: "Outage",
        does: "Every request from the app gets a proxy’s error page (502).",
        look: "Open Playlists and press Refresh: your saved list stays, with its age. Hearts open and save as usual.",
        sets: Sets::Trouble(Trouble::Outage),
    },
    Control {
        name: "slow",
        title: "Slow answers",
        does: "Every answer is correct, but three seconds late.",
        look: "Open a playlist, which takes that long; then Hearts, which asks nothing here and opens at once.",
        sets: Sets::Trouble(Trouble::Slow),
    },
    Control {
        name: "rate",
        title: "Too many requests",
        does: "The API answers 429 and asks the app to wait a minute (Retry-After: 60).",
        look: "Open a playlist: it says until when. Open more: nothing new is asked here until the minute is over, even if you fix it.",
        sets: Sets::Trouble(Trouble::RateLimit),
    },
    Control {
        name: "quota",
        title: "Today’s quota used up",
        does: "Single playlists answer 429 with QUOTA_EXCEEDED and do not say until when; everything else still answers.",
        look: "Open a playlist: it is shown as last known, and not asked for again for an hour, even if you fix it. Playlists still refreshes.",
        sets: Sets::Trouble(Trouble::Quota),
    },
    Control {
        name: "half",
        title: "The library breaks off",
        does: "The first fifty playlists of a list arrive; every further page fails.",
        look: "Sign in as Mira: on her first visit Playlists shows fifty, says of how many, and offers to continue. A list that was complete stays complete.",
        sets: Sets::Trouble(Trouble::HalfLibrary),
    },
    Control {
        name: "tokens",
        title: "No new tokens",
        does: "Only the token endpoint is down (502).",
        look: "Let an hour pass and open a playlist: what is known is shown, and nobody is asked to reconnect, because an outage is not a refusal.",
        sets: Sets::Trouble(Trouble::NoTokens),
    },
    Control {
        name: "others-outage",
        title: "The other sign-ins are down",
        does: "Google, GitHub, Facebook and X still ask who you are, but answer the app with 502.",
        look: "Sign out and sign in with GitHub: it says that GitHub’s answer could not be used, and that nothing was saved.",
        sets: Sets::Trouble(Trouble::OthersOutage),
    },
    Control {
        name: "codes",
        title: "The other sign-ins refuse every code",
        does: "Each in its own way: GitHub with status 200, Facebook with an object, X as an invalid request.",
        look: "Sign in with any of them: all four end on the same page, with Try again.",
        sets: Sets::Trouble(Trouble::CodesRefused),
    },
];

/// What Spotify does differently for other apps, at other times.
pub(super) static SWITCHES: [Control; 4] = [
    Control {
        name: "short",
        title: "Tokens for 20 seconds",
        does: "New access tokens are valid for 20 seconds instead of an hour.",
        look: "Sign in again, then open a playlist twice, half a minute apart: below, a token is renewed before the second answer.",
        sets: Sets::Switch {
            is_on: |switches| switches.access_token_life < USUAL_LIFE,
            set: |switches, on| switches.access_token_life = if on { Duration::from_secs(20) } else { USUAL_LIFE },
        },
    },
    Control {
        name: "rotate",
        title: "Single-use refresh tokens",
        does: "Renewing a token ends the refresh token and issues a new one.",
        look: "Let an hour pass and open several playlists at once: there is one token request below, and you stay signed in.",
        sets: Sets::Switch {
            is_on: |switches| switches.rotate_refresh_tokens,
            set: |switches, on| switches.rotate_refresh_tokens = on,
        },
    },
    Control {
        name: "legacy",
        title: "The API before February 2026",
        does: "Lists are called tracks, not items, and the contents of other people’s playlists are shown.",
        look: "Open a playlist that somebody else made: its songs are there, where the page otherwise says who may see them.",
        sets: Sets::Switch {
            is_on: |switches| switches.legacy_regime,
            set: |switches, on| switches.legacy_regime = on,
        },
    },
    Control {
        name: "unpaid",
        title: "The app’s owner has no Premium",
        does: "Every call to the API is refused, whoever asks.",
        look: "Open a playlist: it says that this server’s access is paused, and shows what is known.",
        sets: Sets::Switch {
            is_on: |switches| !switches.owner_premium,
            set: |switches, on| switches.owner_premium = !on,
        },
    },
];

const USUAL_LIFE: Duration = Duration::from_secs(3600);

/// A stretch of time that can pass at once.
pub(super) struct Leap {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) look: &'static str,
    pub(super) by: Duration,
}

/// What the clock can be moved by.
pub(super) static LEAPS: [Leap; 2] = [
    Leap {
        name: "hour",
        title: "Let an hour pass",
        look: "Access tokens expire. Open a playlist: it opens as if nothing had happened, after a 401 and one token request below.",
        by: USUAL_LIFE,
    },
    Leap {
        name: "months",
        title: "Let six months pass",
        look: "Consent expires. Open a playlist or refresh Playlists: you are asked to reconnect; your hearts and your saved list stay.",
        by: Duration::from_secs(184 * 24 * 3600),
    },
];

//! The controls of the panel: what each changes, and what to look for in the app.

use std::time::Duration;

use crate::scenario::Scenario;
use crate::settings::Switches;
use crate::state::FakeSpotify;

/// Something that is off by default and that a visitor can turn on.
pub(crate) struct Control {
    /// Name of the form field, and id of the element.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) effect: &'static str,
    /// Hint on how to see the effect in the app.
    pub(crate) hint: &'static str,
    target: Target,
}

enum Target {
    Scenario(Scenario),
    Switch { is_on: fn(&Switches) -> bool, set: fn(&mut Switches, bool) },
}

impl Control {
    pub(crate) fn is_on(&self, fake: &FakeSpotify) -> bool {
        match self.target {
            Target::Scenario(scenario) => fake.state().request_log.scenarios.contains(&scenario),
            Target::Switch { is_on, .. } => is_on(&fake.state().switches),
        }
    }

    pub(crate) fn set(&self, fake: &FakeSpotify, on: bool) {
        match self.target {
            Target::Scenario(scenario) => fake.set_scenario(scenario, on),
            Target::Switch { set, .. } => fake.update_switches(|switches| set(switches, on)),
        }
    }
}

/// All controls.
pub(crate) fn all() -> impl Iterator<Item = &'static Control> {
    SCENARIOS.iter().chain(&SWITCHES)
}

/// Whether any control is on.
pub(crate) fn has_overrides(fake: &FakeSpotify) -> bool {
    all().any(|control| control.is_on(fake))
}

pub(crate) static SCENARIOS: [Control; 8] = [
    Control {
        name: "outage",
        title: "Outage",
        effect: "Every request from the app gets a proxy’s error page (502).",
        hint: "Refresh your playlists: the app should keep the saved list and say how old it is.",
        target: Target::Scenario(Scenario::Outage),
    },
    Control {
        name: "slow-responses",
        title: "Slow responses",
        effect: "Every response is correct, but three seconds late.",
        hint: "Open a playlist, which takes that long. Pages that don’t need Spotify should open at once.",
        target: Target::Scenario(Scenario::SlowResponses),
    },
    Control {
        name: "rate-limit",
        title: "Too many requests",
        effect: "The API answers 429 and asks the app to wait a minute (Retry-After: 60).",
        hint: "Open some playlists: the app should say when to try again, and send no request for a minute, even if you turn this off.",
        target: Target::Scenario(Scenario::RateLimit),
    },
    Control {
        name: "quota-exceeded",
        title: "Daily quota used up",
        effect: "Single playlists answer 429 with QUOTA_EXCEEDED and don’t say for how long. Everything else works.",
        hint: "Open a playlist: the app should show what it knows and not ask again for a while. The list of playlists still refreshes.",
        target: Target::Scenario(Scenario::QuotaExceeded),
    },
    Control {
        name: "incomplete-library",
        title: "Incomplete library",
        effect: "The first 50 playlists of a list arrive. Every further page fails.",
        hint: "Sign in as Mira for the first time: the app should show 50 playlists, say how many are missing and offer to continue.",
        target: Target::Scenario(Scenario::IncompleteLibrary),
    },
    Control {
        name: "token-outage",
        title: "No new tokens",
        effect: "Only the token endpoint is down (502).",
        hint: "Let an hour pass and open a playlist: the app should show what it knows and not ask you to reconnect, because an outage is no refusal.",
        target: Target::Scenario(Scenario::TokenOutage),
    },
    Control {
        name: "other-providers-outage",
        title: "Other providers are down",
        effect: "Google, GitHub, Facebook and X show their consent pages, but answer the app with 502.",
        hint: "Sign in with GitHub: the app should say that GitHub can’t be reached and that nothing was saved.",
        target: Target::Scenario(Scenario::OtherProvidersOutage),
    },
    Control {
        name: "rejected-codes",
        title: "Other providers reject every code",
        effect: "Each in its own way: GitHub with status 200, Facebook with an object, X as an invalid request.",
        hint: "Sign in with any of them: the app should show the same page for all four.",
        target: Target::Scenario(Scenario::RejectedCodes),
    },
];

pub(crate) static SWITCHES: [Control; 4] = [
    Control {
        name: "short-lived-tokens",
        title: "Tokens for 20 seconds",
        effect: "New access tokens are valid for 20 seconds instead of an hour.",
        hint: "Sign in again and open a playlist twice, half a minute apart: below, the app gets a new token before the second response.",
        target: Target::Switch {
            is_on: |switches| switches.access_token_lifetime < ONE_HOUR,
            set: |switches, on| switches.access_token_lifetime = if on { Duration::from_secs(20) } else { ONE_HOUR },
        },
    },
    Control {
        name: "rotate-refresh-tokens",
        title: "Single-use refresh tokens",
        effect: "Each refresh revokes the refresh token and issues a new one.",
        hint: "Let an hour pass and open several playlists at once: there should be one token request below, and you stay signed in.",
        target: Target::Switch {
            is_on: |switches| switches.rotate_refresh_tokens,
            set: |switches, on| switches.rotate_refresh_tokens = on,
        },
    },
    Control {
        name: "legacy-api",
        title: "The API before February 2026",
        effect: "Items are called tracks, and everybody’s playlists include them.",
        hint: "Open a playlist that somebody else made: its songs are there.",
        target: Target::Switch { is_on: |switches| switches.legacy_api, set: |switches, on| switches.legacy_api = on },
    },
    Control {
        name: "no-premium",
        title: "The app’s owner has no Premium",
        effect: "Every API call is refused.",
        hint: "Open a playlist: the app should show what it knows and say that it has no access to Spotify.",
        target: Target::Switch {
            is_on: |switches| !switches.owner_has_premium,
            set: |switches, on| switches.owner_has_premium = !on,
        },
    },
];

const ONE_HOUR: Duration = Duration::from_secs(3600);

/// A step by which a visitor can advance the clock.
pub(crate) struct TimeJump {
    /// Value of the form field.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Hint on how to see the effect in the app.
    pub(crate) hint: &'static str,
    pub(crate) duration: Duration,
}

pub(crate) static TIME_JUMPS: [TimeJump; 2] = [
    TimeJump {
        name: "hour",
        title: "Let an hour pass",
        hint: "Access tokens expire. Open a playlist: it should open as usual, after a 401 and one token request below.",
        duration: ONE_HOUR,
    },
    TimeJump {
        name: "six-months",
        title: "Let six months pass",
        hint: "Your consent expires. Open a playlist: the app should ask you to reconnect and keep everything it saved.",
        duration: Duration::from_secs(184 * 24 * 3600),
    },
];

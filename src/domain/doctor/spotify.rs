//! What Spotify says when it is asked, whom it serves, and how much it was asked.

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::{Finding, RequestContext};
use crate::app::App;
use crate::db::doctor::{Cooldown, calls, cooldowns, people};
use crate::ids::{PlaylistId, Secret};
use crate::oauth;
use crate::spotify;
use crate::spotify::Error as Said;

/// How far two clocks may lie apart before it is worth a word.
const APART: Duration = Duration::seconds(30);
/// A playlist that Spotify itself makes: which answer it gives matters less than that there is one.
const ANY_PLAYLIST: &str = "37i9dQZF1DXcBWIGoYBM5M";
const COPY: &str =
    "Copy both again from your app on developer.spotify.com/dashboard. Renewing a secret there ends the old one.";
const REACH: &str = "Try again in a minute. If it persists, check that this server can connect to accounts.spotify.com and api.spotify.com, port 443.";
/// The endpoint of [`ANY_PLAYLIST`], and all, in the table of cool-downs.
const CONCERNED: [&str; 2] = ["playlist", "all"];

/// Asks Spotify, and the database for what is noted about asking it; not so when `rows` are out of reach.
pub(super) async fn examine(app: &App, seat: &RequestContext, rows: bool) -> Vec<Finding> {
    let waiting = if rows { cooldowns(&app.db, app.now()).await.ok() } else { None };
    let mut found = Vec::new();
    if app.config.demo && matches!(seat, RequestContext::Terminal) {
        found.push(not_here());
    } else {
        let introduction = app.oauth.spotify().authenticate_client().await;
        found.push(credentials(introduction.token.as_ref().err(), app.config.demo));
        found.extend(introduction.server_time.map(|theirs| clock(app.now(), theirs)));
        let told_to_wait = waiting.iter().flatten().any(|it| CONCERNED.contains(&it.bucket.as_str()));
        if let (Ok(token), false) = (&introduction.token, told_to_wait) {
            found.push(answers(ask(&app.spotify, token).await.err()));
        }
    }
    if !app.config.demo {
        found.push(listed(if rows { people(&app.db).await.ok() } else { None }));
    }
    // Where there are no tables yet, another finding says so.
    found.extend(waiting.map(|waiting| patience(&waiting)));
    if rows {
        found.extend(calls(&app.db, app.now().date()).await.ok().map(|calls| meter(&calls)));
    }
    found
}

fn not_here() -> Finding {
    let why = "Only with the real Spotify could the id or secret be wrong.";
    Finding::note("Spotify", "Not asked: the stand-in runs inside `heartlist serve`, and nowhere else.", why)
}

fn credentials(refused: Option<&oauth::Error>, demo: bool) -> Finding {
    const ABOUT: &str = "Id and secret";
    let why = "Without them nobody can sign in, and after an hour no playlist can be read.";
    match refused {
        None if demo => Finding::good(ABOUT, "Tried just now: the stand-in accepts the demo’s own.", why),
        None => {
            Finding::good(ABOUT, "Tried just now: Spotify accepts SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET.", why)
        }
        Some(oauth::Error::InvalidGrant) => Finding::bad(ABOUT, "Spotify rejects this app.", why).mend(COPY),
        Some(oauth::Error::Misconfigured(code)) => {
            Finding::bad(ABOUT, format!("Spotify rejects SPOTIFY_CLIENT_ID or SPOTIFY_CLIENT_SECRET ({code})."), why)
                .mend(COPY)
        }
        Some(oauth::Error::TimedOut) => {
            Finding::bad(ABOUT, "Unknown: Spotify’s sign-in did not answer in time.", why).mend(REACH)
        }
        Some(oauth::Error::Unavailable(how)) => {
            let what = format!("Unknown: Spotify’s sign-in cannot be reached, or is having trouble ({how}).");
            Finding::bad(ABOUT, what, why).mend(REACH)
        }
    }
}

fn clock(ours: OffsetDateTime, theirs: OffsetDateTime) -> Finding {
    let why = "Tokens expire by the clock. If it is wrong they are renewed too late, or all the time.";
    let seconds = (ours - theirs).whole_seconds();
    match (ours - theirs).abs() > APART {
        false => Finding::good("Clock", "The same time as Spotify’s.", why),
        true => {
            let way = if seconds > 0 { "ahead of" } else { "behind" };
            let what = format!("This computer’s is {} seconds {way} Spotify’s.", seconds.abs());
            Finding::note("Clock", what, why).mend("Let the computer set its clock from the network (NTP).")
        }
    }
}

/// Asks the Web API for something in nobody's name: a lapsed Premium refuses whatever is asked.
async fn ask(spotify: &spotify::Client, token: &Secret) -> Result<(), Said> {
    let playlist = PlaylistId::parse(ANY_PLAYLIST).expect("22 letters and digits");
    spotify.playlist(token, &playlist).await.map(drop)
}

fn answers(said: Option<Said>) -> Finding {
    const ABOUT: &str = "Web API";
    let why = "If the app owner’s Premium lapses, Spotify refuses every request with status 403, and visitors are told that this server’s access is paused.";
    match said {
        None | Some(Said::NotFound | Said::Forbidden { premium: false }) => {
            Finding::good(ABOUT, "It answers, and says nothing of a lapsed Premium.", why)
        }
        Some(Said::Forbidden { premium: true }) => Finding::bad(
            ABOUT,
            "Spotify has paused this app: the account that owns it on the dashboard has no Premium.",
            why,
        )
        .mend(
            "Renew Premium for that account. Spotify says it can take a few hours before requests are accepted again.",
        ),
        Some(Said::SlowDown(_) | Said::QuotaUsedUp(_)) => Finding::note(
            ABOUT,
            "It asks to wait before the next request.",
            "An app that keeps asking is made to wait longer.",
        ),
        Some(error) => Finding::bad(
            ABOUT,
            format!("No usable answer ({error})."),
            "Saved lists are shown with their age; new ones cannot be read.",
        )
        .mend(REACH),
    }
}

fn listed(people: Option<i64>) -> Finding {
    let here = match people {
        None => String::new(),
        Some(0) => " Nobody has an account here yet.".into(),
        Some(1) => " One person has an account here.".into(),
        Some(people) => format!(" {people} people have an account here."),
    };
    let what =
        format!("In development mode Spotify serves at most five people, and only those on your app’s list.{here}");
    let why = "People who are not on the list can still give consent, and are then refused with status 403. Their page tells them so, and whom to ask.";
    Finding::note("Who may sign in", what, why)
        .mend("On developer.spotify.com/dashboard, under User Management, add each person’s name and email address, including your own.")
}

fn patience(waiting: &[Cooldown]) -> Finding {
    let why = "Until then no process asks Spotify anything, which would only make it longer. Hearts keep working, and saved lists show their age.";
    if waiting.is_empty() {
        return Finding::good("Waiting times", "None: Spotify can be asked.", why);
    }
    let each = waiting.iter().map(|Cooldown { bucket, until, quota }| {
        let whose = if bucket == "all" { "all requests" } else { bucket };
        let reason = if *quota { "today’s allowance is used up" } else { "too many requests at once" };
        format!("{whose} wait until {} ({reason})", moment(*until))
    });
    let what = format!("Spotify asked us to wait: {}.", each.collect::<Vec<_>>().join("; "));
    let quota = waiting.iter().any(|it| it.quota);
    let finding = Finding::note("Waiting times", what, why);
    if quota {
        finding.mend("Wait. The allowance is shared by all the apps of your Spotify developer account.")
    } else {
        finding
    }
}

fn meter(calls: &[(String, i64)]) -> Finding {
    let total: i64 = calls.iter().map(|(_, calls)| calls).sum();
    let each: Vec<_> = calls.iter().map(|(endpoint, calls)| format!("{endpoint} {calls}")).collect();
    let what = match total {
        0 => "None yet.".into(),
        _ => format!("{total} since midnight UTC: {}.", each.join(", ")),
    };
    Finding::good(
        "Requests today",
        what,
        "Spotify does not publish its daily allowance. These numbers show where it went.",
    )
}

fn moment(time: OffsetDateTime) -> String {
    let form = format_description!("[hour]:[minute] UTC on [day padding:none] [month repr:short]");
    time.format(form).expect("a time has these parts")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::super::State;
    use super::*;

    #[test]
    fn a_wrong_secret_is_not_an_outage() {
        let refused = credentials(Some(&oauth::Error::Misconfigured("invalid_client".into())), false);
        assert!(refused.state == State::Bad && refused.what.contains("rejects SPOTIFY_CLIENT_ID"));
        for outage in [oauth::Error::TimedOut, oauth::Error::Unavailable("status 503".into())] {
            let away = credentials(Some(&outage), false);
            assert!(away.state == State::Bad && !away.what.contains("reject"), "{}", away.what);
        }
    }

    #[test]
    fn clocks_may_lie_half_a_minute_apart() {
        let now = datetime!(2026-11-21 12:00 UTC);
        assert_eq!(clock(now, now - APART).state, State::Good);
        assert!(clock(now, now - Duration::seconds(31)).what.contains("31 seconds ahead of"));
        assert!(clock(now, now + Duration::hours(2)).what.contains("7200 seconds behind"));
    }

    #[test]
    fn waits_are_told_with_their_reason() {
        let wait = Cooldown { bucket: "all".into(), until: datetime!(2026-11-21 19:53 UTC), quota: true };
        let finding = patience(&[wait]);
        assert!(finding.state == State::Note && finding.what.contains("all requests wait until 19:53 UTC on 21 Nov"));
        assert!(finding.what.contains("allowance") && finding.mend.is_some());
    }
}

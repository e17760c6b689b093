//! What Spotify says when it is asked, whom it serves, and how much it was asked.

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::{Finding, Seat};
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
const COPY: &str = "Copy both once more from your app on developer.spotify.com/dashboard. A secret that was renewed there ends the old one.";
const REACH: &str = "Try again in a minute. If it stays, look whether this server may connect to accounts.spotify.com and api.spotify.com, port 443.";
/// The endpoint of [`ANY_PLAYLIST`], and all, in the table of cool-downs.
const CONCERNED: [&str; 2] = ["playlist", "all"];

/// Asks Spotify, and the database for what is noted about asking it; not so when `rows` are out of reach.
pub(super) async fn examine(app: &App, seat: &Seat, rows: bool) -> Vec<Finding> {
    let waiting = if rows { cooldowns(&app.db, app.now()).await.ok() } else { None };
    let mut found = Vec::new();
    if app.config.demo && matches!(seat, Seat::Terminal) {
        found.push(not_here());
    } else {
        let introduction = app.spotify_sign_in.introduce().await;
        found.push(credentials(introduction.outcome.as_ref().err(), app.config.demo));
        found.extend(introduction.their_time.map(|theirs| clock(app.now(), theirs)));
        let told_to_wait = waiting.iter().flatten().any(|it| CONCERNED.contains(&it.bucket.as_str()));
        if let (Ok(token), false) = (&introduction.outcome, told_to_wait) {
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
    let why = "Only the real Spotify has an id and a secret that could be wrong.";
    Finding::note("Spotify", "Not asked: the stand-in runs inside `heartlist serve`, and nowhere else.", why)
}

fn credentials(refused: Option<&oauth::Error>, demo: bool) -> Finding {
    const ABOUT: &str = "Id and secret";
    let why = "Without them nobody can sign in, and after an hour no playlist can be read.";
    match refused {
        None if demo => Finding::good(ABOUT, "Tried just now: the stand-in takes the demo's own.", why),
        None => Finding::good(ABOUT, "Tried just now: Spotify takes SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET.", why),
        Some(oauth::Error::Refused) => Finding::bad(ABOUT, "Spotify refuses this app.", why).mend(COPY),
        Some(oauth::Error::Misconfigured(code)) => {
            Finding::bad(ABOUT, format!("Spotify refuses SPOTIFY_CLIENT_ID or SPOTIFY_CLIENT_SECRET ({code})."), why)
                .mend(COPY)
        }
        Some(oauth::Error::TimedOut) => {
            Finding::bad(ABOUT, "Not known: Spotify's sign-in did not answer in time.", why).mend(REACH)
        }
        Some(oauth::Error::Away(how)) => {
            let what = format!("Not known: Spotify's sign-in cannot be reached, or is in trouble ({how}).");
            Finding::bad(ABOUT, what, why).mend(REACH)
        }
    }
}

fn clock(ours: OffsetDateTime, theirs: OffsetDateTime) -> Finding {
    let why = "Tokens end by the clock. With a wrong one they are renewed too late or all the time.";
    let seconds = (ours - theirs).whole_seconds();
    match (ours - theirs).abs() > APART {
        false => Finding::good("Clock", "The same time as Spotify's.", why),
        true => {
            let way = if seconds > 0 { "ahead of" } else { "behind" };
            let what = format!("This computer's is {} seconds {way} Spotify's.", seconds.abs());
            Finding::note("Clock", what, why).mend("Let the computer set its clock by the network (NTP).")
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
    let why = "While the Premium of the app's owner has lapsed, Spotify refuses every request with status 403. Visitors then read that this server's access is paused.";
    match said {
        None | Some(Said::NotFound | Said::Forbidden { premium: false }) => {
            Finding::good(ABOUT, "It answers, and does not speak of a lapsed Premium.", why)
        }
        Some(Said::Forbidden { premium: true }) => Finding::bad(
            ABOUT,
            "Spotify paused this app: the account that owns it on the dashboard has no Premium.",
            why,
        )
        .mend("Renew Premium for that account. Spotify says that it can take a few hours until requests pass again."),
        Some(Said::SlowDown(_) | Said::QuotaUsedUp(_)) => Finding::note(
            ABOUT,
            "It asks to wait before the next request.",
            "An app that goes on asking is made to wait longer.",
        ),
        Some(error) => Finding::bad(
            ABOUT,
            format!("No usable answer ({error})."),
            "Kept lists are shown as old; new ones cannot be read.",
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
        format!("In development mode Spotify serves five people at most, and only those on your app's list.{here}");
    let why = "Who is not on the list can consent all the same, and is then refused with status 403. Their page says that this server may not ask Spotify for them.";
    Finding::note("Who may sign in", what, why)
        .mend("On developer.spotify.com/dashboard, under User Management, add each person's name and e-mail address, your own too.")
}

fn patience(waiting: &[Cooldown]) -> Finding {
    let why = "Nobody is asked for before that time, on any process: Spotify would only prolong it. Hearts work meanwhile, and kept lists show their age.";
    if waiting.is_empty() {
        return Finding::good("Waiting times", "None: Spotify may be asked.", why);
    }
    let each = waiting.iter().map(|Cooldown { bucket, until, quota }| {
        let whose = if bucket == "all" { "all requests" } else { bucket };
        let reason = if *quota { "today's allowance is used up" } else { "too many requests at once" };
        format!("{whose} wait until {} ({reason})", moment(*until))
    });
    let what = format!("Spotify asked us to wait: {}.", each.collect::<Vec<_>>().join("; "));
    let quota = waiting.iter().any(|it| it.quota);
    let finding = Finding::note("Waiting times", what, why);
    if quota {
        finding.mend("Wait. The allowance is counted for all apps of your Spotify developer account together.")
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
        "Spotify's allowance of the day is not published. These numbers tell where it went.",
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
        assert!(refused.state == State::Bad && refused.what.contains("refuses SPOTIFY_CLIENT_ID"));
        for outage in [oauth::Error::TimedOut, oauth::Error::Away("status 503".into())] {
            let away = credentials(Some(&outage), false);
            assert!(away.state == State::Bad && !away.what.contains("refuse"), "{}", away.what);
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

//! Checks of Spotify: credentials, clock, access, cooldowns and calls.

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::finding::{Check, Finding, RequestContext};
use crate::app::App;
use crate::db::cooldowns::{self, ALL_ENDPOINTS, Cooldown};
use crate::db::{spotify_calls, users};
use crate::domain::spotify_calls::Endpoint;
use crate::ids::{PlaylistId, Secret};
use crate::oauth;
use crate::spotify;

const MAX_CLOCK_SKEW: Duration = Duration::seconds(30);
/// A playlist made by Spotify. Any response will do, even status 404.
const PROBE_PLAYLIST: &str = "37i9dQZF1DXcBWIGoYBM5M";
const FIX_CREDENTIALS: &str =
    "Copy both again from your app on developer.spotify.com/dashboard. Renewing a secret there ends the old one.";
const FIX_CONNECTION: &str = "Try again in a minute. If it persists, check that this server can connect to accounts.spotify.com and api.spotify.com, port 443.";
/// The cooldowns that rule out the probe.
const PROBE_BUCKETS: [&str; 2] = [Endpoint::Playlist.key(), ALL_ENDPOINTS];

/// Calls Spotify, and reads cooldowns and calls from the database unless it is unavailable.
pub(super) async fn examine(app: &App, context: &RequestContext, has_tables: bool) -> Vec<Finding> {
    let cooldowns = if has_tables { cooldowns::list_active(&app.db, app.now()).await.ok() } else { None };
    let mut findings = Vec::new();
    if app.config.demo && matches!(context, RequestContext::Terminal) {
        findings.push(report_skipped_probe());
    } else {
        let authentication = app.oauth.spotify().authenticate_client().await;
        findings.push(check_credentials(authentication.token.as_ref().err(), app.config.demo));
        findings.extend(authentication.server_time.map(|theirs| check_clock(app.now(), theirs)));
        let is_cooling_down = cooldowns.iter().flatten().any(|(bucket, _)| PROBE_BUCKETS.contains(&bucket.as_str()));
        if let (Ok(token), false) = (&authentication.token, is_cooling_down) {
            findings.push(check_web_api(probe(&app.spotify, token).await.err()));
        }
    }
    if !app.config.demo {
        findings.push(describe_allowlist(if has_tables { users::count(&app.db).await.ok() } else { None }));
    }
    findings.extend(cooldowns.map(|cooldowns| report_cooldowns(&cooldowns)));
    if has_tables {
        findings.extend(spotify_calls::count(&app.db, app.now().date()).await.ok().map(|calls| report_calls(&calls)));
    }
    findings
}

fn report_skipped_probe() -> Finding {
    Check("Spotify", "Only with the real Spotify could the id or secret be wrong.")
        .note("Not checked: the made-up Spotify runs only inside `heartlist serve`.")
}

fn check_credentials(error: Option<&oauth::Error>, demo: bool) -> Finding {
    use oauth::Error::{Denied, InvalidGrant, Misconfigured, Rejected, TimedOut, Unavailable};
    let check = Check("Id and secret", "Without them nobody can sign in, and after an hour no playlist can be read.");
    match error {
        None if demo => check.good("Tested just now: the made-up Spotify accepts them."),
        None => check.good("Tested just now: Spotify accepts SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET."),
        Some(error @ (InvalidGrant | Denied | Rejected(_))) => {
            check.bad(format!("Unknown: Spotify does not answer as it should ({error}).")).with_fix(FIX_CREDENTIALS)
        }
        Some(Misconfigured(code)) => check
            .bad(format!("Spotify rejects SPOTIFY_CLIENT_ID or SPOTIFY_CLIENT_SECRET ({code})."))
            .with_fix(FIX_CREDENTIALS),
        Some(TimedOut) => check.bad("Unknown: Spotify’s sign-in did not answer in time.").with_fix(FIX_CONNECTION),
        Some(Unavailable(detail)) => check
            .bad(format!("Unknown: Spotify’s sign-in cannot be reached, or is having trouble ({detail})."))
            .with_fix(FIX_CONNECTION),
    }
}

fn check_clock(ours: OffsetDateTime, theirs: OffsetDateTime) -> Finding {
    let check =
        Check("Clock", "Tokens expire by the clock. If it is wrong they are renewed too late, or all the time.");
    if (ours - theirs).abs() <= MAX_CLOCK_SKEW {
        return check.good("The same time as Spotify’s.");
    }
    let seconds = (ours - theirs).whole_seconds();
    let direction = if seconds > 0 { "ahead of" } else { "behind" };
    check
        .note(format!("This computer’s is {} seconds {direction} Spotify’s.", seconds.abs()))
        .with_fix("Let the computer set its clock from the network (NTP).")
}

/// Calls the Web API with the app's own token: if the owner's Premium has lapsed, Spotify rejects any request.
async fn probe(spotify: &spotify::Client, token: &Secret) -> Result<(), spotify::Error> {
    let playlist = PlaylistId::parse(PROBE_PLAYLIST).expect("22 letters and digits");
    spotify.playlist(token, &playlist).await.map(drop)
}

fn check_web_api(error: Option<spotify::Error>) -> Finding {
    use spotify::Error::{Forbidden, NotFound, QuotaExceeded, RateLimited};
    let check = Check(
        "Web API",
        "If the app owner’s Premium lapses, Spotify refuses every request with status 403, and visitors read that access to Spotify is paused.",
    );
    match error {
        None | Some(NotFound | Forbidden { premium: false }) => {
            check.good("It answers, and does not complain about Premium.")
        }
        Some(Forbidden { premium: true }) => check
            .bad("Spotify has paused this app: the account that owns it on the dashboard has no Premium.")
            .with_fix("Renew Premium for that account. Spotify says it can take a few hours before requests are accepted again."),
        Some(RateLimited(_) | QuotaExceeded(_)) => Finding {
            rationale: "An app that does not wait has to wait longer.",
            ..check.note("It limits requests at the moment.")
        },
        Some(error) => Finding {
            rationale: "Saved lists are shown with their age; new ones cannot be read.",
            ..check.bad(format!("No usable answer ({error}).")).with_fix(FIX_CONNECTION)
        },
    }
}

fn describe_allowlist(users: Option<i64>) -> Finding {
    let accounts = match users {
        None => String::new(),
        Some(0) => " Nobody has an account here yet.".into(),
        Some(1) => " One person has an account here.".into(),
        Some(users) => format!(" {users} people have an account here."),
    };
    let rationale = "People who are not on the list can still give consent, and are then refused with status 403. They get a page that explains this and names the contact.";
    Check("Who may sign in", rationale)
        .note(format!("In development mode Spotify serves at most five people, and only those on your app’s list.{accounts}"))
        .with_fix("On developer.spotify.com/dashboard, under User Management, add each person’s name and email address, including your own.")
}

fn report_cooldowns(cooldowns: &[(String, Cooldown)]) -> Finding {
    let rationale = "Requests before then would only prolong it, so none are made. Hearts keep working, and saved lists show their age.";
    let check = Check("Waiting times", rationale);
    if cooldowns.is_empty() {
        return check.good("None.");
    }
    let parts = cooldowns.iter().map(|(bucket, Cooldown { until, quota })| {
        let scope = if bucket == ALL_ENDPOINTS { "all requests" } else { bucket };
        let reason = if *quota { "today’s quota is used up" } else { "too many requests at once" };
        format!("{scope} wait until {} ({reason})", format_time(*until))
    });
    let finding = check.note(format!("Spotify limits requests: {}.", parts.collect::<Vec<_>>().join("; ")));
    match cooldowns.iter().any(|(_, cooldown)| cooldown.quota) {
        true => finding.with_fix("Wait. The quota is shared by all the apps of your Spotify developer account."),
        false => finding,
    }
}

fn report_calls(calls: &[(String, i64)]) -> Finding {
    let total: i64 = calls.iter().map(|(_, calls)| calls).sum();
    let parts: Vec<_> = calls.iter().map(|(endpoint, calls)| format!("{endpoint} {calls}")).collect();
    let check = Check("Requests today", "Spotify does not publish its daily quota. These numbers show what used it.");
    match total {
        0 => check.good("None yet."),
        _ => check.good(format!("{total} since midnight UTC: {}.", parts.join(", "))),
    }
}

fn format_time(time: OffsetDateTime) -> String {
    let format = format_description!("[hour]:[minute] UTC on [day padding:none] [month repr:short]");
    time.format(format).expect("a time has an hour, minute, day and month")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::super::finding::Status;
    use super::*;

    #[test]
    fn a_wrong_secret_is_not_an_outage() {
        let rejected = check_credentials(Some(&oauth::Error::Misconfigured("invalid_client".into())), false);
        assert!(rejected.status == Status::Bad && rejected.message.contains("rejects SPOTIFY_CLIENT_ID"));
        for outage in [oauth::Error::TimedOut, oauth::Error::Unavailable("status 503".into())] {
            let finding = check_credentials(Some(&outage), false);
            assert!(finding.status == Status::Bad && !finding.message.contains("reject"), "{}", finding.message);
        }
    }

    #[test]
    fn clocks_may_differ_by_half_a_minute() {
        let now = datetime!(2026-11-21 12:00 UTC);
        assert_eq!(check_clock(now, now - MAX_CLOCK_SKEW).status, Status::Good);
        assert!(check_clock(now, now - Duration::seconds(31)).message.contains("31 seconds ahead of"));
        assert!(check_clock(now, now + Duration::hours(2)).message.contains("7200 seconds behind"));
    }

    #[test]
    fn cooldowns_have_a_reason() {
        let wait = Cooldown { until: datetime!(2026-11-21 19:53 UTC), quota: true };
        let finding = report_cooldowns(&[(ALL_ENDPOINTS.into(), wait)]);
        assert!(
            finding.status == Status::Note && finding.message.contains("all requests wait until 19:53 UTC on 21 Nov")
        );
        assert!(finding.message.contains("quota") && finding.fix.is_some());
    }
}

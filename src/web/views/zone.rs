//! The reader's time zone.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use time::{OffsetDateTime, UtcOffset};

/// With the app's own data: the system's may be missing or old.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

tokio::task_local! {
    /// Zone of the request that the task handles. Task-local instead of an argument, because nearly every view has a
    /// time.
    static ZONE: TimeZone;
}

/// Returns the zone with a name of the IANA database, in the database's spelling.
pub(crate) fn parse(name: &str) -> Option<TimeZone> {
    DATABASE.get(name).ok().filter(|zone| zone.iana_name() == Some(name))
}

/// Runs a request whose times are shown in `zone`; in UTC if it is `None`.
pub(crate) async fn with_zone<F: Future>(zone: Option<TimeZone>, request: F) -> F::Output {
    match zone {
        Some(zone) => ZONE.scope(zone, request).await,
        None => request.await,
    }
}

/// Returns the name of the reader's zone; `None` if it is unknown.
pub(crate) fn name() -> Option<String> {
    ZONE.try_with(|zone| zone.iana_name().map(str::to_owned)).ok().flatten()
}

/// Returns what times of day end with: nothing in the reader's zone.
pub(super) fn suffix() -> &'static str {
    if ZONE.try_with(|_| ()).is_ok() { "" } else { " UTC" }
}

/// Returns the time in the reader's zone, or in UTC.
pub(super) fn to_local(time: OffsetDateTime) -> OffsetDateTime {
    let offset = ZONE.try_with(|zone| {
        let timestamp = Timestamp::from_second(time.unix_timestamp()).ok()?;
        UtcOffset::from_whole_seconds(zone.to_offset(timestamp).seconds()).ok()
    });
    let offset = offset.ok().flatten().unwrap_or(UtcOffset::UTC);
    time.checked_to_offset(offset).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn zones_are_those_of_the_iana_database() {
        for name in ["Europe/Berlin", "America/Argentina/ComodRivadavia", "Asia/Calcutta", "Etc/GMT+12", "UTC"] {
            assert!(parse(name).is_some(), "{name}");
        }
        let long = "Europe/".repeat(1000);
        for name in
            ["", "europe/berlin", "Europe/Berlin ", "Europe/Nowhere", "../etc/passwd", "CET-1CEST", "\u{0}", &long]
        {
            assert!(parse(name).is_none(), "{name:.40}");
        }
    }

    #[tokio::test]
    async fn local_times_follow_summer_time_and_odd_offsets() {
        for (zone, time, local) in [
            (None, datetime!(2026-07-01 23:30 UTC), datetime!(2026-07-01 23:30)),
            (Some("Europe/Berlin"), datetime!(2026-07-01 23:30 UTC), datetime!(2026-07-02 1:30)),
            (Some("Europe/Berlin"), datetime!(2026-12-01 23:30 UTC), datetime!(2026-12-02 0:30)),
            (Some("Europe/Berlin"), datetime!(2050-07-01 23:30 UTC), datetime!(2050-07-02 1:30)),
            (Some("America/St_Johns"), datetime!(2026-01-01 0:00 UTC), datetime!(2025-12-31 20:30)),
            (Some("Pacific/Kiritimati"), datetime!(2026-01-01 12:00 UTC), datetime!(2026-01-02 2:00)),
            (Some("Pacific/Kiritimati"), datetime!(9999-12-31 23:59 UTC), datetime!(9999-12-31 23:59)),
            (Some("Pacific/Niue"), datetime!(0000-01-01 0:00 UTC), datetime!(-0001-12-31 12:40:20)),
        ] {
            let shown = with_zone(zone.and_then(parse), async { to_local(time) }).await;
            assert_eq!((shown.date(), shown.time()), (local.date(), local.time()), "{zone:?}");
        }
    }
}

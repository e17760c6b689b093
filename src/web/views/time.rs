//! Dates and times.

use std::fmt;

use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

use super::zone;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A date in the reader's zone as a `time` element: `<time datetime=2026-11-21T14:02Z>21 Nov 2026</time>`. Needs no
/// HTML escaping. The script reads from the text what to show in another zone (static/js/times.js). Formatted by hand:
/// a page has up to 150, and the `time` crate's format descriptions take seven times as long (benches/README.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateView {
    /// In UTC.
    instant: OffsetDateTime,
    date: Date,
    /// `None` for the date with its year.
    days_ago: Option<i32>,
}

/// Texts of dates less than a week ago, by the number of days.
const RECENT: [&str; 7] = ["today", "yesterday", "2 days ago", "3 days ago", "4 days ago", "5 days ago", "6 days ago"];
/// Days for which a date needs no year.
const DAYS_WITHOUT_YEAR: i32 = 300;

impl From<OffsetDateTime> for DateView {
    fn from(time: OffsetDateTime) -> Self {
        Self { instant: time.to_offset(UtcOffset::UTC), date: zone::to_local(time).date(), days_ago: None }
    }
}

impl DateView {
    /// `<time datetime=2026-11-21T14:02Z>yesterday</time>` or, after a week, `…>21 Nov</time>`
    pub(crate) fn relative_to(self, now: OffsetDateTime) -> Self {
        let days = zone::to_local(now).date().to_julian_day() - self.date.to_julian_day();
        Self { days_ago: (0..DAYS_WITHOUT_YEAR).contains(&days).then_some(days), ..self }
    }

    fn write(self, out: &mut (impl fmt::Write + ?Sized)) -> fmt::Result {
        let digit = |number: usize| b'0' + (number % 10) as u8;
        let two_digits = |number: u8| [usize::from(number) / 10, usize::from(number)].map(digit);
        let parts = |date: Date| {
            let (year, month, day) = date.to_calendar_date();
            let year = year.clamp(0, 9999) as usize;
            ([year / 1000, year / 100, year / 10, year].map(digit), u8::from(month), day)
        };
        // A single write, because each one is a dynamic call to the template's writer.
        let mut text = *b"<time datetime=YYYY-MM-DDThh:mmZ>DD Mon YYYY</time>";
        let (year, month, day) = parts(self.instant.date());
        text[15..19].copy_from_slice(&year);
        text[20..22].copy_from_slice(&two_digits(month));
        text[23..25].copy_from_slice(&two_digits(day));
        text[26..28].copy_from_slice(&two_digits(self.instant.hour()));
        text[29..31].copy_from_slice(&two_digits(self.instant.minute()));
        let (year, month, day) = parts(self.date);
        text[33..35].copy_from_slice(&two_digits(day));
        text[36..39].copy_from_slice(MONTHS[usize::from(month) - 1].as_bytes());
        text[40..44].copy_from_slice(&year);
        let text = std::str::from_utf8(&text).map_err(|_| fmt::Error)?;
        if day >= 10 && self.days_ago.is_none() {
            return out.write_str(text);
        }
        out.write_str(&text[..33])?;
        if let Some(distance) = self.days_ago.and_then(|days| RECENT.get(usize::try_from(days).ok()?)) {
            out.write_str(distance)?;
            return out.write_str(&text[44..]);
        }
        out.write_str(&text[if day >= 10 { 33 } else { 34 }..39])?;
        out.write_str(&text[if self.days_ago.is_none() { 39 } else { 44 }..])
    }
}

impl_display!(DateView);

/// The attribute and text of a `time` element.
#[derive(Clone)]
pub(crate) struct TimeView {
    /// Value of `datetime`.
    pub(crate) iso: String,
    pub(crate) text: String,
}

impl TimeView {
    /// `21 Nov 2026`
    pub(crate) fn date(time: OffsetDateTime) -> Self {
        Self::new(
            time,
            zone::to_local(time).format(format_description!("[day padding:none] [month repr:short] [year]")),
        )
    }

    /// `21 May`
    pub(crate) fn day_and_month(time: OffsetDateTime) -> Self {
        Self::new(time, zone::to_local(time).format(format_description!("[day padding:none] [month repr:short]")))
    }

    /// `14:02 UTC`, or `15:02` in the reader's zone.
    pub(crate) fn time_of_day(time: OffsetDateTime) -> Self {
        Self::new(time, zone::to_local(time).format(format_description!("[hour]:[minute]"))).with_zone()
    }

    /// The time of day, and the date unless it is today.
    pub(crate) fn recent(time: OffsetDateTime, now: OffsetDateTime) -> Self {
        let is_today = zone::to_local(time).date() == zone::to_local(now).date();
        if is_today { Self::time_of_day(time) } else { Self::date_and_time(time) }
    }

    /// `22 Nov 2026, 14:02 UTC`, or `22 Nov 2026, 15:02` in the reader's zone.
    pub(crate) fn date_and_time(time: OffsetDateTime) -> Self {
        let format = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]");
        Self::new(time, zone::to_local(time).format(format)).with_zone()
    }

    fn new(time: OffsetDateTime, text: Result<String, time::error::Format>) -> Self {
        Self { iso: rfc3339(time), text: text.expect("formatting a date and time cannot fail") }
    }

    fn with_zone(mut self) -> Self {
        self.text.push_str(zone::suffix());
        self
    }
}

/// `2026-11-21T14:02:00Z`
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    let iso = time.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"));
    iso.expect("formatting a date and time cannot fail")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn date_view_is_an_instant_with_a_date() {
        for (time, instant, text) in [
            (datetime!(2026-11-21 23:59 UTC), "2026-11-21T23:59Z", "21 Nov 2026"),
            (datetime!(2026-02-03 0:00 UTC), "2026-02-03T00:00Z", "3 Feb 2026"),
            (datetime!(2025-12-31 23:05 -2), "2026-01-01T01:05Z", "1 Jan 2026"),
        ] {
            let html = format!("<time datetime={instant}>{text}</time>");
            assert_eq!(DateView::from(time).to_string(), html);
        }
    }

    #[test]
    fn recent_dates_are_relative_and_older_ones_have_a_year() {
        for (time, text) in [
            (datetime!(2026-11-20 23:29 UTC), "today"),
            (datetime!(2026-11-19 0:00 UTC), "yesterday"),
            (datetime!(2026-11-14 0:00 UTC), "6 days ago"),
            (datetime!(2026-11-13 0:00 UTC), "13 Nov"),
            (datetime!(2026-02-03 0:00 UTC), "3 Feb"),
            (datetime!(2025-11-21 0:00 UTC), "21 Nov 2025"),
            (datetime!(2026-12-01 0:00 UTC), "1 Dec 2026"),
        ] {
            let html = DateView::from(time).relative_to(datetime!(2026-11-21 0:30 +1)).to_string();
            assert!(html.ends_with(&format!("Z>{text}</time>")), "{html}");
        }
    }

    #[tokio::test]
    async fn dates_and_times_are_those_of_the_readers_zone() {
        let (time, now) = (datetime!(2026-11-20 23:30 UTC), datetime!(2026-11-21 22:59 UTC));
        let render = async {
            let iso = "2026-11-20T23:30:00Z";
            let views = [TimeView::recent(time, now), TimeView::date_and_time(time), TimeView::date(time)];
            assert!(views.iter().all(|view| view.iso == iso));
            let dates = [DateView::from(time), DateView::from(time).relative_to(now)].map(|date| date.to_string());
            dates.into_iter().chain(views.map(|view| view.text)).collect::<Vec<_>>()
        };
        let local = zone::with_zone(zone::parse("Europe/Berlin"), render).await;
        let html = |text: &str| format!("<time datetime=2026-11-20T23:30Z>{text}</time>");
        assert_eq!(local, [&html("21 Nov 2026"), &html("today"), "00:30", "21 Nov 2026, 00:30", "21 Nov 2026"]);
    }
}

//! Dates and times.

use std::fmt;

use askama::{FastWritable, Values};
use time::macros::format_description;
use time::{Date, OffsetDateTime};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A date in UTC as a `time` element: `<time datetime="2026-11-21">21 Nov 2026</time>`. Needs no HTML escaping.
/// Formatted by hand: a page has up to 150, and the `time` crate's format descriptions take seven times as long
/// (benches/README.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateView {
    date: Date,
    /// `None` for the date with its year.
    days_ago: Option<i32>,
}

/// Dates up to a week ago are told by their distance, in UTC.
const RECENT: [&str; 7] = ["today", "yesterday", "2 days ago", "3 days ago", "4 days ago", "5 days ago", "6 days ago"];
/// Days for which a date needs no year.
const DAYS_WITHOUT_YEAR: i32 = 300;

impl From<OffsetDateTime> for DateView {
    fn from(time: OffsetDateTime) -> Self {
        Self { date: time.to_offset(time::UtcOffset::UTC).date(), days_ago: None }
    }
}

impl DateView {
    /// `<time datetime="2026-11-21">yesterday</time>` or, after a week, `<time datetime="2026-11-21">21 Nov</time>`
    pub(crate) fn relative_to(self, now: OffsetDateTime) -> Self {
        let days = now.to_offset(time::UtcOffset::UTC).date().to_julian_day() - self.date.to_julian_day();
        Self { days_ago: (0..DAYS_WITHOUT_YEAR).contains(&days).then_some(days), ..self }
    }

    fn write(self, out: &mut (impl fmt::Write + ?Sized)) -> fmt::Result {
        let (year, month, day) = self.date.to_calendar_date();
        let (year, month) = (year.clamp(0, 9999) as usize, u8::from(month));
        let digit = |number: usize| b'0' + (number % 10) as u8;
        let year_digits = [year / 1000, year / 100, year / 10, year].map(digit);
        let two_digits = |number: u8| [usize::from(number) / 10, usize::from(number)].map(digit);
        // A single write, because each one is a dynamic call to the template's writer.
        let mut text = *b"<time datetime=\"YYYY-MM-DD\">DD Mon YYYY</time>";
        text[16..20].copy_from_slice(&year_digits);
        text[21..23].copy_from_slice(&two_digits(month));
        text[24..26].copy_from_slice(&two_digits(day));
        text[28..30].copy_from_slice(&two_digits(day));
        text[31..34].copy_from_slice(MONTHS[usize::from(month) - 1].as_bytes());
        text[35..39].copy_from_slice(&year_digits);
        let text = std::str::from_utf8(&text).map_err(|_| fmt::Error)?;
        if day >= 10 && self.days_ago.is_none() {
            return out.write_str(text);
        }
        if let Some(distance) = self.days_ago.and_then(|days| RECENT.get(usize::try_from(days).ok()?)) {
            out.write_str(&text[..28])?;
            out.write_str(distance)?;
            return out.write_str(&text[39..]);
        }
        let day_start = if day >= 10 { 28 } else { 29 };
        out.write_str(&text[..28])?;
        out.write_str(&text[day_start..34])?;
        out.write_str(&text[if self.days_ago.is_none() { 34 } else { 39 }..])
    }
}

impl fmt::Display for DateView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl FastWritable for DateView {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn Values) -> askama::Result<()> {
        Ok(self.write(dest)?)
    }
}

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
        Self::from_date(time, time.format(format_description!("[day padding:none] [month repr:short] [year]")))
    }

    /// `21 May`
    pub(crate) fn day_and_month(time: OffsetDateTime) -> Self {
        Self::from_date(time, time.format(format_description!("[day padding:none] [month repr:long]")))
    }

    /// `14:02 UTC`
    pub(crate) fn time_of_day(time: OffsetDateTime) -> Self {
        Self::new(rfc3339(time), time.format(format_description!("[hour]:[minute] UTC")))
    }

    /// The time of day, and the date unless it is today.
    pub(crate) fn recent(time: OffsetDateTime, now: OffsetDateTime) -> Self {
        if time.date() == now.date() { Self::time_of_day(time) } else { Self::date_and_time(time) }
    }

    /// `22 Nov 2026, 14:02 UTC`
    pub(crate) fn date_and_time(time: OffsetDateTime) -> Self {
        let format = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
        Self::new(rfc3339(time), time.format(format))
    }

    fn from_date(time: OffsetDateTime, text: Result<String, time::error::Format>) -> Self {
        Self::new(time.date().to_string(), text)
    }

    fn new(iso: String, text: Result<String, time::error::Format>) -> Self {
        Self { iso, text: text.expect("formatting a date and time cannot fail") }
    }
}

/// `2026-11-21T14:02:00Z`
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    let iso = time.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"));
    iso.expect("formatting a date and time cannot fail")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::DateView;

    #[test]
    fn date_view_is_a_time_element_in_utc() {
        let html = |time| DateView::from(time).to_string();
        let day = html(datetime!(2026-11-21 23:59 UTC));
        assert_eq!(day, "<time datetime=\"2026-11-21\">21 Nov 2026</time>");
        assert_eq!(html(datetime!(2026-02-03 0:00 UTC)), "<time datetime=\"2026-02-03\">3 Feb 2026</time>");
        assert_eq!(html(datetime!(2025-12-31 23:00 -2)), "<time datetime=\"2026-01-01\">1 Jan 2026</time>");
    }

    #[test]
    fn recent_dates_are_relative_and_older_ones_have_a_year() {
        let relative = |time| DateView::from(time).relative_to(datetime!(2026-11-21 0:30 +1)).to_string();
        for (time, date, text) in [
            (datetime!(2026-11-20 23:29 UTC), "2026-11-20", "today"),
            (datetime!(2026-11-19 0:00 UTC), "2026-11-19", "yesterday"),
            (datetime!(2026-11-14 0:00 UTC), "2026-11-14", "6 days ago"),
            (datetime!(2026-11-13 0:00 UTC), "2026-11-13", "13 Nov"),
            (datetime!(2026-02-03 0:00 UTC), "2026-02-03", "3 Feb"),
            (datetime!(2025-11-21 0:00 UTC), "2025-11-21", "21 Nov 2025"),
            (datetime!(2026-12-01 0:00 UTC), "2026-12-01", "1 Dec 2026"),
        ] {
            assert_eq!(relative(time), format!("<time datetime=\"{date}\">{text}</time>"));
        }
    }
}

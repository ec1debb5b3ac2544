//! Moments of the calendar: when a key's window opens and closes. Whole seconds, always UTC.

use core::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use toml::value::{Datetime, Offset};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A moment: seconds since 1970-01-01T00:00:00Z, without leap seconds, as the system's clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc(pub i64);

impl Utc {
    /// What the system's clock says. It may be wrong, and it may be set back.
    #[expect(
        clippy::disallowed_methods,
        reason = "two operators can only agree on a date; nothing is timed by it"
    )]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// The moment that `datetime` names, as TOML has dates. `None` without a date, a time or an offset from UTC.
    pub fn of_datetime(datetime: &Datetime) -> Option<Self> {
        let (date, time) = (datetime.date?, datetime.time?);
        let minutes = match datetime.offset? {
            Offset::Z => 0,
            Offset::Custom { minutes } => i64::from(minutes),
        };
        let days = days_from_civil(date.year.into(), date.month.into(), date.day.into());
        let hours = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60;
        let seconds = i64::from(time.second.unwrap_or(0));
        Some(Self(days * DAY + hours + seconds - minutes * 60))
    }
}

impl From<SystemTime> for Utc {
    fn from(time: SystemTime) -> Self {
        let seconds =
            |span: core::time::Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => seconds(after),
            Err(before) => -seconds(before.duration()),
        })
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY));
        let second = self.0.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. Years are counted from March on, so that
/// the leap day is a year's last.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The other way round: year, month, day.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Utc> {
        Utc::of_datetime(&text.parse().unwrap())
    }

    /// Figures from `date -u -d TEXT +%s`.
    #[test]
    fn moments_are_those_of_the_calendar() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2024-12-31T12:00:00Z", 1_735_646_400),
            ("2026-11-01T06:30:00+02:00", 1_793_507_400),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(read(text), Some(Utc(seconds)), "{text}");
        }
        assert_eq!(Utc(951_868_799).to_string(), "2000-02-29T23:59:59Z");
        assert_eq!(Utc(-1).to_string(), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn every_day_there_and_back() {
        for day in -200_000..200_000 {
            let (year, month, date) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, date), day);
        }
        let _ = Utc(i64::MAX).to_string();
        let _ = Utc(i64::MIN).to_string();
    }

    #[test]
    fn a_time_of_no_known_zone_is_none() {
        for text in ["2026-11-01T06:30:00", "2026-11-01", "06:30:00"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_systems_clock_is_counted_from_1970() {
        let later = UNIX_EPOCH + core::time::Duration::from_millis(1500);
        let before = UNIX_EPOCH - core::time::Duration::from_secs(5);
        assert_eq!(Utc::from(later), Utc(1));
        assert_eq!(Utc::from(before), Utc(-5));
    }
}

//! Freeze windows: hours of the week in which nothing lands in a wave.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::timestamp::Timestamp;

const MINUTES_A_DAY: u32 = 24 * 60;
const MINUTES_A_WEEK: u32 = 7 * MINUTES_A_DAY;

/// A weekly window such as `Fri 16:00 - Mon 08:00 Europe/Berlin`, from its start up to but not including its end.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FreezeWindow {
    from: u32,
    until: u32,
    zone: String,
}

/// Says why a text is not a freeze window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a freeze window: {why}; expected something like `Fri 16:00 - Mon 08:00 Europe/Berlin`"
)]
pub struct InvalidFreezeWindow {
    text: String,
    why: &'static str,
}

impl FreezeWindow {
    /// Returns the first instant after `now` at which the window is over, `None` where `now` is outside of it.
    ///
    /// Local clocks that skip or repeat an hour shorten or lengthen the window with them; its end is found to the
    /// minute.
    pub fn ends_after(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let inside = |at: Timestamp| self.contains(minute_of_week(at, &zone));
        if !inside(now) {
            return None;
        }
        let minutes_left = (self.until + MINUTES_A_WEEK - minute_of_week(now, &zone)) % MINUTES_A_WEEK;
        // A clock change moves the end by its size at most: look around the naive end, minute by minute.
        let minute = |offset: i64| {
            let start = now.as_millis().div_euclid(60_000);
            Timestamp::from_millis((start + i64::from(minutes_left) + offset) * 60_000)
        };
        (-180..=180).map(minute).find(|at| *at > now && !inside(*at))
    }

    fn contains(&self, minute: u32) -> bool {
        if self.from <= self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }
}

fn minute_of_week(at: Timestamp, zone: &TimeZone) -> u32 {
    let Ok(instant) = jiff::Timestamp::from_millisecond(at.as_millis()) else { return 0 };
    let local = zone.to_datetime(instant);
    let field = |value: i8| u32::try_from(value).unwrap_or(0);
    field(local.weekday().to_monday_zero_offset()) * MINUTES_A_DAY
        + field(local.hour()) * 60
        + field(local.minute())
}

impl FromStr for FreezeWindow {
    type Err = InvalidFreezeWindow;

    fn from_str(text: &str) -> Result<Self, InvalidFreezeWindow> {
        let refuse = |why| InvalidFreezeWindow { text: crate::name::excerpt(text), why };
        let (start, rest) =
            text.split_once(" - ").ok_or_else(|| refuse("there is no ` - ` between start and end"))?;
        let (end, zone) = rest.trim().rsplit_once(' ').ok_or_else(|| refuse("the time zone is missing"))?;
        let from = parse_minute(start).ok_or_else(|| refuse("the start is no weekday and time"))?;
        let until = parse_minute(end).ok_or_else(|| refuse("the end is no weekday and time"))?;
        if from == until {
            return Err(refuse("it starts when it ends"));
        }
        TimeZone::get(zone).map_err(|_| refuse("the time zone is not in the IANA database"))?;
        Ok(Self { from, until, zone: zone.to_owned() })
    }
}

fn parse_minute(text: &str) -> Option<u32> {
    let (day, time) = text.trim().split_once(' ')?;
    let (hour, minute) = time.trim().split_once(':')?;
    let day = DAYS.iter().position(|name| name.eq_ignore_ascii_case(day))?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(u32::try_from(day).ok()? * MINUTES_A_DAY + hour * 60 + minute)
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl fmt::Display for FreezeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |minute: u32| {
            let day = DAYS[usize::try_from(minute / MINUTES_A_DAY).unwrap_or(0) % 7];
            format!("{day} {:02}:{:02}", minute % MINUTES_A_DAY / 60, minute % 60)
        };
        write!(f, "{} - {} {}", show(self.from), show(self.until), self.zone)
    }
}

impl fmt::Debug for FreezeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Keeps `Weekday`'s numbering and ours the same.
const _: () = assert!(Weekday::Sunday.to_monday_zero_offset() == 6);

#[cfg(test)]
mod tests {
    use super::*;

    fn end(window: &str, now: &str) -> Option<String> {
        let window: FreezeWindow = window.parse().unwrap();
        window.ends_after(now.parse().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn a_window_over_the_weekend_ends_on_monday_in_its_own_zone() {
        const WEEKEND: &str = "Fri 16:00 - Mon 08:00 Europe/Berlin";
        // Saturday; Berlin is at +01:00 in January.
        assert_eq!(end(WEEKEND, "2026-01-10T12:00:00Z").unwrap(), "2026-01-12T07:00:00Z");
        assert_eq!(end(WEEKEND, "2026-01-09T14:59:00Z"), None);
        assert_eq!(end(WEEKEND, "2026-01-09T15:00:30Z").unwrap(), "2026-01-12T07:00:00Z");
        assert_eq!(end(WEEKEND, "2026-01-12T07:00:00Z"), None);
    }

    #[test]
    fn a_clock_change_inside_the_window_moves_its_end() {
        // Berlin goes to +02:00 in the night to 2026-03-29.
        assert_eq!(
            end("Sat 12:00 - Mon 08:00 Europe/Berlin", "2026-03-28T12:00:00Z").unwrap(),
            "2026-03-30T06:00:00Z"
        );
    }

    #[test]
    fn a_clock_that_is_put_back_inside_the_window_moves_its_end_too() {
        // Berlin goes back to +01:00 in the night to 2026-10-25.
        assert_eq!(
            end("Sat 12:00 - Mon 08:00 Europe/Berlin", "2026-10-24T12:00:00Z").unwrap(),
            "2026-10-26T07:00:00Z"
        );
    }

    #[test]
    fn a_window_within_a_week_holds_from_its_start_up_to_its_end() {
        const TUESDAY_TO_THURSDAY: &str = "Tue 09:30 - Thu 17:45 UTC";
        for now in ["2026-01-06T09:30:00Z", "2026-01-08T17:44:59Z"] {
            assert_eq!(end(TUESDAY_TO_THURSDAY, now).unwrap(), "2026-01-08T17:45:00Z", "{now}");
        }
        for now in ["2026-01-04T12:00:00Z", "2026-01-06T09:29:59Z", "2026-01-08T17:45:00Z"] {
            assert_eq!(end(TUESDAY_TO_THURSDAY, now), None, "{now}");
        }
    }

    #[test]
    fn a_short_window_ends_after_now_and_not_before_it_began() {
        assert_eq!(end("Tue 09:30 - Tue 10:00 UTC", "2026-01-06T09:45:00Z").unwrap(), "2026-01-06T10:00:00Z");
    }

    #[test]
    fn a_window_is_shown_as_it_was_written() {
        for text in
            ["Fri 16:00 - Mon 08:00 Europe/Berlin", "Sun 23:59 - Mon 00:00 UTC", "Wed 09:05 - Wed 09:50 UTC"]
        {
            let window: FreezeWindow = text.parse().unwrap();
            assert_eq!((window.to_string(), format!("{window:?}")), (text.to_owned(), text.to_owned()));
        }
    }

    #[test]
    fn texts_that_are_no_windows_say_why() {
        for (text, why) in [
            ("Fri 16:00", "between"),
            ("Fri 16:00 - Mon 08:00", "the end is no weekday"),
            ("Fri 16:00 - Mon 08:00 Mars/Base", "IANA"),
            ("Fry 16:00 - Mon 08:00 UTC", "start"),
            ("Fri 16:00 - Mon 24:00 UTC", "end is"),
            ("Fri 16:60 - Mon 08:00 UTC", "start is"),
            ("Fri 16:00 - Fri 16:00 UTC", "starts when"),
        ] {
            let error = text.parse::<FreezeWindow>().map(|w| w.to_string()).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

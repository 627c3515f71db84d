//! How often people are told: repeats, storms, digests.

use super::findings::Findings;
use super::mute::time_zone;
use super::range;
use super::written;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, ToSpan};

/// When more than so many different alerts come within the window, a receiver gets one summary of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storm {
    /// The most different alerts that are told one by one.
    pub more_than: u32,
    /// How far back is counted.
    pub window: SignedDuration,
}

/// When the digest is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    every: Every,
    at: Time,
    zone: TimeZone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    /// Whole days, counted from a Monday: `7d` is every Monday.
    Days(i32),
    /// Hours that divide a day.
    Hours(i32),
}

/// A Monday.
const FIRST_DAY: Date = jiff::civil::date(1970, 1, 5);

const DAY: i64 = 24 * 60 * 60;

impl Digest {
    /// The first digest after a moment. Where the clocks skip its time, it comes as much later; where they repeat it,
    /// it comes the first time.
    pub fn next(&self, after: Timestamp) -> Timestamp {
        let today = self.zone.to_datetime(after).date();
        // A day's hours may reach into the next one.
        let widest = match self.every {
            Every::Days(every) => i64::from(every) + 1,
            Every::Hours(_) => 1,
        };
        let days = (-1..=widest).filter_map(|days| today.checked_add(days.days()).ok());
        let due = days
            .flat_map(|date| self.of_day(date))
            .filter(|due| *due > after);
        due.min().unwrap_or(Timestamp::MAX)
    }

    /// The digests of a day.
    fn of_day(&self, date: Date) -> Vec<Timestamp> {
        let (is_due, hours) = match self.every {
            Every::Days(every) => {
                let days = FIRST_DAY.until(date).map_or(0, |span| span.get_days());
                (days.rem_euclid(every) == 0, 24)
            }
            Every::Hours(hours) => (true, hours),
        };
        if !is_due {
            return Vec::new();
        }
        let first = date.to_datetime(self.at);
        let times =
            (0..24 / hours).filter_map(|index| first.checked_add((index * hours).hours()).ok());
        times
            .filter_map(|time| self.zone.to_ambiguous_timestamp(time).compatible().ok())
            .collect()
    }
}

/// A duration such as `4h`, `90m`, `1d`; a day has 24 hours.
pub(super) fn duration(
    text: &str,
    least: SignedDuration,
    most: SignedDuration,
) -> Result<SignedDuration, String> {
    let read = text.trim().parse::<Span>().ok();
    let read = read.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let Some(duration) = read else {
        return Err(format!(
            "expected a duration such as 4h or 90m, got {text:?}"
        ));
    };
    if duration < least || duration > most {
        return Err(format!("expected {least:#} to {most:#}, got {text}"));
    }
    Ok(duration)
}

pub(super) fn storm(storm: &written::Storm, findings: &mut Findings) -> Storm {
    let more_than = storm.more_than.unwrap_or(10);
    if more_than == 0 {
        findings.problem(
            "storm.more_than",
            "expected 1 or more: none would make a summary of every alert",
        );
    }
    let window = storm.window.as_deref().unwrap_or("5m");
    let window = duration(
        window,
        SignedDuration::from_secs(1),
        SignedDuration::from_secs(DAY),
    );
    Storm {
        more_than,
        window: findings.value("storm.window", window).unwrap_or_default(),
    }
}

pub(super) fn digest(digest: &written::Digest, findings: &mut Findings) -> Digest {
    let every = every(digest.every.as_deref().unwrap_or("1d"));
    let at = time(digest.at.as_deref().unwrap_or("09:00"));
    let zone = time_zone(digest.time_zone.as_deref().unwrap_or("UTC"));
    Digest {
        every: findings
            .value("digest.every", every)
            .unwrap_or(Every::Days(1)),
        at: findings.value("digest.at", at).unwrap_or(Time::midnight()),
        zone: findings
            .value("digest.time_zone", zone)
            .unwrap_or(TimeZone::UTC),
    }
}

fn every(text: &str) -> Result<Every, String> {
    let most = SignedDuration::from_secs(31 * DAY);
    let seconds = duration(text, SignedDuration::from_hours(1), most)?.as_secs();
    let whole = |unit: i64| {
        i32::try_from(seconds / unit)
            .ok()
            .filter(|_| seconds % unit == 0)
    };
    match (whole(DAY), whole(60 * 60)) {
        (Some(days), _) => Ok(Every::Days(days)),
        (None, Some(hours)) if hours < 24 && 24 % hours == 0 => Ok(Every::Hours(hours)),
        _ => Err(format!(
            "expected whole days, or 1h, 2h, 3h, 4h, 6h, 8h or 12h, got {text}"
        )),
    }
}

fn time(text: &str) -> Result<Time, String> {
    let minutes = range::minutes(text)?;
    let hour = i8::try_from(minutes / 60).ok();
    let minute = i8::try_from(minutes % 60).ok();
    hour.zip(minute)
        .and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok())
        .ok_or_else(|| "a digest at 24:00 is one at 00:00".to_owned())
}

//! Time intervals in which routes are mute or active, by the clock on the wall of a time zone.

use super::findings::Findings;
use super::range::{self, Range};
use super::written;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// A time interval by its name.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeInterval {
    /// The name that routes use.
    pub name: String,
    windows: Vec<Window>,
}

/// What a moment has to be. An empty list takes every moment.
#[derive(Debug, Clone, PartialEq)]
struct Window {
    /// Minutes of the day, the last one not included.
    times: Vec<Range>,
    weekdays: Vec<Range>,
    days_of_month: Vec<Range>,
    months: Vec<Range>,
    years: Vec<Range>,
    zone: TimeZone,
}

impl TimeInterval {
    /// Whether a moment is in one of the windows.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.windows.iter().any(|window| window.contains(at))
    }
}

impl Window {
    /// The wall clock decides: an hour that a change of clocks repeats counts twice, one that it skips never comes.
    fn contains(&self, at: Timestamp) -> bool {
        let wall: DateTime = self.zone.to_datetime(at);
        let minute = i16::from(wall.hour()) * 60 + i16::from(wall.minute());
        let any = |ranges: &[Range], value: i16| {
            ranges.is_empty() || ranges.iter().any(|range| range.holds(value))
        };
        any(&self.times, minute)
            && any(
                &self.weekdays,
                i16::from(wall.date().weekday().to_sunday_zero_offset()),
            )
            && any(&self.months, i16::from(wall.month()))
            && any(&self.years, wall.year())
            && (self.days_of_month.is_empty()
                || self.days_of_month.iter().any(|days| {
                    days.in_month(i16::from(wall.date().days_in_month()))
                        .holds(i16::from(wall.day()))
                }))
    }
}

pub(super) fn resolve(
    intervals: &[written::TimeInterval],
    findings: &mut Findings,
) -> Vec<TimeInterval> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for (index, interval) in intervals.iter().enumerate() {
        let place = format!("time_intervals[{index}]");
        if interval.name.trim().is_empty() {
            findings.problem(&format!("{place}.name"), "a name is missing");
        } else if !names.insert(&interval.name) {
            findings.problem(
                &format!("{place}.name"),
                format_args!("a second time interval {:?}", interval.name),
            );
        }
        if interval.time_intervals.is_empty() {
            findings.problem(
                &format!("{place}.time_intervals"),
                "name at least one window",
            );
        }
        let windows = interval.time_intervals.iter().enumerate();
        let windows = windows.filter_map(|(index, window)| {
            resolve_window(
                window,
                &format!("{place}.time_intervals[{index}]"),
                findings,
            )
        });
        all.push(TimeInterval {
            name: interval.name.clone(),
            windows: windows.collect(),
        });
    }
    all
}

fn resolve_window(
    window: &written::Window,
    place: &str,
    findings: &mut Findings,
) -> Option<Window> {
    let before = findings.problems.len();
    let lists = [
        &window.weekdays,
        &window.days_of_month,
        &window.months,
        &window.years,
    ];
    if window.times.is_empty() && lists.iter().all(|list| list.is_empty()) {
        findings.problem(place, "names no time: it would always be on");
    }
    let mut times = Vec::new();
    for (index, range) in window.times.iter().enumerate() {
        let read = range::times(&range.start_time, &range.end_time);
        times.extend(findings.value(&format!("{place}.times[{index}]"), read));
    }
    let mut ranges = |key: &str, texts: &[String], read: fn(&str) -> Result<Range, String>| {
        let mut ranges = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            ranges.extend(findings.value(&format!("{place}.{key}[{index}]"), read(text)));
        }
        ranges
    };
    let weekdays = ranges("weekdays", &window.weekdays, range::weekdays);
    let days_of_month = ranges("days_of_month", &window.days_of_month, range::days_of_month);
    let months = ranges("months", &window.months, range::months);
    let years = ranges("years", &window.years, range::years);
    let zone = match &window.location {
        Some(name) => findings.value(&format!("{place}.location"), time_zone(name))?,
        None => TimeZone::UTC,
    };
    (findings.problems.len() == before).then_some(Window {
        times,
        weekdays,
        days_of_month,
        months,
        years,
        zone,
    })
}

/// A time zone by its IANA name.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        format!(
            "there is no time zone {name:?}; expected an IANA name such as Europe/Berlin or UTC"
        )
    })
}

//! Time intervals and digests around changes of the clocks.

use super::super::TimeInterval;
use super::{at, resolved};
use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use rstest::rstest;

/// The interval of one window.
fn interval(window: &str) -> TimeInterval {
    let yaml = format!(
        "time_intervals: [{{ name: i, time_intervals: [{window}] }}]\n\
         route: {{ receiver: [slack, pagerduty, teams, webhook], routes: [{{ mute_time_intervals: [i] }}] }}"
    );
    resolved(&yaml).unwrap().time_intervals.remove(0)
}

#[rstest]
// Europe/Berlin, 29 March 2026: 02:00 CET is 03:00 CEST.
#[case(
    "{ times: [{ start_time: 02:00, end_time: 03:00 }], location: Europe/Berlin }",
    "2026-03-29T00:59:59Z",
    false
)]
#[case(
    "{ times: [{ start_time: 02:00, end_time: 03:00 }], location: Europe/Berlin }",
    "2026-03-29T01:00:00Z",
    false
)]
#[case(
    "{ times: [{ start_time: 01:30, end_time: 03:30 }], location: Europe/Berlin }",
    "2026-03-29T00:29:59Z",
    false
)]
#[case(
    "{ times: [{ start_time: 01:30, end_time: 03:30 }], location: Europe/Berlin }",
    "2026-03-29T00:30:00Z",
    true
)]
#[case(
    "{ times: [{ start_time: 01:30, end_time: 03:30 }], location: Europe/Berlin }",
    "2026-03-29T01:29:59Z",
    true
)]
#[case(
    "{ times: [{ start_time: 01:30, end_time: 03:30 }], location: Europe/Berlin }",
    "2026-03-29T01:30:00Z",
    false
)]
// 25 October 2026: 03:00 CEST is 02:00 CET, and 02:30 comes twice.
#[case(
    "{ times: [{ start_time: 02:00, end_time: 03:00 }], location: Europe/Berlin }",
    "2026-10-25T00:00:00Z",
    true
)]
#[case(
    "{ times: [{ start_time: 02:00, end_time: 03:00 }], location: Europe/Berlin }",
    "2026-10-25T01:59:59Z",
    true
)]
#[case(
    "{ times: [{ start_time: 02:00, end_time: 03:00 }], location: Europe/Berlin }",
    "2026-10-25T02:00:00Z",
    false
)]
// America/New_York, 8 March and 1 November 2026.
#[case(
    "{ times: [{ start_time: 02:00, end_time: 03:00 }], location: America/New_York }",
    "2026-03-08T07:00:00Z",
    false
)]
#[case(
    "{ times: [{ start_time: 03:00, end_time: 04:00 }], location: America/New_York }",
    "2026-03-08T07:00:00Z",
    true
)]
#[case(
    "{ times: [{ start_time: 01:00, end_time: 02:00 }], location: America/New_York }",
    "2026-11-01T05:00:00Z",
    true
)]
#[case(
    "{ times: [{ start_time: 01:00, end_time: 02:00 }], location: America/New_York }",
    "2026-11-01T06:59:59Z",
    true
)]
#[case(
    "{ times: [{ start_time: 01:00, end_time: 02:00 }], location: America/New_York }",
    "2026-11-01T07:00:00Z",
    false
)]
// The day is that of the place.
#[case(
    "{ weekdays: [saturday, sunday], location: America/New_York }",
    "2026-11-21T04:59:59Z",
    false
)]
#[case(
    "{ weekdays: [saturday, sunday], location: America/New_York }",
    "2026-11-21T05:00:00Z",
    true
)]
#[case("{ weekdays: ['monday:friday'] }", "2026-11-20T23:59:59Z", true)]
#[case("{ weekdays: ['monday:friday'] }", "2026-11-21T00:00:00Z", false)]
#[case(
    "{ days_of_month: [-1], months: [february], years: [2028] }",
    "2028-02-29T12:00:00Z",
    true
)]
#[case(
    "{ days_of_month: [-1], months: [february], years: [2028] }",
    "2028-02-28T12:00:00Z",
    false
)]
#[case(
    "{ days_of_month: ['24:26'], months: [12] }",
    "2026-12-26T23:59:59Z",
    true
)]
#[case("{ days_of_month: ['31'] }", "2026-11-30T12:00:00Z", false)]
#[case(
    "{ times: [{ start_time: 22:00, end_time: 24:00 }] }",
    "2026-11-30T23:59:59.999Z",
    true
)]
fn a_window_is_on_by_the_clock_on_the_wall(
    #[case] window: &str,
    #[case] moment: &str,
    #[case] expected: bool,
) {
    assert_eq!(interval(window).contains(at(moment)), expected);
}

/// Hours from UTC, out of the law and not out of a database: Directive 2000/84/EC, and 15 U.S.C. 260a since 2007.
fn offset(zone: &str, moment: Timestamp) -> i64 {
    let year = moment.to_zoned(jiff::tz::TimeZone::UTC).year();
    let utc = |when: DateTime| when.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let sunday = |month: i8, nth: i8| {
        date(year, month, 1)
            .nth_weekday_of_month(nth, jiff::civil::Weekday::Sunday)
            .unwrap()
    };
    let (winter, begins, ends) = match zone {
        "Europe/Berlin" => (
            1,
            utc(sunday(3, -1).at(1, 0, 0, 0)),
            utc(sunday(10, -1).at(1, 0, 0, 0)),
        ),
        _ => (
            -5,
            utc(sunday(3, 2).at(7, 0, 0, 0)),
            utc(sunday(11, 1).at(6, 0, 0, 0)),
        ),
    };
    if (begins..ends).contains(&moment) {
        winter + 1
    } else {
        winter
    }
}

fn wall(zone: &str, moment: Timestamp) -> DateTime {
    let shifted = moment + SignedDuration::from_hours(offset(zone, moment));
    jiff::tz::TimeZone::UTC.to_datetime(shifted)
}

/// Moments of 2008 to 2036, half of them within a day of a change of the clocks.
fn moments() -> impl Strategy<Value = Timestamp> {
    let anywhere = 1_199_145_600..2_082_758_400_i64;
    let changes = (
        2008..2037_i16,
        prop::sample::select(&[(3, -1), (10, -1), (3, 2), (11, 1)][..]),
        -86_400..172_800_i64,
    );
    let near = changes.prop_map(|(year, (month, nth), seconds)| {
        let sunday = date(year, month, 1)
            .nth_weekday_of_month(nth, jiff::civil::Weekday::Sunday)
            .unwrap();
        sunday
            .to_zoned(jiff::tz::TimeZone::UTC)
            .unwrap()
            .timestamp()
            .as_second()
            + seconds
    });
    prop_oneof![anywhere, near].prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["Europe/Berlin", "America/New_York"][..])
}

fn clock(minute: i16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

proptest! {
    #[test]
    fn windows_follow_the_law(zone in zones(), moment in moments(), start in 0..1440_i16, length in 1..1440_i16) {
        let end = (start + length).min(1440);
        let window = format!(
            "{{ times: [{{ start_time: '{}', end_time: '{}' }}], weekdays: ['sunday:monday'], location: {zone} }}",
            clock(start), clock(end)
        );
        let wall = wall(zone, moment);
        let minute = i16::from(wall.hour()) * 60 + i16::from(wall.minute());
        let day = wall.weekday().to_sunday_zero_offset();
        prop_assert_eq!(interval(&window).contains(moment), (start..end).contains(&minute) && day < 2);
    }

    #[test]
    fn a_daily_digest_comes_once_a_day(zone in zones(), moment in moments(), minute in 0..1440_i16) {
        let yaml = format!("digest: {{ at: '{}', time_zone: {zone} }}", clock(minute));
        let digest = resolved(&yaml).unwrap().digest;
        let next = digest.next(moment);
        prop_assert!(next > moment);
        let days = wall(zone, digest.next(next)).date() - wall(zone, next).date();
        prop_assert_eq!(days.get_days(), 1);
        // At its time, or as much later as the clocks skip.
        let due = wall(zone, next);
        let at = i16::from(due.hour()) * 60 + i16::from(due.minute());
        let skips = offset(zone, next) > offset(zone, next - 2.hours());
        prop_assert!(at == minute || (skips && at == minute + 60), "{} for {}", due, clock(minute));
        // None is left out in between.
        prop_assert!(moment.duration_until(next) <= SignedDuration::from_hours(25));
    }
}

#[rstest]
#[case(
    "{ every: 1d, at: 09:00, time_zone: Europe/Berlin }",
    "2026-03-28T08:00:00Z",
    "2026-03-29T07:00:00Z"
)]
#[case::the_moment_itself_is_over("{}", "2026-03-28T09:00:00Z", "2026-03-29T09:00:00Z")]
#[case::skipped(
    "{ at: 02:30, time_zone: Europe/Berlin }",
    "2026-03-28T12:00:00Z",
    "2026-03-29T01:30:00Z"
)]
#[case::twice(
    "{ at: 02:30, time_zone: Europe/Berlin }",
    "2026-10-24T12:00:00Z",
    "2026-10-25T00:30:00Z"
)]
#[case::twice_is_once(
    "{ at: 02:30, time_zone: Europe/Berlin }",
    "2026-10-25T00:30:00Z",
    "2026-10-26T01:30:00Z"
)]
#[case::mondays(
    "{ every: 7d, at: 08:00 }",
    "2026-11-17T12:00:00Z",
    "2026-11-23T08:00:00Z"
)]
#[case::hours(
    "{ every: 6h, at: 09:00 }",
    "2026-11-17T21:00:00Z",
    "2026-11-18T03:00:00Z"
)]
#[case::hours(
    "{ every: 6h, at: 09:00 }",
    "2026-11-17T03:00:00Z",
    "2026-11-17T09:00:00Z"
)]
#[case::hours_of_the_day_before(
    "{ every: 6h, at: 09:00 }",
    "2026-11-18T00:00:00Z",
    "2026-11-18T03:00:00Z"
)]
#[case::hourly(
    "{ every: 1h, at: 00:30 }",
    "2026-11-17T23:45:00Z",
    "2026-11-18T00:30:00Z"
)]
fn the_next_digest(#[case] digest: &str, #[case] after: &str, #[case] expected: &str) {
    let alerting = resolved(&format!("digest: {digest}")).unwrap();
    assert_eq!(alerting.digest.next(at(after)), at(expected));
}

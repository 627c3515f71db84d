//! Decide: whether the newest row is new enough.

use crate::check::Check;
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::profile::Freshness;
use serde_json::json;

/// How far ahead of our clock a newest record may be before its time is wrong rather than fresh.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// The age of the newest value (epoch seconds), in seconds.
pub fn age(newest: Option<f64>, now: Timestamp) -> Option<f64> {
    newest.map(|newest| now.as_millisecond() as f64 / 1000.0 - newest)
}

/// The check of an age.
pub fn check(dataset: &str, freshness: &Freshness, age: Option<f64>) -> Check {
    let column = &freshness.column;
    let limit = freshness.max_age.as_secs_f64();
    let (passed, sentence) = match age {
        None => (false, format!("no row has a {column}")),
        Some(age) if age < -CLOCK_SKEW.as_secs_f64() => (
            false,
            format!("the newest {column} is {} in the future", readable(-age)),
        ),
        Some(age) => (
            age <= limit,
            format!(
                "the newest {column} is {} old, expected at most {}",
                readable(age.max(0.0)),
                readable(limit)
            ),
        ),
    };
    Check {
        name: format!("{dataset}: freshness of {column}"),
        passed,
        not_evaluated: None,
        warns: false,
        observed: json!(age.map(f64::round)),
        expected: format!("at most {} old", readable(limit)),
        violations: u64::from(!passed),
        samples: Vec::new(),
        sentence,
    }
}

/// Seconds as a person says them: the two largest units.
fn readable(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = match seconds {
        0..60 => return format!("{seconds} s"),
        60..3_600 => [(minutes, "min"), (seconds % 60, "s")],
        3_600..86_400 => [(hours, "h"), (minutes, "min")],
        _ => [(days, "d"), (hours, "h")],
    };
    parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipewarden_shared::profile::Profile;
    use rstest::rstest;

    const NOW: &str = "2026-03-01T06:00:00Z";

    #[rstest]
    #[case::at_the_limit(
        Some(1_772_323_200.0),
        true,
        "the newest system_modstamp is 6 h old, expected at most 6 h"
    )]
    #[case::over(
        Some(1_772_323_199.0),
        false,
        "the newest system_modstamp is 6 h old, expected at most 6 h"
    )]
    #[case::long_ago(
        Some(1_772_236_800.0),
        false,
        "the newest system_modstamp is 1 d 6 h old, expected at most 6 h"
    )]
    #[case::our_clock_is_behind(
        Some(1_772_345_400.0),
        true,
        "the newest system_modstamp is 0 s old, expected at most 6 h"
    )]
    #[case::in_the_future(
        Some(1_772_348_400.0),
        false,
        "the newest system_modstamp is 1 h in the future"
    )]
    #[case::nothing(None, false, "no row has a system_modstamp")]
    fn measures_freshness(
        #[case] newest: Option<f64>,
        #[case] passed: bool,
        #[case] sentence: &str,
    ) {
        let profile = Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap();
        let freshness = profile.datasets["sf_user_raw"].freshness.as_ref().unwrap();
        let check = check("sf_user_raw", freshness, age(newest, NOW.parse().unwrap()));
        assert_eq!((check.passed, check.sentence.as_str()), (passed, sentence));
    }
}

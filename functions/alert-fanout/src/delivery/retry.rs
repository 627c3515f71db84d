//! Decide: when a message is tried again.

use jiff::Timestamp;
use std::time::Duration;

/// The first pause; each next one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// The longest pause that is our own choice.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// How long to wait before try number `next` (the second is 1). `asked` is the receiver's own wish, which is taken as
/// a lower limit; `jitter` in 0..1 keeps many senders from coming back at once.
pub(super) fn pause(next: u32, asked: Option<Duration>, jitter: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(
        1_u32
            .checked_shl(next.saturating_sub(1).min(16))
            .unwrap_or(u32::MAX),
    );
    let most = doubled.min(LONGEST_PAUSE);
    match asked {
        Some(asked) => asked.saturating_add(FIRST_PAUSE.mul_f64(jitter)),
        None => most
            .div_f64(2.0)
            .saturating_add(most.div_f64(2.0).mul_f64(jitter)),
    }
}

/// Reads Retry-After: seconds, or an HTTP date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let text = header.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("30", Some(30))]
    #[case(" 0 ", Some(0))]
    #[case("Sun, 01 Mar 2026 06:00:30 GMT", Some(30))]
    #[case::past("Sun, 01 Mar 2026 05:59:00 GMT", Some(0))]
    #[case("-5", None)]
    #[case("1.5", None)]
    #[case("99999999999999999999", None)]
    #[case("tomorrow", None)]
    #[case("", None)]
    fn reads_seconds_and_dates(#[case] header: &str, #[case] expected: Option<u64>) {
        let now = "2026-03-01T06:00:00Z".parse().unwrap();
        assert_eq!(retry_after(header, now), expected.map(Duration::from_secs));
    }

    #[test]
    fn pauses_grow_to_a_limit_and_never_undercut_the_receivers_wish() {
        let at = |next| pause(next, None, 1.0);
        assert!(at(1) < at(2) && at(2) < at(3));
        assert_eq!(at(30), LONGEST_PAUSE);
        assert_eq!(pause(1, None, 0.0), FIRST_PAUSE / 2);
        let asked = Duration::from_secs(20);
        assert_eq!(pause(1, Some(asked), 0.0), asked);
        assert!(pause(1, Some(asked), 0.9) > asked);
        // No wish is too large to be added to.
        assert!(pause(1, Some(Duration::MAX), 1.0) == Duration::MAX);
    }
}

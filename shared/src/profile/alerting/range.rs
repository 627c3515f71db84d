//! Ranges of times, weekdays, days, months and years, as Alertmanager's time intervals write them.

/// Numbers from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    first: i16,
    last: i16,
}

const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl Range {
    pub(super) const fn holds(self, value: i16) -> bool {
        self.first <= value && value <= self.last
    }

    /// The same days in a month of this many: negative ones count from its end, and what is over its end is not there.
    pub(super) const fn in_month(self, days: i16) -> Self {
        const fn day(day: i16, days: i16) -> i16 {
            if day < 0 { days + day + 1 } else { day }
        }
        Self {
            first: day(self.first, days),
            last: day(self.last, days),
        }
    }
}

/// Minutes of the day from `HH:MM` on and up to `HH:MM`, at most `24:00`.
pub(super) fn times(start: &str, end: &str) -> Result<Range, String> {
    let first = minutes(start)?;
    let after = minutes(end)?;
    if first == after {
        return Err(format!("{start} to {end} is no time at all"));
    }
    if first > after {
        return Err(format!(
            "{start} to {end} goes over midnight: write two, {start} to 24:00 and 00:00 to {end}"
        ));
    }
    Ok(Range {
        first,
        last: after - 1,
    })
}

/// Minutes since midnight of a `HH:MM`, at most `24:00`.
pub(super) fn minutes(text: &str) -> Result<i16, String> {
    let number = |digits: &str| -> Option<i16> {
        let two = digits.len() == 2 && digits.chars().all(|digit| digit.is_ascii_digit());
        digits.parse().ok().filter(|_| two)
    };
    let read = text
        .split_once(':')
        .and_then(|(hours, minutes)| Some((number(hours)?, number(minutes)?)));
    match read {
        Some((hours @ 0..24, minutes @ 0..60)) => Ok(hours * 60 + minutes),
        Some((24, 0)) => Ok(24 * 60),
        _ => Err(format!(
            "expected a time such as 09:30, at most 24:00, got {text:?}"
        )),
    }
}

pub(super) fn weekdays(text: &str) -> Result<Range, String> {
    let named = |name: &str| {
        position(&WEEKDAYS, name).ok_or_else(|| format!("{name:?} is no weekday such as monday"))
    };
    let (first, last) = ends(text, named)?;
    if first > last {
        return Err(format!(
            "{text:?} goes over the end of the week, which is saturday: write two ranges"
        ));
    }
    Ok(Range { first, last })
}

pub(super) fn months(text: &str) -> Result<Range, String> {
    let named = |name: &str| {
        let numbered = || name.parse().ok().filter(|month| (1..=12).contains(month));
        let month = position(&MONTHS, name)
            .map(|index| index + 1)
            .or_else(numbered);
        month.ok_or_else(|| format!("{name:?} is no month such as january, or 1 to 12"))
    };
    let (first, last) = ends(text, named)?;
    if first > last {
        return Err(format!(
            "{text:?} goes over the end of the year: write two ranges"
        ));
    }
    Ok(Range { first, last })
}

pub(super) fn years(text: &str) -> Result<Range, String> {
    let year = |text: &str| {
        let year = text
            .parse()
            .ok()
            .filter(|year| (1970..=9999).contains(year));
        year.ok_or_else(|| format!("{text:?} is no year"))
    };
    let (first, last) = ends(text, year)?;
    if first > last {
        return Err(format!("{text:?} ends before it begins"));
    }
    Ok(Range { first, last })
}

pub(super) fn days_of_month(text: &str) -> Result<Range, String> {
    let day = |text: &str| {
        let day = text
            .parse()
            .ok()
            .filter(|day| (-31..=31).contains(day) && *day != 0);
        day.ok_or_else(|| {
            format!("{text:?} is no day of a month: expected 1 to 31, or -1 to -31 from its end")
        })
    };
    let (first, last) = ends(text, day)?;
    let range = Range { first, last };
    if first < 0 && last > 0 {
        // In some months it would be a range and in others not.
        return Err(format!(
            "{text:?} counts from the end and then from the start: write two ranges"
        ));
    }
    let in_some_month = (28..=31)
        .map(|days| range.in_month(days))
        .any(|days| days.first <= days.last);
    if !in_some_month {
        return Err(format!("{text:?} ends before it begins"));
    }
    Ok(range)
}

fn position(names: &[&str], name: &str) -> Option<i16> {
    let found = names.iter().position(|one| one.eq_ignore_ascii_case(name));
    found.and_then(|index| i16::try_from(index).ok())
}

/// Both ends of `first:last`; a value alone is both.
fn ends(text: &str, read: impl Fn(&str) -> Result<i16, String>) -> Result<(i16, i16), String> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    Ok((read(first.trim())?, read(last.trim())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("22:00", "06:00", "write two, 22:00 to 24:00 and 00:00 to 06:00")]
    #[case("09:00", "09:00", "no time at all")]
    #[case("9:00", "10:00", "expected a time such as 09:30")]
    #[case("00:00", "24:01", "at most 24:00")]
    #[case("+1:00", "02:00", "expected a time")]
    #[case("aa:bb", "02:00", "expected a time")]
    fn refuses_times(#[case] start: &str, #[case] end: &str, #[case] expected: &str) {
        let error = times(start, end).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[rstest]
    #[case::weekdays(weekdays, "friday:monday", "write two ranges")]
    #[case::weekdays(weekdays, "mon", "no weekday")]
    #[case::weekdays(weekdays, "monday:tuesday:friday", "no weekday")]
    #[case::months(months, "november:february", "write two ranges")]
    #[case::months(months, "13", "no month")]
    #[case::years(years, "2028:2026", "ends before it begins")]
    #[case::years(years, "26", "no year")]
    #[case::days(days_of_month, "0", "no day of a month")]
    #[case::days(days_of_month, "32", "no day of a month")]
    #[case::days(days_of_month, "-1:1", "write two ranges")]
    #[case::days(days_of_month, "-1:-3", "ends before it begins")]
    #[case::days(days_of_month, "30:-5", "ends before it begins")]
    fn refuses_ranges(
        #[case] read: fn(&str) -> Result<Range, String>,
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        let error = read(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[rstest]
    #[case("1:5", 31, &[1, 2, 3, 4, 5])]
    #[case("-3:-1", 28, &[26, 27, 28])]
    #[case("-1", 30, &[30])]
    #[case("29:31", 30, &[29, 30])]
    #[case("31", 30, &[])]
    #[case("28:-1", 31, &[28, 29, 30, 31])]
    #[case("-31:-30", 28, &[])]
    #[case("-31:-28", 28, &[1])]
    fn days_are_those_of_the_month(
        #[case] text: &str,
        #[case] length: i16,
        #[case] expected: &[i16],
    ) {
        let range = days_of_month(text).unwrap().in_month(length);
        let days: Vec<i16> = (1..=length).filter(|day| range.holds(*day)).collect();
        assert_eq!(days, expected);
    }

    #[test]
    fn names_are_read_in_any_case_and_months_by_number() {
        assert_eq!(weekdays("Monday:FRIDAY"), weekdays("monday:friday"));
        assert_eq!(months("3:May"), months("march:5"));
    }
}

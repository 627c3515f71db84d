//! Numbers that are compared exactly where they are known exactly: a sum of decimals is no double.

use crate::dqdl::condition::Arithmetic;
use std::cmp::Ordering;
use std::fmt;

/// The most digits that are held exactly: as many as a decimal of Athena has.
pub(super) const MOST_DIGITS: usize = 38;

/// The greatest whole number up to which a double holds each.
const WHOLE_IN_A_DOUBLE: u128 = 1 << 53;

/// A number, as near as a double comes, and exactly where that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    near: f64,
    exact: Option<Fraction>,
}

/// A fraction in lowest terms, whose denominator is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fraction {
    numerator: i128,
    denominator: i128,
}

impl Number {
    /// A number of which nothing more is known.
    pub(super) const fn near(near: f64) -> Self {
        Self { near, exact: None }
    }

    /// A count.
    pub(super) fn of_count(count: u64) -> Self {
        Self {
            near: count as f64,
            exact: Fraction::of(count.into(), 1),
        }
    }

    /// The number that a text writes, in decimal or scientific notation; nothing for NaN and the infinities.
    pub(super) fn read(text: &str) -> Option<Self> {
        let near: f64 = text.parse().ok()?;
        near.is_finite().then(|| Self {
            near,
            exact: Fraction::read(text),
        })
    }

    /// As near as a double comes.
    pub(super) const fn value(self) -> f64 {
        self.near
    }

    /// The same, known no better than that: what is divided is printed so, and copied into rules.
    pub(super) const fn rounded(self) -> Self {
        Self::near(self.near)
    }

    /// Two numbers, computed with; the result may be infinite.
    pub(super) fn with(self, operation: Arithmetic, other: Self) -> Self {
        let exact = self
            .exact
            .zip(other.exact)
            .and_then(|(first, second)| first.with(operation, second));
        let near = match (exact, operation) {
            (Some(exact), _) => exact.near(),
            (None, Arithmetic::Add) => self.near + other.near,
            (None, Arithmetic::Subtract) => self.near - other.near,
            (None, Arithmetic::Multiply) => self.near * other.near,
            (None, Arithmetic::Divide) => self.near / other.near,
        };
        Self { near, exact }
    }

    /// Which is greater: exactly where both are known exactly.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self.exact, other.exact) {
            (Some(first), Some(second)) => Some(first.compare(second)),
            _ => self.near.partial_cmp(&other.near),
        }
    }

    /// The whole number that it is and that a double does not hold.
    pub(super) fn great_whole(self) -> Option<i128> {
        let exact = self.exact.filter(|exact| exact.denominator == 1)?;
        (exact.numerator.unsigned_abs() > WHOLE_IN_A_DOUBLE).then_some(exact.numerator)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.great_whole() {
            Some(whole) => write!(formatter, "{whole}"),
            None => write!(formatter, "{}", self.near),
        }
    }
}

impl Fraction {
    fn of(numerator: i128, denominator: i128) -> Option<Self> {
        let divisor = i128::try_from(common_divisor(
            numerator.unsigned_abs(),
            denominator.unsigned_abs(),
        ))
        .ok()?;
        let sign = denominator.signum();
        Some(Self {
            numerator: numerator.checked_div(divisor)?.checked_mul(sign)?,
            denominator: denominator.checked_div(divisor)?.checked_mul(sign)?,
        })
        .filter(|fraction| fraction.denominator > 0)
    }

    /// What decimal notation writes; nothing where it has more digits than are held.
    fn read(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let unsigned = whole.trim_start_matches(['-', '+']);
        let digits = unsigned.len() + fraction.len();
        let plain = [unsigned, fraction]
            .iter()
            .all(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        if !plain || digits == 0 || digits > MOST_DIGITS {
            return None;
        }
        let scale = u32::try_from(fraction.len()).ok()?;
        Self::of(
            format!("{whole}{fraction}").parse().ok()?,
            10_i128.checked_pow(scale)?,
        )
    }

    fn near(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    fn with(self, operation: Arithmetic, other: Self) -> Option<Self> {
        let (numerator, denominator) = match operation {
            Arithmetic::Add | Arithmetic::Subtract => {
                let first = self.numerator.checked_mul(other.denominator)?;
                let second = other.numerator.checked_mul(self.denominator)?;
                let sum = if operation == Arithmetic::Add {
                    first.checked_add(second)?
                } else {
                    first.checked_sub(second)?
                };
                (sum, self.denominator.checked_mul(other.denominator)?)
            }
            Arithmetic::Multiply => (
                self.numerator.checked_mul(other.numerator)?,
                self.denominator.checked_mul(other.denominator)?,
            ),
            Arithmetic::Divide => (
                self.numerator.checked_mul(other.denominator)?,
                self.denominator.checked_mul(other.numerator)?,
            ),
        };
        Self::of(numerator, denominator)
    }

    /// By whole parts first and what remains turned over: a product of 38 digits each would not fit.
    fn compare(self, other: Self) -> Ordering {
        let (mut first, mut second) = (self, other);
        loop {
            let (one, two) = (first.split(), second.split());
            match one.0.cmp(&two.0) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
            if one.1 == 0 || two.1 == 0 {
                return one.1.cmp(&two.1);
            }
            (first, second) = (second.over(two.1), first.over(one.1));
        }
    }

    /// The whole part, and what remains of the numerator.
    fn split(self) -> (i128, i128) {
        (
            self.numerator.div_euclid(self.denominator),
            self.numerator.rem_euclid(self.denominator),
        )
    }

    /// The denominator over a remainder.
    const fn over(self, remainder: i128) -> Self {
        Self {
            numerator: self.denominator,
            denominator: remainder,
        }
    }
}

fn common_divisor(first: u128, second: u128) -> u128 {
    let (mut first, mut second) = (first, second);
    while let Some(rest) = first.checked_rem(second) {
        (first, second) = (second, rest);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn number(text: &str) -> Number {
        Number::read(text).unwrap()
    }

    #[rstest]
    #[case("1.00", "1", Ordering::Equal)]
    #[case("-0.5", "-0.25", Ordering::Less)]
    #[case("9007199254740993", "9007199254740992", Ordering::Greater)]
    #[case(
        "99999999999999999999999999999999999999",
        "99999999999999999999999999999999999998",
        Ordering::Greater
    )]
    #[case(
        "0.00000000000000000000000000000000000001",
        "99999999999999999999999999999999999998",
        Ordering::Less
    )]
    // A double says no more than this.
    #[case("1.0E7", "10000000", Ordering::Equal)]
    fn numbers_are_compared_exactly(
        #[case] first: &str,
        #[case] second: &str,
        #[case] expected: Ordering,
    ) {
        let (first, second) = (number(first), number(second));
        assert_eq!(first.compare(second), Some(expected));
        assert_eq!(second.compare(first), Some(expected.reverse()));
    }

    #[rstest]
    #[case("0.1", Arithmetic::Add, "0.2", "0.3")]
    #[case("1", Arithmetic::Subtract, "0.9", "0.1")]
    #[case("0.1", Arithmetic::Multiply, "3", "0.3")]
    #[case("0.3", Arithmetic::Divide, "3", "0.1")]
    fn arithmetic_is_exact(
        #[case] first: &str,
        #[case] operation: Arithmetic,
        #[case] second: &str,
        #[case] expected: &str,
    ) {
        let result = number(first).with(operation, number(second));
        assert_eq!(result.compare(number(expected)), Some(Ordering::Equal));
        assert_eq!(result.to_string(), expected);
    }

    #[test]
    fn what_is_too_long_is_as_near_as_a_double_comes() {
        let long = number("1234567890123456789012345678901234567890");
        let product = long.with(Arithmetic::Multiply, number("10"));
        assert_eq!(product.value(), 1.2345678901234568e40);
        assert!(
            !number("1")
                .with(Arithmetic::Divide, number("0"))
                .value()
                .is_finite()
        );
        assert!(Number::read("NaN").is_none() && Number::read("x").is_none());
    }

    proptest::proptest! {
        #[test]
        fn decimals_are_ordered_as_their_digits(first: i64, second: i64, scale in 0u32..18) {
            let text = |digits: i64| {
                let (whole, part) = (i128::from(digits) / 10_i128.pow(scale), i128::from(digits).abs() % 10_i128.pow(scale));
                let sign = if digits < 0 && whole == 0 { "-" } else { "" };
                if scale == 0 { whole.to_string() } else { format!("{sign}{whole}.{part:0width$}", width = scale as usize) }
            };
            proptest::prop_assert_eq!(number(&text(first)).compare(number(&text(second))), Some(first.cmp(&second)));
        }
    }
}

//! Regular expressions that no engine would take: found before a scan fails of one.

use std::str::Chars;

/// What is grossly wrong with a pattern: a group or class that does not end, a parenthesis too many.
///
/// # Errors
/// What is wrong. What a group means is left to the engine.
pub(super) fn balanced(pattern: &str) -> Result<(), String> {
    let mut groups = 0_usize;
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => rest = escaped(pattern, rest)?,
            '[' => rest = class(pattern, rest)?,
            '(' => groups += 1,
            ')' => {
                groups = groups
                    .checked_sub(1)
                    .ok_or_else(|| format!("the pattern {pattern:?} has a ) too many"))?;
            }
            _ => {}
        }
    }
    if groups > 0 {
        return Err(format!("the pattern {pattern:?} has an open group"));
    }
    Ok(())
}

/// What follows an escape; between \Q and \E everything stands for itself.
fn escaped<'a>(pattern: &str, mut rest: Chars<'a>) -> Result<Chars<'a>, String> {
    if let Some(quoted) = rest.as_str().strip_prefix('Q') {
        let after = quoted.split_once("\\E").map_or("", |(_, after)| after);
        return Ok(after.chars());
    }
    match rest.next() {
        Some(_) => Ok(rest),
        None => Err(format!("the pattern {pattern:?} ends in its escape")),
    }
}

/// What follows a class, which may hold others.
fn class<'a>(pattern: &str, rest: Chars<'a>) -> Result<Chars<'a>, String> {
    let mut depth = 1_usize;
    let mut rest = first_of_class(rest);
    while let Some(character) = rest.next() {
        match character {
            '\\' => rest = escaped(pattern, rest)?,
            '[' => {
                depth += 1;
                rest = first_of_class(rest);
            }
            ']' if depth == 1 => return Ok(rest),
            ']' => depth -= 1,
            _ => {}
        }
    }
    Err(format!("the pattern {pattern:?} has an open class"))
}

/// A bracket that comes first in a class stands for itself.
fn first_of_class(rest: Chars<'_>) -> Chars<'_> {
    let rest = rest.as_str();
    let rest = rest.strip_prefix('^').unwrap_or(rest);
    rest.strip_prefix(']').unwrap_or(rest).chars()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("[a-z]+(\\d{2}|x)?")]
    #[case("(?<=x)y(?!z)")]
    #[case("[a-z&&[^b(]]")]
    #[case("[]a]|[^]a]")]
    #[case("\\(\\[\\)")]
    #[case("\\Q([\\E|a]")]
    #[case("[\\]\\[]")]
    #[case("")]
    fn what_is_whole_is_left_to_the_engine(#[case] pattern: &str) {
        assert_eq!(balanced(pattern), Ok(()));
    }

    #[rstest]
    #[case("(unclosed[", "open class")]
    #[case("(unclosed", "open group")]
    #[case("a)", ") too many")]
    #[case("[a-z", "open class")]
    #[case("[a[b]", "open class")]
    #[case("a\\", "ends in its escape")]
    fn what_no_engine_takes_is_refused(#[case] pattern: &str, #[case] reason: &str) {
        let error = balanced(pattern).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

//! Cuts text to the limits of the services it is sent to, on character boundaries, and says that it cut.

/// What stands at the end of a text that was cut.
const ELLIPSIS: char = '…';

/// Returns `text` in at most `limit` characters; a cut text ends in `…`.
pub fn characters(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(limit.saturating_sub(1)).collect();
    if limit > 0 {
        cut.push(ELLIPSIS);
    }
    cut
}

/// Returns `text` in at most `limit` bytes of UTF-8; a cut text ends in `…`.
pub fn bytes(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(ELLIPSIS.len_utf8());
    let mut cut = String::with_capacity(limit);
    for character in text.chars() {
        if cut.len() + character.len_utf8() > room {
            break;
        }
        cut.push(character);
    }
    if limit >= ELLIPSIS.len_utf8() {
        cut.push(ELLIPSIS);
    }
    cut
}

/// Returns one line of printable ASCII in at most `limit` characters, as an SNS subject must be.
///
/// Line breaks and other control characters become spaces, anything outside ASCII becomes `?`;
/// a cut line ends in `...`.
pub fn ascii_line(text: &str, limit: usize) -> String {
    let line: String = text
        .chars()
        .map(|character| match character {
            ' '..='~' => character,
            control if control.is_control() => ' ',
            _ => '?',
        })
        .collect();
    let line = line.trim();
    if line.len() <= limit {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(limit.saturating_sub(3)).collect();
    cut.push_str("...");
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("abc", 3, "abc")]
    #[case("abcd", 3, "ab…")]
    #[case("äöüß", 3, "äö…")]
    #[case("", 0, "")]
    fn cuts_on_characters(#[case] text: &str, #[case] limit: usize, #[case] expected: &str) {
        assert_eq!(characters(text, limit), expected);
    }

    #[test]
    fn a_subject_has_no_line_break_and_no_unicode() {
        assert_eq!(ascii_line("a\nb – c\u{7f}", 99), "a b ? c");
        assert_eq!(ascii_line(&"x".repeat(200), 10), "xxxxxxx...");
    }

    proptest! {
        #[test]
        fn never_over_the_limit(text in any::<String>(), limit in 0usize..64) {
            prop_assert!(characters(&text, limit).chars().count() <= limit);
            prop_assert!(bytes(&text, limit).len() <= limit);
            let line = ascii_line(&text, limit.max(3));
            prop_assert!(line.len() <= limit.max(3) && line.chars().all(|c| (' '..='~').contains(&c)));
        }
    }
}

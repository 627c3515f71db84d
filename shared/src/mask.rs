//! Masks secrets in text before it is logged, published or sent.

mod forms;

use forms::FORMS;
use regex_lite::{Captures, Regex};
use std::sync::OnceLock;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// A form that secrets are written in.
struct Form {
    /// One of these is in every text that has the form, in lower case. Compiling a pattern takes up to 1 ms: a text
    /// without a sign does not wait for it.
    signs: &'static [&'static str],
    /// What it looks like. Groups `keep` and `end` stay, as they tell a reader what was there.
    pattern: &'static str,
    compiled: OnceLock<Result<Regex, regex_lite::Error>>,
}

const fn form(signs: &'static [&'static str], pattern: &'static str) -> Form {
    Form {
        signs,
        pattern,
        compiled: OnceLock::new(),
    }
}

impl Form {
    /// Whether a text, in lower case, may hold the form.
    fn is_likely_in(&self, lower: &str) -> bool {
        self.signs.iter().any(|sign| lower.contains(sign))
    }

    fn regex(&self) -> Result<&Regex, &regex_lite::Error> {
        self.compiled
            .get_or_init(|| Regex::new(self.pattern))
            .as_ref()
    }
}

/// Returns `text` with each secret replaced by `***`; what surrounds it stays readable.
pub fn secrets(text: &str) -> String {
    // (?i) also takes these two for s and k, which a lower-case text does not show.
    let exotic = text.contains(['\u{17f}', '\u{212a}']);
    let lower = text.to_ascii_lowercase();
    let mut masked = text.to_owned();
    for form in FORMS
        .iter()
        .filter(|form| exotic || form.is_likely_in(&lower))
    {
        // Whether a form compiles depends on the features of a build. Where one does not, nothing is let through.
        let Ok(regex) = form.regex() else {
            return MASK.to_owned();
        };
        if let std::borrow::Cow::Owned(replaced) =
            regex.replace_all(&masked, |found: &Captures<'_>| replacement(found, &masked))
        {
            masked = replaced;
        }
    }
    masked
}

fn replacement(found: &Captures<'_>, text: &str) -> String {
    let group = |name| found.name(name).map_or("", |part| part.as_str());
    let (keep, end) = (group("keep"), group("end"));
    let Some(whole) = found.get(0) else {
        return MASK.to_owned();
    };
    let secret = whole.as_str().get(keep.len()..).unwrap_or_default();
    let before = text.get(..whole.start()).unwrap_or_default();
    if is_word(secret) || is_of_an_arn(before, keep) {
        return whole.as_str().to_owned();
    }
    format!("{keep}{MASK}{end}")
}

/// What stands after a name where no secret does: `password is expired`, `token: null`.
fn is_word(secret: &str) -> bool {
    const WORDS: &[&str] = &[
        "null",
        "none",
        "true",
        "false",
        "not",
        "empty",
        "missing",
        "required",
        "invalid",
        "incorrect",
        "wrong",
        "expired",
        "unset",
        "undefined",
    ];
    let word = secret.trim_end_matches([',', '.', ':', '!']);
    WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The `secret:` of `arn:aws:secretsmanager:region:account:secret:name` says what the name is of.
fn is_of_an_arn(before: &str, keep: &str) -> bool {
    let word = before
        .rsplit([' ', '"', '\'', '\n', '(', '[', ','])
        .next()
        .unwrap_or_default();
    before.ends_with(':') && keep.eq_ignore_ascii_case("secret:") && word.starts_with("arn:")
}

#[cfg(test)]
mod tests;

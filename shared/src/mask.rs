//! Masks secrets in text before it is logged, published or sent.

mod forms;
mod pairs;

use forms::FORMS;
use pairs::Pairs;
use regex_lite::{Captures, Regex};
use std::ops::Range;
use std::sync::OnceLock;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// How many bytes before a sign a form may begin.
const BEFORE: usize = 512;

/// How many bytes behind a sign a form is looked for; a secret that reaches further is followed to its end.
const BEHIND: usize = 1_024;

/// A form that secrets are written in.
struct Form {
    /// One of these is in every text that has the form, in lower case. Compiling a pattern takes up to 1 ms: a text
    /// without a sign does not wait for it.
    signs: &'static [&'static str],
    /// One of these is in it as well, where there are any; most names of a secret stand there for something else.
    besides: &'static [&'static str],
    /// What it looks like. Groups `keep` and `end` stay, as they tell a reader what was there.
    pattern: &'static str,
    /// Whether the secret may go on behind a `;` or `&`, which may as well end it.
    may_go_on: bool,
    /// Whether a secret of the form is longer than any cut can be expected to leave room for.
    is_block: bool,
    compiled: OnceLock<Result<Regex, regex_lite::Error>>,
}

const fn form(signs: &'static [&'static str], pattern: &'static str) -> Form {
    Form {
        signs,
        besides: &[],
        pattern,
        may_go_on: false,
        is_block: false,
        compiled: OnceLock::new(),
    }
}

impl Form {
    const fn beside(mut self, besides: &'static [&'static str]) -> Self {
        self.besides = besides;
        self
    }

    const fn of_a_block(mut self) -> Self {
        self.is_block = true;
        self
    }

    const fn that_may_go_on(mut self) -> Self {
        self.may_go_on = true;
        self
    }

    /// The parts of a text, which is given in lower case, that may hold the form, in order; overlapping ones as one.
    fn windows(&self, lower: &str, pairs: &Pairs) -> Vec<Range<usize>> {
        // Most texts have next to no sign, and of most signs not even the pairs: to ask for these is much quicker.
        let has = |sign: &&&str| pairs.may_hold(sign) && lower.contains(**sign);
        let mut signs = self.signs.iter().filter(has).peekable();
        if signs.peek().is_none()
            || !(self.besides.is_empty() || self.besides.iter().any(|sign| has(&sign)))
        {
            return Vec::new();
        }
        let mut signs: Vec<(usize, &str)> =
            signs.flat_map(|sign| lower.match_indices(sign)).collect();
        signs.sort_unstable_by_key(|(at, _)| *at);
        let mut windows: Vec<Range<usize>> = Vec::new();
        for (at, sign) in signs {
            let from = lower.floor_char_boundary(at.saturating_sub(BEFORE));
            let to = lower.ceil_char_boundary((at + sign.len() + BEHIND).min(lower.len()));
            match windows.last_mut() {
                Some(last) if from <= last.end => last.end = last.end.max(to),
                _ => windows.push(from..to),
            }
        }
        windows
    }

    fn regex(&self) -> Result<&Regex, &regex_lite::Error> {
        self.compiled
            .get_or_init(|| Regex::new(self.pattern))
            .as_ref()
    }
}

/// Returns `text` with each secret replaced by `***`; what surrounds it stays readable.
pub fn secrets(text: &str) -> String {
    masked(text, FORMS.iter())
}

/// Returns `text` without its private keys, which span many lines; for a text that is cut before the rest of it is masked.
pub fn private_keys(text: &str) -> String {
    masked(text, FORMS.iter().filter(|form| form.is_block))
}

fn masked(text: &str, forms: impl Iterator<Item = &'static Form>) -> String {
    // (?i) also takes these two for s and k, which a lower-case text does not show.
    let exotic = text.contains(['\u{17f}', '\u{212a}']);
    let mut masked = text.to_owned();
    let mut lower = text.to_ascii_lowercase();
    let mut pairs = Pairs::of(&lower);
    for form in forms {
        let windows = if exotic {
            std::iter::once(0..masked.len()).collect()
        } else {
            form.windows(&lower, &pairs)
        };
        if windows.is_empty() {
            continue;
        }
        // Whether a form compiles depends on the features of a build. Where one does not, nothing is let through.
        let Ok(regex) = form.regex() else {
            return MASK.to_owned();
        };
        if let Some(replaced) = without(form, regex, &masked, &windows) {
            masked = replaced;
            lower = masked.to_ascii_lowercase();
            pairs = Pairs::of(&lower);
        }
    }
    masked
}

/// A text without the secrets of one form in these parts of it; none where there are none.
fn without(form: &Form, regex: &Regex, text: &str, windows: &[Range<usize>]) -> Option<String> {
    let mut masked = String::new();
    let mut done = 0;
    for window in windows {
        let mut from = window.start.max(done);
        while let Some(found) = next(regex, text, from, window.end) {
            let Some(whole) = found.get(0) else {
                break;
            };
            let end = if form.may_go_on {
                end_of_tail(text, whole.end())
            } else {
                whole.end()
            };
            from = whole.end().max(text.ceil_char_boundary(whole.start() + 1));
            if let Some(replacement) = replacement(&found, text) {
                masked.push_str(text.get(done..whole.start()).unwrap_or_default());
                masked.push_str(&replacement);
                done = end;
                from = from.max(end);
            }
        }
    }
    if done == 0 {
        return None;
    }
    masked.push_str(text.get(done..).unwrap_or_default());
    Some(masked)
}

/// The first secret from a place on that begins before `end`. One that reaches up to there is looked at in full.
fn next<'text>(
    regex: &Regex,
    text: &'text str,
    from: usize,
    end: usize,
) -> Option<Captures<'text>> {
    let mut end = end;
    loop {
        let haystack = text.get(..end).filter(|_| from <= end)?;
        let found = regex.find_at(haystack, from)?;
        if found.end() < end || end == text.len() {
            return regex.captures_at(haystack, found.start());
        }
        let more = (end - from).max(BEHIND) * 2;
        end = text.ceil_char_boundary((end + more).min(text.len()));
    }
}

/// Where a secret without quotes ends, of which a part ends at `end`: behind `;` and `&` stands the next setting, which
/// has a `=`, or the rest of the secret.
fn end_of_tail(text: &str, end: usize) -> usize {
    let mut end = end;
    loop {
        let rest = text.get(end..).unwrap_or_default();
        let Some(part) = rest.strip_prefix([';', '&']) else {
            return end;
        };
        let stops = |letter: char| letter.is_whitespace() || "\"'\\;&)}]<=".contains(letter);
        let len = part.find(stops).unwrap_or(part.len());
        let is_setting = part.get(len..).is_some_and(|rest| rest.starts_with('='));
        if len == 0 || is_setting {
            return end;
        }
        end += 1 + len;
    }
}

/// What stands for a secret; none where what was found is no secret.
fn replacement(found: &Captures<'_>, text: &str) -> Option<String> {
    let group = |name| found.name(name).map_or("", |part| part.as_str());
    let (keep, end) = (group("keep"), group("end"));
    let whole = found.get(0)?;
    let secret = whole.as_str().get(keep.len()..).unwrap_or_default();
    let before = text.get(..whole.start()).unwrap_or_default();
    let is_secret = !is_word(secret) && !is_of_an_arn(before, keep);
    is_secret.then(|| format!("{keep}{MASK}{end}"))
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
        // Prose goes on behind a name that ends in a colon: `ExpiredToken: The provided token …`.
        "the",
        "this",
        "that",
        "your",
        "an",
        "is",
        "was",
        "cannot",
        "could",
        "unable",
        "failed",
        "error",
        "message",
        "operation",
        "provided",
        "server",
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

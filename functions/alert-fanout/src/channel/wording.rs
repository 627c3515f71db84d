//! Words and lengths that all channels share.

use crate::card::{Button, Card, RootCause, Summary, is_linked};
use jiff::Timestamp;
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use serde_json::Value;

/// The longest first line: what is longer is no line, and bold over half a screen.
pub(super) const FIRST_LINE: usize = 600;

/// How much is shown. Where a message is over a limit of its channel, the next level is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail {
    /// Items of a list.
    pub(super) items: usize,
    /// The length of an item, of a fact and of evidence.
    pub(super) item: usize,
    /// The length of the first line and of the cause.
    pub(super) line: usize,
    /// The length of a text of several lines.
    pub(super) body: usize,
    /// Facts.
    pub(super) facts: usize,
    /// The longest address that is linked.
    pub(super) link: usize,
}

/// From all that is readable to what fits anywhere.
const LEVELS: [Detail; 4] = [
    Detail {
        items: 10,
        item: 500,
        line: 1_500,
        body: 7_000,
        facts: 10,
        link: 3_000,
    },
    Detail {
        items: 6,
        item: 300,
        line: 800,
        body: 4_000,
        facts: 10,
        link: 1_500,
    },
    Detail {
        items: 4,
        item: 160,
        line: 400,
        body: 1_500,
        facts: 8,
        link: 800,
    },
    Detail {
        items: 2,
        item: 60,
        line: 150,
        body: 300,
        facts: 4,
        link: 400,
    },
];

/// The most that fits into `limit`, as `size` measures it.
pub(super) fn fitting(
    limit: usize,
    size: fn(&Value) -> usize,
    render: impl Fn(&Detail) -> Value,
) -> Value {
    let [first, rest @ ..] = LEVELS;
    let mut message = render(&first);
    for detail in rest {
        if size(&message) <= limit {
            break;
        }
        message = render(&detail);
    }
    message
}

/// The length of a text in UTF-16 units, the largest count that any of the channels uses for characters.
pub(super) fn width(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A text in at most `limit` UTF-16 units; a cut text ends in `…`.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let mut length = 0;
    let mut kept = String::new();
    for character in text.chars() {
        length += character.len_utf16();
        if length >= limit {
            break;
        }
        kept.push(character);
    }
    if limit > 0 {
        kept.push('…');
    }
    kept
}

/// A text without what reorders or hides others: control characters and marks of writing direction.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|character| match character {
            '\n' | '\t' => Some(character),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            '\u{2028}' | '\u{2029}' => Some('\n'),
            control if control.is_control() => None,
            other => Some(other),
        })
        .collect()
}

/// A text on one line: nothing in it starts a line of its own. An empty one is a dash.
pub(super) fn one_line(text: &str) -> String {
    let line = clean(text);
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        "–".to_owned()
    } else {
        line
    }
}

/// The pages that are linked.
pub(super) fn pages<'a>(card: &'a Card, detail: &Detail) -> impl Iterator<Item = &'a Button> {
    let longest = detail.link;
    card.buttons
        .iter()
        .filter(move |page| is_linked(&page.url) && width(&page.url) <= longest)
}

/// `… 3 more`, where items were left out.
pub(super) fn more(all: usize, shown: usize) -> Option<String> {
    (all > shown).then(|| format!("… {} more", all - shown))
}

/// The sign of a severity, or of a problem that is gone.
pub(super) const fn sign(status: Status, severity: Severity) -> &'static str {
    match (status, severity) {
        (Status::Resolved, _) => "✅",
        (_, Severity::Critical) => "🟣",
        (_, Severity::High) => "🔴",
        (_, Severity::Medium) => "🟠",
        (_, Severity::Low) => "🔵",
    }
}

/// The title as it is read first: sign, what, where, and that it is gone.
pub(super) fn headline(card: &Card) -> String {
    let title = one_line(&card.title);
    let place = match &card.environment {
        Some(environment) => format!("{title} ({})", one_line(environment)),
        None => title,
    };
    match card.status {
        Status::Resolved => format!("Resolved: {place}"),
        Status::Firing => place,
    }
}

/// What a reader weighs a card by: first what is the same on each card, then its own.
pub(super) fn facts(card: &Card) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let named = [
        ("Pipeline", card.pipeline.clone()),
        ("Environment", card.environment.clone()),
        ("Severity", Some(card.severity.as_str().to_owned())),
        ("State", card.state.clone()),
    ];
    for (name, value) in named {
        let stated = card.facts.iter().any(|(known, _)| known == name);
        facts.extend(
            value
                .filter(|_| !stated)
                .map(|value| (name.to_owned(), value)),
        );
    }
    facts.extend(card.facts.iter().cloned());
    facts
}

/// `data_expectation · high confidence · a retry may cure it`, without the name itself.
pub(super) fn sureness(cause: &RootCause) -> String {
    let confidence = cause
        .confidence
        .as_deref()
        .map(|confidence| format!("{} confidence", one_line(confidence)));
    let parts: Vec<String> = confidence
        .into_iter()
        .chain(cause.retry.map(str::to_owned))
        .collect();
    parts.join(" · ")
}

/// That it happened before, and what was done about it.
pub(super) fn history(card: &Card) -> Vec<String> {
    let repeats = card.repeats.map(|repeats| {
        format!(
            "Happened {} times since {}",
            repeats.count,
            instant(repeats.since)
        )
    });
    let recovery = card
        .recovery
        .as_deref()
        .map(|recovery| format!("Recovery: {}", one_line(recovery)));
    repeats.into_iter().chain(recovery).collect()
}

/// `2026-03-01 06:00:21 UTC`.
pub(super) fn instant(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The lists of a card, each with its title.
pub(super) fn lists(card: &Card) -> [(&'static str, &[String]); 3] {
    [
        ("Failed checks", &card.failed_validations),
        ("What to do", &card.actions),
        ("Where to look", &card.steps),
    ]
}

/// How often a problem of a digest happened; nothing for once.
pub(super) fn times(item: &Summary) -> String {
    match item.count {
        0 | 1 => String::new(),
        count => format!(" ({count} times)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("abc", 3, "abc")]
    #[case("abcd", 3, "ab…")]
    #[case("🙂🙂", 4, "🙂🙂")]
    #[case("🙂🙂🙂", 4, "🙂…")]
    #[case("abc", 0, "")]
    fn cuts_as_javascript_counts(#[case] text: &str, #[case] limit: usize, #[case] expected: &str) {
        assert_eq!(cut(text, limit), expected);
    }

    #[rstest]
    #[case("a\r\n\u{2028} b\t", "a b")]
    #[case("\u{202e}txt.exe", "txt.exe")]
    #[case(" \u{7} ", "–")]
    fn one_line_hides_nothing(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(one_line(text), expected);
    }

    proptest! {
        #[test]
        fn never_over_the_limit(text in any::<String>(), limit in 0usize..64) {
            prop_assert!(width(&cut(&text, limit)) <= limit);
        }
    }
}

//! What an entry must be, beyond its types.

use crate::literal::{self, Part, SHORTEST};
use crate::schema::{self, Entry};
use crate::vocabulary::{PLACEHOLDERS, Piece, pieces};
use std::collections::BTreeMap;
use std::path::Path;

/// An entry that is right, with its patterns read.
pub struct Checked {
    /// File, line and id, for messages.
    pub place: String,
    /// As it was written.
    pub entry: Entry,
    /// Its patterns: one of these matches when all of its parts do.
    pub patterns: Vec<Vec<Part>>,
    /// None of these may match.
    pub unless: Vec<Part>,
}

/// Checks the entries of a file; what is wrong is added to `problems`.
pub fn file(path: &Path, yaml: &str, problems: &mut Vec<String>) -> Vec<Checked> {
    let mut right = Vec::new();
    for chunk in schema::read(yaml) {
        let place = format!("{}:{}: {}", path.display(), chunk.line, chunk.id);
        match chunk.entry {
            Ok(entry) => {
                let mut wrong = Vec::new();
                let stem = path
                    .file_stem()
                    .and_then(|stem| stem.to_str())
                    .unwrap_or_default();
                fields(&entry, stem, &mut wrong);
                let checked = patterns(entry, place.clone(), &mut wrong);
                problems.extend(
                    wrong
                        .into_iter()
                        .map(|problem| format!("{place}: {problem}")),
                );
                right.push(checked);
            }
            Err(problem) => problems.push(format!("{place}: {problem}")),
        }
    }
    right
}

/// Checks what only all entries together show.
pub fn together(entries: &[Checked], problems: &mut Vec<String>) {
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    for checked in entries {
        if let Some(other) = ids.insert(&checked.entry.id, &checked.place) {
            problems.push(format!(
                "{}: the id is that of {other} as well",
                checked.place
            ));
        }
    }
}

fn fields(entry: &Entry, stem: &str, wrong: &mut Vec<String>) {
    let id_letters =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if !entry.id.chars().all(id_letters) || entry.id.is_empty() {
        wrong.push("an id has lower-case letters, digits and '-'".to_owned());
    }
    if stem != "more" && !entry.id.starts_with(&format!("{stem}-")) {
        wrong.push(format!("the id must start with the file's name, {stem}-"));
    }
    for (name, texts) in [("actions", &entry.actions), ("steps", &entry.steps)] {
        if texts.is_empty() {
            wrong.push(format!("{name}: at least one is needed"));
        }
    }
    if entry.summary.trim().is_empty() {
        wrong.push("summary: a sentence is needed".to_owned());
    }
    let texts = [&entry.actions, &entry.steps, &entry.readings];
    for text in texts.into_iter().flatten().chain([&entry.summary]) {
        for piece in pieces(text) {
            if let Piece::Name(name) = piece
                && !PLACEHOLDERS.iter().any(|(known, _)| *known == name)
            {
                wrong.push(format!("there is no placeholder {{{name}}}"));
            }
        }
    }
    for link in &entry.links {
        if !link.starts_with("https://") || link.contains(char::is_whitespace) {
            wrong.push(format!("links: {link:?} is no https address"));
        }
    }
    let tells = entry.evidence.as_ref().is_some_and(schema::Facts::tell);
    if entry.patterns.is_empty() && !tells {
        wrong.push("patterns or evidence besides the service are needed".to_owned());
    }
    if entry.both && (entry.patterns.is_empty() || !tells) {
        wrong.push("both: needs patterns and evidence besides the service".to_owned());
    }
    if !entry.patterns.is_empty() && entry.examples.is_empty() {
        wrong.push("examples: a pattern needs a real message that it is tried on".to_owned());
    }
}

fn patterns(entry: Entry, place: String, wrong: &mut Vec<String>) -> Checked {
    let mut read = |pattern: &String| match literal::part(pattern) {
        Ok(part) => Some(part),
        Err(problem) => {
            wrong.push(problem);
            None
        }
    };
    let patterns: Vec<Vec<Part>> = entry
        .patterns
        .iter()
        .map(|pattern| {
            let mut parts: Vec<Part> = pattern.parts().iter().filter_map(&mut read).collect();
            // What the scan does not find is tried last.
            parts.sort_by_key(|part| part.literals.is_empty());
            parts
        })
        .collect();
    let unless = entry.unless.iter().filter_map(&mut read).collect();
    for pattern in &patterns {
        if pattern.iter().all(|part: &Part| part.literals.is_empty()) {
            let parts: Vec<&str> = pattern.iter().map(|part| part.regex.as_str()).collect();
            wrong.push(format!(
                "{parts:?} holds no literal of at least {SHORTEST} characters that every match contains"
            ));
        }
    }
    Checked {
        place,
        entry,
        patterns,
        unless,
    }
}

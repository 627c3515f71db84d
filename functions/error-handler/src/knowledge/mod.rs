//! What Pipewarden knows about failures: entries as data, found by one pass over the texts and weighed against each other.
//!
//! `scan` finds the patterns that may match, `matching` which entries hold, `weighing` which of them is the cause,
//! `fill` puts the names of the run into what it says to do. Nothing here knows a profile, a clock or a network.

mod excerpt;
mod fill;
mod matching;
mod pattern;
mod scan;
pub mod severity;
mod table;
pub mod vocabulary;
mod weighing;

pub use table::Entry;

use crate::evidence::{Evidence, Service};
use fill::Names;
use matching::{Match, Said};
use pipewarden_shared::failure::Confidence;
use std::ops::Range;
use vocabulary::Rank;
use weighing::Verdict;

/// The most bytes on each side of a match that show what it was about.
const AROUND: usize = 220;

/// What the knowledge base says of a failure.
#[derive(Debug, Clone)]
pub struct Conclusion {
    /// The entry that tells the cause.
    pub entry: &'static Entry,
    /// How sure it is, with what contradicts it taken into account.
    pub confidence: Confidence,
    /// Whether the same run may succeed a little later.
    pub transient: bool,
    /// The cause in a sentence.
    pub summary: String,
    /// The words, which are masked, or the fact that it was concluded from, which is not.
    pub evidence: Option<String>,
    /// What to do, in order.
    pub actions: Vec<String>,
    /// Where to look, in order.
    pub steps: Vec<String>,
}

/// The number of entries.
pub fn len() -> usize {
    table::ALL.len()
}

/// Concludes the cause of a failure from what is known of it and its Cause as it came; none where no entry holds.
pub fn conclude(evidence: &Evidence, raw: Option<&str>) -> Option<Conclusion> {
    let said = matching::said(evidence, raw);
    let verdict = weighing::verdict(&matching::matches(evidence, &said, false))?;
    let Verdict {
        best,
        confidence,
        transient,
        rivals,
    } = &verdict;
    let entry = best.entry;
    let names = names(evidence, best, &said);
    let fill = |template: &'static str| names.fill(template);
    let otherwise = rivals.iter().map(|rival| {
        format!(
            "It may as well be {}: {}",
            rival.code,
            fill(rival.summary.as_str())
        )
    });
    let readings = entry.readings.texts().map(|reading| {
        let reading = fill(reading);
        if reading.starts_with("If ") {
            reading
        } else {
            format!("One reading: {reading}")
        }
    });
    Some(Conclusion {
        entry,
        confidence: if evidence.is_gleaned {
            (*confidence).min(Confidence::Medium)
        } else {
            *confidence
        },
        transient: *transient,
        summary: fill(entry.summary.as_str()),
        evidence: words(best, &said, evidence),
        actions: entry.actions.texts().map(fill).collect(),
        steps: readings
            .chain(otherwise.take(2))
            .chain(entry.steps.texts().map(fill))
            .chain(entry.links.texts().map(|link| format!("Read: {link}")))
            .collect(),
    })
}

/// The service that an entry is about, where it is about one.
pub fn service_of(id: &str) -> Option<Service> {
    let entry = table::ALL.iter().find(|entry| entry.id() == id)?;
    let mut services = entry.facts()?.services.texts();
    let (name, other) = (services.next()?, services.next());
    let known = Service::ALL.iter().find(|service| service.as_str() == name);
    known.copied().filter(|_| other.is_none())
}

/// The ids of all entries that hold, best first; what tests and `explain` show.
pub fn holding(evidence: &Evidence, raw: Option<&str>) -> Vec<&'static str> {
    let said = matching::said(evidence, raw);
    let mut matches = matching::matches(evidence, &said, true);
    let mut ids = Vec::new();
    while let Some(verdict) = weighing::verdict(&matches) {
        let id = verdict.best.entry.id();
        ids.push(id);
        matches.retain(|one| one.entry.id() != id);
    }
    ids
}

/// The names of the run, and those that the match itself tells, which are closer.
fn names(evidence: &Evidence, best: &Match, said: &[Said]) -> Names {
    let mut names = Names::default();
    names.extend(
        evidence
            .names
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    if let Some(Said { text, .. }) = said.get(best.depth) {
        for found in &best.found {
            let groups = pattern::groups(found.part, text, &found.range);
            names.extend(groups.iter().map(|(name, value)| (name.as_str(), *value)));
        }
    }
    names
}

/// The words around what was found, or the fact.
fn words(best: &Match, said: &[Said], evidence: &Evidence) -> Option<String> {
    match (best.found.first(), said.get(best.depth)) {
        // Of a whole JSON, the message says more than what is around its keys.
        (Some(_), Some(said)) if said.most == Rank::Wrapper => None,
        (Some(found), Some(Said { text, .. })) => Some(around(text, &found.range)),
        _ => fact(best, evidence),
    }
}

/// The line of a match, or what of a long one is close to it.
fn around(text: &str, range: &Range<usize>) -> String {
    let from = text.floor_char_boundary(range.start.saturating_sub(AROUND));
    let to =
        text.ceil_char_boundary((range.end.min(range.start + AROUND) + AROUND).min(text.len()));
    let before = text.get(from..range.start).unwrap_or_default();
    let behind = text.get(range.start..to).unwrap_or_default();
    let line_start = before.rsplit('\n').next().unwrap_or_default();
    let matched = range.len().min(behind.len());
    let (matched, rest) = behind.split_at(behind.floor_char_boundary(matched));
    let line_end = rest.split('\n').next().unwrap_or_default();
    format!("{line_start}{matched}{line_end}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn fact(best: &Match, evidence: &Evidence) -> Option<String> {
    let facts = best.entry.facts()?;
    if !facts.errors.range().is_empty() {
        return evidence
            .errors
            .get(best.depth)
            .map(|error| format!("error {error}"));
    }
    if !facts.exit_code.range().is_empty() {
        return evidence.exit_code.map(|code| format!("exit code {code}"));
    }
    if !facts.http_status.range().is_empty() {
        return evidence
            .http_status
            .map(|status| format!("HTTP status {status}"));
    }
    let athena = evidence.athena.unwrap_or_default();
    match (athena.category, &evidence.glue_category) {
        (Some(category), _) => Some(format!("Athena error category {category}")),
        (None, category) => category
            .as_ref()
            .map(|category| format!("Glue error category {category}")),
    }
}

#[cfg(test)]
mod tests;

//! Decide: what a message shows, neutral of the channel that shows it.

mod of_notice;
mod summary;

use crate::decide::NEWS;
use jiff::Timestamp;
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;

pub(crate) use of_notice::is_linked;
pub use of_notice::of;
pub use summary::Summary;

/// Why it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootCause {
    /// The cause by its name, such as `out_of_memory`.
    pub code: String,
    /// The cause in a sentence.
    pub summary: Option<String>,
    /// How sure it is: high, medium or low.
    pub confidence: Option<String>,
    /// What a retry would do, where that is known.
    pub retry: Option<&'static str>,
}

/// A page that helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it shows.
    pub label: String,
    /// Its address: always https.
    pub url: String,
}

/// How often it happened, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeats {
    /// How often.
    pub count: u64,
    /// The first time.
    pub since: Timestamp,
}

/// What a message shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Whether the problem is there or gone.
    pub status: Status,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about, in a few words.
    pub title: String,
    /// The first line: what failed and why.
    pub summary: String,
    /// The pipeline.
    pub pipeline: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The state that failed.
    pub state: Option<String>,
    /// What failed, by name.
    pub error_type: Option<String>,
    /// Why it happened.
    pub root_cause: Option<RootCause>,
    /// What a reader weighs it by, by name.
    pub facts: Vec<(String, String)>,
    /// Validations that failed.
    pub failed_validations: Vec<String>,
    /// What to do, in order.
    pub actions: Vec<String>,
    /// Where to look, in order.
    pub steps: Vec<String>,
    /// The words that the cause was concluded from.
    pub evidence: Option<String>,
    /// A text of several lines, shown as it is.
    pub body: Option<String>,
    /// Several problems, in a storm or a digest.
    pub items: Vec<Summary>,
    /// Pages that help.
    pub buttons: Vec<Button>,
    /// When it happened.
    pub occurred_at: Option<Timestamp>,
    /// How often, where it was more than once.
    pub repeats: Option<Repeats>,
    /// What was done to cure it without a person.
    pub recovery: Option<String>,
    /// What it came from and by which id it is found again.
    pub origin: Vec<String>,
    /// ARNs of what it is about.
    pub resources: Vec<String>,
}

impl Card {
    /// A card with a title and a first line, and nothing else.
    pub fn new(severity: Severity, title: String, summary: String) -> Self {
        Self {
            status: Status::Firing,
            severity,
            title,
            summary,
            pipeline: None,
            environment: None,
            state: None,
            error_type: None,
            root_cause: None,
            facts: Vec::new(),
            failed_validations: Vec::new(),
            actions: Vec::new(),
            steps: Vec::new(),
            evidence: None,
            body: None,
            items: Vec::new(),
            buttons: Vec::new(),
            occurred_at: None,
            repeats: None,
            recovery: None,
            origin: Vec::new(),
            resources: Vec::new(),
        }
    }

    /// The same problem once more: how often, and since when.
    #[must_use]
    pub fn repeated(mut self, count: u64, since: Timestamp) -> Self {
        self.repeats = (count > 1).then_some(Repeats { count, since });
        self
    }

    /// The same problem, gone: what to do about it is left out.
    #[must_use]
    pub fn resolved(mut self) -> Self {
        self.status = Status::Resolved;
        self.actions.clear();
        self.steps.clear();
        self.failed_validations.clear();
        self.evidence = None;
        self
    }

    /// The same as news that can wait: something ended that nobody knew of.
    #[must_use]
    pub fn as_news(mut self) -> Self {
        self.status = Status::Firing;
        self.severity = NEWS;
        self
    }

    /// Many problems in a short time, as one message.
    pub fn storm(items: &[Summary]) -> Self {
        let problems = total(items);
        let title = format!("Alert storm: {problems} {}", alerts(problems));
        let summary = format!(
            "{} different {} in {}. Look for what they have in common before you look at each.",
            items.len(),
            if items.len() == 1 {
                "problem"
            } else {
                "problems"
            },
            places(items)
        );
        Self::of_items(items, title, summary)
    }

    /// What can wait, once in a while, as one message.
    pub fn digest(items: &[Summary]) -> Self {
        let problems = total(items);
        let title = format!("Digest: {problems} {}", alerts(problems));
        let summary = format!("What happened since the last digest in {}.", places(items));
        Self::of_items(items, title, summary)
    }

    fn of_items(items: &[Summary], title: String, summary: String) -> Self {
        let severity = items.iter().map(|item| item.severity).max();
        let mut card = Self::new(severity.unwrap_or(Severity::Low), title, summary);
        card.items = items.to_vec();
        card.items
            .sort_by(|a, b| (b.severity, b.count, &a.title).cmp(&(a.severity, a.count, &b.title)));
        card.occurred_at = items.iter().filter_map(|item| item.occurred_at).min();
        let all_gone =
            !items.is_empty() && items.iter().all(|item| item.status == Status::Resolved);
        if all_gone {
            card.status = Status::Resolved;
        }
        card
    }
}

fn total(items: &[Summary]) -> u64 {
    items
        .iter()
        .fold(0, |sum, item| sum.saturating_add(item.count.max(1)))
}

fn alerts(count: u64) -> &'static str {
    if count == 1 { "alert" } else { "alerts" }
}

/// Where they happened: a pipeline by its name, or how many.
fn places(items: &[Summary]) -> String {
    let names: std::collections::BTreeSet<&str> = items
        .iter()
        .filter_map(|item| item.pipeline.as_deref())
        .collect();
    match names.first() {
        None => "this account".to_owned(),
        Some(name) if names.len() == 1 => (*name).to_owned(),
        Some(_) => format!("{} pipelines", names.len()),
    }
}

#[cfg(test)]
mod tests;

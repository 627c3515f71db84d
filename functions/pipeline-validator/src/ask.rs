//! Act: asks datasets until each check has an answer or is known to have none.
//!
//! A scan that fails takes the rules on it with it. They are asked again in halves, until the guilty one stands alone;
//! the others are answered.

use crate::check::Check;
use crate::engine::{Answer, Engine, QueryFailed};
use crate::rules::{self, Context, Part};
use crate::scan::{Findings, Row, Scan, UnexpectedResult};
use crate::scd2;
use jiff::Timestamp;
use pipewarden_shared::profile::Scd2;
use tokio::time::Instant;

/// A query that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The dataset.
    pub dataset: String,
    /// The engine's id of the query.
    pub query_id: String,
    /// Bytes that it read.
    pub bytes_scanned: u64,
    /// Whether it gave an answer.
    pub answered: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Asked {
    /// By dataset, in the order in which they were asked.
    pub findings: Vec<Findings>,
    /// Every query.
    pub queries: Vec<Ran>,
}

/// A dataset, and what it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its table, rules and place.
    pub context: Context<'a>,
    /// How it writes its history, where it is a dimension.
    pub scd2: Option<&'a Scd2>,
    /// When the run began.
    pub since: Option<Timestamp>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError<E: std::error::Error + 'static> {
    /// The engine gave none.
    #[error(transparent)]
    Engine(E),
    /// A result is not what its scan asked for.
    #[error(transparent)]
    Unexpected(#[from] UnexpectedResult),
}

/// Something that is asked of one dataset at once.
enum Asking {
    Rules(usize, Part, rules::Question),
    History(usize, scd2::Question),
}

impl Asking {
    fn scans(&self) -> &[Scan] {
        match self {
            Self::Rules(_, _, question) => &question.scans,
            Self::History(_, question) => std::slice::from_ref(&question.scan),
        }
    }
}

impl Subject<'_> {
    /// What is asked of the table's rows; nothing of a dimension of which only its history is known.
    pub fn part(&self) -> Option<Part> {
        let expected = !self.context.rules.is_empty() || self.context.dataset.freshness.is_some();
        // A table of which nothing is expected is still counted, unless its history is looked at.
        (expected || self.scd2.is_none()).then(|| Part::whole(self.context.rules))
    }

    /// The question of its history.
    pub fn history(&self) -> Option<scd2::Question> {
        let context = &self.context;
        self.scd2.map(|scd2| {
            scd2::question(
                context.name,
                context.dataset,
                scd2,
                context.database,
                context.dialect,
                self.since,
            )
        })
    }
}

/// Asks every dataset, all of them at once, and what could not be answered again in halves.
///
/// # Errors
/// [`AskError`]: the engine as a whole gave no answer, or a result is not what was asked for.
pub async fn ask<E: Engine>(
    engine: &E,
    subjects: &[Subject<'_>],
    token: &str,
    deadline: Instant,
) -> Result<Asked, AskError<E::Error>> {
    let mut asked = Asked {
        findings: subjects.iter().map(|_| Findings::default()).collect(),
        queries: Vec::new(),
    };
    let mut pending = beginning(subjects);
    let mut round = 0;
    while !pending.is_empty() {
        let scans: Vec<&Scan> = pending.iter().flat_map(Asking::scans).collect();
        let token = format!("{token}-{round}");
        let answers = engine
            .answer_all(&scans, &token, deadline)
            .await
            .map_err(AskError::Engine)?;
        asked.queries.extend(
            scans
                .iter()
                .zip(&answers)
                .map(|(scan, answer)| ran(scan, answer)),
        );
        let mut answers = answers.into_iter();
        let mut again = Vec::new();
        for asking in pending {
            let own: Vec<_> = answers.by_ref().take(asking.scans().len()).collect();
            let open = settle(asking, own, subjects, &mut asked.findings)?;
            again.extend(open);
        }
        pending = again;
        round += 1;
    }
    for findings in &mut asked.findings {
        findings.checks.sort_by_key(|(place, _)| *place);
    }
    Ok(asked)
}

fn beginning(subjects: &[Subject<'_>]) -> Vec<Asking> {
    let mut pending = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        if let Some(part) = subject.part() {
            let question = rules::question(&subject.context, &part);
            pending.push(Asking::Rules(index, part, question));
        }
        pending.extend(
            subject
                .history()
                .map(|question| Asking::History(index, question)),
        );
    }
    pending
}

fn ran(scan: &Scan, answer: &Result<Answer, QueryFailed>) -> Ran {
    let (query_id, bytes_scanned) = match answer {
        Ok(answer) => (&answer.query_id, answer.bytes_scanned),
        Err(failed) => (&failed.query_id, failed.bytes_scanned),
    };
    Ran {
        dataset: scan.dataset.clone(),
        query_id: query_id.clone(),
        bytes_scanned,
        answered: answer.is_ok(),
    }
}

/// Takes what was answered; returns what has to be asked again.
fn settle(
    asking: Asking,
    answers: Vec<Result<Answer, QueryFailed>>,
    subjects: &[Subject<'_>],
    findings: &mut [Findings],
) -> Result<Vec<Asking>, UnexpectedResult> {
    let mut failed: Option<QueryFailed> = None;
    let mut rows: Vec<Option<Row>> = Vec::new();
    for (scan, answer) in asking.scans().iter().zip(answers) {
        rows.push(match answer {
            Ok(answer) => Some(scan.row(answer.rows)?),
            Err(error) => {
                tracing::warn!(
                    dataset = scan.dataset,
                    query_id = error.query_id,
                    "{error}; it answers {} checks",
                    scan.answers.len()
                );
                failed = Some(error);
                None
            }
        });
    }
    match asking {
        Asking::History(index, question) => {
            let (Some(subject), Some(own)) = (subjects.get(index), findings.get_mut(index)) else {
                return Ok(Vec::new());
            };
            match (rows.first().and_then(Option::as_ref), failed) {
                (Some(row), _) => take(own, question.read(row)?, subject.context.rules.len() + 1),
                (None, failed) => {
                    let reason = failed.map(|failed| failed.to_string()).unwrap_or_default();
                    let place = subject.context.rules.len() + 1;
                    own.checks
                        .extend(question.scan.answers.iter().enumerate().map(|(at, name)| {
                            (place + at, Check::unanswered(name.clone(), false, &reason))
                        }));
                }
            }
            Ok(Vec::new())
        }
        Asking::Rules(index, part, question) => {
            let (Some(subject), Some(own)) = (subjects.get(index), findings.get_mut(index)) else {
                return Ok(Vec::new());
            };
            let found = question.read(&subject.context, &rows)?;
            take(own, found.findings, 0);
            Ok(again(index, &part, found.open, failed, subject, own))
        }
    }
}

/// What is still open, in halves; what stands alone is known to have no answer.
fn again(
    index: usize,
    part: &Part,
    open: Part,
    failed: Option<QueryFailed>,
    subject: &Subject<'_>,
    findings: &mut Findings,
) -> Vec<Asking> {
    if open.is_empty() {
        return Vec::new();
    }
    let hopeless = failed.as_ref().is_some_and(|failed| !failed.may_be_split);
    if part.len() == 1 || hopeless {
        let reason = failed.map(|failed| failed.to_string()).unwrap_or_default();
        findings
            .checks
            .extend(subject.context.unanswered(&open, &reason));
        return Vec::new();
    }
    open.halves()
        .into_iter()
        .map(|half| {
            let question = rules::question(&subject.context, &half);
            Asking::Rules(index, half, question)
        })
        .collect()
}

fn take(own: &mut Findings, found: Findings, place: usize) {
    own.checks.extend(
        found
            .checks
            .into_iter()
            .map(|(at, check)| (place + at, check)),
    );
    own.measures.extend(found.measures);
    own.records = own.records.or(found.records);
    own.freshness_seconds = own.freshness_seconds.or(found.freshness_seconds);
    own.history = own.history.or(found.history);
}

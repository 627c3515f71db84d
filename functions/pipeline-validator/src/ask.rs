//! Act: asks datasets until each check has an answer or is known to have none.
//!
//! A scan that fails takes the rules on it with it. They are asked again in halves, until the guilty one stands alone;
//! the others are answered. Beside the first halves goes a probe of what they share: where it fails too, it is at fault.

use crate::engine::{Answer, Engine, QueryFailed};
use crate::rules::{self, Context, Part};
use crate::scan::{Findings, Row, Scan, UnexpectedResult};
use crate::scd2;
use jiff::Timestamp;
use pipewarden_shared::profile::Scd2;
use std::collections::BTreeMap;
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
    /// What everything else of the dataset stands on; it answers nothing itself.
    Probe(usize, Scan),
}

impl Asking {
    fn scans(&self) -> &[Scan] {
        match self {
            Self::Rules(_, _, question) => &question.scans,
            Self::History(_, question) => question.scan.as_slice(),
            Self::Probe(_, scan) => std::slice::from_ref(scan),
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
            let dimension = scd2::Dimension {
                dataset: context.dataset,
                scd2,
                database: context.database,
                dialect: context.dialect,
                schemas: context.schemas,
                now: context.now,
            };
            scd2::question(context.name, &dimension, self.since)
        })
    }
}

/// Why something was not asked again.
const OUT_OF_TIME: &str = "no time was left to ask again";

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
    let mut course = Course {
        subjects,
        findings: subjects.iter().map(|_| Findings::default()).collect(),
        hopeless: BTreeMap::new(),
        round: 0,
    };
    let mut queries = Vec::new();
    let mut pending = course.beginning();
    while !pending.is_empty() {
        let scans: Vec<&Scan> = pending.iter().flat_map(Asking::scans).collect();
        let token = format!("{token}-{}", course.round);
        let answers = match engine.answer_all(&scans, &token, deadline).await {
            Ok(answers) => answers,
            // What was answered before is worth telling.
            Err(_) if course.round > 0 && Instant::now() >= deadline => {
                for asking in &pending {
                    course.give_up(asking, OUT_OF_TIME);
                }
                break;
            }
            Err(error) => return Err(AskError::Engine(error)),
        };
        let ran = scans.iter().zip(&answers);
        queries.extend(ran.map(|(scan, answer)| ran_as(scan, answer)));
        pending = course.settle_all(pending, answers)?;
        course.round += 1;
        if Instant::now() >= deadline {
            for asking in std::mem::take(&mut pending) {
                course.give_up(&asking, OUT_OF_TIME);
            }
        }
    }
    for findings in &mut course.findings {
        findings.checks.sort_by_key(|(place, _)| *place);
    }
    Ok(Asked {
        findings: course.findings,
        queries,
    })
}

fn ran_as(scan: &Scan, answer: &Result<Answer, QueryFailed>) -> Ran {
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

/// What was found so far.
struct Course<'a> {
    subjects: &'a [Subject<'a>],
    findings: Vec<Findings>,
    /// Datasets of which nothing more can be answered, each with why.
    hopeless: BTreeMap<usize, String>,
    round: usize,
}

impl<'a> Course<'a> {
    fn of(&mut self, index: usize) -> Option<(&'a Subject<'a>, &mut Findings)> {
        Some((self.subjects.get(index)?, self.findings.get_mut(index)?))
    }

    fn beginning(&mut self) -> Vec<Asking> {
        let mut pending = Vec::new();
        for ((index, subject), own) in self.subjects.iter().enumerate().zip(&mut self.findings) {
            let context = &subject.context;
            if let Some(part) = subject.part() {
                own.checks.extend(context.key().map(|check| (0, check)));
                match context.blocked() {
                    Some(reason) => own.checks.extend(context.unanswered(&part, &reason)),
                    None => {
                        let question = rules::question(context, &part);
                        pending.push(Asking::Rules(index, part, question));
                    }
                }
            }
            let history = subject.history();
            pending.extend(history.map(|question| Asking::History(index, question)));
        }
        pending
    }

    /// Takes what was answered; returns what has to be asked again.
    fn settle_all(
        &mut self,
        pending: Vec<Asking>,
        answers: Vec<Result<Answer, QueryFailed>>,
    ) -> Result<Vec<Asking>, UnexpectedResult> {
        let mut answers = answers.into_iter();
        let mut again = Vec::new();
        for asking in pending {
            let own: Vec<_> = answers.by_ref().take(asking.scans().len()).collect();
            again.extend(self.settle(asking, own)?);
        }
        let mut open = Vec::new();
        for asking in again {
            let lost = match &asking {
                Asking::Rules(index, ..) => self.hopeless.get(index).cloned(),
                Asking::History(..) | Asking::Probe(..) => None,
            };
            match lost {
                Some(reason) => self.give_up(&asking, &reason),
                None => open.push(asking),
            }
        }
        Ok(open)
    }

    fn settle(
        &mut self,
        asking: Asking,
        answers: Vec<Result<Answer, QueryFailed>>,
    ) -> Result<Vec<Asking>, UnexpectedResult> {
        let (rows, failed) = read(asking.scans(), answers)?;
        match asking {
            Asking::Probe(index, _) => {
                self.hopeless
                    .extend(failed.map(|failed| (index, failed.to_string())));
                Ok(Vec::new())
            }
            Asking::History(index, question) => {
                if let Some((subject, own)) = self.of(index) {
                    let place = subject.context.rules.len() + 1;
                    match rows.first().and_then(Option::as_ref) {
                        Some(row) => take(own, question.read(row)?, place),
                        None => {
                            let reason = failed.map(|failed| failed.to_string());
                            let checks = question.without_row(&reason.unwrap_or_default());
                            own.checks
                                .extend(checks.into_iter().map(|(at, check)| (place + at, check)));
                        }
                    }
                }
                Ok(Vec::new())
            }
            Asking::Rules(index, part, question) => {
                let Some((subject, own)) = self.of(index) else {
                    return Ok(Vec::new());
                };
                let found = question.read(&subject.context, &rows)?;
                take(own, found.findings, 0);
                Ok(self.again(index, &part, found.open, failed))
            }
        }
    }

    /// What is still open, in halves; what stands alone is known to have no answer.
    fn again(
        &mut self,
        index: usize,
        part: &Part,
        open: Part,
        failed: Option<QueryFailed>,
    ) -> Vec<Asking> {
        let first = self.round == 0;
        let Some((subject, own)) = self.of(index).filter(|_| !open.is_empty()) else {
            return Vec::new();
        };
        let hopeless = failed.as_ref().is_some_and(|failed| !failed.may_be_split);
        if part.len() == 1 || hopeless {
            let reason = failed.map(|failed| failed.to_string()).unwrap_or_default();
            own.checks
                .extend(subject.context.unanswered(&open, &reason));
            return Vec::new();
        }
        // Halves of halves are worth asking only where the rows can be read at all.
        let probe = (first && open.len() > 2).then(|| subject.context.probe());
        let halves = open.halves().into_iter().map(|half| {
            let question = rules::question(&subject.context, &half);
            Asking::Rules(index, half, question)
        });
        halves
            .chain(probe.map(|scan| Asking::Probe(index, scan)))
            .collect()
    }

    /// Leaves without an answer what is asked no more.
    fn give_up(&mut self, asking: &Asking, reason: &str) {
        match asking {
            Asking::Rules(index, part, _) => {
                if let Some((subject, own)) = self.of(*index) {
                    own.checks.extend(subject.context.unanswered(part, reason));
                }
            }
            // A history is asked once, and a probe answers nothing.
            Asking::History(..) | Asking::Probe(..) => {}
        }
    }
}

/// The rows of scans, in their order, and why one of them gave none: rather one that another query may answer.
fn read(
    scans: &[Scan],
    answers: Vec<Result<Answer, QueryFailed>>,
) -> Result<(Vec<Option<Row>>, Option<QueryFailed>), UnexpectedResult> {
    let mut failed: Option<QueryFailed> = None;
    let mut rows = Vec::new();
    for (scan, answer) in scans.iter().zip(answers) {
        rows.push(match answer {
            Ok(answer) => Some(scan.row(answer.rows)?),
            Err(error) => {
                tracing::warn!(
                    dataset = scan.dataset,
                    query_id = error.query_id,
                    "{error}; it answers {} checks",
                    scan.answers.len()
                );
                let better = failed.as_ref().is_none_or(|failed| !failed.may_be_split);
                if better {
                    failed = Some(error);
                }
                None
            }
        });
    }
    Ok((rows, failed))
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

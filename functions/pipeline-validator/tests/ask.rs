//! Asking until each check has an answer, over an engine that fails as it is told to: what is asked again, and what is
//! given up by name.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use pipeline_validator::ask::{AskError, Asked, Subject, ask};
use pipeline_validator::catalog::{ColumnType, Schema, Schemas, TableName};
use pipeline_validator::check::Check;
use pipeline_validator::engine::{Answer, Engine, QueryFailed};
use pipeline_validator::past::Past;
use pipeline_validator::rules::Context;
use pipeline_validator::rules_of;
use pipeline_validator::scan::Scan;
use pipeline_validator::sql::{Dialect, Trino};
use pipewarden_shared::profile::Profile;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Queries that hold one of these texts fail; the round of this number never ends in time.
#[derive(Default)]
struct Fake {
    refuses: Vec<&'static str>,
    hangs_in_round: Option<usize>,
    round: AtomicUsize,
}

#[derive(Debug, thiserror::Error)]
#[error("the engine gave no answer")]
struct NoAnswer;

impl Engine for Fake {
    type Error = NoAnswer;

    fn dialect(&self) -> &dyn Dialect {
        &Trino
    }

    async fn schemas(&self, _: &BTreeSet<TableName>) -> Result<Schemas, NoAnswer> {
        Ok(Schemas::new())
    }

    async fn answer_all(
        &self,
        scans: &[&Scan],
        token: &str,
        deadline: Instant,
    ) -> Result<Vec<Result<Answer, QueryFailed>>, NoAnswer> {
        if self.hangs_in_round == Some(self.round.fetch_add(1, Ordering::Relaxed)) {
            tokio::time::sleep_until(deadline).await;
            return Err(NoAnswer);
        }
        Ok(scans.iter().map(|scan| self.answer(scan, token)).collect())
    }
}

impl Fake {
    fn answer(&self, scan: &Scan, token: &str) -> Result<Answer, QueryFailed> {
        let text = &scan.sql.text;
        match self.refuses.iter().find(|word| text.contains(**word)) {
            None => {
                let width = (0..).take_while(|column| {
                    text.contains(&format!(" AS c{column},"))
                        || text.contains(&format!(" AS c{column}\n"))
                });
                Ok(Answer {
                    rows: vec![width.map(|_| None).collect()],
                    query_id: token.to_owned(),
                    bytes_scanned: 0,
                })
            }
            Some(word) => Err(QueryFailed {
                dataset: scan.dataset.clone(),
                query_id: token.to_owned(),
                state: "FAILED".to_owned(),
                reason: format!("line {}: {word} cannot be resolved", text.len()),
                bytes_scanned: 0,
                may_be_split: true,
            }),
        }
    }
}

/// The table `t` with columns `id`, `day` and `c0` to `c99`.
fn catalog() -> Schemas {
    let columns = (0..100).map(|number| format!("c{number}"));
    let columns = columns.chain(["id", "day"].map(str::to_owned));
    let columns = columns.map(|name| ColumnType {
        name,
        data_type: "integer".to_owned(),
    });
    let columns = columns.collect();
    Schemas::from([(TableName::of("t"), Schema { columns })])
}

/// The profile of a table with these settings and a hundred rules.
fn profile(settings: &str) -> Profile {
    let rules: Vec<String> = (0..100)
        .map(|number| format!("ColumnValues \"c{number}\" >= 0"))
        .collect();
    let yaml = format!(
        "{{pipeline: p, metrics: {{namespace: N}}, datasets: {{d: {{table: t, {settings}, rules: 'Rules = [ {} ]'}}}}}}",
        rules.join(", ")
    );
    Profile::parse(&yaml).unwrap_or_else(|error| panic!("{error}"))
}

async fn asked(engine: &Fake, profile: &Profile) -> Result<Asked, AskError<NoAnswer>> {
    let rules = rules_of(profile).unwrap_or_else(|(_, error)| panic!("{error}"));
    let (schemas, past) = (catalog(), Past::default());
    let dataset = &profile.datasets["d"];
    let context = Context {
        name: "d",
        dataset,
        rules: &rules["d"],
        database: "lake",
        dialect: &Trino,
        schemas: Some(&schemas),
        past: &past,
        now: "2026-03-01T06:00:00Z".parse().unwrap(),
    };
    let subject = Subject {
        context,
        scd2: dataset.scd2.as_ref(),
        since: None,
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    ask(engine, &[subject], "token", deadline).await
}

fn checks(asked: &Asked) -> Vec<&Check> {
    let checks = asked.findings[0].checks.iter();
    checks.map(|(_, check)| check).collect()
}

#[tokio::test]
async fn what_all_rules_share_is_found_at_fault_once() {
    let engine = Fake {
        refuses: vec!["nope"],
        ..Fake::default()
    };
    let asked = asked(&engine, &profile("key: [id], where: nope = 1"))
        .await
        .unwrap();
    // The whole, its two halves, the count of the rows, and the probe.
    assert_eq!(asked.queries.len(), 5);
    let checks = checks(&asked);
    assert_eq!(checks.len(), 101);
    for check in checks {
        assert!(
            check.sentence.contains("nope cannot be resolved"),
            "{check:?}"
        );
    }
}

#[tokio::test]
async fn what_one_rule_does_is_still_held_against_it_alone() {
    let engine = Fake {
        refuses: vec!["\"c7\""],
        ..Fake::default()
    };
    let asked = asked(&engine, &profile("key: [id]")).await.unwrap();
    let open: Vec<&str> = checks(&asked)
        .into_iter()
        .filter(|check| check.not_evaluated.is_some())
        .map(|check| check.name.as_str())
        .collect();
    assert_eq!(open, ["d: ColumnValues \"c7\" >= 0"]);
    assert!(asked.queries.len() < 20, "{}", asked.queries.len());
}

#[tokio::test]
async fn a_key_that_the_catalog_lacks_is_named_and_the_rules_are_answered() {
    let asked = asked(&Fake::default(), &profile("key: [id, part]"))
        .await
        .unwrap();
    let checks = checks(&asked);
    assert_eq!(
        checks[0].failure(),
        "d: key: there is no column part in lake.t"
    );
    assert_eq!(asked.queries.len(), 1);
    assert!(
        checks[1..]
            .iter()
            .all(|check| check.not_evaluated.is_none())
    );
}

#[tokio::test]
async fn a_window_that_the_catalog_lacks_is_named_before_anything_runs() {
    let settings = "key: [id], window: {column: dt, last: 3d}";
    let asked = asked(&Fake::default(), &profile(settings)).await.unwrap();
    assert_eq!(asked.queries.len(), 0);
    let checks = checks(&asked);
    assert_eq!(checks.len(), 101);
    for check in checks {
        assert_eq!(
            check.sentence,
            "could not be evaluated: there is no column dt in lake.t"
        );
    }
}

#[tokio::test]
async fn a_history_whose_columns_the_catalog_lacks_is_named_before_anything_runs() {
    let settings =
        "key: [id], scd2: {valid_from: day, valid_to: until, current: c1, tracked: [c2]}";
    let asked = asked(&Fake::default(), &profile(settings)).await.unwrap();
    assert_eq!(asked.queries.len(), 1, "that of the rules");
    let open: Vec<&Check> = checks(&asked)
        .into_iter()
        .filter(|check| check.not_evaluated.is_some())
        .collect();
    assert_eq!(open.len(), 9);
    assert!(open.iter().all(|check| {
        check
            .sentence
            .ends_with("there is no column until in lake.t")
    }));
}

#[tokio::test]
async fn the_catalog_is_asked_for_the_source_of_a_history() {
    let settings = "key: [id], scd2: {valid_from: a, valid_to: b, current: c, tracked: [c2], \
                    source: {table: raw, changed_at: at}}";
    let profile = profile(settings);
    let rules = rules_of(&profile).unwrap();
    let context = Context {
        name: "d",
        dataset: &profile.datasets["d"],
        rules: &rules["d"],
        database: "lake",
        dialect: &Trino,
        schemas: None,
        past: &Past::default(),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    assert!(context.tables().contains(&TableName::of("raw")));
}

#[tokio::test(start_paused = true)]
async fn answers_are_kept_when_no_time_is_left_to_ask_again() {
    let engine = Fake {
        refuses: vec!["\"c7\""],
        hangs_in_round: Some(3),
        ..Fake::default()
    };
    let asked = asked(&engine, &profile("key: [id]")).await.unwrap();
    let (open, told): (Vec<&Check>, Vec<&Check>) = checks(&asked)
        .into_iter()
        .partition(|check| check.not_evaluated.is_some());
    assert!(told.len() > 70, "{}", told.len());
    assert_eq!(open.len() + told.len(), 100);
    for check in open {
        assert_eq!(
            check.sentence,
            "could not be evaluated: no time was left to ask again"
        );
    }

    let silent = Fake {
        hangs_in_round: Some(0),
        ..Fake::default()
    };
    let error = self::asked(&silent, &profile("key: [id]")).await;
    assert!(matches!(error, Err(AskError::Engine(NoAnswer))));
}

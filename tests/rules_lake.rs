//! Tables for tests of rules, and what rules say of them.

use crate::Lake;
use pipeline_validator::ask::{Subject, ask};
use pipeline_validator::check::Check;
use pipeline_validator::engine::Engine;
use pipeline_validator::past::Past;
use pipeline_validator::rules::Context;
use pipeline_validator::rules_of;
use pipewarden_shared::profile::{Dataset, Profile};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// A table with everything that is easy to get wrong: NULL, blanks, quotes, duplicates, negative numbers, texts that
/// may be numbers or dates.
pub const ROWS: &str = "\
1,alpha,10,2.5,2026-01-01,17
2,beta,20,-1.5,2026-01-02,8
3,,30,0,2026-01-03,2026-02-28
4,\\N,40,1.0,2026-01-04,2024-02-29
5,\"  \",50,\\N,\\N,1.5e
6,O'Brien,10,3.0,2026-01-05,31/12/2025
7,alpha,\\N,4.0,2026-01-06,\\N
8,Ünïcode,60,5.5,2026-01-07,99
";

/// Four rows of which two are those of the table above.
const OTHERS: &str = "\
1,alpha,10,2.5,2026-01-01,17
2,beta,20,-1.5,2026-01-02,8
3,,40,0,2026-01-03,x
6,Obrien,30,3.0,2026-01-05,31/12/2025
";

/// The columns of both tables; one has another type in the second.
const COLUMNS: [(&str, &str); 6] = [
    ("id", "INTEGER"),
    ("name", "VARCHAR"),
    ("score", "INTEGER"),
    ("amount", "DECIMAL(10,4)"),
    ("day", "DATE"),
    ("code", "VARCHAR"),
];

/// What was asked.
#[derive(Debug)]
pub struct Asked {
    /// The checks, in the order of the rules.
    pub checks: Vec<Check>,
    /// The queries that ran.
    pub queries: Vec<String>,
    /// What was measured.
    pub measures: BTreeMap<String, f64>,
    /// Rows of the table.
    pub records: Option<u64>,
}

/// The tables `things` and `others`; the rows of the first may be given.
pub fn lake(rows: Option<&str>) -> Lake {
    let mut others = COLUMNS;
    others[3] = ("amount", "DECIMAL(12,4)");
    Lake::default()
        .with("things", &COLUMNS, rows.unwrap_or(ROWS))
        .with("others", &others, OTHERS)
}

/// A profile whose dataset `d` has these rules, changed as the test needs it.
pub fn profile(rules: &[&str], change: impl FnOnce(&mut Dataset)) -> Profile {
    let yaml = "{pipeline: p, metrics: {namespace: N}, datasets: {
        d: {table: things, key: [id]}, others: {table: others, key: [id]}}}";
    let mut profile = Profile::parse(yaml).unwrap();
    let dataset = profile.datasets.get_mut("d").unwrap();
    dataset.rules = (!rules.is_empty()).then(|| format!("Rules = [ {} ]", rules.join(", ")));
    change(dataset);
    profile
}

/// Asks rules of the table `things`, at noon of the 8th of January 2026.
pub fn ask_rules(lake: &Lake, rules: &[&str], change: impl FnOnce(&mut Dataset)) -> Asked {
    ask_with(lake, &profile(rules, change), &Past::default())
}

/// The same with a profile and earlier results.
pub fn ask_with(lake: &Lake, profile: &Profile, past: &Past) -> Asked {
    let rules = rules_of(profile).unwrap_or_else(|(_, error)| panic!("{error}"));
    let dataset = &profile.datasets["d"];
    let context = Context {
        name: "d",
        dataset,
        rules: &rules["d"],
        database: "lake",
        dialect: lake.dialect(),
        schemas: None,
        past,
        now: "2026-01-08T12:00:00Z".parse().unwrap(),
    };
    let tables: BTreeSet<_> = context.tables();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let asked = runtime.block_on(async {
        let schemas = lake.schemas(&tables).await.unwrap();
        let subject = Subject {
            context: Context {
                schemas: Some(&schemas),
                ..context
            },
            scd2: dataset.scd2.as_ref(),
            since: None,
        };
        let deadline = Instant::now() + Duration::from_secs(600);
        ask(lake, &[subject], "token", deadline).await
    });
    let mut asked = asked.unwrap_or_else(|error| panic!("{error}"));
    let findings = asked.findings.remove(0);
    Asked {
        checks: findings
            .checks
            .into_iter()
            .map(|(_, check)| check)
            .collect(),
        queries: lake.queries(),
        measures: findings.measures,
        records: findings.records,
    }
}

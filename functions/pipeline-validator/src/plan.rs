//! What the datasets of a profile are asked: their rules, and the scans that answer them before anything has run.

use crate::ask::Subject;
use crate::past::Past;
use crate::rules::{self, Context, Rules, RulesError};
use crate::scan::Scan;
use crate::sql::Trino;
use jiff::Timestamp;
use pipewarden_shared::profile::{Dataset, Profile};
use std::collections::BTreeMap;

/// Reads the rules of a profile's datasets; the error is of the first dataset whose rules cannot be used.
///
/// # Errors
/// The dataset's name and what is wrong with its rules.
pub fn rules_of(profile: &Profile) -> Result<BTreeMap<String, Rules>, (String, RulesError)> {
    let rules = profile.datasets.iter().map(|(name, dataset)| {
        filter_of(dataset).map_err(|error| (name.clone(), error))?;
        let rules = dataset.rules.as_deref().map_or_else(
            || Ok(Rules::default()),
            |dqdl| Rules::parse(dqdl, &profile.datasets, &Trino),
        );
        rules
            .map(|rules| (name.clone(), rules))
            .map_err(|error| (name.clone(), error))
    });
    rules.collect()
}

/// What a dataset is asked, before anything is known of its columns.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The dataset.
    pub dataset: &'a str,
    /// The scans, which run side by side.
    pub scans: Vec<Scan>,
    /// The rules that the catalog answers, without a scan.
    pub of_catalog: Vec<String>,
}

/// The plan of each dataset of a profile.
///
/// # Errors
/// As [`rules_of`].
pub fn plan<'a>(
    profile: &'a Profile,
    database: &str,
    now: Timestamp,
) -> Result<Vec<Plan<'a>>, (String, RulesError)> {
    let rules = rules_of(profile)?;
    let (no_rules, past) = (Rules::default(), Past::default());
    let plans = profile.datasets.iter().map(|(name, dataset)| {
        let subject = Subject {
            context: Context {
                name,
                dataset,
                rules: rules.get(name).unwrap_or(&no_rules),
                database,
                dialect: &Trino,
                schemas: None,
                past: &past,
                now,
            },
            scd2: dataset.scd2.as_ref(),
            since: Some(now),
        };
        let rows = subject
            .part()
            .map(|part| rules::question(&subject.context, &part));
        let of_catalog = rows.as_ref().map(|rows| rows.of_catalog(&subject.context));
        let history = subject.history().and_then(|question| question.scan);
        let scans = rows.into_iter().flat_map(|rows| rows.scans).chain(history);
        Plan {
            dataset: name,
            scans: scans.collect(),
            of_catalog: of_catalog.unwrap_or_default(),
        }
    });
    Ok(plans.collect())
}

/// Whether a dataset's filter ends where it ends.
fn filter_of(dataset: &Dataset) -> Result<(), RulesError> {
    match &dataset.filter {
        None => Ok(()),
        Some(text) => rules::condition_of_author("where", text)
            .map(|_| ())
            .map_err(|reason| {
                RulesError::Unanswerable(vec![rules::Unanswerable {
                    rule: text.clone(),
                    reason,
                }])
            }),
    }
}

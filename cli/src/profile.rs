//! `check` and `plan`: what a profile says, and the SQL that it becomes.

use crate::CommandError;
use clap::Args;
use pipeline_validator::scan::Scan;
use pipeline_validator::{questions, rules_of};
use pipewarden_shared::profile::Profile;
use std::path::{Path, PathBuf};

/// Check a profile.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The profile, a YAML file.
    profile: PathBuf,
}

/// Show what a profile compiles to.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The profile, a YAML file.
    profile: PathBuf,
    /// The Glue database of the tables.
    #[arg(long, default_value = "salesforce")]
    database: String,
}

impl Check {
    pub(crate) fn run(&self) -> Result<String, CommandError> {
        let profile = read(&self.profile)?;
        let mut lines = vec![format!(
            "{} is a profile of {}",
            self.profile.display(),
            profile.pipeline
        )];
        for (dataset, scan) in planned(&profile, "database")? {
            lines.push(format!(
                "  {dataset}: {} checks in one scan",
                scan.answers.len()
            ));
        }
        Ok(lines.join("\n"))
    }
}

impl Plan {
    pub(crate) fn run(&self) -> Result<String, CommandError> {
        let profile = read(&self.profile)?;
        let scans = planned(&profile, &self.database)?;
        let parts = scans.iter().enumerate().map(|(index, (dataset, scan))| {
            let answers: Vec<String> = scan
                .answers
                .iter()
                .map(|check| format!("--   {check}"))
                .collect();
            format!(
                "-- scan {} of {dataset} answers\n{}\n{};",
                index + 1,
                answers.join("\n"),
                scan.sql.text
            )
        });
        Ok(parts.collect::<Vec<_>>().join("\n\n"))
    }
}

fn read(path: &Path) -> Result<Profile, CommandError> {
    Profile::read(path).map_err(|source| CommandError::Profile {
        path: path.display().to_string(),
        source,
    })
}

/// Every scan of a profile, with its dataset. The clock shows in no SQL.
fn planned<'p>(profile: &'p Profile, database: &str) -> Result<Vec<(&'p str, Scan)>, CommandError> {
    let epoch = jiff::Timestamp::UNIX_EPOCH;
    let rules = rules_of(profile).map_err(|(dataset, error)| CommandError::Rules {
        dataset,
        source: error,
    })?;
    let datasets = profile.datasets.iter().zip(rules.values());
    Ok(datasets
        .flat_map(|((name, dataset), rules)| {
            let questions = questions(name, dataset, rules, database, Some(epoch), epoch);
            let scans = questions.into_iter().flat_map(|question| question.scans);
            scans.map(|scan| (name.as_str(), scan)).collect::<Vec<_>>()
        })
        .collect())
}

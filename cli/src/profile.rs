//! `check`: what a profile says, and whether every part of it can be used.

use crate::{CommandError, plan, shown};
use clap::Args;
use pipewarden_shared::profile::alerting::{Alerting, assumed_settings};
use pipewarden_shared::profile::{Profile, ProfileError};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Check a profile.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pipewarden check pipelines/sf-user.yaml
  for profile in pipelines/*.yaml; do pipewarden check \"$profile\" || exit 1; done

Exit codes: 0 fine, 1 not, 2 wrong arguments.")]
pub(crate) struct Check {
    /// The profile, a YAML file.
    profile: PathBuf,
}

impl Check {
    pub(crate) fn run(&self) -> Result<String, CommandError> {
        let profile = read(&self.profile)?;
        let mut lines = vec![format!(
            "{} is a profile of {}",
            self.profile.display(),
            profile.pipeline
        )];
        let (plans, alerting) = match (
            plan::planned(&profile, "database"),
            alerting(&self.profile, &profile),
        ) {
            (Ok(plans), Ok(alerting)) => (plans, alerting),
            (plans, alerting) => {
                let together = plans.err().into_iter().chain(alerting.err());
                return Err(all_that_is_wrong(&self.profile, &profile, together));
            }
        };
        lines.extend(
            plans
                .iter()
                .map(|plan| format!("  {}", plan::sentence(plan))),
        );
        lines.push(format!("  alerts: {}", receivers(&profile, &alerting)));
        let warnings = alerting.warnings.iter();
        lines.extend(warnings.map(|warning| format!("  warning: {warning}")));
        Ok(lines.join("\n"))
    }
}

/// What is wrong: besides the first of it, the rules of each dataset, read as if the others had none.
fn all_that_is_wrong(
    path: &Path,
    profile: &Profile,
    together: impl Iterator<Item = CommandError>,
) -> CommandError {
    let named = |error: CommandError| match error {
        CommandError::Rules { .. } => format!("error: {}: {error}", path.display()),
        error => format!("error: {error}"),
    };
    let of_dataset = |name: &String| {
        let mut alone = profile.clone();
        let others = alone
            .datasets
            .iter_mut()
            .filter(|(other, _)| *other != name);
        others.for_each(|(_, dataset)| dataset.rules = None);
        plan::planned(&alone, "database").err()
    };
    let alone = profile.datasets.keys().filter_map(of_dataset);
    // The first is found again, and the filter of another dataset is wrong in each reading.
    let problems: BTreeSet<String> = alone.chain(together).map(named).collect();
    let problems: Vec<String> = problems.into_iter().collect();
    CommandError::Refused(shown(&problems.join("\n")).into_owned())
}

fn receivers(profile: &Profile, alerting: &Alerting) -> String {
    let all = alerting.receivers.iter();
    let names: Vec<&str> = all.map(|receiver| receiver.name.as_str()).collect();
    let names = names.join(", ");
    match profile.alerts.receivers {
        Some(_) => format!("to {names}"),
        None => format!("to {names}, where the function has a setting for it"),
    }
}

/// What a profile says about alerts, for a function that has each setting it stands on.
pub(crate) fn alerting(path: &Path, profile: &Profile) -> Result<Alerting, CommandError> {
    let settings = assumed_settings(&profile.alerts);
    Alerting::resolve(&profile.alerts, &settings).map_err(|problems| CommandError::Alerting {
        path: path.display().to_string(),
        problems,
    })
}

pub(crate) fn read(path: &Path) -> Result<Profile, CommandError> {
    Profile::read(path).map_err(|error| {
        let path = path.display().to_string();
        match error {
            ProfileError::Unreadable { source, .. } => CommandError::Unreadable {
                path: format!("the profile {path}"),
                source,
            },
            source => CommandError::Profile { path, source },
        }
    })
}

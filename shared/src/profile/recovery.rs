//! Whether a run that died of a passing cause may be redriven, and how often.

use crate::metric::Environment;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The most redrives of one run that a profile may allow; a run that fails that often needs a person.
const MOST_REDRIVES: u32 = 10;

/// How often a run may be redriven where the profile does not say.
const USUAL_REDRIVES: u32 = 1;

/// How often a run that died of a passing cause is redriven (`RedriveExecution`, Step Functions API reference).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Redrives of one run, those of people included; 0 for none.
    #[serde(default = "usual")]
    pub redrives: u32,
    /// The same for single environments.
    #[serde(default)]
    pub environments: BTreeMap<String, u32>,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            redrives: USUAL_REDRIVES,
            environments: BTreeMap::new(),
        }
    }
}

const fn usual() -> u32 {
    USUAL_REDRIVES
}

impl Recovery {
    /// How often a run of this environment may be redriven. Production has to be named by itself, and so has what has
    /// no name of an environment.
    pub fn budget(&self, environment: &str) -> u32 {
        match self.environments.get(environment) {
            Some(redrives) => *redrives,
            None if Environment::parse(environment).is_none_or(|known| known.is_production()) => 0,
            None => self.redrives,
        }
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        let general = ("redrives".to_owned(), self.redrives);
        let single = self
            .environments
            .iter()
            .map(|(environment, redrives)| (format!("environments.{environment}"), *redrives));
        std::iter::once(general)
            .chain(single)
            .filter(|(_, redrives)| *redrives > MOST_REDRIVES)
            .map(|(name, redrives)| {
                format!("recovery.{name}: {redrives} redrives are over {MOST_REDRIVES}")
            })
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::Profile;
    use rstest::rstest;

    fn profile(recovery: &str) -> String {
        format!("pipeline: p\nmetrics: {{ namespace: N }}\n{recovery}")
    }

    #[rstest]
    #[case::default("", "dev", 1)]
    #[case::default_staging("", "staging", 1)]
    #[case::non_production("", "non-prod", 1)]
    #[case::production("", "prod", 0)]
    #[case::production_by_its_name("", "Production", 0)]
    #[case::production_of_a_region("", "prod-eu.1", 0)]
    #[case::off("recovery: { redrives: 0 }", "dev", 0)]
    #[case::more("recovery: { redrives: 3 }", "dev", 3)]
    #[case::more_is_not_for_production("recovery: { redrives: 3 }", "prod", 0)]
    #[case::production_is_named("recovery: { environments: { prod: 2 } }", "prod", 2)]
    #[case::others_keep_theirs("recovery: { environments: { prod: 2 } }", "dev", 1)]
    #[case::one_is_off("recovery: { redrives: 2, environments: { dev: 0 } }", "dev", 0)]
    fn budgets(#[case] recovery: &str, #[case] environment: &str, #[case] expected: u32) {
        let profile = Profile::parse(&profile(recovery)).unwrap();
        assert_eq!(profile.recovery.budget(environment), expected);
    }

    #[test]
    fn a_budget_has_a_limit() {
        let yaml = profile("recovery: { redrives: 11, environments: { dev: 99 } }");
        let error = Profile::parse(&yaml).unwrap_err().to_string();
        assert_eq!(
            error,
            "recovery.redrives: 11 redrives are over 10\nrecovery.environments.dev: 99 redrives are over 10"
        );
    }
}

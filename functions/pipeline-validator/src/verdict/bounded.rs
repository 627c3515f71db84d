//! An answer as a state machine can hold it.

use super::Verdict;
use crate::check::Check;
use pipewarden_shared::truncate;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The largest answer: 200 KB of the 256 KiB that a state may hold.
pub(super) const LARGEST_ANSWER: usize = 200_000;

/// The most characters of a line, and of a name, in an answer that is too large.
const LONGEST: usize = 200;

/// How many samples a check keeps, from the first attempt to the last.
const SAMPLES: [usize; 4] = [10, 3, 1, 0];

/// How many checks are told, from the first attempt to the last.
const CHECKS: [usize; 5] = [400, 100, 30, 10, 0];

impl Verdict {
    /// Whether a state machine can hold the answer.
    pub fn fits(&self) -> bool {
        serde_json::to_vec(self).is_ok_and(|json| json.len() <= LARGEST_ANSWER)
    }

    /// Leaves out what can be missed until the answer fits where a state machine can hold it, and says so.
    ///
    /// First samples go, then the ends of long lines and names, then the details of checks that passed, then those
    /// beyond the first hundreds that failed. What decided is counted in any case.
    pub fn within_a_state(mut self) -> Self {
        for most in SAMPLES {
            if self.fits() {
                return self;
            }
            self.truncated = true;
            for check in self.validation_details.values_mut() {
                check.samples.truncate(most);
            }
        }
        if !self.fits() {
            self.shorten();
        }
        if !self.fits() {
            self.validation_details.retain(|_, check| !check.passed);
        }
        for most in CHECKS {
            if self.fits() {
                break;
            }
            self.keep_first(most);
        }
        self
    }

    /// Cuts every line and name.
    fn shorten(&mut self) {
        let lines = [
            &mut self.failed_validations,
            &mut self.warnings,
            &mut self.not_evaluated,
        ];
        for line in lines.into_iter().flatten() {
            *line = truncate::characters(line, LONGEST);
        }
        for name in &mut self.validations_performed {
            *name = short_name(name);
        }
        self.validation_details = std::mem::take(&mut self.validation_details)
            .into_iter()
            .map(|(name, check)| (short_name(&name), short(check)))
            .collect();
        self.statistics = std::mem::take(&mut self.statistics)
            .into_iter()
            .map(|(name, value)| (short_name(&name), value))
            .collect();
    }

    /// Tells the first so many checks; those with details are among the names.
    fn keep_first(&mut self, most: usize) {
        let kept: BTreeSet<String> = self.validation_details.keys().take(most).cloned().collect();
        self.validation_details
            .retain(|name, _| kept.contains(name));
        let mut others = most.saturating_sub(kept.len());
        self.validations_performed.retain(|name| {
            let is_kept = kept.contains(name);
            let room = is_kept || others > 0;
            others = others.saturating_sub(usize::from(!is_kept));
            room
        });
        self.failed_validations.truncate(most);
        self.warnings.truncate(most);
        self.not_evaluated.truncate(most);
        let statistics: BTreeMap<String, f64> = std::mem::take(&mut self.statistics);
        self.statistics = statistics.into_iter().take(most).collect();
    }
}

/// A name that is cut and still no other's.
fn short_name(name: &str) -> String {
    if name.chars().nth(LONGEST).is_none() {
        return name.to_owned();
    }
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    // Eight digits, and the ellipsis that cutting adds.
    let start = truncate::characters(name, LONGEST - 9);
    format!("{start}#{:08x}", hasher.finish() as u32)
}

fn short(mut check: Check) -> Check {
    check.expected = truncate::characters(&check.expected, LONGEST);
    check.not_evaluated = check
        .not_evaluated
        .map(|reason| truncate::characters(&reason, LONGEST));
    if let Value::String(observed) = &check.observed {
        check.observed = Value::String(truncate::characters(observed, LONGEST));
    }
    check
}

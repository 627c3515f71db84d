//! Inhibition: an alert holds back others that only follow from it.

use super::findings::Findings;
use super::label::{Label, Labels};
use super::matcher::Matcher;
use super::{matchers, written};
use crate::alert::Status;
use std::fmt;

/// Which alerts hold back which others.
#[derive(Debug, Clone, PartialEq)]
pub struct InhibitRule {
    source_matchers: Vec<Matcher>,
    target_matchers: Vec<Matcher>,
    equal: Vec<Label>,
}

impl InhibitRule {
    /// Whether an alert can hold others back.
    pub fn is_source(&self, labels: &Labels) -> bool {
        fires(labels)
            && self
                .source_matchers
                .iter()
                .all(|matcher| matcher.matches(labels))
    }

    /// Whether an alert can be held back.
    pub fn is_target(&self, labels: &Labels) -> bool {
        fires(labels)
            && self
                .target_matchers
                .iter()
                .all(|matcher| matcher.matches(labels))
    }

    /// Whether one alert, while it fires, holds back the other. Two that match both sides do not hold back each other.
    pub fn inhibits(&self, source: &Labels, target: &Labels) -> bool {
        self.is_source(source)
            && self.is_target(target)
            && self
                .equal
                .iter()
                .all(|label| label.of(source) == label.of(target))
            && !(self.is_source(target) && self.is_target(source))
    }

    /// The labels that both have alike; one that neither has is alike as well.
    pub fn equal(&self) -> &[Label] {
        &self.equal
    }

    /// An alert of the same pipeline that is CRITICAL explains those that are MEDIUM or LOW.
    pub(super) fn usual() -> Vec<written::InhibitRule> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        vec![written::InhibitRule {
            // Without a pipeline two alerts would be alike because neither names one.
            source_matchers: written::OneOrMore(texts(&[
                "severity=\"CRITICAL\"",
                "pipeline!=\"\"",
            ])),
            target_matchers: written::OneOrMore(texts(&["severity=~\"MEDIUM|LOW\""])),
            equal: texts(&["pipeline", "environment"]),
        }]
    }
}

/// What is gone neither holds back nor is held back: whoever heard of a problem hears of its end.
fn fires(labels: &Labels) -> bool {
    Label::Status.of(labels) != Status::Resolved.as_str()
}

impl fmt::Display for InhibitRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |matchers: &[Matcher]| {
            let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
            texts.join(", ")
        };
        let (source, target) = (list(&self.source_matchers), list(&self.target_matchers));
        write!(formatter, "{{{source}}} holds back {{{target}}}")?;
        let equal: Vec<&str> = self.equal.iter().map(|label| label.as_str()).collect();
        match equal.as_slice() {
            [] => Ok(()),
            equal => write!(formatter, " of the same {}", equal.join(" and ")),
        }
    }
}

pub(super) fn resolve(rules: &[written::InhibitRule], findings: &mut Findings) -> Vec<InhibitRule> {
    let mut all = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let place = format!("inhibit_rules[{index}]");
        for (key, texts) in [
            ("source_matchers", &rule.source_matchers),
            ("target_matchers", &rule.target_matchers),
        ] {
            if texts.0.is_empty() {
                findings.problem(
                    &format!("{place}.{key}"),
                    "name at least one matcher: none would match every alert",
                );
            }
        }
        let mut equal = Vec::new();
        for (index, name) in rule.equal.iter().enumerate() {
            equal.extend(findings.value(&format!("{place}.equal[{index}]"), name.parse::<Label>()));
        }
        all.push(InhibitRule {
            source_matchers: matchers(
                &rule.source_matchers,
                &format!("{place}.source_matchers"),
                findings,
            ),
            target_matchers: matchers(
                &rule.target_matchers,
                &format!("{place}.target_matchers"),
                findings,
            ),
            equal,
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn rules(written: &[written::InhibitRule]) -> Vec<InhibitRule> {
        let mut findings = Findings::default();
        let rules = resolve(written, &mut findings);
        assert_eq!(findings.problems, Vec::<String>::new());
        rules
    }

    fn labels(text: &str) -> Labels {
        let pairs = text
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.parse::<Label>().unwrap().as_str(), value.to_owned()))
            .collect()
    }

    #[rstest]
    #[case(
        "severity=CRITICAL pipeline=p environment=prod",
        "severity=MEDIUM pipeline=p environment=prod",
        true
    )]
    #[case(
        "severity=CRITICAL pipeline=p environment=prod",
        "severity=LOW pipeline=p environment=prod",
        true
    )]
    #[case::high_is_heard("severity=CRITICAL pipeline=p", "severity=HIGH pipeline=p", false)]
    #[case::itself("severity=CRITICAL pipeline=p", "severity=CRITICAL pipeline=p", false)]
    #[case::high_holds_nothing_back("severity=HIGH pipeline=p", "severity=LOW pipeline=p", false)]
    #[case::other_pipeline("severity=CRITICAL pipeline=p", "severity=LOW pipeline=q", false)]
    #[case::other_environment(
        "severity=CRITICAL pipeline=p environment=prod",
        "severity=LOW pipeline=p environment=dev",
        false
    )]
    #[case::no_pipeline("severity=CRITICAL", "severity=LOW", false)]
    #[case::gone(
        "severity=CRITICAL pipeline=p status=resolved",
        "severity=LOW pipeline=p",
        false
    )]
    #[case::its_end(
        "severity=CRITICAL pipeline=p",
        "severity=LOW pipeline=p status=resolved",
        false
    )]
    fn a_critical_failure_explains_its_followers(
        #[case] source: &str,
        #[case] target: &str,
        #[case] expected: bool,
    ) {
        let rules = rules(&InhibitRule::usual());
        let inhibited = rules
            .iter()
            .any(|rule| rule.inhibits(&labels(source), &labels(target)));
        assert_eq!(inhibited, expected);
    }

    #[test]
    fn two_that_match_both_sides_are_both_heard() {
        let one = |text: &str| written::OneOrMore(vec![text.to_owned()]);
        let rules = rules(&[written::InhibitRule {
            source_matchers: one("severity=~\"HIGH|CRITICAL\""),
            target_matchers: one("severity=~\"HIGH|LOW\""),
            equal: vec![],
        }]);
        let inhibits =
            |source: &str, target: &str| rules[0].inhibits(&labels(source), &labels(target));
        assert!(!inhibits("severity=HIGH", "severity=HIGH"));
        assert!(inhibits("severity=CRITICAL", "severity=HIGH"));
        assert!(inhibits("severity=HIGH", "severity=LOW"));
    }
}

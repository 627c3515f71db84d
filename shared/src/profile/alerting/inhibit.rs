//! Inhibition: an alert holds back others that only follow from it.

use super::findings::Findings;
use super::label::{Label, Labels, source};
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
        takes_part(labels)
            && self
                .source_matchers
                .iter()
                .all(|matcher| matcher.matches(labels))
    }

    /// Whether an alert can be held back.
    pub fn is_target(&self, labels: &Labels) -> bool {
        takes_part(labels)
            && self
                .target_matchers
                .iter()
                .all(|matcher| matcher.matches(labels))
    }

    /// Whether one alert, while it fires, holds back the other. Two that match both sides do not hold back each other.
    pub fn inhibits(&self, source: &Labels, target: &Labels) -> bool {
        self.is_source(source)
            && self.is_target(target)
            && PLACE
                .iter()
                .chain(&self.equal)
                .all(|label| label.of(source) == label.of(target))
            && !(self.is_source(target) && self.is_target(source))
    }

    /// Whether it holds back alarms only.
    pub fn is_about_alarms(&self) -> bool {
        let mut others = source::ALL.iter().filter(|one| **one != source::CLOUDWATCH);
        let is_left_out = |source: &&str| {
            let mut own = self.target_matchers.iter();
            own.any(|matcher| matcher.label() == Label::Source && !matcher.takes(source))
        };
        others.all(is_left_out)
    }

    /// A CRITICAL alert explains the MEDIUM and LOW ones of its pipeline, an alert about a run the alarms that see no
    /// more of it than that it failed, and a maintenance every alarm.
    pub(super) fn usual() -> Vec<written::InhibitRule> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let rule = |source: &[&str], target: &[&str]| written::InhibitRule {
            source_matchers: written::OneOrMore(texts(source)),
            target_matchers: written::OneOrMore(texts(target)),
            equal: PLACE.map(|label| label.as_str().to_owned()).into(),
        };
        let mut rules = vec![rule(
            // An alarm such as that of the pipeline's health names no cause.
            &["severity=\"CRITICAL\"", "source!=\"cloudwatch\""],
            &["severity=~\"MEDIUM|LOW\"", "source!=\"cloudwatch\""],
        )];
        let repeated = REPEATED.iter().map(|(error_type, alarm)| {
            let alarm = format!("alarm=~\".*-({alarm})\"");
            rule(
                &["source=\"pipewarden\"", error_type],
                &["source=\"cloudwatch\"", &alarm],
            )
        });
        rules.extend(repeated);
        let maintenance = format!("\".*-{MAINTENANCE}\"");
        rules.push(rule(
            &["source=\"cloudwatch\"", &format!("alarm=~{maintenance}")],
            &["source=\"cloudwatch\"", &format!("alarm!~{maintenance}")],
        ));
        rules
    }
}

/// What both always have alike, and have at all: problems are remembered by the pipeline and environment they are of.
const PLACE: [Label; 2] = [Label::Pipeline, Label::Environment];

/// The alarms of the template that only repeat alerts, and which alerts they repeat.
const REPEATED: [(&str, &str); 3] = [
    // All that the second watches have alarms that tell by themselves.
    (
        "error_type!=\"\"",
        "StepFunctionsFailureAlarm|PipelineHealthCompositeAlarm",
    ),
    ("error_type=\"glue_job_failure\"", "GlueJobFailureAlarm"),
    ("error_type=\"scd_validation_failure\"", "SCDIntegrityAlarm"),
];

/// The alarm of the template that is red while somebody works on the pipeline.
const MAINTENANCE: &str = "MaintenanceAlarm";

/// What is gone neither holds back nor is held back: whoever heard of a problem hears of its end. Nor does what is of
/// no pipeline.
fn takes_part(labels: &Labels) -> bool {
    let is_there = Label::Status.of(labels) != Status::Resolved.as_str();
    is_there && PLACE.iter().all(|label| !label.of(labels).is_empty())
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
        let missing: Vec<&str> = PLACE.iter().map(|label| label.as_str()).collect();
        if missing
            .iter()
            .any(|name| !rule.equal.iter().any(|one| one == name))
        {
            findings.warning(
                &format!("{place}.equal"),
                "alerts hold back only those of the same pipeline and environment, and none that name no pipeline, \
                 such as other stacks' alarms: write equal: [pipeline, environment]",
            );
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

    #[rstest]
    #[case("error_type=dbt_run_failure", "p-prod-StepFunctionsFailureAlarm", true)]
    #[case(
        "error_type=unknown_error",
        "p-prod-PipelineHealthCompositeAlarm",
        true
    )]
    #[case("error_type=glue_job_failure", "p-prod-GlueJobFailureAlarm", true)]
    #[case::another_cause("error_type=dbt_run_failure", "p-prod-GlueJobFailureAlarm", false)]
    #[case("error_type=scd_validation_failure", "p-prod-SCDIntegrityAlarm", true)]
    #[case::not_about_a_run("error_type=dbt_run_failure", "p-prod-DeadLetterAlarm", false)]
    #[case::a_name_of_ones_own(
        "error_type=dbt_run_failure",
        "StepFunctionsFailureAlarm of ours",
        false
    )]
    fn an_alert_about_a_run_explains_alarms_that_repeat_it(
        #[case] source: &str,
        #[case] alarm: &str,
        #[case] expected: bool,
    ) {
        let rules = rules(&InhibitRule::usual());
        let place = "pipeline=p environment=prod";
        let source = labels(&format!(
            "source=pipewarden severity=MEDIUM {source} {place}"
        ));
        let mut target = labels(&format!("source=cloudwatch severity=CRITICAL {place}"));
        target.insert(Label::Alarm.as_str(), alarm.to_owned());
        let inhibits = |one: &InhibitRule| one.inhibits(&source, &target);
        assert_eq!(rules.iter().any(inhibits), expected);
        let about_alarms: Vec<bool> = rules.iter().map(InhibitRule::is_about_alarms).collect();
        assert_eq!(about_alarms, [false, true, true, true, true]);
    }

    #[rstest]
    #[case::alarm(
        "source=cloudwatch severity=CRITICAL alarm=p-prod-DeadLetterAlarm",
        true
    )]
    #[case::alert("source=pipewarden severity=MEDIUM", false)]
    #[case::itself(
        "source=cloudwatch severity=MEDIUM alarm=p-prod-MaintenanceAlarm",
        false
    )]
    fn a_maintenance_holds_back_alarms(#[case] target: &str, #[case] expected: bool) {
        let rules = rules(&InhibitRule::usual());
        let placed = |text: &str| labels(&format!("{text} pipeline=p environment=prod"));
        let source = placed("source=cloudwatch severity=MEDIUM alarm=p-prod-MaintenanceAlarm");
        let inhibits = |one: &InhibitRule| one.inhibits(&source, &placed(target));
        assert_eq!(rules.iter().any(inhibits), expected);
    }

    #[test]
    fn an_alarm_that_names_no_cause_holds_nothing_back() {
        let rules = rules(&InhibitRule::usual());
        let place = "pipeline=p environment=prod";
        let alarm = labels(&format!(
            "source=cloudwatch severity=CRITICAL alarm=a {place}"
        ));
        let alert = labels(&format!("source=pipewarden severity=MEDIUM {place}"));
        assert!(!rules.iter().any(|rule| rule.inhibits(&alarm, &alert)));
    }

    #[test]
    fn a_rule_that_seems_to_reach_further_than_it_does_is_warned_of() {
        let one = |text: &str| written::OneOrMore(vec![text.to_owned()]);
        let mut findings = Findings::default();
        let rule = written::InhibitRule {
            source_matchers: one("alarm=\"db-down\""),
            target_matchers: one("alarm=~\"etl-.*\""),
            equal: vec!["environment".to_owned()],
        };
        let rules = resolve(&[rule], &mut findings);
        assert_eq!(findings.problems, Vec::<String>::new());
        let warned = &findings.warnings[0];
        assert!(
            warned.starts_with("alerts.inhibit_rules[0].equal: ") && warned.contains("pipeline"),
            "{warned}"
        );
        assert!(!rules[0].is_target(&labels("source=cloudwatch alarm=etl-load")));
    }

    #[test]
    fn two_that_match_both_sides_are_both_heard() {
        let one = |text: &str| written::OneOrMore(vec![text.to_owned()]);
        let rules = rules(&[written::InhibitRule {
            source_matchers: one("severity=~\"HIGH|CRITICAL\""),
            target_matchers: one("severity=~\"HIGH|LOW\""),
            equal: vec![],
        }]);
        let placed = |text: &str| labels(&format!("{text} pipeline=p environment=prod"));
        let inhibits =
            |source: &str, target: &str| rules[0].inhibits(&placed(source), &placed(target));
        assert!(!inhibits("severity=HIGH", "severity=HIGH"));
        assert!(inhibits("severity=CRITICAL", "severity=HIGH"));
        assert!(inhibits("severity=HIGH", "severity=LOW"));
    }
}

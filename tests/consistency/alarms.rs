//! Each alarm says what to do, tells who has to know, and can be evaluated.

use crate::series::OWN;
use crate::template::{Template, canonical, file};
use crate::watched;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn every_alarm_on_a_metric_of_ours_states_its_unit() {
    let template = Template::read();
    let unstated = watched::by_alarms(&template)
        .into_iter()
        .filter(|watched| watched.series.namespace == OWN && watched.unit.is_none())
        .map(|watched| watched.by)
        .collect::<Vec<_>>();
    // What a person publishes by hand has no unit.
    assert_eq!(unstated, ["MaintenanceAlarm"]);
}

#[test]
fn every_queue_and_every_function_has_its_alarms() {
    let template = Template::read();
    let watched: BTreeSet<(String, String)> = watched::by_alarms(&template)
        .into_iter()
        .flat_map(|watched| {
            let metric = watched.series.metric;
            watched
                .series
                .dimensions
                .into_values()
                .map(move |value| (metric.clone(), value))
        })
        .collect();
    let has = |metric: &str, value: String| watched.contains(&(metric.to_owned(), value));
    for (queue, _) in template.of_type("AWS::SQS::Queue") {
        let name = format!("${{{queue}.QueueName}}");
        assert!(
            has("ApproximateNumberOfMessagesVisible", name),
            "{queue} has no alarm"
        );
    }
    let own = template
        .of_type("AWS::Serverless::Function")
        .map(|(name, _)| name.as_str());
    for function in own.chain(["DbtRunnerFunctionName"]) {
        for metric in ["Errors", "Throttles"] {
            assert!(
                has(metric, format!("${{{function}}}")),
                "{function} has no alarm on {metric}"
            );
        }
    }
}

#[test]
fn every_alarm_says_what_to_do_and_tells_the_topic_of_its_severity() {
    let template = Template::read();
    let runbook = file("docs/runbook.md");
    let anchors: BTreeSet<String> = runbook
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .replace(' ', "-")
        })
        .collect();
    let alarms = template
        .of_type("AWS::CloudWatch::Alarm")
        .chain(template.of_type("AWS::CloudWatch::CompositeAlarm"));
    for (name, alarm) in alarms {
        let alarm = &alarm["Properties"];
        assert_eq!(
            canonical(&alarm["AlarmName"]),
            format!("${{Pipeline}}-${{Environment}}-{name}")
        );
        let description = with_defaults(&template, &canonical(&alarm["AlarmDescription"]));
        // A pipeline's name may be 31 characters long, an address longer than ours.
        assert!(
            description.chars().count() <= 1_024 - 150,
            "{name}: {description}"
        );
        let anchor = description.rsplit_once('#').unwrap().1;
        assert!(
            anchors.contains(anchor),
            "{name}: the runbook has no #{anchor}"
        );
        let severity = description
            .trim_start_matches('[')
            .split(']')
            .next()
            .unwrap();
        let topic = match severity {
            "CRITICAL" => "CriticalAlarmTopic",
            "HIGH" => "HighAlarmTopic",
            "MEDIUM" => "MediumAlarmTopic",
            other => panic!("{name}: {other} is no severity"),
        };
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(
                alarm[actions],
                serde_json::json!([{"Ref": topic}]),
                "{name}: {actions}"
            );
        }
        let composite = !alarm["AlarmRule"].is_null();
        assert!(
            composite || alarm["TreatMissingData"].is_string(),
            "{name}: missing data"
        );
    }
}

fn with_defaults(template: &Template, text: &str) -> String {
    let parameters = template.0["Parameters"].as_object().unwrap();
    parameters
        .iter()
        .fold(text.to_owned(), |text, (name, parameter)| {
            let value = parameter["Default"].as_str().unwrap_or_default();
            text.replace(&format!("${{{name}}}"), value)
        })
}

#[test]
fn an_alarm_looks_back_no_further_than_cloudwatch_allows() {
    let template = Template::read();
    let parameters = &template.0["Parameters"];
    for (name, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        let alarm = &alarm["Properties"];
        let number = |value: &Value| -> u64 {
            let value = value["Ref"]
                .as_str()
                .map_or(value, |name| &parameters[name]["MaxValue"]);
            value.as_str().unwrap().parse().unwrap()
        };
        let period = match alarm["Metrics"].as_array() {
            Some(queries) => queries
                .iter()
                .find_map(|query| query["MetricStat"].get("Period"))
                .unwrap(),
            None => &alarm["Period"],
        };
        let (period, periods) = (number(period), number(&alarm["EvaluationPeriods"]));
        // CloudWatch API reference, PutMetricAlarm.
        let most = if period >= 3_600 { 604_800 } else { 86_400 };
        assert!(
            period * periods <= most,
            "{name}: {periods} periods of {period} s"
        );
        let needed = alarm.get("DatapointsToAlarm").map_or(periods, number);
        assert!(needed <= periods, "{name}");
    }
}

#[test]
fn the_composite_alarm_is_made_of_alarms_and_one_keeps_it_quiet() {
    let template = Template::read();
    let (_, composite) = template
        .of_type("AWS::CloudWatch::CompositeAlarm")
        .next()
        .unwrap();
    let composite = &composite["Properties"];
    let rule = composite["AlarmRule"].to_string();
    let children: Vec<&str> = rule
        .split("ALARM(\\\"${")
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap())
        .collect();
    assert!((2..=100).contains(&children.len()), "{children:?}");
    for child in &children {
        assert_eq!(
            template.kind(child),
            Some("AWS::CloudWatch::Alarm"),
            "{child}"
        );
    }
    assert_eq!(
        canonical(&composite["ActionsSuppressor"]),
        "${MaintenanceAlarm.Arn}"
    );
    assert!(!children.contains(&"MaintenanceAlarm"));
}

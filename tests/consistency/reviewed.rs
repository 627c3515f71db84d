//! What was reviewed as a whole: how each alarm judges, and who may do what on which resource. A change of either is a
//! change of a snapshot.

use crate::template::{Template, canonical, either};
use serde_json::Value;
use std::fmt::Write as _;

#[test]
fn how_each_alarm_judges() {
    let template = Template::read();
    let mut text = String::new();
    for (name, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        let alarm = &alarm["Properties"];
        let periods = canonical(&alarm["EvaluationPeriods"]);
        let needed = alarm
            .get("DatapointsToAlarm")
            .map_or_else(|| periods.clone(), canonical);
        let limit = alarm
            .get("Threshold")
            .unwrap_or(&alarm["ThresholdMetricId"]);
        writeln!(
            text,
            "{name}\n  {}\n  {} {} in {needed} of {periods} periods; missing data is {}; tells {}",
            measured(alarm),
            canonical(&alarm["ComparisonOperator"]),
            canonical(limit),
            canonical(&alarm["TreatMissingData"]),
            canonical(&alarm["AlarmActions"][0]),
        )
        .unwrap();
    }
    for (name, alarm) in template.of_type("AWS::CloudWatch::CompositeAlarm") {
        let rule = &alarm["Properties"]["AlarmRule"]["Fn::Join"];
        let children: Vec<String> = rule[1]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(either)
            .map(canonical)
            .collect();
        let children = children.join(&canonical(&rule[0]));
        writeln!(text, "{name}\n  {}", children.replace(" OR ", " OR\n  ")).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// What an alarm looks at: `Statistic Metric each period`, or an expression over such.
fn measured(alarm: &Value) -> String {
    let one = |metric: &Value, statistic: &Value, period: &Value| {
        let (metric, statistic, period) =
            (canonical(metric), canonical(statistic), canonical(period));
        format!("{statistic} of {metric} in {period} s")
    };
    let Some(queries) = alarm["Metrics"].as_array() else {
        return one(&alarm["MetricName"], &alarm["Statistic"], &alarm["Period"]);
    };
    let told = queries.iter().map(|query| {
        let id = canonical(&query["Id"]);
        match query.get("MetricStat") {
            Some(stat) => {
                let metric = &stat["Metric"]["MetricName"];
                format!("{id}: {}", one(metric, &stat["Stat"], &stat["Period"]))
            }
            None => format!("{id}: {}", canonical(&query["Expression"])),
        }
    });
    told.collect::<Vec<_>>().join("\n  ")
}

#[test]
fn who_may_do_what() {
    let template = Template::read();
    let mut text = String::new();
    for (name, resource) in template.0["Resources"].as_object().unwrap() {
        let properties = &resource["Properties"];
        let own = ["PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"]
            .into_iter()
            .filter_map(|key| properties.get(key));
        let inline = properties["Policies"].as_array().into_iter().flatten();
        let inline = inline.map(|policy| policy.get("PolicyDocument").unwrap_or(policy));
        for document in own.chain(inline) {
            let statements = document["Statement"].as_array().into_iter().flatten();
            for statement in statements.flat_map(either) {
                statement_of(name, statement, &mut text);
            }
        }
    }
    insta::assert_snapshot!(text);
}

fn statement_of(name: &str, statement: &Value, text: &mut String) {
    let list = |key: &str| match &statement[key] {
        Value::Array(several) => several.iter().map(canonical).collect::<Vec<_>>(),
        Value::Null => Vec::new(),
        one => vec![canonical(one)],
    };
    let sid = statement["Sid"].as_str().unwrap_or("(no Sid)");
    writeln!(
        text,
        "{name} / {sid}: {}\n  {}",
        canonical(&statement["Effect"]).to_lowercase(),
        list("Action").join(", ")
    )
    .unwrap();
    for (word, key) in [
        ("by", "Principal"),
        ("on", "Resource"),
        ("where", "Condition"),
    ] {
        for value in list(key) {
            writeln!(text, "  {word} {value}").unwrap();
        }
    }
}

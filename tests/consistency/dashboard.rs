//! The dashboard shows what there is, on axes of its unit, with the lines of its alarms.

use super::fail_with;
use crate::series::{self, Series};
use crate::template::{Template, canonical};
use crate::watched;
use serde_json::Value;
use std::collections::BTreeSet;

/// The unit of the left or right axis on which a widget shows a metric of ours, by its label.
const AXES: &[(&str, &str)] = &[
    ("seconds", "Seconds"),
    ("percent", "Percent"),
    ("bytes", "Bytes"),
    ("milliseconds", "Milliseconds"),
];

#[test]
fn every_axis_has_the_unit_of_what_it_shows() {
    let template = Template::read();
    let mut problems = Vec::new();
    for widget in watched::widgets(&template) {
        let properties = &widget["properties"];
        for (entry, watched) in metrics_of(&widget)
            .into_iter()
            .zip(watched::by_widget(&widget))
        {
            let side = entry["yAxis"].as_str().unwrap_or("left");
            let label = properties["yAxis"][side]["label"].as_str().unwrap();
            let wanted = AXES
                .iter()
                .find(|(text, _)| *text == label)
                .map_or("Count", |(_, unit)| unit);
            let unit = series::unit(&watched.series, &template).ok().flatten();
            if unit.as_deref() != Some(wanted) {
                let metric = watched.series.metric;
                problems.push(format!(
                    "{}: {metric} is in {unit:?}, its axis says {label}",
                    watched.by
                ));
            }
        }
    }
    fail_with(&problems);
}

/// The options of each metric of a widget that is no expression.
fn metrics_of(widget: &Value) -> Vec<&Value> {
    let metrics = widget["properties"]["metrics"].as_array();
    metrics
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.as_array()?.last())
        .filter(|options| options["expression"].is_null())
        .collect()
}

#[test]
fn every_line_in_a_widget_is_the_threshold_of_an_alarm_on_what_it_shows() {
    let template = Template::read();
    let mut lines = 0;
    for widget in watched::widgets(&template) {
        let shown: BTreeSet<Series> = watched::by_widget(&widget)
            .into_iter()
            .map(|watched| watched.series)
            .collect();
        for line in widget["properties"]["annotations"]["horizontal"]
            .as_array()
            .into_iter()
            .flatten()
        {
            lines += 1;
            let alarm = line["label"].as_str().unwrap();
            let properties = template.properties(alarm);
            assert_eq!(
                line["value"],
                canonical(&properties["Threshold"]),
                "{alarm}"
            );
            for watched in watched::by_alarm(alarm, properties) {
                assert!(
                    shown.contains(&watched.series),
                    "{} does not show what {alarm} watches",
                    watched::title(&widget)
                );
            }
            let below = canonical(&properties["ComparisonOperator"]).starts_with("LessThan");
            assert_eq!(
                line["fill"],
                if below { "below" } else { "above" },
                "{alarm}"
            );
        }
    }
    assert!(lines >= 5, "{lines}");
}

#[test]
fn the_dashboard_shows_every_alarm_and_every_log() {
    let template = Template::read();
    let (_, dashboard) = template
        .of_type("AWS::CloudWatch::Dashboard")
        .next()
        .unwrap();
    // Alarms that there may not be are in the values of the Sub.
    let text = dashboard["Properties"]["DashboardBody"].to_string();
    let alarms = template
        .of_type("AWS::CloudWatch::Alarm")
        .chain(template.of_type("AWS::CloudWatch::CompositeAlarm"));
    for (alarm, _) in alarms {
        assert!(
            text.contains(&format!("${{{alarm}.Arn}}")),
            "{alarm} is not on the dashboard"
        );
    }
    for (log, _) in template.of_type("AWS::Logs::LogGroup") {
        assert!(
            text.contains(&format!("SOURCE '${{{log}}}'")),
            "{log} is not on the dashboard"
        );
    }
}

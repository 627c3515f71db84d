//! The template and the code say the same: metrics, settings, calls to AWS, errors. Each check names what differs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot be set up has failed"
)]

#[path = "consistency/alarms.rs"]
mod alarms;
#[path = "consistency/dashboard.rs"]
mod dashboard;
#[path = "consistency/permissions.rs"]
mod permissions;
#[path = "consistency/reviewed.rs"]
mod reviewed;
#[path = "consistency/series.rs"]
mod series;
#[path = "consistency/settings.rs"]
mod settings;
#[path = "consistency/sources.rs"]
mod sources;
#[path = "consistency/tasks.rs"]
mod tasks;
#[path = "consistency/template.rs"]
mod template;
#[path = "consistency/watched.rs"]
mod watched;

use permissions::{FUNCTIONS, Function, IMPLIED};
use pipewarden_shared::metric::RunMetric;
use pipewarden_shared::profile::Profile;
use series::Series;
use std::collections::BTreeSet;
use template::{Template, file};
use watched::Watched;

fn fail_with(problems: &[String]) {
    assert!(problems.is_empty(), "\n  {}", problems.join("\n  "));
}

fn all_watched(template: &Template) -> Vec<Watched> {
    let mut watched = watched::by_alarms(template);
    watched.extend(
        watched::widgets(template)
            .iter()
            .flat_map(watched::by_widget),
    );
    watched
}

#[test]
fn the_publisher_publishes_every_metric_for_the_samples() {
    let all: BTreeSet<&str> = RunMetric::ALL
        .iter()
        .map(|metric| metric.as_str())
        .collect();
    assert_eq!(series::published_for_samples(), all);
}

#[test]
fn every_alarm_and_widget_watches_a_series_that_there_is() {
    let template = Template::read();
    let watched = all_watched(&template);
    assert!(
        watched.len() > 60,
        "only {} series are watched",
        watched.len()
    );
    let mut problems = Vec::new();
    for Watched { by, series, unit } in watched {
        match series::unit(&series, &template) {
            Err(reason) => problems.push(format!("{by}: {reason}")),
            Ok(there) if unit.is_some() && unit != there => {
                problems.push(format!(
                    "{by}: the unit of {} is {there:?}, not {unit:?}",
                    series.metric
                ));
            }
            Ok(_) => {}
        }
    }
    fail_with(&problems);
}

#[test]
fn every_search_finds_a_series_that_there_is() {
    let published = series::published();
    let mut searches = 0;
    for widget in watched::widgets(&Template::read()) {
        for search in watched::searches(&widget) {
            searches += 1;
            let found = published.keys().any(|series: &Series| {
                series.namespace == search.namespace
                    && series.dimensions.keys().collect::<BTreeSet<_>>()
                        == search.dimensions.iter().collect()
                    && search
                        .given
                        .iter()
                        .all(|(name, value)| match name.as_str() {
                            "MetricName" => *value == series.metric,
                            name => series.dimensions.get(name) == Some(value),
                        })
            });
            assert!(
                found,
                "{}: nothing publishes {search:?}",
                watched::title(&widget)
            );
        }
    }
    assert_eq!(searches, 1);
}

/// The actions of the calls that a function's sources make.
fn called_by(function: &Function) -> BTreeSet<String> {
    let crates = sources::sdk_crates(function.folder);
    let own = sources::of_crate(function.folder);
    let shared = sources::of_crate("shared");
    let mut actions = BTreeSet::new();
    for (sdk_crate, operations) in sources::operations(&crates) {
        for operation in &operations {
            // Who does not depend on a client's crate cannot hand a client to the shared code.
            if own
                .iter()
                .chain(&shared)
                .any(|source| sources::calls(source, operation))
            {
                actions.insert(sources::action(&sdk_crate, operation));
            }
        }
    }
    actions
}

#[test]
fn every_call_is_allowed_and_everything_allowed_is_called() {
    let template = Template::read();
    let mut problems = Vec::new();
    for function in FUNCTIONS {
        let allowed = permissions::allowed(&template, function.name);
        let called = called_by(function);
        assert!(!called.is_empty(), "{}", function.name);
        let implied: BTreeSet<String> = IMPLIED
            .iter()
            .filter(|implied| {
                implied.functions.is_empty() || implied.functions.contains(&function.name)
            })
            .inspect(|implied| assert!(implied.source.starts_with("https://docs.aws.amazon.com/")))
            .flat_map(|implied| implied.actions)
            .map(|action| (*action).to_owned())
            .collect();
        let needed: BTreeSet<String> = called.union(&implied).cloned().collect();
        for action in needed.difference(&allowed) {
            problems.push(format!(
                "{}: {action} is needed and not allowed",
                function.name
            ));
        }
        for action in allowed.difference(&needed) {
            problems.push(format!(
                "{}: {action} is allowed and not needed",
                function.name
            ));
        }
        for action in implied.intersection(&called) {
            problems.push(format!(
                "{}: {action} is called, and need not be implied",
                function.name
            ));
        }
    }
    fail_with(&problems);
}

#[test]
fn there_is_no_function_but_those_that_are_checked() {
    let template = Template::read();
    let found: BTreeSet<&str> = template
        .of_type("AWS::Serverless::Function")
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        found,
        FUNCTIONS.iter().map(|function| function.name).collect()
    );
}

#[test]
fn defaults_of_the_template_are_those_of_the_profile() {
    let template = Template::read();
    let profile = Profile::parse(&file("pipelines/sf-user.yaml")).unwrap();
    assert_eq!(
        template.default("MetricsNamespace"),
        profile.metrics.namespace
    );
    let runbook = profile.alerts.runbook.map(|page| page.to_string());
    assert_eq!(runbook.as_deref(), Some(template.default("RunbookUrl")));
}

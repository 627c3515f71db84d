//! Which series there are: those that the functions publish, and those that AWS documents.

use crate::template::{Template, file, parse, root};
use pipewarden_shared::failure::{ErrorType, Severity};
use pipewarden_shared::metric::{Environment, Metric, RunMetric};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A series of CloudWatch, as the template writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    /// The namespace.
    pub(crate) namespace: String,
    /// The metric's name.
    pub(crate) metric: String,
    /// Its dimensions, none more and none less.
    pub(crate) dimensions: BTreeMap<String, String>,
}

/// The namespace of the functions' own metrics in the template.
pub(crate) const OWN: &str = "${MetricsNamespace}";

/// What a person publishes: see MaintenanceAlarm.
const BY_HAND: &str = "Maintenance";

/// Stands for the environment in metrics, for which a reference would be no name.
const ENVIRONMENT: &str = "an-environment";

/// Every series that a function publishes, with its unit.
pub(crate) fn published() -> BTreeMap<Series, String> {
    let environment = Environment::parse(ENVIRONMENT).unwrap();
    let of_runs = RunMetric::ALL
        .iter()
        .map(|metric| Metric::of_run(*metric, 1.0, &environment));
    let of_failures = ErrorType::ALL.iter().flat_map(|error_type| {
        Severity::ALL
            .iter()
            .flat_map(|severity| Metric::of_failure(&environment, *error_type, *severity))
    });
    of_runs
        .chain(of_failures)
        .map(|metric| {
            let dimensions = metric.dimensions.into_iter();
            let dimensions = dimensions.map(|(name, value)| {
                let value = value.replace(ENVIRONMENT, "${Environment}");
                (name.to_owned(), value)
            });
            let series = Series {
                namespace: OWN.to_owned(),
                metric: metric.name.to_owned(),
                dimensions: dimensions.collect(),
            };
            (series, metric.unit.as_str().to_owned())
        })
        .collect()
}

/// The names of the metrics that the publisher makes of the sample events.
pub(crate) fn published_for_samples() -> BTreeSet<&'static str> {
    let folder = root().join("events/metrics-publisher");
    let now = "2026-03-01T06:10:00Z".parse().unwrap();
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        // Some samples are of events that are refused.
        if let Ok(run) = metrics_publisher::run::Run::parse(serde_json::from_str(&text).unwrap()) {
            let metrics = metrics_publisher::metrics::of_run(&run, now);
            names.extend(metrics.into_iter().map(|metric| metric.name));
        }
    }
    names
}

/// The unit of a series.
///
/// # Errors
/// Why there is no such series.
pub(crate) fn unit(series: &Series, template: &Template) -> Result<Option<String>, String> {
    if series.namespace != OWN {
        return documented(series, template).map(Some);
    }
    let environment = BTreeMap::from([("Environment".to_owned(), "${Environment}".to_owned())]);
    if series.metric == BY_HAND && series.dimensions == environment {
        let told = file("docs/runbook.md").contains(BY_HAND);
        return told
            .then_some(None)
            .ok_or_else(|| format!("no runbook tells of {BY_HAND}"));
    }
    let published = published();
    if let Some(unit) = published.get(series) {
        return Ok(Some(unit.clone()));
    }
    let alike: Vec<_> = published
        .keys()
        .filter(|other| other.metric == series.metric)
        .map(|other| &other.dimensions)
        .take(2)
        .collect();
    Err(match alike.is_empty() {
        true => format!("nothing publishes {}", series.metric),
        false => format!(
            "{} is published with {alike:?}, not with {:?}",
            series.metric, series.dimensions
        ),
    })
}

fn documented(series: &Series, template: &Template) -> Result<String, String> {
    let known = parse(&file("tests/consistency/aws_metrics.yaml"));
    let entries: Vec<&Value> = known
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["namespace"] == series.namespace.as_str())
        .collect();
    for entry in &entries {
        assert!(
            entry["source"]
                .as_str()
                .unwrap()
                .starts_with("https://docs.aws.amazon.com/"),
            "{entry}"
        );
        let Some(unit) = entry["metrics"][&series.metric].as_str() else {
            continue;
        };
        let wanted = entry["dimensions"].as_object().unwrap();
        let names: BTreeSet<&String> = wanted.keys().collect();
        if names != series.dimensions.keys().collect() {
            return Err(format!(
                "{} has the dimensions {names:?}, not {:?}",
                series.metric, series.dimensions
            ));
        }
        for (name, kind) in wanted {
            let kind = kind.as_str().unwrap();
            let value = &series.dimensions[name];
            if !names_a(value, kind, template) {
                return Err(format!("{name}={value} of {} is no {kind}", series.metric));
            }
        }
        return Ok(unit.to_owned());
    }
    Err(format!(
        "AWS documents no {} {}",
        series.namespace, series.metric
    ))
}

/// Whether a dimension's value names a resource of a type, or is the word that is wanted.
fn names_a(value: &str, kind: &str, template: &Template) -> bool {
    if !kind.starts_with("AWS::") {
        return value == kind;
    }
    let Some(reference) = value
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
    else {
        return false;
    };
    let (name, attribute) = reference.split_once('.').unwrap_or((reference, ""));
    // What belongs to others is named by a parameter; `Job` is the job of either.
    let others = [
        ("DbtRunnerFunctionName", "AWS::Serverless::Function"),
        ("Job", "AWS::Glue::Job"),
    ];
    let fits = template.kind(name) == Some(kind) || others.contains(&(name, kind));
    // The reference of a queue is its URL.
    fits && attribute
        == if kind == "AWS::SQS::Queue" {
            "QueueName"
        } else {
            ""
        }
}

//! What the alarms and the dashboard watch.

use crate::series::Series;
use crate::template::{Template, canonical};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A series that something watches.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The alarm or the widget.
    pub(crate) by: String,
    /// The series.
    pub(crate) series: Series,
    /// The unit that the watcher states.
    pub(crate) unit: Option<String>,
}

/// Every series that an alarm watches.
pub(crate) fn by_alarms(template: &Template) -> Vec<Watched> {
    template
        .of_type("AWS::CloudWatch::Alarm")
        .flat_map(|(name, alarm)| by_alarm(name, &alarm["Properties"]))
        .collect()
}

/// The series of one alarm: its metric, or those of its expression.
pub(crate) fn by_alarm(name: &str, properties: &Value) -> Vec<Watched> {
    let watched = |metric: &Value, unit: &Value| Watched {
        by: name.to_owned(),
        series: Series {
            namespace: canonical(&metric["Namespace"]),
            metric: canonical(&metric["MetricName"]),
            dimensions: dimensions(name, &metric["Dimensions"]),
        },
        unit: unit.as_str().map(str::to_owned),
    };
    let Some(queries) = properties["Metrics"].as_array() else {
        return vec![watched(properties, &properties["Unit"])];
    };
    let of_metrics: Vec<&Value> = queries
        .iter()
        .filter(|query| !query["MetricStat"].is_null())
        .collect();
    let ids: BTreeSet<&str> = of_metrics
        .iter()
        .map(|query| query["Id"].as_str().unwrap())
        .collect();
    for query in queries
        .iter()
        .filter(|query| !query["Expression"].is_null())
    {
        let used = identifiers(&canonical(&query["Expression"]));
        assert_eq!(
            used.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            ids,
            "{name}: the expression and the metrics differ"
        );
    }
    of_metrics
        .into_iter()
        .map(|query| watched(&query["MetricStat"]["Metric"], &query["MetricStat"]["Unit"]))
        .collect()
}

fn dimensions(by: &str, listed: &Value) -> BTreeMap<String, String> {
    let listed = listed
        .as_array()
        .unwrap_or_else(|| panic!("{by}: no dimensions"));
    listed
        .iter()
        .map(|one| (canonical(&one["Name"]), canonical(&one["Value"])))
        .collect()
}

/// The names of series in an expression: what begins with a small letter outside of references.
pub(crate) fn identifiers(expression: &str) -> BTreeSet<String> {
    let outside: String = expression
        .split("${")
        .enumerate()
        .map(|(number, part)| match number {
            0 => part,
            _ => part.split_once('}').map_or("", |(_, rest)| rest),
        })
        .collect();
    outside
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// The widgets of the dashboard. Numbers that a parameter gives are there as text.
pub(crate) fn widgets(template: &Template) -> Vec<Value> {
    let (_, dashboard) = template
        .of_type("AWS::CloudWatch::Dashboard")
        .next()
        .unwrap();
    let body = canonical(&dashboard["Properties"]["DashboardBody"]);
    let body: Value = serde_json::from_str(&quoted(&body)).unwrap_or_else(|error| {
        panic!("the dashboard's body is no JSON: {error}");
    });
    body["widgets"].as_array().unwrap().clone()
}

/// The body with references outside of strings in quotes, and those that add list items gone.
fn quoted(body: &str) -> String {
    let (mut text, mut in_string, mut escaped) = (String::new(), false, false);
    let mut rest = body;
    while let Some(letter) = rest.chars().next() {
        if letter == '$' && !in_string {
            let (reference, after) = rest.split_once('}').unwrap();
            // Each of these brings a comma of its own.
            if !["${MissedRun", "${UnstartedRuns", "${VolumeBand"].contains(&reference) {
                text.push_str(&format!("\"{reference}}}\""));
            }
            rest = after;
            continue;
        }
        in_string ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        text.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    text
}

/// The title of a widget.
pub(crate) fn title(widget: &Value) -> String {
    let title = widget["properties"]["title"].as_str();
    title.unwrap_or("a widget without a title").to_owned()
}

/// Every series that a metric widget shows; a search stands for the dimensions that it names.
pub(crate) fn by_widget(widget: &Value) -> Vec<Watched> {
    let by = title(widget);
    let Some(metrics) = widget["properties"]["metrics"].as_array() else {
        return Vec::new();
    };
    let mut ids = BTreeSet::new();
    let mut watched = Vec::new();
    for entry in metrics {
        let entry = entry.as_array().unwrap();
        let (texts, options): (Vec<_>, Vec<_>) = entry.iter().partition(|part| part.is_string());
        let options = options.first().copied().unwrap_or(&Value::Null);
        ids.extend(options["id"].as_str().map(str::to_owned));
        match options["expression"].as_str() {
            Some(search) if search.starts_with("SEARCH(") => {}
            Some(expression) => assert!(
                identifiers(expression).is_subset(&ids),
                "{by}: {expression} uses what is not there"
            ),
            None => watched.push(Watched {
                by: by.clone(),
                series: of_texts(&by, &texts),
                unit: None,
            }),
        }
    }
    watched
}

fn of_texts(by: &str, texts: &[&Value]) -> Series {
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str().unwrap()).collect();
    assert!(
        texts.len() >= 4 && texts.len().is_multiple_of(2) && !texts.contains(&"."),
        "{by}: a metric is written out with its dimensions: {texts:?}"
    );
    Series {
        namespace: texts[0].to_owned(),
        metric: texts[1].to_owned(),
        dimensions: texts[2..]
            .chunks(2)
            .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
            .collect(),
    }
}

/// A search of a widget: namespace, metric, names of the dimensions, and the values that are given.
#[derive(Debug)]
pub(crate) struct Search {
    /// The namespace.
    pub(crate) namespace: String,
    /// The names of the dimensions, none more and none less.
    pub(crate) dimensions: BTreeSet<String>,
    /// The metric, and each dimension that is held to a value.
    pub(crate) given: BTreeMap<String, String>,
}

/// The searches of a widget.
pub(crate) fn searches(widget: &Value) -> Vec<Search> {
    let metrics = widget["properties"]["metrics"].as_array();
    let options = metrics
        .into_iter()
        .flatten()
        .flat_map(|entry| entry.as_array().unwrap());
    options
        .filter_map(|part| part["expression"].as_str()?.strip_prefix("SEARCH('{"))
        .map(|search| {
            let (schema, rest) = search.rsplit_once("} ").unwrap();
            let (namespace, dimensions) = schema.split_once(',').unwrap();
            let terms = rest.split_once('\'').unwrap().0.split_whitespace();
            Search {
                namespace: namespace.to_owned(),
                dimensions: dimensions.split(',').map(str::to_owned).collect(),
                given: terms
                    .map(|term| {
                        let (name, value) = term.split_once('=').unwrap();
                        (name.to_owned(), value.trim_matches('"').to_owned())
                    })
                    .collect(),
            }
        })
        .collect()
}

//! The template and the code say the same: metrics, settings, calls to AWS, errors. Each check names what differs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot be set up has failed"
)]

#[path = "consistency/permissions.rs"]
mod permissions;
#[path = "consistency/reviewed.rs"]
mod reviewed;
#[path = "consistency/series.rs"]
mod series;
#[path = "consistency/sources.rs"]
mod sources;
#[path = "consistency/template.rs"]
mod template;
#[path = "consistency/watched.rs"]
mod watched;

use permissions::{FUNCTIONS, Function, IMPLIED};
use pipewarden_shared::metric::RunMetric;
use pipewarden_shared::profile::{Alerts, Profile, alerting};
use serde_json::Value;
use series::{OWN, Series};
use std::collections::{BTreeMap, BTreeSet};
use template::{Template, canonical, file};
use watched::Watched;

/// The unit of the left or right axis on which a widget shows a metric of ours, by its label.
const AXES: &[(&str, &str)] = &[
    ("seconds", "Seconds"),
    ("percent", "Percent"),
    ("bytes", "Bytes"),
    ("milliseconds", "Milliseconds"),
];

/// Variables that a function reads and the template leaves alone.
const NOT_SET: &[(&str, &str)] = &[
    (
        "AWS_REGION",
        "Lambda sets it, and refuses that anybody else does",
    ),
    ("LAMBDA_TASK_ROOT", "Lambda sets it"),
    ("AWS_LAMBDA_FUNCTION_NAME", "Lambda sets it"),
    ("AWS_ENDPOINT_URL", "for stand-ins of AWS only"),
    ("AWS_USE_FIPS_ENDPOINT", "for whoever needs it, by hand"),
    (
        "AWS_USE_DUALSTACK_ENDPOINT",
        "for whoever needs it, by hand",
    ),
    (
        "SSL_CERT_FILE",
        "only the function that calls others than AWS needs it",
    ),
    ("SSL_CERT_DIR", "for whoever needs it, by hand"),
];

/// The shared files that read variables, and how a function's source shows that it uses them.
const SHARED_READERS: &[(&str, &str)] = &[
    ("shared/src/lambda.rs", "lambda::start("),
    ("shared/src/aws.rs", "aws::sdk_config("),
    ("shared/src/profile/mod.rs", "Profile::from_settings("),
];

/// Reads of a variable whose name is not beside them: how many, and the names.
const UNNAMED_READS: &[(&str, usize, &[&str])] = &[
    (
        "shared/src/aws.rs",
        2,
        &[
            "AWS_USE_FIPS_ENDPOINT",
            "AWS_USE_DUALSTACK_ENDPOINT",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        ],
    ),
    // The names that a profile's receivers stand on: see `alerting_settings`.
    ("functions/alert-fanout/src/config.rs", 1, &[]),
];

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

/// The variables of the receivers that the profile and the usual configuration stand on.
fn alerting_settings() -> BTreeSet<String> {
    let profile = Profile::parse(&file("pipelines/sf-user.yaml")).unwrap();
    let mut names = alerting::settings(&profile.alerts);
    names.extend(alerting::settings(&Alerts::default()));
    names
}

/// The variables that a function reads.
fn read_by(function: &Function) -> BTreeSet<String> {
    let own = sources::of_crate(function.folder);
    let shared = sources::of_crate("shared");
    let uses = |shows: &str| own.iter().any(|source| source.text.contains(shows));
    let used = shared.iter().filter(|source| {
        let reader = SHARED_READERS.iter().find(|(path, _)| *path == source.path);
        reader.is_some_and(|(_, shows)| uses(shows))
    });
    let mut names = BTreeSet::new();
    for source in own.iter().chain(used) {
        names.extend(sources::settings(source).0);
        let unnamed = UNNAMED_READS.iter().find(|(path, ..)| *path == source.path);
        names.extend(
            unnamed
                .into_iter()
                .flat_map(|(.., names)| *names)
                .map(|name| (*name).to_owned()),
        );
        if source.text.contains("alerting::settings(") {
            names.extend(alerting_settings());
        }
    }
    names
}

#[test]
fn no_read_of_a_variable_is_overlooked() {
    let mut folders: Vec<&str> = FUNCTIONS.iter().map(|function| function.folder).collect();
    folders.push("shared");
    let mut unnamed = BTreeMap::new();
    for source in folders.into_iter().flat_map(sources::of_crate) {
        let (named, count) = sources::settings(&source);
        // The reader itself.
        if source.path == "shared/src/settings.rs" {
            continue;
        }
        if count > 0 {
            unnamed.insert(source.path.clone(), count);
        }
        let is_shared = source.path.starts_with("shared/");
        assert!(
            !is_shared
                || named.is_empty()
                || SHARED_READERS.iter().any(|(path, _)| *path == source.path),
            "{} reads {named:?}: who uses it?",
            source.path
        );
    }
    let known = UNNAMED_READS
        .iter()
        .map(|(path, count, _)| ((*path).to_owned(), *count));
    assert_eq!(unnamed, known.collect());
}

#[test]
fn every_variable_that_a_function_reads_is_set_and_no_other() {
    let template = Template::read();
    let globals = template.0["Globals"]["Function"]["Environment"]["Variables"]
        .as_object()
        .unwrap();
    let left_alone: BTreeSet<&str> = NOT_SET.iter().map(|(name, _)| *name).collect();
    let (mut problems, mut missing) = (Vec::new(), BTreeSet::new());
    for function in FUNCTIONS {
        let own = template.properties(function.name)["Environment"]["Variables"].as_object();
        let set: BTreeSet<String> = globals
            .keys()
            .chain(own.into_iter().flatten().map(|(name, _)| name))
            .cloned()
            .collect();
        let read = read_by(function);
        for name in set.difference(&read) {
            problems.push(format!("{}: {name} is set and not read", function.name));
        }
        for name in read.difference(&set) {
            if left_alone.contains(name.as_str()) {
                missing.insert(name.clone());
            } else {
                problems.push(format!("{}: {name} is read and not set", function.name));
            }
        }
    }
    for name in left_alone.iter().filter(|name| !missing.contains(**name)) {
        problems.push(format!("NOT_SET names {name}, which is set or not read"));
    }
    fail_with(&problems);
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

/// Actions of a state machine for each integration that a task may use (Step Functions developer guide, "IAM policies
/// for integrated services"), and for its own log ("Logging to CloudWatch").
const INTEGRATIONS: &[(&str, &[&str])] = &[
    ("arn:aws:states:::lambda:invoke", &["lambda:InvokeFunction"]),
    (
        "arn:aws:states:::glue:startJobRun.sync",
        &[
            "glue:StartJobRun",
            "glue:GetJobRun",
            "glue:GetJobRuns",
            "glue:BatchStopJobRun",
        ],
    ),
];
const OF_THE_LOG: &[&str] = &[
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
];

fn tasks() -> Vec<(String, Value)> {
    let definition: Value = serde_json::from_str(&file("statemachine/sf-user.asl.json")).unwrap();
    let states = definition["States"].as_object().unwrap().clone();
    states
        .into_iter()
        .filter(|(_, state)| state["Type"] == "Task")
        .collect()
}

#[test]
fn the_state_machine_may_do_what_its_tasks_do_and_no_more() {
    let template = Template::read();
    let mut needed: BTreeSet<String> = OF_THE_LOG
        .iter()
        .map(|action| (*action).to_owned())
        .collect();
    for (name, task) in tasks() {
        let actions = INTEGRATIONS
            .iter()
            .find(|(resource, _)| task["Resource"] == *resource);
        let (_, actions) =
            actions.unwrap_or_else(|| panic!("{name}: {} is not known", task["Resource"]));
        needed.extend(actions.iter().map(|action| (*action).to_owned()));
    }
    let policies = template.properties("PipelineStateMachine")["Policies"]
        .as_array()
        .unwrap();
    let allowed: BTreeSet<String> = policies.iter().flat_map(permissions::actions).collect();
    assert_eq!(allowed, needed);
}

/// Errors of a service that a task calls (Step Functions developer guide, "Handling errors"; Lambda developer guide;
/// Glue API reference, StartJobRun and GetJobRun).
const OF_ANY_TASK: &[&str] = &[
    "States.ALL",
    "States.Timeout",
    "States.TaskFailed",
    "States.Permissions",
    "States.DataLimitExceeded",
];
const OF_LAMBDA: &[&str] = &[
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
];
const OF_GLUE: &[&str] = &[
    "Glue.ConcurrentRunsExceededException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.ThrottlingException",
    "Glue.SdkClientException",
];

#[test]
fn every_retry_and_catch_names_an_error_that_its_own_task_can_raise() {
    let mut problems = Vec::new();
    for (name, task) in tasks() {
        let called = task["Arguments"]["FunctionName"]
            .as_str()
            .unwrap_or_default();
        let called = called.trim_start_matches("${").trim_end_matches('}');
        let own = FUNCTIONS.iter().find(|function| function.name == called);
        let service = if task["Resource"].as_str().unwrap().contains("glue") {
            OF_GLUE
        } else {
            OF_LAMBDA
        };
        let raised: BTreeSet<&str> = OF_ANY_TASK
            .iter()
            .chain(service)
            .chain(own.map_or(&[][..], |function| function.errors))
            .copied()
            .collect();
        for clause in ["Retry", "Catch"]
            .iter()
            .flat_map(|kind| task[kind].as_array().into_iter().flatten())
        {
            for error in clause["ErrorEquals"].as_array().unwrap() {
                if !raised.contains(error.as_str().unwrap()) {
                    problems.push(format!("{name} matches {error}, which it cannot raise"));
                }
            }
        }
    }
    fail_with(&problems);
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

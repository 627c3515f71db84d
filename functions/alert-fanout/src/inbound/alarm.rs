//! A CloudWatch alarm that changed its state: as SNS brings it, as EventBridge brings it, and as an alarm action
//! invokes a function with it. Metric, metric-math, anomaly and composite alarms.

use super::json;
use jiff::Timestamp;
use pipewarden_shared::alert::Status;
use pipewarden_shared::execution::console;
use pipewarden_shared::failure::Severity;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most metrics, dimensions and child alarms that are told.
const MOST: usize = 10;

/// What is read of an alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// What its owner wrote about it; often null.
    pub description: Option<String>,
    /// ALARM, OK or INSUFFICIENT_DATA.
    pub state: String,
    /// The state before.
    pub previous: Option<String>,
    /// Why the state changed.
    pub reason: Option<String>,
    /// When it changed.
    pub changed_at: Option<Timestamp>,
    /// The account.
    pub account: Option<String>,
    /// The metrics that it watches, such as `Average of AWS/EC2 CPUUtilization`.
    pub metrics: Vec<String>,
    /// The expression that it evaluates.
    pub expression: Option<String>,
    /// When it goes off, such as `> 80 for 3 of 5 periods of 60 s`.
    pub condition: Option<String>,
    /// The dimensions of its metrics.
    pub dimensions: Vec<(String, String)>,
    /// The rule of a composite alarm.
    pub rule: Option<String>,
    /// The alarms that made a composite alarm change.
    pub children: Vec<String>,
    /// The alarm as it came.
    pub raw: Value,
}

impl Alarm {
    /// Reads an alarm; nothing where the JSON is none.
    pub(super) fn read(json: &Value) -> Option<Self> {
        if json.get("AlarmName").is_some() && json.get("NewStateValue").is_some() {
            return Self::of_sns(json);
        }
        let event = json.get("detail-type").and_then(Value::as_str);
        if event == Some("CloudWatch Alarm State Change") {
            let arn = json::text(json, "/resources/0");
            return Self::of_state_change(json, json.get("detail")?, arn, "/account");
        }
        if json.get("alarmData").is_some() {
            let arn = json::text(json, "/alarmArn");
            return Self::of_state_change(json, json.get("alarmData")?, arn, "/accountId");
        }
        None
    }

    /// The message that an alarm action publishes to SNS.
    fn of_sns(json: &Value) -> Option<Self> {
        let trigger = json.get("Trigger").unwrap_or(&Value::Null);
        let metrics = list(trigger, "/Metrics");
        let single = trigger.get("MetricName").is_some();
        Some(Self {
            name: json::text(json, "/AlarmName")?,
            arn: json::text(json, "/AlarmArn"),
            description: json::text(json, "/AlarmDescription"),
            state: json::text(json, "/NewStateValue")?,
            previous: json::text(json, "/OldStateValue"),
            reason: json::text(json, "/NewStateReason"),
            changed_at: json::time(json, "/StateChangeTime"),
            account: json::text(json, "/AWSAccountId"),
            metrics: if single {
                vec![metric(trigger, "/Statistic", "/Namespace", "/MetricName")]
            } else {
                each(metrics, |of| {
                    let stat = of.get("MetricStat")?;
                    Some(metric(
                        stat,
                        "/Stat",
                        "/Metric/Namespace",
                        "/Metric/MetricName",
                    ))
                })
            },
            expression: metrics.iter().find_map(|of| json::text(of, "/Expression")),
            condition: condition(trigger),
            dimensions: dimensions(if single {
                list(trigger, "/Dimensions")
            } else {
                metrics
                    .iter()
                    .find_map(|of| of.pointer("/MetricStat/Metric/Dimensions"))
                    .and_then(Value::as_array)
                    .map_or(&[], Vec::as_slice)
            }),
            rule: json::text(json, "/AlarmRule"),
            children: each(list(json, "/TriggeringChildren"), |child| {
                Some(after_colon(&json::text(child, "/Arn")?))
            }),
            raw: json.clone(),
        })
    }

    /// The state change that EventBridge tells, and that an alarm's Lambda action is invoked with.
    fn of_state_change(
        json: &Value,
        alarm: &Value,
        arn: Option<String>,
        account: &str,
    ) -> Option<Self> {
        let metrics = list(alarm, "/configuration/metrics");
        let data = json::text(alarm, "/state/reasonData");
        let data: Value = data
            .and_then(|data| serde_json::from_str(&data).ok())
            .unwrap_or(Value::Null);
        let dimensions = metrics
            .iter()
            .find_map(|of| of.pointer("/metricStat/metric/dimensions"))
            .and_then(Value::as_object);
        Some(Self {
            name: json::text(alarm, "/alarmName")?,
            arn,
            description: json::text(alarm, "/configuration/description"),
            state: json::text(alarm, "/state/value")?,
            previous: json::text(alarm, "/previousState/value"),
            reason: json::text(alarm, "/state/reason"),
            changed_at: json::time(alarm, "/state/timestamp").or_else(|| json::time(json, "/time")),
            account: json::text(json, account),
            metrics: each(metrics, |of| {
                let stat = of.get("metricStat")?;
                Some(metric(stat, "/stat", "/metric/namespace", "/metric/name"))
            }),
            expression: metrics.iter().find_map(|of| json::text(of, "/expression")),
            condition: json::number(&data, "/threshold")
                .map(|threshold| format!("threshold {threshold}")),
            // By name: the order of a JSON object depends on how its reader was built.
            dimensions: dimensions
                .into_iter()
                .flatten()
                .collect::<BTreeMap<_, _>>()
                .into_iter()
                .take(MOST)
                .filter_map(|(name, value)| Some((name.clone(), json::scalar(value)?)))
                .collect(),
            rule: json::text(alarm, "/configuration/alarmRule"),
            children: each(list(&data, "/triggeringAlarms"), |child| {
                Some(after_colon(&json::text(child, "/arn")?))
            }),
            raw: json.clone(),
        })
    }

    /// What stands for this alarm: its ARN, or its name.
    pub(super) fn identity(&self) -> &str {
        self.arn.as_deref().unwrap_or(&self.name)
    }

    /// OK is resolved; ALARM and INSUFFICIENT_DATA are firing.
    pub(super) fn status(&self) -> Status {
        match self.state.as_str() {
            "OK" => Status::Resolved,
            _ => Status::Firing,
        }
    }

    /// A severity that its name or description states, such as `[CRITICAL]` or `severity: low`. Without one an alarm
    /// is HIGH, and one that lacks data MEDIUM.
    pub(crate) fn severity(&self) -> Severity {
        let stated = [Some(&self.name), self.description.as_ref()]
            .into_iter()
            .flatten()
            .find_map(|text| Severity::stated_in(text));
        match (stated, self.state.as_str()) {
            (Some(stated), _) => stated,
            (None, "INSUFFICIENT_DATA") => Severity::Medium,
            (None, _) => Severity::High,
        }
    }

    /// The value of its `Environment` dimension.
    pub fn environment(&self) -> Option<&str> {
        let found = self
            .dimensions
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("environment"));
        found.map(|(_, value)| value.as_str())
    }

    /// The alarm's page in the console, where its ARN tells partition and region.
    pub fn page(&self) -> Option<String> {
        let mut parts = self.arn.as_deref()?.split(':');
        let (partition, region) = (parts.nth(1)?, parts.nth(1)?);
        let plain = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric() || character == '-')
        };
        (plain(partition) && plain(region)).then(|| {
            format!(
                "{}/cloudwatch/home?region={region}#alarmsV2:alarm/{}",
                console(partition, region),
                percent_encoded(&self.name)
            )
        })
    }

    /// The first page that the description names: by custom the runbook.
    pub fn runbook(&self) -> Option<String> {
        let description = self.description.as_deref()?;
        let (_, rest) = description.split_once("https://")?;
        let ends = |character: char| {
            character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | ')' | '|')
        };
        let rest = rest.split(ends).next()?.trim_end_matches(['.', ',', ';']);
        (!rest.is_empty()).then(|| format!("https://{rest}"))
    }
}

fn list<'a>(json: &'a Value, pointer: &str) -> &'a [Value] {
    json.pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn each(items: &[Value], tell: impl Fn(&Value) -> Option<String>) -> Vec<String> {
    items.iter().filter_map(tell).take(MOST).collect()
}

/// `Average of AWS/EC2 CPUUtilization`.
fn metric(json: &Value, statistic: &str, namespace: &str, name: &str) -> String {
    let text = |pointer| json::text(json, pointer);
    let statistic = text(statistic)
        .or_else(|| text("/ExtendedStatistic"))
        .map(|statistic| match statistic.as_str() {
            "SAMPLECOUNT" | "SAMPLE_COUNT" => "SampleCount".to_owned(),
            upper if upper.chars().all(|letter| letter.is_ascii_uppercase()) => {
                super::alert::sentence(&upper.to_ascii_lowercase())
            }
            other => other.to_owned(),
        });
    let name = [text(namespace), text(name)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    match statistic {
        Some(statistic) => format!("{statistic} of {name}"),
        None => name,
    }
}

/// Dimensions as SNS writes them: `[{"name": …, "value": …}]`.
fn dimensions(items: &[Value]) -> Vec<(String, String)> {
    items
        .iter()
        .filter_map(|item| {
            Some((
                json::first(item, &["/name", "/Name"])?,
                json::first(item, &["/value", "/Value"])?,
            ))
        })
        .take(MOST)
        .collect()
}

/// When a trigger goes off: `> 80 for 3 of 5 periods of 60 s`.
fn condition(trigger: &Value) -> Option<String> {
    let operator = json::text(trigger, "/ComparisonOperator")?;
    let threshold = json::number(trigger, "/Threshold");
    let (sign, band) = match operator.as_str() {
        "GreaterThanThreshold" => (">", false),
        "GreaterThanOrEqualToThreshold" => ("≥", false),
        "LessThanThreshold" => ("<", false),
        "LessThanOrEqualToThreshold" => ("≤", false),
        "LessThanLowerOrGreaterThanUpperThreshold" => ("outside the expected band", true),
        "GreaterThanUpperThreshold" => ("above the expected band", true),
        "LessThanLowerThreshold" => ("below the expected band", true),
        other => (other, false),
    };
    let mut text = match threshold {
        Some(threshold) if !band => format!("{sign} {threshold}"),
        _ => sign.to_owned(),
    };
    let periods = json::number(trigger, "/EvaluationPeriods");
    let needed = json::number(trigger, "/DatapointsToAlarm").or(periods);
    if let (Some(needed), Some(periods)) = (needed, periods) {
        text.push_str(&format!(" for {needed} of {periods} periods"));
        if let Some(period) = json::number(trigger, "/Period") {
            text.push_str(&format!(" of {period} s"));
        }
    }
    Some(text)
}

fn after_colon(arn: &str) -> String {
    let name = arn.split(":alarm:").nth(1);
    name.unwrap_or(arn).to_owned()
}

/// Everything but letters, digits and `-._~` as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

use super::*;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

/// The names of the sample events.
pub(crate) fn sample_names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(samples())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The event of a sample.
pub(crate) fn sample_event(name: &str) -> Value {
    let path = samples().join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The first notice of a sample.
pub(crate) fn sample(name: &str) -> Notice {
    parse(&sample_event(name)).unwrap().remove(0)
}

fn samples() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/alert-fanout")
}

fn with_message(message: &str) -> Notice {
    let event = json!({"Records": [{"Sns": {"Subject": "S", "Message": message}}]});
    parse(&event).unwrap().remove(0)
}

#[rstest]
#[case(json!({}), "Records")]
#[case(json!({"Records": []}), "Records")]
#[case(json!({"Records": [{"Sns": {"Message": "a"}}, {"Sns": {}}]}), "Records[1].Sns.Message")]
#[case(json!({"Records": [{"Sns": {"Message": {"a": 1}}}]}), "Records[0].Sns.Message")]
#[case(json!("x"), "event")]
fn an_event_of_another_kind_is_refused(#[case] event: Value, #[case] field: &str) {
    assert_eq!(parse(&event).unwrap_err().field, field);
}

#[test]
fn each_sample_is_read_as_what_it_is() {
    let mut read = String::new();
    for name in sample_names() {
        let notice = sample(&name);
        let kind = match &notice {
            Notice::Alert(_) => "alert",
            Notice::Alarm(_) => "alarm",
            Notice::Event(_) => "event",
            Notice::Text(_) => "text",
        };
        let labels: Vec<String> = notice
            .labels()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        read.push_str(&format!("{name}: {kind}\n    {}\n", labels.join("\n    ")));
    }
    insta::assert_snapshot!(read);
}

#[test]
fn the_samples_over_sns_are_events_of_sns() {
    for name in sample_names() {
        let event = sample_event(&name);
        if event.get("Records").is_some() {
            let strict: aws_lambda_events::sns::SnsEvent = serde_json::from_value(event).unwrap();
            assert_eq!(strict.records.len(), 1, "{name}");
        }
    }
}

#[rstest]
#[case("the disk is full")]
#[case("{\"AlarmName\": \"x\"}")]
#[case("{\"fingerprint\": 7}")]
#[case("[1, 2]")]
#[case("null")]
#[case("")]
fn any_other_message_is_kept(#[case] message: &str) {
    let Notice::Text(text) = with_message(message) else {
        panic!("it is no known form");
    };
    assert_eq!(
        (text.subject().as_str(), text.message.as_str()),
        ("S", message)
    );
}

#[test]
fn any_other_message_is_masked_and_bounded() {
    let message = format!("password=hunter22 {}", "x".repeat(250_000));
    let Notice::Text(text) = with_message(&message) else {
        panic!("it is no known form");
    };
    assert!(text.message.starts_with("password=*** xxx"));
    assert_eq!(text.message.chars().count(), 8_000);
}

#[test]
fn an_alarm_that_is_ok_again_is_the_same_problem_and_another_notice() {
    let [went_off, ok, lacks_data] =
        ["alarm-metric", "alarm-ok", "alarm-insufficient-data"].map(sample);
    assert_eq!(went_off.fingerprint(), ok.fingerprint());
    assert_eq!(went_off.fingerprint(), lacks_data.fingerprint());
    assert_eq!(ok.status(), Status::Resolved);
    let ids: std::collections::BTreeSet<String> =
        [went_off, ok, lacks_data].iter().map(Notice::id).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn an_alarm_is_the_same_over_sns_eventbridge_and_lambda() {
    let arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:sf-user-dev-freshness";
    let over_sns = with_message(
        &json!({"AlarmName": "sf-user-dev-freshness", "AlarmArn": arn, "NewStateValue": "OK"})
            .to_string(),
    );
    let over_lambda = json!({
        "source": "aws.cloudwatch",
        "alarmArn": arn,
        "accountId": "123456789012",
        "time": "2026-03-01T06:01:12.103+0000",
        "region": "eu-central-1",
        "alarmData": {
            "alarmName": "sf-user-dev-freshness",
            "state": {"value": "ALARM", "reason": "too old", "timestamp": "2026-03-01T06:01:12.103+0000"},
        },
    });
    let over_lambda = parse(&over_lambda).unwrap().remove(0);
    let over_eventbridge = sample("alarm-state-change-event");
    assert_eq!(over_sns.fingerprint(), over_eventbridge.fingerprint());
    assert_eq!(over_lambda.fingerprint(), over_eventbridge.fingerprint());
    assert_eq!(over_lambda.id(), over_eventbridge.id());
}

#[test]
fn a_run_that_succeeds_is_the_same_problem_resolved() {
    let mut event = sample_event("eventbridge-without-sns");
    let failed = parse(&event).unwrap().remove(0);
    event["id"] = json!("another");
    event["detail"]["status"] = json!("SUCCEEDED");
    let succeeded = parse(&event).unwrap().remove(0);
    assert_eq!(failed.fingerprint(), succeeded.fingerprint());
    assert_eq!(
        (failed.status(), succeeded.status()),
        (Status::Firing, Status::Resolved)
    );
    assert_eq!(failed, sample("eventbridge-step-functions"));
}

#[rstest]
#[case("severity", json!("SEV1"), Severity::High)]
#[case("severity", json!("warning"), Severity::Medium)]
#[case("severity", json!(4), Severity::High)]
#[case("version", json!("2026-03"), Severity::High)]
#[case("diagnosis", json!("no object any more"), Severity::High)]
#[case("diagnosis", json!(null), Severity::High)]
#[case("status", json!("acknowledged"), Severity::High)]
#[case("execution", json!("run-7"), Severity::High)]
#[case("links", json!(["https://a.example/"]), Severity::High)]
#[case("occurred_at", json!("yesterday"), Severity::High)]
#[case("id", json!(null), Severity::High)]
fn an_alert_of_another_version_is_an_alert(
    #[case] field: &str,
    #[case] value: Value,
    #[case] severity: Severity,
) {
    let message = sample_event("glue-job-failure")["Records"][0]["Sns"]["Message"].clone();
    let mut alert: Value = serde_json::from_str(message.as_str().unwrap()).unwrap();
    alert[field] = value;
    let Notice::Alert(read) = with_message(&alert.to_string()) else {
        panic!("an alert is expected");
    };
    assert_eq!(read.pipeline.as_deref(), Some("sf_user"));
    assert_eq!(read.severity, severity);
    assert_eq!(read.status, Status::Firing);
    assert!(!read.id.is_empty());
}

#[rstest]
#[case(json!({"action": "redriven", "reason": "the failure was transient", "count": 2}),
    "redriven (2 times): the failure was transient")]
#[case(json!({"action": "not_redriven", "reason": "over the limit", "count": 0}), "not redriven: over the limit")]
#[case(json!("started again"), "started again")]
fn what_was_done_about_a_run_is_told(#[case] recovery: Value, #[case] told: &str) {
    let alert = json!({"fingerprint": "f", "pipeline": "p", "recovery": recovery});
    let Notice::Alert(alert) = with_message(&alert.to_string()) else {
        panic!("an alert is expected");
    };
    assert_eq!(alert.recovery.as_deref(), Some(told));
}

#[rstest]
#[case("Nightly [CRITICAL]", None, Severity::Critical)]
#[case("nightly", Some("Pages nobody. severity: low"), Severity::Low)]
#[case("flow-of-highways", Some("below the usual"), Severity::High)]
fn an_alarm_may_state_its_severity(
    #[case] name: &str,
    #[case] description: Option<&str>,
    #[case] severity: Severity,
) {
    let alarm =
        json!({"AlarmName": name, "AlarmDescription": description, "NewStateValue": "ALARM"});
    assert_eq!(with_message(&alarm.to_string()).severity(), severity);
}

/// JSON of any shape, with names that are read among its own.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("fingerprint"),
        Just("pipeline"),
        Just("diagnosis"),
        Just("severity"),
        Just("links"),
        Just("AlarmName"),
        Just("NewStateValue"),
        Just("Trigger"),
        Just("Metrics"),
        Just("source"),
        Just("detail-type"),
        Just("detail"),
        Just("state"),
        Just("alarmData"),
        Just("root_cause"),
        Just("execution"),
        Just("run"),
        Just("resources"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("Step Functions Execution Status Change")),
        Just(json!("CloudWatch Alarm State Change")),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..8).prop_map(|fields| {
                fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Value>()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_message_is_a_notice_with_an_identity(json in any_json(), text in any::<String>()) {
        for message in [json.to_string(), text] {
            let notice = with_message(&message);
            prop_assert!(!notice.fingerprint().is_empty());
            prop_assert!(!notice.id().is_empty());
            prop_assert_eq!(notice.fingerprint(), with_message(&message).fingerprint());
            let labels = notice.labels();
            prop_assert!(labels.contains_key("severity") && labels.contains_key("status"));
        }
    }
}

//! What the events of AWS services say, in the words of people. An event that is not known here is told by its fields.

mod job;

use super::alert::sentence;
use super::event::{Event, Told};
use super::{json, severity};
use pipewarden_shared::alert::Status;
use pipewarden_shared::execution::{Console, Execution};
use pipewarden_shared::failure::Severity;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most fields of an unknown event that are told.
const MOST_FIELDS: usize = 10;

/// The deepest that they are looked for.
const DEEPEST: usize = 3;

/// States that end well.
const GOOD: [&str; 7] = [
    "SUCCEEDED",
    "COMPLETED",
    "SUCCESS",
    "FINISHED",
    "Succeeded",
    "closed",
    "OK",
];

/// States on the way.
const UNDER_WAY: [&str; 9] = [
    "RUNNING",
    "STARTING",
    "STARTED",
    "PENDING",
    "QUEUED",
    "SUBMITTED",
    "STOPPING",
    "WAITING",
    "SCHEDULED",
];

/// Reads the events of one kind.
type Reader = fn(&Event) -> Told;

/// The kinds of events that are known.
fn reader(detail_type: &str) -> Option<Reader> {
    Some(match detail_type {
        "Step Functions Execution Status Change" => step_functions,
        "Glue Job State Change" | "Glue Job Run Status" => job::glue,
        "EMR Step Status Change" => job::emr_step,
        "EMR Serverless Job Run State Change" => job::emr_serverless,
        "AWS Health Event" => health,
        "Athena Query State Change" => job::athena,
        "ECS Task State Change" => job::ecs_task,
        "Data Quality Evaluation Results Available" => job::data_quality,
        _ => return None,
    })
}

/// Whether events of a kind are known.
pub(super) fn is_known(detail_type: &str) -> bool {
    reader(detail_type).is_some()
}

/// What an event says.
pub(super) fn told(event: &Event) -> Told {
    reader(&event.detail_type).map_or_else(|| anything(event), |read| read(event))
}

/// How a state is weighed: the severity of a failure, or what is left of it.
fn weighed(state: &str, failure: Severity) -> (Severity, Status) {
    if GOOD.contains(&state) {
        (Severity::Low, Status::Resolved)
    } else if UNDER_WAY.contains(&state) {
        (Severity::Low, Status::Firing)
    } else {
        (failure, Status::Firing)
    }
}

/// The console of the event's region.
fn console(event: &Event) -> Option<Console<'_>> {
    let region = event.region.as_deref()?;
    let partition = match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    Console::new(partition, region)
}

/// Fields of a detail that are there, by the names that they are shown under.
fn facts(detail: &Value, fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields
        .iter()
        .filter_map(|(name, pointer)| Some(((*name).to_owned(), json::text(detail, pointer)?)))
        .collect()
}

fn named(detail: &Value, pointers: &[&str], otherwise: &str) -> String {
    json::first(detail, pointers).unwrap_or_else(|| otherwise.to_owned())
}

/// What happened to something of a service that has a state.
struct Change<'a> {
    what: &'a str,
    subject: String,
    state: String,
    reason: Option<String>,
    severity: Severity,
    error_type: Option<&'static str>,
}

fn changed(change: Change<'_>, facts: Vec<(String, String)>) -> Told {
    let state = change.state.replace('_', " ").to_lowercase();
    let title = format!("{} {} {state}", change.what, change.subject);
    let (severity, status) = weighed(&change.state, change.severity);
    Told {
        summary: change.reason.unwrap_or_else(|| title.clone()),
        subject: change.subject,
        title,
        severity,
        status,
        error_type: change.error_type.filter(|_| status == Status::Firing),
        pipeline: None,
        facts,
        links: Vec::new(),
        duration: None,
    }
}

fn step_functions(event: &Event) -> Told {
    let detail = event.detail();
    let arn = named(detail, &["/executionArn"], "");
    let machine = named(detail, &["/stateMachineArn"], "a state machine");
    let machine = machine.rsplit(':').next().unwrap_or(&machine).to_owned();
    let (error, cause) = (json::text(detail, "/error"), json::text(detail, "/cause"));
    let reason = match (error, cause.as_deref().map(first_words)) {
        (Some(error), Some(cause)) => Some(format!("{error}: {cause}")),
        (error, cause) => error.or(cause),
    };
    let state = named(detail, &["/status"], "changed");
    let mut told = changed(
        Change {
            what: "State machine",
            subject: machine.clone(),
            severity: Severity::High,
            error_type: Some("orchestration_failure"),
            reason,
            state,
        },
        facts(detail, &[("Execution", "/name"), ("Status", "/status")]),
    );
    let times = [("/startDate"), ("/stopDate")].map(|pointer| json::time(detail, pointer));
    if let [Some(start), Some(stop)] = times {
        told.duration = Some((stop.as_millisecond() - start.as_millisecond()) as f64 / 1e3);
    }
    told.pipeline = Some(machine);
    let page = Execution::from_id(&arn).url;
    told.links
        .extend(page.map(|page| ("Execution".to_owned(), page)));
    told
}

/// The message inside a Cause that is JSON, as Lambda and Glue write it; any other text as it is.
fn first_words(cause: &str) -> String {
    serde_json::from_str::<Value>(cause)
        .ok()
        .and_then(|cause| json::first(&cause, &["/errorMessage", "/ErrorMessage", "/Cause"]))
        .unwrap_or_else(|| cause.to_owned())
}

/// The first of the resources that a Health event names.
fn affected(detail: &Value) -> Option<String> {
    let entities = detail.get("affectedEntities")?.as_array()?;
    let names: Vec<String> = entities
        .iter()
        .filter_map(|entity| json::text(entity, "/entityValue"))
        .take(5)
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn health(event: &Event) -> Told {
    let detail = event.detail();
    let code = named(detail, &["/eventTypeCode"], &event.detail_type);
    let category = named(detail, &["/eventTypeCategory"], "issue");
    let open = json::text(detail, "/statusCode").is_none_or(|status| status != "closed");
    let service = named(detail, &["/service"], "AWS");
    let mut facts = facts(
        detail,
        &[
            ("Service", "/service"),
            ("Category", "/eventTypeCategory"),
            ("Region", "/eventRegion"),
            ("Starts", "/startTime"),
            ("Ends", "/endTime"),
        ],
    );
    facts.extend(affected(detail).map(|entities| ("Affected".to_owned(), entities)));
    let description = json::text(detail, "/eventDescription/0/latestDescription");
    Told {
        title: format!(
            "AWS Health: {service} {}",
            sentence(&category).to_lowercase()
        ),
        summary: description.unwrap_or_else(|| code.clone()),
        subject: named(detail, &["/eventArn"], &code),
        severity: match (category.as_str(), open) {
            ("issue", true) => Severity::High,
            ("scheduledChange", true) => Severity::Medium,
            _ => Severity::Low,
        },
        status: if open {
            Status::Firing
        } else {
            Status::Resolved
        },
        error_type: None,
        pipeline: None,
        links: vec![(
            "Health dashboard".to_owned(),
            "https://health.aws.amazon.com/health/home".to_owned(),
        )],
        duration: None,
        facts,
    }
}

/// An event that is not known: its own words where it has some, and its fields.
fn anything(event: &Event) -> Told {
    let detail = event.detail();
    let state = json::first(
        detail,
        &["/state", "/status", "/currentState", "/state/value"],
    );
    let message = json::first(
        detail,
        &[
            "/message",
            "/reason",
            "/description",
            "/title",
            "/summary",
            "/errorMessage",
            "/error/message",
            "/detailMessage",
            "/stateReason",
        ],
    );
    let word = json::text(detail, "/severity").filter(|word| word.parse::<f64>().is_err());
    let stated = word.map_or(Severity::Medium, |word| severity(&word));
    let (severity, status) = match &state {
        Some(state) => weighed(state, stated),
        None => (stated, Status::Firing),
    };
    let mut fields = Vec::new();
    collect(detail, "", DEEPEST, &mut fields);
    let subject = event.resources.first().cloned().or_else(|| {
        let names = ["/name", "/id", "/arn", "/clusterName", "/functionName"];
        json::first(detail, &names)
    });
    let happened = match &state {
        Some(state) => format!("{}: {state}", event.detail_type),
        None => event.detail_type.clone(),
    };
    Told {
        subject: subject.unwrap_or_default(),
        title: format!("{happened} ({})", event.source),
        summary: message.unwrap_or(happened),
        severity,
        status,
        error_type: None,
        pipeline: None,
        facts: fields,
        links: Vec::new(),
        duration: None,
    }
}

fn collect(json: &Value, path: &str, depth: usize, fields: &mut Vec<(String, String)>) {
    if depth == 0 {
        return;
    }
    // By name: the order of a JSON object depends on how its reader was built.
    let by_name: BTreeMap<&String, &Value> = json.as_object().into_iter().flatten().collect();
    for (name, value) in by_name {
        if fields.len() >= MOST_FIELDS {
            return;
        }
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        match json::named(name, value) {
            Some(text) => fields.push((path, text)),
            None => collect(value, &path, depth - 1, fields),
        }
    }
}

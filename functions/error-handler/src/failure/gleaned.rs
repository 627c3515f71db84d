//! Parse: what an event of no known kind says about an error, by the names of its fields.

use serde_json::{Map, Value};

/// How deep an event is looked into.
const DEEPEST: usize = 16;

/// What was asked of something is no word about why it failed.
const ASKED: &[&str] = &[
    "requestpayload",
    "requestparameters",
    "request",
    "input",
    "parameters",
    "arguments",
];

/// The contract's name of the part that failed.
pub(super) const OURS: &str = "error_type";

/// What an event has and an entry of a log has not.
const OF_EVENTS: &[&str] = &[OURS, "Error", "Cause", "detail-type", "Records"];

/// What the fields of an event say that are named after an error, a line for each object that has some.
pub(super) fn text(event: &Value) -> String {
    let mut lines = Vec::new();
    gather(event, true, 0, &mut lines);
    lines.join("\n")
}

/// What loggers call the level of an entry, and what they call its message.
const LEVELS: &[&str] = &[
    "level",
    "levelname",
    "loglevel",
    "log.level",
    "@level",
    "lvl",
    "severity",
];
const MESSAGES: &[&str] = &["message", "msg", "event", "log", "@message"];

/// What a log says whose entries are JSON, a line for each with its level before it; none where a text is no such log.
pub(super) fn log(text: &str) -> Option<String> {
    let entries = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    let lines: Option<Vec<String>> = entries.map(|entry| line(entry.ok()?)).collect();
    lines
        .filter(|lines| !lines.is_empty())
        .map(|lines| lines.join("\n"))
}

/// An entry of a log as a line; none for an object that is none, such as an event.
fn line(mut entry: Map<String, Value>) -> Option<String> {
    if OF_EVENTS.iter().any(|name| entry.contains_key(*name)) {
        return None;
    }
    let level = level(&take(&mut entry, LEVELS)?)?;
    let message = take(&mut entry, MESSAGES)?;
    let message = message.as_str()?;
    let rest = self::text(&Value::Object(entry));
    let line = format!("{level} {message} {}", rest.replace('\n', " "));
    Some(line.trim_end().to_owned())
}

/// A level as a word; numbers are those of Bunyan and Pino, where 50 is an error.
fn level(told: &Value) -> Option<String> {
    let word = match told.as_u64() {
        Some(50..) => "ERROR",
        Some(40..) => "WARN",
        Some(_) => "INFO",
        None => told.as_str()?,
    };
    Some(word.to_ascii_uppercase())
}

/// Takes the first field that has one of the names.
fn take(entry: &mut Map<String, Value>, names: &[&str]) -> Option<Value> {
    names.iter().find_map(|name| entry.remove(*name))
}

fn gather(value: &Value, tells: bool, depth: usize, lines: &mut Vec<String>) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::String(text) if tells => match serde_json::from_str::<Value>(text) {
            Ok(inner) if inner.is_object() => gather(&inner, true, depth + 1, lines),
            _ => lines.push(text.clone()),
        },
        Value::Array(items) => {
            for item in items {
                gather(item, tells, depth + 1, lines);
            }
        }
        Value::Object(fields) => object(fields, depth, lines),
        _ => {}
    }
}

/// The texts of one object in a line, a code before its message, then what is inside it.
fn object(fields: &Map<String, Value>, depth: usize, lines: &mut Vec<String>) {
    let mut own = Vec::new();
    let mut inside = Vec::new();
    for (name, value) in fields.iter().filter(|(name, _)| *name != OURS) {
        let name = name.to_ascii_lowercase().replace(['_', '-'], "");
        match value {
            _ if ASKED.contains(&name.as_str()) => {}
            Value::String(text) if tells(&name) && !text.trim_start().starts_with('{') => {
                let is_label = name.ends_with("code") || name.ends_with("type");
                own.push((!is_label, name.ends_with("message"), text.as_str()));
            }
            value => inside.push((tells(&name), value)),
        }
    }
    own.sort_by_key(|(says, is_message, _)| (*says, *is_message));
    // A code alone, such as that of a zip, is no word about an error.
    if own.iter().any(|(says, ..)| *says) {
        let texts: Vec<&str> = own.iter().map(|(.., text)| *text).collect();
        lines.push(texts.join(": "));
    }
    for (tells, value) in inside {
        gather(value, tells, depth + 1, lines);
    }
}

/// Whether a field is named after an error.
fn tells(name: &str) -> bool {
    name == "code"
        || name.starts_with("error")
        || [
            "error",
            "errors",
            "message",
            "msg",
            "cause",
            "reason",
            "exception",
            "stack",
            "stacktrace",
            "traceback",
            "stderr",
        ]
        .iter()
        .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::code_before_message(json!({"message": "no", "code": "DENIED"}), "DENIED: no")]
    #[case::oauth(json!({"error": "invalid_grant", "error_description": "expired"}), "invalid_grant: expired")]
    #[case::inside(json!({"a": {"b": [{"stateChangeReason": "gone"}]}}), "gone")]
    #[case::json_in_a_text(json!({"reason": "{\"code\":\"C\",\"message\":\"m\"}"}), "C: m")]
    #[case::list(json!({"errors": ["a", "b"], "names": ["c"]}), "a\nb")]
    #[case::what_was_asked(json!({"requestPayload": {"message": "a"}, "errorMessage": "b"}), "b")]
    #[case::of_a_function(json!({"errorType": "ValueError", "errorMessage": "no", "error_type": "unknown_error"}), "ValueError: no")]
    #[case::no_error(json!({"code": "10115", "city": "Berlin"}), "")]
    #[case::of_a_logger(json!({"ts": "2026-03-16", "msg": "no route", "stack": "at main"}), "no route: at main")]
    #[case::bare(json!("the job failed"), "the job failed")]
    fn fields_named_after_an_error_are_read(#[case] event: Value, #[case] text: &str) {
        assert_eq!(super::text(&event), text);
    }

    #[rstest]
    #[case::one(
        r#"{"level": "error", "msg": "pq: refused \"etl\"", "time": "2026-03-16"}"#,
        Some(r#"ERROR pq: refused "etl""#)
    )]
    #[case::lines(
        "{\"level\":\"INFO\",\"message\":\"begun\"}\n{\"level\":\"ERROR\",\"message\":\"broke\",\"exception\":\"KeyError: id\"}\n",
        Some("INFO begun\nERROR broke KeyError: id")
    )]
    #[case::numbers(
        r#"{"level": 30, "msg": "AccessDenied is retried"} {"level": 50, "msg": "broke"}"#,
        Some("INFO AccessDenied is retried\nERROR broke")
    )]
    #[case::structlog(
        r#"{"event": "not loaded", "level": "warning"}"#,
        Some("WARNING not loaded")
    )]
    #[case::an_event(
        r#"{"error_type": "unknown_error", "level": "HIGH", "message": "no"}"#,
        None
    )]
    #[case::an_output(
        r#"{"Error": "States.TaskFailed", "Cause": "{}", "severity": "HIGH", "message": "no"}"#,
        None
    )]
    #[case::no_level(r#"{"message": "no"}"#, None)]
    #[case::lines_of_two_kinds("{\"level\":\"INFO\",\"message\":\"begun\"}\nbroke", None)]
    #[case::words("broke", None)]
    #[case::nothing("", None)]
    fn a_log_in_json_is_read_line_by_line(#[case] text: &str, #[case] said: Option<&str>) {
        assert_eq!(log(text).as_deref(), said);
    }
}

//! Reads texts out of JSON that somebody else wrote: masked and bounded, and nothing where it is not as expected.

use jiff::Timestamp;
use pipewarden_shared::event::Field;
use pipewarden_shared::{mask, truncate};
use serde_json::Value;

/// The most characters of one text that is kept.
const LONGEST: usize = 8_000;

/// The most items of a list that are kept.
const MOST: usize = 200;

/// The deepest that a value is masked; what lies deeper is left out.
const DEEPEST: usize = 32;

/// A text as it may be shown: secrets masked, then cut.
///
/// It is cut behind what is shown before it is masked, so that no half of a secret is left at the end.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    truncate::characters(
        &mask::secrets(&truncate::characters(text, 4 * limit)),
        limit,
    )
}

/// The text, number or truth at a JSON pointer; nothing where there is none or only white space.
pub(crate) fn text(json: &Value, pointer: &str) -> Option<String> {
    scalar(json.pointer(pointer)?)
}

/// A value that is no list and no object, as text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(shown(text, LONGEST)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A field's value as text, by a name that may say that it is a secret.
pub(crate) fn named(name: &str, value: &Value) -> Option<String> {
    scalar(value)?;
    scalar(&mask_named(name, value, DEEPEST))
}

/// The first of several places that holds a text.
pub(crate) fn first(json: &Value, pointers: &[&str]) -> Option<String> {
    pointers.iter().find_map(|pointer| text(json, pointer))
}

/// The texts of a list; one text alone is a list of one.
pub(crate) fn texts(json: &Value, pointer: &str) -> Vec<String> {
    match json.pointer(pointer) {
        Some(Value::Array(items)) => items
            .iter()
            .take(MOST)
            .filter_map(|item| scalar(item).or_else(|| item.is_object().then(|| compact(item))))
            .collect(),
        Some(item) => scalar(item).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A value on one line.
pub(crate) fn compact(value: &Value) -> String {
    shown(&value.to_string(), LONGEST)
}

/// A finite number, also where it is written as text.
pub(crate) fn number(json: &Value, pointer: &str) -> Option<f64> {
    let value = json.pointer(pointer)?;
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    number.filter(|number: &f64| number.is_finite())
}

/// A time: ISO 8601, or milliseconds since 1970.
pub(crate) fn time(json: &Value, pointer: &str) -> Option<Timestamp> {
    Field::named(pointer, json.pointer(pointer)?)
        .timestamp()
        .ok()
        .flatten()
}

/// The same JSON with secrets masked in each text.
///
/// A key says what its value is, so both are looked at together.
pub(crate) fn masked(json: &Value) -> Value {
    mask_below(json, DEEPEST)
}

fn mask_below(json: &Value, depth: usize) -> Value {
    if depth == 0 {
        return Value::String("…".to_owned());
    }
    match json {
        Value::String(text) => Value::String(mask::secrets(text)),
        Value::Array(items) => items
            .iter()
            .map(|item| mask_below(item, depth - 1))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), mask_named(name, value, depth)))
            .collect(),
        other => other.clone(),
    }
}

fn mask_named(name: &str, value: &Value, depth: usize) -> Value {
    if let Value::String(text) = value {
        let pair = format!("{name}=\"{}\"", text.replace(['"', '\\'], ""));
        let tells = format!("{name}=\"{}\"", mask::MASK);
        if !text.is_empty() && mask::secrets(&pair) == tells {
            return Value::String(mask::MASK.to_owned());
        }
    }
    mask_below(value, depth - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_masked_wherever_they_are() {
        let json = json!({"a": [{"password": "hunter22", "note": "password=hunter22 x"}], "n": 1});
        assert_eq!(
            masked(&json),
            json!({"a": [{"password": "***", "note": "password=*** x"}], "n": 1})
        );
    }

    #[test]
    fn texts_are_tolerant() {
        let json = json!({"a": " ", "b": 7, "c": ["x", null, {"y": 1}], "d": "one"});
        assert_eq!(text(&json, "/a"), None);
        assert_eq!(text(&json, "/b"), Some("7".to_owned()));
        assert_eq!(texts(&json, "/c"), ["x", "{\"y\":1}"]);
        assert_eq!(texts(&json, "/d"), ["one"]);
        assert_eq!(first(&json, &["/a", "/z", "/d"]), Some("one".to_owned()));
    }

    #[test]
    fn cloudwatch_writes_times_without_a_colon() {
        let json = json!({"t": "2023-08-04T12:56:46.138+0000", "ms": 1_772_345_221_000_u64});
        assert_eq!(
            time(&json, "/t").unwrap().to_string(),
            "2023-08-04T12:56:46.138Z"
        );
        assert_eq!(
            time(&json, "/ms").unwrap().to_string(),
            "2026-03-01T06:07:01Z"
        );
    }
}

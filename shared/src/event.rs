//! Reads JSON from outside by the contract: tolerant of missing and extra fields, exact about wrong ones.

use serde_json::Value;

/// The largest magnitude CloudWatch takes (2^360, PutMetricData API reference), and so the largest number read here.
const LARGEST_NUMBER: f64 = 2.348_542_582_773_833_2e108;

/// An event that is not the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}, got {got}")]
pub struct InvalidEvent {
    /// Path of the field, such as `dbt_run_result.Payload.models_run`; `event` for the whole.
    pub field: String,
    /// What the contract says.
    pub expected: String,
    /// What was there, cut to a readable length.
    pub got: String,
}

impl InvalidEvent {
    /// The name by which a state machine matches this error.
    pub const NAME: &'static str = "InvalidEvent";

    /// Builds the error for a field.
    pub fn new(field: &str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            expected: expected.into(),
            got: got.into(),
        }
    }
}

/// A place in an event: its path, and what is there (`null` counts as nothing).
#[derive(Debug, Clone)]
pub struct Field<'a> {
    path: String,
    value: Option<&'a Value>,
}

impl<'a> Field<'a> {
    /// The whole event, which must be an object.
    pub fn event(event: &'a Value) -> Result<Self, InvalidEvent> {
        let root = Self {
            path: "event".to_owned(),
            value: Some(event),
        };
        if event.is_object() {
            Ok(root)
        } else {
            Err(root.wrong("an object"))
        }
    }

    /// The whole of a JSON value under a name of one's own.
    pub fn named(path: &str, value: &'a Value) -> Self {
        Self {
            path: path.to_owned(),
            value: Some(value).filter(|value| !value.is_null()),
        }
    }

    /// The field of this name inside, which may be absent.
    pub fn get(&self, name: &str) -> Field<'a> {
        let path = match self.path.as_str() {
            "event" => name.to_owned(),
            parent => format!("{parent}.{name}"),
        };
        Field {
            path,
            value: self
                .value
                .and_then(|value| value.get(name))
                .filter(|value| !value.is_null()),
        }
    }

    /// Whether something is there.
    pub fn is_present(&self) -> bool {
        self.value.is_some()
    }

    /// What is there, as it is.
    pub fn value(&self) -> Option<&'a Value> {
        self.value
    }

    /// Path of the field in the event.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The error that says that something else was expected here.
    pub fn wrong(&self, expected: &str) -> InvalidEvent {
        let got = match self.value {
            None => "nothing".to_owned(),
            Some(value) => describe(value),
        };
        InvalidEvent::new(&self.path, expected, got)
    }

    /// An object, if anything is there.
    pub fn object(&self) -> Result<Option<&Self>, InvalidEvent> {
        match self.value {
            None => Ok(None),
            Some(Value::Object(_)) => Ok(Some(self)),
            Some(_) => Err(self.wrong("an object")),
        }
    }

    /// The elements of an array, if anything is there.
    pub fn array(&self) -> Result<Option<Vec<Field<'a>>>, InvalidEvent> {
        match self.value {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| Field::named(&format!("{}[{index}]", self.path), item))
                    .collect(),
            )),
            Some(_) => Err(self.wrong("an array")),
        }
    }

    /// A text, if anything is there.
    pub fn text(&self) -> Result<Option<&'a str>, InvalidEvent> {
        match self.value {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong("a string")),
        }
    }

    /// A text that must be there and hold 1 to `limit` characters.
    pub fn required_text(&self, limit: usize) -> Result<&'a str, InvalidEvent> {
        match self.text()? {
            Some(text) if !text.trim().is_empty() && text.chars().nth(limit).is_none() => Ok(text),
            _ => Err(self.wrong(&format!("a string of 1 to {limit} characters"))),
        }
    }

    /// A boolean, if anything is there.
    pub fn boolean(&self) -> Result<Option<bool>, InvalidEvent> {
        match self.value {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.wrong("true or false")),
        }
    }

    /// A number that is not negative, if anything is there; a string that holds one counts.
    pub fn amount(&self) -> Result<Option<f64>, InvalidEvent> {
        let number = match self.value {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
            Some(_) => None,
        };
        match number {
            Some(number) if (0.0..=LARGEST_NUMBER).contains(&number) => Ok(Some(number)),
            _ => Err(self.wrong("a number from 0 to 2^360")),
        }
    }

    /// A share of a hundred, if anything is there.
    pub fn percent(&self) -> Result<Option<f64>, InvalidEvent> {
        match self.amount()? {
            Some(percent) if percent > 100.0 => Err(self.wrong("a number from 0 to 100")),
            percent => Ok(percent),
        }
    }

    /// A point in time (ISO 8601, UTC where it has no offset, or epoch milliseconds), if anything is there.
    pub fn timestamp(&self) -> Result<Option<jiff::Timestamp>, InvalidEvent> {
        let expected = "a time such as 2026-03-01T06:00:00Z";
        let parsed = match self.value {
            None => return Ok(None),
            Some(Value::String(text)) => parse_time(text.trim()),
            Some(Value::Number(millis)) => millis
                .as_i64()
                // Fewer are seconds, or a number of something else: 1973 in milliseconds.
                .filter(|millis| *millis >= 100_000_000_000)
                .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok()),
            Some(_) => None,
        };
        parsed.map(Some).ok_or_else(|| self.wrong(expected))
    }
}

/// Reads ISO 8601; Python's `isoformat()` of a naive time has no offset, and means UTC in Lambda.
fn parse_time(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        civil
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })
}

/// Says in a few words what a value is, without spreading its content.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.trim().is_empty() => "an empty string".to_owned(),
        Value::String(text) => format!("{:?}", crate::truncate::characters(text, 60)),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(fields) => format!("an object of {} fields", fields.len()),
    }
}

/// Where a Lambda payload was handed on as a JSON string, puts the JSON in its place.
///
/// A string that is no JSON is left, so that the field's own reader names it.
pub fn unwrap_payload(event: &mut Value, result: &str) {
    let Some(payload) = event
        .get_mut(result)
        .and_then(|result| result.get_mut("Payload"))
    else {
        return;
    };
    if let Value::String(text) = payload
        && let Ok(parsed) = serde_json::from_str::<Value>(text)
    {
        *payload = parsed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({"a": {"n": "12"}}), Ok(Some(12.0)))]
    #[case(json!({"a": {"n": 0}}), Ok(Some(0.0)))]
    #[case(json!({"a": {"n": null}}), Ok(None))]
    #[case(json!({"a": 7}), Ok(None))]
    #[case(json!({"a": {"n": -1}}), Err("a.n: expected a number from 0 to 2^360, got -1"))]
    #[case(json!({"a": {"n": "NaN"}}), Err("a.n: expected a number from 0 to 2^360, got \"NaN\""))]
    #[case(json!({"a": {"n": 1e300}}), Err("a.n: expected a number from 0 to 2^360, got 1e+300"))]
    #[case(json!({"a": {"n": {"x": 1}}}), Err("a.n: expected a number from 0 to 2^360, got an object of 1 fields"))]
    fn reads_amounts(#[case] event: Value, #[case] expected: Result<Option<f64>, &str>) {
        let amount = Field::event(&event).unwrap().get("a").get("n").amount();
        assert_eq!(
            amount.map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn an_event_is_an_object() {
        let error = Field::event(&json!([1])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "event: expected an object, got an array of 1"
        );
    }

    #[test]
    fn the_largest_number_is_two_to_the_360() {
        assert_eq!(LARGEST_NUMBER, 2f64.powi(360));
    }
}

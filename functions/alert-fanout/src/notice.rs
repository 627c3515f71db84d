//! Parse: what SNS brought. An alert is read as one; anything else is delivered as it is, never dropped.

use pipewarden_shared::alert::Alert;
use pipewarden_shared::event::{Field, InvalidEvent};
use pipewarden_shared::{mask, truncate};
use serde_json::Value;

/// The most characters of a text that is no alert.
const LONGEST_TEXT: usize = 8_000;

/// The most characters of its subject.
const LONGEST_SUBJECT: usize = 200;

/// What one SNS record holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// An alert of Pipewarden, and its JSON as it came.
    Alert(Box<Alert>, Value),
    /// Any other text, with the subject that it came under.
    Text {
        /// The subject.
        subject: Option<String>,
        /// The message.
        message: String,
    },
}

/// Reads the records of an SNS event.
///
/// # Errors
/// [`InvalidEvent`] for an event that is not of SNS; a message of any content is a notice.
pub fn parse(event: &Value) -> Result<Vec<Notice>, InvalidEvent> {
    let event = Field::event(event)?;
    let records = event.get("Records");
    let records = match records.array()? {
        Some(items) if !items.is_empty() => items,
        _ => return Err(records.wrong("the records of an SNS event")),
    };
    records
        .iter()
        .map(|record| {
            let sns = record.get("Sns");
            let message = sns.get("Message");
            let text = message
                .text()?
                .ok_or_else(|| message.wrong("the message of an SNS record"))?;
            Ok(notice(
                sns.get("Subject").value().and_then(Value::as_str),
                text,
            ))
        })
        .collect()
}

fn notice(subject: Option<&str>, message: &str) -> Notice {
    if let Ok(json) = serde_json::from_str::<Value>(message)
        && let Ok(alert) = serde_json::from_value::<Alert>(json.clone())
    {
        return Notice::Alert(Box::new(alert), json);
    }
    // Cut behind what is shown, masked, then cut to what is shown: no half of a secret is left at the end.
    let shown = |text: &str, limit| {
        truncate::characters(
            &mask::secrets(&truncate::characters(text, 4 * limit)),
            limit,
        )
    };
    Notice::Text {
        subject: subject.map(|subject| shown(subject, LONGEST_SUBJECT)),
        message: shown(message, LONGEST_TEXT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({}), "Records")]
    #[case(json!({"Records": []}), "Records")]
    #[case(json!({"Records": [{"Sns": {"Message": "a"}}, {"Sns": {}}]}), "Records[1].Sns.Message")]
    #[case(json!({"Records": [{"Sns": {"Message": {"a": 1}}}]}), "Records[0].Sns.Message")]
    #[case(json!("x"), "event")]
    fn an_event_of_another_kind_is_refused(#[case] event: Value, #[case] field: &str) {
        assert_eq!(parse(&event).unwrap_err().field, field);
    }

    #[rstest]
    #[case("the disk is full")]
    #[case("{\"AlarmName\": \"x\", \"NewStateValue\": \"ALARM\"}")]
    #[case("")]
    fn any_other_message_is_kept(#[case] text: &str) {
        let event = json!({"Records": [{"Sns": {"Subject": "S", "Message": text}}]});
        let expected = Notice::Text {
            subject: Some("S".to_owned()),
            message: text.to_owned(),
        };
        assert_eq!(parse(&event).unwrap(), [expected]);
    }

    #[test]
    fn any_other_message_is_masked_and_bounded() {
        let text = format!("password=hunter22 {}", "x".repeat(250_000));
        let event = json!({"Records": [{"Sns": {"Message": text}}]});
        let Notice::Text { message, .. } = parse(&event).unwrap().remove(0) else {
            panic!("it is no alert");
        };
        assert!(message.starts_with("password=*** xxx"), "{message:.60}");
        assert_eq!(message.chars().count(), LONGEST_TEXT);
    }

    #[test]
    fn the_sample_events_are_of_sns() {
        for sample in [
            include_str!("../../../events/alert-fanout/glue-job-failure.json"),
            include_str!("../../../events/alert-fanout/plain-text.json"),
        ] {
            let strict: aws_lambda_events::sns::SnsEvent = serde_json::from_str(sample).unwrap();
            let notices = parse(&serde_json::from_str(sample).unwrap()).unwrap();
            assert_eq!(notices.len(), strict.records.len());
        }
    }
}

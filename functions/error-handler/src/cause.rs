//! Decide: what a Cause says, out of the shapes that Step Functions puts it in.

use pipewarden_shared::event::Field;
use pipewarden_shared::glue::JobRun;
use serde_json::Value;

/// A Cause, unwrapped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unwrapped {
    /// The name of the innermost error, where the Cause has one.
    pub error: Option<String>,
    /// What it says.
    pub message: String,
    /// The Glue job, where the Cause is of one.
    pub job_name: Option<String>,
    /// Its run.
    pub job_run_id: Option<String>,
    /// The group of its logs.
    pub log_group: Option<String>,
}

/// Unwraps a Cause: a Lambda error, a Glue job run, or prose as it is.
pub fn unwrap(cause: &str) -> Unwrapped {
    let prose = || Unwrapped {
        message: cause.to_owned(),
        ..Unwrapped::default()
    };
    let json = match serde_json::from_str::<Value>(cause) {
        Ok(json @ Value::Object(_)) => json,
        // Step Functions cuts a Cause at 32,768 characters, in the middle of its JSON.
        Err(error) if error.is_eof() && cause.trim_start().starts_with('{') => {
            return cut_off(cause).unwrap_or_else(prose);
        }
        _ => return prose(),
    };
    let field = Field::named("Cause", &json);
    let text = |name: &str| field.get(name).text().ok().flatten().map(str::to_owned);
    if field.get("JobRunState").is_present() {
        let run = JobRun::from_cause(cause);
        return Unwrapped {
            error: None,
            message: run
                .error_message
                .unwrap_or_else(|| format!("the job run ended {} without a message", run.state)),
            job_name: run.job_name,
            job_run_id: run.id,
            log_group: run.log_group,
        };
    }
    match (text("errorType"), text("errorMessage")) {
        (error, Some(message)) => Unwrapped {
            error,
            message,
            ..Unwrapped::default()
        },
        _ => prose(),
    }
}

/// What can be told of JSON that was cut off: its texts by their keys.
fn cut_off(cause: &str) -> Option<Unwrapped> {
    let text = |key: &str| {
        let (_, rest) = cause.split_once(&format!("\"{key}\":"))?;
        let mut value = serde_json::Deserializer::from_str(rest.trim_start()).into_iter::<String>();
        match value.next() {
            Some(Ok(text)) => Some(text),
            // The text itself is what was cut.
            _ => Some(rest.trim_start().trim_start_matches('"').to_owned()),
        }
    };
    let message = text("ErrorMessage").or_else(|| text("errorMessage"))?;
    Some(Unwrapped {
        error: text("errorType"),
        message,
        job_name: text("JobName"),
        job_run_id: text("Id"),
        log_group: text("LogGroupName"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unwraps_a_lambda_error() {
        let cause =
            json!({"errorType": "AthenaThrottled", "errorMessage": "slow down", "stackTrace": []});
        let unwrapped = unwrap(&cause.to_string());
        assert_eq!(unwrapped.error.as_deref(), Some("AthenaThrottled"));
        assert_eq!(unwrapped.message, "slow down");
    }

    #[test]
    fn unwraps_a_job_run() {
        let cause = json!({"JobName": "load", "Id": "jr_1", "JobRunState": "FAILED", "ErrorMessage": "boom"});
        let unwrapped = unwrap(&cause.to_string());
        assert_eq!(unwrapped.message, "boom");
        assert_eq!(unwrapped.job_name.as_deref(), Some("load"));
        assert_eq!(unwrapped.job_run_id.as_deref(), Some("jr_1"));
    }

    #[test]
    fn keeps_anything_else_as_it_is() {
        for cause in [
            "Execution timed out",
            "{\"errorType\": \"Cut",
            "{\"Value\": 1}",
            "[]",
        ] {
            assert_eq!(unwrap(cause).message, cause);
        }
    }

    #[test]
    fn salvages_what_was_cut_off() {
        let cause = r#"{"JobName":"load","Id":"jr_1","JobRunState":"FAILED","ErrorMessage":"no \"rows\"","Arguments":{"--a"#;
        let unwrapped = unwrap(cause);
        assert_eq!(unwrapped.message, "no \"rows\"");
        assert_eq!(unwrapped.job_run_id.as_deref(), Some("jr_1"));
        let unwrapped = unwrap(r#"{"errorType":"Boom","errorMessage":"it went wro"#);
        assert_eq!(
            (unwrapped.error.as_deref(), unwrapped.message.as_str()),
            (Some("Boom"), "it went wro")
        );
    }

    #[test]
    fn reads_every_recorded_cause() {
        let recorded = include_str!("../tests/recorded_causes.jsonl");
        for line in recorded.lines() {
            let cause: Value = serde_json::from_str(line).unwrap();
            let cause = cause["cause"].as_str().unwrap();
            let unwrapped = unwrap(cause);
            assert!(
                !unwrapped.message.is_empty() || unwrapped.error.is_some(),
                "{cause}"
            );
        }
    }
}

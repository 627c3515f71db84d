//! Execution ids and the console pages that show them.

use crate::event::{Field, InvalidEvent};
use crate::metric::Environment;
use serde::{Deserialize, Serialize};

/// The longest execution id that is read, in characters: an ARN has at most 2,048 (IAM reference).
pub const LONGEST_ID: usize = 2_048;

/// A Step Functions execution as an alert names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The ARN, or what the caller gave in its place.
    pub arn: String,
    /// The last part of the ARN.
    pub name: String,
    /// The console page, where the ARN tells partition and region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Execution {
    /// Reads an execution id: an execution ARN, or any other name as it is.
    pub fn from_id(id: &str) -> Self {
        let parts: Vec<&str> = id.split(':').collect();
        match parts.as_slice() {
            [
                "arn",
                partition,
                "states",
                region,
                _account,
                "execution",
                _machine,
                name,
            ] => Self {
                arn: id.to_owned(),
                name: (*name).to_owned(),
                url: Some(format!(
                    "{}/states/home?region={region}#/v2/executions/details/{id}",
                    console(partition, region)
                )),
            },
            _ => Self {
                arn: id.to_owned(),
                name: parts.last().copied().unwrap_or(id).to_owned(),
                url: None,
            },
        }
    }
}

/// The run that an event is about, as every function's event names it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunContext {
    /// ARN or name of the execution.
    pub execution_id: String,
    /// Where it ran.
    pub environment: Environment,
    /// When it began, where that is told.
    pub start_time: Option<jiff::Timestamp>,
}

impl RunContext {
    /// Reads `execution_id`, `environment` and `start_time`.
    ///
    /// # Errors
    /// [`InvalidEvent`] naming the field that is missing or wrong.
    pub fn from_event(event: &Field<'_>) -> Result<Self, InvalidEvent> {
        let environment = event.get("environment");
        Ok(Self {
            execution_id: event
                .get("execution_id")
                .required_text(LONGEST_ID)?
                .to_owned(),
            environment: Environment::parse(environment.required_text(64)?)
                .ok_or_else(|| environment.wrong("1 to 64 letters, digits, '-', '_' or '.'"))?,
            start_time: event.get("start_time").timestamp()?,
        })
    }
}

/// The console's address in a partition and region.
pub fn console(partition: &str, region: &str) -> String {
    match partition {
        "aws-cn" => format!("https://{region}.console.amazonaws.cn"),
        "aws-us-gov" => format!("https://{region}.console.amazonaws-us-gov.com"),
        _ => format!("https://{region}.console.aws.amazon.com"),
    }
}

/// The console page of a log group.
pub fn log_group_url(partition: &str, region: &str, log_group: &str) -> String {
    // The console writes `/` as `$252F` in the fragment.
    format!(
        "{}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}",
        console(partition, region),
        log_group.replace('/', "$252F")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_gives_name_and_page() {
        let arn = "arn:aws-cn:states:cn-north-1:123456789012:execution:sf-user-dev:run-1";
        let execution = Execution::from_id(arn);
        assert_eq!(execution.name, "run-1");
        assert_eq!(
            execution.url.unwrap(),
            format!(
                "https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#/v2/executions/details/{arn}"
            )
        );
    }

    #[test]
    fn any_other_id_is_kept_without_a_page() {
        let execution = Execution::from_id("manual-17");
        assert_eq!(
            (execution.name.as_str(), execution.url),
            ("manual-17", None)
        );
    }
}

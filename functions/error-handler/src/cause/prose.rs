//! What prose tells besides its words: the service that answered, its HTTP status, its error code.

use crate::evidence::Service;
use std::borrow::Cow;

/// What the end of an SDK's message, or boto3's way of saying it, tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told<'a> {
    pub(super) service: Option<Service>,
    pub(super) http_status: Option<u16>,
    pub(super) error: Option<&'a str>,
    pub(super) action: Option<String>,
    pub(super) identity: Option<&'a str>,
}

/// Reads `… (Service: X, Status Code: N, Request ID: …)`, `… (Service: X; Status Code: N; Error Code: E; …)` and
/// `An error occurred (E) when calling the O operation: …`.
pub(super) fn told(text: &str) -> Told<'_> {
    let mut told = Told {
        error: between(text, "An error occurred (", ")")
            .filter(|code| is_name(code) && !code.chars().all(|digit| digit.is_ascii_digit())),
        action: between(text, "not authorized to perform: ", " ").map(|action| {
            action
                .trim_end_matches(|character: char| !character.is_ascii_alphanumeric())
                .to_owned()
        }),
        identity: between(text, "User: ", " ").filter(|arn| arn.starts_with("arn:")),
        ..Told::default()
    };
    if let Some((_, details)) = text.rsplit_once("(Service: ") {
        let details = details.split(')').next().unwrap_or(details);
        let mut details = details.split([',', ';']).map(str::trim);
        told.service = details.next().and_then(service);
        for detail in details {
            match detail.split_once(": ") {
                Some(("Status Code", status)) => told.http_status = status.parse().ok(),
                Some(("Error Code", error)) if is_name(error) => told.error = Some(error),
                _ => {}
            }
        }
    }
    told
}

/// What stands before a state's input where Step Functions repeats it.
const INPUTS: &[&str] = &["could not be found in the input '", " to input {"];

/// A text without the input of a state that its lines repeat: that may tell of any error, such as one that was caught
/// before, and none of them is why this state failed.
pub(crate) fn own_words(text: &str) -> Cow<'_, str> {
    let repeats = |line: &str| INPUTS.iter().any(|input| line.contains(input));
    if !repeats(text) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<&str> = text.lines().map(without_input).collect();
    Cow::Owned(lines.join("\n"))
}

/// A text without what was drawn around it: the frames of terminals (`│ … │`), over which lines run on, and the
/// backslashes of a message that stands as JSON in a line of a log.
pub(crate) fn unframed(text: &str) -> Cow<'_, str> {
    // Unicode's block Box Drawing.
    let is_frame = |character: char| matches!(character, '\u{2500}'..='\u{257f}');
    let text = if text.contains(is_frame) {
        Cow::Owned(text.replace(is_frame, " "))
    } else {
        Cow::Borrowed(text)
    };
    if text.contains("\\\"") {
        Cow::Owned(unescaped(&text))
    } else {
        text
    }
}

/// Backslashes read as JSON reads them, as far as they stand for a quote, white space or themselves.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('n' | 'r') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some(escaped @ ('"' | '\\' | '/')) => plain.push(escaped),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

fn without_input(line: &str) -> &str {
    let ends = INPUTS
        .iter()
        .filter_map(|input| line.find(input).map(|at| at + input.len()));
    ends.min().and_then(|end| line.get(..end)).unwrap_or(line)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split(after).next().filter(|found| !found.is_empty())
}

fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "._".contains(character))
}

/// The service that an error's name begins with, such as `Glue.ConcurrentRunsExceededException`, and the HTTP status
/// that it may end with, such as `ApiGateway.403`.
pub(super) fn of_error(error: &str) -> (Option<Service>, Option<u16>) {
    match error.split_once('.') {
        // Lambda's own: a sandbox or a runtime that ended.
        Some(("Sandbox" | "Runtime" | "Extension", _)) => (Some(Service::Lambda), None),
        // These say that a task of any service failed; the others are the machine's own.
        Some(("States", "TaskFailed" | "Timeout" | "Permissions")) => (None, None),
        Some((prefix, name)) => (service(prefix), name.parse().ok()),
        None => (None, None),
    }
}

/// The service by the names that SDKs, Step Functions and its history give it.
pub(crate) fn service(name: &str) -> Option<Service> {
    let plain: String = name
        .trim()
        .trim_start_matches("aws-sdk:")
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    let plain = plain
        .strip_prefix("amazon")
        .or_else(|| plain.strip_prefix("aws"))
        .unwrap_or(&plain);
    Some(match plain {
        "glue" | "databrew" => Service::Glue,
        "lambda" => Service::Lambda,
        "ecs" => Service::Ecs,
        "athena" => Service::Athena,
        "elasticmapreduce" | "emr" | "emrcontainers" => Service::Emr,
        "emrserverless" => Service::EmrServerless,
        "batch" => Service::Batch,
        "redshift" | "redshiftdata" | "redshiftdataapiservice" | "redshiftserverless" => {
            Service::Redshift
        }
        "codebuild" => Service::CodeBuild,
        "sfn" | "states" | "stepfunctions" => Service::StepFunctions,
        "s3" => Service::S3,
        "dynamodb" | "dynamodbv2" => Service::DynamoDb,
        "sns" => Service::Sns,
        "sqs" => Service::Sqs,
        "eventbridge" | "events" | "cloudwatchevents" => Service::EventBridge,
        "secretsmanager" => Service::SecretsManager,
        "kms" => Service::Kms,
        "lakeformation" => Service::LakeFormation,
        "sagemaker" => Service::SageMaker,
        "sts" | "securitytoken" | "securitytokenservice" | "iam" | "identitymanagement" => {
            Service::Iam
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::of_a_path(
        "The JSONPath '$.a' specified for the field 'b.$' could not be found in the input '{\"Cause\":\"Rate exceeded\"}'",
        "The JSONPath '$.a' specified for the field 'b.$' could not be found in the input '"
    )]
    #[case::of_a_step(
        "x\nUnable to apply step \"a\" to input {\"b\": 1}\ny",
        "x\nUnable to apply step \"a\" to input {\ny"
    )]
    #[case::none("could not connect: {\"a\": 1}", "could not connect: {\"a\": 1}")]
    fn the_input_of_a_state_is_no_word_of_its_own(#[case] text: &str, #[case] own: &str) {
        assert_eq!(own_words(text), own);
    }

    #[rstest]
    #[case::sdk_v2(
        "Requested resource not found (Service: DynamoDb, Status Code: 400, Request ID: R)",
        Some(Service::DynamoDb),
        Some(400),
        None
    )]
    #[case::sdk_v1(
        "Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: R; Proxy: null)",
        Some(Service::Sns),
        Some(404),
        Some("NotFound")
    )]
    #[case::with_spaces(
        "Slow Down (Service: Amazon S3; Status Code: 503; Error Code: 503 Slow Down; Request ID: F; Proxy: null)",
        Some(Service::S3),
        Some(503),
        None
    )]
    #[case::attempts(
        "Invalid Token: 'x' (Service: Sfn, Status Code: 400, Request ID: R) (SDK Attempt Count: 1)",
        Some(Service::StepFunctions),
        Some(400),
        None
    )]
    #[case::boto3(
        "An error occurred (ConcurrentRunsExceededException) when calling the StartJobRun operation: too many",
        None,
        None,
        Some("ConcurrentRunsExceededException")
    )]
    #[case::cut(
        "denied (Service: AWSGlue; Status Code: 4",
        Some(Service::Glue),
        Some(4),
        None
    )]
    #[case::nothing("the disk is full (again)", None, None, None)]
    fn tells(
        #[case] text: &str,
        #[case] service: Option<Service>,
        #[case] http_status: Option<u16>,
        #[case] error: Option<&str>,
    ) {
        let told = told(text);
        assert_eq!(
            (told.service, told.http_status, told.error),
            (service, http_status, error)
        );
    }

    #[test]
    fn a_denial_tells_who_and_what() {
        let told = told(
            "User: arn:aws:sts::123456789012:assumed-role/etl/run is not authorized to perform: glue:GetTable on resource: x",
        );
        assert_eq!(told.action.as_deref(), Some("glue:GetTable"));
        assert_eq!(
            told.identity,
            Some("arn:aws:sts::123456789012:assumed-role/etl/run")
        );
    }

    #[rstest]
    #[case("Glue.ThrottlingException", Some(Service::Glue), None)]
    #[case("ApiGateway.403", None, Some(403))]
    #[case("Sandbox.Timedout", Some(Service::Lambda), None)]
    #[case("States.DataLimitExceeded", Some(Service::StepFunctions), None)]
    #[case("States.TaskFailed", None, None)]
    #[case("botocore.exceptions.ClientError", None, None)]
    fn the_name_of_an_error_tells(
        #[case] error: &str,
        #[case] service: Option<Service>,
        #[case] http_status: Option<u16>,
    ) {
        assert_eq!(of_error(error), (service, http_status));
    }
}

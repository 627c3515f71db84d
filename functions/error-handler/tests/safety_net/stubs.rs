//! Stubs of the services, and histories as Step Functions tells them.

use httpmock::{Mock, MockServer};
use serde_json::{Value, json};

pub(super) const FUNCTION: &str =
    "arn:aws:lambda:eu-central-1:123456789012:function:error-handler-dev";
pub(super) const ARN: &str = "arn:aws:states:eu-central-1:123456789012:execution:sf-user-dev:7c0f4a9e-2f3b-4d0e-9a55-3f1d2b6c8e10";
pub(super) const PUBLISHED: &str = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"#;

/// When the sample events' executions ended, in epoch seconds.
pub(super) const ENDED: f64 = 1_772_359_199.12;

pub(super) struct Stubs<'a> {
    server: &'a MockServer,
    pub(super) alerts: Mock<'a>,
}

impl<'a> Stubs<'a> {
    pub(super) fn new(server: &'a MockServer) -> Self {
        let alerts = server.mock(|when, then| {
            when.path("/").body_includes("Action=Publish");
            then.status(200)
                .header("content-type", "text/xml")
                .body(PUBLISHED);
        });
        server.mock(|when, then| {
            when.path_includes("PutMetricData");
            then.status(200)
                .header("smithy-protocol", "rpc-v2-cbor")
                .header("content-type", "application/cbor")
                .body([0xbf, 0xff]);
        });
        Self { server, alerts }
    }

    pub(super) fn answers(&self, target: &str, body: &Value) -> Mock<'a> {
        self.says(target, 200, body)
    }

    pub(super) fn refuses(&self, target: &str) -> Mock<'a> {
        let action = target.rsplit('.').next().unwrap();
        let message = format!(
            "User: arn:aws:sts::123456789012:assumed-role/handler/x is not authorized to perform: {action}"
        );
        self.says(target, 400, &json!({"__type": "com.amazon.coral.service#AccessDeniedException", "message": message}))
    }

    fn says(&self, target: &str, status: u16, body: &Value) -> Mock<'a> {
        self.server.mock(|when, then| {
            when.header("x-amz-target", target);
            then.status(status)
                .header("content-type", "application/x-amz-json-1.1")
                .body(body.to_string());
        })
    }

    pub(super) fn describes(&self, execution: &Value) -> Mock<'a> {
        let mut described = json!({
            "executionArn": ARN, "stateMachineArn": "m", "status": "FAILED", "startDate": ENDED - 200.0, "stopDate": jiff::Timestamp::now().as_second(),
            "redriveCount": 0, "redriveStatus": "REDRIVABLE",
        });
        for (name, value) in execution.as_object().unwrap() {
            described[name] = value.clone();
        }
        self.answers("AWSStepFunctions.DescribeExecution", &described)
    }

    pub(super) fn tells_history(&self, events: &[Value]) -> Mock<'a> {
        self.answers("AWSStepFunctions.GetExecutionHistory", &history(events))
    }

    pub(super) fn tells_of_runs_that_took(&self, seconds: &[f64]) -> Mock<'a> {
        let runs: Vec<Value> = seconds
            .iter()
            .map(|seconds| {
                json!({"executionArn": "e", "stateMachineArn": "m", "name": "n", "status": "SUCCEEDED",
                       "startDate": ENDED - 90_000.0, "stopDate": ENDED - 90_000.0 + seconds})
            })
            .collect();
        self.server.mock(|when, then| {
            when.header("x-amz-target", "AWSStepFunctions.ListExecutions")
                .body_includes(":stateMachine:sf-user-dev")
                .body_includes("SUCCEEDED");
            then.status(200)
                .header("content-type", "application/x-amz-json-1.0")
                .body(json!({"executions": runs}).to_string());
        })
    }

    pub(super) fn redrives(&self) -> Mock<'a> {
        self.answers(
            "AWSStepFunctions.RedriveExecution",
            &json!({"redriveDate": ENDED + 5.0}),
        )
    }
}

/// A page of a history, newest first, of events given oldest first.
pub(super) fn history(events: &[Value]) -> Value {
    let events: Vec<Value> = events
        .iter()
        .enumerate()
        .map(|(index, event)| {
            let mut event = event.clone();
            event["id"] = json!(index + 1);
            event["previousEventId"] = json!(index);
            event["timestamp"] = json!(ENDED - 100.0);
            event
        })
        .rev()
        .collect();
    json!({"events": events})
}

pub(super) fn load() -> Vec<Value> {
    vec![
        json!({"type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}}),
        json!({"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "LoadUsers"}}),
        json!({"type": "TaskScheduled", "taskScheduledEventDetails": {"resourceType": "glue", "resource": "startJobRun.sync",
            "region": "eu-central-1", "parameters": "{\"JobName\":\"sf-user-load-dev\"}"}}),
        json!({"type": "TaskStarted", "taskStartedEventDetails": {"resourceType": "glue", "resource": "startJobRun.sync"}}),
        json!({"type": "TaskSubmitted", "taskSubmittedEventDetails": {"resourceType": "glue", "resource": "startJobRun.sync", "output": "{\"JobRunId\":\"jr_1\"}"}}),
    ]
}

pub(super) fn failed(error: &str, cause: &str) -> Vec<Value> {
    let details = json!({"error": error, "cause": cause});
    let mut task = details.clone();
    task["resourceType"] = json!("glue");
    task["resource"] = json!("startJobRun.sync");
    vec![
        json!({"type": "TaskFailed", "taskFailedEventDetails": task}),
        json!({"type": "ExecutionFailed", "executionFailedEventDetails": details}),
    ]
}

pub(super) fn reported() -> Vec<Value> {
    let parameters = json!({"FunctionName": FUNCTION, "Payload": {}}).to_string();
    vec![
        json!({"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "HandleFailure"}}),
        json!({"type": "TaskScheduled", "taskScheduledEventDetails": {"resourceType": "lambda", "resource": "invoke", "region": "eu-central-1", "parameters": parameters}}),
        json!({"type": "TaskStarted", "taskStartedEventDetails": {"resourceType": "lambda", "resource": "invoke"}}),
        json!({"type": "TaskSucceeded", "taskSucceededEventDetails": {"resourceType": "lambda", "resource": "invoke", "output": "{}"}}),
        json!({"type": "FailStateEntered", "stateEnteredEventDetails": {"name": "Failed"}}),
        json!({"type": "ExecutionFailed", "executionFailedEventDetails": {"error": "glue_job_failure"}}),
    ]
}

//! Parse: the events by which EventBridge tells that something ended (Step Functions, Glue and EMR user guides).

use super::{EndStatus, Ended, Failure, Reading, Source};
use pipewarden_shared::event::Field;
use pipewarden_shared::failure::ErrorType;
use std::collections::BTreeMap;

impl Reading {
    /// An execution ended. Our own machines put the error type in `error`.
    pub(super) fn execution(&mut self, root: &Field<'_>) -> Option<Failure> {
        let detail = root.get("detail");
        let error = self.text(&detail.get("error"));
        let status = match self.text(&detail.get("status")).as_deref() {
            Some("SUCCEEDED" | "RUNNING" | "PENDING_REDRIVE") => return None,
            Some("TIMED_OUT") => EndStatus::TimedOut,
            Some("ABORTED") => EndStatus::Aborted,
            _ => EndStatus::Failed,
        };
        let named = error.as_deref().and_then(|error| error.parse().ok());
        let stopped = detail.get("stopDate").timestamp();
        let at = self.keep(stopped).flatten();
        let started = detail.get("startDate").timestamp();
        let failure = Failure {
            error_type: named.unwrap_or(ErrorType::OrchestrationFailure),
            execution_id: self.text(&detail.get("executionArn")),
            error,
            cause: self.text_or_json(&detail.get("cause")),
            started_at: self.keep(started).flatten(),
            occurred_at: at.or_else(|| self.keep(root.get("time").timestamp()).flatten()),
            ..Failure::nothing(Source::Execution(Ended { status, at }))
        };
        Some(failure.unwrapped())
    }

    /// A run of a Glue job ended.
    pub(super) fn job_run(&mut self, root: &Field<'_>) -> Option<Failure> {
        let detail = root.get("detail");
        let state = self.text(&detail.get("state"));
        if matches!(
            state.as_deref(),
            Some("SUCCEEDED" | "STARTING" | "RUNNING" | "STOPPING" | "WAITING")
        ) {
            return None;
        }
        let names = self.names(&detail, &[("jobName", "job"), ("jobRunId", "job_run")]);
        let failure = Failure {
            error_type: ErrorType::GlueJobFailure,
            execution_id: self.text(&detail.get("jobRunId")),
            error: state.map(|state| format!("job run {state}")),
            ..Failure::nothing(Source::JobRun)
        };
        Some(self.told(failure, root, names))
    }

    /// A step of an EMR cluster ended. One that was cancelled did not fail: another did, or somebody wished it.
    pub(super) fn step(&mut self, root: &Field<'_>) -> Option<Failure> {
        let detail = root.get("detail");
        let state = self.text(&detail.get("state"));
        if matches!(
            state.as_deref(),
            Some("PENDING" | "RUNNING" | "COMPLETED" | "CANCEL_PENDING" | "CANCELLED")
        ) {
            return None;
        }
        let names = self.names(&detail, &[("stepId", "step"), ("clusterId", "cluster")]);
        let failure = Failure {
            error_type: ErrorType::EmrStepFailure,
            execution_id: self.text(&detail.get("stepId")),
            state: self.text(&detail.get("name")),
            error: state.map(|state| format!("step {state}")),
            ..Failure::nothing(Source::Step)
        };
        Some(self.told(failure, root, names))
    }

    fn names(&mut self, detail: &Field<'_>, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        for (field, name) in fields {
            if let Some(value) = self.text(&detail.get(field)) {
                names.insert((*name).to_owned(), value);
            }
        }
        names
    }

    /// The message of an event, and the names beside it.
    fn told(
        &mut self,
        failure: Failure,
        root: &Field<'_>,
        names: BTreeMap<String, String>,
    ) -> Failure {
        let failure = Failure {
            cause: self.text_or_json(&root.get("detail").get("message")),
            occurred_at: self.keep(root.get("time").timestamp()).flatten(),
            ..failure
        };
        let mut failure = failure.unwrapped();
        failure.told.evidence.names.extend(names);
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn sample(name: &str) -> Value {
        let path = format!(
            "{}/../../events/error-handler/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    #[rstest]
    #[case("eventbridge-execution-failed", EndStatus::Failed)]
    #[case("eventbridge-execution-timed-out", EndStatus::TimedOut)]
    #[case("eventbridge-execution-aborted", EndStatus::Aborted)]
    fn reads_the_end_of_an_execution(#[case] name: &str, #[case] status: EndStatus) {
        let failure = Failure::read(&sample(name).to_string()).unwrap();
        let Source::Execution(ended) = failure.source else {
            panic!("{:?}", failure.source);
        };
        assert_eq!(ended.status, status);
        assert_eq!(ended.at, failure.occurred_at);
        assert_eq!(failure.error_type, ErrorType::OrchestrationFailure);
        assert!(
            failure
                .execution_id
                .unwrap()
                .contains(":execution:sf-user-dev:")
        );
        assert_eq!(failure.unread, None);
    }

    #[test]
    fn reads_a_job_run_and_a_step() {
        let job = Failure::read(&sample("eventbridge-glue-job-failed").to_string()).unwrap();
        assert_eq!(
            (job.error_type, &job.source),
            (ErrorType::GlueJobFailure, &Source::JobRun)
        );
        assert!(job.told.evidence.names.contains_key("job") && job.told.says_why);
        let step = Failure::read(&sample("eventbridge-emr-step-failed").to_string()).unwrap();
        assert_eq!(
            (step.error_type, &step.source),
            (ErrorType::EmrStepFailure, &Source::Step)
        );
        assert_eq!(step.told.evidence.names["cluster"], "j-1YONHTCP3YZKC");
    }

    #[rstest]
    #[case("Step Functions Execution Status Change", json!({"status": "SUCCEEDED"}))]
    #[case("Step Functions Execution Status Change", json!({"status": "PENDING_REDRIVE"}))]
    #[case("Glue Job State Change", json!({"state": "SUCCEEDED"}))]
    #[case("EMR Step Status Change", json!({"state": "COMPLETED"}))]
    #[case("EMR Step Status Change", json!({"state": "CANCELLED"}))]
    fn what_ended_well_is_no_failure(#[case] kind: &str, #[case] detail: Value) {
        let event = json!({"detail-type": kind, "detail": detail});
        assert_eq!(Failure::read(&event.to_string()), None);
    }
}

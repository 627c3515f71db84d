//! Decide: what the safety net alerts. EventBridge tells it of every execution that ended badly, and may tell it of jobs.
//!
//! - An **execution** is alerted where its history holds no task that invoked this function and succeeded since the run
//!   began or was last redriven: its Catch has then told nobody. The history is the only store there is to ask. Where it
//!   cannot be read, the run is alerted: twice is better than never.
//! - A **run of a Glue job** is alerted unless the job is the one that the state machine runs (`GLUE_JOB_NAME`). A job run
//!   does not say who started it, and that job's failure reaches the execution, which tells of it by its Catch or by the
//!   rule above. Any other job is alerted: a rule that sends its events is the wish to be told. So a rule on a
//!   pipeline's own job adds nothing, and a run of that job that somebody starts by hand is theirs to watch.
//! - A **step of an EMR cluster** is alerted: a rule that sends its events is the wish to be told.

use crate::advice::Names;
use crate::evidence::{self, Service};
use crate::failure::{Failure, Source, error_type_of};
use crate::fetch::Fetched;
use pipewarden_shared::failure::ErrorType;

/// Whether a failure is told by the execution that it is part of.
pub fn is_told_elsewhere(failure: &Failure, configured: &Names) -> bool {
    failure.source == Source::JobRun
        && configured.glue_job.is_some()
        && failure.told.evidence.names.get("job") == configured.glue_job.as_ref()
}

/// Whether a run that ended was alerted through its Catch.
pub fn is_reported(failure: &Failure, fetched: &Fetched) -> bool {
    matches!(failure.source, Source::Execution(_))
        && fetched
            .history
            .as_ref()
            .is_some_and(|history| history.reported)
}

/// The failure with what its event could not tell: the state, and the part that failed.
pub fn completed(failure: Failure, fetched: &Fetched) -> Failure {
    let task = fetched
        .history
        .as_ref()
        .and_then(|history| history.task.as_ref());
    let Some(task) = task else {
        return failure;
    };
    let is_general = failure.error_type == ErrorType::OrchestrationFailure
        && matches!(failure.source, Source::Execution(_));
    let service = evidence::merged(&failure, fetched).evidence.service;
    let error_type = match service.or(task.service) {
        // A function may run anything; that a machine's own error fits none better is told already.
        Some(service) if is_general && service != Service::Lambda => error_type_of(service),
        _ => failure.error_type,
    };
    Failure {
        error_type,
        state: failure.state.or_else(|| task.state.clone()),
        ..failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Digest, Task};
    use rstest::rstest;

    const GLUE: &str =
        include_str!("../../../events/error-handler/eventbridge-glue-job-failed.json");
    const FAILED: &str =
        include_str!("../../../events/error-handler/eventbridge-execution-failed.json");

    #[rstest]
    #[case::the_pipelines_own(Some("sf-user-load-dev"), true)]
    #[case::another(Some("load-accounts"), false)]
    #[case::none_is_configured(None, false)]
    fn a_glue_event_of_the_pipelines_own_job_is_the_executions_to_tell(
        #[case] job: Option<&str>,
        #[case] expected: bool,
    ) {
        let configured = Names {
            glue_job: job.map(str::to_owned),
            ..Names::default()
        };
        assert_eq!(
            is_told_elsewhere(&Failure::parse(GLUE), &configured),
            expected
        );
        assert!(!is_told_elsewhere(&Failure::parse(FAILED), &configured));
    }

    #[test]
    fn the_history_names_the_part_that_failed() {
        let task = Task {
            state: Some("LoadUsers".to_owned()),
            service: Some(Service::Glue),
            ..Task::default()
        };
        let fetched = Fetched {
            history: Some(Digest {
                task: Some(task),
                ..Digest::default()
            }),
            ..Fetched::default()
        };
        let failure = completed(Failure::parse(FAILED), &fetched);
        assert_eq!(failure.error_type, ErrorType::GlueJobFailure);
        assert_eq!(failure.state.as_deref(), Some("LoadUsers"));
        // What the machine says of itself is not corrected.
        let own = FAILED.replace(
            "\"detail\": {",
            "\"detail\": {\"error\": \"dbt_run_failure\",",
        );
        assert_eq!(
            completed(Failure::parse(&own), &fetched).error_type,
            ErrorType::DbtRunFailure
        );
    }
}

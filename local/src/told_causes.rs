//! Causes as services report them, and what the error handler says of each: the diagnosis without a pipeline to break.

use crate::screen::{bad, dim, good};
use crate::view;
use error_handler::advice::Names;
use error_handler::diagnosis;
use error_handler::failure::Failure;
use pipewarden_shared::alert::Diagnosis;
use pipewarden_shared::failure::RootCause;
use pipewarden_shared::profile::Profile;
use serde_json::json;

/// A failure as the Catch of a state machine hands it on.
#[derive(Debug, Clone, Copy)]
pub struct ToldCause {
    /// The kind of cause that it is.
    pub code: RootCause,
    /// The part of the pipeline that failed.
    pub error_type: &'static str,
    /// The error's name.
    pub error: &'static str,
    /// What the service says.
    pub cause: &'static str,
}

const fn told(
    code: RootCause,
    error_type: &'static str,
    error: &'static str,
    cause: &'static str,
) -> ToldCause {
    ToldCause {
        code,
        error_type,
        error,
        cause,
    }
}

/// One of each kind, as Glue, Athena, Lambda, ECS, EMR, Redshift, Snowflake and Step Functions write them.
pub const TOLD_CAUSES: &[ToldCause] = &[
    told(
        RootCause::Permission,
        "glue_job_failure",
        "States.TaskFailed",
        r#"{"JobName":"sf-user-load","Id":"jr_5b1d","JobRunState":"FAILED","ErrorMessage":"An error occurred (AccessDeniedException) when calling the GetTable operation: User: arn:aws:sts::123456789012:assumed-role/sf-user-load/GlueJobRunnerSession is not authorized to perform: glue:GetTable on resource: arn:aws:glue:eu-central-1:123456789012:table/lake/sf_user_raw"}"#,
    ),
    told(
        RootCause::Authentication,
        "snowflake_external_table",
        "States.TaskFailed",
        r#"{"errorType":"DatabaseError","errorMessage":"250001 (08001): Failed to connect to DB: acme.snowflakecomputing.com:443. Incorrect username or password was specified."}"#,
    ),
    told(
        RootCause::Throttling,
        "glue_job_failure",
        "Glue.ConcurrentRunsExceededException",
        "Concurrent runs exceeded for sf-user-load (Service: AWSGlue; Status Code: 400; Error Code: ConcurrentRunsExceededException; Request ID: 1f0e)",
    ),
    told(
        RootCause::Quota,
        "orchestration_failure",
        "States.TaskFailed",
        r#"{"errorType":"ClientError","errorMessage":"An error occurred (LimitExceededException) when calling the CreateFunction operation: Code storage limit exceeded."}"#,
    ),
    told(
        RootCause::Capacity,
        "orchestration_failure",
        "ECS.AmazonECSException",
        "Capacity is unavailable at this time. Please try again later or in a different availability zone (Service: AmazonECS; Status Code: 400)",
    ),
    told(
        RootCause::OutOfMemory,
        "glue_job_failure",
        "States.TaskFailed",
        r#"{"JobName":"sf-user-load","Id":"jr_5b1d","JobRunState":"FAILED","ErrorMessage":"An error occurred while calling o97.pyWriteDynamicFrame. Job aborted due to stage failure: Task 3 in stage 4.0 failed 4 times: ExecutorLostFailure (executor 7 exited caused by one of the running tasks) Reason: Container killed by YARN for exceeding memory limits. 5.6 GB of 5.5 GB physical memory used."}"#,
    ),
    told(
        RootCause::Timeout,
        "validation_failure",
        "States.TaskFailed",
        r#"{"errorMessage":"2026-03-01T05:10:12.801Z 6b1f0e2d Task timed out after 300.00 seconds"}"#,
    ),
    told(
        RootCause::Connectivity,
        "db_connectivity",
        "States.TaskFailed",
        r#"{"errorType":"OperationalError","errorMessage":"could not translate host name \"crm.abc.eu-central-1.rds.amazonaws.com\" to address: Name or service not known"}"#,
    ),
    told(
        RootCause::MissingInput,
        "glue_job_failure",
        "States.TaskFailed",
        r#"{"JobName":"sf-user-load","Id":"jr_5b1d","JobRunState":"FAILED","ErrorMessage":"AnalysisException: Path does not exist: s3://lake/raw/sf_user/dt=2026-03-01"}"#,
    ),
    told(
        RootCause::MissingObject,
        "query_failure",
        "States.TaskFailed",
        "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.lake.sf_user_raw' does not exist",
    ),
    told(
        RootCause::SchemaMismatch,
        "query_failure",
        "States.TaskFailed",
        "HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition schemas. The types are incompatible and cannot be coerced. The column 'amount' in table 'lake.orders' is declared as type 'decimal(18,2)', but partition 'dt=2026-03-01' declared column 'amount' as type 'string'.",
    ),
    told(
        RootCause::MalformedData,
        "redshift_copy_failure",
        "States.TaskFailed",
        r#"{"Id":"5c1e","Status":"FAILED","QueryString":"COPY orders","Error":"ERROR: Load into table 'orders' failed. Check 'stl_load_errors' system table for details. Invalid digit, Value 'N', Pos 0, Type: Integer"}"#,
    ),
    told(
        RootCause::CodeError,
        "glue_job_failure",
        "States.TaskFailed",
        r#"{"JobName":"sf-user-load","Id":"jr_5b1d","JobRunState":"FAILED","ErrorMessage":"ModuleNotFoundError: No module named 'simple_salesforce'"}"#,
    ),
    told(
        RootCause::Conflict,
        "dbt_run_failure",
        "States.TaskFailed",
        r#"{"errorType":"DbtRunFailed","errorMessage":"ICEBERG_COMMIT_ERROR: Failed to commit the transaction during write: Cannot commit, found new conflicting files"}"#,
    ),
    told(
        RootCause::QueryResources,
        "query_failure",
        "States.TaskFailed",
        "Query exhausted resources at this scale factor",
    ),
    told(
        RootCause::PayloadLimit,
        "orchestration_failure",
        "States.DataLimitExceeded",
        "The state/task 'ValidateIngestion' returned a result with a size exceeding the maximum number of bytes service limit.",
    ),
    told(
        RootCause::Unknown,
        "unknown_error",
        "States.TaskFailed",
        "Job failed. See logs for details.",
    ),
];

/// What the error handler concludes of a cause, by the same code that runs in its function.
pub fn diagnosed(told: &ToldCause, profile: &Profile) -> Diagnosis {
    let event = json!({
        "error_type": told.error_type, "execution_id": "causes", "environment": "dev",
        "error_details": {"Error": told.error, "Cause": told.cause},
    });
    diagnosis::of(
        &Failure::parse(&event.to_string()),
        profile,
        &Names::default(),
    )
}

/// A row for each cause: what came in, and what is said of it.
pub fn shown(profile: &Profile) -> String {
    let mut rows = view::table(&[
        "what failed says",
        "root cause",
        "sure",
        "retry",
        "first thing to do",
    ]);
    for told in TOLD_CAUSES {
        let found = diagnosed(told, profile);
        let cause = &found.root_cause;
        rows.add_row(vec![
            shortened(&found.cause),
            if cause.code == told.code {
                good(cause.code.as_str())
            } else {
                bad(&format!("{}, not {}", cause.code, told.code))
            },
            cause.confidence.to_string(),
            match (cause.transient, cause.code) {
                (true, _) => "yes".to_owned(),
                (false, RootCause::Unknown) => "?".to_owned(),
                (false, _) => "no".to_owned(),
            },
            found
                .recommended_actions
                .first()
                .cloned()
                .unwrap_or_default(),
        ]);
    }
    let explain = dim("  Any other text: pipewarden explain --text '…'");
    format!("{rows}\n{explain}")
}

fn shortened(text: &str) -> String {
    pipewarden_shared::truncate::characters(text, 120)
}

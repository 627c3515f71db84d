//! Decide: what is known of a failure, from its event and from what was fetched: structured facts and texts.

use crate::advice::Names;
use crate::cause::{self, Unwrapped};
use crate::failure::{EndStatus, Failure, Source};
use crate::fetch::Fetched;
use pipewarden_shared::execution::StateMachine;
use pipewarden_shared::failure::ErrorType;
use std::collections::BTreeMap;
use std::fmt;

/// Where Glue writes the logs of Spark jobs (Glue user guide, "Logging behavior").
const GLUE_LOGS: &str = "/aws-glue/jobs";

/// Declares the services by the one name that each has.
macro_rules! services {
    ($($(#[$meta:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// The part of a pipeline that failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Service { $($(#[$meta])* $variant),+ }

        impl Service {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name, as the knowledge base writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

services! {
    /// AWS Glue: jobs, the catalog, crawlers.
    Glue = "glue",
    /// AWS Lambda.
    Lambda = "lambda",
    /// Amazon ECS and Fargate.
    Ecs = "ecs",
    /// Amazon Athena.
    Athena = "athena",
    /// Amazon EMR on EC2 and on EKS.
    Emr = "emr",
    /// EMR Serverless.
    EmrServerless = "emr_serverless",
    /// AWS Batch.
    Batch = "batch",
    /// Amazon Redshift and its Data API.
    Redshift = "redshift",
    /// AWS CodeBuild.
    CodeBuild = "codebuild",
    /// AWS Step Functions itself.
    StepFunctions = "stepfunctions",
    /// dbt.
    Dbt = "dbt",
    /// Amazon S3.
    S3 = "s3",
    /// Amazon DynamoDB.
    DynamoDb = "dynamodb",
    /// Amazon SNS.
    Sns = "sns",
    /// Amazon SQS.
    Sqs = "sqs",
    /// Amazon EventBridge.
    EventBridge = "eventbridge",
    /// AWS Secrets Manager.
    SecretsManager = "secretsmanager",
    /// AWS KMS.
    Kms = "kms",
    /// AWS Lake Formation.
    LakeFormation = "lakeformation",
    /// Amazon SageMaker.
    SageMaker = "sagemaker",
    /// AWS STS and IAM.
    Iam = "iam",
    /// Snowflake.
    Snowflake = "snowflake",
    /// A database that is reached over the network.
    Database = "database",
    /// Terraform.
    Terraform = "terraform",
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What Athena says of an error (Athena API reference, `AthenaError`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AthenaFault {
    /// 1 system, 2 user, 3 other.
    pub category: Option<i32>,
    /// Whether Athena holds a retry for worth it.
    pub retryable: Option<bool>,
}

/// What is known of a failure, unwrapped: structured facts, and texts from the innermost outwards.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// The part that failed, where that is known.
    pub service: Option<Service>,
    /// Names of errors, innermost first.
    pub errors: Vec<String>,
    /// Messages, innermost first.
    pub texts: Vec<String>,
    /// The HTTP status that a service answered with.
    pub http_status: Option<u16>,
    /// The exit code of a container.
    pub exit_code: Option<i32>,
    /// What Athena says of the error.
    pub athena: Option<AthenaFault>,
    /// What stands in `Error Category: X;` of a Glue message.
    pub glue_category: Option<String>,
    /// Names of this run by the placeholders of the knowledge base.
    pub names: BTreeMap<String, String>,
    /// Whether the innermost text is from an event of no known kind: what it says may be about something else.
    pub is_gleaned: bool,
}

/// What an event and what was fetched tell together.
pub(crate) fn merged(failure: &Failure, fetched: &Fetched) -> Unwrapped {
    let mut told = failure.told.clone();
    if let Some(execution) = fetched.execution.as_ref().filter(|_| !told.says_why) {
        let (error, cause) = (execution.error.as_deref(), execution.cause.as_deref());
        told = cause::unwrap(error, cause).inside(&told);
    }
    let history = fetched.history.as_ref();
    if let Some(task) = history.and_then(|history| history.task.as_ref()) {
        // Where the event says why, the history adds names only.
        let mut of_task = task.told();
        if told.says_why {
            of_task.evidence.errors.clear();
            of_task.evidence.texts.clear();
            told = told.inside(&of_task);
        } else {
            told = of_task.inside(&told);
        }
    }
    for inner in &fetched.inner {
        told = inner.clone().inside(&told);
    }
    told
}

/// What is known of a failure. Nothing in it is masked or cut yet.
pub fn of(failure: &Failure, configured: &Names, fetched: &Fetched) -> Evidence {
    let mut evidence = merged(failure, fetched).evidence;
    if let Source::Execution(ended) = &failure.source {
        end(&mut evidence, ended.status, failure);
    }
    evidence.service = service(&evidence, failure.error_type);
    name(&mut evidence, failure, configured);
    evidence
}

/// How the execution ended, as the outermost text; it is all there is where nothing inside failed.
fn end(evidence: &mut Evidence, status: EndStatus, failure: &Failure) {
    let (error, ended) = match status {
        EndStatus::Failed => (None, "failed"),
        // What runs out is the state machine's own TimeoutSeconds (Amazon States Language, "Timeouts").
        EndStatus::TimedOut => (Some("States.Timeout"), "ran out of time (TIMED_OUT)"),
        EndStatus::Aborted => (None, "was stopped (ABORTED)"),
    };
    if let Some(error) = error.filter(|_| evidence.errors.is_empty()) {
        evidence.errors.push(error.to_owned());
    }
    let state = failure.state.as_ref();
    let place = state
        .map(|state| format!(" in state {state}"))
        .unwrap_or_default();
    evidence.texts.push(format!("the execution {ended}{place}"));
}

/// The service that is told, else the one that the error type names.
fn service(evidence: &Evidence, error_type: ErrorType) -> Option<Service> {
    let error = evidence
        .errors
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let of_lambda = ["Lambda.", "Sandbox.", "Runtime.", "Extension."];
    let in_a_function = matches!(evidence.service, None | Some(Service::Lambda))
        && !of_lambda.iter().any(|prefix| error.starts_with(prefix));
    match error_type {
        // A function runs dbt, and another Athena; that function is not what failed.
        ErrorType::DbtRunFailure | ErrorType::DbtTestFailure if in_a_function => Some(Service::Dbt),
        _ if in_a_function && error.starts_with("Athena") => Some(Service::Athena),
        _ => evidence.service.or(match error_type {
            ErrorType::GlueJobFailure => Some(Service::Glue),
            ErrorType::EmrStepFailure => Some(Service::Emr),
            ErrorType::RedshiftCopyFailure => Some(Service::Redshift),
            ErrorType::S3Permission => Some(Service::S3),
            ErrorType::SnowflakeExternalTable => Some(Service::Snowflake),
            ErrorType::DbConnectivity => Some(Service::Database),
            ErrorType::TerraformApply => Some(Service::Terraform),
            ErrorType::QueryFailure => Some(Service::Athena),
            _ => None,
        }),
    }
}

/// Adds the names that the run's ARN, the configuration and the texts tell, where nothing closer told them.
fn name(evidence: &mut Evidence, failure: &Failure, configured: &Names) {
    let uri = evidence
        .texts
        .iter()
        .find_map(|text| s3_uri(text))
        .map(str::to_owned);
    let Evidence { service, names, .. } = evidence;
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            names
                .entry(name.to_owned())
                .or_insert_with(|| value.to_owned());
        }
    };
    let execution = failure.execution_id.as_deref();
    let machine = execution.and_then(StateMachine::of_execution);
    add(
        "execution",
        execution.filter(|_| !matches!(failure.source, Source::JobRun | Source::Step)),
    );
    add("state_machine", machine.map(|machine| machine.name));
    add("region", machine.map(|machine| machine.region));
    add("account", machine.map(|machine| machine.account));
    add("state", failure.state.as_deref());
    add("job", configured.glue_job.as_deref());
    if *service == Some(Service::Dbt) {
        add("function", configured.dbt_runner.as_deref());
    }
    let bucket = uri.as_deref().and_then(|uri| uri.split('/').nth(2));
    add("path", uri.as_deref());
    add("bucket", bucket);
    let function = names
        .get("function")
        .map(|function| format!("/aws/lambda/{function}"));
    let group = match service {
        Some(Service::Glue) => Some(configured.glue_log_group.as_deref().unwrap_or(GLUE_LOGS)),
        Some(Service::Lambda | Service::Dbt) => function.as_deref(),
        _ => None,
    };
    if let Some(group) = group {
        names
            .entry("log_group".to_owned())
            .or_insert_with(|| group.to_owned());
    }
}

/// The first `s3://` URI of a text.
fn s3_uri(text: &str) -> Option<&str> {
    let (_, from) = ["s3://", "s3a://", "s3n://"]
        .iter()
        .find_map(|scheme| text.split_once(scheme))?;
    let start = text.len() - from.len();
    let start = text.get(..start)?.rfind("s3")?;
    let uri = text.get(start..)?;
    let end = uri
        .find(|character: char| character.is_whitespace() || "\"'<>)],;".contains(character))
        .unwrap_or(uri.len());
    uri.get(..end).map(|uri| uri.trim_end_matches(['.', ':']))
}

#[cfg(test)]
mod tests;

//! Act: reads what an event lacks. A read that is refused or takes too long is told in the diagnosis and stops nothing.
//!
//! | the event | what is read |
//! |---|---|
//! | an execution ended | the execution, its history, and how long the last ones took, side by side |
//! | a Catch without a Cause | the history |
//! | a Glue job ended | the job run |
//! | any of them, where that does not say why | the child execution's history, the job run, the Athena query, side by side |
//!
//! A Catch that brings its Cause, as nearly all do, reads nothing, and no client is built for it.

mod events;
mod usual;

use crate::cause::{self, Unwrapped};
use crate::deliver;
use crate::evidence;
use crate::failure::{Failure, Source};
use crate::history::{self, Digest, Event, View};
use crate::recovery;
use aws_config::SdkConfig;
use aws_sdk_athena::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus};
use jiff::Timestamp;
use pipewarden_shared::{causes, mask};
use serde_json::{Value, json};
use std::error::Error;
use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Events on a page of a history: enough for a run of this pipeline, and few enough for the function's memory where
/// each holds 256 KiB.
const PAGE: i32 = 200;

/// The most pages that are read of one history; a report and a cause are at its end.
const MOST_PAGES: usize = 5;

/// How long reading may take in all.
const PATIENCE: Duration = Duration::from_secs(15);

/// The services that are read from. Their clients are built at their first use.
#[derive(Debug)]
pub struct Sources {
    config: SdkConfig,
    sfn: OnceLock<aws_sdk_sfn::Client>,
    glue: OnceLock<aws_sdk_glue::Client>,
    athena: OnceLock<aws_sdk_athena::Client>,
}

/// An execution, as DescribeExecution tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Such as `FAILED`; another than the event's where it was redriven since.
    pub status: String,
    /// The error's name.
    pub error: Option<String>,
    /// What it says.
    pub cause: Option<String>,
    /// How often it has been redriven.
    pub redrives: u32,
    /// Whether it can be redriven.
    pub redrivable: bool,
    /// Why not.
    pub redrivable_reason: Option<String>,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
}

/// What was read besides the event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fetched {
    /// The execution.
    pub execution: Option<Described>,
    /// Its history.
    pub history: Option<Digest>,
    /// What was read of the parts inside it, the outer first.
    pub inner: Vec<Unwrapped>,
    /// How long a run usually takes, in seconds.
    pub usual_seconds: Option<f64>,
    /// What could not be read, and why, in a sentence each.
    pub missing: Vec<String>,
}

impl Fetched {
    fn keep<T>(&mut self, read: Result<T, String>) -> Option<T> {
        read.map_err(|missing| self.missing.push(missing)).ok()
    }
}

impl Sources {
    /// Sources that are reached with this configuration.
    pub fn new(config: SdkConfig) -> Self {
        Self {
            config,
            sfn: OnceLock::new(),
            glue: OnceLock::new(),
            athena: OnceLock::new(),
        }
    }

    /// The client of Step Functions.
    pub fn sfn(&self) -> &aws_sdk_sfn::Client {
        self.sfn
            .get_or_init(|| aws_sdk_sfn::Client::new(&self.config))
    }

    fn glue(&self) -> &aws_sdk_glue::Client {
        self.glue
            .get_or_init(|| aws_sdk_glue::Client::new(&self.config))
    }

    fn athena(&self) -> &aws_sdk_athena::Client {
        self.athena
            .get_or_init(|| aws_sdk_athena::Client::new(&self.config))
    }

    /// Reads what a failure's event lacks, in a part of the time that `remaining` leaves; `function` is this function's ARN.
    pub async fn lacking(&self, failure: &Failure, function: &str, remaining: Duration) -> Fetched {
        let ended = matches!(failure.source, Source::Execution(_) | Source::JobRun);
        if failure.told.says_why && !ended {
            return Fetched::default();
        }
        // A run that died may be redriven before it is alerted.
        let reserve = match failure.source {
            Source::Execution(_) => deliver::RESERVE + recovery::PATIENCE,
            _ => deliver::RESERVE,
        };
        let patience = remaining.saturating_sub(reserve).min(PATIENCE);
        let reader = Reader {
            sources: self,
            function,
            deadline: Instant::now() + patience,
        };
        let mut fetched = reader.outside(failure).await;
        reader.inside(failure, &mut fetched).await;
        fetched
    }
}

#[derive(Debug, Clone, Copy)]
struct Reader<'a> {
    sources: &'a Sources,
    function: &'a str,
    deadline: Instant,
}

impl Reader<'_> {
    /// The execution and its history.
    async fn outside(self, failure: &Failure) -> Fetched {
        let mut fetched = Fetched::default();
        let Some(arn) = failure
            .execution_id
            .as_deref()
            .filter(|id| id.starts_with("arn:"))
        else {
            return fetched;
        };
        match &failure.source {
            Source::Execution(ended) => {
                let at = ended.at.map(Timestamp::as_millisecond);
                let (execution, history, usual) = futures_util::join!(
                    self.execution(arn),
                    self.history(arn, View::Ended(at)),
                    self.usual(arn)
                );
                fetched.usual_seconds = usual;
                fetched.execution = fetched.keep(execution);
                fetched.history = fetched.keep(history);
            }
            Source::Catch if !failure.told.says_why && failure.told.inner_execution.is_none() => {
                fetched.history = fetched.keep(self.history(arn, View::Caught).await);
            }
            _ => {}
        }
        fetched
    }

    /// The part that failed inside, where nothing said why yet.
    async fn inside(self, failure: &Failure, fetched: &mut Fetched) {
        // What was reported already is not looked into again.
        if fetched
            .history
            .as_ref()
            .is_some_and(|history| history.reported)
        {
            return;
        }
        let told = evidence::merged(failure, fetched);
        if told.says_why && failure.source != Source::JobRun {
            return;
        }
        let name = |name: &str| told.evidence.names.get(name).map(String::as_str);
        let child = async {
            let arn = told.inner_execution.as_deref()?;
            Some(self.history(arn, View::Ended(None)).await)
        };
        let run = async {
            let (job, run) = (name("job")?, name("job_run")?);
            Some(self.job_run(job, run).await)
        };
        let query = async { Some(self.query(name("query_id")?).await) };
        let (child, run, query) = futures_util::join!(child, run, query);
        let child = child.and_then(|child| fetched.keep(child));
        let task = child.and_then(|child| child.task).map(|task| task.told());
        let read = [run, query].into_iter().flatten();
        let read: Vec<Value> = read.filter_map(|read| fetched.keep(read)).collect();
        fetched.inner.extend(task);
        fetched.inner.extend(read.iter().map(cause::unwrap_value));
    }

    /// Waits for a call until the deadline; what goes wrong becomes a sentence.
    async fn read<T, E>(
        self,
        what: &str,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, String>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let reason = match timeout_at(self.deadline, call).await {
            Ok(Ok(read)) => return Ok(read),
            Ok(Err(error)) => reason(&error),
            Err(_) => "it took too long".to_owned(),
        };
        let reason = mask::secrets(&reason);
        tracing::warn!(reason, "could not read {what}: {reason}");
        Err(format!("Could not read {what}: {reason}"))
    }

    async fn execution(self, arn: &str) -> Result<Described, String> {
        let call = self.sources.sfn().describe_execution().execution_arn(arn);
        let read = self.read(&format!("execution {arn}"), call.send()).await?;
        Ok(Described {
            status: read.status.as_str().to_owned(),
            error: read.error,
            cause: read.cause,
            redrives: read
                .redrive_count
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or_default(),
            redrivable: read.redrive_status == Some(ExecutionRedriveStatus::Redrivable),
            redrivable_reason: read.redrive_status_reason,
            stopped_at: read
                .stop_date
                .and_then(|stopped| stopped.to_millis().ok())
                .and_then(|stopped| Timestamp::from_millisecond(stopped).ok()),
        })
    }

    /// How long the last runs took that succeeded. What only adds to an alert is not missed in it.
    async fn usual(self, arn: &str) -> Option<f64> {
        let machine = usual::machine_of(arn)?;
        let call = self
            .sources
            .sfn()
            .list_executions()
            .state_machine_arn(&machine)
            .status_filter(ExecutionStatus::Succeeded)
            .max_results(usual::LAST);
        let what = format!("the last runs of {machine}");
        let read = self.read(&what, call.send()).await.ok()?;
        usual::seconds(&read.executions)
    }

    /// A history, newest first, until it tells enough.
    async fn history(self, arn: &str, view: View) -> Result<Digest, String> {
        let what = format!("the history of {arn}");
        let mut read: Vec<Event> = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let call = self
                .sources
                .sfn()
                .get_execution_history()
                .execution_arn(arn)
                .reverse_order(true)
                .max_results(PAGE)
                .set_next_token(next);
            let page = self.read(&what, call.send()).await?;
            read.extend(page.events.into_iter().map(events::event));
            next = page.next_token;
            if next.is_none() || history::is_enough(&read, view, self.function) {
                break;
            }
        }
        Ok(history::digest(&read, view, self.function))
    }

    /// A job run, in the shape of a Cause.
    async fn job_run(self, job: &str, run: &str) -> Result<Value, String> {
        let call = self.sources.glue().get_job_run().job_name(job).run_id(run);
        let what = format!("run {run} of Glue job {job}");
        let read = self.read(&what, call.send()).await?;
        let read = read
            .job_run
            .ok_or_else(|| format!("Could not read {what}: the answer is empty"))?;
        Ok(json!({
            "JobName": read.job_name,
            "Id": read.id,
            "JobRunState": read.job_run_state.as_ref().map(|state| state.as_str()),
            "ErrorMessage": read.error_message,
            "LogGroupName": read.log_group_name,
        }))
    }

    /// A query, in the shape of a Cause.
    async fn query(self, query_id: &str) -> Result<Value, String> {
        let call = self
            .sources
            .athena()
            .get_query_execution()
            .query_execution_id(query_id);
        let what = format!("Athena query {query_id}");
        let read = self.read(&what, call.send()).await?;
        let read = read
            .query_execution
            .ok_or_else(|| format!("Could not read {what}: the answer is empty"))?;
        let status = read.status.as_ref();
        let fault = status.and_then(|status| status.athena_error.as_ref());
        Ok(json!({"QueryExecution": {
            "QueryExecutionId": read.query_execution_id,
            "WorkGroup": read.work_group,
            "Status": {
                "StateChangeReason": status.and_then(|status| status.state_change_reason.as_ref()),
                "AthenaError": fault.map(|fault| json!({
                    "ErrorCategory": fault.error_category,
                    "Retryable": fault.retryable,
                    "ErrorMessage": fault.error_message,
                })),
            },
        }}))
    }
}

/// What a service said, else what went wrong on the way.
pub(crate) fn reason<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => causes::chain(error),
    }
}

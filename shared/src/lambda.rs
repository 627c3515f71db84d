//! The imperative shell: runs a handler on the Lambda Runtime API and names its errors for Step Functions.
//!
//! `lambda_runtime` posts a Rust type name as `errorType` where an event does not deserialize or a handler
//! panics, which no Retry or Catch can match. Here a handler gets its event whatever it is, and every error
//! has a name of its own.

use crate::event::InvalidEvent;
use crate::{causes, mask, truncate};
use futures_util::FutureExt;
use lambda_runtime::tower::{Layer, Service};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, SystemTime};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// The largest event that is read, in bytes. Step Functions, EventBridge and SNS carry 256 KiB; the rest is for escapes.
pub const LARGEST_EVENT: usize = 1024 * 1024;

/// The most of an error that is posted: Step Functions keeps 32,768 characters of a Cause.
const LONGEST_ERROR: usize = 8_000;

/// The name under which a panic reaches a state machine.
const PANICKED: &str = "FunctionPanicked";

/// An error of a function, with the `errorType` that Retry and Catch match.
pub trait FunctionError: std::error::Error {
    /// The name, such as `InvalidEvent`.
    fn name(&self) -> &'static str;
}

impl FunctionError for InvalidEvent {
    fn name(&self) -> &'static str {
        Self::NAME
    }
}

/// One invocation: the event as text, and how long there is for it.
#[derive(Debug)]
pub struct Invocation {
    /// The event, as it came.
    pub text: Box<str>,
    /// Id of the request, the same when Lambda retries an asynchronous one.
    pub request_id: String,
    /// ARN that was invoked, with region and account.
    pub function_arn: String,
    deadline: SystemTime,
}

impl Invocation {
    fn new(text: Box<str>, context: Context) -> Self {
        Self {
            text,
            request_id: context.request_id.clone(),
            function_arn: context.invoked_function_arn.clone(),
            deadline: context.deadline(),
        }
    }

    /// An invocation of one's own making, for what calls a handler without Lambda.
    pub fn of(text: &str, remaining: Duration) -> Self {
        Self {
            text: text.into(),
            request_id: "00000000-0000-0000-0000-000000000000".to_owned(),
            function_arn: String::new(),
            deadline: SystemTime::now() + remaining,
        }
    }

    /// The event as JSON.
    ///
    /// # Errors
    /// [`InvalidEvent`] for an event over [`LARGEST_EVENT`], one nested too deeply, or one that is no JSON.
    pub fn event(&self) -> Result<Value, InvalidEvent> {
        parse(&self.text, LARGEST_EVENT)
    }

    /// How long the function may still run before Lambda ends it.
    pub fn remaining(&self) -> Duration {
        self.deadline
            .duration_since(SystemTime::now())
            .unwrap_or(Duration::ZERO)
    }
}

/// Reads an event's text of at most `limit` bytes; see [`Invocation::event`].
pub fn parse(text: &str, limit: usize) -> Result<Value, InvalidEvent> {
    if text.len() > limit {
        let limit = format!("JSON of at most {limit} bytes");
        return Err(InvalidEvent::new(
            "event",
            limit,
            format!("{} bytes", text.len()),
        ));
    }
    serde_json::from_str(text)
        .map_err(|error| InvalidEvent::new("event", "readable JSON", error.to_string()))
}

/// Starts the log: JSON lines on standard output, the level from `LOG_LEVEL` (info where unset).
pub fn start_log() {
    let level = crate::settings::optional("LOG_LEVEL")
        .and_then(|level| level.parse().ok())
        .unwrap_or(tracing::Level::INFO);
    // lambda_runtime logs each error of a handler once more, unmasked.
    let levels = Targets::new()
        .with_default(level)
        .with_target("lambda_runtime", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(levels))
        .init();
}

/// Serves invocations until Lambda ends the environment.
///
/// # Errors
/// Those of the Runtime API; an error of the handler is posted and does not end the loop.
pub async fn serve<H, F, T, E>(handler: H) -> Result<(), lambda_runtime::Error>
where
    H: Fn(Invocation) -> F,
    F: Future<Output = Result<T, E>>,
    T: Serialize,
    E: FunctionError,
{
    let service = service_fn(|event: LambdaEvent<Box<RawValue>>| {
        let invocation = Invocation::new(event.payload.into(), event.context);
        let running = handler(invocation);
        async move { answer(AssertUnwindSafe(running).catch_unwind().await) }
    });
    Runtime::new(service).layer(ReadableBody).run().await
}

/// Starts a function: log, configuration, clients, then [`serve`].
///
/// Lambda does not report an error of the initialisation by itself, so its cause is logged before the exit.
pub async fn start<C, H, F, T, E>(
    configure: impl FnOnce() -> Result<C, crate::settings::SettingsError>,
    handler: H,
) -> std::process::ExitCode
where
    C: Clone,
    H: Fn(C, Invocation) -> F,
    F: Future<Output = Result<T, E>>,
    T: Serialize,
    E: FunctionError,
{
    start_log();
    let context = match configure() {
        Ok(context) => context,
        Err(error) => {
            tracing::error!(error = %error, "cannot start: {error}");
            return std::process::ExitCode::FAILURE;
        }
    };
    match serve(|invocation| handler(context.clone(), invocation)).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %error, "the Runtime API failed: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn answer<T, E: FunctionError>(
    outcome: Result<Result<T, E>, Box<dyn Any + Send>>,
) -> Result<T, Diagnostic> {
    let (name, message) = match outcome {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => (error.name(), causes::chain(&error)),
        Err(panic) => (PANICKED, panic_message(panic.as_ref())),
    };
    let message = truncate::characters(&mask::secrets(&message), LONGEST_ERROR);
    tracing::error!(error_type = name, error = message, "{name}: {message}");
    Err(Diagnostic {
        error_type: name.to_owned(),
        error_message: message,
    })
}

/// The text of a caught panic.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!(
        "the function panicked: {}",
        text.as_deref().unwrap_or("without a message")
    )
}

/// Makes a body that is no JSON readable, as a JSON string of its text.
///
/// The runtime ends its loop over a body that is not UTF-8 and answers for one that is no JSON under a
/// name of its own. Lambda lets neither through, but a stand-in may.
#[derive(Debug, Clone, Copy)]
struct ReadableBody;

impl<S> Layer<S> for ReadableBody {
    type Service = ReadableBodyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ReadableBodyService { inner }
    }
}

#[derive(Debug, Clone)]
struct ReadableBodyService<S> {
    inner: S,
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for ReadableBodyService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> S::Future {
        if serde_json::from_slice::<&RawValue>(&invocation.body).is_err() {
            let text = String::from_utf8_lossy(&invocation.body).into_owned();
            invocation.body = Value::String(text).to_string().into();
        }
        self.inner.call(invocation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot reach the topic: {source}")]
    struct NotSent {
        source: std::io::Error,
    }

    impl FunctionError for NotSent {
        fn name(&self) -> &'static str {
            "AlertNotSent"
        }
    }

    #[test]
    fn an_error_is_posted_under_its_name_once_and_masked() {
        let error = NotSent {
            source: std::io::Error::other("password=hunter22 refused"),
        };
        let diagnostic = answer::<(), _>(Ok(Err(error))).unwrap_err();
        assert_eq!(diagnostic.error_type, "AlertNotSent");
        assert_eq!(
            diagnostic.error_message,
            "cannot reach the topic: password=*** refused"
        );
    }

    #[test]
    fn a_panic_is_posted_with_its_message() {
        let panic: Box<dyn Any + Send> = Box::new("index out of bounds".to_owned());
        let diagnostic = answer::<(), NotSent>(Err(panic)).unwrap_err();
        assert_eq!(diagnostic.error_type, "FunctionPanicked");
        assert_eq!(
            diagnostic.error_message,
            "the function panicked: index out of bounds"
        );
    }

    #[test]
    fn what_is_no_event_is_refused_by_name() {
        let nested = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        for (text, got) in [
            ("\"x", "EOF"),
            (nested.as_str(), "recursion limit"),
            ("{\"a\": 1e999}", "number out of range"),
        ] {
            let error = parse(text, LARGEST_EVENT).unwrap_err();
            assert_eq!(error.field, "event");
            assert!(error.got.contains(got), "{error}");
        }
        let long = format!("{{\"pad\": \"{}\"}}", "x".repeat(LARGEST_EVENT));
        assert!(
            parse(&long, LARGEST_EVENT)
                .unwrap_err()
                .expected
                .contains("1048576 bytes")
        );
    }
}

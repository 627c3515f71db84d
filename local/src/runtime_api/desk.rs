//! Where events are handed out and answers are taken in: the requests of the Runtime API (version 2018-06-01).

use super::{ACCOUNT, Outcome, REGION};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};

/// Where every path of this version begins.
const VERSION: &str = "/2018-06-01/runtime/";

/// An answer and when it had arrived.
type Answer = (Outcome, Instant);

/// An event that waits to be asked for.
#[derive(Debug)]
pub(super) struct Offer {
    request_id: String,
    deadline_ms: u128,
    event: Bytes,
}

/// What the server and the owner of a process share.
#[derive(Debug)]
pub(super) struct Desk {
    function_arn: String,
    offers: tokio::sync::Mutex<mpsc::Receiver<Offer>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    first_poll: Option<Instant>,
    awaited: Option<(String, oneshot::Sender<Answer>)>,
    /// An error of the initialisation, which comes before any event was asked for.
    init_error: Option<Answer>,
}

impl Desk {
    pub(super) fn new(function: &str, offers: mpsc::Receiver<Offer>) -> Self {
        Self {
            function_arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"),
            offers: tokio::sync::Mutex::new(offers),
            state: Mutex::new(State::default()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn first_poll(&self) -> Option<Instant> {
        self.state().first_poll
    }

    /// Prepares an event, and where its answer will arrive.
    pub(super) fn offer(
        &self,
        number: u64,
        event: Bytes,
        timeout: Duration,
    ) -> (Offer, oneshot::Receiver<Answer>) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        // A UUID in form; it differs between runs, as functions make tokens of it.
        let request_id = format!(
            "{:08x}-{:04x}-4000-8000-{number:012x}",
            now.as_secs(),
            now.subsec_millis()
        );
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        match state.init_error.take() {
            Some(error) => drop(sender.send(error)),
            None => state.awaited = Some((request_id.clone(), sender)),
        }
        let deadline_ms = (now + timeout).as_millis();
        (
            Offer {
                request_id,
                deadline_ms,
                event,
            },
            receiver,
        )
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        self.state().first_poll.get_or_insert_with(Instant::now);
        let Some(offer) = self.offers.lock().await.recv().await else {
            return plain(StatusCode::GONE, "no more events");
        };
        let Offer {
            request_id,
            deadline_ms,
            event,
        } = offer;
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", &request_id)
            .header("lambda-runtime-deadline-ms", deadline_ms.to_string())
            .header("lambda-runtime-invoked-function-arn", &self.function_arn)
            .header(
                "lambda-runtime-trace-id",
                "Root=1-00000000-000000000000000000000000;Sampled=0",
            )
            .body(Full::new(event));
        response
            .unwrap_or_else(|error| plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))
    }

    /// Passes an answer on, if it is to the event that is waited for.
    fn take(&self, request_id: &str, outcome: Outcome) -> Response<Full<Bytes>> {
        let arrived = Instant::now();
        let mut state = self.state();
        match state.awaited.take_if(|(awaited, _)| awaited == request_id) {
            Some((_, sender)) => {
                drop(sender.send((outcome, arrived)));
                plain(StatusCode::ACCEPTED, "{\"status\":\"OK\"}")
            }
            None => plain(
                StatusCode::BAD_REQUEST,
                "{\"errorType\":\"InvalidRequestID\"}",
            ),
        }
    }

    fn take_init_error(&self, error: Outcome) -> Response<Full<Bytes>> {
        let arrived = Instant::now();
        let mut state = self.state();
        match state.awaited.take() {
            Some((_, sender)) => drop(sender.send((error, arrived))),
            None => state.init_error = Some((error, arrived)),
        }
        plain(StatusCode::ACCEPTED, "{\"status\":\"OK\"}")
    }
}

/// Answers one request of a bootstrap.
pub(super) async fn answer(
    desk: Arc<Desk>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix(VERSION).unwrap_or_default();
    let steps: Vec<&str> = path.split('/').collect();
    let get = head.method == Method::GET;
    Ok(match steps.as_slice() {
        ["invocation", "next"] if get => desk.next().await,
        ["invocation", id, "response"] if !get => {
            desk.take(id, Outcome::Response(body.collect().await?.to_bytes()))
        }
        ["invocation", id, "error"] if !get => {
            desk.take(id, error(&body.collect().await?.to_bytes()))
        }
        ["init", "error"] if !get => desk.take_init_error(error(&body.collect().await?.to_bytes())),
        _ => plain(StatusCode::NOT_FOUND, "{\"errorType\":\"UnknownPath\"}"),
    })
}

/// Reads a posted error; what is not in its form is shown as it is.
fn error(body: &[u8]) -> Outcome {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    Outcome::Error {
        error_type: text("errorType").unwrap_or_else(|| "Unknown".to_owned()),
        error_message: text("errorMessage")
            .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()),
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response
}

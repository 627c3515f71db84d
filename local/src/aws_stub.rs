//! A stub of the AWS services that the functions call: it answers as if all were well, and keeps what it was asked.
//!
//! It knows what the wire carries and nothing of what the services do; the local cloud is for that. It serves any
//! stream, so that whoever measures can put TLS below it.

mod answers;

use crate::invoke::RESULTS_BUCKET;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// What the stub was asked once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service, such as `CloudWatch`.
    pub service: String,
    /// The operation, such as `PutMetricData`.
    pub operation: String,
    /// What it was about, in a line.
    pub summary: String,
    /// When it had arrived.
    pub at: Instant,
}

/// A request, whole.
#[derive(Debug)]
struct Asked<'request> {
    path: &'request str,
    headers: &'request HeaderMap,
    body: &'request [u8],
}

/// What the stub says to it.
#[derive(Debug)]
struct Said {
    call: Call,
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
}

/// The stub. Clones share what was asked.
#[derive(Debug, Clone)]
pub struct AwsStub {
    url: Arc<str>,
    calls: Arc<Mutex<Vec<Call>>>,
    queries: Arc<Mutex<BTreeMap<String, String>>>,
}

/// A stub that serves plain HTTP on loopback until it is dropped.
#[derive(Debug)]
pub struct Served {
    /// The stub.
    pub stub: AwsStub,
    server: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl AwsStub {
    /// A stub that will be reached at `url`, which it gives out as the address of webhooks.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            calls: Arc::default(),
            queries: Arc::default(),
        }
    }

    /// Serves plain HTTP on a free port of loopback.
    ///
    /// # Errors
    /// Where there is no port to listen on.
    pub async fn listen() -> std::io::Result<Served> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let stub = Self::new(&format!("http://{}", listener.local_addr()?));
        let serving = stub.clone();
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let stub = serving.clone();
                connections.spawn(async move { stub.serve(stream).await });
            }
        });
        Ok(Served { stub, server })
    }

    /// Where it is reached: the value for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it was asked since the last time, in order.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers the requests of one connection until it is closed.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| self.answer(request));
        // A connection that breaks shows in the function's answer.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let said = self.say(&Asked {
            path: head.uri.path(),
            headers: &head.headers,
            body: &body,
        });
        let mut response = Response::new(Full::new(Bytes::from(said.body)));
        *response.status_mut() = said.status;
        let headers = response.headers_mut();
        headers.insert(
            "content-type",
            hyper::header::HeaderValue::from_static(said.content_type),
        );
        if said.content_type == answers::CBOR {
            headers.insert(
                "smithy-protocol",
                hyper::header::HeaderValue::from_static("rpc-v2-cbor"),
            );
        }
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(said.call);
        Ok(response)
    }

    /// Finds out by which protocol it is asked, and answers by the same.
    fn say(&self, asked: &Asked<'_>) -> Said {
        let target = asked
            .headers
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok())
            .unwrap_or_default();
        if let Some(receiver) = asked.path.strip_prefix("/webhook/") {
            answers::webhook(receiver, asked)
        } else if asked.path.starts_with(&format!("/{RESULTS_BUCKET}/")) {
            answers::s3(asked)
        } else if let Some(operation) = asked
            .path
            .split_once("/operation/")
            .map(|(_, operation)| operation)
        {
            answers::cloudwatch(operation, asked)
        } else if let Some(operation) = target.strip_prefix("GraniteServiceVersion20100801.") {
            answers::cloudwatch(operation, asked)
        } else if let Some(operation) = target.strip_prefix("AmazonAthena.") {
            self.athena(operation, asked)
        } else if let Some(operation) = target.strip_prefix("secretsmanager.") {
            answers::secret(operation, asked, &self.url)
        } else {
            answers::sns(asked)
        }
    }

    fn athena(&self, operation: &str, asked: &Asked<'_>) -> Said {
        let mut queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        answers::athena(operation, asked, &mut queries)
    }
}

//! Fake receivers on the loopback: keep what is posted to them, and answer as they are told.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A message that was posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    /// The path that it was posted to, such as `/slack`.
    pub path: String,
    /// The message; null where it is no JSON.
    pub body: Value,
}

/// An HTTP server that takes every message.
#[derive(Debug)]
pub struct Inbox {
    /// Its address, such as `http://127.0.0.1:40001`.
    pub address: String,
    posted: Arc<Mutex<Vec<Posted>>>,
    serving: JoinHandle<()>,
}

impl Inbox {
    /// Starts the server; it answers each post with `status`.
    ///
    /// # Errors
    /// Where the loopback has no free port.
    pub async fn start(status: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let posted = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posted);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                let service = service_fn(move |request| take(request, status, Arc::clone(&kept)));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                // A sender that breaks off has sent nothing that could be kept.
                tokio::spawn(async move { connection.await.ok() });
            }
        });
        Ok(Self {
            address,
            posted,
            serving,
        })
    }

    /// What was posted to a path, in order.
    pub fn at(&self, path: &str) -> Vec<Value> {
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        posted
            .iter()
            .filter(|message| message.path == path)
            .map(|message| message.body.clone())
            .collect()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    request: Request<Incoming>,
    status: u16,
    kept: Arc<Mutex<Vec<Posted>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request
        .into_body()
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    kept.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Posted { path, body });
    let mut response = Response::new(Full::new(Bytes::from_static(b"ok")));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}

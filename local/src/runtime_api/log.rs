//! Keeps the end of what a bootstrap writes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinSet;

/// The most that is kept, in bytes.
const KEPT: usize = 64 * 1024;

/// How long an ended process's last lines may take; a child of its own may hold the pipe open.
const PATIENCE: Duration = Duration::from_millis(500);

/// The end of a bootstrap's standard output and standard error.
#[derive(Debug)]
pub(super) struct Log {
    tail: Arc<Mutex<VecDeque<u8>>>,
    readers: JoinSet<()>,
}

impl Log {
    /// Reads both pipes until they are closed.
    pub(super) fn of(
        output: Option<impl AsyncRead + Unpin + Send + 'static>,
        errors: Option<impl AsyncRead + Unpin + Send + 'static>,
    ) -> Self {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let mut readers = JoinSet::new();
        if let Some(pipe) = output {
            readers.spawn(keep(pipe, Arc::clone(&tail)));
        }
        if let Some(pipe) = errors {
            readers.spawn(keep(pipe, Arc::clone(&tail)));
        }
        Self { tail, readers }
    }

    /// What was kept so far.
    pub(super) fn text(&self) -> String {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(tail.make_contiguous()).into_owned()
    }

    /// What was kept of a process that has ended.
    pub(super) async fn complete(&mut self) -> String {
        let closed = async { while self.readers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(PATIENCE, closed).await;
        self.text()
    }
}

async fn keep(mut pipe: impl AsyncRead + Unpin, tail: Arc<Mutex<VecDeque<u8>>>) {
    let mut buffer = Vec::with_capacity(8 * 1024);
    while matches!(pipe.read_buf(&mut buffer).await, Ok(read) if read > 0) {
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(buffer.drain(..));
        let surplus = tail.len().saturating_sub(KEPT);
        tail.drain(..surplus);
    }
}

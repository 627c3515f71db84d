//! A stand-in of the Lambda Runtime API on loopback: starts a function's bootstrap and hands it events.
//!
//! It keeps to what a bootstrap can see of Lambda: a clean environment, one event at a time, a deadline, and the end
//! of the process after a timeout. An event is any bytes, so that a function can be shown what Lambda never sends.

mod desk;
mod log;

use desk::{Desk, Offer};
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use log::Log;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

/// The region that functions are told they run in.
pub const REGION: &str = "eu-central-1";

/// The account that functions are told they run in.
pub const ACCOUNT: &str = "123456789012";

/// A function as Lambda would start it.
#[derive(Debug, Clone, Default)]
pub struct Bootstrap {
    /// The function's name.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments; a real bootstrap has none, an interpreter has some.
    pub arguments: Vec<OsString>,
    /// `LAMBDA_TASK_ROOT`: where the function's package was unpacked.
    pub task_root: PathBuf,
    /// What is configured for the function. Nothing of our own environment is handed on.
    pub environment: Vec<(String, String)>,
}

/// A bootstrap that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No port to serve the Runtime API on.
    #[error("cannot listen on loopback for the Runtime API")]
    Listen(#[source] std::io::Error),
    /// The program does not run.
    #[error("cannot start {}", .program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The function answered.
    Response(Bytes),
    /// The function posted an error, of the invocation or of its initialisation.
    Error {
        /// `errorType`, which Retry and Catch match.
        error_type: String,
        /// `errorMessage`.
        error_message: String,
    },
    /// The process ended without an answer.
    Died {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        log: String,
    },
    /// The process did not answer in time, and was ended as Lambda would.
    TimedOut,
}

/// When things happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The process was about to be started.
    pub spawned: Instant,
    /// It first asked for an event; its initialisation was over.
    pub first_poll: Option<Instant>,
    /// The event was there to be asked for.
    pub offered: Instant,
    /// The answer had arrived.
    pub answered: Instant,
}

/// An invocation that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoked {
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub times: Times,
}

/// A running bootstrap and the Runtime API that it talks to. It is killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    desk: Arc<Desk>,
    offers: mpsc::Sender<Offer>,
    server: JoinHandle<()>,
    log: Log,
    spawned: Instant,
    invocations: u64,
}

impl Process {
    /// Starts a bootstrap.
    ///
    /// # Errors
    /// [`StartError`] where there is no port, or the program does not run.
    pub async fn start(bootstrap: &Bootstrap) -> Result<Self, StartError> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(StartError::Listen)?;
        let address = listener.local_addr().map_err(StartError::Listen)?;
        let (offers, taken) = mpsc::channel(1);
        let desk = Arc::new(Desk::new(&bootstrap.name, taken));
        let server = tokio::spawn(serve(listener, Arc::clone(&desk)));
        let spawned = Instant::now();
        let mut child = command(bootstrap, &address.to_string())
            .spawn()
            .map_err(|source| StartError::Spawn {
                program: bootstrap.program.clone(),
                source,
            })?;
        Ok(Self {
            log: Log::of(child.stdout.take(), child.stderr.take()),
            child,
            desk,
            offers,
            server,
            spawned,
            invocations: 0,
        })
    }

    /// The id of the process, until it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// The end of what the function wrote so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Hands over an event and waits for the answer, at most for `timeout`.
    pub async fn invoke(&mut self, event: impl Into<Bytes>, timeout: Duration) -> Invoked {
        let offered = Instant::now();
        self.invocations += 1;
        let (offer, answer) = self.desk.offer(self.invocations, event.into(), timeout);
        let sending = self.offers.try_send(offer);
        let (outcome, answered) = tokio::select! {
            biased;
            Ok(answer) = answer, if sending.is_ok() => answer,
            status = self.child.wait() => (self.died(status).await, Instant::now()),
            () = tokio::time::sleep(timeout) => {
                let _ = self.child.kill().await;
                (Outcome::TimedOut, Instant::now())
            }
        };
        let times = Times {
            spawned: self.spawned,
            first_poll: self.desk.first_poll(),
            offered,
            answered,
        };
        Invoked { outcome, times }
    }

    async fn died(&mut self, status: std::io::Result<ExitStatus>) -> Outcome {
        let log = self.log.complete().await;
        match status {
            Ok(status) => Outcome::Died { status, log },
            Err(error) => Outcome::Died {
                status: ExitStatus::default(),
                log: format!("{log}\nits end could not be awaited: {error}"),
            },
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn command(bootstrap: &Bootstrap, runtime_api: &str) -> Command {
    let mut command = Command::new(&bootstrap.program);
    command
        .args(&bootstrap.arguments)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("AWS_LAMBDA_FUNCTION_NAME", &bootstrap.name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env(
            "AWS_LAMBDA_LOG_GROUP_NAME",
            format!("/aws/lambda/{}", bootstrap.name),
        )
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        // The example keys of the IAM user guide; no service knows them.
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env(
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        )
        .env("LAMBDA_TASK_ROOT", &bootstrap.task_root)
        .env("TZ", ":UTC")
        .envs(
            bootstrap
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .current_dir(&bootstrap.task_root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Answers the bootstrap's connections; they end with this task.
async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // Answers are small: waiting to fill a packet would be all that is measured.
        let _ = stream.set_nodelay(true);
        let desk = Arc::clone(&desk);
        connections.spawn(async move {
            let service = service_fn(|request| desk::answer(Arc::clone(&desk), request));
            // A connection that breaks is the bootstrap's end, which is seen by itself.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

//! The emulator as a process: started on the loopback and a free port, and ended with everything that it started.

use crate::place::Place;
use rustix::process::{Pid, Signal, kill_process_group};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// How long the emulator may take until it answers; a slow disk imports its modules in some ten seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long it may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// The local cloud could not be started.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// There is no port to listen on.
    #[error("no free port on the loopback")]
    NoPort(#[source] std::io::Error),
    /// The launcher could not be run.
    #[error("cannot run {}", .program.display())]
    NotRun {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The launcher ended before it answered.
    #[error("the emulator ended with {status}: {}", .log.trim())]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        log: String,
    },
    /// The emulator does not answer.
    #[error("the emulator did not answer within {} s: {}", PATIENCE.as_secs(), .log.trim())]
    Silent {
        /// The end of what it wrote.
        log: String,
    },
}

/// A running emulator.
#[derive(Debug)]
pub struct Cloud {
    /// Its address, such as `http://127.0.0.1:41234`.
    pub endpoint: String,
    launcher: Child,
    log: PathBuf,
}

impl Cloud {
    /// Starts the emulator and waits until it answers.
    ///
    /// # Errors
    /// [`CloudError`] with the end of the emulator's log.
    pub async fn start(place: &Place) -> Result<Self, CloudError> {
        let port = free_port().map_err(CloudError::NoPort)?;
        let log = std::env::temp_dir().join(format!("pipewarden-cloud-{port}.log"));
        let not_run = |source| CloudError::NotRun {
            program: place.python.clone(),
            source,
        };
        let output = std::fs::File::create(&log).map_err(not_run)?;
        let launcher = Command::new(&place.python)
            .arg(place.root.join("local/cloud/launcher.py"))
            .args(["--port", &port.to_string()])
            // Intervals between retries are for AWS, whose throttles pass in seconds; here nothing has to pass.
            .env("SFN_WAIT_SCALE", "0.02")
            .env("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "0.5")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            // A group of its own: it is ended as a whole, and Ctrl-C reaches us alone.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(not_run)?;
        let mut cloud = Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            launcher,
            log,
        };
        cloud.wait(port).await?;
        Ok(cloud)
    }

    async fn wait(&mut self, port: u16) -> Result<(), CloudError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(Some(status)) = self.launcher.try_wait() {
                return Err(CloudError::Ended {
                    status,
                    log: self.log(),
                });
            }
            if tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(CloudError::Silent { log: self.log() });
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The end of what the emulator wrote.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines
            .get(lines.len().saturating_sub(15)..)
            .unwrap_or_default()
            .join("\n")
    }

    /// Ends the emulator and everything that it started.
    pub async fn stop(mut self) {
        self.signal(Signal::TERM);
        if tokio::time::timeout(GRACE, self.launcher.wait())
            .await
            .is_err()
        {
            self.signal(Signal::KILL);
            // Reaped here, so that nothing is left when this returns; it was killed and cannot wait.
            let _ = self.launcher.wait().await;
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = self
            .launcher
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // A group that has ended by itself needs no signal.
            let _ = kill_process_group(pid, signal);
        }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        // The log is of use while the emulator runs.
        let _ = std::fs::remove_file(&self.log);
    }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

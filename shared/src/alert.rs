//! The alert: the message people get, one schema, versioned. It is what travels over SNS.

use crate::execution::Execution;
use crate::failure::{Confidence, ErrorType, Escalation, RootCause, Severity};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version of the schema below; a reader takes an alert of any version that has its fields.
pub const VERSION: u32 = 1;

/// Whether the problem is there or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is there.
    Firing,
    /// It is gone.
    Resolved,
}

impl Status {
    /// The name in JSON and message attributes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// What Pipewarden concludes of a failure: `error_details` of the error handler's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The part of the system that failed, in a word or two.
    pub error_category: String,
    /// How much it matters.
    pub severity: Severity,
    /// What happened, in a sentence.
    pub cause: String,
    /// The message of the failed part, masked and cut.
    pub error_message: String,
    /// Why it happened.
    pub root_cause: RootCauseFinding,
    /// What to do, in order.
    pub recommended_actions: Vec<String>,
    /// Where to look, in order.
    pub investigation_steps: Vec<String>,
    /// Who can act on it.
    pub escalate_to: Escalation,
    /// Validations that failed, each readable by a person.
    #[serde(default)]
    pub failed_validations: Vec<String>,
    /// The run's score, where there is one, in percent.
    #[serde(default)]
    pub data_quality_score: Option<f64>,
}

/// Why it happened, and how sure that is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RootCauseFinding {
    /// The cause by its name.
    pub code: RootCause,
    /// The cause in a sentence.
    pub summary: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether the same run may succeed if it is tried again.
    pub transient: bool,
    /// The words that it was concluded from.
    pub evidence: String,
    /// The entry of the knowledge base that tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<String>,
}

/// What was done about a run that died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryAction {
    /// It goes on where it died.
    Redriven,
    /// It was left as it is.
    NotRedriven,
}

/// What was done about a run that died, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// What was done.
    pub action: RecoveryAction,
    /// Why, in a sentence.
    pub reason: String,
    /// How often the run has been redriven, this time included.
    pub count: u32,
}

/// How long a run took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RunTime {
    /// From its start until it failed, in seconds.
    pub duration_seconds: f64,
    /// The median of those that succeeded last, in seconds, where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_seconds: Option<f64>,
}

/// `34 min, usually 12 min (2.8 times)`.
impl fmt::Display for RunTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.duration_seconds;
        formatter.write_str(&length(seconds))?;
        match self.usual_seconds {
            Some(usual) if usual > 0.0 => {
                let times = seconds / usual;
                write!(formatter, ", usually {} ({times:.1} times)", length(usual))
            }
            _ => Ok(()),
        }
    }
}

/// Seconds as a person says them.
fn length(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.0 => "–".to_owned(),
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds if seconds < 5_400.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.1} h", seconds / 3_600.0),
        seconds => format!("{:.1} days", seconds / 86_400.0),
    }
}

/// Pages that help.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The execution in the console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// The logs of the part that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<String>,
    /// The page of the part that failed: a Glue run, an Athena query, an EMR cluster, an ECS task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The pipeline's dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<String>,
    /// What to do about each alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Version of the schema.
    pub version: u32,
    /// The same for each delivery of this alert.
    pub id: String,
    /// The same for each alert about this problem.
    pub fingerprint: String,
    /// Whether the problem is there or gone.
    pub status: Status,
    /// The pipeline.
    pub pipeline: String,
    /// The environment.
    pub environment: String,
    /// The run.
    pub execution: Execution,
    /// The state that failed, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What failed.
    pub error_type: ErrorType,
    /// How much it matters.
    pub severity: Severity,
    /// What Pipewarden concludes.
    pub diagnosis: Diagnosis,
    /// Pages that help.
    #[serde(default)]
    pub links: Links,
    /// What was done about the run, where it died without a word of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// How long the run took, where its start is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunTime>,
    /// When it happened.
    pub occurred_at: jiff::Timestamp,
}

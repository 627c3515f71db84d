//! `explain`: the error handler's diagnosis of any text, without deploying anything.

use crate::CommandError;
use clap::{ArgGroup, Args};
use error_handler::advice::Names;
use error_handler::failure::{self, Failure, Source};
use error_handler::{diagnosis, knowledge};
use pipewarden_shared::alert::Diagnosis;
use pipewarden_shared::failure::{ErrorType, RootCause};
use pipewarden_shared::profile::Profile;
use std::io::Read;

/// Severities are the usual ones: which pipeline a text is of is not known.
const PROFILE: &str = "pipeline: unknown\nmetrics: { namespace: Pipewarden }\n";

/// Explain a failure.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pipewarden explain --text 'HIVE_CURSOR_ERROR: Please reduce your request rate'
  pipewarden explain events/error-handler/glue-job-failure.json
  aws logs tail /aws-glue/jobs/error --since 3h | pipewarden explain -
  pipewarden explain job.log --json | jq -r .root_cause.code

Exit codes: 0 explained, also where the cause is unknown; 1 a file that cannot be read; 2 wrong arguments or an empty input.")]
#[command(group(ArgGroup::new("what").required(true).args(["file", "text"])))]
pub(crate) struct Explain {
    /// A file with an event, a text, or a log whose entries may be JSON; `-` reads standard input.
    file: Option<String>,
    /// The text itself.
    #[arg(long, allow_hyphen_values = true)]
    text: Option<String>,
    /// Print `error_details` of the error handler's answer; `null` for an event that tells of no failure.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) fn run(&self) -> Result<String, CommandError> {
        let text = self.input()?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            let nothing = "there is nothing to explain: the input is empty".to_owned();
            return Err(CommandError::Unusable(Box::new(CommandError::Refused(
                nothing,
            ))));
        }
        let profile = Profile::parse(PROFILE).map_err(|source| CommandError::Profile {
            path: "the built-in profile".to_owned(),
            source,
        })?;
        let found = failure(text).map(|failure| explained(failure, &profile));
        match found {
            found if self.json => Ok(serde_json::to_string_pretty(&found)?),
            Some(found) => Ok(readable(&found)),
            None => Ok(
                "The event tells of no failure: the error handler would alert nobody.".to_owned(),
            ),
        }
    }

    fn input(&self) -> Result<String, CommandError> {
        let bytes = match (&self.text, self.file.as_deref()) {
            (Some(text), _) => return Ok(text.clone()),
            (None, Some("-") | None) => {
                let mut bytes = Vec::new();
                std::io::stdin()
                    .read_to_end(&mut bytes)
                    .map_err(unreadable("standard input"))?;
                bytes
            }
            (None, Some(path)) => std::fs::read(path).map_err(unreadable(path))?,
        };
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn unreadable(path: &str) -> impl FnOnce(std::io::Error) -> CommandError {
    let path = path.to_owned();
    move |source| CommandError::Unreadable { path, source }
}

/// JSON is read as an event, which may tell of no failure; anything else, a log whose entries are JSON, and an error
/// output of Step Functions alone are what something said when it failed.
fn failure(text: &str) -> Option<Failure> {
    if let Some(failure) = Failure::of_log(text).or_else(|| Failure::of_output(text)) {
        return Some(failure);
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(event) if !event.is_number() && !event.is_boolean() && !event.is_null() => {
            Failure::read(text)
        }
        _ => Some(Failure::of_text(text)),
    }
}

/// The diagnosis; of a text alone, the part that failed is the one that its cause is about.
fn explained(failure: Failure, profile: &Profile) -> Diagnosis {
    let diagnose = |failure: &Failure| diagnosis::of(failure, profile, &Names::default());
    let found = diagnose(&failure);
    if failure.source != Source::Text || failure.error_type != ErrorType::UnknownError {
        return found;
    }
    let known = found.root_cause.knowledge.as_deref();
    let service = known.and_then(knowledge::service_of);
    match service.or(failure.told.evidence.service) {
        Some(service) => diagnose(&Failure {
            error_type: failure::error_type_of(service),
            ..failure
        }),
        None if found.root_cause.code == RootCause::Unknown => Diagnosis {
            recommended_actions: advice_on_a_text(),
            investigation_steps: Vec::new(),
            ..found
        },
        None => found,
    }
}

/// What helps with a text that is not known: more of it.
fn advice_on_a_text() -> Vec<String> {
    [
        "Give more of the log: the exception with all its `Caused by:` lines, and the lines before the first ERROR.",
        "Give the whole event, where there is one, instead of a line of it: `pipewarden explain event.json`.",
        "Give the error's name where you have it, such as `States.Timeout` or `Glue.ThrottlingException`.",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn readable(found: &Diagnosis) -> String {
    let cause = &found.root_cause;
    let waiting = match (cause.transient, cause.code) {
        (true, _) => "yes, a retry may cure it",
        (false, RootCause::Unknown) => "not known",
        (false, _) => "no, a retry will not cure it",
    };
    let mut lines = vec![
        format!("{} {}", found.severity, found.cause),
        format!(
            "root cause: {} ({} confidence)",
            cause.code, cause.confidence
        ),
        cause.summary.clone(),
        format!("will waiting help? {waiting}"),
        format!("escalate to: {}", found.escalate_to),
    ];
    if let Some(entry) = &cause.knowledge {
        lines.push(format!("told by: {entry}"));
    }
    for (title, items) in [
        ("what to do:", &found.recommended_actions),
        ("where to look:", &found.investigation_steps),
    ] {
        if items.is_empty() {
            continue;
        }
        lines.push(title.to_owned());
        lines.extend(
            items
                .iter()
                .enumerate()
                .map(|(number, item)| format!("  {}. {item}", number + 1)),
        );
    }
    lines.join("\n")
}

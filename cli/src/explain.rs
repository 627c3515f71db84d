//! `explain`: the error handler's diagnosis of any text, without deploying anything.

use crate::CommandError;
use clap::Args;
use error_handler::advice::Names;
use error_handler::diagnosis;
use error_handler::failure::Failure;
use pipewarden_shared::alert::Diagnosis;
use pipewarden_shared::profile::Profile;
use std::io::Read;

/// Severities are the usual ones: which pipeline a text is of is not known.
const PROFILE: &str = "pipeline: unknown\nmetrics: { namespace: Pipewarden }\n";

/// Explain a failure.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A file with an event or a text; `-` reads standard input.
    #[arg(required_unless_present = "text")]
    file: Option<String>,
    /// The text itself.
    #[arg(long, conflicts_with = "file")]
    text: Option<String>,
    /// Print `error_details` of the error handler's answer.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) fn run(&self) -> Result<String, CommandError> {
        let text = match (&self.text, self.file.as_deref()) {
            (Some(text), _) => text.clone(),
            (None, Some("-") | None) => {
                let mut text = Vec::new();
                std::io::stdin()
                    .read_to_end(&mut text)
                    .map_err(unreadable("standard input"))?;
                String::from_utf8_lossy(&text).into_owned()
            }
            (None, Some(path)) => {
                let bytes = std::fs::read(path).map_err(unreadable(path))?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        let profile = Profile::parse(PROFILE).map_err(|source| CommandError::Profile {
            path: "the built-in profile".to_owned(),
            source,
        })?;
        let failure = match serde_json::from_str(&text) {
            Ok(serde_json::Value::Object(_)) => Failure::parse(&text),
            _ => Failure::of_text(&text),
        };
        let found = diagnosis::of(&failure, &profile, &Names::default());
        if self.json {
            return Ok(serde_json::to_string_pretty(&found)?);
        }
        Ok(readable(&found))
    }
}

fn unreadable(path: &str) -> impl FnOnce(std::io::Error) -> CommandError {
    let path = path.to_owned();
    move |source| CommandError::Unreadable { path, source }
}

fn readable(found: &Diagnosis) -> String {
    let cause = &found.root_cause;
    let mut lines = vec![
        format!("{} {}", found.severity, found.cause),
        format!(
            "root cause: {} ({} confidence)",
            cause.code, cause.confidence
        ),
        cause.summary.clone(),
    ];
    for (title, items) in [
        ("what to do:", &found.recommended_actions),
        ("where to look:", &found.investigation_steps),
    ] {
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

//! `plan`: the scans that a profile becomes, with the checks that each answers.

mod sql;

use crate::CommandError;
use crate::profile::read;
use clap::Args;
use pipeline_validator::scan::Scan;
use pipewarden_shared::profile::Profile;
use std::path::PathBuf;

/// Show what a profile compiles to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pipewarden plan pipelines/sf-user.yaml
  pipewarden plan pipelines/sf-user.yaml --database salesforce | less

Exit codes: 0 planned, 1 a profile that cannot be used, 2 wrong arguments.")]
pub(crate) struct Plan {
    /// The profile, a YAML file.
    profile: PathBuf,
    /// The Glue database of the tables.
    #[arg(long, default_value = "salesforce")]
    database: String,
}

impl Plan {
    pub(crate) fn run(&self) -> Result<String, CommandError> {
        let profile = read(&self.profile)?;
        let mut parts = Vec::new();
        for plan in planned(&profile, &self.database)? {
            let scans = plan.scans.len();
            for (index, scan) in plan.scans.iter().enumerate() {
                let title = format!("{}, scan {} of {scans}, answers", plan.dataset, index + 1);
                parts.push(format!("{}\n{}", comment("", &title), text_of(scan)));
            }
            if !plan.of_catalog.is_empty() {
                let names = listed(&plan.of_catalog);
                let title = comment("", &format!("{}, the catalog answers", plan.dataset));
                parts.push(format!("{title}\n{names}"));
            }
        }
        Ok(parts.join("\n\n"))
    }
}

fn listed(names: &[String]) -> String {
    let lines: Vec<String> = names.iter().map(|name| comment("  ", name)).collect();
    lines.join("\n")
}

/// A text as a comment of SQL; a name may have line breaks, and none of its lines may stand outside.
fn comment(indent: &str, text: &str) -> String {
    let text = text.replace(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n--     ");
    format!("-- {indent}{text}")
}

fn text_of(scan: &Scan) -> String {
    let mut text = format!("{}\n{};", listed(&scan.answers), scan.sql.text);
    if !scan.sql.parameters.is_empty() {
        let parameters = scan.sql.parameters.join(", ");
        text.push('\n');
        text.push_str(&comment("", &format!("with {parameters}")));
    }
    text
}

/// The plan of each dataset, whose SQL has been read. What the clock tells is as of now.
pub(crate) fn planned<'p>(
    profile: &'p Profile,
    database: &str,
) -> Result<Vec<pipeline_validator::Plan<'p>>, CommandError> {
    let plans = pipeline_validator::plan(profile, database, jiff::Timestamp::now());
    plans
        .and_then(|plans| sql::check(profile).map(|()| plans))
        .map_err(|(dataset, source)| CommandError::Rules { dataset, source })
}

/// A plan in a sentence.
pub(crate) fn sentence(plan: &pipeline_validator::Plan<'_>) -> String {
    let checks: std::collections::BTreeSet<&String> =
        plan.scans.iter().flat_map(|scan| &scan.answers).collect();
    let many = |number: usize, thing: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {thing}{plural}")
    };
    let mut text = format!(
        "{}: {} in {}",
        plan.dataset,
        many(checks.len(), "check"),
        many(plan.scans.len(), "scan")
    );
    if !plan.of_catalog.is_empty() {
        text.push_str(&format!(", {} from the catalog", plan.of_catalog.len()));
    }
    text
}

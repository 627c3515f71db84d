//! Turns the knowledge base into static data. A mistake in an entry is a build error that names file, line and id.

#![allow(unreachable_pub, reason = "two of the files are shared with the crate")]

#[path = "build/check.rs"]
mod check;
#[allow(dead_code, reason = "shared with the crate, which uses all of it")]
#[path = "../../shared/src/failure.rs"]
mod failure;
#[path = "build/generate.rs"]
mod generate;
#[path = "build/literal.rs"]
mod literal;
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "build/schema.rs"]
mod schema;
#[path = "build/sized.rs"]
mod sized;
#[path = "src/knowledge/vocabulary.rs"]
mod vocabulary;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where the entries are.
const KNOWLEDGE: &str = "knowledge";

fn main() -> ExitCode {
    for watched in [
        KNOWLEDGE,
        "build",
        "build.rs",
        "src/knowledge/vocabulary.rs",
        "../../shared/src/failure.rs",
    ] {
        println!("cargo::rerun-if-changed={watched}");
    }
    println!("cargo::rerun-if-env-changed={}", sized::SETTING);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={}", problem.replace('\n', " | "));
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Vec<String>> {
    let mut problems = Vec::new();
    let mut entries = Vec::new();
    for file in files().map_err(|problem| vec![problem])? {
        match std::fs::read_to_string(&file) {
            Ok(yaml) => entries.extend(check::file(&file, &yaml, &mut problems)),
            Err(error) => problems.push(format!("{}: cannot be read: {error}", file.display())),
        }
    }
    if let Ok(wanted) = std::env::var(sized::SETTING) {
        let wanted = wanted
            .parse()
            .map_err(|_| vec![format!("{} is no number: {wanted:?}", sized::SETTING)])?;
        entries = sized::sized(entries, wanted, &mut problems);
    }
    check::together(&entries, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| vec!["OUT_DIR is not set".to_owned()])?;
    generate::write(&entries, Path::new(&out))
        .map_err(|error| vec![format!("cannot write the generated data: {error}")])
}

/// The files of the knowledge base, in order, so that two builds give the same.
fn files() -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(KNOWLEDGE)
        .map_err(|error| format!("{KNOWLEDGE}: cannot be read: {error}"))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    Ok(files)
}

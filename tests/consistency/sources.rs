//! What the functions' sources read and call. Tests are not looked at.

use crate::template::root;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A source file, without its tests.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Its path below the project's folder.
    pub(crate) path: String,
    /// What is compiled into the function.
    pub(crate) text: String,
}

/// The sources of a crate.
pub(crate) fn of_crate(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if name == "tests" || name == "snapshots" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(source(&path));
            }
        }
    }
    found
}

fn source(path: &Path) -> Source {
    let text = std::fs::read_to_string(path).unwrap();
    // Tests stand at the end of a file.
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    Source {
        path: path.strip_prefix(root()).unwrap().display().to_string(),
        text: lines.collect::<Vec<_>>().join("\n"),
    }
}

/// The environment variables that a source reads by name, and how often it reads one that it does not name.
pub(crate) fn settings(source: &Source) -> (BTreeSet<String>, usize) {
    let readers = [
        "settings::optional(",
        "settings::required(",
        "settings::number(",
        "env::var(",
        "env::var_os(",
    ];
    let (mut named, mut unnamed) = (BTreeSet::new(), 0);
    for reader in readers {
        for after in source.text.split(reader).skip(1) {
            match after.trim_start().strip_prefix('"') {
                Some(name) => {
                    named.insert(name.split('"').next().unwrap().to_owned());
                }
                None => unnamed += 1,
            }
        }
    }
    (named, unnamed)
}

/// The SDK crates that a function depends on, such as `sns`.
pub(crate) fn sdk_crates(folder: &str) -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
    dependencies
        .lines()
        .filter_map(|line| line.strip_prefix("aws-sdk-"))
        .map(|line| line.split(['.', ' ', '=']).next().unwrap().to_owned())
        .collect()
}

/// The operations of SDK crates, such as `get_object`, from the sources that Cargo builds with.
pub(crate) fn operations(crates: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = std::process::Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap().strip_prefix("aws-sdk-");
        if let Some(name) = name.filter(|name| crates.contains(*name)) {
            let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
            let folder = manifest.parent().unwrap().join("src/operation");
            let names = std::fs::read_dir(&folder).unwrap().filter_map(|entry| {
                let path = entry.unwrap().path();
                let is_file = path.extension().is_some_and(|extension| extension == "rs");
                is_file.then(|| path.file_stem().unwrap().to_string_lossy().into_owned())
            });
            found.insert(name.to_owned(), names.collect());
        }
    }
    assert_eq!(found.len(), crates.len(), "{crates:?}");
    found
}

/// Whether a source calls an operation: as a method without arguments, which is how the SDK begins one.
pub(crate) fn calls(source: &Source, operation: &str) -> bool {
    let call = format!("{operation}()");
    source.text.match_indices(&call).any(|(at, _)| {
        let before = source.text[..at].trim_end();
        before.ends_with('.')
    })
}

/// The action of an operation: `sfn` and `get_execution_history` are `states:GetExecutionHistory`.
///
/// The prefix and, where it differs from the operation's name, the action are those of the service authorization
/// reference.
pub(crate) fn action(sdk_crate: &str, operation: &str) -> String {
    let prefix = match sdk_crate {
        "sfn" => "states",
        other => other,
    };
    let camel: String = operation
        .split('_')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect();
    let action = match (prefix, camel.as_str()) {
        ("s3", "HeadObject") => "GetObject",
        ("s3", "HeadBucket" | "ListObjectsV2" | "ListObjects") => "ListBucket",
        (_, camel) => camel,
    };
    format!("{prefix}:{action}")
}

//! Every variable that a function reads is set for it, and no other.

use super::fail_with;
use crate::permissions::{FUNCTIONS, Function};
use crate::sources;
use crate::template::{Template, file};
use pipewarden_shared::profile::{Alerts, Profile, alerting};
use std::collections::{BTreeMap, BTreeSet};

/// Variables that a function reads and the template leaves alone.
const NOT_SET: &[(&str, &str)] = &[
    (
        "AWS_REGION",
        "Lambda sets it, and refuses that anybody else does",
    ),
    ("LAMBDA_TASK_ROOT", "Lambda sets it"),
    ("AWS_LAMBDA_FUNCTION_NAME", "Lambda sets it"),
    ("AWS_ENDPOINT_URL", "for stand-ins of AWS only"),
    ("AWS_USE_FIPS_ENDPOINT", "for whoever needs it, by hand"),
    (
        "AWS_USE_DUALSTACK_ENDPOINT",
        "for whoever needs it, by hand",
    ),
    ("SSL_CERT_FILE", "for whoever needs it, by hand"),
    ("SSL_CERT_DIR", "for whoever needs it, by hand"),
];

/// The shared files that read variables, and how a function's source shows that it uses them.
const SHARED_READERS: &[(&str, &str)] = &[
    ("shared/src/lambda.rs", "lambda::start("),
    ("shared/src/aws.rs", "aws::sdk_config("),
    ("shared/src/profile/mod.rs", "Profile::from_settings("),
];

/// Reads of a variable whose name is not beside them: how many, and the names.
const UNNAMED_READS: &[(&str, usize, &[&str])] = &[
    (
        "shared/src/aws.rs",
        2,
        &[
            "AWS_USE_FIPS_ENDPOINT",
            "AWS_USE_DUALSTACK_ENDPOINT",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        ],
    ),
    // The names that a profile's receivers stand on: see `alerting_settings`.
    ("functions/alert-fanout/src/config.rs", 1, &[]),
];

/// The variables of the receivers that the profile and the usual configuration stand on.
fn alerting_settings() -> BTreeSet<String> {
    let profile = Profile::parse(&file("pipelines/sf-user.yaml")).unwrap();
    let mut names = alerting::settings(&profile.alerts);
    names.extend(alerting::settings(&Alerts::default()));
    names
}

/// The variables that a function reads.
fn read_by(function: &Function) -> BTreeSet<String> {
    let own = sources::of_crate(function.folder);
    let shared = sources::of_crate("shared");
    let uses = |shows: &str| own.iter().any(|source| source.text.contains(shows));
    let used = shared.iter().filter(|source| {
        let reader = SHARED_READERS.iter().find(|(path, _)| *path == source.path);
        reader.is_some_and(|(_, shows)| uses(shows))
    });
    let mut names = BTreeSet::new();
    for source in own.iter().chain(used) {
        names.extend(sources::settings(source).0);
        let unnamed = UNNAMED_READS.iter().find(|(path, ..)| *path == source.path);
        names.extend(
            unnamed
                .into_iter()
                .flat_map(|(.., names)| *names)
                .map(|name| (*name).to_owned()),
        );
        if source.text.contains("alerting::settings(") {
            names.extend(alerting_settings());
        }
    }
    names
}

#[test]
fn no_read_of_a_variable_is_overlooked() {
    let mut folders: Vec<&str> = FUNCTIONS.iter().map(|function| function.folder).collect();
    folders.push("shared");
    let mut unnamed = BTreeMap::new();
    for source in folders.into_iter().flat_map(sources::of_crate) {
        let (named, count) = sources::settings(&source);
        // The reader itself.
        if source.path == "shared/src/settings.rs" {
            continue;
        }
        if count > 0 {
            unnamed.insert(source.path.clone(), count);
        }
        let is_shared = source.path.starts_with("shared/");
        assert!(
            !is_shared
                || named.is_empty()
                || SHARED_READERS.iter().any(|(path, _)| *path == source.path),
            "{} reads {named:?}: who uses it?",
            source.path
        );
    }
    let known = UNNAMED_READS
        .iter()
        .map(|(path, count, _)| ((*path).to_owned(), *count));
    assert_eq!(unnamed, known.collect());
}

#[test]
fn every_variable_that_a_function_reads_is_set_and_no_other() {
    let template = Template::read();
    let globals = template.0["Globals"]["Function"]["Environment"]["Variables"]
        .as_object()
        .unwrap();
    let left_alone: BTreeSet<&str> = NOT_SET.iter().map(|(name, _)| *name).collect();
    let (mut problems, mut missing) = (Vec::new(), BTreeSet::new());
    for function in FUNCTIONS {
        let own = template.properties(function.name)["Environment"]["Variables"].as_object();
        let set: BTreeSet<String> = globals
            .keys()
            .chain(own.into_iter().flatten().map(|(name, _)| name))
            .cloned()
            .collect();
        let read = read_by(function);
        for name in set.difference(&read) {
            problems.push(format!("{}: {name} is set and not read", function.name));
        }
        for name in read.difference(&set) {
            if left_alone.contains(name.as_str()) {
                missing.insert(name.clone());
            } else {
                problems.push(format!("{}: {name} is read and not set", function.name));
            }
        }
    }
    for name in left_alone.iter().filter(|name| !missing.contains(**name)) {
        problems.push(format!("NOT_SET names {name}, which is set or not read"));
    }
    fail_with(&problems);
}

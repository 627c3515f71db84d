//! The causes that the demo shows: one of each kind, each told for what it is.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in the functions that they share"
)]

use pipewarden_local::told_causes::{TOLD_CAUSES, diagnosed, shown};
use pipewarden_shared::failure::RootCause;
use pipewarden_shared::profile::Profile;
use std::collections::BTreeSet;

fn profile() -> Profile {
    Profile::parse(include_str!("../../pipelines/sf-user.yaml")).unwrap()
}

#[test]
fn each_is_told_for_what_it_is() {
    let profile = profile();
    let wrong: Vec<String> = TOLD_CAUSES
        .iter()
        .map(|told| (told, diagnosed(told, &profile).root_cause))
        .filter(|(told, found)| found.code != told.code)
        .map(|(told, found)| format!("{} is told as {found:?}: {}", told.code, told.cause))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_is_one_of_nearly_every_kind() {
    let kinds: BTreeSet<&str> = TOLD_CAUSES.iter().map(|told| told.code.as_str()).collect();
    assert_eq!(kinds.len(), TOLD_CAUSES.len(), "none is there twice");
    for kind in [
        RootCause::Permission,
        RootCause::Throttling,
        RootCause::OutOfMemory,
        RootCause::Timeout,
        RootCause::Connectivity,
        RootCause::SchemaMismatch,
        RootCause::Unknown,
    ] {
        assert!(kinds.contains(kind.as_str()), "{kind}");
    }
}

#[test]
fn a_reader_sees_what_to_do_about_each() {
    let table = shown(&profile());
    for told in TOLD_CAUSES {
        assert!(table.contains(told.code.as_str()), "{}", told.code);
    }
    assert!(!table.contains(", not "), "{table}");
}

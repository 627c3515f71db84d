//! The documents name what is there: links, make targets, alarms, causes, rule types, and an example that can be used.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot be set up has failed"
)]

use pipeline_validator::dqdl::RuleType;
use pipewarden_local::place::Place;
use pipewarden_shared::failure::{ErrorType, RootCause};
use pipewarden_shared::profile::Profile;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Place::find().unwrap_or_else(|error| panic!("{error}")).root
}

fn text(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// README.md and everything in docs/.
fn documents() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    let mut documents: Vec<PathBuf> = docs
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    documents.push(root().join("README.md"));
    documents.sort();
    documents
}

/// The lines outside of fenced blocks.
fn prose(markdown: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push(line);
        }
    }
    lines
}

/// The fenced blocks of a language.
fn blocks(markdown: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let blocks = markdown.split(&opening).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let headings = prose(markdown)
        .into_iter()
        .filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

/// The targets of links that are no web addresses.
fn links(markdown: &str) -> Vec<String> {
    let lines = prose(markdown).join("\n");
    let links = lines
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    links
        .filter(|link| !link.starts_with("http"))
        .map(str::to_owned)
        .collect()
}

/// The word behind each `make` that stands at the beginning of a command.
fn make_targets(markdown: &str) -> BTreeSet<String> {
    let commands = ["`make ", "$ make "];
    let named = commands
        .iter()
        .flat_map(|command| markdown.split(command).skip(1));
    named
        .map(|rest| {
            rest.chars()
                .take_while(|letter| letter.is_ascii_lowercase() || *letter == '-')
                .collect()
        })
        .filter(|target: &String| !target.is_empty())
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut followed = 0;
    for document in documents() {
        let markdown = text(&document);
        for link in links(&markdown) {
            followed += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            let leads =
                target.exists() && (anchor.is_empty() || anchors(&text(&target)).contains(anchor));
            if !leads {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(followed > 20, "only {followed} links were found");
}

#[test]
fn every_make_target_is_there() {
    let makefile = text(root().join("Makefile"));
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.split_once(':').map(|(target, _)| target))
        .collect();
    for document in documents() {
        for target in make_targets(&text(&document)) {
            assert!(
                targets.contains(target.as_str()),
                "{}: make {target}",
                document.display()
            );
        }
    }
}

#[test]
fn the_runbook_has_a_section_for_each_failure() {
    let runbook = anchors(&text(root().join("docs/runbook.md")));
    let types = ErrorType::ALL.iter().map(|error_type| error_type.as_str());
    let causes = RootCause::ALL.iter().map(|cause| cause.as_str());
    let missing: Vec<&str> = types
        .chain(causes)
        .filter(|name| !runbook.contains(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_runbook_has_a_section_for_each_alarm() {
    let runbook = text(root().join("docs/runbook.md"));
    let anchors = anchors(&runbook);
    let template = text(root().join("template.yaml"));
    let kinds = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"];
    let lines: Vec<&str> = template.lines().collect();
    let alarms: Vec<&str> = lines
        .windows(2)
        .filter(|pair| {
            kinds
                .iter()
                .any(|kind| pair[1].trim() == format!("Type: {kind}"))
        })
        .map(|pair| pair[0].trim().trim_end_matches(':'))
        .collect();
    for alarm in &alarms {
        assert!(
            runbook.contains(&format!("**{alarm}**")),
            "{alarm} is not in the runbook"
        );
    }
    let links = template.split("RunbookUrl}#").skip(1);
    let linked: BTreeSet<String> = links
        .map(|rest| {
            rest.chars()
                .take_while(|letter| letter.is_ascii_lowercase() || *letter == '-')
                .collect()
        })
        .collect();
    for anchor in &linked {
        assert!(anchors.contains(anchor), "an alarm links to #{anchor}");
    }
    assert_eq!(
        linked.len(),
        alarms.len(),
        "each alarm has a section of its own"
    );
}

#[test]
fn every_rule_type_is_explained() {
    let rules = text(root().join("docs/rules.md"));
    let missing: Vec<&str> = RuleType::ALL
        .iter()
        .map(|rule_type| rule_type.name())
        .filter(|name| {
            let first = format!("`{name}");
            !rules
                .lines()
                .any(|line| line.starts_with('|') && line.contains(&first))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_example_profile_can_be_used() {
    let page = text(root().join("docs/your-own-pipeline.md"));
    let profile = Profile::parse(&blocks(&page, "yaml")[0]).unwrap();
    let rules = pipeline_validator::rules_of(&profile).unwrap();
    assert!(
        rules
            .values()
            .map(pipeline_validator::rules::Rules::len)
            .sum::<usize>()
            > 3
    );
}

#[test]
fn the_example_states_fit_each_other() {
    let page = text(root().join("docs/your-own-pipeline.md"));
    let mut states = serde_json::Map::new();
    for block in blocks(&page, "json") {
        let part: Value =
            serde_json::from_str(&block).unwrap_or_else(|error| panic!("{error}: {block}"));
        states.extend(part.as_object().unwrap().clone());
    }
    let mut ahead: BTreeSet<&str> = BTreeSet::new();
    let mut pending: Vec<&Value> = states.values().collect();
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(fields) => {
                for name in ["Next", "Default"] {
                    ahead.extend(fields.get(name).and_then(Value::as_str));
                }
                pending.extend(fields.values());
            }
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
    for state in ahead {
        assert!(states.contains_key(state), "no state {state}");
    }
    let text = Value::Object(states).to_string();
    let raised = pipeline_validator::ERRORS
        .iter()
        .chain(error_handler::ERRORS);
    for name in [
        "AthenaThrottled",
        "AthenaUnavailable",
        "ResultsUnavailable",
        "AlertNotSent",
    ] {
        assert!(
            text.contains(name) && raised.clone().any(|error| *error == name),
            "{name}"
        );
    }
    for error_type in text
        .split("\"error_type\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        let known = error_type.starts_with("{%") || error_type.parse::<ErrorType>().is_ok();
        assert!(known, "{error_type}");
    }
}

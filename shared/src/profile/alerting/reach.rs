//! Which routes no alert can ever take. It names only what is sure: a pattern on a free name may be anything.

use super::findings::Findings;
use super::label::Label;
use super::matcher::Matcher;
use super::route::Route;

/// Finds the routes that no alert can take. Where not all matchers could be read, a route may seem to take more than it
/// does, so that routes are not held against each other.
pub(super) fn check(root: &Route, all_read: bool, findings: &mut Findings) {
    below(root, &[], all_read, findings);
}

fn below(route: &Route, above: &[&Matcher], all_read: bool, findings: &mut Findings) {
    let here: Vec<&Matcher> = above.iter().copied().chain(&route.matchers).collect();
    for (index, child) in route.routes.iter().enumerate() {
        let all: Vec<&Matcher> = here.iter().copied().chain(&child.matchers).collect();
        if let Some(label) = Label::ALL
            .into_iter()
            .find(|label| is_contradiction(*label, &all))
        {
            findings.problem(&child.place, contradiction(label, &all));
            continue;
        }
        let mut earlier = route.routes.iter().take(if all_read { index } else { 0 });
        if let Some(sibling) =
            earlier.find(|sibling| !sibling.continues && covers(&sibling.matchers, &all))
        {
            let place = format!("alerts.{}", sibling.place);
            findings.problem(
                &child.place,
                format_args!(
                    "can never match: {place} takes all of it before; write continue: true there, or put it after this one"
                ),
            );
            continue;
        }
        below(child, &here, all_read, findings);
    }
}

/// The values a label can have under these matchers, where they can be listed.
fn values<'a>(label: Label, matchers: &[&'a Matcher]) -> Option<Vec<&'a str>> {
    let mut own = matchers.iter().filter(|matcher| matcher.label() == label);
    let possible: Vec<&str> = match (
        label.values(),
        own.clone().find_map(|matcher| matcher.only()),
    ) {
        (Some(known), _) => known,
        (None, Some(named)) => named.iter().map(String::as_str).collect(),
        (None, None) => return None,
    };
    let taken = possible
        .into_iter()
        .filter(|value| own.clone().all(|matcher| matcher.takes(value)));
    let taken = taken.collect();
    own.next().map(|_| taken)
}

fn is_contradiction(label: Label, matchers: &[&Matcher]) -> bool {
    values(label, matchers).is_some_and(|values| values.is_empty())
}

fn contradiction(label: Label, matchers: &[&Matcher]) -> String {
    let own = matchers.iter().filter(|matcher| matcher.label() == label);
    let own: Vec<String> = own.map(ToString::to_string).collect();
    let matchers = own.join(" and ");
    match label.values() {
        Some(known) => {
            let known: Vec<&str> = known
                .into_iter()
                .filter(|value| !value.is_empty())
                .collect();
            format!(
                "can never match: {matchers}; {label} is one of {}",
                known.join(", ")
            )
        }
        None => format!("can never match: {matchers}"),
    }
}

/// Whether the matchers of one route take everything that the others take.
fn covers(matchers: &[Matcher], others: &[&Matcher]) -> bool {
    matchers
        .iter()
        .all(|matcher| match values(matcher.label(), others) {
            Some(values) => values.iter().all(|value| matcher.takes(value)),
            None => others.contains(&matcher),
        })
}

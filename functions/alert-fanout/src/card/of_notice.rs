//! The card of a notice.

use super::{Button, Card, RootCause};
use crate::inbound::Notice;
use crate::inbound::alarm::Alarm;
use crate::inbound::alert::{Alert, Cause};
use crate::inbound::event::Event;
use crate::inbound::text::Text;
use pipewarden_shared::alert::{RunTime, Status};
use pipewarden_shared::failure::{Confidence, RootCause as Code};

/// The longest address that is linked; one that is cut leads elsewhere (Slack Block Kit reference, button).
const LONGEST_ADDRESS: usize = 3_000;

/// The most pages that are linked.
const MOST_BUTTONS: usize = 5;

/// What a message about a notice shows.
pub fn of(notice: &Notice) -> Card {
    let mut card = match notice {
        Notice::Alert(alert) => of_alert(alert),
        Notice::Alarm(alarm) => of_alarm(alarm),
        Notice::Event(event) => of_event(event),
        Notice::Text(text) => of_text(text),
    };
    card.status = notice.status();
    if card.status == Status::Resolved {
        card.resolved()
    } else {
        card
    }
}

/// Only pages that are reached safely, and whose address holds nothing but the address.
fn buttons(links: &[(String, String)]) -> Vec<Button> {
    links
        .iter()
        .filter(|(_, url)| is_linked(url))
        .map(|(label, url)| Button {
            label: label.clone(),
            url: url.clone(),
        })
        .take(MOST_BUTTONS)
        .collect()
}

/// Whether an address is linked: https, a host, nothing that breaks out of a link in any channel's markup.
pub(crate) fn is_linked(url: &str) -> bool {
    let host = url.strip_prefix("https://").unwrap_or_default();
    let odd = |character: char| {
        character.is_control()
            || character.is_whitespace()
            || matches!(character, '<' | '>' | '|' | '"' | '\\' | '`')
    };
    let authority = host.split(['/', '?', '#']).next().unwrap_or_default();
    !authority.is_empty()
        // A name before the host makes a link look as if it led there.
        && !authority.contains('@')
        && !url.contains(odd)
        && url.encode_utf16().count() <= LONGEST_ADDRESS
}

fn of_alert(alert: &Alert) -> Card {
    let name = alert.error_type.replace('_', " ");
    let pipeline = alert.pipeline.as_deref().unwrap_or("a pipeline");
    let summary = [&alert.cause, &alert.error_message]
        .into_iter()
        .find_map(Clone::clone)
        .or_else(|| alert.root_cause.as_ref()?.summary.clone())
        .unwrap_or_else(|| format!("{name} in {pipeline}"));
    let mut card = Card::new(alert.severity, format!("{pipeline}: {name}"), summary);
    card.pipeline.clone_from(&alert.pipeline);
    card.environment.clone_from(&alert.environment);
    card.state.clone_from(&alert.state);
    card.error_type = Some(alert.error_type.clone());
    card.root_cause = alert.root_cause.as_ref().map(root_cause);
    card.facts = facts_of_alert(alert);
    card.failed_validations
        .clone_from(&alert.failed_validations);
    card.actions.clone_from(&alert.actions);
    card.steps.clone_from(&alert.steps);
    card.evidence = evidence(alert, &card.summary);
    card.buttons = buttons(&alert.links);
    card.occurred_at = alert.occurred_at;
    card.recovery.clone_from(&alert.recovery);
    card.origin = alert.execution.iter().cloned().collect();
    card.origin.push(format!("alert {}", alert.id));
    card.resources = alert.execution_arn.iter().cloned().collect();
    card
}

fn facts_of_alert(alert: &Alert) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut say = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    say("Severity", alert.severity_word.clone());
    say(
        "For",
        alert
            .escalate_to
            .as_deref()
            .map(|team| team.replace('_', " ")),
    );
    say("Run time", alert.run.map(|run| run.to_string()));
    say(
        "Data quality",
        alert
            .data_quality_score
            .map(|score| format!("{score:.1} %")),
    );
    let known = alert.root_cause.as_ref();
    say(
        "Known failure",
        known.and_then(|cause| cause.knowledge.clone()),
    );
    say("Schema version", alert.other_version.clone());
    facts.extend(alert.others.iter().cloned());
    facts
}

/// The words that tell more than the first line does.
fn evidence(alert: &Alert, summary: &str) -> Option<String> {
    let cause = alert.root_cause.as_ref();
    [
        cause.and_then(|cause| cause.evidence.as_deref()),
        alert.error_message.as_deref(),
    ]
    .into_iter()
    .flatten()
    .find(|text| !summary.contains(text.trim()))
    .map(str::to_owned)
}

fn root_cause(cause: &Cause) -> RootCause {
    let known = cause.code.parse::<Code>();
    let sure = cause.confidence.as_deref() != Some(Confidence::Low.as_str());
    RootCause {
        code: cause.code.clone(),
        summary: cause.summary.clone(),
        confidence: cause.confidence.clone(),
        retry: match (cause.transient, known) {
            (None, _) | (Some(false), Ok(Code::Unknown)) => None,
            (Some(true), _) => Some("a retry may cure it"),
            (Some(false), _) if sure => Some("a retry will not cure it"),
            (Some(false), _) => None,
        },
    }
}

fn of_alarm(alarm: &Alarm) -> Card {
    let happened = match alarm.state.as_str() {
        "ALARM" => "went off",
        "OK" => "is OK again",
        "INSUFFICIENT_DATA" => "has too little data",
        other => other,
    };
    let summary = alarm
        .description
        .clone()
        .or_else(|| alarm.reason.clone())
        .unwrap_or_else(|| format!("{} {happened}", alarm.name));
    let title = format!("Alarm {} {happened}", alarm.name);
    let mut card = Card::new(alarm.severity(), title, summary);
    card.environment = alarm.environment().map(str::to_owned);
    let mut say = |name: &str, value: Option<String>| {
        card.facts
            .extend(value.map(|value| (name.to_owned(), value)));
    };
    say(
        "State",
        Some(match &alarm.previous {
            Some(previous) => format!("{previous} → {}", alarm.state),
            None => alarm.state.clone(),
        }),
    );
    say("Condition", alarm.condition.clone());
    say("Metric", joined(&alarm.metrics));
    say("Expression", alarm.expression.clone());
    for (name, value) in &alarm.dimensions {
        say(name, Some(value.clone()));
    }
    say("Rule", alarm.rule.clone());
    say("Caused by", joined(&alarm.children));
    say("Account", alarm.account.clone());
    card.body = alarm
        .reason
        .clone()
        .filter(|reason| *reason != card.summary);
    let links = [("Alarm", alarm.page()), ("Runbook", alarm.runbook())];
    let links: Vec<(String, String)> = links
        .into_iter()
        .filter_map(|(label, url)| Some((label.to_owned(), url?)))
        .collect();
    card.buttons = buttons(&links);
    card.occurred_at = alarm.changed_at;
    card.origin = vec![format!("CloudWatch alarm {}", alarm.name)];
    card.resources = alarm.arn.iter().cloned().collect();
    card
}

fn joined(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn of_event(event: &Event) -> Card {
    let told = &event.told;
    let mut card = Card::new(told.severity, told.title.clone(), told.summary.clone());
    card.pipeline.clone_from(&told.pipeline);
    card.error_type = told.error_type.map(str::to_owned);
    // What the first line says is not said again.
    let facts = told
        .facts
        .iter()
        .filter(|(_, value)| *value != told.summary);
    card.facts = facts.cloned().collect();
    let run_time = told.duration.map(|duration_seconds| {
        let run = RunTime {
            duration_seconds,
            usual_seconds: None,
        };
        run.to_string()
    });
    for (name, value) in [
        ("Run time", run_time),
        ("Account", event.account.clone()),
        ("Region", event.region.clone()),
    ] {
        if !card.facts.iter().any(|(known, _)| known == name) {
            card.facts
                .extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    card.buttons = buttons(&told.links);
    card.occurred_at = event.time;
    card.origin = vec![
        format!("{} from {}", event.detail_type, event.source),
        format!("event {}", event.id),
    ];
    card.resources.clone_from(&event.resources);
    card
}

/// `ACTUAL amount $812.43, alert threshold > $800.00, budgeted amount $1,000.00`.
fn spent(facts: &[(String, String)]) -> Option<String> {
    let fact = |wanted: &str| {
        facts
            .iter()
            .find(|(name, _)| name.ends_with(wanted))
            .map(|(name, value)| {
                format!("{} {value}", name.replace(" A", " a").replace(" T", " t"))
            })
    };
    let is_amount =
        |(name, _): &&(String, String)| name.ends_with("Amount") && !name.starts_with("Budgeted");
    let (name, amount) = facts.iter().find(is_amount)?;
    let parts = [
        Some(format!("{} {amount}", name.replace(" A", " a"))),
        fact("Alert Threshold"),
        fact("Budgeted Amount"),
    ];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn of_text(text: &Text) -> Card {
    let subject = text.subject();
    let first_line = text.message.lines().find(|line| !line.trim().is_empty());
    let first_line = first_line.unwrap_or("(an empty message)").trim();
    let budget = text.facts.iter().find(|(name, _)| name == "Budget Name");
    let title = match budget {
        Some((_, name)) => format!("AWS budget {name}"),
        None if subject.trim().is_empty() => "A message".to_owned(),
        None => subject,
    };
    let summary = spent(&text.facts).unwrap_or_else(|| first_line.to_owned());
    let mut card = Card::new(text.severity(), title, summary);
    let more = text.message.trim() != first_line;
    card.body = (more && budget.is_none()).then(|| text.message.clone());
    card.facts.clone_from(&text.facts);
    if budget.is_some() {
        let page = "https://console.aws.amazon.com/billing/home#/budgets";
        card.buttons = buttons(&[("Budgets".to_owned(), page.to_owned())]);
    }
    card.origin = text
        .envelope
        .message_id
        .iter()
        .map(|id| format!("message {id}"))
        .collect();
    card
}

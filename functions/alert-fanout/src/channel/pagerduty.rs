//! A card as an event of PagerDuty's Events API v2. All of its texts are plain.

use super::wording::{self, Detail, clean, cut, fitting, one_line};
use super::{Act, Context};
use crate::card::Card;
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use serde_json::{Map, Value, json};

/// The longest summary (Events API v2 reference).
const SUMMARY: usize = 1_024;

/// The longest key by which events are the same incident (Events API v2 reference).
const DEDUP_KEY: usize = 255;

/// The longest source, component, group, class and label.
const NAME: usize = 255;

/// The most bytes of an event: PagerDuty takes 512 KB.
pub(super) const EVENT: usize = 500_000;

/// The event, without the `routing_key`.
pub(super) fn event(card: &Card, act: &Act, context: &Context<'_>) -> Value {
    let resolve = matches!(act, Act::Resolve(_))
        || card.status == Status::Resolved
        || context.status == Status::Resolved;
    let key = dedup_key(context.fingerprint);
    if resolve {
        return json!({"event_action": "resolve", "dedup_key": key});
    }
    fitting(EVENT, size, |detail| {
        let mut event = json!({
            "event_action": "trigger",
            "dedup_key": key,
            "client": "Pipewarden",
            "payload": payload(card, detail, context),
            "links": links(card, detail),
        });
        let page = wording::pages(card, detail).next();
        if let (Some(page), Some(fields)) = (page, event.as_object_mut()) {
            fields.insert("client_url".to_owned(), json!(page.url));
        }
        event
    })
}

fn size(event: &Value) -> usize {
    event.to_string().len()
}

fn dedup_key(fingerprint: &str) -> String {
    if fingerprint.is_empty() || wording::width(fingerprint) > DEDUP_KEY {
        crate::inbound::digest(&["dedup_key", fingerprint])
    } else {
        fingerprint.to_owned()
    }
}

fn payload(card: &Card, detail: &Detail, context: &Context<'_>) -> Value {
    let summary = format!("{}: {}", wording::headline(card), one_line(&card.summary));
    let source = match (&card.pipeline, &card.environment) {
        (Some(pipeline), Some(environment)) => format!("{pipeline} ({environment})"),
        (Some(name), None) | (None, Some(name)) => name.clone(),
        (None, None) => "pipewarden".to_owned(),
    };
    let mut payload = json!({
        "summary": cut(&summary, SUMMARY),
        "source": name(&source),
        "severity": match card.severity {
            Severity::Critical => "critical",
            Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low => "info",
        },
        "timestamp": card.occurred_at.unwrap_or(context.now).to_string(),
        "custom_details": details(card, detail, context),
    });
    let cause = card.root_cause.as_ref().map(|cause| cause.code.clone());
    for (field, value) in [
        ("component", card.state.clone()),
        ("group", card.pipeline.clone()),
        ("class", cause.or_else(|| card.error_type.clone())),
    ] {
        if let (Some(value), Some(fields)) = (value, payload.as_object_mut()) {
            fields.insert(field.to_owned(), json!(name(&value)));
        }
    }
    payload
}

fn name(text: &str) -> String {
    cut(&one_line(text), NAME)
}

/// What an incident shows below its summary, in the order in which it is read.
fn details(card: &Card, detail: &Detail, context: &Context<'_>) -> Value {
    let mut details = Map::new();
    let mut say = |name: &str, value: Value| {
        details.entry(name).or_insert(value);
    };
    say(
        "what happened",
        json!(cut(&one_line(&card.summary), detail.line)),
    );
    if let Some(cause) = &card.root_cause {
        say("root cause", json!(name(&cause.code)));
        say("sure", json!(cut(&wording::sureness(cause), detail.item)));
        if let Some(summary) = &cause.summary {
            say("why", json!(cut(&one_line(summary), detail.line)));
        }
    }
    for (title, items) in wording::lists(card) {
        if !items.is_empty() {
            say(&title.to_lowercase(), json!(list(items, detail)));
        }
    }
    let all = wording::facts(card);
    for (fact, value) in all.iter().take(2 * detail.facts) {
        // Its own name: a fact that is called as one of the above does not take its place.
        say(&name(fact), json!(cut(&one_line(value), detail.item)));
    }
    if let Some(evidence) = &card.evidence {
        say(
            "evidence",
            json!(cut(clean(evidence).trim(), 2 * detail.item)),
        );
    }
    if let Some(body) = &card.body {
        say("text", json!(cut(clean(body).trim(), detail.body)));
    }
    if !card.items.is_empty() {
        let items = card.items.iter();
        let items: Vec<String> = items
            .map(|item| format!("{}{}: {}", item.title, wording::times(item), item.summary))
            .collect();
        say("problems", json!(list(&items, detail)));
    }
    let history = wording::history(card);
    if !history.is_empty() {
        say("history", json!(list(&history, detail)));
    }
    say("origin", json!(list(&card.origin, detail)));
    say("id", json!(name(context.id)));
    Value::Object(details)
}

fn list(items: &[String], detail: &Detail) -> Vec<String> {
    let limit = 5 * detail.items;
    let shown = items.iter().take(limit);
    shown
        .map(|item| cut(&one_line(item), detail.item))
        .chain(wording::more(items.len(), limit))
        .collect()
}

fn links(card: &Card, detail: &Detail) -> Vec<Value> {
    wording::pages(card, detail)
        .map(|button| json!({"href": button.url, "text": name(&button.label)}))
        .collect()
}

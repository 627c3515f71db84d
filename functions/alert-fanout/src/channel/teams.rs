//! A card as a message with an Adaptive Card, as the webhook of a Microsoft Teams workflow takes it.
//!
//! Whatever comes from outside stands in text runs of a `RichTextBlock`, which have no Markdown (Adaptive Cards
//! documentation, "Text features"). A mention needs an entity of the card, and there is none.

use super::wording::{self, Detail, clean, cut, fitting, one_line, width};
use crate::card::{Card, Summary, is_linked};
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use serde_json::{Value, json};

/// The most bytes of a message: Teams takes 28 KB, of which its own wrapping needs some.
pub(super) const MESSAGE: usize = 25_000;

/// The most lines of a text.
const LINES: usize = 60;

/// The longest title.
const TITLE: usize = 200;

/// The longest label.
const LABEL: usize = 60;

/// The most buttons that Teams shows (Microsoft Teams documentation, "Adaptive Cards", actions).
const ACTIONS: usize = 6;

/// The message.
pub(super) fn message(card: &Card) -> Value {
    fitting(MESSAGE, size, |detail| {
        let title = title(card);
        let summary = one_line(&card.summary);
        json!({
            "type": "message",
            "summary": cut(&format!("{title}: {summary}"), detail.line),
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.5",
                    "fallbackText": cut(&format!("{title}: {summary}"), detail.line),
                    "msteams": {"width": "Full"},
                    "body": body(card, detail),
                    "actions": actions(card, detail),
                },
            }],
        })
    })
}

fn size(message: &Value) -> usize {
    message.to_string().len()
}

fn title(card: &Card) -> String {
    let headline = format!(
        "{} {}",
        wording::sign(card.status, card.severity),
        wording::headline(card)
    );
    cut(&headline, TITLE)
}

fn body(card: &Card, detail: &Detail) -> Vec<Value> {
    let summary = cut(
        &one_line(&card.summary),
        detail.line.min(wording::FIRST_LINE),
    );
    let mut body = vec![json!({
        "type": "Container",
        "style": style(card),
        "bleed": true,
        "items": [
            rich(vec![json!({
                "type": "TextRun", "text": title(card), "size": "Large", "weight": "Bolder",
            })]),
            rich(vec![json!({"type": "TextRun", "text": summary, "weight": "Bolder"})]),
        ],
    })];
    for line in wording::history(card) {
        body.push(rich(vec![run(&cut(&line, detail.item))]));
    }
    body.extend(facts(card, detail));
    body.extend(cause(card, detail));
    body.extend(text(card, detail));
    body.extend(
        card.items
            .iter()
            .take(2 * detail.items)
            .map(|of| item(of, detail)),
    );
    body.extend(wording::more(card.items.len(), 2 * detail.items).map(|more| subtle(&more)));
    for (title, items) in wording::lists(card) {
        body.extend(list(title, items, detail));
    }
    body.extend(evidence(card, detail));
    body.extend(footer(card, detail));
    body
}

fn rich(inlines: Vec<Value>) -> Value {
    json!({"type": "RichTextBlock", "inlines": inlines})
}

fn run(text: &str) -> Value {
    json!({"type": "TextRun", "text": text})
}

fn subtle(text: &str) -> Value {
    rich(vec![
        json!({"type": "TextRun", "text": text, "isSubtle": true, "size": "Small"}),
    ])
}

fn heading(text: &str) -> Value {
    json!({
        "type": "RichTextBlock",
        "spacing": "Medium",
        "inlines": [{"type": "TextRun", "text": text, "weight": "Bolder"}],
    })
}

fn facts(card: &Card, detail: &Detail) -> Vec<Value> {
    let all = wording::facts(card);
    let mut rows: Vec<Value> = all
        .iter()
        .take(detail.facts)
        .map(|(name, value)| {
            let name = json!({
                "type": "TextRun", "text": cut(&one_line(name), LABEL), "isSubtle": true,
            });
            let value = run(&cut(&one_line(value), detail.item));
            json!({
                "type": "ColumnSet",
                "spacing": "Small",
                "columns": [
                    {"type": "Column", "width": "120px", "items": [rich(vec![name])]},
                    {"type": "Column", "width": "stretch", "items": [rich(vec![value])]},
                ],
            })
        })
        .collect();
    rows.extend(wording::more(all.len(), detail.facts).map(|more| subtle(&more)));
    rows
}

fn cause(card: &Card, detail: &Detail) -> Vec<Value> {
    let Some(cause) = &card.root_cause else {
        return Vec::new();
    };
    let code = cut(&one_line(&cause.code), LABEL);
    let mut inlines = vec![json!({"type": "TextRun", "text": code, "fontType": "Monospace"})];
    let sureness = wording::sureness(cause);
    if !sureness.is_empty() {
        let sureness = cut(&format!("  {sureness}"), detail.item);
        inlines.push(json!({"type": "TextRun", "text": sureness, "isSubtle": true}));
    }
    let mut blocks = vec![heading("Root cause"), rich(inlines)];
    if let Some(summary) = &cause.summary {
        blocks.push(rich(vec![run(&cut(&one_line(summary), detail.line))]));
    }
    blocks
}

/// A text of several lines, each a block of its own: a line break inside a run is not shown everywhere.
fn text(card: &Card, detail: &Detail) -> Vec<Value> {
    let body = cut(
        clean(card.body.as_deref().unwrap_or_default()).trim(),
        detail.body,
    );
    let limit = LINES.min(detail.body / 20);
    let lines: Vec<&str> = body
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let mut blocks: Vec<Value> = lines
        .iter()
        .take(limit)
        .map(|line| rich(vec![run(line)]))
        .collect();
    blocks.extend(wording::more(lines.len(), limit).map(|more| subtle(&format!("{more} lines"))));
    blocks
}

fn item(item: &Summary, detail: &Detail) -> Value {
    let length = detail.item.min(300);
    let title = cut(&one_line(&item.title), length);
    let mut run = json!({"type": "TextRun", "text": title, "weight": "Bolder"});
    let linked = |url: &&str| is_linked(url) && width(url) <= detail.link;
    if let (Some(url), Some(run)) = (item.url.as_deref().filter(linked), run.as_object_mut()) {
        let open = json!({"type": "Action.OpenUrl", "url": url});
        run.insert("selectAction".to_owned(), open);
    }
    let sign = format!("{} ", wording::sign(item.status, item.severity));
    let rest = format!(
        "{}  {}",
        wording::times(item),
        cut(&one_line(&item.summary), length)
    );
    rich(vec![self::run(&sign), run, self::run(&rest)])
}

fn list(title: &str, items: &[String], detail: &Detail) -> Vec<Value> {
    if items.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![heading(title)];
    for (number, item) in items.iter().take(detail.items).enumerate() {
        let item = cut(&one_line(item), detail.item);
        blocks.push(json!({
            "type": "RichTextBlock",
            "spacing": "Small",
            "inlines": [run(&format!("{}. {item}", number + 1))],
        }));
    }
    blocks.extend(wording::more(items.len(), detail.items).map(|more| subtle(&more)));
    blocks
}

fn evidence(card: &Card, detail: &Detail) -> Vec<Value> {
    let Some(evidence) = &card.evidence else {
        return Vec::new();
    };
    let evidence = cut(&one_line(evidence), 2 * detail.item);
    let run = json!({
        "type": "TextRun", "text": evidence, "fontType": "Monospace", "size": "Small",
    });
    vec![heading("Evidence"), rich(vec![run])]
}

fn footer(card: &Card, detail: &Detail) -> Option<Value> {
    let origin = card
        .origin
        .iter()
        .map(|part| cut(&one_line(part), detail.item));
    let time = card.occurred_at.map(wording::instant);
    let parts: Vec<String> = time.into_iter().chain(origin.take(3)).collect();
    (!parts.is_empty()).then(|| subtle(&parts.join(" · ")))
}

fn actions(card: &Card, detail: &Detail) -> Vec<Value> {
    wording::pages(card, detail)
        .take(ACTIONS)
        .map(|button| {
            let title = cut(&one_line(&button.label), LABEL);
            json!({"type": "Action.OpenUrl", "title": title, "url": button.url})
        })
        .collect()
}

const fn style(card: &Card) -> &'static str {
    match (card.status, card.severity) {
        (Status::Resolved, _) => "good",
        (_, Severity::Critical | Severity::High) => "attention",
        (_, Severity::Medium) => "warning",
        (_, Severity::Low) => "accent",
    }
}

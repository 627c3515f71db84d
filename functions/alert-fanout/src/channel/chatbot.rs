//! A card as a custom notification of Amazon Q Developer in chat applications, formerly AWS Chatbot: an SNS message.
//!
//! It is rendered in the markup of the chat that it goes to, Slack or Teams, so both are kept from reading anything
//! into it: control characters of Slack are escaped, Markdown links are broken up, and a name behind `@` is no mention.

use super::Context;
use super::slack::inline;
use super::wording::{self, Detail, clean, fitting, one_line, width};
use crate::card::{Card, Summary};
use serde_json::{Value, json};

/// The longest title.
const TITLE: usize = 250;

/// The longest keyword, name and resource.
const NAME: usize = 100;

/// The most characters of the JSON: what is shown ends up in a Slack message, whose limit it shares.
pub(super) const NOTIFICATION: usize = 12_000;

/// The notification (Amazon Q Developer in chat applications administrator guide, "Custom notifications").
pub(super) fn notification(card: &Card, context: &Context<'_>) -> Value {
    fitting(NOTIFICATION, size, |detail| {
        json!({
            "version": "1.0",
            "source": "custom",
            "id": plain(context.id, NAME),
            "content": {
                "textType": "client-markdown",
                "title": title(card),
                "description": description(card, detail),
                "nextSteps": next_steps(card, detail),
                "keywords": keywords(card),
            },
            "metadata": {
                // Messages of one problem stand below each other.
                "threadId": plain(context.fingerprint, 255),
                "summary": text(&card.summary, detail.item),
                "eventType": plain(card.error_type.as_deref().unwrap_or("notice"), NAME),
                "relatedResources": resources(card),
                "additionalContext": {
                    "status": card.status.as_str(),
                    "severity": card.severity.as_str(),
                    "pipeline": plain(card.pipeline.as_deref().unwrap_or_default(), NAME),
                    "environment": plain(card.environment.as_deref().unwrap_or_default(), NAME),
                },
            },
        })
    })
}

fn size(notification: &Value) -> usize {
    width(&notification.to_string())
}

fn title(card: &Card) -> String {
    let sign = wording::sign(card.status, card.severity);
    format!("{sign} {}", text(&wording::headline(card), TITLE))
}

fn description(card: &Card, detail: &Detail) -> String {
    let mut lines = vec![text(&card.summary, detail.line)];
    if let Some(cause) = &card.root_cause {
        let mut line = format!("*Root cause:* {}", text(&cause.code, NAME));
        for part in [Some(wording::sureness(cause)), cause.summary.clone()]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
        {
            line.push_str(&format!(" · {}", text(&part, detail.line)));
        }
        lines.push(line);
    }
    let facts = wording::facts(card);
    lines.extend(
        facts.iter().take(detail.facts).map(|(name, value)| {
            format!("*{}:* {}", label(name), text(value, detail.item.min(200)))
        }),
    );
    lines.extend(
        wording::history(card)
            .iter()
            .map(|line| text(line, detail.item)),
    );
    let body = clean(card.body.as_deref().unwrap_or_default());
    let shown = body.lines().filter(|line| !line.trim().is_empty());
    lines.extend(
        shown
            .take(2 * detail.items)
            .map(|line| text(line, detail.item)),
    );
    lines.extend(list("Failed checks", &card.failed_validations, detail));
    let problems: Vec<String> = card.items.iter().map(problem).collect();
    lines.extend(list("Problems", &problems, detail));
    lines.join("\n")
}

fn problem(item: &Summary) -> String {
    let sign = wording::sign(item.status, item.severity);
    let times = wording::times(item);
    format!("{sign} {}{times}: {}", item.title, item.summary)
}

fn list(title: &str, items: &[String], detail: &Detail) -> Vec<String> {
    if items.is_empty() {
        return Vec::new();
    }
    std::iter::once(format!("*{title}:*"))
        .chain(
            items
                .iter()
                .take(detail.items)
                .map(|item| format!("• {}", text(item, detail.item))),
        )
        .chain(wording::more(items.len(), detail.items))
        .collect()
}

fn next_steps(card: &Card, detail: &Detail) -> Vec<String> {
    let all: Vec<&String> = card.actions.iter().chain(&card.steps).collect();
    let links = wording::pages(card, detail)
        .map(|button| format!("{}: {}", label(&button.label), address(&button.url)));
    all.iter()
        .take(detail.items)
        .map(|step| text(step, detail.item))
        .chain(wording::more(all.len(), detail.items))
        .chain(links)
        .collect()
}

fn keywords(card: &Card) -> Vec<String> {
    let cause = card.root_cause.as_ref().map(|cause| cause.code.as_str());
    [
        Some(card.severity.as_str()),
        card.pipeline.as_deref(),
        card.environment.as_deref(),
        card.error_type.as_deref(),
        cause,
    ]
    .into_iter()
    .flatten()
    .map(|word| plain(word, NAME))
    .collect()
}

fn resources(card: &Card) -> Vec<String> {
    let shown = card.resources.iter().take(5);
    shown.map(|resource| plain(resource, 300)).collect()
}

/// An address that both chats link by themselves.
fn address(url: &str) -> String {
    // A bracket before a parenthesis is Markdown's link, inside an address as well.
    url.replace('&', "&amp;").replace("](", "%5D(")
}

/// A text without any markup of either chat.
fn text(text: &str, limit: usize) -> String {
    inline(&tame(text), limit)
}

/// The same for names, which are not set in code.
fn plain(text: &str, limit: usize) -> String {
    super::slack::escaped(&tame(text), limit)
}

fn label(text: &str) -> String {
    plain(&text.replace(['*', '_', '~', '`'], " "), NAME)
}

/// Breaks up what is a mention or a link: `@` before a name, and `](` of Markdown.
fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    let mut before = ' ';
    for character in one_line(text).chars() {
        match (before, character) {
            // An address of a mailbox stays as it is.
            (before, '@') if !before.is_alphanumeric() => tamed.push('＠'),
            (']', '(' | ':' | '[') => tamed.extend([' ', character]),
            _ => tamed.push(character),
        }
        before = character;
    }
    tamed
}

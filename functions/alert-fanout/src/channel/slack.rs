//! A card as a Slack message in Block Kit: the title and the first line on top, the rest beside a bar of its colour.
//!
//! A message's text is `mrkdwn`, in which `&`, `<` and `>` are the only control characters (Slack reference,
//! "Escaping text"). `*`, `_`, `~` and backticks format and cannot be escaped: a text that holds them is shown as
//! code, in which they mean nothing. `verbatim` keeps Slack from making links and mentions of plain words.

use super::wording::{self, Detail, clean, cut, fitting, one_line, width};
use super::{Act, Thread};
use crate::card::{Card, Summary, is_linked};
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use serde_json::{Value, json};

/// The longest header (Slack Block Kit reference).
const HEADER: usize = 150;

/// The longest text of a section (Slack Block Kit reference).
const SECTION: usize = 3_000;

/// The longest field of a section (Slack Block Kit reference).
const FIELD: usize = 2_000;

/// The most fields of a section (Slack Block Kit reference).
const FIELDS: usize = 10;

/// The longest label of a button (Slack Block Kit reference).
const LABEL: usize = 75;

/// The longest address of a link inside a text, which shares the room of the section.
const ADDRESS: usize = 500;

/// The most characters of JSON in a message: over about 13,200 it is refused with `msg_blocks_too_long`, which is
/// not in the reference (slackapi/bolt-js#2509).
pub(super) const MESSAGE: usize = 12_000;

/// What the arguments of a call add to a message.
const ARGUMENTS: usize = 300;

/// The message that an incoming webhook takes.
pub(super) fn message(card: &Card, act: &Act) -> Value {
    let brief = matches!(act, Act::Reply(_));
    fitting(MESSAGE - ARGUMENTS, size, |detail| {
        let text = format!("{}: {}", title(card), one_line(&card.summary));
        if brief {
            return json!({
                "text": escaped(&text, detail.line),
                "blocks": [section(&again(card, detail))],
                "unfurl_links": false,
                "unfurl_media": false,
            });
        }
        json!({
            "text": escaped(&text, detail.line),
            "blocks": [header(&title(card)), section(&bold(&card.summary, detail.line.min(wording::FIRST_LINE)))],
            "attachments": [{"color": colour(card), "blocks": blocks(card, detail)}],
            "unfurl_links": false,
            "unfurl_media": false,
        })
    })
}

/// The arguments of `chat.postMessage` or `chat.update`.
pub(super) fn call(card: &Card, act: &Act) -> Value {
    let mut message = message(card, act);
    let mut set = |name: &str, value: Value| {
        if let Some(fields) = message.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    // Without it chat.update looks for names to mention.
    set("parse", json!("none"));
    set("link_names", json!(false));
    match act {
        Act::Post | Act::Resolve(None) => {}
        Act::Reply(Thread { channel, ts }) => {
            set("channel", json!(channel));
            set("thread_ts", json!(ts));
        }
        Act::Update(Thread { channel, ts }) | Act::Resolve(Some(Thread { channel, ts })) => {
            set("channel", json!(channel));
            set("ts", json!(ts));
        }
    }
    message
}

fn size(message: &Value) -> usize {
    width(&message.to_string())
}

fn title(card: &Card) -> String {
    format!(
        "{} {}",
        wording::sign(card.status, card.severity),
        wording::headline(card)
    )
}

/// What is said below the message about a problem that happened again, or is gone.
fn again(card: &Card, detail: &Detail) -> String {
    let mut lines = vec![format!(
        "{} {}",
        wording::sign(card.status, card.severity),
        bold(&card.summary, detail.line.min(wording::FIRST_LINE))
    )];
    lines.extend(
        wording::history(card)
            .iter()
            .map(|line| inline(line, detail.item)),
    );
    lines.extend(card.occurred_at.map(wording::instant));
    lines.join("\n")
}

fn blocks(card: &Card, detail: &Detail) -> Vec<Value> {
    let mut blocks = Vec::new();
    let history = wording::history(card);
    if !history.is_empty() {
        let lines: Vec<String> = history
            .iter()
            .map(|line| inline(line, detail.item))
            .collect();
        blocks.push(section(&lines.join("\n")));
    }
    blocks.push(facts(card, detail));
    blocks.extend(cause(card, detail));
    blocks.extend(
        card.body
            .as_deref()
            .into_iter()
            .flat_map(|body| text(body, detail)),
    );
    blocks.extend(
        card.items
            .iter()
            .take(2 * detail.items)
            .map(|of| item(of, detail)),
    );
    let more = wording::more(card.items.len(), 2 * detail.items);
    blocks.extend(more.map(|more| section(&more)));
    for (title, items) in wording::lists(card) {
        blocks.extend(list(title, items, detail));
    }
    blocks.extend(evidence(card, detail));
    blocks.extend(buttons(card, detail));
    blocks.extend(footer(card, detail));
    blocks
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": cut(text, HEADER)}})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

/// What a reader weighs the card by, two a line.
fn facts(card: &Card, detail: &Detail) -> Value {
    let all = wording::facts(card);
    let limit = detail.facts.min(FIELDS);
    // The last place says how many have none.
    let shown = if all.len() > limit { limit - 1 } else { limit };
    let mut fields: Vec<Value> = all
        .iter()
        .take(shown)
        .map(|(name, value)| {
            let name = bold(name, LABEL);
            mrkdwn(&format!(
                "{name}\n{}",
                inline(value, detail.item.min(FIELD / 2))
            ))
        })
        .collect();
    fields.extend(wording::more(all.len(), shown).map(|more| mrkdwn(&more)));
    json!({"type": "section", "fields": fields})
}

fn cause(card: &Card, detail: &Detail) -> Option<Value> {
    let cause = card.root_cause.as_ref()?;
    let mut text = format!("*Root cause*  {}", code(&cause.code, LABEL));
    let sureness = wording::sureness(cause);
    if !sureness.is_empty() {
        text.push_str(&format!("  {}", inline(&sureness, detail.item)));
    }
    if let Some(summary) = &cause.summary {
        text.push_str(&format!("\n{}", inline(summary, detail.line)));
    }
    Some(section(&text))
}

/// A text of several lines as it is: plain text has no markup.
fn text(body: &str, detail: &Detail) -> Vec<Value> {
    let body = cut(clean(body).trim(), detail.body);
    let mut parts = vec![String::new()];
    let mut length = 0;
    for character in body.chars() {
        length += character.len_utf16();
        if length > SECTION {
            parts.push(String::new());
            length = character.len_utf16();
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
        .iter()
        // An empty section is refused.
        .filter(|part| !part.trim().is_empty())
        .map(|part| json!({"type": "section", "text": {"type": "plain_text", "text": part}}))
        .collect()
}

fn item(item: &Summary, detail: &Detail) -> Value {
    let length = detail.item.min(300);
    let linked = |url: &&str| is_linked(url) && width(url) <= detail.link.min(ADDRESS);
    let title = match item.url.as_deref().filter(linked) {
        // What would end the link is escaped; a bar is nothing behind the first.
        Some(url) => format!(
            "<{}|{}>",
            address(url),
            escaped(&one_line(&item.title), length)
        ),
        None => bold(&item.title, length),
    };
    section(&format!(
        "{} {title}{}\n{}",
        wording::sign(item.status, item.severity),
        wording::times(item),
        inline(&item.summary, length)
    ))
}

/// An address inside a link: `&` is a control character there as well.
fn address(url: &str) -> String {
    url.replace('&', "&amp;")
}

fn list(title: &str, items: &[String], detail: &Detail) -> Option<Value> {
    if items.is_empty() {
        return None;
    }
    let mut text = format!("*{title}*");
    let mut shown = 0;
    for item in items.iter().take(detail.items) {
        let line = format!("\n{}. {}", shown + 1, inline(item, detail.item));
        if width(&text) + width(&line) > SECTION - 20 {
            break;
        }
        text.push_str(&line);
        shown += 1;
    }
    if let Some(more) = wording::more(items.len(), shown) {
        text.push_str(&format!("\n{more}"));
    }
    Some(section(&text))
}

fn evidence(card: &Card, detail: &Detail) -> Option<Value> {
    let evidence = card.evidence.as_deref()?;
    // Three backticks would end the block.
    let evidence = clean(evidence).replace('`', "'");
    let evidence = escaped(evidence.trim(), 2 * detail.item);
    (!evidence.is_empty()).then(|| section(&format!("*Evidence*\n```{evidence}```")))
}

fn buttons(card: &Card, detail: &Detail) -> Option<Value> {
    let buttons: Vec<Value> = wording::pages(card, detail)
        .map(|button| {
            let label = cut(&one_line(&button.label), LABEL);
            json!({
                "type": "button",
                "text": {"type": "plain_text", "text": label},
                "url": button.url,
            })
        })
        .collect();
    (!buttons.is_empty()).then(|| json!({"type": "actions", "elements": buttons}))
}

/// Where it came from, and when; Slack shows a time in the reader's own zone.
fn footer(card: &Card, detail: &Detail) -> Option<Value> {
    let origin = card.origin.iter().map(|part| inline(part, detail.item));
    let time = card.occurred_at.map(|time| {
        format!(
            "<!date^{}^{{date_short_pretty}} {{time_secs}}|{}>",
            time.as_second(),
            wording::instant(time)
        )
    });
    let parts: Vec<String> = time.into_iter().chain(origin.take(3)).collect();
    let text = mrkdwn(&parts.join(" · "));
    (!parts.is_empty()).then(|| json!({"type": "context", "elements": [text]}))
}

fn colour(card: &Card) -> &'static str {
    match (card.status, card.severity) {
        (Status::Resolved, _) => "#2e7d32",
        (_, Severity::Critical) => "#7b1fa2",
        (_, Severity::High) => "#d32f2f",
        (_, Severity::Medium) => "#f57c00",
        (_, Severity::Low) => "#1976d2",
    }
}

/// A text in which Slack reads no mention and no link, in at most `limit` characters as it counts them.
pub(super) fn escaped(text: &str, limit: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut length = 0;
    for character in text.chars() {
        let replacement = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "",
        };
        let width = replacement.len().max(character.len_utf16());
        if length + width >= limit {
            escaped.push('…');
            break;
        }
        length += width;
        if replacement.is_empty() {
            escaped.push(character);
        } else {
            escaped.push_str(replacement);
        }
    }
    escaped
}

/// A text on one line that formats nothing.
pub(super) fn inline(text: &str, limit: usize) -> String {
    let line = one_line(text);
    if formats(&line) {
        code(&line, limit)
    } else {
        escaped(&line, limit)
    }
}

/// The same in bold, where it can be.
fn bold(text: &str, limit: usize) -> String {
    let line = one_line(text);
    if formats(&line) {
        code(&line, limit)
    } else {
        format!("*{}*", escaped(&line, limit.saturating_sub(2)))
    }
}

/// A text as code, in which nothing but a backtick means anything.
fn code(text: &str, limit: usize) -> String {
    let line = one_line(text).replace('`', "'");
    format!("`{}`", escaped(&line, limit.saturating_sub(2)))
}

/// Whether a line holds what Slack may read as formatting. An underscore inside a word is none.
fn formats(line: &str) -> bool {
    let mut before = ' ';
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let after = characters.peek().copied().unwrap_or(' ');
        match character {
            '*' | '~' | '`' => return true,
            '_' if !(before.is_alphanumeric() && after.is_alphanumeric()) => return true,
            _ => before = character,
        }
    }
    false
}

//! A card as JSON for any webhook, and the signature that proves who sent it.

use super::Context;
use super::wording::{Detail, fitting};
use crate::card::{Card, Summary};
use crate::inbound;
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use pipewarden_shared::truncate::characters;
use serde_json::{Value, json};
use sha2::Sha256;

/// The header that the signature stands in.
pub const SIGNATURE_HEADER: &str = "Pipewarden-Signature";

/// The most bytes of a message: as much as SNS brings.
pub(super) const BODY: usize = 262_144;

/// The longest id and fingerprint.
const IDENTITY: usize = 255;

/// The most problems of a storm or digest.
const ITEMS: usize = 200;

/// The body: an alert of Pipewarden as it is; anything else as its card with the notice below `raw`.
pub(super) fn body(card: &Card, context: &Context<'_>) -> Value {
    let raw = context.raw.map(inbound::masked);
    if let Some(raw) = &raw
        && raw.get("fingerprint").is_some()
        && size(raw) <= BODY
    {
        return raw.clone();
    }
    let whole = told(card, context, raw.unwrap_or(Value::Null));
    if size(&whole) <= BODY {
        return whole;
    }
    // What came is the largest part of it.
    fitting(BODY, size, |detail| {
        let raw = json!("(left out: over 256 KiB)");
        told(&shortened(card, detail), context, raw)
    })
}

fn size(body: &Value) -> usize {
    body.to_string().len()
}

fn told(card: &Card, context: &Context<'_>, raw: Value) -> Value {
    let cause = card.root_cause.as_ref().map(|cause| {
        json!({"code": cause.code, "summary": cause.summary, "confidence": cause.confidence})
    });
    let links: Vec<Value> = card
        .buttons
        .iter()
        .map(|button| json!({"label": button.label, "url": button.url}))
        .collect();
    let facts: Vec<Value> = card
        .facts
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let items: Vec<&Summary> = card.items.iter().take(ITEMS).collect();
    json!({
        "version": 1,
        "id": characters(context.id, IDENTITY),
        "fingerprint": characters(context.fingerprint, IDENTITY),
        "status": card.status.as_str(),
        "severity": card.severity.as_str(),
        "title": card.title,
        "summary": card.summary,
        "message": card.body,
        "pipeline": card.pipeline,
        "environment": card.environment,
        "state": card.state,
        "error_type": card.error_type,
        "root_cause": cause,
        "facts": facts,
        "failed_validations": card.failed_validations,
        "recommended_actions": card.actions,
        "investigation_steps": card.steps,
        "items": items,
        "items_left_out": card.items.len().saturating_sub(ITEMS),
        "repeats": card.repeats.map(|repeats| repeats.count),
        "recovery": card.recovery,
        "links": links,
        "occurred_at": card.occurred_at,
        "raw": raw,
    })
}

/// The card with each of its texts cut and each of its lists with a last entry that says how many there were.
fn shortened(card: &Card, detail: &Detail) -> Card {
    let text = |text: &String| characters(text, detail.line);
    let list = |items: &Vec<String>| {
        let limit = 5 * detail.items;
        let mut kept: Vec<String> = items.iter().take(limit).map(text).collect();
        kept.extend(super::wording::more(items.len(), limit));
        kept
    };
    let mut short = card.clone();
    short.title = text(&card.title);
    short.summary = text(&card.summary);
    for (part, whole) in [
        (&mut short.pipeline, &card.pipeline),
        (&mut short.environment, &card.environment),
        (&mut short.state, &card.state),
        (&mut short.error_type, &card.error_type),
        (&mut short.recovery, &card.recovery),
        (&mut short.body, &card.body),
    ] {
        *part = whole.as_ref().map(text);
    }
    if let Some(cause) = &mut short.root_cause {
        cause.code = characters(&cause.code, detail.item);
        cause.summary = cause.summary.as_ref().map(text);
        cause.confidence = cause.confidence.as_ref().map(text);
    }
    short.facts = card
        .facts
        .iter()
        .take(5 * detail.facts)
        .map(|(name, value)| (characters(name, detail.item), text(value)))
        .collect();
    short.failed_validations = list(&card.failed_validations);
    short.actions = list(&card.actions);
    short.steps = list(&card.steps);
    short.items.truncate(10 * detail.items);
    for item in &mut short.items {
        item.title = characters(&item.title, detail.item);
        item.summary = characters(&item.summary, detail.item);
        item.pipeline = item.pipeline.as_ref().map(text);
        item.url = item
            .url
            .take()
            .filter(|url| super::wording::width(url) <= detail.link);
    }
    short
}

/// The signature of a body: `t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body", hexadecimal>`.
///
/// A receiver computes the same with the shared secret, compares in constant time, and refuses what is old.
///
/// # Errors
/// [`InvalidLength`] where the secret cannot be a key; HMAC takes one of any length.
pub fn signature(secret: &[u8], at: Timestamp, body: &str) -> Result<String, InvalidLength> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)?;
    let seconds = at.as_second();
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    let code = mac.finalize().into_bytes();
    let code: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("t={seconds},v1={code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_any_other_hmac() {
        // python3: hmac.new(b"whsec", b'1772345221.{"a":1}', "sha256").hexdigest()
        let at: Timestamp = "2026-03-01T06:07:01Z".parse().unwrap();
        assert_eq!(
            signature(b"whsec", at, "{\"a\":1}").unwrap(),
            "t=1772345221,v1=25d64873eafb3af7ad61acd5d449d7fa2cc71f2b21d4db11be3fdda36442fce0"
        );
    }

    #[test]
    fn another_time_or_body_is_another_signature() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let all = [
            signature(b"k", at(1), "{}").unwrap(),
            signature(b"k", at(2), "{}").unwrap(),
            signature(b"k", at(1), "{ }").unwrap(),
            signature(b"l", at(1), "{}").unwrap(),
        ];
        let codes: std::collections::BTreeSet<_> = all
            .iter()
            .filter_map(|text| text.split_once(",v1="))
            .map(|(_, code)| code)
            .collect();
        assert_eq!(codes.len(), 4);
    }
}

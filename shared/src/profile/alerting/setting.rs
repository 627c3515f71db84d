//! Settings of the function that a profile refers to: `${SLACK_SECRET_ARN}`.

use super::receiver::{USUAL, addresses};
use super::written;
use std::collections::{BTreeMap, BTreeSet};

/// A part of a profile that stands for a setting of the function.
pub(super) enum Reference {
    /// Its value.
    Set(String),
    /// The name of a setting that the function does not have.
    Unset(String),
}

/// The settings that receivers stand on; with the usual ones where the profile names none.
pub(super) fn of_receivers(receivers: Option<&[written::Receiver]>) -> BTreeSet<String> {
    let Some(receivers) = receivers else {
        return USUAL.map(|(_, kind)| kind.setting().to_owned()).into();
    };
    let texts = receivers.iter().flat_map(|receiver| {
        let addresses = addresses(receiver).map(|(kind, secret)| match secret {
            Some(secret) => secret.to_owned(),
            None => format!("${{{}}}", kind.setting()),
        });
        let topic = receiver
            .chatbot
            .as_ref()
            .map(|topic| topic.topic_arn.clone());
        addresses.chain(topic).collect::<Vec<_>>()
    });
    let named = texts.filter_map(|text| name(&text).map(str::to_owned));
    named.collect()
}

/// The settings that stand for topics.
pub(super) fn of_topics(receivers: &[written::Receiver]) -> BTreeSet<String> {
    let topics = receivers
        .iter()
        .filter_map(|receiver| receiver.chatbot.as_ref());
    topics
        .filter_map(|topic| Some(name(&topic.topic_arn)?.to_owned()))
        .collect()
}

/// The settings of the usual receivers whose names are among these.
pub(super) fn of_usual(names: &BTreeSet<&str>) -> BTreeSet<String> {
    let named = USUAL.into_iter().filter(|(name, _)| names.contains(name));
    named.map(|(_, kind)| kind.setting().to_owned()).collect()
}

/// The name in `${NAME}`.
fn name(text: &str) -> Option<&str> {
    text.trim().strip_prefix("${")?.strip_suffix('}')
}

/// What a text of a profile stands for.
pub(super) fn resolve(
    text: &str,
    settings: &BTreeMap<String, String>,
) -> Result<Reference, String> {
    let Some(name) = name(text) else {
        return Ok(Reference::Set(text.trim().to_owned()));
    };
    let letter =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    if name.is_empty() || !name.chars().all(letter) {
        return Err(format!(
            "expected a setting such as ${{SLACK_SECRET_ARN}}, got {text:?}"
        ));
    }
    Ok(match settings.get(name) {
        Some(value) => Reference::Set(value.clone()),
        None => Reference::Unset(name.to_owned()),
    })
}

//! Decide: what an Error and its Cause say, out of the shapes that Step Functions puts them in.
//!
//! A Cause is prose, or JSON as the service of the task wrote it; a nested execution has an Error and a Cause of its own
//! inside, and so on. It is read from the outside inwards, once, and told from the innermost outwards.

pub(crate) mod names;
pub(crate) mod prose;
mod repair;
mod shapes;

use crate::evidence::Evidence;
use serde_json::Value;

/// The most layers that are unwrapped; 32,768 characters of Cause, escaped once more in each, hold fewer.
const DEEPEST: usize = 16;

/// What stands for a Cause of a known shape that has no message left.
const CUT_OFF: &str = "the Cause was cut off before it says why";

/// An Error and its Cause, unwrapped.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unwrapped {
    /// What they tell.
    pub evidence: Evidence,
    /// Whether they say why: an absent Cause does not, nor one that was cut off before its message.
    pub says_why: bool,
    /// The innermost execution that failed inside, where there is one.
    pub inner_execution: Option<String>,
}

/// Unwraps an Error and its Cause.
pub fn unwrap(error: Option<&str>, cause: Option<&str>) -> Unwrapped {
    let mut reading = Reading::default();
    reading.read(error, cause, 0);
    reading.finish()
}

/// Unwraps what a service says of a part of it, in the shape that it has in a Cause.
pub fn unwrap_value(value: &Value) -> Unwrapped {
    let mut reading = Reading::default();
    reading.value(value, &value.to_string(), 0);
    reading.finish()
}

impl Unwrapped {
    /// What this tells, from inside what `outer` tells: what is nearer to the cause comes first and counts more.
    pub fn inside(mut self, outer: &Self) -> Self {
        let (inner, outside) = (&mut self.evidence, &outer.evidence);
        for (all, more) in [
            (&mut inner.errors, &outside.errors),
            (&mut inner.texts, &outside.texts),
        ] {
            let unsaid: Vec<String> = more
                .iter()
                .filter(|one| !all.contains(one))
                .cloned()
                .collect();
            all.extend(unsaid);
        }
        inner.service = inner.service.or(outside.service);
        inner.http_status = inner.http_status.or(outside.http_status);
        inner.exit_code = inner.exit_code.or(outside.exit_code);
        inner.athena = inner.athena.or(outside.athena);
        if inner.glue_category.is_none() {
            inner.glue_category.clone_from(&outside.glue_category);
        }
        for (name, value) in &outside.names {
            inner
                .names
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
        self.says_why |= outer.says_why;
        if self.inner_execution.is_none() {
            self.inner_execution.clone_from(&outer.inner_execution);
        }
        self
    }
}

/// What was read so far, from the outside inwards.
#[derive(Debug, Default)]
struct Reading {
    found: Unwrapped,
}

impl Reading {
    fn read(&mut self, error: Option<&str>, cause: Option<&str>, depth: usize) {
        // An error of one's own has a name that says it; those of Step Functions say that something failed.
        self.found.says_why = error.is_some_and(|error| !error.starts_with("States."));
        if let Some(error) = error {
            self.error(error);
        }
        if let Some(cause) = cause {
            self.text(cause, depth);
        }
    }

    fn error(&mut self, error: &str) {
        let error = error.trim();
        // `S3.NoSuchKeyException` and `NoSuchKeyException` are one.
        let is_told = |told: &String| {
            let last = told.rsplit('.').next();
            told == error || last == Some(error)
        };
        if error.is_empty() || self.found.evidence.errors.iter().any(is_told) {
            return;
        }
        let (service, http_status) = prose::of_error(error);
        let evidence = &mut self.found.evidence;
        evidence.service = evidence.service.or(service);
        evidence.http_status = http_status.or(evidence.http_status);
        evidence.errors.push(error.to_owned());
    }

    /// A text that may be JSON, whole or cut off.
    fn text(&mut self, text: &str, depth: usize) {
        let start = text.trim_start();
        if depth < DEEPEST && start.starts_with(['{', '"', '[']) {
            match serde_json::from_str::<Value>(text) {
                Ok(Value::String(inner)) => return self.text(&inner, depth + 1),
                Ok(value) => return self.value(&value, text, depth),
                Err(error) if error.is_eof() && start.starts_with('{') => {
                    if let Some(value) = repair::cut_off(start) {
                        return self.cut_value(&value, text, depth);
                    }
                }
                Err(_) => {}
            }
        }
        self.prose(text);
    }

    fn value(&mut self, value: &Value, text: &str, depth: usize) {
        names::gather(value, &mut self.found.evidence.names);
        if !self.shape(value, depth) {
            self.prose(text);
        }
    }

    /// What is left of JSON that was cut off. What a service was asked, such as a query, is no word about why it failed.
    fn cut_value(&mut self, value: &Value, text: &str, depth: usize) {
        names::gather(value, &mut self.found.evidence.names);
        let told = self.found.evidence.texts.len();
        let is_known = self.shape(value, depth);
        if self.found.evidence.texts.len() > told {
            return;
        }
        let text = if is_known { CUT_OFF } else { text };
        self.found.evidence.texts.push(text.to_owned());
        self.found.says_why = false;
    }

    /// A message as a person would read it.
    fn prose(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.found.says_why = true;
        let own = prose::own_words(text);
        let told = prose::told(&own);
        if let Some(error) = told.error {
            self.error(error);
        }
        let evidence = &mut self.found.evidence;
        evidence.service = evidence.service.or(told.service);
        evidence.http_status = told.http_status.or(evidence.http_status);
        let named = [("action", told.action.as_deref()), ("role", told.identity)];
        for (name, value) in named {
            if let Some(value) = value {
                evidence.names.insert(name.to_owned(), value.to_owned());
            }
        }
        if evidence.texts.last().is_none_or(|last| last != text) {
            evidence.texts.push(text.to_owned());
        }
    }

    fn finish(mut self) -> Unwrapped {
        self.found.evidence.errors.reverse();
        self.found.evidence.texts.reverse();
        self.found
    }
}

/// The field of an object by its name in PascalCase, as Step Functions writes it, or in camelCase, as an API does.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let found = value.get(name).or_else(|| {
        let mut characters = name.chars();
        let first = characters.next()?.to_ascii_lowercase();
        value.get(format!("{first}{}", characters.as_str()))
    });
    found.filter(|value| !value.is_null())
}

/// The text of a field, where it is there and says something.
fn text_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    field(value, name)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests;

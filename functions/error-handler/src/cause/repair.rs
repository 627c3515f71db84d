//! Closes JSON that was cut off in the middle, as Step Functions cuts a Cause at 32,768 characters.

use serde_json::Value;

/// The largest text that is mended, in bytes: no state's input is larger (Step Functions quotas).
const LARGEST: usize = 262_144;

/// The deepest that containers may be in one another: `serde_json` reads no deeper.
const DEEPEST: usize = 127;

/// A container that is open, and what comes next in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    ObjectKey,
    ObjectColon,
    ObjectValue,
    ObjectComma,
    ArrayValue,
    ArrayComma,
}

/// A place up to which the text is whole once its containers are closed.
#[derive(Debug)]
struct Whole {
    end: usize,
    open: Vec<Open>,
}

/// Reads JSON whose end is missing: every field before the cut, and what there is of a text that is cut itself.
pub(super) fn cut_off(text: &str) -> Option<Value> {
    if text.len() > LARGEST {
        return None;
    }
    let mut scan = Scan::default();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if scan.open.len() > DEEPEST {
            return None;
        }
        match character {
            '"' => {
                let end = end_of_string(&mut characters);
                match end {
                    Some((end, _)) => scan.text(end + 1),
                    None if scan.expects_key() => break,
                    None => {
                        let string = closed_string(text.get(at..)?)?;
                        return closed(&format!("{}{string}", text.get(..at)?), &scan.open);
                    }
                }
            }
            '{' => scan.open(at, Open::ObjectKey),
            '[' => scan.open(at, Open::ArrayValue),
            '}' | ']' => scan.close(at),
            ':' => scan.step(Open::ObjectColon, Open::ObjectValue),
            ',' => {
                scan.step(Open::ObjectComma, Open::ObjectKey);
                scan.step(Open::ArrayComma, Open::ArrayValue);
            }
            character if character.is_whitespace() => {}
            // A number or a word: whole only where something follows it.
            _ => {
                while characters
                    .next_if(|(_, next)| !next.is_whitespace() && !",]}".contains(*next))
                    .is_some()
                {}
                if let Some((end, _)) = characters.peek() {
                    scan.value(*end);
                }
            }
        }
    }
    let whole = scan.whole?;
    closed(text.get(..whole.end)?, &whole.open)
}

/// The place of the quote that ends a string, where it has one.
fn end_of_string(characters: &mut impl Iterator<Item = (usize, char)>) -> Option<(usize, char)> {
    let mut escaped = false;
    characters.find(|(_, character)| {
        let ends = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        ends
    })
}

#[derive(Debug, Default)]
struct Scan {
    open: Vec<Open>,
    whole: Option<Whole>,
}

impl Scan {
    fn expects_key(&self) -> bool {
        self.open.last() == Some(&Open::ObjectKey)
    }

    fn step(&mut self, from: Open, to: Open) {
        if let Some(last) = self.open.last_mut().filter(|last| **last == from) {
            *last = to;
        }
    }

    fn open(&mut self, at: usize, container: Open) {
        self.step(Open::ObjectValue, Open::ObjectComma);
        self.step(Open::ArrayValue, Open::ArrayComma);
        self.open.push(container);
        self.is_whole(at + 1);
    }

    fn close(&mut self, at: usize) {
        self.open.pop();
        self.is_whole(at + 1);
    }

    fn text(&mut self, end: usize) {
        if self.expects_key() {
            self.step(Open::ObjectKey, Open::ObjectColon);
        } else {
            self.value(end);
        }
    }

    fn value(&mut self, end: usize) {
        self.step(Open::ObjectValue, Open::ObjectComma);
        self.step(Open::ArrayValue, Open::ArrayComma);
        self.is_whole(end);
    }

    fn is_whole(&mut self, end: usize) {
        self.whole = Some(Whole {
            end,
            open: self.open.clone(),
        });
    }
}

/// A string that has no end: without the half of an escape that may be left of it, and with a quote.
fn closed_string(string: &str) -> Option<String> {
    let mut string = string.to_owned();
    // The longest escape is a pair of surrogates, `\uXXXX\uXXXX`.
    for _ in 0..12 {
        let closed = format!("{string}\"");
        if serde_json::from_str::<String>(&closed).is_ok() {
            return Some(closed);
        }
        string.pop();
    }
    None
}

fn closed(text: &str, open: &[Open]) -> Option<Value> {
    let mut text = text.to_owned();
    for container in open.iter().rev() {
        text.push(match container {
            Open::ArrayValue | Open::ArrayComma => ']',
            _ => '}',
        });
    }
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(r#"{"a": 1, "b": "tex"#, json!({"a": 1, "b": "tex"}))]
    #[case(r#"{"a": 1, "b": "tex\"#, json!({"a": 1, "b": "tex"}))]
    #[case(r#"{"b": "tex\u00e"#, json!({"b": "tex"}))]
    #[case(r#"{"b": "\ud83d\ude0"#, json!({"b": ""}))]
    #[case(r#"{"a": [1, {"b": 2}, 34"#, json!({"a": [1, {"b": 2}]}))]
    #[case(r#"{"a": tru"#, json!({}))]
    #[case(r#"{"a": {"b": "c"}, "d"#, json!({"a": {"b": "c"}}))]
    #[case(r#"{"a": {"b": "c"}, "d":"#, json!({"a": {"b": "c"}}))]
    #[case(r#"{"a": "say \"no\"", "b": [""#, json!({"a": "say \"no\"", "b": [""]}))]
    #[case("{", json!({}))]
    fn mends(#[case] cut: &str, #[case] expected: Value) {
        assert_eq!(cut_off(cut), Some(expected));
    }

    #[test]
    fn what_is_too_deep_or_no_json_is_not_mended() {
        assert_eq!(cut_off(&"[".repeat(200_000)), None);
        assert_eq!(cut_off("{]"), None);
        assert_eq!(cut_off("{\"a\" 1, \"b"), None);
    }

    proptest! {
        /// Whatever the cut leaves whole is what the whole text says.
        #[test]
        fn what_is_recovered_was_there(texts in prop::collection::vec("[ -~äß\u{1f600}]{0,12}", 1..6), share in 0.0f64..1.0) {
            let whole: Value = texts.iter().enumerate().map(|(at, text)| (format!("k{at}"), json!([text, at]))).collect::<serde_json::Map<_, _>>().into();
            let text = whole.to_string();
            let cut: String = text.chars().take((text.chars().count() as f64 * share) as usize).collect();
            let mended = cut_off(&cut);
            prop_assert!(cut.is_empty() || mended.is_some(), "{cut}");
            for (key, items) in mended.iter().flat_map(|mended| mended.as_object().unwrap()) {
                for (found, there) in items.as_array().unwrap().iter().zip(whole[key].as_array().unwrap()) {
                    match (found.as_str(), there.as_str()) {
                        (Some(found), Some(there)) => prop_assert!(there.starts_with(found)),
                        _ => prop_assert_eq!(found, there),
                    }
                }
            }
        }
    }
}

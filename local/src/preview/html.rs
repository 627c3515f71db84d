//! Text as HTML, and links that are safe to follow.

use serde_json::Value;

/// A text that is text wherever it stands in HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A link, where the address is https; otherwise only what it says.
pub(super) fn link(class: &str, address: &str, label: &str) -> String {
    let label = escaped(label);
    if !address.starts_with("https://") {
        return format!("<span class=\"{class}\">{label}</span>");
    }
    format!(
        "<a class=\"{class}\" href=\"{}\" rel=\"noopener noreferrer\">{label}</a>",
        escaped(address)
    )
}

/// JSON as it is, indented.
pub(super) fn json(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("<pre class=\"json\">{}</pre>", escaped(&text))
}

/// A text of an object; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The items of a list; none where there is none.
pub(super) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

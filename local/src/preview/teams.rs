//! A Teams message as Teams shows it: an Adaptive Card to HTML.

use super::html::{escaped, items, link, text};
use serde_json::Value;

/// The deepest that elements lie in each other.
const DEEPEST: usize = 8;

/// The message.
pub(super) fn message(body: &Value) -> String {
    let cards: String = items(body, "attachments")
        .iter()
        .map(|attachment| card(attachment.get("content").unwrap_or(&Value::Null)))
        .collect();
    format!(
        "<article class=\"teams\"><p class=\"who\"><span class=\"avatar\" aria-hidden=\"true\">P</span>\
         <b>Pipewarden</b> <span class=\"app\">Workflows</span></p>{cards}</article>"
    )
}

fn card(card: &Value) -> String {
    let elements: String = items(card, "body")
        .iter()
        .map(|item| element(item, DEEPEST))
        .collect();
    let actions: String = items(card, "actions")
        .iter()
        .map(|action| link("button", text(action, "/url"), text(action, "/title")))
        .collect();
    format!("<div class=\"card\">{elements}<p class=\"buttons\">{actions}</p></div>")
}

fn element(item: &Value, depth: usize) -> String {
    if depth == 0 {
        return String::new();
    }
    let inside = |name| -> String {
        items(item, name)
            .iter()
            .map(|child| element(child, depth - 1))
            .collect()
    };
    let spacing = match text(item, "/spacing") {
        "Small" => "small",
        "Medium" => "medium",
        _ => "usual",
    };
    match text(item, "/type") {
        "Container" => {
            let style = match text(item, "/style") {
                "attention" => "attention",
                "warning" => "warning",
                "good" => "good",
                "accent" => "accent",
                _ => "plain",
            };
            format!("<div class=\"container {style}\">{}</div>", inside("items"))
        }
        "ColumnSet" => format!(
            "<div class=\"columns {spacing}\">{}</div>",
            inside("columns")
        ),
        "Column" => format!("<div class=\"column\">{}</div>", inside("items")),
        "RichTextBlock" => {
            let runs: String = items(item, "inlines").iter().map(run).collect();
            format!("<p class=\"{spacing}\">{runs}</p>")
        }
        other => format!("<p class=\"{spacing}\">({} element)</p>", escaped(other)),
    }
}

fn run(run: &Value) -> String {
    let mut classes = Vec::new();
    for (pointer, value, class) in [
        ("/weight", "Bolder", "bold"),
        ("/size", "Large", "large"),
        ("/size", "Small", "fine"),
        ("/fontType", "Monospace", "mono"),
    ] {
        if text(run, pointer) == value {
            classes.push(class);
        }
    }
    if run.get("isSubtle") == Some(&Value::Bool(true)) {
        classes.push("subtle");
    }
    let classes = classes.join(" ");
    match run.pointer("/selectAction/url").and_then(Value::as_str) {
        Some(address) => link(&classes, address, text(run, "/text")),
        None => format!(
            "<span class=\"{classes}\">{}</span>",
            escaped(text(run, "/text"))
        ),
    }
}

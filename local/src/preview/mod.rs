//! The messages that receivers got, as a page that a person opens: Slack's and Teams' as they show them.
//!
//! The page is one file. It has no script, and its policy lets nothing be fetched.

mod html;
mod slack;
mod teams;

use html::escaped;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Which receiver a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Slack: Block Kit.
    Slack,
    /// Microsoft Teams: an Adaptive Card.
    Teams,
    /// Any other: its JSON.
    Json,
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::Slack => "Slack",
            Self::Teams => "Microsoft Teams",
            Self::Json => "JSON",
        }
    }
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewMessage {
    /// What it was about, such as a scenario: messages of the same heading stand beside each other.
    pub heading: String,
    /// What the heading means.
    pub description: String,
    /// Who got it.
    pub form: Form,
    /// The body as it was received.
    pub body: Value,
}

/// Where the page is, below the project's folder.
const PLACE: &str = ".pipewarden/preview/index.html";

/// Writes the page below the project's folder, in place of an earlier one, and says where it is.
///
/// # Errors
/// Where the file cannot be written.
pub async fn write(root: &Path, messages: &[PreviewMessage]) -> std::io::Result<PathBuf> {
    let path = root.join(PLACE);
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    tokio::fs::write(&path, page(messages)).await?;
    Ok(path)
}

/// The page that shows messages, in their order.
pub fn page(messages: &[PreviewMessage]) -> String {
    let mut sections: Vec<(&str, &str, Vec<&PreviewMessage>)> = Vec::new();
    for message in messages {
        match sections.last_mut() {
            Some((heading, _, group)) if *heading == message.heading => group.push(message),
            _ => sections.push((&message.heading, &message.description, vec![message])),
        }
    }
    let contents: String = sections
        .iter()
        .enumerate()
        .map(|(number, (heading, ..))| {
            format!("<a href=\"#message-{number}\">{}</a>\n", escaped(heading))
        })
        .collect();
    let contents = match sections.len() {
        0 | 1 => String::new(),
        _ => format!("<nav aria-label=\"Messages\">{contents}</nav>"),
    };
    let body: String = sections
        .iter()
        .enumerate()
        .map(|(number, (heading, description, group))| section(number, heading, description, group))
        .collect();
    let body = if sections.is_empty() {
        "<p class=\"none\">No message was sent: nothing went wrong.</p>".to_owned()
    } else {
        body
    };
    format!(
        include_str!("page.html"),
        style = include_str!("style.css"),
        contents = contents,
        body = body
    )
}

fn section(
    number: usize,
    heading: &str,
    description: &str,
    messages: &[&PreviewMessage],
) -> String {
    let shown: String = messages.iter().map(|message| figure(message)).collect();
    format!(
        "<section id=\"message-{number}\">\n<h2>{}</h2>\n<p class=\"about\">{}</p>\n\
         <div class=\"messages\">\n{shown}</div>\n</section>\n",
        escaped(heading),
        escaped(description)
    )
}

fn figure(message: &PreviewMessage) -> String {
    let name = message.form.name();
    let shown = match message.form {
        Form::Slack => slack::message(&message.body),
        Form::Teams => teams::message(&message.body),
        Form::Json => html::json(&message.body),
    };
    format!(
        "<figure>\n<figcaption>{name}</figcaption>\n{shown}\n\
         <details><summary>The message as it was sent</summary>{}</details>\n</figure>\n",
        html::json(&message.body)
    )
}

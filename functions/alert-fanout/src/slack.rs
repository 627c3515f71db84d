//! Decide: a notice as a Slack message in Block Kit, within Slack's limits.

use crate::notice::Notice;
use pipewarden_shared::alert::{Alert, Status};
use pipewarden_shared::failure::{Escalation, RootCause, Severity};
use pipewarden_shared::truncate::characters;
use serde_json::{Value, json};

/// The longest header (Slack Block Kit reference).
const HEADER: usize = 150;

/// The longest text of a section (Slack Block Kit reference).
const SECTION: usize = 3_000;

/// The longest field of a section (Slack Block Kit reference).
const FIELD: usize = 2_000;

/// The longest address of a button (Slack Block Kit reference).
const ADDRESS: usize = 3_000;

/// The message for a notice.
pub fn render(notice: &Notice) -> Value {
    match notice {
        Notice::Alert(alert, _) => of_alert(alert),
        Notice::Text { subject, message } => {
            let mut blocks = Vec::new();
            if let Some(subject) = subject
                .as_deref()
                .filter(|subject| !subject.trim().is_empty())
            {
                blocks.push(header(subject));
            }
            // An empty section is refused.
            let message = if message.trim().is_empty() {
                "(an empty message)"
            } else {
                message
            };
            blocks.push(section(&plain(message, SECTION)));
            json!({
                "text": plain(subject.as_deref().unwrap_or(message), SECTION),
                "blocks": blocks,
            })
        }
    }
}

fn of_alert(alert: &Alert) -> Value {
    let diagnosis = &alert.diagnosis;
    let cause = &diagnosis.root_cause;
    let title = format!(
        "{} {}: {} ({})",
        emoji(alert),
        alert.pipeline,
        alert.error_type.as_str().replace('_', " "),
        alert.environment
    );
    let mut blocks = vec![
        header(&title),
        section(&format!("*{}*", bold(&diagnosis.cause))),
    ];
    blocks.push(json!({"type": "section", "fields": facts(alert)}));
    blocks.push(section(&format!(
        "*Why:* {}",
        plain(&cause.summary, SECTION / 2)
    )));
    blocks.extend(list("Failed validations", &diagnosis.failed_validations));
    blocks.extend(list("What to do", &diagnosis.recommended_actions));
    blocks.extend(list("Where to look", &diagnosis.investigation_steps));
    blocks.extend(buttons(alert));
    blocks.push(json!({"type": "context", "elements": [{
        "type": "mrkdwn",
        "text": plain(&format!("{} · {} · alert {}", alert.execution.name, alert.occurred_at, alert.id), FIELD),
    }]}));
    json!({
        "text": plain(&format!("{}: {}", title, diagnosis.cause), SECTION),
        "attachments": [{"color": colour(alert), "blocks": blocks}],
    })
}

/// What a reader weighs an alert by.
fn facts(alert: &Alert) -> Vec<Value> {
    let diagnosis = &alert.diagnosis;
    let cause = &diagnosis.root_cause;
    let mut fields = vec![
        field("Severity", alert.severity.as_str()),
        field(
            "Root cause",
            &format!("{} ({} confidence)", cause.code, cause.confidence),
        ),
        field(
            "Retry",
            match (cause.transient, cause.code) {
                (true, _) => "may cure it",
                (false, RootCause::Unknown) => "not known",
                (false, _) => "will not cure it",
            },
        ),
        field(
            "For",
            match diagnosis.escalate_to {
                Escalation::OnCall => "on call",
                Escalation::PlatformTeam => "platform team",
            },
        ),
    ];
    fields.extend(alert.state.as_deref().map(|state| field("State", state)));
    fields.extend(
        diagnosis
            .data_quality_score
            .map(|score| field("Data quality", &format!("{score:.1} %"))),
    );
    fields
}

fn emoji(alert: &Alert) -> &'static str {
    match (alert.status, alert.severity) {
        (Status::Resolved, _) => "✅",
        (_, Severity::Critical | Severity::High) => "🔴",
        (_, Severity::Medium) => "🟠",
        (_, Severity::Low) => "🔵",
    }
}

fn colour(alert: &Alert) -> &'static str {
    match (alert.status, alert.severity) {
        (Status::Resolved, _) => "#2e7d32",
        (_, Severity::Critical) => "#7b1fa2",
        (_, Severity::High) => "#d32f2f",
        (_, Severity::Medium) => "#f57c00",
        (_, Severity::Low) => "#1976d2",
    }
}

fn header(text: &str) -> Value {
    // Plain text: Slack reads no markup in it.
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    json!({"type": "header", "text": {"type": "plain_text", "text": characters(&line, HEADER)}})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

fn field(name: &str, value: &str) -> Value {
    json!({"type": "mrkdwn", "text": format!("*{name}*\n{}", plain(value, FIELD / 2))})
}

fn list(title: &str, items: &[String]) -> Option<Value> {
    if items.is_empty() {
        return None;
    }
    let mut text = format!("*{title}*");
    for (number, item) in items.iter().enumerate() {
        let line = format!("\n{}. {}", number + 1, plain(item, 500));
        let more = items.len() - number;
        if text.chars().count() + line.chars().count() > SECTION - 40 {
            text.push_str(&format!("\n… and {more} more in the execution"));
            break;
        }
        text.push_str(&line);
    }
    Some(section(&text))
}

fn buttons(alert: &Alert) -> Option<Value> {
    let links = [
        ("Execution", &alert.links.execution),
        ("Logs", &alert.links.logs),
        ("Dashboard", &alert.links.dashboard),
        ("Runbook", &alert.links.runbook),
    ];
    let buttons: Vec<Value> = links
        .into_iter()
        .filter_map(|(name, link)| Some((name, link.as_deref()?)))
        // An address that is cut leads elsewhere, and only pages are linked.
        .filter(|(_, link)| link.starts_with("https://") && link.chars().count() <= ADDRESS)
        .map(|(name, link)| {
            json!({"type": "button", "text": {"type": "plain_text", "text": name}, "url": link})
        })
        .collect();
    (!buttons.is_empty()).then(|| json!({"type": "actions", "elements": buttons}))
}

/// A text that Slack reads no mention and no link in, in at most `limit` characters.
///
/// `&`, `<` and `>` are the only control characters (Slack reference, "Escaping text").
fn plain(text: &str, limit: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut length = 0;
    for character in text.chars() {
        let (replacement, width) = match character {
            '&' => (Some("&amp;"), 5),
            '<' => (Some("&lt;"), 4),
            '>' => (Some("&gt;"), 4),
            _ => (None, 1),
        };
        if length + width >= limit {
            escaped.push('…');
            break;
        }
        length += width;
        match replacement {
            Some(replacement) => escaped.push_str(replacement),
            None => escaped.push(character),
        }
    }
    escaped
}

/// The same for a text between asterisks: an asterisk or a line break inside would end the bold.
fn bold(text: &str) -> String {
    let line = text.replace(['*', '\n', '\r'], " ");
    plain(line.trim(), SECTION / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice;

    fn sample(name: &str) -> Notice {
        let path = format!(
            "{}/../../events/alert-fanout/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let event = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        notice::parse(&event).unwrap().remove(0)
    }

    fn snapshot(name: &str) {
        // The order of keys depends on serde_json's features, which other packages choose.
        insta::with_settings!({sort_maps => true, snapshot_suffix => name}, {
            insta::assert_json_snapshot!(render(&sample(name)));
        });
    }

    #[test]
    fn an_alert_reads_at_a_glance() {
        snapshot("glue-job-failure");
    }

    #[test]
    fn any_other_text_is_shown_as_it_is() {
        snapshot("plain-text");
    }

    #[test]
    fn a_table_name_forges_no_mention_and_no_link() {
        let Notice::Alert(mut alert, json) = sample("glue-job-failure") else {
            panic!("the sample is an alert");
        };
        alert.diagnosis.cause = "<!channel> *<https://evil.example|click>* & more".to_owned();
        alert.links.runbook = Some("javascript:alert(1)".to_owned());
        let text = render(&Notice::Alert(alert, json)).to_string();
        assert!(
            !text.contains("<!channel>") && !text.contains("<https"),
            "{text}"
        );
        assert!(
            text.contains("&lt;!channel&gt;  &lt;https://evil.example|click&gt;  &amp; more"),
            "{text}"
        );
        assert!(!text.contains("javascript"), "{text}");
    }

    #[test]
    fn every_limit_of_slack_holds() {
        let Notice::Alert(mut alert, json) = sample("glue-job-failure") else {
            panic!("the sample is an alert");
        };
        let long = "<&é".repeat(5_000);
        alert.pipeline.clone_from(&long);
        alert.state = Some(long.clone());
        alert.execution.name.clone_from(&long);
        alert.diagnosis.cause.clone_from(&long);
        alert.diagnosis.root_cause.summary.clone_from(&long);
        alert.diagnosis.failed_validations = vec![long.clone(); 60];
        alert.diagnosis.recommended_actions = vec![long.clone(); 60];
        alert.links.logs = Some(format!("https://a/{long}"));
        let message = render(&Notice::Alert(alert, json));
        let blocks = message["attachments"][0]["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50);
        let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
        for block in blocks {
            let text = length(&block["text"]["text"]);
            assert!(
                text <= if block["type"] == "header" {
                    HEADER
                } else {
                    SECTION
                },
                "{text}"
            );
            for field in block["fields"].as_array().into_iter().flatten() {
                assert!(length(&field["text"]) <= FIELD);
            }
            for button in block["elements"].as_array().into_iter().flatten() {
                assert!(length(&button["url"]) <= ADDRESS);
            }
        }
    }
}

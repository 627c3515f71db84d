//! Names and messages that try to be a mention, a link or a field.

use super::*;
use pipewarden_shared::failure::Severity;
use serde_json::json;

/// Every text below a key of this name.
pub(super) fn texts<'a>(json: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| texts(item, key, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == key => found.push(text),
                    other => texts(other, key, found),
                }
            }
        }
        _ => {}
    }
}

/// Every object of this type.
pub(super) fn of_type<'a>(json: &'a Value, kind: &str, found: &mut Vec<&'a Value>) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| of_type(item, kind, found)),
        Value::Object(fields) => {
            if fields.get("type").and_then(Value::as_str) == Some(kind) {
                found.push(json);
            }
            fields
                .values()
                .for_each(|value| of_type(value, kind, found));
        }
        _ => {}
    }
}

/// A line without what stands in code, in which nothing is markup.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect()
}

/// What must hold for the markup of a Slack message, whatever was in the card.
pub(super) fn check_slack(message: &Value, ours: &[&str]) {
    let mut mrkdwn = Vec::new();
    of_type(message, "mrkdwn", &mut mrkdwn);
    for block in mrkdwn {
        assert_eq!(block["verbatim"], true, "{block}");
        let text = block["text"].as_str().unwrap();
        for (place, _) in text.match_indices('<') {
            let link = text.split_at(place).1;
            let known = link.starts_with("<!date^")
                || ours.iter().any(|url| link.starts_with(&format!("<{url}|")));
            assert!(known, "{text}");
        }
    }
    let blocks = message["attachments"][0]["blocks"].as_array();
    for field in blocks
        .into_iter()
        .flatten()
        .flat_map(|block| block["fields"].as_array().into_iter().flatten())
    {
        let text = field["text"].as_str().unwrap();
        assert!(text.matches('\n').count() <= 1, "{text}");
        let (_, value) = text.split_once('\n').unwrap_or_default();
        assert!(!without_code(value).contains(['*', '~']), "{text}");
    }
    let fallback = message["text"].as_str().unwrap();
    assert!(!fallback.contains('<'), "{fallback}");
}

/// What must hold for an Adaptive Card: nothing of it is Markdown, and it mentions nobody.
pub(super) fn check_teams(message: &Value) {
    let card = &message["attachments"][0]["content"];
    assert_eq!(card["msteams"], json!({"width": "Full"}));
    for kind in ["TextBlock", "FactSet", "Action.Submit", "Action.Execute"] {
        let mut found = Vec::new();
        of_type(message, kind, &mut found);
        assert!(found.is_empty(), "{found:?}");
    }
    let mut links = Vec::new();
    texts(message, "url", &mut links);
    assert!(
        links.iter().all(|link| link.starts_with("https://")),
        "{links:?}"
    );
}

/// What must hold for a custom notification, whichever chat shows it.
pub(super) fn check_chatbot(notification: &Value) {
    let content = &notification["content"];
    let steps = content["nextSteps"].as_array().unwrap().iter();
    for text in steps.chain([&content["title"], &content["description"]]) {
        let text = text.as_str().unwrap();
        assert!(!text.contains(['<', '>']), "{text}");
        assert!(!text.contains("]("), "{text}");
        let mention = text
            .match_indices('@')
            .any(|(place, _)| !text.split_at(place).0.ends_with(char::is_alphanumeric));
        assert!(!mention, "{text}");
    }
}

#[test]
fn an_address_begins_no_link_of_its_own() {
    let mut card = Card::new(Severity::High, "title".to_owned(), "summary".to_owned());
    card.buttons = vec![card::Button {
        label: "Run".to_owned(),
        url: "https://a.example/](https://evil.example".to_owned(),
    }];
    let context = context(None, Status::Firing);
    check_chatbot(&Channel::Chatbot.render(&card, &Act::Post, &context));
}

#[test]
fn a_hostile_alert_is_shown_as_text() {
    let slack = rendered(Channel::SlackWebhook, "alert-hostile", &Act::Post);
    check_slack(&slack, &[]);
    let text = slack.to_string();
    assert!(
        text.contains("&lt;!channel&gt; &lt;@U012AB3CD&gt; @here"),
        "{text}"
    );
    assert!(
        !text.contains('\u{202e}'),
        "the direction of writing is not turned"
    );
    let teams = rendered(Channel::Teams, "alert-hostile", &Act::Post);
    check_teams(&teams);
    assert!(
        teams
            .to_string()
            .contains("[pay](https://evil.example/b) <at>Everyone</at>")
    );
    check_chatbot(&rendered(Channel::Chatbot, "alert-hostile", &Act::Post));
}

#[test]
fn a_hostile_alert_links_only_what_is_safe() {
    for channel in Channel::ALL {
        let message = rendered(channel, "alert-hostile", &Act::Post);
        if channel == Channel::Webhook {
            continue; // It gets the alert as it came.
        }
        let mut links = Vec::new();
        texts(&message, "url", &mut links);
        texts(&message, "href", &mut links);
        texts(&message, "client_url", &mut links);
        links.sort_unstable();
        links.dedup();
        let expected: &[&str] = match channel {
            Channel::Chatbot => &[],
            _ => &["https://wiki.example/page?a=1&b=2"],
        };
        assert_eq!(links, expected, "{channel:?}");
    }
}

#[test]
fn a_forged_field_stays_inside_its_own() {
    let card = Card {
        facts: vec![(
            "Team*\n*Severity".to_owned(),
            "x\n*Severity*\nLOW".to_owned(),
        )],
        ..Card::new(Severity::High, "t".to_owned(), "s".to_owned())
    };
    let message = Channel::SlackWebhook.render(&card, &Act::Post, &context(None, Status::Firing));
    let fields = &message["attachments"][0]["blocks"][0]["fields"];
    assert_eq!(fields[0]["text"], "*Severity*\nHIGH");
    assert_eq!(fields[1]["text"], "`Team* *Severity`\n`x *Severity* LOW`");
    let event = Channel::PagerDuty.render(
        &Card {
            facts: vec![("root cause".to_owned(), "forged".to_owned())],
            root_cause: Some(crate::card::RootCause {
                code: "timeout".to_owned(),
                summary: None,
                confidence: None,
                retry: None,
            }),
            ..card
        },
        &Act::Post,
        &context(None, Status::Firing),
    );
    assert_eq!(event["payload"]["custom_details"]["root cause"], "timeout");
}

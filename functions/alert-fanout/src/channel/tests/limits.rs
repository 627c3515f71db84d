//! The limits of each channel hold for any card: huge, empty, of any characters, full of markup.

use super::hostile::{check_chatbot, check_slack, check_teams, of_type, texts};
use super::*;
use crate::card::{Button, Repeats, RootCause, is_linked};
use crate::channel::wording::width;
use pipewarden_shared::failure::Severity;
use proptest::prelude::*;

/// Texts of up to tens of thousands of characters, among them each channel's markup.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<!channel> <@U1> *b* _i_ ~s~ `c` "),
        Just("&"),
        Just("<"),
        Just("]("),
        Just("@here "),
        Just("[a](https://evil.example)"),
        Just("🙂"),
        Just("é"),
        Just("\n"),
        Just(" "),
        Just("\0"),
        Just("\u{202e}"),
        Just("\""),
        Just("\\"),
        Just("x"),
        Just("<https://evil.example|x>"),
        Just("```"),
        Just("{{DATE(2026-01-01T00:00:00Z)}}"),
        Just("漢字"),
        Just("\u{1f468}\u{200d}\u{1f469}"),
    ];
    prop_oneof![
        any::<String>(),
        (prop::collection::vec(piece, 0..6), 0usize..3_000).prop_map(|(pieces, times)| pieces
            .concat()
            .repeat(times.min(4_000 / (1 + pieces.concat().len())))),
    ]
}

fn list() -> impl Strategy<Value = Vec<String>> {
    (prop::collection::vec(text(), 0..4), 1usize..40).prop_map(|(items, times)| {
        items
            .iter()
            .cycle()
            .take(items.len() * times)
            .cloned()
            .collect()
    })
}

fn url() -> impl Strategy<Value = String> {
    prop_oneof![
        text(),
        text().prop_map(|text| format!("https://a.example/{text}")),
        (0usize..4_000).prop_map(|length| format!("https://a.example/{}", "&".repeat(length))),
    ]
}

fn summaries() -> impl Strategy<Value = Vec<Summary>> {
    let one = (
        text(),
        text(),
        prop::option::of(text()),
        url(),
        any::<u64>(),
    )
        .prop_map(|(title, summary, pipeline, url, count)| Summary {
            title,
            summary,
            severity: Severity::Low,
            status: Status::Firing,
            pipeline,
            occurred_at: None,
            count,
            url: Some(url),
        });
    (prop::collection::vec(one, 0..4), 1usize..60).prop_map(|(items, times)| {
        items
            .iter()
            .cycle()
            .take(items.len() * times)
            .cloned()
            .collect()
    })
}

fn maybe() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text())
}

fn cards() -> impl Strategy<Value = Card> {
    let names = (text(), text(), maybe(), maybe(), maybe());
    let cause = prop::option::of((text(), maybe(), maybe()));
    let facts = prop::collection::vec((text(), text()), 0..20);
    let lists = (list(), list(), list(), list());
    let texts = (maybe(), maybe(), maybe());
    let buttons = prop::collection::vec((text(), url()), 0..6);
    (names, cause, facts, lists, texts, buttons, summaries()).prop_map(
        |(names, cause, facts, lists, texts, buttons, items)| Card {
            pipeline: names.2,
            environment: names.3,
            state: names.4,
            root_cause: cause.map(|(code, summary, confidence)| RootCause {
                code,
                summary,
                confidence,
                retry: Some("a retry may cure it"),
            }),
            facts,
            failed_validations: lists.0,
            actions: lists.1,
            steps: lists.2,
            origin: lists.3.clone(),
            resources: lists.3,
            evidence: texts.0,
            body: texts.1,
            recovery: texts.2,
            repeats: Some(Repeats {
                count: 3,
                since: jiff::Timestamp::UNIX_EPOCH,
            }),
            occurred_at: Some(jiff::Timestamp::UNIX_EPOCH),
            // As `card::of` makes them: pages that are not safe have been left out.
            buttons: buttons
                .into_iter()
                .filter(|(_, url)| is_linked(url))
                .map(|(label, url)| Button { label, url })
                .collect(),
            items,
            ..Card::new(Severity::High, names.0, names.1)
        },
    )
}

fn slack(message: &Value, card: &Card) {
    let ours: Vec<String> = card
        .items
        .iter()
        .filter_map(|item| item.url.as_deref().filter(|url| is_linked(url)))
        .map(|url| url.replace('&', "&amp;"))
        .collect();
    check_slack(
        message,
        &ours.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    assert!(width(&message.to_string()) <= slack::MESSAGE);
    let blocks = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let top = blocks(&message["blocks"]);
    let below = blocks(&message["attachments"][0]["blocks"]);
    assert!(top.len() + below.len() <= 50);
    for block in top.iter().chain(&below) {
        let fields = blocks(&block["fields"]);
        assert!(fields.len() <= 10);
        for field in &fields {
            let text = field["text"].as_str().unwrap();
            assert!((1..=2_000).contains(&width(text)));
        }
        if let Some(text) = block["text"]["text"].as_str() {
            let limit = if block["type"] == "header" {
                150
            } else {
                3_000
            };
            assert!(
                (1..=limit).contains(&width(text)),
                "{} {text:.80}",
                width(text)
            );
            assert!(!text.trim().is_empty());
        }
        let elements = blocks(&block["elements"]);
        assert!(elements.len() <= 10);
        for element in &elements {
            if element["type"] == "button" {
                assert!((1..=75).contains(&width(element["text"]["text"].as_str().unwrap())));
                assert!(width(element["url"].as_str().unwrap()) <= 3_000);
            } else {
                assert!(width(element["text"].as_str().unwrap()) <= 3_000);
            }
        }
    }
}

fn pagerduty(event: &Value) {
    assert!(event.to_string().len() <= 512_000);
    let payload = &event["payload"];
    let length = |value: &Value| value.as_str().map_or(0, width);
    assert!((1..=1_024).contains(&length(&payload["summary"])));
    assert!(length(&event["dedup_key"]) <= 255);
    for name in ["source", "component", "group", "class"] {
        assert!(length(&payload[name]) <= 255, "{name}");
    }
    let mut lines = Vec::new();
    texts(event, "summary", &mut lines);
    texts(event, "source", &mut lines);
    assert!(lines.iter().all(|line| !line.contains('\n')));
}

fn check(channel: Channel, message: &Value, card: &Card) {
    match channel {
        Channel::SlackWebhook | Channel::SlackBot => slack(message, card),
        Channel::PagerDuty => pagerduty(message),
        Channel::Teams => {
            assert!(message.to_string().len() <= 28_000);
            check_teams(message);
            let mut runs = Vec::new();
            of_type(message, "TextRun", &mut runs);
            assert!(runs.iter().all(|run| run["text"] != ""));
            assert!(
                message["attachments"][0]["content"]["actions"]
                    .as_array()
                    .unwrap()
                    .len()
                    <= 6
            );
        }
        Channel::Webhook => assert!(message.to_string().len() <= webhook::BODY),
        Channel::Chatbot => {
            assert!(width(&message.to_string()) <= chatbot::NOTIFICATION);
            check_chatbot(message);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 100, ..ProptestConfig::default() })]
    #[test]
    fn every_limit_holds(card in cards(), fingerprint in text()) {
        let raw = serde_json::json!({"huge": fingerprint.repeat(2)});
        for act in [Act::Post, Act::Reply(thread()), Act::Update(thread())] {
            for channel in Channel::ALL {
                let context = Context {
                    fingerprint: &fingerprint,
                    id: &fingerprint,
                    ..context(Some(&raw), Status::Firing)
                };
                check(channel, &channel.render(&card, &act, &context), &card);
            }
        }
    }
}

#[test]
fn an_empty_card_is_a_message() {
    let card = Card::new(Severity::Low, String::new(), String::new());
    let context = Context {
        fingerprint: "",
        id: "",
        ..context(None, Status::Firing)
    };
    for channel in Channel::ALL {
        check(channel, &channel.render(&card, &Act::Post, &context), &card);
    }
}

#[test]
fn what_does_not_fit_is_counted() {
    let many: Vec<String> = (0..40).map(|number| format!("step {number}")).collect();
    let card = Card {
        actions: many.clone(),
        facts: (0..20).map(|n| (format!("f{n}"), "v".to_owned())).collect(),
        ..Card::new(Severity::Low, "t".to_owned(), "s".to_owned())
    };
    let context = context(None, Status::Firing);
    for channel in [Channel::SlackWebhook, Channel::Teams, Channel::Chatbot] {
        let message = channel.render(&card, &Act::Post, &context).to_string();
        assert!(message.contains("… 30 more"), "{channel:?} {message}");
    }
    let message = Channel::SlackWebhook
        .render(&card, &Act::Post, &context)
        .to_string();
    assert!(
        message.contains("… 12 more"),
        "21 facts, 9 of which have a place: {message}"
    );
}

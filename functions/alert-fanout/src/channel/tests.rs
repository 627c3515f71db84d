use super::*;
use crate::card::{self, Summary};
use crate::inbound::tests::sample;
use rstest::rstest;

mod hostile;
mod limits;

fn context<'a>(raw: Option<&'a Value>, status: Status) -> Context<'a> {
    Context {
        fingerprint: "5f0c8f6f0a3c5a4f7a3e5d1b9c2e8d10",
        id: "0ecb6bd722b022df6d9846a85779db29",
        status,
        now: "2026-03-01T06:01:00Z".parse().unwrap(),
        raw,
    }
}

fn thread() -> Thread {
    Thread {
        channel: "C024BE91L".to_owned(),
        ts: "1772345221.000100".to_owned(),
    }
}

fn rendered(channel: Channel, name: &str, act: &Act) -> Value {
    let notice = sample(name);
    let context = context(notice.raw(), notice.status());
    channel.render(&card::of(&notice), act, &context)
}

#[rstest]
#[case("slack", Channel::SlackWebhook, "scd-validation-failure", Act::Post)]
#[case("slack", Channel::SlackWebhook, "alert-newer-version", Act::Post)]
#[case("slack", Channel::SlackWebhook, "alarm-anomaly", Act::Post)]
#[case("slack", Channel::SlackWebhook, "plain-text", Act::Post)]
#[case("slack", Channel::SlackWebhook, "budget", Act::Post)]
#[case(
    "slack-resolve",
    Channel::SlackBot,
    "alert-resolved",
    Act::Resolve(Some(thread()))
)]
#[case(
    "slack-reply",
    Channel::SlackBot,
    "glue-job-failure",
    Act::Reply(thread())
)]
#[case("teams", Channel::Teams, "scd-validation-failure", Act::Post)]
#[case("teams", Channel::Teams, "eventbridge-step-functions", Act::Post)]
#[case("teams", Channel::Teams, "plain-text", Act::Post)]
#[case("pagerduty", Channel::PagerDuty, "scd-validation-failure", Act::Post)]
#[case("pagerduty", Channel::PagerDuty, "alarm-composite", Act::Post)]
#[case("pagerduty", Channel::PagerDuty, "alarm-ok", Act::Post)]
#[case("webhook", Channel::Webhook, "alarm-metric-math", Act::Post)]
#[case("webhook", Channel::Webhook, "eventbridge-custom", Act::Post)]
#[case("chatbot", Channel::Chatbot, "scd-validation-failure", Act::Post)]
#[case("chatbot", Channel::Chatbot, "eventbridge-health", Act::Post)]
fn a_message_reads_well(
    #[case] form: &str,
    #[case] channel: Channel,
    #[case] name: &str,
    #[case] act: Act,
) {
    let message = rendered(channel, name, &act);
    // The order of keys depends on serde_json's features, which other packages choose.
    insta::with_settings!({sort_maps => true, snapshot_suffix => format!("{form}-{name}")}, {
        insta::assert_json_snapshot!(message);
    });
}

#[rstest]
#[case(Channel::SlackWebhook)]
#[case(Channel::Teams)]
#[case(Channel::PagerDuty)]
#[case(Channel::Chatbot)]
fn a_digest_and_a_storm_read_well(#[case] channel: Channel) {
    let problems: Vec<Summary> = [
        "alarm-metric",
        "alert-newer-version",
        "eventbridge-glue-job",
    ]
    .iter()
    .map(|name| Summary::of(&card::of(&sample(name))))
    .collect();
    let context = context(None, Status::Firing);
    let digest = channel.render(&Card::digest(&problems), &Act::Post, &context);
    let storm = channel.render(&Card::storm(&problems), &Act::Post, &context);
    let messages = [digest, storm];
    insta::with_settings!({sort_maps => true, snapshot_suffix => channel.as_str()}, {
        insta::assert_json_snapshot!(messages);
    });
}

#[test]
fn an_alert_goes_to_a_webhook_as_it_came() {
    let notice = sample("glue-job-failure");
    let body = rendered(Channel::Webhook, "glue-job-failure", &Act::Post);
    assert_eq!(Some(&body), notice.raw());
}

#[test]
fn a_webhook_gets_no_secret_of_an_event() {
    let body = rendered(Channel::Webhook, "eventbridge-custom", &Act::Post).to_string();
    assert!(
        body.contains("salesforce.users.v3") && !body.contains("0123456789abcdef"),
        "{body}"
    );
}

#[rstest]
#[case(Act::Post, None, None, "chat.postMessage")]
#[case(
    Act::Reply(thread()),
    None,
    Some("1772345221.000100"),
    "chat.postMessage"
)]
#[case(Act::Update(thread()), Some("1772345221.000100"), None, "chat.update")]
#[case(
    Act::Resolve(Some(thread())),
    Some("1772345221.000100"),
    None,
    "chat.update"
)]
#[case(Act::Resolve(None), None, None, "chat.postMessage")]
fn a_bot_updates_and_answers_the_message_it_posted(
    #[case] act: Act,
    #[case] ts: Option<&str>,
    #[case] thread_ts: Option<&str>,
    #[case] method: &str,
) {
    let message = rendered(Channel::SlackBot, "glue-job-failure", &act);
    assert_eq!(message.get("ts").and_then(Value::as_str), ts);
    assert_eq!(message.get("thread_ts").and_then(Value::as_str), thread_ts);
    let channel = (ts.or(thread_ts).is_some()).then_some("C024BE91L");
    assert_eq!(message.get("channel").and_then(Value::as_str), channel);
    assert!(Channel::SlackBot.endpoint(&act).unwrap().ends_with(method));
}

#[rstest]
#[case(Act::Post, "trigger")]
#[case(Act::Reply(thread()), "trigger")]
#[case(Act::Resolve(None), "resolve")]
fn pagerduty_opens_and_closes_the_same_incident(#[case] act: Act, #[case] action: &str) {
    let event = rendered(Channel::PagerDuty, "glue-job-failure", &act);
    assert_eq!(event["event_action"], action);
    assert_eq!(event["dedup_key"], "5f0c8f6f0a3c5a4f7a3e5d1b9c2e8d10");
}

#[test]
fn a_problem_that_happens_again_says_how_often() {
    let since = "2026-03-01T05:00:00Z".parse().unwrap();
    let card = card::of(&sample("glue-job-failure")).repeated(4, since);
    let context = context(None, Status::Firing);
    for channel in Channel::ALL {
        let message = channel.render(&card, &Act::Post, &context).to_string();
        let expected = match channel {
            Channel::Webhook => "\"repeats\":4",
            _ => "4 times since 2026-03-01 05:00:00 UTC",
        };
        assert!(message.contains(expected), "{channel:?}: {message}");
    }
}

//! Receivers: a name, a channel, and where the channel's address is kept.

use super::findings::Findings;
use super::secret::Secret;
use super::setting::{self, Reference};
use super::written;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Longest name of a receiver; it is part of keys and logs.
const LONGEST_NAME: usize = 64;

const NO_CHANNEL: &str = "name a channel: slack, pagerduty, teams, webhook or chatbot (a route to nobody has receiver: [])";
const TWO_CHANNELS: &str = "more than one channel: give each a receiver of its own";

/// The receivers of a profile that names none: each whose secret the function has a setting for.
pub(super) const USUAL: [(&str, Kind); 4] = [
    ("slack", Kind::Slack),
    ("pagerduty", Kind::PagerDuty),
    ("teams", Kind::Teams),
    ("webhook", Kind::Webhook),
];

/// The name of a receiver, unique in a profile: letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ReceiverName(String);

impl ReceiverName {
    fn parse(name: &str) -> Result<Self, String> {
        let letter = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(letter) {
            return Err(format!(
                "expected a name of 1 to {LONGEST_NAME} letters, digits, hyphens, underscores and dots, got {name:?}"
            ));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReceiverName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// Somebody who gets messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The name that routes use.
    pub name: ReceiverName,
    /// How it is reached.
    pub channel: ReceiverChannel,
    /// Whether it is told that a problem is gone.
    pub send_resolved: bool,
}

/// How a receiver is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiverChannel {
    /// An incoming webhook of Slack.
    SlackWebhook {
        /// Where its URL is kept.
        secret: Secret,
    },
    /// A bot of Slack, whose messages can be changed and answered.
    SlackBot {
        /// Where its token is kept.
        secret: Secret,
        /// The channel it posts to.
        channel: String,
    },
    /// PagerDuty, Events API v2.
    PagerDuty {
        /// Where the integration key is kept.
        secret: Secret,
    },
    /// A workflow of Microsoft Teams.
    Teams {
        /// Where its URL is kept.
        secret: Secret,
    },
    /// Any webhook.
    Webhook {
        /// Where its URL is kept.
        secret: Secret,
    },
    /// A topic of Amazon Q Developer in chat applications.
    Chatbot {
        /// The topic.
        topic_arn: String,
    },
}

impl ReceiverChannel {
    /// The name in answers and logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::SlackWebhook { .. } => "Slack webhook",
            Self::SlackBot { .. } => "Slack bot",
            Self::PagerDuty { .. } => "PagerDuty",
            Self::Teams { .. } => "Teams",
            Self::Webhook { .. } => "webhook",
            Self::Chatbot { .. } => "Chatbot",
        }
    }

    /// Whether it wakes people. Such a one takes no digest: nobody is woken for a summary.
    pub const fn pages(&self) -> bool {
        matches!(self, Self::PagerDuty { .. })
    }
}

/// A channel that needs a secret, by its key in a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Slack,
    PagerDuty,
    Teams,
    Webhook,
}

impl Kind {
    const fn key(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::PagerDuty => "pagerduty",
            Self::Teams => "teams",
            Self::Webhook => "webhook",
        }
    }

    /// The function's setting that says where the secret is, as long as the profile does not.
    pub(super) const fn setting(self) -> &'static str {
        match self {
            Self::Slack => "SLACK_SECRET_ARN",
            Self::PagerDuty => "PAGERDUTY_SECRET_ARN",
            Self::Teams => "TEAMS_SECRET_ARN",
            Self::Webhook => "WEBHOOK_SECRET_ARN",
        }
    }

    const fn channel(self, secret: Secret) -> ReceiverChannel {
        match self {
            Self::Slack => ReceiverChannel::SlackWebhook { secret },
            Self::PagerDuty => ReceiverChannel::PagerDuty { secret },
            Self::Teams => ReceiverChannel::Teams { secret },
            Self::Webhook => ReceiverChannel::Webhook { secret },
        }
    }
}

/// The receivers of a profile: those that can be reached, and the names of all.
#[derive(Debug)]
pub(super) struct Receivers {
    pub(super) reachable: Vec<Receiver>,
    pub(super) names: BTreeSet<String>,
    /// Whether the profile names them, or they are the usual ones.
    pub(super) declared: bool,
}

/// The channels of a receiver that have a secret, each with what the profile says of it.
pub(super) fn addresses(
    receiver: &written::Receiver,
) -> impl Iterator<Item = (Kind, Option<&str>)> {
    let slack = receiver
        .slack
        .as_ref()
        .map(|slack| (Kind::Slack, slack.secret.as_deref()));
    let others = [
        (Kind::PagerDuty, &receiver.pagerduty),
        (Kind::Teams, &receiver.teams),
        (Kind::Webhook, &receiver.webhook),
    ];
    let others = others
        .into_iter()
        .filter_map(|(kind, address)| Some((kind, address.as_ref()?.secret.as_deref())));
    slack.into_iter().chain(others)
}

pub(super) fn resolve(
    receivers: Option<&[written::Receiver]>,
    settings: &BTreeMap<String, String>,
    findings: &mut Findings,
) -> Receivers {
    match receivers {
        Some(receivers) => declared(receivers, settings, findings),
        None => usual(settings, findings),
    }
}

fn usual(settings: &BTreeMap<String, String>, findings: &mut Findings) -> Receivers {
    let configured = USUAL.into_iter().filter_map(|(name, kind)| {
        let setting = settings.get(kind.setting())?;
        let secret = Secret::parse(setting).map_err(|what| format!("{}: {what}", kind.setting()));
        let secret = findings.value("receivers", secret)?;
        Some(Receiver {
            name: ReceiverName(name.to_owned()),
            channel: kind.channel(secret),
            send_resolved: true,
        })
    });
    Receivers {
        reachable: configured.collect(),
        names: USUAL.map(|(name, _)| name.to_owned()).into(),
        declared: false,
    }
}

fn declared(
    receivers: &[written::Receiver],
    settings: &BTreeMap<String, String>,
    findings: &mut Findings,
) -> Receivers {
    if receivers.is_empty() {
        findings.problem(
            "receivers",
            "name at least one, or leave the key out for the usual ones",
        );
    }
    let mut names = BTreeSet::new();
    let mut reachable = Vec::new();
    for (index, receiver) in receivers.iter().enumerate() {
        let place = format!("receivers[{index}]");
        let name = findings.value(
            &format!("{place}.name"),
            ReceiverName::parse(&receiver.name),
        );
        if !names.insert(receiver.name.clone()) {
            findings.problem(
                &format!("{place}.name"),
                format_args!("a second receiver {:?}", receiver.name),
            );
        }
        let channel = channel(receiver, &place, settings, findings);
        reachable.extend(name.zip(channel).map(|(name, channel)| Receiver {
            name,
            channel,
            send_resolved: receiver.send_resolved,
        }));
    }
    Receivers {
        reachable,
        names,
        declared: true,
    }
}

/// The channel of a receiver, unless it is wrong or stands on a setting that the function does not have.
fn channel(
    receiver: &written::Receiver,
    place: &str,
    settings: &BTreeMap<String, String>,
    findings: &mut Findings,
) -> Option<ReceiverChannel> {
    let addresses: Vec<_> = addresses(receiver).collect();
    match (addresses.as_slice(), &receiver.chatbot) {
        ([(kind, secret)], None) => {
            let place = format!("{place}.{}", kind.key());
            let usual = format!("${{{}}}", kind.setting());
            let text = secret.unwrap_or(&usual);
            let text = value(text, &format!("{place}.secret"), settings, findings)?;
            let secret = findings.value(&format!("{place}.secret"), Secret::parse(&text))?;
            let bot = receiver
                .slack
                .as_ref()
                .and_then(|slack| slack.channel.as_ref());
            let Some(channel) = bot else {
                return Some(kind.channel(secret));
            };
            let channel = findings.value(&format!("{place}.channel"), slack_channel(channel))?;
            Some(ReceiverChannel::SlackBot { secret, channel })
        }
        ([], Some(topic)) => {
            let place = format!("{place}.chatbot.topic_arn");
            let topic_arn = value(&topic.topic_arn, &place, settings, findings)?;
            if !is_topic(&topic_arn) {
                findings.problem(&place, "expected the ARN of an SNS topic");
                return None;
            }
            Some(ReceiverChannel::Chatbot { topic_arn })
        }
        (addresses, _) => {
            findings.problem(
                place,
                if addresses.is_empty() {
                    NO_CHANNEL
                } else {
                    TWO_CHANNELS
                },
            );
            None
        }
    }
}

fn value(
    text: &str,
    place: &str,
    settings: &BTreeMap<String, String>,
    findings: &mut Findings,
) -> Option<String> {
    match findings.value(place, setting::resolve(text, settings))? {
        Reference::Set(value) => Some(value),
        Reference::Unset(name) => {
            findings.warning(
                place,
                format_args!("the function has no setting {name}: the receiver gets nothing"),
            );
            None
        }
    }
}

/// A channel by its id or name (Slack API, chat.postMessage, `channel`).
fn slack_channel(text: &str) -> Result<String, String> {
    let letter = |letter: char| !letter.is_whitespace() && !letter.is_control();
    if text.is_empty() || text.chars().count() > 80 || !text.chars().all(letter) {
        return Err(format!(
            "expected a channel's id or name, such as C0123456789, got {text:?}"
        ));
    }
    Ok(text.to_owned())
}

fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts.as_slice(), ["arn", _, "sns", region, account, name]
        if !region.is_empty() && account.len() == 12 && !name.is_empty())
}

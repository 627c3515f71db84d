//! Decide: a card as each channel shows it, within the channel's limits and in its markup.
//!
//! Whatever a pipeline, a table or an error message is called, it is shown as text: it forges no mention, no link and
//! no field. What does not fit is cut, and said to be.

mod answer;
mod chatbot;
mod pagerduty;
mod slack;
mod teams;
pub mod webhook;
mod wording;

pub(crate) use answer::quoted;

use crate::card::Card;
use jiff::Timestamp;
use pipewarden_shared::alert::Status;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// What a receiver understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A Slack incoming webhook: Block Kit.
    SlackWebhook,
    /// Slack's Web API with a bot's token: Block Kit, threads and updates.
    SlackBot,
    /// PagerDuty Events API v2.
    PagerDuty,
    /// A Microsoft Teams workflow's webhook: an Adaptive Card.
    Teams,
    /// Any webhook: JSON, signed.
    Webhook,
    /// Amazon Q Developer in chat applications: a custom notification over SNS.
    Chatbot,
}

/// A message in Slack that others answer to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The channel's id.
    pub channel: String,
    /// The message's timestamp, which is its id.
    pub ts: String,
}

/// What is done with a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A message of its own.
    Post,
    /// In place of an earlier message, where the channel can do that.
    Update(Thread),
    /// Below an earlier message, in short, where the channel can do that.
    Reply(Thread),
    /// The problem is gone: in place of the message about it, where there is one and the channel can do that.
    Resolve(Option<Thread>),
}

/// What a message says beside its card.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// What makes two notices the same problem.
    pub fingerprint: &'a str,
    /// The same for each delivery of the notice.
    pub id: &'a str,
    /// Whether the problem is there or gone.
    pub status: Status,
    /// When the message is made.
    pub now: Timestamp,
    /// The notice as it came, for webhooks.
    pub raw: Option<&'a Value>,
}

/// What a receiver made of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It took it.
    Delivered {
        /// The message, where others can answer to it.
        thread: Option<Thread>,
    },
    /// It may take it later.
    Retry {
        /// Not before this time has passed, where it says so.
        after: Option<Duration>,
    },
    /// It does not take it.
    Refused {
        /// Why, in its words.
        reason: String,
    },
    /// The address, the token or the key is not good any more.
    BadAddress,
    /// The message that was to be updated or answered is gone.
    Gone,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 6] = [
        Self::SlackWebhook,
        Self::SlackBot,
        Self::PagerDuty,
        Self::Teams,
        Self::Webhook,
        Self::Chatbot,
    ];

    /// The name in logs and errors.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SlackWebhook | Self::SlackBot => "slack",
            Self::PagerDuty => "pagerduty",
            Self::Teams => "teams",
            Self::Webhook => "webhook",
            Self::Chatbot => "chatbot",
        }
    }

    /// The address of a service that has one for all; the others' are secret.
    pub const fn endpoint(self, act: &Act) -> Option<&'static str> {
        match (self, act) {
            (Self::SlackBot, Act::Update(_) | Act::Resolve(Some(_))) => {
                Some("https://slack.com/api/chat.update")
            }
            (Self::SlackBot, _) => Some("https://slack.com/api/chat.postMessage"),
            (Self::PagerDuty, _) => Some("https://events.pagerduty.com/v2/enqueue"),
            _ => None,
        }
    }

    /// The message's body. Whoever sends it adds PagerDuty's `routing_key` and, to a new message of Slack's bot, the
    /// `channel`.
    pub fn render(self, card: &Card, act: &Act, context: &Context<'_>) -> Value {
        match self {
            Self::SlackWebhook => slack::message(card, act),
            Self::SlackBot => slack::call(card, act),
            Self::PagerDuty => pagerduty::event(card, act, context),
            Self::Teams => teams::message(card),
            Self::Webhook => webhook::body(card, context),
            Self::Chatbot => chatbot::notification(card, context),
        }
    }

    /// Reads a receiver's answer; a body that says that a message failed outweighs the status.
    pub fn accepted(self, status: u16, body: &str) -> Outcome {
        match self {
            Self::SlackBot => answer::slack_api(status, body),
            Self::SlackWebhook => answer::slack_webhook(status, body),
            Self::Teams => answer::teams(status, body),
            Self::PagerDuty => answer::pagerduty(status, body),
            Self::Webhook | Self::Chatbot => answer::any(status, body),
        }
    }
}

#[cfg(test)]
mod tests;

//! What the `alerts:` of a profile say about routing, word for word; [`super::Alerting::resolve`] checks it.

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use std::fmt;

/// Somebody who gets messages, through one channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// The name that routes use.
    pub name: String,
    /// Slack: an incoming webhook, or a bot where a `channel` is named.
    #[serde(default)]
    pub slack: Option<Slack>,
    /// PagerDuty, Events API v2.
    #[serde(default)]
    pub pagerduty: Option<Address>,
    /// A workflow of Microsoft Teams.
    #[serde(default)]
    pub teams: Option<Address>,
    /// Any webhook.
    #[serde(default)]
    pub webhook: Option<Address>,
    /// A topic of Amazon Q Developer in chat applications.
    #[serde(default)]
    pub chatbot: Option<Topic>,
    /// Whether it is told that a problem is gone.
    #[serde(default = "yes")]
    pub send_resolved: bool,
}

const fn yes() -> bool {
    true
}

/// Where Slack is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// Where the webhook's URL or the bot's token is kept.
    #[serde(default)]
    pub secret: Option<String>,
    /// The channel a bot posts to.
    #[serde(default)]
    pub channel: Option<String>,
}

/// Where a channel is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Where the URL or the key is kept.
    #[serde(default)]
    pub secret: Option<String>,
}

/// A topic of SNS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its ARN.
    pub topic_arn: String,
}

/// A node of the tree of routes. What is not set is as in the node above, but for the two lists of time intervals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Who gets it: a name, several, or `[]` for nobody.
    #[serde(default)]
    pub receiver: Option<OneOrMore>,
    /// What an alert has to be for this node.
    #[serde(default)]
    pub matchers: OneOrMore,
    /// Whether the next nodes of the same level are tried as well.
    #[serde(default, rename = "continue")]
    pub continues: bool,
    /// When it is sent: `now`, or with the `digest`.
    #[serde(default)]
    pub timing: Option<super::Timing>,
    /// How long until the same problem is told again.
    #[serde(default)]
    pub repeat_interval: Option<String>,
    /// Time intervals in which nothing is sent.
    #[serde(default)]
    pub mute_time_intervals: Vec<String>,
    /// Time intervals outside of which nothing is sent.
    #[serde(default)]
    pub active_time_intervals: Vec<String>,
    /// The nodes below, in order.
    #[serde(default)]
    pub routes: Vec<Route>,
}

/// A time interval by its name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeInterval {
    /// The name that routes use.
    pub name: String,
    /// Its windows; it is on in each of them.
    pub time_intervals: Vec<Window>,
}

/// A window: every list that is there has to hold the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Times of the day.
    #[serde(default)]
    pub times: Vec<Times>,
    /// Such as `monday:friday`.
    #[serde(default)]
    pub weekdays: Vec<String>,
    /// Such as `1:5` or `-3:-1`.
    #[serde(default)]
    pub days_of_month: Vec<String>,
    /// Such as `november:december` or `11:12`.
    #[serde(default)]
    pub months: Vec<String>,
    /// Such as `2026:2028`.
    #[serde(default)]
    pub years: Vec<String>,
    /// The time zone by its IANA name; UTC where it is not set.
    #[serde(default)]
    pub location: Option<String>,
}

/// Times of the day, from the start on and up to the end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// `HH:MM`.
    pub start_time: String,
    /// `HH:MM`, at most `24:00`.
    pub end_time: String,
}

/// Which alerts hold back which others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InhibitRule {
    /// What the alert is that holds others back.
    #[serde(default)]
    pub source_matchers: OneOrMore,
    /// What the alerts are that are held back.
    #[serde(default)]
    pub target_matchers: OneOrMore,
    /// The labels that both have alike.
    #[serde(default)]
    pub equal: Vec<String>,
}

/// From when on many alerts become one summary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// More different alerts than this within the window.
    #[serde(default)]
    pub more_than: Option<u32>,
    /// How far back is counted.
    #[serde(default)]
    pub window: Option<String>,
}

/// When the digest is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// Whole days, or hours that divide a day.
    #[serde(default)]
    pub every: Option<String>,
    /// `HH:MM` of the first one of a day.
    #[serde(default)]
    pub at: Option<String>,
    /// The time zone by its IANA name.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// A text, or a list of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OneOrMore(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTexts)
    }
}

struct TextOrTexts;

impl<'de> Visitor<'de> for TextOrTexts {
    type Value = OneOrMore;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<OneOrMore, E> {
        Ok(OneOrMore(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<OneOrMore, A::Error> {
        let mut all = Vec::new();
        while let Some(text) = texts.next_element()? {
            all.push(text);
        }
        Ok(OneOrMore(all))
    }
}

//! What a receiver's secret holds: an address, a token, a key.

use super::address::Hosts;
use crate::channel::{Act, Channel};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// The shortest part of a secret that is kept out of texts: a shorter one is a word that stands for nothing.
const SHORTEST: usize = 4;

/// The same for a piece of an address's path.
const SHORTEST_PIECE: usize = 8;

/// The path of an address, with its query.
fn path(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    Some(path)
}

/// What a receiver's secret holds. It is shown nowhere.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The text, or what a JSON secret has in `url`, `token` or `routing_key`.
    main: SecretString,
    /// `url` of a channel whose address is known: another region's, or a stand-in's.
    base: Option<SecretString>,
    /// `signing_secret`: what a webhook's messages are signed with.
    signing: Option<SecretString>,
}

impl Credential {
    /// Reads a secret: the text itself, or JSON.
    ///
    /// # Errors
    /// A few words on what it holds instead.
    pub fn read(channel: Channel, secret: &str, hosts: &Hosts) -> Result<Self, String> {
        let json = serde_json::from_str::<Value>(secret).ok();
        let json = json.as_ref().filter(|json| json.is_object());
        let field =
            |name: &str| json.and_then(|json| Some(json.get(name)?.as_str()?.trim().to_owned()));
        let name = match channel {
            Channel::SlackBot => "token",
            Channel::PagerDuty => "routing_key",
            _ => "url",
        };
        let main = match json {
            Some(_) => field(name).ok_or_else(|| format!("JSON without {name}"))?,
            None => secret.trim().to_owned(),
        };
        let base = if name == "url" { None } else { field("url") };
        match (&base, name) {
            (_, "url") => hosts.check(&main)?,
            (Some(base), _) => hosts.check(base)?,
            (None, _) => {}
        }
        // Tokens and keys are plain ASCII words; anything else would break out of a header.
        let is_word = !main.is_empty() && main.chars().all(|letter| letter.is_ascii_graphic());
        if name != "url" && (!is_word || main.contains("://")) {
            return Err(format!("no {name}"));
        }
        Ok(Self {
            main: main.into(),
            base: base.map(SecretString::from),
            signing: field("signing_secret")
                .filter(|secret| !secret.is_empty())
                .map(SecretString::from),
        })
    }

    /// Where a message is sent to.
    pub(super) fn address(&self, channel: Channel, act: &Act) -> SecretString {
        let Some(endpoint) = channel.endpoint(act) else {
            return self.main.clone();
        };
        match (&self.base, channel) {
            (Some(base), Channel::SlackBot) => {
                let method = endpoint.rsplit('/').next().unwrap_or_default();
                format!("{}/{method}", base.expose_secret().trim_end_matches('/')).into()
            }
            (Some(base), _) => base.clone(),
            (None, _) => endpoint.into(),
        }
    }

    /// The token or key.
    pub(super) fn main(&self) -> &SecretString {
        &self.main
    }

    /// What messages are signed with.
    pub(super) fn signing(&self) -> Option<&SecretString> {
        self.signing.as_ref()
    }

    /// A text of a receiver or a connection in which nothing of the secret is named: not as a whole, not the path of an
    /// address, and not a part of the path or the query that may be the secret itself.
    pub(super) fn left_out_of(&self, text: &str) -> String {
        let parts = [Some(&self.main), self.base.as_ref(), self.signing.as_ref()];
        let whole: Vec<&str> = parts
            .into_iter()
            .flatten()
            .map(ExposeSecret::expose_secret)
            .collect();
        let paths = whole.iter().filter_map(|part| path(part));
        let pieces = paths
            .clone()
            .flat_map(|path| path.split(['/', '?', '&', '=', '#']))
            .filter(|piece| piece.len() >= SHORTEST_PIECE);
        let mut hidden: Vec<&str> = whole.iter().copied().chain(paths).chain(pieces).collect();
        hidden.retain(|part| part.len() >= SHORTEST);
        // What holds another one goes first.
        hidden.sort_by_key(|part| std::cmp::Reverse(part.len()));
        hidden
            .iter()
            .fold(text.to_owned(), |text, part| text.replace(part, "…"))
    }

    /// Whether another one is the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        let texts = |credential: &Self| {
            [
                Some(&credential.main),
                credential.base.as_ref(),
                credential.signing.as_ref(),
            ]
            .map(|text| text.map(|text| text.expose_secret().to_owned()))
        };
        texts(self) == texts(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn hosts() -> Hosts {
        let alerting = pipewarden_shared::profile::alerting::Alerting::resolve(
            &pipewarden_shared::profile::Alerts::default(),
            &std::collections::BTreeMap::new(),
        );
        Hosts {
            allowed: alerting.unwrap().allowed_hosts,
            loopback: true,
        }
    }

    #[rstest]
    #[case(
        Channel::SlackWebhook,
        " https://hooks.slack.com/services/T\n",
        Ok("https://hooks.slack.com/services/T")
    )]
    #[case(
        Channel::Webhook,
        r#"{"url": "http://localhost/a"}"#,
        Ok("http://localhost/a")
    )]
    #[case(
        Channel::Webhook,
        r#"{"uri": "http://localhost/a"}"#,
        Err("JSON without url")
    )]
    #[case(
        Channel::Webhook,
        "http://example.com/a",
        Err("an http URL; only https is sent to")
    )]
    #[case(
        Channel::SlackBot,
        "xoxb-1",
        Ok("https://slack.com/api/chat.postMessage")
    )]
    #[case(
        Channel::SlackBot,
        r#"{"token": "xoxb-1", "url": "http://localhost/api/"}"#,
        Ok("http://localhost/api/chat.postMessage")
    )]
    #[case(
        Channel::SlackBot,
        "https://hooks.slack.com/services/T",
        Err("no token")
    )]
    #[case(Channel::SlackBot, "xoxb-1\r\nX-Evil: 1", Err("no token"))]
    #[case(
        Channel::PagerDuty,
        "R0UTINGKEY",
        Ok("https://events.pagerduty.com/v2/enqueue")
    )]
    #[case(
        Channel::PagerDuty,
        r#"{"routing_key": "R", "url": "https://events.eu.pagerduty.com/v2/enqueue"}"#,
        Ok("https://events.eu.pagerduty.com/v2/enqueue")
    )]
    #[case(
        Channel::PagerDuty,
        r#"{"routing_key": "R", "url": "http://10.0.0.1/"}"#,
        Err("an http URL; only https is sent to")
    )]
    #[case(Channel::PagerDuty, "", Err("no routing_key"))]
    fn a_secret_says_where_a_message_goes(
        #[case] channel: Channel,
        #[case] secret: &str,
        #[case] expected: Result<&str, &str>,
    ) {
        let read = Credential::read(channel, secret, &hosts());
        let address = read.map(|credential| {
            credential
                .address(channel, &Act::Post)
                .expose_secret()
                .to_owned()
        });
        assert_eq!(address.as_deref().map_err(String::as_str), expected);
    }

    #[rstest]
    #[case::path("Cannot POST /hooks/a1b2c3d4e5?sig=0123456789", "Cannot POST /…")]
    #[case::piece("no hook a1b2c3d4e5", "no hook …")]
    #[case::escaped("hooks\\/a1b2c3d4e5 0123456789", "hooks\\/… …")]
    #[case::whole(
        "https://hooks.slack.com/hooks/a1b2c3d4e5?sig=0123456789 is gone",
        "… is gone"
    )]
    #[case::signature("bad signature of whsec", "bad signature of …")]
    #[case::nothing("out of service", "out of service")]
    fn what_a_receiver_says_names_no_secret(#[case] said: &str, #[case] expected: &str) {
        let secret = r#"{"url": "https://hooks.slack.com/hooks/a1b2c3d4e5?sig=0123456789", "signing_secret": "whsec"}"#;
        let credential = Credential::read(Channel::Webhook, secret, &hosts()).unwrap();
        assert_eq!(credential.left_out_of(said), expected);
    }

    #[test]
    fn a_secret_is_shown_nowhere() {
        let secret = r#"{"url": "http://localhost/topsecret", "signing_secret": "alsosecret"}"#;
        let credential = Credential::read(Channel::Webhook, secret, &hosts()).unwrap();
        assert!(
            !format!("{credential:?}").contains("secret\""),
            "{credential:?}"
        );
        assert!(!format!("{credential:?}").contains("topsecret"));
    }
}

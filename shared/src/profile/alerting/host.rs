//! Which hosts messages may be sent to.

use std::fmt;
use std::net::IpAddr;

/// The hosts of the channels that Pipewarden knows: Slack, PagerDuty, workflows of Microsoft Teams.
const KNOWN: [&str; 7] = [
    "hooks.slack.com",
    "slack.com",
    "events.pagerduty.com",
    "events.eu.pagerduty.com",
    "*.webhook.office.com",
    "*.logic.azure.com",
    "*.environment.api.powerplatform.com",
];

/// A host, or every host below one: `*.logic.azure.com`. Always in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern(String);

impl HostPattern {
    pub(super) fn known() -> impl Iterator<Item = Self> {
        KNOWN.iter().map(|host| Self((*host).to_owned()))
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let host = text.trim().to_ascii_lowercase();
        if host.contains("://") || host.contains('/') {
            return Err(format!(
                "{text:?} is an address: name the host alone, such as alerts.example.com"
            ));
        }
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            // Addresses such as 169.254.169.254 answer from inside the cloud.
            let reason = "names an address; name a host, so that its certificate can be checked";
            return if ip.is_loopback() {
                Ok(Self(host))
            } else {
                Err(format!("{text:?} {reason}"))
            };
        }
        let name = host.strip_prefix("*.").unwrap_or(&host);
        if !is_name(name) {
            return Err(format!(
                "{text:?} is no host: expected a name such as alerts.example.com or *.example.com"
            ));
        }
        if name.len() < host.len() && !name.contains('.') {
            return Err(format!(
                "{text:?} is too wide: name at least two parts, such as *.example.com"
            ));
        }
        Ok(Self(host))
    }

    /// Whether it holds a host, which is written without a port.
    pub fn allows(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        match self.0.strip_prefix('*') {
            // Hosts of Azure and Power Platform have more than one part before what is common to all.
            Some(below) => host
                .strip_suffix(below)
                .is_some_and(|before| !before.is_empty() && is_name(&host)),
            None => self.0 == host,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a text is a host's name (RFC 1123, section 2.1): parts of letters, digits and inner hyphens.
fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        (1..=63).contains(&part.len())
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("alerts.example.com", "alerts.example.com", true)]
    #[case("alerts.example.com", "ALERTS.Example.com", true)]
    #[case("alerts.example.com", "alerts.example.com.evil.test", false)]
    #[case("alerts.example.com", "evil-alerts.example.com", false)]
    #[case("*.logic.azure.com", "prod-23.westeurope.logic.azure.com", true)]
    #[case("*.logic.azure.com", "logic.azure.com", false)]
    #[case("*.logic.azure.com", ".logic.azure.com", false)]
    #[case("*.logic.azure.com", "evillogic.azure.com", false)]
    #[case("*.logic.azure.com", "evil.test/x.logic.azure.com", false)]
    #[case("*.logic.azure.com", "evil.test@x.logic.azure.com", false)]
    #[case("127.0.0.1", "127.0.0.1", true)]
    fn allows_what_is_named(#[case] pattern: &str, #[case] host: &str, #[case] expected: bool) {
        assert_eq!(HostPattern::parse(pattern).unwrap().allows(host), expected);
    }

    #[rstest]
    #[case("https://alerts.example.com/hook", "is an address")]
    #[case("169.254.169.254", "names an address")]
    #[case("[fd00:ec2::254]", "names an address")]
    #[case("*", "is no host")]
    #[case("*.com", "is too wide")]
    #[case("alerts.*.com", "is no host")]
    #[case("alerts.example.com:443", "is no host")]
    #[case("", "is no host")]
    fn refuses_what_is_no_host(#[case] text: &str, #[case] expected: &str) {
        let error = HostPattern::parse(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn the_known_hosts_are_patterns() {
        for host in HostPattern::known() {
            assert_eq!(HostPattern::parse(&host.to_string()), Ok(host));
        }
    }
}

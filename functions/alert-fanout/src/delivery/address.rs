//! Addresses: only https, only hosts that are allowed, nothing that hides where it leads.

use pipewarden_shared::profile::alerting::HostPattern;
use std::net::IpAddr;

/// Where messages may be sent to.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// The hosts that the profile allows, and those of the known channels.
    pub allowed: Vec<HostPattern>,
    /// Whether this machine may be sent to as well, without TLS: the local cloud's receivers. In Lambda the loopback is
    /// the Runtime API.
    pub loopback: bool,
}

impl Hosts {
    /// Says why no message may be sent to an address.
    ///
    /// # Errors
    /// A few words that quote the host at most.
    pub fn check(&self, address: &str) -> Result<(), String> {
        let Some((scheme, rest)) = address.split_once("://") else {
            return Err("no URL".to_owned());
        };
        let odd = |letter: char| letter.is_control() || letter.is_whitespace() || letter == '\\';
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() || authority.contains('@') || address.contains(odd) {
            return Err("a URL that is not plain".to_owned());
        }
        let host = host(authority);
        if self.loopback && matches!(scheme, "http" | "https") && is_loopback(host) {
            return Ok(());
        }
        match scheme {
            "https" if self.allowed.iter().any(|pattern| pattern.allows(host)) => Ok(()),
            "https" => Err(format!(
                "a URL of {host}, which is not allowed: name the host in alerts.allowed_hosts of the profile"
            )),
            "http" => Err("an http URL; only https is sent to".to_owned()),
            _ => Err("no https URL".to_owned()),
        }
    }
}

/// The host without its port.
fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    let ip = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Whether an endpoint of AWS is a stand-in on this machine.
pub fn is_local(endpoint: &str) -> bool {
    let authority = endpoint
        .split_once("://")
        .map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    authority.is_some_and(|authority| is_loopback(host(authority)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipewarden_shared::profile::Alerts;
    use pipewarden_shared::profile::alerting::Alerting;
    use rstest::rstest;
    use std::collections::BTreeMap;

    fn hosts(loopback: bool) -> Hosts {
        let alerts = Alerts {
            allowed_hosts: vec!["alerts.example.com".to_owned()],
            ..Alerts::default()
        };
        let alerting = Alerting::resolve(&alerts, &BTreeMap::new()).unwrap();
        Hosts {
            allowed: alerting.allowed_hosts,
            loopback,
        }
    }

    #[rstest]
    #[case("https://hooks.slack.com/services/T/B/X", "")]
    #[case("https://events.pagerduty.com/v2/enqueue", "")]
    #[case("https://alerts.example.com:8443/a?b#c", "")]
    #[case("https://ALERTS.example.com", "")]
    #[case("https://example.com/a", "a URL of example.com, which is not allowed")]
    #[case(
        "https://alerts.example.com.evil.test/",
        "a URL of alerts.example.com.evil.test, which is not allowed"
    )]
    #[case("https://hooks.slack.com@evil.test/", "a URL that is not plain")]
    #[case("https://evil.test\\@hooks.slack.com/", "a URL that is not plain")]
    #[case("https://evil.test/\n@hooks.slack.com/", "a URL that is not plain")]
    #[case("https:///a", "a URL that is not plain")]
    #[case("http://hooks.slack.com/a", "an http URL; only https is sent to")]
    #[case(
        "http://127.0.0.1:9001/2018-06-01/runtime",
        "an http URL; only https is sent to"
    )]
    #[case("https://127.0.0.1/a", "a URL of 127.0.0.1, which is not allowed")]
    #[case(
        "https://169.254.169.254/latest/meta-data",
        "a URL of 169.254.169.254, which is not allowed"
    )]
    #[case("ftp://hooks.slack.com/a", "no https URL")]
    #[case("", "no URL")]
    fn only_https_to_hosts_that_are_allowed(#[case] address: &str, #[case] refused: &str) {
        match hosts(false).check(address) {
            Ok(()) => assert_eq!(refused, ""),
            Err(reason) => assert!(
                !refused.is_empty() && reason.starts_with(refused),
                "{reason}"
            ),
        }
    }

    #[rstest]
    #[case("http://127.0.0.1:8080/a", true)]
    #[case("http://[::1]:8080/a", true)]
    #[case("http://localhost/a", true)]
    #[case("http://localhost.evil.example/a", false)]
    #[case("http://127.0.0.1@evil.example/a", false)]
    #[case("http://10.0.0.1/a", false)]
    #[case("ftp://127.0.0.1/a", false)]
    fn beside_a_local_cloud_this_machine_as_well(#[case] address: &str, #[case] allowed: bool) {
        assert_eq!(hosts(true).check(address).is_ok(), allowed);
    }

    #[rstest]
    #[case("http://127.0.0.1:4566", true)]
    #[case("http://localhost:4566/", true)]
    #[case("https://dynamodb.eu-central-1.amazonaws.com", false)]
    #[case("http://127.0.0.1.evil.example", false)]
    fn knows_a_local_cloud(#[case] endpoint: &str, #[case] local: bool) {
        assert_eq!(is_local(endpoint), local);
    }
}

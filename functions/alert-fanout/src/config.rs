//! The configuration, read once per cold start.

use crate::delivery::{Contact, Courier, Hosts, Keyring, Services, is_local};
use crate::store::Dynamo;
use crate::success::Watched;
use jiff::Timestamp;
use pipewarden_shared::aws;
use pipewarden_shared::profile::alerting::{self, Alerting};
use pipewarden_shared::profile::{Alerts, Profile};
use pipewarden_shared::settings::{self, SettingsError};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What the function needs, built once per cold start.
#[derive(Debug)]
pub struct Fanout<S = Dynamo> {
    /// What is remembered; nothing where there is no table.
    pub store: Option<S>,
    /// Who gets what.
    pub alerting: Alerting,
    /// How they are reached.
    pub contacts: Vec<Contact>,
    /// Who carries messages.
    pub courier: Courier,
    /// The pipeline whose success ends its problems, where one is named.
    pub watched: Option<Watched>,
    /// What time it is.
    pub clock: Clock,
}

/// What time it is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The time of this machine.
    pub fn system() -> Self {
        Self::of(Timestamp::now)
    }

    /// A time of one's own making.
    pub fn of(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

impl Fanout {
    /// Reads the configuration and builds the clients.
    ///
    /// A profile that cannot be used does not keep alerts back: they go to every receiver that has a secret, and the
    /// log says why.
    ///
    /// # Errors
    /// [`SettingsError`] naming what is missing or wrong.
    pub fn from_settings() -> Result<Self, SettingsError> {
        let profile = profile();
        let alerting = alerting(profile.as_ref())?;
        for warning in &alerting.warnings {
            tracing::warn!("profile: alerts.{warning}");
        }
        if alerting.receivers.is_empty() {
            tracing::warn!(
                "no receiver is configured: alerts go to the topic's other subscribers only"
            );
        }
        let config = aws::sdk_config()?;
        let store = settings::optional("ALERT_TABLE")
            .map(|table| Dynamo::new(aws_sdk_dynamodb::Client::new(&config), table));
        if store.is_none() {
            tracing::warn!(
                "ALERT_TABLE is not set: alerts are not grouped, counted, collected or resolved"
            );
        }
        let hosts = Hosts {
            allowed: alerting.allowed_hosts.clone(),
            loopback: settings::optional("AWS_ENDPOINT_URL")
                .is_some_and(|endpoint| is_local(&endpoint)),
        };
        let keyring = Keyring {
            services: Services::new(config),
            hosts,
        };
        Ok(Self {
            store,
            contacts: Contact::all(&alerting.receivers),
            alerting,
            courier: Courier {
                connector: aws::connector()?,
                keyring,
            },
            watched: watched(profile.as_ref()),
            clock: Clock::system(),
        })
    }
}

fn profile() -> Option<Profile> {
    settings::optional("PIPELINE_PROFILE")?;
    Profile::from_settings()
        .inspect_err(
            |error| tracing::error!(error = %error, "alerts go to every receiver: {error}"),
        )
        .ok()
}

fn alerting(profile: Option<&Profile>) -> Result<Alerting, SettingsError> {
    let usual = Alerts::default();
    let alerts = profile.map_or(&usual, |profile| &profile.alerts);
    let resolved = |alerts: &Alerts| {
        let named = alerting::settings(alerts).into_iter();
        let settings: BTreeMap<String, String> = named
            .filter_map(|name| {
                let value = std::env::var(&name).ok()?.trim().to_owned();
                (!value.is_empty()).then_some((name, value))
            })
            .collect();
        Alerting::resolve(alerts, &settings)
    };
    resolved(alerts)
        .inspect_err(|problems| {
            let problems = problems.join("; ");
            tracing::error!(
                problems,
                "alerts go to every receiver: the profile's alerts: {problems}"
            );
        })
        .or_else(|_| resolved(&usual))
        .map_err(|problems| SettingsError::Unusable {
            part: "alerts".to_owned(),
            reason: problems.join("; "),
        })
}

fn watched(profile: Option<&Profile>) -> Option<Watched> {
    Some(Watched {
        state_machine: settings::optional("STATE_MACHINE_ARN")?,
        pipeline: profile?.pipeline.clone(),
        environment: settings::optional("ENVIRONMENT")?,
    })
}

//! Lambda as the function sees it: asynchronous invocations, tried three times, then the dead-letter queue.

use crate::clouds::{Shaky, World, live};
use crate::network::Network;
use alert_fanout::delivery::{Contact, Courier, Hosts, Keyring, Services};
use alert_fanout::success::Watched;
use alert_fanout::{Clock, Fanout, handle};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use pipewarden_shared::lambda::Invocation;
use pipewarden_shared::loopback;
use pipewarden_shared::profile::Profile;
use pipewarden_shared::profile::alerting::Alerting;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// The function's timeout.
const TIMEOUT: Duration = Duration::from_secs(60);

const PROFILE: &str = r#"
pipeline: sf_user
metrics: { namespace: Test }
alerts:
  receivers:
    - { name: slack, slack: { secret: "${SLACK_SECRET_ARN}" } }
    - { name: bot, slack: { secret: "${BOT_SECRET_ARN}", channel: C0123456789 } }
    - { name: teams, teams: { secret: "${TEAMS_SECRET_ARN}" } }
    - { name: pagerduty, pagerduty: { secret: "${PAGERDUTY_SECRET_ARN}" } }
    - { name: webhook, webhook: { secret: "${WEBHOOK_SECRET_ARN}" } }
  route:
    receiver: [slack, bot, teams, webhook]
    routes:
      - { matchers: ['severity="LOW"'], timing: digest }
      - { matchers: ['severity=~"CRITICAL|HIGH"'], receiver: [slack, bot, teams, pagerduty, webhook] }
  storm: { more_than: 20, window: 5m }
  digest: { every: 1d, at: '09:00' }
  allowed_hosts: [alerts.example.com]
"#;

/// Execution environments. Each knows by itself what it learnt of its receivers.
struct Slots {
    permits: Semaphore,
    free: Mutex<Vec<Arc<Fanout<Shaky>>>>,
}

/// The function, deployed.
pub(crate) struct Lambda {
    pub(crate) world: Arc<World>,
    fanout: Arc<Fanout<Shaky>>,
    /// Where only so many invocations run at a time.
    slots: Option<Slots>,
    /// Events that were given up.
    pub(crate) dead_letters: Mutex<Vec<String>>,
}

impl Lambda {
    /// With the world's store, or without any.
    pub(crate) fn deployed(world: Arc<World>, with_store: bool) -> Self {
        Self {
            fanout: Arc::new(fanout(&world, with_store)),
            world,
            slots: None,
            dead_letters: Mutex::default(),
        }
    }

    /// With the world's store, and so many invocations at a time.
    pub(crate) fn reserved(world: Arc<World>, concurrency: usize) -> Self {
        let free = (0..concurrency).map(|_| Arc::new(fanout(&world, true)));
        let slots = Slots {
            permits: Semaphore::new(concurrency),
            free: Mutex::new(free.collect()),
        };
        Self {
            slots: Some(slots),
            ..Self::deployed(world, true)
        }
    }

    /// One try.
    async fn attempt(&self, request: &str, event: &str) -> bool {
        let held = match &self.slots {
            Some(slots) => Some((slots.permits.acquire().await.unwrap(), slots)),
            None => None,
        };
        let free = held
            .as_ref()
            .map(|(_, slots)| slots.free.lock().unwrap().pop().unwrap());
        let fanout = free.as_ref().unwrap_or(&self.fanout);
        let mut invocation = Invocation::of(event, TIMEOUT);
        request.clone_into(&mut invocation.request_id);
        let answered = timeout(TIMEOUT, live(handle(Arc::clone(fanout), invocation))).await;
        if let Some(((_, slots), fanout)) = held.as_ref().zip(free) {
            slots.free.lock().unwrap().push(fanout);
        }
        matches!(answered, Ok(Some(Ok(_))))
    }

    /// Invokes the function asynchronously, `after` the world's begin.
    pub(crate) async fn invoke(&self, request: String, event: String, after: Duration) {
        sleep(after.saturating_sub(self.world.elapsed())).await;
        for wait in [60, 120, 0] {
            if self.attempt(&request, &event).await {
                return;
            }
            sleep(Duration::from_secs(wait)).await;
        }
        self.dead_letters.lock().unwrap().push(event);
    }
}

/// An execution environment of the function.
fn fanout(world: &Arc<World>, with_store: bool) -> Fanout<Shaky> {
    let profile = Profile::parse(PROFILE).unwrap();
    let settings = [
        ("SLACK_SECRET_ARN", "slack"),
        ("BOT_SECRET_ARN", "bot"),
        ("TEAMS_SECRET_ARN", "teams"),
        ("PAGERDUTY_SECRET_ARN", "pagerduty"),
        ("WEBHOOK_SECRET_ARN", "webhook"),
    ];
    let settings: BTreeMap<String, String> = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let alerting = Alerting::resolve(&profile.alerts, &settings).unwrap();
    let connector = SharedHttpConnector::new(Network(Arc::clone(world)));
    let to_aws = connector.clone();
    let config = loopback::sdk_config("http://127.0.0.1:1", "000000000001")
        .into_builder()
        .http_client(http_client_fn(move |_, _| to_aws.clone()))
        .build();
    let clock = Arc::clone(world);
    Fanout {
        store: with_store.then(|| Shaky(Arc::clone(world))),
        contacts: Contact::all(&alerting.receivers),
        courier: Courier {
            connector,
            keyring: Keyring {
                services: Services::new(config),
                hosts: Hosts {
                    allowed: alerting.allowed_hosts.clone(),
                    loopback: false,
                },
            },
        },
        alerting,
        watched: Some(Watched {
            state_machine: "arn:aws:states:eu-central-1:1:stateMachine:p0".to_owned(),
            pipeline: "p0".to_owned(),
            environment: "prod".to_owned(),
        }),
        clock: Clock::of(move || clock.now()),
    }
}

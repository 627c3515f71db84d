//! A storm of ten thousand alerts, receivers with every fault, a function that is killed anywhere: what arrives.
//!
//! Time is simulated and chance is seeded, so that a failure is found again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

mod clouds;
mod lambda;
mod network;
mod single;
mod taken;

use clouds::World;
use futures_util::future::join_all;
use lambda::Lambda;
use rstest::rstest;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use taken::Faults;

const RECEIVERS: [&str; 5] = ["slack", "bot", "teams", "pagerduty", "webhook"];

/// Messages of their own in a window; see the profile.
const MORE_THAN: usize = 20;

const WINDOW: Duration = Duration::from_secs(300);

/// A problem of the storm.
#[derive(Debug, Clone)]
struct Trouble {
    name: String,
    pipeline: usize,
    severity: &'static str,
}

impl Trouble {
    fn number(number: usize) -> Self {
        let pipeline = number % 50;
        // Only the first two pipelines have a CRITICAL failure, which holds back their MEDIUM and LOW ones.
        let severity = match (number / 50) % 20 {
            0 if pipeline < 2 => "CRITICAL",
            0..10 => "HIGH",
            10..18 => "MEDIUM",
            _ => "LOW",
        };
        Self {
            name: format!("problem-{number:05}"),
            pipeline,
            severity,
        }
    }

    /// Whether a receiver is meant to hear of it.
    fn concerns(&self, receiver: &str) -> bool {
        receiver != "pagerduty" || matches!(self.severity, "CRITICAL" | "HIGH")
    }

    fn may_be_held_back(&self) -> bool {
        self.pipeline < 2 && matches!(self.severity, "MEDIUM" | "LOW")
    }

    /// An alert about it, as SNS brings it.
    fn event(&self, world: &World, id: &str, status: &str, at: Duration) -> String {
        let at = world.base + jiff::SignedDuration::try_from(at).unwrap();
        let alert = json!({
            "version": 1,
            "id": id,
            "fingerprint": self.name,
            "status": status,
            "pipeline": format!("p{}", self.pipeline),
            "environment": "prod",
            "error_type": "glue_job_failure",
            "severity": self.severity,
            "diagnosis": {"cause": format!("{} is there", self.name)},
            "occurred_at": at.to_string(),
        });
        json!({"Records": [{"Sns": {"MessageId": id, "Message": alert.to_string()}}]}).to_string()
    }
}

/// What happens in a storm.
struct Plan {
    alerts: usize,
    problems: usize,
    /// Until when alerts come.
    length: Duration,
    /// Until when summaries are sent by the schedule.
    end: Duration,
}

/// Problems that were resolved for good, by name.
type Resolved = BTreeSet<String>;

/// Lets a storm happen, and says which problems there were and which of them ended.
async fn storm(lambda: &Lambda, seed: u64, plan: &Plan) -> (Vec<Trouble>, Resolved) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut events: Vec<(String, String, Duration)> = Vec::new();
    let mut happened: BTreeMap<usize, Duration> = BTreeMap::new();
    for index in 0..plan.alerts {
        let number = rng.usize(0..plan.problems);
        // Most come in one minute.
        let most = if rng.u8(0..10) < 7 {
            60_000
        } else {
            plan.length.as_millis() as u64
        };
        let at = Duration::from_millis(rng.u64(0..most));
        let event =
            Trouble::number(number).event(&lambda.world, &format!("alert-{index}"), "firing", at);
        // SNS brings some of them twice.
        if rng.u8(0..100) == 0 {
            let again = at + Duration::from_millis(rng.u64(0..2_000));
            events.push((format!("twin-{index}"), event.clone(), again));
        }
        events.push((format!("request-{index}"), event, at));
        let last = happened.entry(number).or_default();
        *last = at.max(*last);
    }
    let mut resolved = Resolved::new();
    for (number, last) in &happened {
        if rng.u8(0..10) == 0 {
            let trouble = Trouble::number(*number);
            let at = *last + Duration::from_millis(rng.u64(1..60_000));
            let event = trouble.event(&lambda.world, &format!("end-{number}"), "resolved", at);
            events.push((format!("end-{number}"), event, at));
            resolved.insert(trouble.name);
        }
    }
    let ticks = (1..)
        .map(|tick| WINDOW * tick + Duration::from_secs(7))
        .take_while(|at| *at < plan.end);
    events.extend(ticks.map(|at| (format!("tick-{}", at.as_secs()), DIGEST.to_owned(), at)));
    join_all(
        events
            .into_iter()
            .map(|(request, event, at)| lambda.invoke(request, event, at)),
    )
    .await;
    (
        happened.into_keys().map(Trouble::number).collect(),
        resolved,
    )
}

const DIGEST: &str = "{\"pipewarden\": \"digest\"}";

/// Every problem was told to everybody it concerns, or waits in the dead-letter queue.
fn assert_nothing_is_lost(lambda: &Lambda, troubles: &[Trouble]) {
    let letters = lambda.dead_letters.lock().unwrap();
    let waiting: BTreeSet<String> = letters.iter().filter_map(|event| name_in(event)).collect();
    let taken = lambda.world.taken();
    for receiver in RECEIVERS {
        for trouble in troubles
            .iter()
            .filter(|trouble| trouble.concerns(receiver) && !trouble.may_be_held_back())
        {
            assert!(
                taken[receiver].knows(&trouble.name) || waiting.contains(&trouble.name),
                "{receiver} never heard of {trouble:?}, and it is in no queue"
            );
        }
    }
}

fn name_in(event: &str) -> Option<String> {
    let at = event.find("problem-")?;
    event.get(at..at + 13).map(str::to_owned)
}

/// What a person sees stays within the bound that the documentation states.
fn assert_bounded(lambda: &Lambda, plan: &Plan) {
    // The last try of an alert begins up to six minutes after it came, and takes a minute.
    let busy = plan.length + Duration::from_secs(7 * 60);
    let windows = busy.as_secs().div_ceil(WINDOW.as_secs()) as usize;
    let taken = lambda.world.taken();
    for (receiver, taken) in taken.iter() {
        let alone: usize = taken.alone.values().sum();
        let urgent = taken.alone.iter().filter(|(name, _)| is_critical(name));
        let urgent: usize = urgent.map(|(_, count)| count).sum();
        let gone: usize = taken.gone.values().sum();
        let doubts = taken.doubtful;
        println!(
            "{receiver}: {alone} alone, {gone} ends, {} summaries of {} problems, {doubts} in doubt, {windows} windows",
            taken.summaries,
            taken.summarised.len()
        );
        assert!(
            alone - urgent <= MORE_THAN * windows + doubts,
            "{receiver}: {alone} messages in {windows} windows, {urgent} about CRITICAL problems"
        );
        assert!(
            alone <= 2 * MORE_THAN * windows + doubts,
            "{receiver}: {alone} messages in {windows} windows"
        );
        assert!(
            taken.summaries <= 2 * windows + 1 + doubts,
            "{receiver}: {} summaries",
            taken.summaries
        );
        assert!(
            gone <= alone + doubts,
            "{receiver}: {gone} ends of {alone} problems"
        );
    }
}

fn is_critical(name: &str) -> bool {
    let number = name.trim_start_matches("problem-").parse().unwrap();
    Trouble::number(number).severity == "CRITICAL"
}

/// Puts what is in the dead-letter queue through the function again, and sends what is due.
async fn redrive(lambda: &Lambda) {
    let letters = std::mem::take(&mut *lambda.dead_letters.lock().unwrap());
    let begin = lambda.world.elapsed();
    let again = letters.into_iter().enumerate();
    let again =
        again.map(|(index, event)| lambda.invoke(format!("redriven-{index}"), event, begin));
    join_all(again).await;
    let day = Duration::from_secs(24 * 60 * 60);
    lambda
        .invoke("last".to_owned(), DIGEST.to_owned(), begin + day)
        .await;
}

#[rstest]
#[case(1, 10_000)]
#[case(2, 2_000)]
#[case(3, 2_000)]
#[tokio::test(start_paused = true)]
async fn nothing_is_lost_and_what_a_person_sees_is_bounded(
    #[case] seed: u64,
    #[case] alerts: usize,
) {
    fastrand::seed(seed);
    let mut world = World::new(
        seed,
        Faults {
            kill: 4,
            receiver: 25,
            store: 0,
        },
    );
    world.outage = Some((
        "webhook",
        Duration::from_secs(600),
        Duration::from_secs(1_300),
    ));
    let lambda = Lambda::deployed(Arc::new(world), true);
    let plan = Plan {
        alerts,
        problems: alerts * 2 / 5,
        length: Duration::from_secs(1_800),
        end: Duration::from_secs(4_200),
    };
    let (troubles, resolved) = storm(&lambda, seed, &plan).await;
    assert!(troubles.len() > alerts / 3);
    assert_nothing_is_lost(&lambda, &troubles);
    assert_bounded(&lambda, &plan);
    let given_up = lambda.dead_letters.lock().unwrap().len();
    assert!(given_up > 0, "the outage was long enough to give up");

    lambda.world.set_faults(Faults::default());
    redrive(&lambda).await;
    assert_eq!(
        lambda.dead_letters.lock().unwrap().len(),
        0,
        "everybody takes everything now"
    );
    assert_nothing_is_lost(&lambda, &troubles);
    for receiver in RECEIVERS {
        assert_eq!(lambda.world.pending(receiver).await, 0, "{receiver}");
    }
    let taken = lambda.world.taken();
    let urgent = troubles.iter().filter(|one| one.severity == "CRITICAL");
    let told_alone =
        |one: &Trouble| RECEIVERS.map(|name| taken[name].alone.contains_key(&one.name));
    let told_alone: Vec<_> = urgent.map(told_alone).collect();
    assert!(told_alone.len() >= 2);
    assert!(
        told_alone.iter().flatten().all(|told| *told),
        "no CRITICAL problem is only a line of a summary: {told_alone:?}"
    );
    // Who was told in a message of its own that it fires was told so of its end, and of nothing else's.
    for receiver in RECEIVERS {
        for (name, last) in &taken[receiver].last {
            let expected = if resolved.contains(name) {
                "gone"
            } else {
                "fires"
            };
            assert_eq!(*last, expected, "{receiver}: the last word on {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_faults_each_problem_is_told_exactly_once() {
    fastrand::seed(4);
    let lambda = Lambda::deployed(Arc::new(World::new(4, Faults::default())), true);
    let plan = Plan {
        alerts: 1_000,
        problems: 18,
        length: Duration::from_secs(1_000),
        end: Duration::from_secs(2_000),
    };
    let (troubles, resolved) = storm(&lambda, 4, &plan).await;
    assert_nothing_is_lost(&lambda, &troubles);
    let taken = lambda.world.taken();
    for receiver in RECEIVERS {
        let taken = &taken[receiver];
        assert_eq!(taken.summaries, 0, "no storm");
        assert!(
            taken.alone.values().all(|count| *count == 1),
            "{:?}",
            taken.alone
        );
        let ended: BTreeSet<String> = taken.gone.keys().cloned().collect();
        assert_eq!(ended, resolved);
        assert!(
            taken.gone.values().all(|count| *count == 1),
            "{:?}",
            taken.gone
        );
    }
}

/// With the store gone for good, or missing: alerts go out all the same, each by itself.
#[rstest]
#[case::absent(false, 0)]
#[case::down(true, 1_000)]
#[case::faltering(true, 100)]
#[tokio::test(start_paused = true)]
async fn without_the_store_alerts_go_out_all_the_same(
    #[case] with_store: bool,
    #[case] store: u32,
) {
    fastrand::seed(5);
    let faults = Faults {
        store,
        ..Faults::default()
    };
    let lambda = Lambda::deployed(Arc::new(World::new(5, faults)), with_store);
    let plan = Plan {
        alerts: 300,
        problems: 100,
        length: Duration::from_secs(600),
        end: Duration::from_secs(900),
    };
    let (troubles, resolved) = storm(&lambda, 5, &plan).await;
    lambda.world.set_faults(Faults::default());
    redrive(&lambda).await;
    assert_nothing_is_lost(&lambda, &troubles);
    assert_eq!(lambda.dead_letters.lock().unwrap().len(), 0);
    assert!(!resolved.is_empty());
    let taken = lambda.world.taken();
    // What a retry put into a storm's summary is closed with the incident of the storm, by people.
    let summarised = |name: &&String| taken["pagerduty"].summarised.contains(*name);
    for name in resolved.iter().filter(|name| !summarised(name)) {
        let last = taken["pagerduty"].last.get(name);
        assert!(
            last.is_none_or(|last| *last == "gone"),
            "an incident is left open: {name}"
        );
    }
}

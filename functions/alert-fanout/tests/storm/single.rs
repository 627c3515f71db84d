//! One thing that goes wrong, and what it must not take with it.

use crate::clouds::World;
use crate::lambda::Lambda;
use crate::taken::Faults;
use crate::{RECEIVERS, Trouble};
use futures_util::future::{join, join_all};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The most invocations at a time; see FanoutConcurrency of the template.
const CONCURRENCY: usize = 5;

fn second(second: u64) -> Duration {
    Duration::from_secs(second)
}

/// The end of a good run of the watched pipeline.
fn success(world: &World, at: Duration) -> String {
    let at = world.base + jiff::SignedDuration::try_from(at).unwrap();
    json!({
        "id": "success",
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "time": at.to_string(),
        "detail": {
            "executionArn": "arn:aws:states:eu-central-1:1:execution:p0:run-2",
            "stateMachineArn": "arn:aws:states:eu-central-1:1:stateMachine:p0",
            "status": "SUCCEEDED",
            "stopDate": at.as_millisecond(),
        },
    })
    .to_string()
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_holds_up_no_page() {
    fastrand::seed(6);
    let mut world = World::new(6, Faults::default());
    world.hung = Some("slack");
    let lambda = Lambda::reserved(Arc::new(world), CONCURRENCY);
    let storm = join_all((0..15).map(|number| {
        let at = second(1);
        let event = Trouble::number(number).event(&lambda.world, "a", "firing", at);
        lambda.invoke(format!("request-{number}"), event, at)
    }));
    let late = Trouble::number(50);
    let event = late.event(&lambda.world, "b", "firing", second(60));
    let page = lambda.invoke("page".to_owned(), event, second(60));
    join(storm, page).await;
    let taken = lambda.world.taken();
    let paged = taken["pagerduty"].first[&late.name];
    assert!(paged < second(90), "the page waited until {paged:?}");
    assert_eq!(taken["pagerduty"].alone.len(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_success_that_the_table_did_not_take_ends_the_problems_later() {
    fastrand::seed(7);
    let world = World::new(7, Faults::default());
    let lambda = Lambda::deployed(Arc::new(world), true);
    let trouble = Trouble::number(0);
    let firing = trouble.event(&lambda.world, "a", "firing", second(1));
    lambda.invoke("fires".to_owned(), firing, second(1)).await;

    let fails = Faults {
        store: 1_000,
        ..Faults::default()
    };
    lambda.world.set_faults(fails);
    let event = success(&lambda.world, second(10));
    let ends = lambda.invoke("ends".to_owned(), event, second(10));
    let mended = async {
        sleep(second(30)).await;
        lambda.world.set_faults(Faults::default());
    };
    join(ends, mended).await;
    let taken = lambda.world.taken();
    for receiver in RECEIVERS {
        assert_eq!(
            taken[receiver].gone.get(&trouble.name),
            Some(&1),
            "{receiver}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_the_table_did_not_take_is_ended_by_the_next_success() {
    fastrand::seed(9);
    let fails = Faults {
        store: 1_000,
        ..Faults::default()
    };
    let lambda = Lambda::deployed(Arc::new(World::new(9, fails)), true);
    let trouble = Trouble::number(0);
    let firing = trouble.event(&lambda.world, "a", "firing", second(1));
    let fires = lambda.invoke("fires".to_owned(), firing, second(1));
    let mended = async {
        sleep(second(30)).await;
        assert_eq!(lambda.world.taken()["pagerduty"].alone.len(), 1, "at once");
        lambda.world.set_faults(Faults::default());
    };
    join(fires, mended).await;
    let event = success(&lambda.world, second(100));
    lambda.invoke("ends".to_owned(), event, second(100)).await;
    let taken = lambda.world.taken();
    for receiver in RECEIVERS {
        assert_eq!(taken[receiver].last[&trouble.name], "gone", "{receiver}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_incident_that_was_opened_without_the_table_is_closed() {
    fastrand::seed(8);
    let lambda = Lambda::deployed(Arc::new(World::new(8, Faults::default())), true);
    let trouble = Trouble::number(0);
    let say = async |id: &str, status: &str, at: u64| {
        let event = trouble.event(&lambda.world, id, status, second(at));
        lambda.invoke(id.to_owned(), event, second(at)).await;
    };
    say("a", "firing", 1).await;
    say("b", "resolved", 2).await;
    let fails = Faults {
        store: 1_000,
        ..Faults::default()
    };
    lambda.world.set_faults(fails);
    say("c", "firing", 10).await;
    assert_eq!(
        lambda.world.taken()["pagerduty"].last[&trouble.name],
        "fires"
    );
    lambda.world.set_faults(Faults::default());
    say("d", "resolved", 20).await;
    assert_eq!(
        lambda.world.taken()["pagerduty"].last[&trouble.name],
        "gone"
    );
}

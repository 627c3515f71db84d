//! Decide: whether an event says that a run of the watched pipeline succeeded.

use crate::inbound::Notice;
use jiff::Timestamp;
use pipewarden_shared::event::Field;
use pipewarden_shared::execution::Execution;
use pipewarden_shared::profile::alerting::{Label, Labels};

/// The pipeline that the function watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The ARN of its state machine.
    pub state_machine: String,
    /// Its name in alerts.
    pub pipeline: String,
    /// The environment in alerts.
    pub environment: String,
}

/// A run that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Success {
    /// The event's id.
    pub id: String,
    /// The run's name.
    pub run: String,
    /// The pipeline's name in alerts.
    pub pipeline: String,
    /// The environment in alerts.
    pub environment: String,
    /// When the run ended.
    pub at: Timestamp,
}

impl Watched {
    /// Says of an alarm of this pipeline's stack which pipeline it is of: the stack names its alarms after the state
    /// machine.
    pub fn place(&self, labels: &mut Labels) {
        let machine = self.state_machine.rsplit(':').next().unwrap_or_default();
        let alarm = Label::Alarm.of(labels).strip_prefix(machine);
        let is_own = !machine.is_empty() && alarm.is_some_and(|name| name.starts_with('-'));
        if is_own {
            labels.insert(Label::Pipeline.as_str(), self.pipeline.clone());
            labels.insert(Label::Environment.as_str(), self.environment.clone());
        }
    }

    /// The success that a notice tells of.
    ///
    /// A run's end counts, not its start: a run that failed and was redriven keeps the time at which it first started.
    pub fn success(&self, notice: &Notice, now: Timestamp) -> Option<Success> {
        let Notice::Event(event) = notice else {
            return None;
        };
        let raw = Field::named("event", &event.raw);
        let detail = raw.get("detail");
        let text = |name: &str| detail.get(name).text().ok().flatten();
        let is_success = event.source == "aws.states"
            && event.detail_type == "Step Functions Execution Status Change"
            && text("status") == Some("SUCCEEDED")
            && text("stateMachineArn") == Some(&self.state_machine);
        if !is_success {
            return None;
        }
        let end = detail
            .get("stopDate")
            .timestamp()
            .ok()
            .flatten()
            .or(event.time);
        Some(Success {
            id: event.id.clone(),
            run: Execution::from_id(text("executionArn")?).name,
            pipeline: self.pipeline.clone(),
            environment: self.environment.clone(),
            at: end.map_or(now, |end| end.min(now)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn watched() -> Watched {
        Watched {
            state_machine: "arn:aws:states:eu-central-1:123456789012:stateMachine:sf-user-dev"
                .to_owned(),
            pipeline: "sf_user".to_owned(),
            environment: "dev".to_owned(),
        }
    }

    fn success(change: impl FnOnce(&mut Value)) -> Option<Success> {
        let mut event = json!({
            "id": "e1",
            "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change",
            "time": "2026-03-01T07:00:00Z",
            "detail": {
                "executionArn": "arn:aws:states:eu-central-1:123456789012:execution:sf-user-dev:run-2",
                "stateMachineArn": "arn:aws:states:eu-central-1:123456789012:stateMachine:sf-user-dev",
                "status": "SUCCEEDED",
                "startDate": 1_772_345_000_000_i64,
                "stopDate": 1_772_346_000_000_i64,
            },
        });
        change(&mut event);
        let notice = inbound::parse(&event).unwrap().remove(0);
        watched().success(&notice, "2026-03-02T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_end_of_a_run_of_the_watched_pipeline_counts() {
        let found = success(|_| {}).unwrap();
        assert_eq!(
            (
                found.pipeline.as_str(),
                found.environment.as_str(),
                found.run.as_str()
            ),
            ("sf_user", "dev", "run-2")
        );
        assert_eq!(found.at, "2026-03-01T06:20:00Z".parse().unwrap());
        let undated = success(|event| event["detail"]["stopDate"] = Value::Null).unwrap();
        assert_eq!(undated.at, "2026-03-01T07:00:00Z".parse().unwrap());
    }

    #[rstest]
    #[case("sf-user-dev-GlueJobFailureAlarm", "sf_user")]
    #[case::another_environment("sf-user-dev2-GlueJobFailureAlarm", "")]
    #[case::another_pipeline("orders-dev-GlueJobFailureAlarm", "")]
    #[case::the_machine_itself("sf-user-dev", "")]
    fn an_alarm_of_the_stack_is_known_by_its_name(#[case] alarm: &str, #[case] pipeline: &str) {
        let mut labels = Labels::from([("alarm", alarm.to_owned())]);
        watched().place(&mut labels);
        assert_eq!(Label::Pipeline.of(&labels), pipeline);
        let environment = if pipeline.is_empty() { "" } else { "dev" };
        assert_eq!(Label::Environment.of(&labels), environment);
    }

    #[test]
    fn nothing_else_does() {
        let others: [fn(&mut Value); 4] = [
            |event| event["detail"]["status"] = json!("FAILED"),
            |event| {
                event["detail"]["stateMachineArn"] =
                    json!("arn:aws:states:eu-central-1:1:stateMachine:other")
            },
            |event| event["detail-type"] = json!("Glue Job State Change"),
            |event| event["source"] = json!("my.own"),
        ];
        for change in others {
            assert_eq!(success(change), None);
        }
    }
}

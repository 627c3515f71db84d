//! How long a run usually takes, by those that succeeded last.

use aws_sdk_sfn::types::ExecutionListItem;
use pipewarden_shared::execution::StateMachine;

/// How many of the last runs that succeeded are looked at.
pub(super) const LAST: i32 = 20;

/// Fewer runs do not tell what is usual.
const FEWEST: usize = 3;

/// The ARN of the state machine of an execution.
pub(super) fn machine_of(execution: &str) -> Option<String> {
    StateMachine::of_execution(execution)?;
    let (machine, _) = execution.rsplit_once(':')?;
    Some(machine.replacen(":execution:", ":stateMachine:", 1))
}

/// The median of what runs took, in seconds; nothing where there are few.
pub(super) fn seconds(runs: &[ExecutionListItem]) -> Option<f64> {
    let took = |run: &ExecutionListItem| {
        let seconds = run.stop_date?.as_secs_f64() - run.start_date.as_secs_f64();
        (seconds >= 0.0).then_some(seconds)
    };
    let mut durations: Vec<f64> = runs.iter().filter_map(took).collect();
    durations.sort_unstable_by(f64::total_cmp);
    let middle = durations.get(durations.len() / 2).copied();
    middle.filter(|_| durations.len() >= FEWEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::primitives::DateTime;
    use rstest::rstest;

    fn run(start: f64, stop: Option<f64>) -> ExecutionListItem {
        let time = DateTime::from_secs_f64;
        ExecutionListItem::builder()
            .execution_arn("e")
            .state_machine_arn("m")
            .name("n")
            .status(aws_sdk_sfn::types::ExecutionStatus::Succeeded)
            .start_date(time(start))
            .set_stop_date(stop.map(time))
            .build()
            .unwrap()
    }

    #[rstest]
    #[case::median(&[(0.0, Some(600.0)), (5.0, Some(65.0)), (0.0, Some(60.0)), (0.0, Some(70.5))], Some(70.5))]
    #[case::few(&[(0.0, Some(60.0)), (0.0, Some(60.0))], None)]
    #[case::none(&[], None)]
    #[case::what_has_no_length_counts_not(&[(0.0, Some(60.0)), (0.0, Some(60.0)), (0.0, None), (9.0, Some(1.0))], None)]
    fn what_is_usual_is_the_middle(
        #[case] runs: &[(f64, Option<f64>)],
        #[case] expected: Option<f64>,
    ) {
        let runs: Vec<_> = runs
            .iter()
            .map(|(start, stop)| run(*start, *stop))
            .collect();
        assert_eq!(seconds(&runs), expected);
    }

    #[test]
    fn an_execution_names_its_state_machine() {
        let of = |arn: &str| machine_of(arn);
        assert_eq!(
            of("arn:aws-cn:states:cn-north-1:1:execution:sf-user:a").as_deref(),
            Some("arn:aws-cn:states:cn-north-1:1:stateMachine:sf-user")
        );
        assert_eq!(of("arn:aws:states:eu-west-1:1:express:sf-user:a:b"), None);
        assert_eq!(of("run-1"), None);
    }
}

//! Decide: what to do and where to look, by error type, filled in with the names of this run.

mod engines;

use pipewarden_shared::failure::{ErrorType, Escalation};

/// Names of this run that advice is filled in with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The Glue job.
    pub glue_job: Option<String>,
    /// Its run.
    pub glue_run: Option<String>,
    /// The group of its logs.
    pub glue_log_group: Option<String>,
    /// The function that runs dbt.
    pub dbt_runner: Option<String>,
    /// The EMR cluster.
    pub cluster: Option<String>,
    /// Its step.
    pub step: Option<String>,
    /// The S3 bucket.
    pub bucket: Option<String>,
    /// The Athena query.
    pub query_id: Option<String>,
    /// ARN or name of the execution.
    pub execution: String,
}

/// What a person should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The part of the system, in a word or two.
    pub category: &'static str,
    /// What to do, in order.
    pub actions: Vec<String>,
    /// Where to look, in order.
    pub steps: Vec<String>,
    /// Who can act on it.
    pub escalate_to: Escalation,
}

/// The advice for an error type.
pub fn of(error_type: ErrorType, names: &Names) -> Advice {
    match error_type {
        ErrorType::GlueJobFailure => glue_job(names),
        ErrorType::ValidationFailure => validation(names),
        ErrorType::DataQualityFailure => data_quality(names),
        ErrorType::DbtRunFailure => dbt_run(names),
        ErrorType::DbtTestFailure => dbt_test(names),
        ErrorType::ScdValidationFailure => scd_validation(names),
        ErrorType::OrchestrationFailure => Advice {
            category: "Orchestration",
            actions: lines(&[
                "The pipeline itself failed, not its data: look at which service refused.",
                RERUN,
            ]),
            steps: vec![history(names)],
            escalate_to: Escalation::PlatformTeam,
        },
        ErrorType::UnknownError => Advice {
            category: "Unknown",
            actions: lines(&[
                "Read the raw event in this alert; it is not of a kind that Pipewarden knows.",
                "Check what sends it: the Payload of the task that calls the error handler.",
            ]),
            steps: vec![history(names)],
            escalate_to: Escalation::OnCall,
        },
        ErrorType::EmrStepFailure => engines::emr_step(names),
        ErrorType::RedshiftCopyFailure => engines::redshift_copy(names),
        ErrorType::S3Permission => engines::s3_permission(names),
        ErrorType::SnowflakeExternalTable => engines::snowflake_external_table(names),
        ErrorType::DbConnectivity => engines::db_connectivity(names),
        ErrorType::TerraformApply => engines::terraform_apply(),
        ErrorType::QueryFailure => engines::query(names),
    }
}

const RERUN: &str =
    "Start the state machine again when the cause is gone; the load replaces what it wrote.";

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn history(names: &Names) -> String {
    format!(
        "Read the execution's events: aws stepfunctions get-execution-history --reverse-order --execution-arn {}",
        names.execution
    )
}

fn job(names: &Names) -> &str {
    names.glue_job.as_deref().unwrap_or("<the Glue job>")
}

fn runner_log(names: &Names) -> String {
    let runner = names.dbt_runner.as_deref().unwrap_or("<the dbt runner>");
    format!("Read the runner's log: aws logs tail /aws/lambda/{runner} --since 3h")
}

fn glue_job(names: &Names) -> Advice {
    let job = job(names);
    let run = names.glue_run.as_deref().unwrap_or("<run id>");
    let logs = names.glue_log_group.as_deref().unwrap_or("/aws-glue/jobs");
    Advice {
        category: "Glue job",
        actions: vec![
            format!("Read why {job} failed in the message above; mend its input, its script or its role."),
            RERUN.to_owned(),
        ],
        steps: vec![
            format!("Look at the run: aws glue get-job-run --job-name {job} --run-id {run}"),
            format!("Read its log: aws logs tail {logs}/error --since 3h --log-stream-name-prefix {run}"),
            "Compare the input with that of the last good run: is it there, is it complete, is its schema the same?"
                .to_owned(),
        ],
        escalate_to: Escalation::OnCall,
    }
}

fn validation(names: &Names) -> Advice {
    Advice {
        category: "Validation",
        actions: lines(&[
            "The data was not judged: keep consumers off it until a validation has passed.",
            RERUN,
        ]),
        steps: vec![
            history(names),
            "Read the validator's log for the query id, and the query in the Athena console.".to_owned(),
            "Check that the tables of the profile are in the catalog and that the work group's scan limit fits them."
                .to_owned(),
        ],
        escalate_to: Escalation::OnCall,
    }
}

fn data_quality(names: &Names) -> Advice {
    let job = job(names);
    Advice {
        category: "Data quality",
        actions: lines(&[
            "Hold back consumers: dbt did not run on this load, the dimension is that of the last good run.",
            "Take the failed checks above to the owner of the source, with the sampled keys.",
            RERUN,
        ]),
        steps: vec![
            "Look at the sampled keys in the raw table and in the source.".to_owned(),
            format!("Compare this load with the last good one: rows, newest record, the extract's filter in {job}."),
            "If the data is right and the expectation is not, change the rule in the pipeline's profile.".to_owned(),
        ],
        escalate_to: Escalation::OnCall,
    }
}

fn dbt_run(names: &Names) -> Advice {
    Advice {
        category: "dbt run",
        actions: lines(&[
            "Read which model failed and why; models after it were skipped.",
            "Revert or mend the model, then start the state machine again.",
        ]),
        steps: vec![
            runner_log(names),
            "Run the failed model by hand: dbt run --select <model>+".to_owned(),
            "Look for a change of the raw table's columns since the last good run.".to_owned(),
        ],
        escalate_to: Escalation::OnCall,
    }
}

fn dbt_test(names: &Names) -> Advice {
    Advice {
        category: "dbt test",
        actions: lines(&[
            "Read which test failed: a test that could not run says nothing about the data.",
            "Mend the data or the model; lower a test's severity only with its owner.",
        ]),
        steps: vec![
            "See the failing rows: dbt test --select <test> --store-failures".to_owned(),
            runner_log(names),
        ],
        escalate_to: Escalation::OnCall,
    }
}

fn scd_validation(names: &Names) -> Advice {
    Advice {
        category: "SCD2 integrity",
        actions: lines(&[
            "Hold back consumers of the dimension: a join on it can multiply or lose rows.",
            "Find the run that wrote the sampled keys' versions and rebuild them from the raw log.",
        ]),
        steps: vec![
            "Read the sampled keys' versions: SELECT * FROM <dimension> WHERE <key> = '<sample>' ORDER BY valid_from"
                .to_owned(),
            "Check whether two runs wrote at once, and whether late rows changed history.".to_owned(),
            history(names),
        ],
        escalate_to: Escalation::PlatformTeam,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_type_has_something_to_do_and_somewhere_to_look() {
        for error_type in ErrorType::ALL {
            let advice = of(*error_type, &Names::default());
            assert!(
                !advice.actions.is_empty() && !advice.steps.is_empty(),
                "{error_type}"
            );
        }
    }

    /// No type has another's advice; what the runbook says of each is in the alert.
    #[test]
    fn each_type_has_advice_of_its_own() {
        let categories: BTreeSet<&str> = ErrorType::ALL
            .iter()
            .map(|error_type| of(*error_type, &Names::default()).category)
            .collect();
        assert_eq!(categories.len(), ErrorType::ALL.len());
    }

    #[test]
    fn commands_are_filled_in() {
        let names = Names {
            glue_job: Some("load".to_owned()),
            glue_run: Some("jr_1".to_owned()),
            ..Names::default()
        };
        let advice = of(ErrorType::GlueJobFailure, &names);
        assert!(advice.steps[0].ends_with("aws glue get-job-run --job-name load --run-id jr_1"));
        let names = Names {
            cluster: Some("j-1".to_owned()),
            step: Some("s-1".to_owned()),
            ..names
        };
        let advice = of(ErrorType::EmrStepFailure, &names);
        assert!(advice.steps[0].ends_with("aws emr describe-step --cluster-id j-1 --step-id s-1"));
    }
}

//! Parse: what is to be validated.

use pipewarden_shared::dbt::TestResults;
use pipewarden_shared::event::{Field, InvalidEvent, unwrap_payload};
use pipewarden_shared::execution::RunContext;
use pipewarden_shared::glue::JobRun;
use pipewarden_shared::metric::Environment;
use pipewarden_shared::profile::{Dataset, Profile};
use serde_json::Value;

/// What a validation looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// The load: the job's end, and the datasets that it wrote.
    GlueJobResults(JobRun),
    /// The dimension: its history, and the dbt tests of the run.
    ScdIntegrity(TestResults),
    /// One dataset of the profile, by name.
    Dataset,
}

/// A validation to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'p> {
    /// What it looks at.
    pub subject: Subject,
    /// The datasets, by name.
    pub datasets: Vec<(&'p str, &'p Dataset)>,
    /// ARN or name of the execution.
    pub execution_id: String,
    /// Where it ran.
    pub environment: Environment,
    /// When the run began: what was recorded since is the run's.
    pub start_time: Option<jiff::Timestamp>,
}

impl<'p> Request<'p> {
    /// Reads the event of the contract against a profile.
    ///
    /// # Errors
    /// [`InvalidEvent`] naming the field that is missing or wrong.
    pub fn parse(mut event: Value, profile: &'p Profile) -> Result<Self, InvalidEvent> {
        unwrap_payload(&mut event, "dbt_test_result");
        let event = Field::event(&event)?;
        let validation_type = event.get("validation_type");
        let (subject, names) = match validation_type.text()? {
            Some("glue_job_results") => {
                let result = event.get("glue_job_result");
                let job =
                    JobRun::from_field(&result)?.ok_or_else(|| result.wrong("the job's run"))?;
                (
                    Subject::GlueJobResults(job),
                    profile.validations.glue_job_results.as_slice(),
                )
            }
            Some("scd_integrity") => (
                Subject::ScdIntegrity(TestResults::from_field(&event.get("dbt_test_result"))?),
                profile.validations.scd_integrity.as_slice(),
            ),
            Some("dataset") => (Subject::Dataset, [].as_slice()),
            _ => {
                return Err(
                    validation_type.wrong("one of glue_job_results, scd_integrity, dataset")
                );
            }
        };
        let datasets = match subject {
            Subject::Dataset => vec![dataset(&event, profile)?],
            _ => names
                .iter()
                .filter_map(|name| profile.datasets.get_key_value(name))
                .map(|(name, dataset)| (name.as_str(), dataset))
                .collect(),
        };
        if datasets.is_empty() {
            // A validation of nothing would pass.
            return Err(validation_type.wrong("a validation for which the profile names datasets"));
        }
        let run = RunContext::from_event(&event)?;
        Ok(Self {
            subject,
            datasets,
            execution_id: run.execution_id,
            environment: run.environment,
            start_time: run.start_time,
        })
    }
}

fn dataset<'p>(
    event: &Field<'_>,
    profile: &'p Profile,
) -> Result<(&'p str, &'p Dataset), InvalidEvent> {
    let field = event.get("dataset");
    let name = field.required_text(255)?;
    profile
        .datasets
        .get_key_value(name)
        .map(|(name, dataset)| (name.as_str(), dataset))
        .ok_or_else(|| {
            let known: Vec<_> = profile.datasets.keys().map(String::as_str).collect();
            field.wrong(&format!("a dataset of the profile ({})", known.join(", ")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn profile() -> Profile {
        Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap()
    }

    fn event(fields: Value) -> Value {
        let mut event = json!({
            "validation_type": "glue_job_results", "execution_id": "run-1", "environment": "dev",
            "glue_job_result": {"JobRunState": "SUCCEEDED"}
        });
        for (name, value) in fields.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    }

    #[test]
    fn a_validation_looks_at_the_datasets_that_the_profile_names() {
        let profile = profile();
        let names = |fields| -> Vec<String> {
            let request = Request::parse(event(fields), &profile).unwrap();
            request
                .datasets
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect()
        };
        assert_eq!(names(json!({})), ["sf_user_raw"]);
        assert_eq!(
            names(json!({"validation_type": "scd_integrity"})),
            ["dim_sf_user"]
        );
        let named = json!({"validation_type": "dataset", "dataset": "sf_user_raw"});
        assert_eq!(names(named), ["sf_user_raw"]);
    }

    #[rstest]
    #[case(json!({"validation_type": null}), "validation_type")]
    #[case(json!({"validation_type": "everything"}), "validation_type")]
    #[case(json!({"validation_type": "dataset"}), "dataset")]
    #[case(json!({"validation_type": "dataset", "dataset": "orders"}), "dataset")]
    #[case(json!({"glue_job_result": null}), "glue_job_result")]
    #[case(json!({"execution_id": null}), "execution_id")]
    #[case(json!({"environment": "a b"}), "environment")]
    #[case(json!({"start_time": true}), "start_time")]
    #[case(json!({"validation_type": "scd_integrity", "dbt_test_result": 1}), "dbt_test_result")]
    fn names_the_wrong_field(#[case] fields: Value, #[case] field: &str) {
        let error = Request::parse(event(fields), &profile()).unwrap_err();
        assert_eq!(error.field, field);
    }
}

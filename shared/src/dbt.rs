//! What dbt says of a run: its own `run_results.json` (schema v4 on), or the counters of a runner.

use crate::event::{Field, InvalidEvent};

/// What `dbt run` did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelResults {
    /// Models, snapshots and seeds that were built or tried; skipped ones are not among them.
    pub run: Option<f64>,
    /// Those of them that failed.
    pub failed: Option<f64>,
    /// How long it took, in seconds.
    pub duration_seconds: Option<f64>,
}

/// What `dbt test` found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestResults {
    /// Tests that passed.
    pub passed: Option<f64>,
    /// Tests that failed or could not run.
    pub failed: Option<f64>,
    /// Tests below their error threshold; they stop nothing.
    pub warned: Option<f64>,
    /// Those of `failed` that could not run: they say nothing about the data.
    pub errored: Option<f64>,
}

impl TestResults {
    /// Tests that passed and tests that said something about the data, for a score.
    ///
    /// A warning is evaluated and not passed; a test that could not run is neither. Where it is not told how many
    /// failed, there is no share.
    pub fn evaluated(&self) -> Option<(f64, f64)> {
        let passed = self.passed?;
        let failed = (self.failed? - self.errored.unwrap_or(0.0)).max(0.0);
        let evaluated = passed + failed + self.warned.unwrap_or(0.0);
        (evaluated > 0.0).then_some((passed, evaluated))
    }
}

/// The two kinds of node that a result can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    /// A model, snapshot or seed.
    Built,
    /// A data test or unit test.
    Test,
    /// A hook, or anything else.
    Other,
}

fn node(unique_id: &str) -> Node {
    match unique_id.split('.').next() {
        Some("model" | "snapshot" | "seed") => Node::Built,
        Some("test" | "unit_test") => Node::Test,
        _ => Node::Other,
    }
}

/// The status of each result about a node of this kind.
fn statuses<'a>(payload: &Field<'a>, kind: Node) -> Result<Option<Vec<&'a str>>, InvalidEvent> {
    let Some(results) = payload.get("results").array()? else {
        return Ok(None);
    };
    let mut statuses = Vec::with_capacity(results.len());
    for result in &results {
        let status = result.get("status");
        // `unique_id` has been there in every schema version; a result without one cannot be attributed.
        if node(result.get("unique_id").required_text(4096)?) == kind {
            statuses.push(status.text()?.ok_or_else(|| status.wrong("a dbt status"))?);
        }
    }
    Ok(Some(statuses))
}

fn count(statuses: &[&str], wanted: &[&str]) -> f64 {
    statuses
        .iter()
        .filter(|status| wanted.contains(status))
        .count() as f64
}

impl ModelResults {
    /// Reads a `dbt_run_result`: `{Payload: counters | run_results.json}`.
    ///
    /// # Errors
    /// [`InvalidEvent`] where a field is there and is not what the contract says.
    pub fn from_field(result: &Field<'_>) -> Result<Self, InvalidEvent> {
        let payload = payload(result)?;
        if let Some(statuses) = statuses(&payload, Node::Built)? {
            let failed = count(
                &statuses,
                &["error", "fail", "runtime error", "partial success"],
            );
            return Ok(Self {
                run: Some(failed + count(&statuses, &["success"])),
                failed: Some(failed),
                duration_seconds: payload.get("elapsed_time").amount()?,
            });
        }
        Ok(Self {
            run: payload.get("models_run").amount()?,
            failed: payload.get("models_failed").amount()?,
            duration_seconds: payload.get("run_duration_seconds").amount()?,
        })
    }
}

impl TestResults {
    /// Reads a `dbt_test_result`: `{Payload: counters | run_results.json}`.
    ///
    /// # Errors
    /// [`InvalidEvent`] where a field is there and is not what the contract says.
    pub fn from_field(result: &Field<'_>) -> Result<Self, InvalidEvent> {
        let payload = payload(result)?;
        if let Some(statuses) = statuses(&payload, Node::Test)? {
            let errored = count(&statuses, &["error", "runtime error"]);
            return Ok(Self {
                passed: Some(count(&statuses, &["pass"])),
                failed: Some(errored + count(&statuses, &["fail"])),
                warned: Some(count(&statuses, &["warn"])),
                errored: Some(errored),
            });
        }
        Ok(Self {
            passed: payload.get("tests_passed").amount()?,
            failed: payload.get("tests_failed").amount()?,
            warned: None,
            errored: None,
        })
    }
}

fn payload<'a>(result: &Field<'a>) -> Result<Field<'a>, InvalidEvent> {
    result.object()?;
    let payload = result.get("Payload");
    payload.object()?;
    // A runner's answer may be passed on without what Lambda's invocation puts around it.
    Ok(if payload.is_present() {
        payload
    } else {
        result.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tests(payload: Value) -> Result<TestResults, InvalidEvent> {
        let result = json!({ "Payload": payload });
        TestResults::from_field(&Field::named("dbt_test_result", &result))
    }

    fn models(payload: Value) -> Result<ModelResults, InvalidEvent> {
        let result = json!({ "Payload": payload });
        ModelResults::from_field(&Field::named("dbt_run_result", &result))
    }

    #[test]
    fn counts_what_dbt_built() {
        let results = models(json!({"elapsed_time": 4.5, "results": [
            {"unique_id": "model.sf.stg_user", "status": "success"},
            {"unique_id": "snapshot.sf.user", "status": "error", "message": null},
            {"unique_id": "model.sf.dim_user", "status": "skipped"},
            {"unique_id": "operation.sf.hook", "status": "success"},
        ]}))
        .unwrap();
        assert_eq!(
            results,
            ModelResults {
                run: Some(2.0),
                failed: Some(1.0),
                duration_seconds: Some(4.5)
            }
        );
    }

    #[test]
    fn a_test_that_could_not_run_says_nothing_about_the_data() {
        let results = tests(json!({"results": [
            {"unique_id": "test.sf.a", "status": "pass", "failures": 0},
            {"unique_id": "test.sf.b", "status": "fail", "failures": 3},
            {"unique_id": "test.sf.c", "status": "warn", "failures": 1},
            {"unique_id": "test.sf.d", "status": "error", "failures": null},
        ]}))
        .unwrap();
        assert_eq!((results.passed, results.failed), (Some(1.0), Some(2.0)));
        assert_eq!(results.evaluated(), Some((1.0, 3.0)));
    }

    #[test]
    fn counters_may_be_strings_and_absent() {
        let results = tests(json!({"tests_passed": "12"})).unwrap();
        assert_eq!((results.passed, results.failed), (Some(12.0), None));
        assert_eq!(results.evaluated(), None, "a share of an unknown number");
    }

    #[test]
    fn a_wrong_counter_is_named() {
        let error = models(json!({"models_run": "many"})).unwrap_err();
        assert_eq!(error.field, "dbt_run_result.Payload.models_run");
        let error = models(json!({"results": [{"status": "success"}]})).unwrap_err();
        assert_eq!(error.field, "dbt_run_result.Payload.results[0].unique_id");
    }
}

//! Names of a run in what a service says of it: the keys that its API uses, and the placeholders that they fill.

use serde_json::Value;
use std::collections::BTreeMap;

/// The longest name that is kept, in characters: an ARN has at most 2,048 (IAM reference).
const LONGEST: usize = 2_048;

/// Keys that mean the same wherever they are.
const KEYS: &[(&str, &str)] = &[
    ("JobName", "job"),
    ("JobRunId", "job_run"),
    ("LogGroupName", "log_group"),
    ("FunctionName", "function"),
    ("QueryExecutionId", "query_id"),
    ("WorkGroup", "work_group"),
    ("WorkgroupName", "work_group"),
    ("Database", "database"),
    ("DatabaseName", "database"),
    ("TableName", "table"),
    ("ClusterId", "cluster"),
    ("ClusterIdentifier", "cluster"),
    ("StepId", "step"),
    ("ApplicationId", "application"),
    ("MapRunArn", "map_run"),
    ("JobId", "job_id"),
    ("ProjectName", "project"),
    ("LogFile", "log_file"),
];

/// Keys that hold an ARN whose last part is the name.
const ARNS: &[(&str, &str)] = &[
    ("ClusterArn", "cluster"),
    ("Cluster", "cluster"),
    ("TaskArn", "task"),
];

/// Keys whose object is looked into.
const INSIDE: &[&str] = &[
    "QueryExecution",
    "QueryExecutionContext",
    "Step",
    "Status",
    "FailureDetails",
    "Cluster",
    "Build",
    "JobRun",
    "Tasks",
];

/// Adds the names in a JSON object; they replace those of what is around it.
pub(crate) fn gather(value: &Value, names: &mut BTreeMap<String, String>) {
    let Some(fields) = value.as_object() else {
        return;
    };
    let mut keep = |name: &str, text: &str| {
        if !text.trim().is_empty() && text.chars().nth(LONGEST).is_none() {
            names.insert(name.to_owned(), text.to_owned());
        }
    };
    for (key, name) in KEYS {
        if let Some(text) = fields.get(*key).and_then(Value::as_str) {
            keep(name, text);
        }
    }
    for (key, name) in ARNS {
        if let Some(arn) = fields.get(*key).and_then(Value::as_str) {
            keep(name, arn.rsplit('/').next().unwrap_or(arn));
        }
    }
    if let Some(function) = fields.get("FunctionName").and_then(Value::as_str) {
        keep("function", function_name(function));
    }
    // An `Id` is of whatever it stands in.
    if let Some(id) = fields.get("Id").and_then(Value::as_str) {
        match id.get(..2) {
            Some("jr") => keep("job_run", id),
            Some("s-") => keep("step", id),
            Some("j-") => keep("cluster", id),
            _ => {}
        }
    }
    for key in INSIDE {
        match fields.get(*key) {
            Some(Value::Array(items)) => items.iter().take(1).for_each(|item| gather(item, names)),
            Some(inside) => gather(inside, names),
            None => {}
        }
    }
}

/// A function's name in any way of writing it: a name, an ARN, either with a version or alias (Lambda API reference,
/// `FunctionName`).
pub(crate) fn function_name(function: &str) -> &str {
    let name = match function.split_once("function:") {
        Some((_, rest)) => rest,
        None => function,
    };
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("arn:aws:lambda:eu-central-1:123456789012:function:handler", "handler")]
    #[case(
        "arn:aws:lambda:eu-central-1:123456789012:function:handler:live",
        "handler"
    )]
    #[case("123456789012:function:handler", "handler")]
    #[case("handler:$LATEST", "handler")]
    #[case("handler", "handler")]
    fn functions_have_one_name(#[case] function: &str, #[case] name: &str) {
        assert_eq!(function_name(function), name);
    }
}

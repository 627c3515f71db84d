//! What each function may do by its role, and what it needs besides the calls in its sources.

use crate::template::{Template, canonical, either};
use serde_json::Value;
use std::collections::BTreeSet;

/// A function of the template.
pub(crate) struct Function {
    /// Its logical name.
    pub(crate) name: &'static str,
    /// Its crate's folder.
    pub(crate) folder: &'static str,
    /// Every name under which it fails.
    pub(crate) errors: &'static [&'static str],
}

/// All of them.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function {
        name: "MetricsPublisherFunction",
        folder: "functions/metrics-publisher",
        errors: metrics_publisher::ERRORS,
    },
    Function {
        name: "PipelineValidatorFunction",
        folder: "functions/pipeline-validator",
        errors: pipeline_validator::ERRORS,
    },
    Function {
        name: "ErrorHandlerFunction",
        folder: "functions/error-handler",
        errors: error_handler::ERRORS,
    },
    Function {
        name: "AlertFanoutFunction",
        folder: "functions/alert-fanout",
        errors: &[],
    },
];

/// Actions that a function needs although its sources call no such operation.
pub(crate) struct Implied {
    /// The functions; empty for all.
    pub(crate) functions: &'static [&'static str],
    /// The actions.
    pub(crate) actions: &'static [&'static str],
    /// The page that says so.
    pub(crate) source: &'static str,
}

/// What AWS does in a function's name.
pub(crate) const IMPLIED: &[Implied] = &[
    // Lambda writes the log and the traces, and has network interfaces made in a VPC.
    Implied {
        functions: &[],
        actions: &["logs:CreateLogStream", "logs:PutLogEvents"],
        source: "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    },
    Implied {
        functions: &[],
        actions: &["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        source: "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
    },
    Implied {
        functions: &[],
        actions: &[
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
        source: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
    },
    // Athena reads the catalog and the data, and writes the result, with the rights of who starts a query.
    Implied {
        functions: &["PipelineValidatorFunction"],
        actions: &[
            "glue:GetDatabase",
            "glue:GetTable",
            "glue:GetPartition",
            "glue:GetPartitions",
            "glue:BatchGetPartition",
        ],
        source: "https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html",
    },
    Implied {
        functions: &["PipelineValidatorFunction"],
        // Of these, the function itself reads and writes its results.
        actions: &[
            "s3:GetObject",
            "s3:PutObject",
            "s3:GetBucketLocation",
            "s3:ListBucket",
            "s3:AbortMultipartUpload",
        ],
        source: "https://docs.aws.amazon.com/athena/latest/ug/s3-permissions.html",
    },
    // And decrypts the one and encrypts the other, where they have keys of their own.
    Implied {
        functions: &["PipelineValidatorFunction"],
        actions: &["kms:Decrypt", "kms:GenerateDataKey"],
        source: "https://docs.aws.amazon.com/athena/latest/ug/encryption.html",
    },
    // Lambda sends what failed to the destination.
    Implied {
        functions: &["ErrorHandlerFunction", "AlertFanoutFunction"],
        actions: &["sqs:SendMessage"],
        source: "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
    },
    // Who publishes to an encrypted topic needs its key.
    Implied {
        functions: &["ErrorHandlerFunction"],
        actions: &["kms:GenerateDataKey", "kms:Decrypt"],
        source: "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    },
];

/// The actions that a function's role allows.
pub(crate) fn allowed(template: &Template, function: &str) -> BTreeSet<String> {
    let role = canonical(&template.properties(function)["Role"]);
    let role = role
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix(".Arn}"))
        .unwrap_or_else(|| panic!("{function}: {role} is no role of the template"));
    let role = template.properties(role);
    let mut documents: Vec<&Value> = role["Policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| &policy["PolicyDocument"])
        .collect();
    for managed in role["ManagedPolicyArns"].as_array().unwrap() {
        let name = managed["Ref"]
            .as_str()
            .unwrap_or_else(|| panic!("{function}: {managed} is no policy of the template"));
        documents.push(&template.properties(name)["PolicyDocument"]);
    }
    documents.into_iter().flat_map(actions).collect()
}

/// The actions that a policy allows.
pub(crate) fn actions(document: &Value) -> BTreeSet<String> {
    let statements = document["Statement"].as_array().unwrap();
    let mut found = BTreeSet::new();
    for statement in statements.iter().flat_map(either) {
        if statement["Effect"] == "Allow" {
            match &statement["Action"] {
                Value::Array(several) => found.extend(several.iter().map(canonical)),
                one => {
                    found.insert(canonical(one));
                }
            }
        }
    }
    found
}

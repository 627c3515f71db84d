//! What jobs, queries and tasks say: Glue, EMR, Athena, ECS.

use super::{Change, changed, console, facts, named};
use crate::inbound::event::{Event, Told};
use crate::inbound::json;
use pipewarden_shared::failure::Severity;
use serde_json::Value;

fn link(label: &str, page: String) -> (String, String) {
    (label.to_owned(), page)
}

pub(super) fn glue(event: &Event) -> Told {
    let detail = event.detail();
    let job = named(detail, &["/jobName"], "a job");
    let mut told = changed(
        Change {
            what: "Glue job",
            subject: job,
            state: named(detail, &["/state"], "changed"),
            reason: json::text(detail, "/message"),
            severity: Severity::High,
            error_type: Some("glue_job_failure"),
        },
        facts(detail, &[("Run", "/jobRunId"), ("State", "/state")]),
    );
    let page = console(event).zip(json::text(detail, "/jobRunId"));
    told.links
        .extend(page.map(|(console, run)| link("Job run", console.glue_run(&told.subject, &run))));
    told
}

pub(super) fn emr_step(event: &Event) -> Told {
    let detail = event.detail();
    let mut told = changed(
        Change {
            what: "EMR step",
            subject: named(detail, &["/name", "/stepId"], "a step"),
            state: named(detail, &["/state"], "changed"),
            reason: json::text(detail, "/message"),
            severity: Severity::High,
            error_type: Some("emr_step_failure"),
        },
        facts(
            detail,
            &[
                ("Cluster", "/clusterId"),
                ("Step", "/stepId"),
                ("State", "/state"),
                ("On failure", "/actionOnFailure"),
            ],
        ),
    );
    let page = console(event).zip(json::text(detail, "/clusterId"));
    told.links
        .extend(page.map(|(console, cluster)| link("Cluster", console.emr_cluster(&cluster))));
    told
}

pub(super) fn emr_serverless(event: &Event) -> Told {
    let detail = event.detail();
    changed(
        Change {
            what: "EMR Serverless job",
            subject: named(detail, &["/jobRunName", "/jobRunId"], "a job run"),
            state: named(detail, &["/state"], "changed"),
            reason: json::text(detail, "/stateDetails"),
            severity: Severity::High,
            error_type: Some("emr_step_failure"),
        },
        facts(
            detail,
            &[
                ("Application", "/applicationId"),
                ("Run", "/jobRunId"),
                ("Release", "/releaseLabel"),
                ("State", "/state"),
            ],
        ),
    )
}

pub(super) fn athena(event: &Event) -> Told {
    let detail = event.detail();
    let query = named(detail, &["/queryExecutionId"], "a query");
    let mut told = changed(
        Change {
            what: "Athena query",
            subject: query,
            state: named(detail, &["/currentState"], "changed"),
            reason: json::text(detail, "/athenaError/errorMessage"),
            severity: Severity::Medium,
            error_type: Some("query_failure"),
        },
        facts(
            detail,
            &[
                ("Work group", "/workgroupName"),
                ("Statement", "/statementType"),
                ("Error category", "/athenaError/errorCategory"),
                ("Retryable", "/athenaError/retryable"),
            ],
        ),
    );
    let page = console(event).map(|console| console.athena_query(&told.subject));
    told.links.extend(page.map(|page| link("Query", page)));
    told
}

pub(super) fn ecs_task(event: &Event) -> Told {
    let detail = event.detail();
    let exit_codes = detail.get("containers").and_then(Value::as_array);
    let failed = exit_codes
        .into_iter()
        .flatten()
        .any(|container| json::number(container, "/exitCode").is_some_and(|code| code != 0.0));
    let state = named(detail, &["/lastStatus"], "changed");
    let good = state == "STOPPED" && !failed;
    let mut told = changed(
        Change {
            what: "ECS task",
            subject: named(
                detail,
                &["/group", "/taskDefinitionArn", "/taskArn"],
                "a task",
            ),
            state,
            reason: json::text(detail, "/stoppedReason"),
            severity: Severity::High,
            error_type: Some("orchestration_failure"),
        },
        facts(
            detail,
            &[
                ("Stop code", "/stopCode"),
                ("Container", "/containers/0/name"),
                ("Exit code", "/containers/0/exitCode"),
                ("Reason", "/containers/0/reason"),
            ],
        ),
    );
    let stop_code = json::text(detail, "/stopCode");
    if good && stop_code.is_none_or(|code| code == "EssentialContainerExited") {
        (told.severity, told.error_type) = (Severity::Low, None);
    }
    told
}

pub(super) fn data_quality(event: &Event) -> Told {
    let detail = event.detail();
    let subject = named(
        detail,
        &["/context/tableName", "/context/jobName", "/rulesetNames/0"],
        "a rule set",
    );
    let mut told = changed(
        Change {
            what: "Data quality of",
            subject,
            state: named(detail, &["/state"], "changed"),
            reason: None,
            severity: Severity::High,
            error_type: Some("data_quality_failure"),
        },
        facts(
            detail,
            &[
                ("Database", "/context/databaseName"),
                ("Rules failed", "/numRulesFailed"),
                ("Rules passed", "/numRulesSucceeded"),
                ("Score", "/score"),
            ],
        ),
    );
    if let Some(failed) = json::number(detail, "/numRulesFailed") {
        told.summary = format!("{failed} rules failed on {}", told.subject);
    }
    told
}

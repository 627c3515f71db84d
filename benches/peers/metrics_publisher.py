"""The metrics publisher as a plain boto3 handler: the same event, metrics and answer, without the checks of its input."""

import json
import logging
import os
from datetime import datetime, timezone

import boto3

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)
cloudwatch = boto3.client("cloudwatch")
namespace = os.environ["METRICS_NAMESPACE"]


def handler(event, context):
    now = datetime.now(timezone.utc)
    environment = event["environment"]
    glue = event.get("glue_job_result") or {}
    models = payload(event, "dbt_run_result")
    tests = payload(event, "dbt_test_result")
    load = payload(event, "validation_result")
    history = payload(event, "scd_validation_result")
    duration = None
    if event.get("start_time"):
        start = datetime.fromisoformat(event["start_time"].replace("Z", "+00:00"))
        duration = max((now - start).total_seconds(), 0.0)
    records = (glue.get("Arguments") or {}).get("--records-processed") or load.get("records_processed")
    success = {"SUCCEEDED": 1.0, "FAILED": 0.0}.get(glue.get("JobRunState"))
    costs = [(result.get("cost") or {}).get("bytes_scanned") for result in (load, history)]
    values = [
        ("ExecutionDuration", "Seconds", None, duration),
        ("RecordsProcessed", "Count", "Ingestion", records),
        ("JobSuccess", "Count", "Ingestion", success),
        ("GlueJobDuration", "Seconds", "Ingestion", glue.get("ExecutionTime")),
        ("DbtModelsRun", "Count", "Transformation", models.get("models_run")),
        ("DbtModelsFailed", "Count", "Transformation", models.get("models_failed")),
        ("DbtTestsPassed", "Count", "Transformation", tests.get("tests_passed")),
        ("DbtTestsFailed", "Count", "Transformation", tests.get("tests_failed")),
        ("DbtRunDuration", "Seconds", "Transformation", models.get("run_duration_seconds")),
        ("DataQualityScore", "Percent", None, quality(load, tests)),
        ("SCDIntegrityScore", "Percent", None, history.get("integrity_score")),
        ("RecordsCreated", "Count", "SCD", history.get("scd_records_created")),
        ("RecordsUpdated", "Count", "SCD", history.get("scd_records_updated")),
        ("RecordsDeleted", "Count", "SCD", history.get("scd_records_deleted")),
        ("SCDValidationErrors", "Count", "SCD", history.get("validation_errors")),
        ("DataFreshness", "Seconds", None, load.get("data_freshness_seconds")),
        ("BytesScanned", "Bytes", None, sum(cost or 0 for cost in costs) if any(costs) else None),
    ]
    data = [datum(*value, environment, now) for value in values if value[3] is not None]
    for start in range(0, len(data), 20):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + 20])
    logger.info(json.dumps({"execution_id": event["execution_id"], "metrics_published": len(data)}))
    return {
        "statusCode": 200,
        "execution_id": event["execution_id"],
        "environment": environment,
        "metrics_published": len(data),
        "execution_duration_minutes": None if duration is None else round(duration / 60, 2),
    }


def payload(event, name):
    return (event.get(name) or {}).get("Payload") or {}


def quality(load, tests):
    checks = [check["passed"] for check in (load.get("validation_details") or {}).values()]
    passed = sum(checks) + tests.get("tests_passed", 0)
    evaluated = len(checks) + tests.get("tests_passed", 0) + tests.get("tests_failed", 0)
    return 100 * passed / evaluated if evaluated else None


def datum(name, unit, job_type, value, environment, now):
    dimensions = [{"Name": "Environment", "Value": environment}]
    if job_type:
        dimensions.append({"Name": "JobType", "Value": job_type})
    return {"MetricName": name, "Unit": unit, "Value": float(value), "Dimensions": dimensions, "Timestamp": now}

"""Two weeks of a pipeline that runs once a day, made up: what the preview of the dashboard shows.

On the ninth day the load failed, and was run again in the evening; on the last day the extract was wrong.
"""

from __future__ import annotations

import ast
import hashlib
import operator
from dataclasses import dataclass
from typing import Any

from emulator import LocalCloudError

DAYS = 14
FAILED_DAY, BAD_DAY = 8, 13

# Middle and spread of a usual day, by metric; 0 where a metric counts what goes wrong.
USUAL: dict[str, tuple[float, float]] = {
    "ExecutionsStarted": (1, 0),
    "ExecutionsSucceeded": (1, 0),
    "ExecutionsFailed": (0, 0),
    "ExecutionsTimedOut": (0, 0),
    "ExecutionsAborted": (0, 0),
    "ExecutionDuration": (1900, 350),
    "GlueJobDuration": (900, 180),
    "DbtRunDuration": (420, 60),
    "RecordsProcessed": (24000, 3000),
    "RecordsCreated": (180, 60),
    "RecordsUpdated": (2100, 500),
    "RecordsDeleted": (40, 20),
    "glue.driver.aggregate.numCompletedTasks": (1400, 150),
    "glue.driver.aggregate.numFailedTasks": (0, 0),
    "glue.driver.aggregate.numKilledTasks": (0, 0),
    "DataQualityScore": (99.2, 0.8),
    "SCDIntegrityScore": (99.9, 0.1),
    "SCDValidationErrors": (0, 0),
    "DataFreshness": (5400, 1500),
    "DbtModelsRun": (4, 0),
    "DbtTestsPassed": (8, 0),
    "DbtModelsFailed": (0, 0),
    "DbtTestsFailed": (0, 0),
    "BytesScanned": (3.1e9, 4e8),
    "Errors": (0, 0),
    "Throttles": (0, 0),
    "Duration validator": (2600, 600),
    "Duration metrics publisher": (140, 30),
    "Duration error handler": (900, 200),
    "Duration alert fan-out": (420, 120),
    "ApproximateNumberOfMessagesVisible": (0, 0),
}

# What is unlike a usual day, by metric and day.
UNUSUAL: dict[str, dict[int, float]] = {
    "ExecutionsStarted": {FAILED_DAY: 2, BAD_DAY: 1},
    "ExecutionsSucceeded": {BAD_DAY: 0},
    "ExecutionsFailed": {FAILED_DAY: 1, BAD_DAY: 1},
    "ExecutionDuration": {FAILED_DAY: 3950},
    "GlueJobDuration": {FAILED_DAY: 2700},
    "RecordsProcessed": {BAD_DAY: 15200},
    "RecordsCreated": {BAD_DAY: 0},
    "RecordsUpdated": {BAD_DAY: 0},
    "RecordsDeleted": {BAD_DAY: 0},
    "glue.driver.aggregate.numFailedTasks": {FAILED_DAY: 210},
    "DataQualityScore": {5: 94.1, BAD_DAY: 87.5},
    "DataFreshness": {BAD_DAY: 27500},
    "DbtModelsRun": {BAD_DAY: 0},
    "DbtTestsPassed": {BAD_DAY: 0},
    "SCDIntegrityScore": {11: 98.6},
    "SCDValidationErrors": {11: 1},
}

# The series that a search finds, by metric.
FOUND = {
    "PipelineErrors": {
        "glue_job_failure HIGH": {FAILED_DAY: 1.0},
        "data_quality_failure HIGH": {BAD_DAY: 1.0},
        "dbt_test_failure MEDIUM": {5: 1.0},
    }
}

STATES = {"DataQualityAlarm": "ALARM", "StepFunctionsFailureAlarm": "ALARM", "DataFreshnessAlarm": "ALARM"}
STATES["PipelineHealthCompositeAlarm"] = "ALARM"

LOGS = [
    ("day 14 04:31", "error-handler", "data_quality_failure", "2 of 16 checks failed; one alert was sent"),
    ("day 14 04:30", "pipeline-validator", "DataFreshness", "the newest system_modstamp is 7 h 38 min old, expected at most 6 h"),
    ("day 9 04:52", "states", "ExecutionFailed", "LoadUsers: s3://lake/raw/sf_user/part-0007 is not readable as Parquet"),
    ("day 9 04:52", "error-handler", "glue_job_failure", "malformed_data: a file of the extract cannot be read"),
]

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Series:
    """A line of a graph: a value a day, None where there is none."""

    label: str
    color: str
    right: bool
    values: list[float | None]


def usual_day(key: str, day: int) -> float:
    """A value near the middle, the same at each call."""
    middle, spread = USUAL[key]
    digest = hashlib.sha256(f"{key} {day}".encode()).digest()
    return middle + spread * (int.from_bytes(digest[:4], "big") / 2**31 - 1)


def of_metric(metric: str, label: str, stat: str) -> list[float | None]:
    """The values of a metric that a function or AWS publishes; its label tells apart what differs by function."""
    key = next((key for key in (f"{metric} {label}", metric) if key in USUAL), None)
    if key is None:
        raise LocalCloudError(f"the preview has no sample of the metric {metric} ({label})")
    unusual = UNUSUAL.get(metric, {})
    values = [unusual.get(day, usual_day(key, day)) for day in range(DAYS)]
    if metric.endswith("Score"):
        values = [min(value, 100.0) for value in values]
    # Of one run a day the 95th percentile is the run; a little below keeps both lines in sight.
    return [value * 0.97 for value in values] if stat == "p95" and metric == "ExecutionDuration" else list(values)


def of_search(expression: str) -> dict[str, list[float | None]]:
    """The series of a SEARCH, by their labels."""
    for metric, found in FOUND.items():
        if f'MetricName="{metric}"' in expression:
            return {label: [days.get(day) for day in range(DAYS)] for label, days in found.items()}
    raise LocalCloudError(f"the preview has no sample for {expression}")


def of_expression(expression: str, known: dict[str, list[float | None]]) -> list[float | None]:
    """Arithmetic over series and numbers."""

    def evaluate(node: Any, day: int) -> float | None:
        match node:
            case ast.Constant(value=value):
                return float(value)
            case ast.Name(id=name) if name in known:
                return known[name][day]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                sides = evaluate(left, day), evaluate(right, day)
                return None if None in sides else _OPERATORS[type(op)](*sides)
        raise LocalCloudError(f"the preview cannot work out {expression}")

    tree = ast.parse(expression, mode="eval").body
    return [evaluate(tree, day) for day in range(DAYS)]


def of_widget(properties: dict[str, Any]) -> list[Series]:
    """Every series of a metric widget."""
    known: dict[str, list[float | None]] = {}
    series = []
    palette = iter(["#d62728", "#ff7f0e", "#9467bd", "#8c564b", "#e377c2"])
    for entry in properties["metrics"]:
        options = entry[-1] if isinstance(entry[-1], dict) else {}
        right = options.get("yAxis") == "right"
        expression = options.get("expression", "")
        if expression.startswith("SEARCH"):
            series += [Series(label, next(palette), right, values) for label, values in of_search(expression).items()]
            continue
        label = options.get("label", "")
        values = (
            of_expression(expression, known)
            if expression
            else of_metric(entry[1], label, options.get("stat", properties["stat"]))
        )
        known[options.get("id", label)] = values
        series.append(Series(label, options["color"], right, values))
    return series

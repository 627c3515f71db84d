"""Invokes each deployed function with a sample event and checks its answer.

The events carry the environment `smoke`, so that metrics and results land in series of their own, which no alarm
watches. One MEDIUM alert goes out for real, unless --quiet; the same within four hours is not told again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[1]

# Marks what is no run of the pipeline.
ENVIRONMENT = "smoke"

# The longest that a function may take, the validator (template.yaml, Timeout), and its way back.
ANSWER_SECONDS = 900

Answer = dict[str, Any]


class Wrong(Exception):
    """What is wrong with an answer."""


@dataclass(frozen=True)
class Smoke:
    """A function by its output of the stack, the sample that it gets, and what its answer has to be."""

    output: str
    sample: str
    check: Callable[[Answer], str]
    tells_people: bool = False


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Wrong(what)


def published(answer: Answer) -> str:
    count = answer.get("metrics_published")
    expect(answer.get("statusCode") == 200, "statusCode is not 200")
    expect(isinstance(count, int) and count > 0, "no metric was published")
    return f"{count} metrics published"


def validated(answer: Answer) -> str:
    performed = answer.get("validations_performed")
    expect(isinstance(performed, list) and len(performed) > 0, "nothing was validated")
    open_checks = answer.get("not_evaluated") or []
    unanswered = [line for line in open_checks if "could not be evaluated" in line]
    expect(not unanswered, f"{len(unanswered)} checks had no answer, such as {next(iter(unanswered), '')}")
    # Whether the data is good is not asked here.
    verdict = "all passed" if answer.get("validation_passed") else f"{answer.get('validation_errors')} failed"
    return f"{len(performed)} checks, {verdict}; {answer['cost']['bytes_scanned']:,} bytes scanned"


def diagnosed(answer: Answer) -> str:
    expect(answer.get("statusCode") == 200, "statusCode is not 200")
    expect(answer.get("alert_sent") is True, "no alert was sent")
    cause = answer["error_details"]["root_cause"]
    return f"root cause {cause['code']}, one alert sent"


def fanned_out(answer: Answer) -> str:
    expect(answer.get("statusCode") == 200, "statusCode is not 200")
    expect(answer.get("records") == 1, "the notice was not read")
    return f"1 notice read, {answer.get('delivered')} messages delivered"


SMOKES = [
    Smoke("MetricsPublisherFunction", "metrics-publisher/success", published),
    Smoke("PipelineValidatorFunction", "pipeline-validator/dataset", validated),
    Smoke("ErrorHandlerFunction", "error-handler/validation-failure", diagnosed, tells_people=True),
    # The end of a problem that nobody was told of: the whole way is gone, and nobody gets a message.
    Smoke("AlertFanoutFunction", "alert-fanout/alert-resolved", fanned_out),
]


def event(smoke: Smoke, dataset: str | None) -> Answer:
    """The sample, with marks that tell it from a run."""
    sample: Answer = json.loads((ROOT / "events" / f"{smoke.sample}.json").read_text())
    if "environment" in sample:
        sample["environment"] = ENVIRONMENT
    if dataset and "dataset" in sample:
        sample["dataset"] = dataset
    return sample


def invoke(functions: Any, name: str, payload: Answer) -> Answer:
    """The function's answer; Wrong with its error where it failed."""
    invoked = functions.invoke(FunctionName=name, Payload=json.dumps(payload).encode())
    text = invoked["Payload"].read().decode(errors="replace")
    if "FunctionError" in invoked:
        raise Wrong(f"it failed: {text[:500]}")
    answer = json.loads(text)
    expect(isinstance(answer, dict), f"its answer is no object: {text[:200]}")
    return dict(answer)


def outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in found}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="the deployed stack")
    parser.add_argument("--dataset", help="the dataset of the profile that is validated; else the sample's")
    parser.add_argument("--quiet", action="store_true", help="leave out what sends an alert")
    parser.add_argument("--endpoint", help="another endpoint of AWS, such as the local cloud's")
    arguments = parser.parse_args()
    # One attempt: a function that is invoked twice alerts twice.
    config = Config(read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1})
    deployed = outputs(boto3.client("cloudformation", endpoint_url=arguments.endpoint, config=config), arguments.stack)
    functions = boto3.client("lambda", endpoint_url=arguments.endpoint, config=config)
    wrong = 0
    for smoke in SMOKES:
        if smoke.tells_people and arguments.quiet:
            print(f"  - {smoke.output}: left out, it would send an alert")
            continue
        try:
            expect(smoke.output in deployed, f"the stack {arguments.stack} has no output {smoke.output}")
            answer = invoke(functions, deployed[smoke.output], event(smoke, arguments.dataset))
            print(f"  ✓ {smoke.output}: {smoke.check(answer)}")
        except (Wrong, KeyError, TypeError, ValueError) as error:
            wrong += 1
            print(f"  ✗ {smoke.output}: {error!r}" if not isinstance(error, Wrong) else f"  ✗ {smoke.output}: {error}")
    print(f"{arguments.stack}: " + (f"{wrong} functions did not answer as they should" if wrong else "smoke test passed"))
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BotoCoreError, ClientError) as refused:
        sys.exit(f"AWS refused: {refused}")

"""Puts the alerts that nobody took through their function again, and removes from the queue those that are taken now.

A message of the queue is a record of Lambda's on-failure destination, with the event in `requestPayload` and the
function in `requestContext`; an event that EventBridge could not hand over, with the function in an attribute; or a
notification that SNS could not hand over, which is for the fan-out. What a receiver took already is not sent to it
again, so this may be run at any time and as often as one likes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Longer than a function may take, so that nobody else sees a message while it is being redriven.
HIDDEN_SECONDS = 180

# A dry run hides what it looks at for a moment only.
LOOKED_AT_SECONDS = 20


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Redrive the alerts that nobody took.")
    parser.add_argument("--stack", help="the stack whose queue is redriven: its output UndeliveredAlertsUrl")
    parser.add_argument("--queue-url", help="the queue, instead of --stack")
    parser.add_argument("--function", help="the alert fan-out, else the stack's output AlertFanoutFunction")
    parser.add_argument("--endpoint", help="another endpoint of AWS, such as the local cloud's")
    parser.add_argument("--dry-run", action="store_true", help="say what is in the queue and leave it there")
    arguments = parser.parse_args()
    if bool(arguments.stack) == bool(arguments.queue_url):
        parser.error("name --stack or --queue-url")
    return arguments


def outputs_of(cloudformation: Any, stack: str) -> dict[str, str]:
    stacks = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}


def read(message: dict[str, Any], fanout: str | None) -> tuple[str | None, Any]:
    """The function and the event of a message; no function where it tells none."""
    try:
        body = json.loads(message["Body"])
    except ValueError:
        return None, None
    if isinstance(body, dict) and "requestPayload" in body:
        context = body.get("requestContext") or {}
        return context.get("functionArn"), body["requestPayload"]
    if isinstance(body, dict) and body.get("Type") == "Notification" and "TopicArn" in body:
        return fanout, {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": body}]}
    target = message.get("MessageAttributes", {}).get("TARGET_ARN", {}).get("StringValue")
    return target, body


def function_of(arn: str) -> str:
    """The function's name without `:$LATEST` or a version."""
    parts = arn.split(":")
    return ":".join(parts[:7]) if len(parts) > 7 else arn


@dataclass(frozen=True)
class Answer:
    """What a function answered: why it failed, or what it told."""

    refused: str | None
    told_nobody: bool = False


def invoke(functions: Any, function: str, event: Any) -> Answer:
    try:
        answer = functions.invoke(FunctionName=function_of(function), Payload=json.dumps(event).encode())
    except (BotoCoreError, ClientError) as refused:
        return Answer(refused=f"AWS refused: {refused}")
    payload = answer["Payload"].read().decode(errors="replace")
    try:
        said = json.loads(payload)
    except ValueError:
        said = None
    if "FunctionError" not in answer:
        counts = [said.get(name) for name in ("delivered", "kept")] if isinstance(said, dict) else []
        return Answer(refused=None, told_nobody=counts == [0, 0])
    if isinstance(said, dict) and "errorType" in said:
        return Answer(refused=f"{said['errorType']}: {said.get('errorMessage')}")
    return Answer(refused=payload[:500])


def messages_of(sqs: Any, queue: str, dry_run: bool) -> Iterator[dict[str, Any]]:
    """Each message once, until there is none that was not seen. One that failed comes back while others still wait."""
    seen: set[str] = set()
    while True:
        received = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10 if dry_run else 1,
            VisibilityTimeout=LOOKED_AT_SECONDS if dry_run else HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
            WaitTimeSeconds=1,
        ).get("Messages", [])
        if not received:
            return
        for message in received:
            if message["MessageId"] not in seen:
                seen.add(message["MessageId"])
                yield message


def redrive(
    sqs: Any, functions: Any, queue: str, fanout: str | None, dry_run: bool, say: Callable[[str], None] = print
) -> tuple[int, int]:
    """How many messages were taken, and how many are left."""
    taken = left = 0
    for message in messages_of(sqs, queue, dry_run):
        name = message["MessageId"]
        function, event = read(message, fanout)
        if dry_run or function is None:
            left += 1
            say(f"{name}: {function or 'names no function'}: {message['Body'][:300]}")
            continue
        answer = invoke(functions, function, event)
        if answer.refused is None:
            try:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            except (BotoCoreError, ClientError) as refused:
                answer = Answer(refused=f"taken, and still in the queue: {refused}")
        if answer.refused is not None:
            left += 1
            say(f"{name}: {answer.refused}")
            continue
        taken += 1
        if answer.told_nobody:
            say(f"{name}: nobody was told: they know already, or it is muted or held back now: {message['Body'][:300]}")
    return taken, left


def main() -> int:
    arguments = parse_arguments()
    config = Config(read_timeout=HIDDEN_SECONDS, retries={"total_max_attempts": 2})

    def client(service: str) -> Any:
        return boto3.client(service, endpoint_url=arguments.endpoint, config=config)

    outputs = outputs_of(client("cloudformation"), arguments.stack) if arguments.stack else {}
    queue = arguments.queue_url or outputs.get("UndeliveredAlertsUrl")
    if queue is None:
        raise SystemExit(f"the stack {arguments.stack} has no output UndeliveredAlertsUrl")
    fanout = arguments.function or outputs.get("AlertFanoutFunction")
    taken, left = redrive(client("sqs"), client("lambda"), queue, fanout, arguments.dry_run)
    print(f"{taken} redriven, {left} left in the queue")
    return 1 if left and not arguments.dry_run else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BotoCoreError, ClientError) as refused:
        sys.exit(f"AWS refused: {refused}")

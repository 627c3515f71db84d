"""Puts the alerts that nobody took through their function again, and removes from the queue those that are taken now.

A message of the queue is a record of Lambda's on-failure destination, with the event in `requestPayload` and the
function in `requestContext`, or an event that EventBridge could not hand over, with the function in an attribute. What
a receiver took already is not sent to it again, so this may be run at any time and as often as one likes.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Longer than a function may take, so that nobody else sees a message while it is being redriven.
HIDDEN_SECONDS = 180


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Redrive the alerts that nobody took.")
    parser.add_argument("--stack", help="the stack whose queue is redriven: its output UndeliveredAlertsUrl")
    parser.add_argument("--queue-url", help="the queue, instead of --stack")
    parser.add_argument("--endpoint", help="another endpoint of AWS, such as the local cloud's")
    parser.add_argument("--dry-run", action="store_true", help="say what is in the queue and leave it there")
    arguments = parser.parse_args()
    if bool(arguments.stack) == bool(arguments.queue_url):
        parser.error("name --stack or --queue-url")
    return arguments


def queue_of(cloudformation: Any, stack: str) -> str:
    stacks = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    for output in stacks[0].get("Outputs", []):
        if output["OutputKey"] == "UndeliveredAlertsUrl":
            return str(output["OutputValue"])
    raise SystemExit(f"the stack {stack} has no output UndeliveredAlertsUrl")


def read(message: dict[str, Any]) -> tuple[str | None, Any]:
    """The function and the event of a message; no function where it tells none."""
    try:
        body = json.loads(message["Body"])
    except ValueError:
        return None, None
    if isinstance(body, dict) and "requestPayload" in body:
        context = body.get("requestContext") or {}
        return context.get("functionArn"), body["requestPayload"]
    target = message.get("MessageAttributes", {}).get("TARGET_ARN", {}).get("StringValue")
    return target, body


def function_of(arn: str) -> str:
    """The function's name without `:$LATEST` or a version."""
    parts = arn.split(":")
    return ":".join(parts[:7]) if len(parts) > 7 else arn


def redrive(functions: Any, function: str, event: Any) -> str | None:
    """Invoke the function; why it failed, or None."""
    answer = functions.invoke(FunctionName=function_of(function), Payload=json.dumps(event).encode())
    payload = answer["Payload"].read().decode(errors="replace")
    if "FunctionError" not in answer:
        return None
    try:
        error = json.loads(payload)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return payload[:500]


def main() -> int:
    arguments = parse_arguments()
    config = Config(read_timeout=HIDDEN_SECONDS, retries={"total_max_attempts": 2})

    def client(service: str) -> Any:
        return boto3.client(service, endpoint_url=arguments.endpoint, config=config)

    queue = arguments.queue_url or queue_of(client("cloudformation"), arguments.stack)
    sqs, functions = client("sqs"), client("lambda")
    seen: set[str] = set()
    taken = left = 0
    while True:
        # A dry run hides what it looks at for a moment only, or it would see the same again.
        received = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=1 if not arguments.dry_run else 10,
            VisibilityTimeout=HIDDEN_SECONDS if not arguments.dry_run else 20,
            MessageAttributeNames=["All"],
            WaitTimeSeconds=1,
        )
        messages = [message for message in received.get("Messages", []) if message["MessageId"] not in seen]
        if not messages:
            break
        for message in messages:
            seen.add(message["MessageId"])
            function, event = read(message)
            if arguments.dry_run or function is None:
                left += 1
                print(f"{message['MessageId']}: {function or 'names no function'}: {message['Body'][:300]}")
                continue
            reason = redrive(functions, function, event)
            if reason is None:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                taken += 1
            else:
                left += 1
                print(f"{message['MessageId']}: {reason}")
    print(f"{taken} redriven, {left} left in the queue")
    return 1 if left and not arguments.dry_run else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BotoCoreError, ClientError) as refused:
        sys.exit(f"AWS refused: {refused}")

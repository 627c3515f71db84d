"""Execution histories as Step Functions tells them: the emulator leaves out what an event is about and what led to it.

- `previousEventId`: the event before; states run one after another here, so that is the one that led to it.
- `taskScheduledEventDetails`: the service, its action and what it was given.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Any

from ministack.core.responses import get_region
from ministack.services import stepfunctions

INTEGRATION = "arn:aws:states:::"

_arguments: ContextVar[Any] = ContextVar("_arguments", default=None)


def install() -> None:
    """Put the additions in their places."""
    apply_arguments, add_event = stepfunctions._apply_jsonata_arguments, stepfunctions._add_event

    def apply_and_keep(*args: Any) -> Any:
        # The event that tells of them is added next, by the same thread.
        arguments = apply_arguments(*args)
        _arguments.set(arguments)
        return arguments

    def add_told(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
        if kind == "TaskScheduled" and details:
            details = {"taskScheduledEventDetails": scheduled(details["taskScheduledEventDetails"], _arguments.get())}
        event: dict[str, Any] = add_event(execution, kind, details)
        event["previousEventId"] = event["id"] - 1
        return event

    stepfunctions._apply_jsonata_arguments = apply_and_keep
    stepfunctions._add_event = add_told


def scheduled(details: dict[str, Any], arguments: Any) -> dict[str, Any]:
    """The details of a task as AWS gives them: `glue` and `startJobRun.sync`, not an ARN."""
    resource = str(details["resource"])
    service, separator, action = resource.removeprefix(INTEGRATION).partition(":")
    names = {"resourceType": service, "resource": action} if separator and resource.startswith(INTEGRATION) else {}
    return {**details, **names, "region": get_region(), "parameters": json.dumps(arguments)}

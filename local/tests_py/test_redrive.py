"""Redriving: every kind of message of the queue, and what may go wrong with one of them."""

from __future__ import annotations

import io
import json
import sys
import unittest
from typing import Any

from botocore.exceptions import ClientError
from support import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import redrive  # noqa: E402

FANOUT = "stack-AlertFanout-1"

TOLD = {"statusCode": 200, "delivered": 2, "kept": 0}


def message(name: str, body: Any, **attributes: str) -> dict[str, Any]:
    return {
        "MessageId": name,
        "ReceiptHandle": f"receipt of {name}",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "MessageAttributes": {key: {"StringValue": value} for key, value in attributes.items()},
    }


def failed(name: str) -> dict[str, Any]:
    """A record of Lambda's on-failure destination."""
    return message(
        name,
        {
            "requestContext": {"functionArn": "arn:aws:lambda:eu-central-1:1:function:fanout:$LATEST"},
            "requestPayload": {"alert": name},
        },
    )


class Queue:
    """A queue that hands out one message after another; those that failed come back in between."""

    def __init__(self, *deliveries: dict[str, Any]) -> None:
        self.deliveries = list(deliveries)
        self.deleted: list[str] = []

    def receive_message(self, **_: Any) -> dict[str, Any]:
        return {"Messages": [self.deliveries.pop(0)]} if self.deliveries else {}

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:
        self.deleted.append(ReceiptHandle.removeprefix("receipt of "))


class Functions:
    """Functions that answer what they are told to, in order; the last answer stands for all that follow."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers) or [TOLD]
        self.invoked: list[tuple[str, Any]] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.invoked.append((FunctionName, json.loads(Payload)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        payload = {"Payload": io.BytesIO(json.dumps(answer).encode())}
        return payload | ({"FunctionError": "Unhandled"} if "errorType" in answer else {})


class Redrive(unittest.TestCase):
    def redrive(self, queue: Queue, functions: Functions, **options: Any) -> tuple[int, int]:
        self.said: list[str] = []
        chosen: dict[str, Any] = {"fanout": FANOUT, "dry_run": False} | options
        return redrive.redrive(queue, functions, "queue", say=self.said.append, **chosen)

    def test_each_kind_of_message_goes_to_its_function(self) -> None:
        notification = {"Type": "Notification", "MessageId": "n", "TopicArn": "arn:topic", "Message": "{}"}
        queue = Queue(
            failed("lambda"),
            message("eventbridge", {"detail": 1}, TARGET_ARN="arn:aws:lambda:eu-central-1:1:function:handler"),
            message("sns", notification),
        )
        functions = Functions()
        self.assertEqual((3, 0), self.redrive(queue, functions))
        self.assertEqual(["lambda", "eventbridge", "sns"], queue.deleted)
        names = [name for name, _ in functions.invoked]
        arn = "arn:aws:lambda:eu-central-1:1:function"
        self.assertEqual([f"{arn}:fanout", f"{arn}:handler", FANOUT], names)
        self.assertEqual({"alert": "lambda"}, functions.invoked[0][1])
        record = functions.invoked[2][1]["Records"][0]
        self.assertEqual(notification, record["Sns"])

    def test_what_names_no_function_is_left_and_shown(self) -> None:
        queue = Queue(message("odd", "no JSON"), message("alone", {"Type": "Notification", "TopicArn": "t"}))
        self.assertEqual((0, 2), self.redrive(queue, Functions(), fanout=None))
        self.assertEqual([], queue.deleted)
        self.assertIn("odd: names no function: no JSON", self.said[0])

    def test_one_that_comes_back_does_not_end_it(self) -> None:
        refused = {"errorType": "AlertNotDelivered", "errorMessage": "slack answered 404"}
        queue = Queue(failed("a"), failed("a"), failed("b"), failed("a"), failed("c"))
        functions = Functions(refused, TOLD)
        self.assertEqual((2, 1), self.redrive(queue, functions))
        self.assertEqual(["b", "c"], queue.deleted)
        self.assertEqual(["a: AlertNotDelivered: slack answered 404"], self.said)

    def test_a_throttled_call_fails_one_message_only(self) -> None:
        throttled = ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate exceeded"}}, "Invoke")
        queue = Queue(failed("a"), failed("b"))
        self.assertEqual((1, 1), self.redrive(queue, Functions(throttled, TOLD)))
        self.assertEqual(["b"], queue.deleted)
        self.assertIn("Rate exceeded", self.said[0])

    def test_says_when_nobody_was_told(self) -> None:
        queue = Queue(failed("a"))
        nobody = {"statusCode": 200, "delivered": 0, "kept": 0}
        self.assertEqual((1, 0), self.redrive(queue, Functions(nobody)))
        self.assertEqual(["a"], queue.deleted)
        self.assertIn("a: nobody was told", self.said[0])

    def test_a_dry_run_calls_nobody(self) -> None:
        queue, functions = Queue(failed("a")), Functions()
        self.assertEqual((0, 1), self.redrive(queue, functions, dry_run=True))
        self.assertEqual(([], []), (queue.deleted, functions.invoked))


if __name__ == "__main__":
    unittest.main()

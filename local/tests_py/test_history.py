"""Execution histories: who was called with what, and which event led to which."""

from __future__ import annotations

import json
import unittest

from support import EmulatorTest


class History(EmulatorTest):
    def test_a_task_tells_its_service_its_arguments_and_what_led_to_it(self) -> None:
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::glue:startJobRun.sync",
            "Arguments": {"JobName": "{% 'no' & 'body' %}"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}],
            "Next": "Done",
        }
        execution = self.run_state_machine({"Run": task, "Done": {"Type": "Succeed"}})
        history = self.emulator.client("stepfunctions").get_execution_history(
            executionArn=execution["executionArn"], reverseOrder=True
        )
        events = {event["id"]: event for event in history["events"]}
        failed = next(event for event in events.values() if event["type"] == "TaskFailed")
        scheduled = events[failed["previousEventId"]]
        while scheduled["type"] != "TaskScheduled":
            scheduled = events[scheduled["previousEventId"]]
        details = scheduled["taskScheduledEventDetails"]
        self.assertEqual(("glue", "startJobRun.sync"), (details["resourceType"], details["resource"]))
        self.assertEqual({"JobName": "nobody"}, json.loads(details["parameters"]))


if __name__ == "__main__":
    unittest.main()

"""The launcher: how it starts and ends, and what it adds to Step Functions and Glue."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import unittest
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

from support import CLOUD, PATIENCE, Emulator, EmulatorTest, free_port, is_gone, is_ready, wait_for


def python_function(emulator: Emulator, name: str, source: str) -> Any:
    """Create a Python Lambda and give what invoking it returns."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", source)
    functions = emulator.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/test",
        Handler="main.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    return json.load(functions.invoke(FunctionName=name)["Payload"])


class Lifecycle(unittest.TestCase):
    def test_a_signal_ends_it_and_what_it_started(self) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(name):
                emulator = Emulator()
                source = "import os, tempfile\ndef handler(event, context): return [os.getpid(), tempfile.gettempdir()]"
                worker, scratch = python_function(emulator, "where", source)
                self.assertFalse(is_gone(worker))
                self.assertTrue(Path(scratch).is_dir())
                emulator.process.send_signal(name)
                self.assertEqual(0, emulator.process.wait(PATIENCE))
                wait_for("the end of the Lambda", partial(is_gone, worker))
                self.assertFalse(Path(scratch).exists())
                emulator.log.close()

    def test_it_ends_when_its_parent_does(self) -> None:
        port = free_port()
        parent = (
            "import subprocess, sys\n"
            f"child = subprocess.Popen([sys.executable, {str(CLOUD / 'launcher.py')!r}, '--port', '{port}'])\n"
            "print(child.pid, flush=True)\n"
            "sys.stdin.read()\n"
        )
        with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            launcher = int(process.stdout.readline())
            wait_for("the emulator", lambda: is_ready(port))
            process.kill()
        wait_for("the end of the launcher", lambda: is_gone(launcher))

    def test_it_removes_what_one_that_was_killed_left(self) -> None:
        killed = Emulator()
        source = "import tempfile\ndef handler(event, context): return tempfile.gettempdir()"
        scratch = Path(python_function(killed, "where", source))
        killed.process.kill()
        killed.process.wait(PATIENCE)
        killed.log.close()
        self.assertTrue(scratch.is_dir())
        other = Emulator()
        kept = Path(python_function(other, "where", source))
        self.assertFalse(scratch.exists())
        last = Emulator()
        self.assertTrue(kept.is_dir())
        for emulator in (other, last):
            self.assertEqual(0, emulator.stop())

    def test_a_port_that_is_taken_is_an_error(self) -> None:
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        command = [sys.executable, str(CLOUD / "launcher.py"), "--port", str(emulator.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(1, done.returncode)
        self.assertIn(f"cannot listen on 127.0.0.1:{emulator.port}", done.stderr)


class GlueIntegration(EmulatorTest):
    def setUp(self) -> None:
        self.emulator.client("s3").create_bucket(Bucket="scripts")

    def create_job(self, name: str, source: str | None) -> None:
        if source is not None:
            self.emulator.client("s3").put_object(Bucket="scripts", Key=f"{name}.py", Body=source.encode())
        self.emulator.client("glue").create_job(
            Name=name,
            Role="test",
            Command={"Name": "pythonshell", "ScriptLocation": f"s3://scripts/{name}.py"},
            DefaultArguments={"--GREETING": "hello"},
            Timeout=1,
        )

    def run_job(self, name: str, resource: str = "glue:startJobRun.sync") -> dict[str, Any]:
        task = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::{resource}",
            "Arguments": {"JobName": name, "Arguments": {"--day": "today"}},
            "TimeoutSeconds": 60,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Caught"}],
            "Next": "Done",
        }
        execution = self.run_state_machine({"Run": task, "Caught": {"Type": "Succeed"}, "Done": {"Type": "Succeed"}})
        self.assertEqual("SUCCEEDED", execution["status"])
        return dict(json.loads(execution["output"]))

    def test_a_run_that_succeeds_is_the_result(self) -> None:
        self.create_job(
            "good", "import os, duckdb, boto3\nassert (os.environ['GREETING'], os.environ['day']) == ('hello', 'today')"
        )
        run = self.run_job("good")
        self.assertEqual("SUCCEEDED", run["JobRunState"], run)
        self.assertEqual("good", run["JobName"])
        self.assertEqual({"--GREETING": "hello", "--day": "today"}, run["Arguments"])
        self.assertNotIn("ErrorMessage", run)
        self.assertIsInstance(run["ExecutionTime"], int)
        # Milliseconds: as seconds this would be a date beyond the year 30000.
        self.assertGreater(run["StartedOn"], 10**12)
        self.assertGreaterEqual(run["CompletedOn"], run["StartedOn"])

    def test_a_run_that_fails_is_an_error_with_the_run_as_cause(self) -> None:
        self.create_job("bad", "import sys\nprint('no such table: users', file=sys.stderr)\nsys.exit(3)")
        error = self.run_job("bad")
        self.assertEqual("States.TaskFailed", error["Error"])
        run = json.loads(error["Cause"])
        self.assertEqual("FAILED", run["JobRunState"])
        self.assertEqual("no such table: users\n", run["ErrorMessage"])
        self.assertEqual("bad", run["JobName"])

    def test_a_job_without_its_script_fails(self) -> None:
        self.create_job("empty", None)
        run = json.loads(self.run_job("empty")["Cause"])
        self.assertEqual("FAILED", run["JobRunState"])
        self.assertIn("s3://scripts/empty.py", run["ErrorMessage"])

    def test_a_job_that_is_not_there_is_an_error_of_glue(self) -> None:
        self.assertEqual("Glue.EntityNotFoundException", self.run_job("nobody")["Error"])

    def test_without_sync_it_does_not_wait(self) -> None:
        self.create_job("slow", "import time\ntime.sleep(2)")
        self.assertEqual(["JobRunId"], list(self.run_job("slow", "glue:startJobRun")))

    def test_a_script_acts_for_the_account_that_started_it(self) -> None:
        source = "import os, sys\nsys.exit(os.environ['AWS_ACCESS_KEY_ID'] + ' ' + os.environ['AWS_ENDPOINT_URL'])"
        self.create_job("who", source)
        run = json.loads(self.run_job("who")["Cause"])
        self.assertEqual(f"000000000000 {self.emulator.endpoint}\n", run["ErrorMessage"])


if __name__ == "__main__":
    unittest.main()

"""What the tests share: the paths of the scripts, and an emulator of their own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLOUD = ROOT / "local" / "cloud"
LAKE = ROOT / "local" / "lake"
sys.path[:0] = [str(CLOUD), str(LAKE)]

from emulator import client  # noqa: E402

PATIENCE = 30.0


def wait_for(what: str, condition: Callable[[], Any]) -> Any:
    """The first truthy answer of the condition; an error if there is none for too long."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def is_gone(pid: int) -> bool:
    """Whether there is no such process, or only one that has ended and was not waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z"


class Emulator:
    """A launcher on a free port, in a process group of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = tempfile.TemporaryFile()
        command = [sys.executable, str(CLOUD / "launcher.py"), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, process_group=0)
        wait_for("the emulator", lambda: self.process.poll() is not None or is_ready(self.port))
        if self.process.poll() is not None:
            self.log.seek(0)
            raise RuntimeError(self.log.read().decode(errors="replace"))

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.log.close()
        return code

    def client(self, service: str) -> Any:
        return client(service, self.endpoint)


class EmulatorTest(unittest.TestCase):
    """Tests that share one emulator a class."""

    emulator: Emulator

    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = Emulator()
        cls.addClassCleanup(cls.emulator.stop)

    def run_script(self, script: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        """The exit code of one of the scripts, and the events it reported."""
        command = [sys.executable, str(script), "--endpoint", self.emulator.endpoint, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE * 2)
        self.assertEqual("", done.stderr)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def run_state_machine(self, states: dict[str, Any]) -> dict[str, Any]:
        """The end of one execution of a JSONata state machine that begins with its first state."""
        stepfunctions = self.emulator.client("stepfunctions")
        machine = stepfunctions.create_state_machine(
            name=f"test-{time.monotonic_ns()}",
            definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}),
            roleArn="arn:aws:iam::000000000000:role/test",
        )
        execution = stepfunctions.start_execution(stateMachineArn=machine["stateMachineArn"])

        def ended() -> Any:
            found = stepfunctions.describe_execution(executionArn=execution["executionArn"])
            return None if found["status"] == "RUNNING" else found

        return dict(wait_for("the execution", ended))

    def query(self, sql: str, parameters: Sequence[str] = (), database: str = "db") -> dict[str, Any]:
        """The end of one Athena query; its rows under Rows."""
        athena = self.emulator.client("athena")
        options = {"ExecutionParameters": list(parameters)} if parameters else {}
        query_id = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": database},
            ResultConfiguration={"OutputLocation": "s3://results/"},
            **options,
        )["QueryExecutionId"]

        def ended() -> Any:
            found = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            return found if found["Status"]["State"] in ("SUCCEEDED", "FAILED") else None

        execution = dict(wait_for("the query", ended))
        if execution["Status"]["State"] == "SUCCEEDED":
            rows = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"][1:]
            execution["Rows"] = [[datum.get("VarCharValue") for datum in row["Data"]] for row in rows]
        return execution

    @classmethod
    def create_parquet_table(cls, name: str, location: str, database: str = "db") -> None:
        serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
        storage = {"Location": location, "SerdeInfo": {"SerializationLibrary": serde}, "Columns": []}
        table = {"Name": name, "Parameters": {"classification": "parquet"}, "StorageDescriptor": storage}
        cls.emulator.client("glue").create_table(DatabaseName=database, TableInput=table)

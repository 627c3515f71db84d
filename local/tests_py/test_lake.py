"""The sample lake in the emulator: generated, loaded by the Glue job, published by the stand-in for dbt."""

from __future__ import annotations

import io
import json
import sys
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from support import LAKE, EmulatorTest  # isort: skip (it makes the scripts importable)
import duckdb

import load_sf_user
from artifacts import ArtifactStore
from deploy import deploy_dbt_runner

BUCKET = "lake"
AS_OF = "2026-03-01T07:30:00Z"


class Pipeline(EmulatorTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        s3, glue = cls.emulator.client("s3"), cls.emulator.client("glue")
        for bucket in (BUCKET, "results"):
            s3.create_bucket(Bucket=bucket)
        glue.create_database(DatabaseInput={"Name": "db"})
        cls.create_parquet_table("sf_user_raw", f"s3://{BUCKET}/raw/sf_user/")
        cls.create_parquet_table("dim_sf_user", f"s3://{BUCKET}/marts/dim_sf_user/")
        command = {"Name": "pythonshell", "ScriptLocation": f"s3://{BUCKET}/scripts/load_sf_user.py"}
        glue.create_job(
            Name="load", Role="test", Command=command, DefaultArguments={"--LAKE_BUCKET": BUCKET}, Timeout=5
        )
        store = ArtifactStore(s3, "artifacts")
        deploy_dbt_runner(cls.emulator.client("lambda"), store, "dbt", BUCKET, "000000000000")

    def generate(self, scenario: str) -> dict[str, Any]:
        arguments = ("--bucket", BUCKET, "--users", "1000", "--seed", "3", "--as-of", AS_OF, "--scenario", scenario)
        code, events = self.run_script(LAKE / "generate.py", *arguments)
        self.assertEqual((0, "generated"), (code, events[-1]["event"]), events)
        return events[-1]

    def load(self) -> dict[str, Any]:
        """The Glue job's run, through the integration that the pipeline uses."""
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::glue:startJobRun.sync",
            "Arguments": {"JobName": "load"},
            "Catch": [
                {
                    "ErrorEquals": ["States.TaskFailed"],
                    "Output": "{% $parse($states.errorOutput.Cause) %}",
                    "Next": "Caught",
                }
            ],
            "Next": "Done",
        }
        return dict(
            json.loads(
                self.run_state_machine({"Load": task, "Caught": {"Type": "Succeed"}, "Done": {"Type": "Succeed"}})[
                    "output"
                ]
            )
        )

    def dbt(self, command: str) -> Any:
        answer = self.emulator.client("lambda").invoke(
            FunctionName="dbt", Payload=json.dumps({"command": command, "pipeline": "sf-user"})
        )
        payload = json.load(answer["Payload"])
        self.assertNotIn("FunctionError", answer, payload)
        return payload

    def rows(self, sql: str) -> list[list[str | None]]:
        execution = self.query(sql)
        self.assertEqual("SUCCEEDED", execution["Status"]["State"], execution["Status"])
        return list(execution["Rows"])

    def test_a_healthy_run(self) -> None:
        generated = self.generate("success")
        self.assertEqual("SUCCEEDED", self.load()["JobRunState"])
        self.assertEqual(
            [[str(generated["raw_rows"]), "2026-03-01 07:26:00.000"]],
            self.rows("SELECT count(*), max(system_modstamp) FROM sf_user_raw"),
        )
        self.assertEqual({"success"}, {result["status"] for result in self.dbt("run")["results"]})
        self.assertEqual(
            [[str(generated["dim_rows"]), "0"]],
            self.rows("SELECT count(*), count_if(dbt_updated_at IS NULL) FROM dim_sf_user"),
        )
        self.assertNotEqual(
            [["0"]],
            self.rows("SELECT count(*) FROM dim_sf_user WHERE dbt_updated_at > TIMESTAMP '2026-03-02 00:00:00'"),
        )
        self.assertEqual({"pass"}, {result["status"] for result in self.dbt("test")["results"]})

    def test_a_broken_extract_fails_the_job_and_leaves_what_was_loaded(self) -> None:
        self.generate("success")
        self.load()
        before = self.rows("SELECT count(*) FROM sf_user_raw")
        self.generate("glue-failure")
        run = self.load()
        self.assertEqual("FAILED", run["JobRunState"])
        message = run["ErrorMessage"]
        self.assertTrue(message.startswith("Traceback (most recent call last):"), message)
        last = message.rstrip().splitlines()[-1]
        self.assertRegex(
            last, r"^LoadError: landing/sf_user/part-0003\.parquet \(\d+ bytes\) is not readable as Parquet: "
        )
        self.assertLess(len(message), 1_500)
        self.assertEqual(before, self.rows("SELECT count(*) FROM sf_user_raw"))

    def test_few_records_replace_many(self) -> None:
        self.generate("success")
        self.load()
        self.generate("too-few-records")
        self.load()
        self.assertEqual([["40"]], self.rows("SELECT count(*) FROM sf_user_raw"))

    def test_a_dbt_run_that_failed_publishes_nothing(self) -> None:
        self.generate("success")
        self.dbt("run")
        before = self.rows("SELECT max(dbt_updated_at) FROM dim_sf_user")
        self.generate("dbt-run-failure")
        self.assertIn("error", {result["status"] for result in self.dbt("run")["results"]})
        self.assertEqual(before, self.rows("SELECT max(dbt_updated_at) FROM dim_sf_user"))

    def test_a_command_that_dbt_does_not_have_is_an_error(self) -> None:
        answer = self.emulator.client("lambda").invoke(FunctionName="dbt", Payload=json.dumps({"command": "build"}))
        self.assertIn("FunctionError", answer)
        self.assertIn("command must be run or test", answer["Payload"].read().decode())

    def test_a_bucket_that_is_not_there_is_told(self) -> None:
        code, events = self.run_script(LAKE / "generate.py", "--bucket", "nowhere", "--users", "100")
        self.assertEqual((1, "error"), (code, events[-1]["event"]))
        self.assertIn("NoSuchBucket", events[-1]["text"])


class MemoryS3:
    """As much of S3 as the job uses."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def get_paginator(self, _operation: str) -> MemoryS3:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        yield {"Contents": [{"Key": key} for key in list(self.objects) if key.startswith(Prefix)]}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[Key] = Body

    def delete_object(self, Bucket: str, Key: str) -> None:
        del self.objects[Key]


def parquet(sql: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.parquet")
        duckdb.connect().execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


USER = "SELECT 'a' AS id, 'u' AS username, 'e' AS email, true AS is_active, now()::TIMESTAMP AS system_modstamp"


class LoadJob(unittest.TestCase):
    def test_every_landed_file_is_loaded_and_older_ones_go(self) -> None:
        s3 = MemoryS3(
            {
                "landing/sf_user/a.parquet": parquet(USER),
                "landing/sf_user/b.parquet": parquet(f"{USER} FROM range(4)"),
                "raw/sf_user/old.parquet": b"x",
            }
        )
        self.assertEqual(5, load_sf_user.load(s3, "lake"))
        self.assertEqual(
            {"raw/sf_user/a.parquet", "raw/sf_user/b.parquet"}, {key for key in s3.objects if key.startswith("raw/")}
        )

    def test_nothing_is_replaced_unless_every_file_is_sound(self) -> None:
        for content, text in [
            (b"PAR1 nothing more", "not readable as Parquet"),
            (parquet("SELECT 'a' AS id, 'u' AS username"), "lacks the column email, is_active"),
        ]:
            s3 = MemoryS3(
                {
                    "landing/sf_user/a.parquet": parquet(USER),
                    "landing/sf_user/b.parquet": content,
                    "raw/sf_user/old.parquet": b"x",
                }
            )
            with self.assertRaisesRegex(load_sf_user.LoadError, text):
                load_sf_user.load(s3, "lake")
            self.assertEqual(["raw/sf_user/old.parquet"], [key for key in s3.objects if key.startswith("raw/")])

    def test_no_extract_is_an_error(self) -> None:
        with self.assertRaisesRegex(load_sf_user.LoadError, "no extract in s3://lake/landing/sf_user/"):
            load_sf_user.load(MemoryS3({}), "lake")

    def test_parameters_come_from_options_or_the_environment(self) -> None:
        with mock.patch.object(sys, "argv", ["job", "--job-language", "python", "--LAKE_BUCKET", "from-aws"]):
            self.assertEqual("from-aws", load_sf_user.parameter("LAKE_BUCKET"))
        with mock.patch.object(sys, "argv", ["job"]), mock.patch.dict("os.environ", {"LAKE_BUCKET": "from-emulator"}):
            self.assertEqual("from-emulator", load_sf_user.parameter("LAKE_BUCKET"))
        with (
            mock.patch.object(sys, "argv", ["job"]),
            self.assertRaisesRegex(load_sf_user.LoadError, "--NOBODY is missing"),
        ):
            load_sf_user.parameter("NOBODY")


if __name__ == "__main__":
    unittest.main()

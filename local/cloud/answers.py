"""The one file that answers for what even the launcher cannot run: dbt.

A Lambda handler for the local cloud, never deployed to AWS. It takes what a real dbt runner takes, `{"command": "run" |
"test", …}`, and answers with a `run_results.json` that a real dbt wrote (events/dbt/), the one that the scenario in the
lake (scenario/dbt.json) names. On a `run` in which every model was built, it publishes the staged dimension and stamps
the rows that this run is to have written. What is asserted about those rows is left to Pipewarden.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import duckdb

STAGED = "staged/dim_sf_user/"
PUBLISHED = "marts/dim_sf_user/"
SCENARIO = "scenario/dbt.json"

s3 = boto3.client("s3", config=boto3.session.Config(s3={"addressing_style": "path"}))


class UnknownCommand(Exception):
    """The event asks for something that the stand-in does not answer."""


def handler(event: dict[str, Any], _context: object) -> Any:
    """Answer one dbt command with the artifact of the scenario."""
    command = event.get("command")
    if command not in ("run", "test"):
        raise UnknownCommand(f"command must be run or test, not {command!r}")
    bucket = os.environ["LAKE_BUCKET"]
    artifact_key = _read_json(bucket, SCENARIO)[command]
    artifact = _read_json(bucket, artifact_key)
    if command == "run" and all(result["status"] == "success" for result in artifact["results"]):
        _publish_dimension(bucket, datetime.now(UTC).replace(tzinfo=None))
    return artifact


def _read_json(bucket: str, key: str) -> Any:
    return json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])


def _list(bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def _publish_dimension(bucket: str, now: datetime) -> None:
    """Replace the published dimension by the staged one, with the rows that have no write time written now."""
    with tempfile.TemporaryDirectory() as folder:
        for number, key in enumerate(_list(bucket, STAGED)):
            s3.download_file(bucket, key, str(Path(folder, f"staged-{number}.parquet")))
        built = Path(folder, "dim_sf_user.parquet")
        with duckdb.connect() as connection:
            connection.execute(
                f"""
                COPY (
                    SELECT * REPLACE (coalesce(dbt_updated_at, $now) AS dbt_updated_at)
                    FROM read_parquet('{folder}/staged-*.parquet')
                ) TO '{built}' (FORMAT parquet)
                """,
                {"now": now},
            )
        for key in _list(bucket, PUBLISHED):
            s3.delete_object(Bucket=bucket, Key=key)
        s3.upload_file(str(built), bucket, f"{PUBLISHED}{built.name}")

"""Fills the sample lake: a Salesforce user extract, the dimension that follows from it, and what dbt is to answer.

The data is a function of the seed, the number of users and the date it is as of; a scenario breaks it in one place.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from faults import break_tables, cut_off

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cloud"))
from emulator import ACCOUNT, LocalCloudError, client, fail, say  # noqa: E402

LANDING = "landing/sf_user/"
STAGED = "staged/dim_sf_user/"
SCENARIO = "scenario/"
SCRIPT = HERE / "load_sf_user.py"
ARTIFACTS = HERE.parents[1] / "events" / "dbt"
PARTS = 4
LEAST_USERS = 100


@dataclass(frozen=True)
class Scenario:
    """What of scenarios.json the generator needs."""

    name: str
    dbt_run: str
    dbt_test: str


def read_scenario(name: str) -> Scenario:
    scenarios = {item["name"]: item for item in json.loads((HERE / "scenarios.json").read_text(encoding="utf-8"))}
    if name not in scenarios:
        raise LocalCloudError(f"no scenario {name}; there are {', '.join(scenarios)}")
    found = scenarios[name]
    return Scenario(name, found["dbt_run"], found["dbt_test"])


def parse_as_of(text: str | None) -> datetime:
    """An ISO date and time as UTC without a zone, to the second; without a text, now."""
    try:
        moment = datetime.fromisoformat(text) if text else datetime.now(UTC)
    except ValueError as error:
        raise LocalCloudError(f"--as-of {text} is not an ISO date and time") from error
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=0)


def clean_tables(users: int, seed: int, as_of: datetime) -> duckdb.DuckDBPyConnection:
    """A connection whose tables `raw` and `dim` hold a lake without a fault."""
    if users < LEAST_USERS:
        raise LocalCloudError(f"--users {users}: the scenarios need at least {LEAST_USERS}")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        f"SET VARIABLE seed = {seed}; SET VARIABLE users = {users}; SET VARIABLE as_of = TIMESTAMP '{as_of}'"
    )
    connection.execute((HERE / "clean_tables.sql").read_text(encoding="utf-8"))
    return connection


def count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def parquet_files(connection: duckdb.DuckDBPyConnection, table: str, order: str) -> dict[str, bytes]:
    """The table as Parquet files; every row of an id is in the same file."""
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        for part in range(PARTS):
            path = Path(folder, f"part-{part:04d}.parquet")
            rows = f"SELECT * FROM {table} WHERE hash(coalesce(id, '')) % {PARTS} = {part} ORDER BY {order}"
            connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
            files[path.name] = path.read_bytes()
    return files


def dbt_files(scenario: Scenario) -> dict[str, bytes]:
    """The artifacts that the stand-in for dbt answers with, and the file that names them."""
    files = {}
    for name in (scenario.dbt_run, scenario.dbt_test):
        try:
            files[f"dbt/{name}"] = (ARTIFACTS / name).read_bytes()
        except OSError as error:
            raise LocalCloudError(f"cannot read {ARTIFACTS / name}: {error.strerror}") from error
    answers = {"run": f"{SCENARIO}dbt/{scenario.dbt_run}", "test": f"{SCENARIO}dbt/{scenario.dbt_test}"}
    return {**files, "dbt.json": json.dumps(answers).encode()}


def replace_folder(s3: Any, bucket: str, prefix: str, files: dict[str, bytes]) -> int:
    """Make the folder hold these files and no others; the number of bytes."""
    for name, content in files.items():
        s3.put_object(Bucket=bucket, Key=prefix + name, Body=content)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
        if key[len(prefix) :] not in files:
            s3.delete_object(Bucket=bucket, Key=key)
    return sum(map(len, files.values()))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="the emulator's address")
    parser.add_argument("--bucket", required=True, help="the lake bucket")
    parser.add_argument("--scenario", default="success", help="a name in scenarios.json")
    parser.add_argument("--users", type=int, default=20_000, help="the number of people")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other people")
    parser.add_argument("--as-of", help="ISO date and time that the extract is as of; now if left out")
    parser.add_argument("--account", default=ACCOUNT, help="the emulator's account that has the bucket")
    return parser.parse_args()


def generate(arguments: argparse.Namespace) -> None:
    scenario = read_scenario(arguments.scenario)
    as_of = parse_as_of(arguments.as_of)
    connection = clean_tables(arguments.users, arguments.seed, as_of)
    break_tables(connection, scenario.name)
    raw_rows, dim_rows = count(connection, "raw"), count(connection, "dim")
    say(
        "step",
        text=f"{arguments.users:,} users, {raw_rows:,} changes, {dim_rows:,} versions as of {as_of:%Y-%m-%d %H:%M} UTC",
    )

    landing = parquet_files(connection, "raw", "id, system_modstamp")
    if scenario.name == "glue-failure":
        last = max(landing)
        landing[last] = cut_off(landing[last])
    s3 = client("s3", arguments.endpoint, arguments.account)
    size = replace_folder(s3, arguments.bucket, LANDING, landing)
    say("step", text=f"landing/: {len(landing)} files, {size:,} bytes")
    size = replace_folder(s3, arguments.bucket, STAGED, parquet_files(connection, "dim", "id, valid_from"))
    say("step", text=f"staged/: {PARTS} files, {size:,} bytes")
    replace_folder(s3, arguments.bucket, SCENARIO, dbt_files(scenario))
    replace_folder(s3, arguments.bucket, "scripts/", {SCRIPT.name: SCRIPT.read_bytes()})
    say("step", text=f"scenario {scenario.name}: dbt answers {scenario.dbt_run}, {scenario.dbt_test}")
    say("generated", users=arguments.users, raw_rows=raw_rows, dim_rows=dim_rows)


def main() -> None:
    try:
        generate(parse_arguments())
    except LocalCloudError as error:
        fail(str(error))
    except (BotoCoreError, ClientError) as error:
        fail(f"the emulator refused: {error}")


if __name__ == "__main__":
    main()

"""Times queries over ten million rows of Parquet, as a lake has them, in DuckDB: those that the planner makes of rules,
beside one for each rule.

Reads JSON on stdin, `{"rows": …, "rounds": [{"name": …, "queries": [{"sql": …, "parameters": […]}, …]}, …]}`, and writes a
JSON line a round: its name and the seconds that its queries took one after the other. The rounds take turns three times
and the least counts. The table `lake.things` has the columns id, a to j (numbers, some NULL), name and day.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local" / "cloud"))

from athena_sql import PRELUDE, to_duckdb  # noqa: E402

TURNS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measure(json.load(sys.stdin), Path(folder) / "things.parquet")


def measure(request: dict, file: Path) -> None:
    connection = duckdb.connect()
    for statement in PRELUDE:
        connection.execute(statement)
    numbers = ", ".join(
        f"CASE WHEN (i * {prime}) % 97 = 0 THEN NULL ELSE (i * {prime}) % 100003 END AS {name}"
        for name, prime in zip("abcdefghij", (3, 5, 7, 11, 13, 17, 19, 23, 29, 31), strict=True)
    )
    connection.execute(
        f"COPY (SELECT i AS id, {numbers}, 'name ' || (i % 5000) AS name,"
        f" DATE '2026-01-01' + CAST(i % 365 AS INTEGER) AS day FROM range({int(request['rows'])}) AS r(i))"
        f" TO '{file}' (FORMAT parquet, COMPRESSION snappy)"
    )
    connection.execute("CREATE SCHEMA lake")
    connection.execute(f"CREATE VIEW lake.things AS SELECT * FROM read_parquet('{file}')")
    rounds = [
        (each["name"], [to_duckdb(query["sql"], query["parameters"]) for query in each["queries"]])
        for each in request["rounds"]
    ]
    best = {name: float("inf") for name, _ in rounds}
    for _ in range(TURNS):
        for name, queries in rounds:
            begun = time.perf_counter()
            for query in queries:
                connection.execute(query).fetchall()
            best[name] = min(best[name], time.perf_counter() - begun)
    for name, seconds in best.items():
        print(json.dumps({"name": name, "seconds": seconds}))


if __name__ == "__main__":
    main()

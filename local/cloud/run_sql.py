"""Runs Athena SQL on CSV files, through the same engine and translation as the local cloud's Athena, without starting it.

Reads a JSON object on stdin, `{"database": …, "tables": {name: {"file": …, "columns": [[name, DuckDB type], …]}}, "queries":
[{"sql": …, "parameters": […]}, …]}`, and writes a line a query on stdout: a JSON array of rows, or `{"error": …}`. In the files `\\N` is NULL.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import duckdb

from athena_sql import PRELUDE, QueryError, athena_text, to_duckdb


def connect(database: str, tables: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for statement in PRELUDE:
        connection.execute(statement)
    connection.execute(f'CREATE SCHEMA "{database}"')
    for name, table in tables.items():
        typed = ", ".join(f'"{column}" {kind}' for column, kind in table["columns"])
        connection.execute(f'CREATE TABLE "{database}"."{name}" ({typed})')
        # A file without a byte is no CSV to DuckDB.
        if Path(table["file"]).stat().st_size > 0:
            columns = ", ".join(f"'{column}': '{kind}'" for column, kind in table["columns"])
            rows = f"read_csv('{table['file']}', header = false, nullstr = '\\N', columns = {{{columns}}})"
            connection.execute(f'INSERT INTO "{database}"."{name}" FROM {rows}')
    return connection


def main() -> None:
    request = json.load(sys.stdin)
    connection = connect(request["database"], request["tables"])
    for query in request["queries"]:
        try:
            rows = connection.execute(to_duckdb(query["sql"], query["parameters"])).fetchall()
        except (duckdb.Error, QueryError) as error:
            print(json.dumps({"error": str(error)}))
            continue
        print(json.dumps([[athena_text(value) for value in row] for row in rows]))


if __name__ == "__main__":
    main()

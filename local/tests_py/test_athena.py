"""Athena's SQL on the emulator: the shapes that the validator sends, their parameters, and how values are printed."""

from __future__ import annotations

import tempfile
import unittest
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import duckdb

from support import EmulatorTest  # isort: skip (it makes the scripts importable)
from athena_sql import QueryError, athena_text, to_duckdb

TABLE = """
    SELECT id, email, valid_from::TIMESTAMP AS valid_from, valid_to::TIMESTAMP AS valid_to, is_current,
        amount::DOUBLE AS amount, system_modstamp::TIMESTAMP AS system_modstamp
    FROM (VALUES
        ('a', 'a@x.org', '2024-01-01', '2024-01-03', false, 10.5, '2024-03-01 10:59:59.500'),
        ('a', 'a@x.org', '2024-01-02', '2024-01-02 12:00:00', false, 3.25, '2024-03-01 11:00:01'),
        ('a', 'A@x.org', '2024-01-05', NULL, true, 7.0, '2024-03-01 11:00:02'),
        ('b', NULL, '2024-01-01', '2024-02-01', true, NULL, '2024-03-02'),
        ('b', '', '2024-02-01', NULL, true, 8.0, '2024-03-03'),
        (NULL, 'c', '2024-01-01', NULL, true, 9.0, '2024-03-04'),
        (' ', 'd', '2024-01-01', NULL, NULL, 1.0, '2024-03-04')
    ) AS t (id, email, valid_from, valid_to, is_current, amount, system_modstamp)
"""


class Shape(NamedTuple):
    """A query in Athena's SQL, and the rows that Athena would answer with."""

    sql: str
    rows: list[list[str | None]]
    parameters: tuple[str, ...] = ()


SHAPES = [
    Shape(
        """
        SELECT count(*), count_if("id" IS NULL OR trim("id") = ''), to_unixtime(max("system_modstamp")),
            json_format(CAST(min("id", 20) FILTER (WHERE "email" IS NULL) AS JSON))
        FROM "db"."t"
        """,
        [["7", "2", "1.7095104E9", '["b"]']],
    ),
    Shape("""SELECT min("id", 20) FILTER (WHERE "email" = 'nobody') FROM "db"."t" """, [[None]]),
    # Each text once, and NULL where there is none.
    Shape(
        """
        SELECT json_format(CAST(slice(array_sort(map_keys(
                approx_most_frequent(100, "id", 100) FILTER (WHERE "is_current"))), 1, 20) AS JSON)),
            slice(array_sort(map_keys(approx_most_frequent(100, "id", 100) FILTER (WHERE "email" = 'nobody'))), 1, 20)
        FROM "db"."t" WHERE trim("id") <> ''
        """,
        [['["a","b"]', None]],
    ),
    # A cast takes no T and no zone, and no time of the day where a date is asked for.
    Shape(
        """
        SELECT TRY_CAST(x AS timestamp), TRY_CAST(x AS date),
            TRY(CAST(from_iso8601_timestamp(x) AT TIME ZONE 'UTC' AS timestamp))
        FROM (VALUES ('2024-01-01'), ('2024-01-01 10:00:00'), ('2024-01-01T10:00:00+02:00'), ('x')) AS v (x)
        """,
        [
            ["2024-01-01 00:00:00.000", "2024-01-01", "2024-01-01 00:00:00.000"],
            ["2024-01-01 10:00:00.000", None, None],
            [None, None, "2024-01-01 08:00:00.000"],
            [None, None, None],
        ],
    ),
    # Numbers as texts, to the last digit.
    Shape(
        """
        SELECT json_format(CAST(ARRAY[CAST(sum(x) AS varchar), CAST(count(x) AS varchar)] AS JSON))
        FROM (VALUES DECIMAL '9007199254740993', DECIMAL '0') AS v (x)
        """,
        [['["9007199254740993","2"]']],
    ),
    Shape(
        """
        SELECT max("valid_to") OVER (
            PARTITION BY "id" ORDER BY "valid_from" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        FROM "db"."t" WHERE "id" = 'a' ORDER BY "valid_from"
        """,
        [[None], ["2024-01-03 00:00:00.000"], ["2024-01-03 00:00:00.000"]],
    ),
    Shape(
        """
        SELECT lead("valid_from") OVER (PARTITION BY "id" ORDER BY "valid_from"),
            row_number() OVER (PARTITION BY "id" ORDER BY "valid_from")
        FROM "db"."t" WHERE "id" = 'b' ORDER BY 2
        """,
        [["2024-02-01 00:00:00.000", "1"], [None, "2"]],
    ),
    # An overlap by the running maximum, a gap, and two current rows of a key.
    Shape(
        """
        WITH ordered AS (
            SELECT "id", "valid_from", "is_current", max(coalesce("valid_to", TIMESTAMP '9999-12-31 00:00:00')) OVER (
                PARTITION BY "id" ORDER BY "valid_from" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
            FROM "db"."t"
        ), keys AS (
            SELECT "id", count(*) FILTER (WHERE "is_current") AS current_rows,
                count(*) FILTER (WHERE "valid_from" < reached) AS overlaps,
                count(*) FILTER (WHERE "valid_from" > reached) AS gaps
            FROM ordered GROUP BY "id"
        )
        SELECT count(*), count(*) FILTER (WHERE current_rows > 1), sum(overlaps), sum(gaps),
            slice(array_agg("id" ORDER BY "id") FILTER (WHERE overlaps > 0), 1, 20)
        FROM keys
        """,
        [["4", "1", "1", "1", "[a]"]],
    ),
    Shape(
        """
        SELECT count(DISTINCT "id"), approx_distinct("id"), bool_or("is_current"), bool_and("is_current")
        FROM "db"."t"
        """,
        [["3", "3", "true", "false"]],
    ),
    Shape(
        """SELECT coalesce("valid_to", TIMESTAMP '9999-12-31 00:00:00') FROM "db"."t" WHERE "email" = 'c'""",
        [["9999-12-31 00:00:00.000"]],
    ),
    Shape("""SELECT count(*) FROM "db"."t" WHERE "system_modstamp" >= from_unixtime(?)""", [["6"]], ("1709290801",)),
    Shape(
        """SELECT date_diff('second', "system_modstamp", from_unixtime(?)) FROM "db"."t" WHERE "amount" = 7""",
        [["60"]],
        ("1709290862",),
    ),
    Shape("""SELECT date_diff('second', "valid_from", "valid_to") FROM "db"."t" WHERE "amount" = 3.25""", [["43200"]]),
    # Complete hours, not boundaries; integers divide to an integer.
    Shape(
        "SELECT date_diff('hour', TIMESTAMP '2024-03-01 10:59:59', TIMESTAMP '2024-03-01 11:00:01'), 7 / 2, 7.0 / 2",
        [["0", "3", "3.5"]],
    ),
    Shape("""SELECT count_if(regexp_like("email", '^[a-z]@x\\.org$')) FROM "db"."t" """, [["2"]]),
    Shape("""SELECT min_by("email", "amount", 20) FROM "db"."t" WHERE "id" = 'a'""", [["[a@x.org, A@x.org, a@x.org]"]]),
    Shape(
        """
        SELECT array_agg("id" ORDER BY "id"), array_join(array_agg("id" ORDER BY "id"), ',')
        FROM "db"."t" WHERE "id" > ' '
        """,
        [["[a, a, a, b, b]", "a,a,a,b,b"]],
    ),
    Shape(
        """
        SELECT json_format(CAST(slice(array_agg(
            CAST(ROW("id", "amount") AS ROW(key varchar, amount double)) ORDER BY "amount"), 1, 2) AS JSON))
        FROM "db"."t" WHERE "amount" > 3
        """,
        [['[{"key":"a","amount":3.25},{"key":"a","amount":7.0}]']],
    ),
    Shape(
        """
        SELECT json_format(CAST(MAP(ARRAY['id', 'email'], ARRAY["id", "email"]) AS JSON))
        FROM "db"."t" WHERE "email" = 'd'
        """,
        [['{"id":" ","email":"d"}']],
    ),
    Shape("""SELECT json_format(CAST(max("email") AS JSON)) FROM "db"."t" """, [['"d"']]),
    Shape(
        """SELECT json_format(CAST(map_agg("email", "amount") AS JSON)) FROM "db"."t" WHERE "id" = ' '""",
        [['{"d":1.0}']],
    ),
    Shape(
        """
        SELECT count_if("email" IS DISTINCT FROM 'c'), count_if("is_current" IS NOT DISTINCT FROM NULL)
        FROM "db"."t"
        """,
        [["6", "1"]],
    ),
    Shape(
        """SELECT avg("amount"), stddev_samp("amount"), sum("amount") FROM "db"."t" WHERE "id" = ' '""",
        [["1.0", None, "1.0"]],
    ),
    Shape(
        """SELECT round(entropy("n"), 3) FROM (SELECT count(*) AS n FROM "db"."t" GROUP BY "id")""",
        [["1.842"]],
    ),
    Shape(
        "SELECT from_iso8601_timestamp('2024-01-04T10:20:30Z'), to_iso8601(TIMESTAMP '2024-01-04 10:20:30')",
        [["2024-01-04 10:20:30.000 UTC", "2024-01-04T10:20:30.000"]],
    ),
    Shape("""SELECT count(*) FROM "awsdatacatalog"."db"."t" """, [["7"]]),
    Shape(
        """
        SELECT CAST("valid_from" AS varchar), CAST("valid_to" AS varchar), CAST("amount" AS varchar),
            CAST("is_current" AS varchar), CAST(from_unixtime(0.5) AS varchar), CAST(count(*) AS varchar),
            substr(CAST("valid_from" AS varchar), 1, 10)
        FROM "db"."t" WHERE "email" = 'c' GROUP BY 1, 2, 3, 4
        """,
        [["2024-01-01 00:00:00.000", None, "9.0", "true", "1970-01-01 00:00:00.500 UTC", "1", "2024-01-01"]],
    ),
    # A construct inside another one.
    Shape(
        """
        SELECT json_format(CAST(ARRAY[
            date_diff('hour', TIMESTAMP '2024-03-01 10:59:59', TIMESTAMP '2024-03-01 11:00:01'), 3 / 2] AS JSON))
        """,
        [["[0,1]"]],
    ),
]


class Queries(EmulatorTest):
    size: int

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        s3 = cls.emulator.client("s3")
        for bucket in ("lake", "results"):
            s3.create_bucket(Bucket=bucket)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "t.parquet")
            duckdb.connect().execute(f"COPY ({TABLE}) TO '{path}' (FORMAT parquet)")
            cls.size = path.stat().st_size
            s3.upload_file(str(path), "lake", "t/part-0.parquet")
        cls.emulator.client("glue").create_database(DatabaseInput={"Name": "db"})
        cls.create_parquet_table("t", "s3://lake/t/")

    def test_the_shapes_that_the_validator_sends(self) -> None:
        for shape in SHAPES:
            with self.subTest(shape.sql):
                execution = self.query(shape.sql, shape.parameters)
                status = execution["Status"]
                self.assertEqual("SUCCEEDED", status["State"], status.get("StateChangeReason"))
                self.assertEqual(shape.rows, execution["Rows"])

    def test_parameters_are_bound_in_the_order_of_the_text(self) -> None:
        sql = "WITH one AS (SELECT ? AS a) SELECT a, ?, '?', 5 - ? FROM one WHERE ? < 3 LIMIT ?"
        execution = self.query(sql, ["'it''s'", "DATE '2024-01-02'", "-1", "2.5", "1"])
        self.assertEqual([["it's", "2024-01-02", "?", "6"]], execution["Rows"])

    def test_a_wrong_number_of_parameters_fails_the_query(self) -> None:
        for parameters in ((), ("1",), ("1", "2", "3")):
            execution = self.query("SELECT ?, ?", parameters)
            self.assertEqual("FAILED", execution["Status"]["State"])
            self.assertEqual(
                f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected 2 but found {len(parameters)}",
                execution["Status"]["StateChangeReason"],
            )

    def test_only_a_constant_is_a_parameter(self) -> None:
        for parameter in ("id", "(SELECT max(id) FROM db.t)", "'a' OR id = 'b'", "1 OR 1 = 1", "length('a')"):
            execution = self.query('SELECT count(*) FROM "db"."t" WHERE "id" = ?', [parameter])
            self.assertEqual("FAILED", execution["Status"]["State"], parameter)
            self.assertIn("INVALID_PARAMETER_USAGE", execution["Status"]["StateChangeReason"])

    def test_the_files_that_were_read_are_the_bytes_scanned(self) -> None:
        self.assertEqual(self.size, self.query('SELECT count(*) FROM "db"."t"')["Statistics"]["DataScannedInBytes"])
        self.assertEqual(0, self.query("SELECT 1")["Statistics"]["DataScannedInBytes"])

    def test_an_error_names_the_cause_and_no_local_path(self) -> None:
        reason = self.query('SELECT "nobody" FROM "db"."t"')["Status"]["StateChangeReason"]
        self.assertIn("nobody", reason)
        self.assertNotIn("/", reason)
        self.assertIn("SYNTAX_ERROR: line 1:", self.query("SELECT FROM WHERE")["Status"]["StateChangeReason"])


class Texts(unittest.TestCase):
    def test_values_are_printed_as_athena_prints_them(self) -> None:
        moment = datetime(2024, 1, 2, 3, 4, 5, 678_900)
        for value, expected in [
            (None, None),
            (True, "true"),
            (7, "7"),
            (1709510400.25, "1.70951040025E9"),
            (12345678.0, "1.2345678E7"),
            (0.00025, "2.5E-4"),
            (-1e21, "-1.0E21"),
            (0.001, "0.001"),
            (float("nan"), "NaN"),
            (float("-inf"), "-Infinity"),
            (Decimal("10.50"), "10.50"),
            (moment, "2024-01-02 03:04:05.678"),
            (moment.replace(tzinfo=UTC), "2024-01-02 03:04:05.678 UTC"),
            (date(2024, 1, 2), "2024-01-02"),
            (["a", None, 1.5], "[a, null, 1.5]"),
            ({"id": "a", "at": None}, "{id=a, at=null}"),
            (b"\x01\xff", "01 ff"),
        ]:
            with self.subTest(value=value):
                self.assertEqual(expected, athena_text(value))

    def test_what_cannot_be_translated_is_refused(self) -> None:
        with self.assertRaisesRegex(QueryError, "NOT_SUPPORTED"):
            to_duckdb("SELECT reduce(ARRAY[1, 2], 0, (s, x) -> s + x, s -> s)")


if __name__ == "__main__":
    unittest.main()

"""The sample lake: the clean one is sound, each fault breaks what it says and nothing else, and a seed is a lake."""

from __future__ import annotations

import json
import unittest
from datetime import datetime
from typing import Any

from support import LAKE  # isort: skip (it makes the scripts importable)
import duckdb

from emulator import LocalCloudError
from faults import TABLE_FAULTS, break_tables, cut_off
from generate import ARTIFACTS, clean_tables, parquet_files, parse_as_of, read_scenario

AS_OF = datetime(2026, 3, 1, 7, 30)
USERS = 3_000

# Each counts the people, or the rows, for whom it does not hold. Written apart from the SQL that makes the tables.
CHECKS = {
    "live people without exactly one current version": """
        WITH live AS (SELECT id, NOT arg_max(is_deleted, system_modstamp) AS live FROM raw GROUP BY id),
        versions AS (SELECT id, count(*) FILTER (WHERE is_current) AS currents FROM dim GROUP BY id)
        SELECT count(*) FROM live LEFT JOIN versions USING (id) WHERE coalesce(currents, 0) <> live::INTEGER
    """,
    "people with an overlap": """
        SELECT count(DISTINCT id) FROM (
            SELECT id, valid_from, max(coalesce(valid_to, 'infinity')) OVER (
                PARTITION BY id ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
            FROM dim
        ) WHERE valid_from < reached
    """,
    "people with a gap that no deletion explains": """
        SELECT count(DISTINCT id) FROM (
            SELECT id, valid_from,
                max(coalesce(valid_to, 'infinity')) OVER earlier AS reached,
                arg_max(is_deleted, coalesce(valid_to, 'infinity')) OVER earlier AS deleted
            FROM dim
            WINDOW earlier AS (PARTITION BY id ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ) WHERE valid_from > reached AND NOT deleted
    """,
    "changes without a version": "SELECT count(*) FROM (FROM changes EXCEPT SELECT id, valid_from FROM dim)",
    "versions without a change": "SELECT count(*) FROM (SELECT id, valid_from FROM dim EXCEPT FROM changes)",
    "empty or inverted versions": "SELECT count(*) FROM dim WHERE valid_to <= valid_from",
    "repeated version keys": "SELECT count(*) - count(DISTINCT user_sk) FROM dim",
    "records without an id or a username": """
        SELECT count(*) FROM raw WHERE coalesce(id, '') = '' OR coalesce(username, '') = ''
    """,
    "repeated record keys": "SELECT count(*) - count(DISTINCT (id, system_modstamp)) FROM raw WHERE id <> ''",
    "hours since the newest change": "SELECT epoch(getvariable('as_of') - max(system_modstamp)) / 3600 FROM raw",
    "records of another time": """
        SELECT count(*) FROM raw
        WHERE created_date > system_modstamp OR system_modstamp > extracted_at OR extracted_at > getvariable('as_of')
    """,
}

# The changes of the raw log, found row by row: a reading of the rule that shares nothing with the generator's.
TRACKED = ("division", "department", "title", "audit_phase__c", "is_active")

BROKEN: dict[str, dict[str, int]] = {
    "stale-data": {"hours since the newest change": 30},
    "scd-duplicate-current": {"live people without exactly one current version": 25},
    "scd-overlap": {"people with an overlap": 31},
    "scd-gap": {"people with a gap that no deletion explains": 20},
    "scd-missed-change": {"changes without a version": 15},
    "scd-missed-delete": {"live people without exactly one current version": 12},
    "scd-phantom-change": {"versions without a change": 15},
}


def find_changes(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the table `changes` with where a new version has to begin."""
    rows = connection.execute(
        f"SELECT id, system_modstamp, is_deleted, {', '.join(TRACKED)} FROM raw ORDER BY id, system_modstamp"
    ).fetchall()
    changes, previous = [], None
    for id_, at, deleted, *tracked in rows:
        state = None if deleted else tracked
        if state is not None and (previous is None or previous[0] != id_ or previous[1] != state):
            changes.append((id_, at))
        previous = (id_, state)
    ids, moments = zip(*changes, strict=True)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE changes AS SELECT unnest(?) AS id, unnest(?) AS moment", [ids, moments]
    )


def measure(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """What does not hold, and how often."""
    find_changes(connection)
    counts = {name: int(connection.execute(sql).fetchall()[0][0]) for name, sql in CHECKS.items()}
    return {name: number for name, number in counts.items() if number}


def content(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    """Two numbers that stand for all rows of each table."""
    return [
        connection.execute(f"SELECT count(*), sum(hash(t)) FROM {table} AS t").fetchone() for table in ("raw", "dim")
    ]


class CleanLake(unittest.TestCase):
    connection: duckdb.DuckDBPyConnection

    @classmethod
    def setUpClass(cls) -> None:
        cls.connection = clean_tables(USERS, 7, AS_OF)

    def one(self, sql: str) -> tuple[Any, ...]:
        row = self.connection.execute(sql).fetchone()
        assert row is not None
        return row

    def test_it_is_sound(self) -> None:
        for seed, as_of in ((7, AS_OF), (8, AS_OF), (1, datetime(2024, 2, 29, 0, 0, 1))):
            with self.subTest(seed=seed):
                self.assertEqual({}, measure(clean_tables(1_000, seed, as_of)))
        self.assertEqual({}, measure(self.connection))

    def test_it_has_what_is_hard_but_legal(self) -> None:
        for what, sql, least in [
            ("a person with very many versions", "SELECT max(n) FROM (SELECT count(*) AS n FROM dim GROUP BY id)", 200),
            ("versions of a minute", "SELECT count(*) FROM dim WHERE valid_to - valid_from = INTERVAL 1 MINUTE", 4),
            (
                "a division that became known",
                "SELECT count(*) FROM (SELECT division, lag(division) OVER h AS earlier, lag(id) OVER h AS known "
                "FROM dim WINDOW h AS (PARTITION BY id ORDER BY valid_from)) "
                "WHERE known IS NOT NULL AND earlier IS NULL AND division IS NOT NULL",
                1,
            ),
            (
                "gaps after a deletion",
                "SELECT count(DISTINCT id) FROM dim WHERE is_deleted AND id IN (SELECT id FROM dim WHERE is_current)",
                1,
            ),
            (
                "deleted people",
                "SELECT count(*) FROM (SELECT id FROM dim GROUP BY id HAVING NOT bool_or(is_current))",
                5,
            ),
            ("inactive people", "SELECT count(*) FROM dim WHERE is_current AND NOT is_active", 50),
            ("changes at midnight", "SELECT count(*) FROM dim WHERE valid_from = date_trunc('day', valid_from)", 50),
            (
                "names with quotes",
                """SELECT count(DISTINCT name) FROM dim WHERE name LIKE '%''%' AND name LIKE '%"%'""",
                1,
            ),
            ("names beyond ASCII", "SELECT count(DISTINCT name) FROM dim WHERE strlen(name) > length(name)", 10),
            ("changes that are not tracked", "SELECT (SELECT count(*) FROM raw) - (SELECT count(*) FROM dim)", 500),
            ("years of history", "SELECT date_diff('year', min(system_modstamp), max(system_modstamp)) FROM raw", 5),
        ]:
            with self.subTest(what):
                self.assertGreaterEqual(self.one(sql)[0], least)

    def test_ids_are_those_of_salesforce(self) -> None:
        self.assertEqual(
            (0,), self.one("SELECT count(*) FROM raw WHERE NOT regexp_full_match(id, '005[0-9A-Za-z]{12}[A-Z0-5]{3}')")
        )
        # Capitals at the fourth place of the first five, and at the second and the fourth of the last five: 8, 0, 10.
        self.assertEqual(("001A000000bTgLgIAK",), self.one("SELECT with_case_suffix('001A000000bTgLg')"))
        self.assertEqual((USERS, USERS), self.one("SELECT count(DISTINCT id), count(DISTINCT username) FROM raw"))

    def test_the_newest_change_is_minutes_old_and_this_run_writes_the_versions_of_the_last_day(self) -> None:
        self.assertEqual((240,), self.one("SELECT epoch(getvariable('as_of') - max(system_modstamp)) FROM raw"))
        self.assertEqual(
            (0, 0),
            self.one(
                """
                SELECT
                    count_if((dbt_updated_at IS NULL) <> (written > getvariable('as_of') - INTERVAL 1 DAY)),
                    count_if(dbt_updated_at < written)
                FROM (SELECT *, CASE WHEN is_deleted THEN valid_to ELSE valid_from END AS written FROM dim)
                """
            ),
        )
        created, updated, deleted = self.one(
            """
            SELECT count_if(first), count_if(NOT first AND NOT is_deleted), count_if(is_deleted)
            FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY valid_from) = 1 AS first FROM dim)
            WHERE dbt_updated_at IS NULL
            """
        )
        self.assertTrue(created >= 1 and updated >= 10 and deleted >= 1, (created, updated, deleted))

    def test_a_seed_is_a_lake(self) -> None:
        again, other = clean_tables(USERS, 7, AS_OF), clean_tables(USERS, 8, AS_OF)
        self.assertEqual(content(self.connection), content(again))
        self.assertNotEqual(content(self.connection)[0], content(other)[0])

    def test_files_hold_every_row_and_the_column_types_of_athena(self) -> None:
        files = parquet_files(self.connection, "raw", "id, system_modstamp")
        self.assertEqual(4, len(files))
        again = parquet_files(self.connection, "raw", "id, system_modstamp")
        self.assertEqual(files, again)
        types = dict(
            self.connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name IN ('raw', 'dim')"
            ).fetchall()
        )
        self.assertEqual({"VARCHAR", "BOOLEAN", "TIMESTAMP"}, set(types.values()))

    def test_too_few_people_are_refused(self) -> None:
        with self.assertRaises(LocalCloudError):
            clean_tables(10, 7, AS_OF)


class Faults(unittest.TestCase):
    def broken(self, scenario: str) -> duckdb.DuckDBPyConnection:
        connection = clean_tables(USERS, 7, AS_OF)
        break_tables(connection, scenario)
        return connection

    def test_each_breaks_what_it_says_and_nothing_else(self) -> None:
        for scenario, expected in BROKEN.items():
            with self.subTest(scenario):
                found = measure(self.broken(scenario))
                if scenario == "stale-data":
                    # The dimension goes on beyond a raw log that was cut short.
                    self.assertEqual(expected, {name: found.get(name) for name in expected})
                else:
                    self.assertEqual(expected, found)

    def test_the_nested_overlap_is_one_that_lead_misjudges(self) -> None:
        connection = self.broken("scd-overlap")
        rows = connection.execute(
            """
            SELECT date_diff('day', first, valid_from), date_diff('day', first, valid_to)
            FROM (SELECT *, min(valid_from) OVER (PARTITION BY id) AS first FROM dim)
            WHERE id = (SELECT id FROM person WHERE n = 6) ORDER BY valid_from
            """
        ).fetchall()
        self.assertEqual([(0, 100), (2, 3), (50, 60), (100, None)], rows)

    def test_too_few_records_are_the_newest_forty(self) -> None:
        connection = self.broken("too-few-records")
        self.assertEqual(
            (40, AS_OF),
            connection.execute("SELECT count(*), max(system_modstamp) + INTERVAL 4 MINUTE FROM raw").fetchone(),
        )

    def test_missing_ids_are_null_or_empty(self) -> None:
        counts = (
            self.broken("missing-ids")
            .execute(
                "SELECT count_if(id IS NULL), count_if(id = ''), count_if(username IS NULL), count_if(username = '') "
                "FROM raw"
            )
            .fetchone()
        )
        self.assertEqual((200, 60, 100, 40), counts)

    def test_a_third_of_the_rows_lose_their_manager(self) -> None:
        connection = self.broken("warning")
        missing, rows = connection.execute("SELECT count_if(manager_id IS NULL), count(*) FROM raw").fetchone()
        self.assertTrue(0.3 < missing / rows < 0.37, missing / rows)
        self.assertEqual({}, measure(connection))

    def test_the_file_that_is_cut_off_cannot_be_read(self) -> None:
        connection = clean_tables(100, 7, AS_OF)
        name, whole = next(iter(parquet_files(connection, "raw", "id").items()))
        self.assertTrue(whole.startswith(b"PAR1") and whole.endswith(b"PAR1"), name)
        self.assertFalse(cut_off(whole).endswith(b"PAR1"))


class Scenarios(unittest.TestCase):
    def test_the_table_of_scenarios_is_whole(self) -> None:
        scenarios = json.loads((LAKE / "scenarios.json").read_text(encoding="utf-8"))
        names = [item["name"] for item in scenarios]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual(set(TABLE_FAULTS), set(names))
        for item in scenarios:
            with self.subTest(item["name"]):
                required = {"name", "description", "expected_status", "expected_error_type", "dbt_run", "dbt_test"}
                self.assertEqual(required, set(item) - {"needs"})
                self.assertEqual(item["expected_status"] == "FAILED", item["expected_error_type"] is not None)
                scenario = read_scenario(item["name"])
                for artifact in (scenario.dbt_run, scenario.dbt_test):
                    self.assertTrue((ARTIFACTS / artifact).is_file(), artifact)

    def test_a_scenario_that_is_not_there_is_an_error_that_names_those_that_are(self) -> None:
        with self.assertRaisesRegex(LocalCloudError, "success"):
            read_scenario("nope")

    def test_the_date_is_utc_to_the_second(self) -> None:
        self.assertEqual(datetime(2026, 3, 1, 7, 30), parse_as_of("2026-03-01T08:30:00.5+01:00"))
        self.assertEqual(datetime(2026, 3, 1, 7, 30), parse_as_of("2026-03-01T07:30:00"))
        with self.assertRaises(LocalCloudError):
            parse_as_of("yesterday")


class DbtArtifacts(unittest.TestCase):
    STATUSES = {
        "run-success": {"success"},
        "run-failure": {"success", "error", "skipped"},
        "test-success": {"pass"},
        "test-failure": {"pass", "fail"},
        "test-warn-and-error": {"pass", "warn", "error"},
    }

    def test_they_are_what_their_names_say_and_tell_nothing_of_the_machine(self) -> None:
        for name, statuses in self.STATUSES.items():
            with self.subTest(name):
                text = (ARTIFACTS / f"run_results.{name}.json").read_text(encoding="utf-8")
                self.assertEqual(statuses, {result["status"] for result in json.loads(text)["results"]})
                self.assertNotRegex(text, r"(?<![\w.])/(home|root|tmp|Users|work|var)/")


if __name__ == "__main__":
    unittest.main()

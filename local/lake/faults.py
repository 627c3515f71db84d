"""The faults of the scenarios: each breaks one thing in the clean tables `raw` and `dim`, in as many rows as it says.

Which rows are broken depends on the data alone, so that the same seed breaks the same rows. People with a hard but
legal history are left as they are, except for the nested overlap, which is made of one of them.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

Connection = duckdb.DuckDBPyConnection

# Versions that can be broken without touching a deletion, with their neighbours; `pick` is a fixed random order.
ELIGIBLE = """
CREATE OR REPLACE TEMP TABLE eligible AS
SELECT * EXCLUDE (after_to), coalesce(after_to, getvariable('as_of')) AS after_to
FROM (
    SELECT
        user_sk, id, valid_from, valid_to,
        row_number() OVER history AS version,
        lag(user_sk) OVER history AS before_sk,
        lead(valid_from) OVER history AS after_from,
        lead(valid_to) OVER history AS after_to,
        bool_or(is_deleted) OVER (PARTITION BY id) AS ever_deleted,
        hash(id) AS pick
    FROM dim
    WINDOW history AS (PARTITION BY id ORDER BY valid_from)
)
WHERE NOT ever_deleted AND after_from IS NOT NULL AND valid_to - valid_from > INTERVAL 2 DAY
    AND id NOT IN (SELECT id FROM person WHERE n < 10)
"""


def too_few_records(connection: Connection) -> None:
    """Only the 40 newest rows were extracted."""
    connection.execute(
        "CREATE OR REPLACE TABLE raw AS SELECT * FROM raw ORDER BY system_modstamp DESC, id LIMIT 40",
    )


def stale_data(connection: Connection) -> None:
    """Nothing newer than 30 hours was extracted; the newest change is exactly that old."""
    connection.execute("DELETE FROM raw WHERE system_modstamp > getvariable('as_of') - INTERVAL 30 HOUR")
    connection.execute(
        """
        UPDATE raw SET system_modstamp = getvariable('as_of') - INTERVAL 30 HOUR
        WHERE (id, system_modstamp) = (SELECT (id, system_modstamp) FROM raw ORDER BY system_modstamp DESC, id LIMIT 1)
        """
    )


def missing_managers(connection: Connection) -> None:
    """Every third row has no manager, a field that nothing else depends on."""
    connection.execute("UPDATE raw SET manager_id = NULL WHERE hash(id, system_modstamp) % 3 = 0")


def missing_ids(connection: Connection) -> None:
    """200 rows without an id, 60 with an empty one, 100 without a username, 40 with an empty one."""
    connection.execute(
        """
        CREATE OR REPLACE TABLE raw AS
        SELECT * EXCLUDE (place) REPLACE (
            CASE WHEN place <= 200 THEN NULL WHEN place <= 260 THEN '' ELSE id END AS id,
            CASE
                WHEN place BETWEEN 261 AND 360 THEN NULL WHEN place BETWEEN 361 AND 400 THEN '' ELSE username
            END AS username
        )
        FROM (SELECT *, row_number() OVER (ORDER BY hash(id, system_modstamp), id, system_modstamp) AS place FROM raw)
        """
    )


def scd_duplicate_current(connection: Connection) -> None:
    """25 people whose last but one version is still marked as current."""
    connection.execute(
        """
        UPDATE dim SET is_current = true
        WHERE user_sk IN (
            SELECT eligible.user_sk FROM eligible JOIN dim ON dim.id = eligible.id AND dim.is_current
            WHERE eligible.after_from = dim.valid_from
            ORDER BY pick LIMIT 25
        )
        """
    )


def scd_overlap(connection: Connection) -> None:
    """30 people with a version that lasts into the next, and one with [0,100), [2,3), [50,60), which LEAD misjudges."""
    connection.execute(
        """
        UPDATE dim SET valid_to = after_from + (after_to - after_from) / 2
        FROM (SELECT user_sk, after_from, after_to FROM eligible WHERE version = 1 ORDER BY pick LIMIT 30) AS chosen
        WHERE dim.user_sk = chosen.user_sk
        """
    )
    connection.execute(
        """
        UPDATE dim SET valid_to = valid_from + to_days(CASE place WHEN 1 THEN 100 WHEN 2 THEN 1 ELSE 10 END)
        FROM (
            SELECT user_sk AS sk, row_number() OVER (ORDER BY valid_from) AS place
            FROM dim WHERE id = (SELECT id FROM person WHERE n = 6)
        ) AS nested
        WHERE user_sk = sk AND place < 4
        """
    )


def scd_gap(connection: Connection) -> None:
    """20 people with a version that ended before the next one began."""
    connection.execute(
        """
        UPDATE dim SET valid_to = valid_from + (valid_to - valid_from) / 2
        WHERE user_sk IN (SELECT user_sk FROM eligible WHERE version = 1 ORDER BY pick LIMIT 20)
        """
    )


def scd_missed_change(connection: Connection) -> None:
    """15 people whose second version was never written: the first goes on in its place."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE missed AS
        SELECT user_sk, before_sk, valid_to FROM eligible WHERE version = 2 ORDER BY pick LIMIT 15
        """
    )
    connection.execute("UPDATE dim SET valid_to = missed.valid_to FROM missed WHERE dim.user_sk = missed.before_sk")
    connection.execute("DELETE FROM dim WHERE user_sk IN (SELECT user_sk FROM missed)")


def scd_missed_delete(connection: Connection) -> None:
    """12 people who were deleted two minutes ago and whose last version is still open."""
    connection.execute(
        """
        INSERT INTO raw
        SELECT * REPLACE (
            true AS is_deleted, getvariable('as_of') - INTERVAL 2 MINUTE AS last_modified_date,
            getvariable('as_of') - INTERVAL 2 MINUTE AS system_modstamp, getvariable('as_of') AS extracted_at
        )
        FROM raw
        WHERE (id, system_modstamp) IN (
            SELECT (id, max(system_modstamp)) FROM raw
            WHERE id IN (SELECT id FROM eligible WHERE version = 1 ORDER BY pick LIMIT 12)
            GROUP BY id
        )
        """
    )


def scd_phantom_change(connection: Connection) -> None:
    """15 people with a version that begins where nothing changed in Salesforce."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE phantom AS
        SELECT dim.* REPLACE (
            md5(dim.user_sk || 'phantom') AS user_sk, 'Acting ' || title AS title,
            date_trunc('second', dim.valid_from + (dim.valid_to - dim.valid_from) / 2) AS valid_from
        ), dim.user_sk AS split_sk
        FROM dim JOIN (SELECT user_sk FROM eligible WHERE version = 1 ORDER BY pick LIMIT 15) AS chosen USING (user_sk)
        """
    )
    connection.execute("UPDATE dim SET valid_to = phantom.valid_from FROM phantom WHERE dim.user_sk = phantom.split_sk")
    connection.execute("INSERT INTO dim SELECT * EXCLUDE (split_sk) FROM phantom")


# The faults of the tables. The other scenarios break a file (glue-failure) or an answer of dbt (dbt-*), or nothing.
TABLE_FAULTS: dict[str, Callable[[Connection], None]] = {
    "too-few-records": too_few_records,
    "stale-data": stale_data,
    "missing-ids": missing_ids,
    "warning": missing_managers,
    "scd-duplicate-current": scd_duplicate_current,
    "scd-overlap": scd_overlap,
    "scd-gap": scd_gap,
    "scd-missed-change": scd_missed_change,
    "scd-missed-delete": scd_missed_delete,
    "scd-phantom-change": scd_phantom_change,
}


def break_tables(connection: Connection, scenario: str) -> None:
    """Put the fault of a scenario into the clean tables, if it has one there."""
    fault = TABLE_FAULTS.get(scenario)
    if fault is not None:
        connection.execute(ELIGIBLE)
        fault(connection)


def cut_off(content: bytes) -> bytes:
    """A file as an upload leaves it that was broken off: Parquet keeps its footer at the end."""
    return content[: len(content) * 3 // 5]

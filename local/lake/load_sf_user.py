"""The Glue Python shell job of the sample lake: loads the Salesforce user extract from landing/ into raw/.

It checks every landed file, replaces what was loaded before, and prints the number of records. Its last line on stderr
says why it failed. It takes the parameter LAKE_BUCKET.
"""

import io
import os
import sys
import tempfile
import traceback
from typing import Any

import boto3

LANDING = "landing/sf_user/"
RAW = "raw/sf_user/"
REQUIRED = ("id", "username", "email", "is_active", "system_modstamp")


class LoadError(Exception):
    """The extract cannot be loaded, for a reason that its producer can act on."""


def parameter(name: str) -> str:
    """A job parameter: `--NAME value` on AWS, an environment variable in the local cloud."""
    option = f"--{name}"
    if option in sys.argv[:-1]:
        return sys.argv[sys.argv.index(option) + 1]
    if name in os.environ:
        return os.environ[name]
    raise LoadError(f"the job parameter {option} is missing")


def inspect_with_pyarrow(content: bytes) -> tuple[int, list[str]]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(io.BytesIO(content))
    return table.num_rows, table.column_names


def inspect_with_duckdb(content: bytes) -> tuple[int, list[str]]:
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = os.path.join(folder, "extract.parquet")
        with open(path, "wb") as file:
            file.write(content)
        try:
            # Reading every value, not only the footer, is what finds a damaged file.
            values = "SELECT count(*), bit_xor(hash(t)) FROM read_parquet(?) AS t"
            [(records, _)] = connection.execute(values, [path]).fetchall()
            columns = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
        except duckdb.Error as error:
            # Only what is wrong: not the query, nor the temporary folder, which has another name each time.
            raise ValueError(str(error).split("\n\nLINE ")[0].replace(path, "extract.parquet")) from None
    return records, [column[0] for column in columns]


def inspect(content: bytes) -> tuple[int, list[str]]:
    """The number of records and the columns of a Parquet file, with the reader that is installed."""
    try:
        return inspect_with_pyarrow(content)
    except ImportError:
        return inspect_with_duckdb(content)


def checked_records(key: str, content: bytes) -> int:
    """The number of records of a landed file; a LoadError if it is not what was agreed."""
    try:
        records, columns = inspect(content)
    except Exception as error:
        first_line = str(error).splitlines()[0]
        raise LoadError(f"{key} ({len(content)} bytes) is not readable as Parquet: {first_line}") from error
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise LoadError(f"{key} lacks the column {', '.join(missing)}")
    return records


def list_keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def load(s3: Any, bucket: str) -> int:
    """Replace raw/ by landing/; the number of records. Nothing is replaced unless every landed file is sound."""
    landed = list_keys(s3, bucket, LANDING)
    if not landed:
        raise LoadError(f"no extract in s3://{bucket}/{LANDING}")
    contents = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in landed}
    records = sum(checked_records(key, content) for key, content in contents.items())
    fresh = {RAW + key[len(LANDING) :]: content for key, content in contents.items()}
    for key, content in fresh.items():
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    for key in list_keys(s3, bucket, RAW):
        if key not in fresh:
            s3.delete_object(Bucket=bucket, Key=key)
    return records


def main() -> None:
    records = load(boto3.client("s3"), parameter("LAKE_BUCKET"))
    print(f"loaded {records} records")


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # One frame an exception: a reader of the job run sees the first lines only, and the reason comes last.
        traceback.print_exception(type(error), error, error.__traceback__, limit=-1)
        sys.exit(1)
